//! The quick start: items that are added and listed, kept as events. Plain axum handlers, no division.

mod item;
mod items;

use hecate_sdk::axum::Router;
use hecate_sdk::axum::routing::get;
use hecate_sdk::plugin::{InitError, Plugin, PluginContext};
use hecate_sdk::store::{Store, StoreConfig};

/// The plugin.
pub struct MyPlugin {
    store: Store,
}

impl Plugin for MyPlugin {
    async fn init(context: PluginContext) -> Result<Self, InitError> {
        Ok(Self {
            store: context.store()?,
        })
    }

    fn routes(&self) -> Router {
        Router::new()
            .route("/items", get(items::list).post(items::add))
            .route("/items/{id}", get(item::show))
            .with_state(self.store.clone())
    }

    fn store_config() -> Option<StoreConfig> {
        Some(
            StoreConfig::new("my_items_store")
                .dir_name("items")
                .description("My plugin items store"),
        )
    }

    fn static_dir() -> Option<&'static str> {
        Some("priv/static")
    }

    fn manifest() -> &'static str {
        include_str!("../manifest.json")
    }
}

hecate_sdk::export_plugin!(MyPlugin);

#[cfg(test)]
mod tests;
