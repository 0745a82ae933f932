//! What a division's crate says of it.

use crate::commands::CommandTable;
use crate::flags::FlagMaps;
use crate::projection::Projection;
use crate::routes::Routes;
use crate::store::StoreConfig;

/// What a division is made of: written by its crate, run by the SDK.
pub struct DivisionSpec {
    pub(crate) name: &'static str,
    pub(crate) store: StoreConfig,
    pub(crate) projections: fn() -> Vec<Box<dyn Projection>>,
    pub(crate) routes: Routes,
    pub(crate) flag_maps: FlagMaps,
    pub(crate) commands: CommandTable,
}

impl DivisionSpec {
    /// A division with a store of its own, named as it is.
    pub fn new(name: &'static str, routes: Routes) -> Self {
        Self {
            name,
            store: StoreConfig::new(format!("{name}_store")).dir_name(name),
            projections: Vec::new,
            routes,
            flag_maps: FlagMaps::new(),
            commands: CommandTable::new(),
        }
    }

    /// What follows its events. A function, because each start of the store makes them anew.
    #[must_use]
    pub fn projections(mut self, projections: fn() -> Vec<Box<dyn Projection>>) -> Self {
        self.projections = projections;
        self
    }

    /// What the bits of its status mean.
    #[must_use]
    pub fn flag_maps(mut self, flag_maps: FlagMaps) -> Self {
        self.flag_maps = flag_maps;
        self
    }

    /// Its commands by name: what listeners, process managers and responders dispatch.
    #[must_use]
    pub fn commands(mut self, commands: CommandTable) -> Self {
        self.commands = commands;
        self
    }

    /// Keeps events and rows in memory: they are gone when the plugin is loaded again.
    #[must_use]
    pub fn in_memory(mut self) -> Self {
        self.store = self.store.in_memory();
        self
    }

    /// Another store than the usual one.
    #[must_use]
    pub fn store(mut self, store: StoreConfig) -> Self {
        self.store = store;
        self
    }
}
