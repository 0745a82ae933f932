//! The plugin of the benchmark: the routes that the bare server has too.

mod routes;

use hecate_sdk::axum::Router;
use hecate_sdk::plugin::{InitError, Plugin, PluginContext};

/// The plugin.
pub struct BenchRequests;

impl Plugin for BenchRequests {
    fn manifest() -> &'static str {
        include_str!("../manifest.json")
    }

    async fn init(_context: PluginContext) -> Result<Self, InitError> {
        Ok(Self)
    }

    fn routes(&self) -> Router {
        routes::routes()
    }
}

hecate_sdk::export_plugin!(BenchRequests);
