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
//! # More, when asked for
//!
//! The rest is behind features, and not even compiled by a plugin that does without:
//!
//! | feature | what it adds |
//! |---|---|
//! | `cache` | `moka`: a bounded cache in memory |
//! | `conformance` | `conformance`: what every event store must keep, as tests for whoever writes another one |
//! | `crypto` | `sha2` and `rand`: hashes and random numbers |
//! | `files` | `files`: uploads within limits, downloads with ranges |
//! | `http-client` | `reqwest`, and `http_client` that makes one with TLS |
//! | `llm` | `llm`: language models of any provider, chosen by what they are for |
//! | `neuroevolution` | `radiate`: genetic algorithms and evolved networks |
//! | `protobuf` | `prost`: protocol buffers |
//! | `ratelimit` | `ratelimit`: a token bucket for each key, in front of routes or by hand |
//! | `schedule` | `scheduler`: jobs at intervals and by cron, with time zones |
//! | `validate` | `validate::Valid`: rules derived with garde, checked before the handler runs |
//! | `validate-formats` | the rules `pattern` and `email` |
//!
//! [`builtins`] shows what stands for each module that a plugin on the Erlang platform had at hand.
//!
//! # Tests
//!
//! [`testing`] has given/when/then for decisions, and a whole plugin without a host.

#![warn(missing_docs)]

pub mod aggregate;
pub mod api;
pub mod builtins;
pub mod commands;
#[cfg(feature = "conformance")]
pub mod conformance;
mod consistency;
pub mod division;
#[doc(hidden)]
pub mod export;
pub mod fields;
#[cfg(feature = "files")]
pub mod files;
mod fingerprint;
pub mod flags;
#[cfg(feature = "http-client")]
mod http_client;
pub mod integration;
pub mod live;
#[cfg(feature = "llm")]
pub mod llm;
mod logger;
mod messages;
pub mod metrics;
mod misread;
mod openapi;
mod operate;
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

#[cfg(feature = "http-client")]
pub use http_client::{http_client, http_client_builder};

pub use ::metrics as metrics_crate;
pub use axum;
pub use bytes;
pub use futures_util;
#[cfg(feature = "validate")]
pub use garde;
#[cfg(feature = "llm")]
pub use genai;
pub use http;
pub use jiff;
#[cfg(feature = "cache")]
pub use moka;
/// Protocol buffers. A derive is told where the crate lies:
///
/// ```
/// use hecate_sdk::prost::Message;
///
/// #[derive(Clone, PartialEq, Message)]
/// #[prost(prost_path = "hecate_sdk::prost")]
/// struct Reading {
///     #[prost(string, tag = "1")]
///     sensor: String,
///     #[prost(double, optional, tag = "2")]
///     celsius: Option<f64>,
/// }
///
/// let reading = Reading { sensor: "roof".to_owned(), celsius: Some(-1.5) };
/// let bytes = reading.encode_to_vec();
/// assert_eq!(bytes[..6], *b"\x0a\x04roof");
/// assert_eq!(Reading::decode(&bytes[..])?, reading);
/// assert!(Reading::decode(&bytes[..3]).is_err());
/// # Ok::<(), hecate_sdk::prost::DecodeError>(())
/// ```
#[cfg(feature = "protobuf")]
pub use prost;
/// Genetic algorithms, and networks that are evolved, their form included:
///
/// ```
/// use hecate_sdk::radiate::prelude::*;
///
/// let inputs: Vec<Vec<f32>> = vec![vec![0.0, 0.0], vec![0.0, 1.0], vec![1.0, 0.0], vec![1.0, 1.0]];
/// let either: Vec<Vec<f32>> = vec![vec![0.0], vec![1.0], vec![1.0], vec![1.0]];
/// let nodes = vec![
///     (NodeType::Input, vec![Op::var(0), Op::var(1)]),
///     (NodeType::Edge, vec![Op::weight()]),
///     (NodeType::Vertex, vec![Op::sigmoid(), Op::relu()]),
///     (NodeType::Output, vec![Op::tanh()]),
/// ];
/// let engine = GeneticEngine::builder()
///     .codec(GraphCodec::weighted_directed(2, 1, nodes))
///     .fitness_fn(Regression::new(DataSet::new(inputs.clone(), either.clone()), Loss::MSE))
///     .minimizing()
///     .alter(alters!(
///         GraphCrossover::new(0.5, 0.5),
///         OperationMutator::new(0.3, 0.1),
///         GraphMutator::new(0.05, 0.05).allow_recurrent(false)
///     ))
///     .build();
/// let best = engine.iter().until_score(0.03).until_generation(500).last()?;
/// let mut network = GraphEvaluator::new(best.value());
/// for (input, output) in inputs.iter().zip(&either) {
///     assert!((network.eval_mut(&input[..])[0] - output[0]).abs() < 0.5);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "neuroevolution")]
pub use radiate;
#[cfg(feature = "crypto")]
pub use rand;
#[cfg(feature = "http-client")]
pub use reqwest;
pub use rusqlite;
pub use rust_decimal;
pub use serde;
pub use serde_json;
#[cfg(feature = "crypto")]
pub use sha2;
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
