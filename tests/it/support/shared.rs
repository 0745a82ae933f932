//! Plugins that many tests use: each is made and built once.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::{Project, Sandbox};

/// The bundle of a plugin about orders, with one desk of each kind. Its name is `it-orders`.
pub(crate) fn orders() -> &'static Path {
    static ORDERS: LazyLock<PathBuf> = LazyLock::new(|| {
        let sandbox = Sandbox::lasting("orders");
        let plugin = Project::new(&sandbox, "it-orders");
        for command in [
            "gen division order customer:string total:decimal",
            "gen desk cmd confirm order note:string",
            "gen desk prj order_confirmed --table confirmed_orders",
            "gen desk qry page confirmed_order",
            "gen desk qry search order",
            "gen desk qry count order",
        ] {
            let _done = plugin.hecate(command).ok();
        }
        plugin.bundle()
    });
    &ORDERS
}

/// The bundle of a plugin that can be told to misbehave. Its name is `it-moody`.
///
/// Below its `api`: `/panic` panics, `/blocks` keeps its only thread busy for a second, `/counts` counts events and
/// `POST /counts` adds one. Its `init` fails as long as there is a file `data/files/no`.
pub(crate) fn moody() -> &'static Path {
    static MOODY: LazyLock<PathBuf> = LazyLock::new(|| {
        let sandbox = Sandbox::lasting("moody");
        let plugin = Project::new(&sandbox, "it-moody");
        plugin.write("src/lib.rs", include_str!("../../fixtures/moody.rs"));
        plugin.bundle()
    });
    &MOODY
}
