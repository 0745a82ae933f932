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
//! # A division, chapter by chapter
//!
//! A larger plugin is made of divisions, each a bounded context in a crate of its own, as `hecate gen division` writes
//! them. A division is read in the order in which a command goes through it:
//!
//! 1. [`aggregate`]: events, what is remembered of them, and the decision that leads from a command to events. All pure.
//!    [`flags`] make a status of events; [`aggregate::Upcast`] tells events of an older revision as new ones.
//! 2. [`api`] reads bodies and answers, [`validate`] has the rules of their fields, and [`fields`] the types that
//!    commands, rows and OpenAPI share.
//! 3. [`routes`] collects what the desks serve; [`division`] is what their handlers hold, and carries commands out.
//! 4. [`projection`] makes rows of a [`table`] from events, and [`queries`] answers from them.
//! 5. [`live`] and [`ws`] tell pages what happens now.
//! 6. [`integration`] is about other plugins: facts that are told and heard, hopes that are asked and answered.
//! 7. Beneath lie [`store`], which keeps events, and [`paths`], where files are.
//! 8. [`metrics`], [`telemetry`] and [`tracing`] are seen from outside.
//! 9. [`testing`] has the words for tests: given, when, then, from a decision alone to the whole plugin.
//!
//! In one piece, as a crate of its own would have it in a dozen files:
//!
//! ```
//! use std::sync::LazyLock;
//!
//! use hecate_sdk::aggregate::*;
//! use hecate_sdk::api::{Accepted, Answer, ApiError, Command};
//! use hecate_sdk::axum::extract::{Path, State};
//! use hecate_sdk::division::{Division, DivisionSpec};
//! use hecate_sdk::fields::{Field, FieldType};
//! use hecate_sdk::flags::{FlagMap, FlagMaps, StatusChange, has};
//! use hecate_sdk::projection::TableProjection;
//! use hecate_sdk::queries::Params;
//! use hecate_sdk::routes::{Desk, Routes};
//! use hecate_sdk::serde::{Deserialize, Serialize};
//! use hecate_sdk::serde_json::{self, json};
//! use hecate_sdk::store::NewEvent;
//! use hecate_sdk::table::{Column, Table};
//! use hecate_sdk::testing::{Around, OneDivision, TestPlugin, given, run};
//! use hecate_sdk::validate::{Invalid, Rules, Validate};
//!
//! // 1. What can happen to a book, and what is remembered of it.
//! #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
//! #[serde(crate = "hecate_sdk::serde")]
//! struct BookLentV1 {
//!     reader: String,
//!     days: i64,
//! }
//!
//! impl Event for BookLentV1 {
//!     const NAME: &'static str = "book_lent";
//!     const REVISION: u32 = 1;
//!     const SETS: u64 = 1;
//! }
//!
//! #[derive(Debug, Clone, PartialEq)]
//! enum BookEvent {
//!     Lent(BookLentV1),
//! }
//!
//! impl EventSet for BookEvent {
//!     fn decode(event_type: &str, revision: u32, data: &[u8]) -> Result<Self, DecodeError> {
//!         match (event_type, revision) {
//!             (BookLentV1::NAME, BookLentV1::REVISION) => decode_payload(data).map(Self::Lent),
//!             _ => Err(DecodeError::unknown(event_type, revision)),
//!         }
//!     }
//!
//!     fn encode(&self) -> Result<NewEvent, serde_json::Error> {
//!         let Self::Lent(event) = self;
//!         encode_payload(event)
//!     }
//!
//!     fn status_change(&self) -> StatusChange {
//!         status_change::<BookLentV1>()
//!     }
//! }
//!
//! #[derive(Default)]
//! struct Book {
//!     status: u64,
//! }
//!
//! impl Aggregate for Book {
//!     type Event = BookEvent;
//!     const KIND: &'static str = "book";
//!
//!     fn apply(&mut self, event: &BookEvent) {
//!         self.status = event.status_change().apply(self.status);
//!     }
//! }
//!
//! // 2. What can be asked, its fields and their rules.
//! #[derive(Debug, Clone, Deserialize)]
//! #[serde(crate = "hecate_sdk::serde", deny_unknown_fields)]
//! struct LendBook {
//!     reader: String,
//!     days: i64,
//! }
//!
//! impl Validate for LendBook {
//!     fn validate(&self) -> Result<(), Invalid> {
//!         let some_weeks = (1..=60).contains(&self.days);
//!         Rules::new().field("reader", &self.reader).rule("days", some_weeks, "must be 1 to 60").done()
//!     }
//! }
//!
//! fn lend(book: &Book, command: LendBook, _: &Cx) -> Result<Vec<BookEvent>, Rejection> {
//!     if has(book.status, BookLentV1::SETS) {
//!         return Err(Rejection::conflict("book_lent", "somebody else has the book"));
//!     }
//!     Ok(vec![BookEvent::Lent(BookLentV1 { reader: command.reader, days: command.days })])
//! }
//!
//! // 3. Where it is asked.
//! async fn lend_book(
//!     State(books): State<Division>,
//!     Path(id): Path<String>,
//!     command: Command<LendBook>,
//! ) -> Result<Accepted, ApiError> {
//!     Ok(Accepted::new("book_id", books.dispatch(&id, command, lend).await?))
//! }
//!
//! fn routes() -> Routes {
//!     const FIELDS: &[Field] =
//!         &[Field::required("reader", FieldType::String), Field::required("days", FieldType::Int)];
//!     let lend = Routes::new().post("/books/{id}/lend", lend_book).desk(Desk::command("lend_book", FIELDS));
//!     let page = Routes::new().get("/books", books_page).desk(Desk::page("get_books_page", &BOOKS));
//!     lend.merge(page)
//! }
//!
//! // 4. What can be seen.
//! static BOOKS: LazyLock<Table> = LazyLock::new(|| {
//!     Table::new("books", "book_id").columns(&[Column::new("reader", FieldType::String)])
//! });
//!
//! async fn books_page(State(books): State<Division>, params: Params) -> Result<Answer, ApiError> {
//!     params.page(&BOOKS, &["reader"])?.read(&books).await
//! }
//!
//! fn division() -> DivisionSpec {
//!     let flags = FlagMap::new([(BookLentV1::SETS, "Lent")]);
//!     DivisionSpec::new("book", routes()).flag_maps(FlagMaps::from([("book".to_owned(), flags)])).projections(|| {
//!         let rows = TableProjection::<BookEvent>::new("book", &BOOKS, |row, BookEvent::Lent(event)| {
//!             row.set("reader", &event.reader);
//!             Ok(())
//!         });
//!         vec![Box::new(rows)]
//!     })
//! }
//!
//! // 9. A decision alone, and all of it together.
//! # struct Books;
//! # impl OneDivision for Books {
//! #     fn division() -> DivisionSpec { division() }
//! # }
//! # fn main() {
//! let lent = || BookEvent::Lent(BookLentV1 { reader: "Ada".to_owned(), days: 7 });
//! given::<Book>([lent()])
//!     .when(LendBook { reader: "Bob".to_owned(), days: 7 }, lend)
//!     .then_rejected("book_lent");
//!
//! run(async {
//!     let plugin = TestPlugin::start::<Around<Books>>().await;
//!     plugin
//!         .when_post("/books/emma/lend", json!({"reader": "", "days": 90}))
//!         .await
//!         .then_status(422)
//!         .then_json(json!({"fields": {"reader": "must not be empty", "days": "must be 1 to 60"}}));
//!     plugin
//!         .when_post("/books/emma/lend", json!({"reader": "Ada", "days": 7}))
//!         .await
//!         .then_status(201)
//!         .then_events::<Book>("book", "emma", [lent()])
//!         .await;
//!     let page = plugin.get("/books?reader=Ada").await.json;
//!     let emma = json!({"book_id": "emma", "version": 1, "status": 1, "reader": "Ada"});
//!     assert_eq!(page["items"], json!([emma]));
//! });
//! # }
//! ```
//!
//! # More, when asked for
//!
//! The rest is behind features, and not even compiled by a plugin that does without:
//!
//! | feature | what it adds |
//! |---|---|
//! | `cache` | `moka`: a bounded cache in memory |
//! | `conformance` | `conformance`: what every event store and every bus must keep, as tests for whoever writes another one |
//! | `crypto` | `sha2` and `rand`: hashes and random numbers |
//! | `files` | `files`: uploads within limits, downloads with ranges |
//! | `http-client` | `reqwest`, and `http_client` that makes one with TLS |
//! | `llm` | `llm`: language models of any provider, chosen by what they are for |
//! | `neuroevolution` | `radiate`: genetic algorithms and evolved networks |
//! | `opentelemetry` | `telemetry::opentelemetry`: spans of requests, commands, stores, projections and messages, sent to a collector |
//! | `protobuf` | `prost`: protocol buffers |
//! | `ratelimit` | `ratelimit`: a token bucket for each key, in front of routes or by hand |
//! | `schedule` | `scheduler`: jobs at intervals and by cron, with time zones |
//! | `validate` | `validate::Valid`: rules derived with garde, checked before the handler runs |
//! | `validate-formats` | the rules `pattern` and `email` |
//!
//! [`builtins`] shows what stands for each module that a plugin on the Erlang platform had at hand.

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
mod fault;
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
