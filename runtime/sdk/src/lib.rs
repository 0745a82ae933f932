//! Everything a Hecate plugin needs, in one dependency.
//!
//! A plugin is a small event-sourced application: a native library, a web page, a manifest. A host mounts it under
//! `/plugin/{name}/`. This crate is its only dependency; what it builds on is re-exported, so that versions agree.
//!
//! # A plugin from top to bottom
//!
//! [`plugin::Plugin`] is the callback; [`export_plugin!`] makes it the plugin of its library. Its routes are any axum
//! router, its [`store::Store`] keeps events:
//!
//! ```
//! use hecate_sdk::api::{Answer, ApiError, Json};
//! use hecate_sdk::axum::{Router, extract::State, routing::get};
//! use hecate_sdk::plugin::{InitError, Plugin, PluginContext};
//! use hecate_sdk::serde_json::{Value, json};
//! use hecate_sdk::store::{ExpectedVersion, NewEvent, Store, StoreConfig, StreamId};
//!
//! struct MyPlugin {
//!     store: Store,
//! }
//!
//! impl Plugin for MyPlugin {
//!     fn manifest() -> &'static str {
//!         r#"{"name": "my-plugin", "version": "0.1.0", "plugin_type": "in_vm"}"#
//!     }
//!
//!     fn store_config() -> Option<StoreConfig> {
//!         Some(StoreConfig::new("my_items_store").dir_name("items"))
//!     }
//!
//!     async fn init(context: PluginContext) -> Result<Self, InitError> {
//!         Ok(Self { store: context.store()? })
//!     }
//!
//!     fn routes(&self) -> Router {
//!         Router::new().route("/items", get(count).post(add)).with_state(self.store.clone())
//!     }
//! }
//!
//! async fn add(State(store): State<Store>, Json(item): Json<Value>) -> Result<Answer, ApiError> {
//!     let event = NewEvent::json("item_added", 1, &item).map_err(|error| ApiError::internal(&error))?;
//!     let receipt = store.append(StreamId::new("items"), ExpectedVersion::Any, vec![event]).await?;
//!     Ok(Answer::of(json!({"position": receipt.last})))
//! }
//!
//! async fn count(State(store): State<Store>) -> Result<Answer, ApiError> {
//!     let events = store.read_stream(StreamId::new("items"), None, 1000).await?;
//!     Ok(Answer::of(json!({"count": events.len()})))
//! }
//!
//! hecate_sdk::export_plugin!(MyPlugin);
//! # fn main() {}
//! ```
//!
//! # Divisions
//!
//! A larger plugin is made of divisions, each a bounded context in a crate of its own, as `hecate gen division` writes
//! them: an [`aggregate::Aggregate`] decides and remembers, a [`projection::Projection`] makes rows of a
//! [`table::Table`] from its events, [`queries`] answer from the rows, and [`routes::Routes`] collects what the desks
//! serve. [`division::Division`] is what their handlers hold.
//!
//! # Features
//!
//! None is on unless asked for: each brings crates of its own.
//!
//! | feature | what it adds |
//! |---|---|
//! | `ratelimit` | `ratelimit`: a token bucket for each key, in front of routes or by hand |
//! | `schedule` | `scheduler`: jobs at intervals and by cron, with time zones |
//! | `validate` | `validate::Valid`: rules derived with garde, checked before the handler runs |
//! | `validate-formats` | the rules `pattern` and `email` |
//!
//! # Tests
//!
//! [`testing`] has given/when/then for decisions, and a whole plugin without a host.

#![warn(missing_docs)]

pub mod aggregate;
pub mod api;
pub mod division;
#[doc(hidden)]
pub mod export;
pub mod fields;
mod fingerprint;
pub mod flags;
pub mod live;
mod logger;
pub mod metrics;
mod openapi;
pub mod paths;
pub mod plugin;
pub mod projection;
mod projector;
pub mod queries;
#[cfg(feature = "ratelimit")]
pub mod ratelimit;
pub mod routes;
mod running;
#[cfg(feature = "schedule")]
pub mod scheduler;
pub mod store;
pub mod table;
pub mod telemetry;
pub mod testing;
pub mod validate;
pub mod ws;

pub use ::metrics as metrics_crate;
pub use axum;
pub use bytes;
pub use futures_util;
#[cfg(feature = "validate")]
pub use garde;
pub use http;
pub use jiff;
pub use rusqlite;
pub use rust_decimal;
pub use serde;
pub use serde_json;
pub use tokio;
pub use tracing;
pub use uuid;

// garde's derive writes `::garde::…`, and no attribute changes that. A crate whose only dependency is this SDK says
// `extern crate hecate_sdk as garde;`; these are the places where the derive then looks.
#[cfg(feature = "validate")]
#[doc(hidden)]
pub use garde::{Path, Validate, error, rules, util};

/// Version of this SDK: what a manifest's `min_sdk_version` is compared with.
pub const SDK_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The compiler that built this SDK, and the plugin with it.
#[doc(hidden)]
pub const RUSTC_VERSION: &str = env!("HECATE_RUSTC");

#[cfg(test)]
mod tests;
