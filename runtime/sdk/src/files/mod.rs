//! Files that people send and fetch: streamed to the disk within limits, kept whole or not at all, served with ranges.
//!
//! A kept file has two names. The *id* is made here and is what the file is asked for by; nothing that a client says
//! becomes part of a path. The *name* is what its owner calls it: it is shown, and offered when the file is saved.
//!
//! ```
//! use hecate_sdk::api::{Answer, ApiError};
//! use hecate_sdk::axum::extract::{Request, State};
//! use hecate_sdk::axum::{Router, routing::post};
//! use hecate_sdk::files::{Files, Limits};
//! use hecate_sdk::plugin::{InitError, Plugin, PluginContext};
//! use hecate_sdk::serde_json::json;
//!
//! struct Albums {
//!     files: Files,
//! }
//!
//! impl Plugin for Albums {
//!     fn manifest() -> &'static str {
//!         r#"{"name": "albums", "version": "0.1.0", "plugin_type": "in_vm"}"#
//!     }
//!
//!     async fn init(context: PluginContext) -> Result<Self, InitError> {
//!         Ok(Self { files: Files::new(context.paths()) })
//!     }
//!
//!     fn routes(&self) -> Router {
//!         Router::new()
//!             // `POST`, `GET`, `GET /{id}` and `DELETE /{id}`, ready to use;
//!             .nest("/photos", self.files.routes(Limits::default().max_file_bytes(20 << 20)))
//!             // or a handler that does more with what it receives.
//!             .route("/covers", post(cover))
//!             .with_state(self.files.clone())
//!     }
//! }
//!
//! async fn cover(State(files): State<Files>, request: Request) -> Result<Answer, ApiError> {
//!     let received = files.receive(request, &Limits::default()).await?;
//!     let names: Vec<_> = received.files.iter().map(|part| part.file.name.as_str()).collect();
//!     Ok(Answer::of(json!({"covers": names, "album": received.field("album")})))
//! }
//! # fn main() {}
//! ```
//!
//! A request is kept as a whole: if one of its files is too large, badly named or breaks off, none of them stays. What a
//! crash leaves half-written is removed before the next file comes in.
//!
//! The stores' epoch does not count here: what an old generation of the plugin finishes while it is replaced is a whole
//! file with an id of its own, as good as any.
//!
//! Absent on purpose: overwriting (a file never changes under its id, so caches and ranges stay right), and looking into
//! contents (a type is what the client says or the name suggests, and is served so that a browser does not run it).

mod conditions;
mod incoming;
mod metered;
mod name;
mod receive;
mod routes;
mod serve;
mod shelf;

pub use name::{FileName, NameError, NameFault};
pub use receive::{Limits, ReceiveError, Received, ReceivedFile};
pub use shelf::{FileError, FileId, FilePage, Files, StoredFile};

#[cfg(test)]
mod tests;
