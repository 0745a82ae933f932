//! Loads one Hecate plugin and serves it under `/plugin/{name}/`.
//!
//! The way of a plugin through this crate: a library file gets a [`verdict`] from its bytes alone, is mapped as a
//! [`Library`], started as an [`Instance`], and mounted by a [`Front`]: static files, API, WebSocket. A
//! [`server::Server`] listens on loopback and hands requests to whoever decides which front they are for.
//!
//! What is absent on purpose: every policy. Which bundle, which version, when to swap, whether to restart, who may
//! ask: the daemon decides; this crate only does. It stays thin, and a test holds it to that.

#![warn(missing_docs)]

mod body;
mod front;
pub mod guard;
mod host;
mod inline;
mod instance;
mod library;
pub mod reply;
pub mod server;
mod upgrade;
pub mod verdict;

pub use body::{Body, BoxError};
pub use front::{Front, Mount};
pub use host::{HostSink, Level};
pub use instance::{ControlError, Exchanging, Instance, Mode, StartConfig, Started, Working};
pub use library::{Library, LoadError};
