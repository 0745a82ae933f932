//! The plugin callback: what a plugin tells the SDK, and what it gets.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::routing::MethodRouter;
pub use hecate_manifest::control::{Health, HealthStatus};

use crate::division::{Division, DivisionSpec};
use crate::flags::FlagMaps;
use crate::integration::{Hopes, Integrations};
use crate::live::Live;
use crate::paths::Paths;
use crate::store::{Store, StoreConfig};

/// A plugin. `export_plugin!` makes a type that implements this the plugin of its library.
///
/// ```
/// use hecate_sdk::axum::{Router, routing::get};
/// use hecate_sdk::plugin::{InitError, Plugin, PluginContext};
///
/// struct MyPlugin;
///
/// impl Plugin for MyPlugin {
///     fn manifest() -> &'static str {
///         r#"{"name": "my-plugin", "version": "0.1.0", "plugin_type": "in_vm"}"#
///     }
///
///     async fn init(_: PluginContext) -> Result<Self, InitError> {
///         Ok(Self)
///     }
///
///     fn routes(&self) -> Router {
///         Router::new().route("/greeting", get(async || "hello"))
///     }
/// }
/// ```
pub trait Plugin: Send + Sync + Sized + 'static {
    /// The text of `manifest.json`: `include_str!("../manifest.json")`.
    fn manifest() -> &'static str;

    /// Makes the plugin. Runs before any store is open: keep the handles of `context`, do not use them yet.
    ///
    /// # Errors
    ///
    /// A plugin whose `init` fails is not loaded; the reason is shown.
    fn init(context: PluginContext) -> impl Future<Output = Result<Self, InitError>> + Send;

    /// The plugin's own routes, below `/plugin/{name}/api`: any axum router.
    fn routes(&self) -> Router {
        Router::new()
    }

    /// The plugin's own event store, if it keeps one beside its divisions.
    fn store_config() -> Option<StoreConfig> {
        None
    }

    /// The plugin's divisions.
    fn divisions() -> Vec<DivisionSpec> {
        Vec::new()
    }

    /// Its process managers, and what it exchanges with other plugins.
    fn integrations() -> Integrations {
        Integrations::new()
    }

    /// Where its static files lie, relative to the bundle.
    fn static_dir() -> Option<&'static str> {
        Some("priv/static")
    }

    /// What `/plugin/{name}/ws` does. Without it: notices of stored events, as JSON frames.
    fn websocket(&self) -> Option<MethodRouter> {
        None
    }

    /// What the bits of its statuses mean, beside those of its divisions.
    fn flag_maps(&self) -> FlagMaps {
        FlagMaps::new()
    }

    /// Its own health.
    fn health(&self) -> Health {
        Health {
            status: HealthStatus::Ok,
            details: BTreeMap::new(),
        }
    }

    /// Ends what the plugin started itself. Stores are closed by the SDK.
    fn shutdown(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// What a plugin is made with. Cheap to clone.
#[derive(Clone)]
pub struct PluginContext {
    pub(crate) name: Arc<str>,
    pub(crate) paths: Paths,
    pub(crate) own: Option<Division>,
    pub(crate) divisions: Arc<[Division]>,
    pub(crate) live: Live,
    pub(crate) hopes: Hopes,
    #[cfg(feature = "schedule")]
    pub(crate) scheduler: crate::scheduler::Scheduler,
}

impl PluginContext {
    /// The plugin's technical name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its directories.
    pub const fn paths(&self) -> &Paths {
        &self.paths
    }

    /// The store of [`Plugin::store_config`].
    ///
    /// # Errors
    ///
    /// [`InitError`] if the plugin configures none.
    pub fn store(&self) -> Result<Store, InitError> {
        let own = self
            .own
            .as_ref()
            .ok_or("the plugin has no `store_config`")?;
        Ok(own.store().clone())
    }

    /// One of the plugin's divisions, by name.
    pub fn division(&self, name: &str) -> Option<Division> {
        self.divisions
            .iter()
            .find(|division| division.name() == name)
            .cloned()
    }

    /// Notices of stored events.
    pub const fn live(&self) -> &Live {
        &self.live
    }

    /// Where hopes are sent from; the plugin's [`integrations`](Plugin::integrations) list them.
    pub const fn hopes(&self) -> &Hopes {
        &self.hopes
    }

    /// Where jobs are made, with the feature `schedule`.
    ///
    /// Jobs may be made in [`Plugin::init`] and later. They begin when the stores have opened, and end before these close.
    #[cfg(feature = "schedule")]
    pub const fn scheduler(&self) -> &crate::scheduler::Scheduler {
        &self.scheduler
    }
}

/// Why a plugin could not be made: any error, or a sentence.
#[derive(Debug)]
pub struct InitError(Box<dyn std::error::Error + Send + Sync>);

impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> From<E> for InitError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl InitError {
    pub(crate) fn as_error(&self) -> &(dyn std::error::Error + 'static) {
        self.0.as_ref()
    }
}
