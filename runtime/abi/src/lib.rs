//! The C contract between a Hecate plugin and the host that loads it.
//!
//! A plugin is a shared library with one exported function, [`ENTRY_SYMBOL`]. The host calls it once per
//! instance with a [`Host`] table and gets a [`Plugin`] table back. Everything else is a call through one of
//! the two tables; requests, answers and bodies cross as the owned values of this crate.
//!
//! Four rules hold for every item here:
//!
//! - **Who made a value frees it.** Owned values carry their maker's release function and call it when dropped,
//!   so either side may drop them, on any thread.
//! - **No panic crosses.** Every function made by this crate catches the panics of the code behind it.
//! - **Nothing asynchronous crosses but polling.** [`Call`] and [`Stream`] are polled with a [`Waker`]; the
//!   runtimes on either side never meet.
//! - **Tables start with their ABI number and size**, so that an older side refuses a newer one before it reads it.
//!
//! What is absent on purpose: HTTP types, JSON, logging. The crate has no dependencies, and both sides build
//! their own types from these.

#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
compile_error!("Hecate runs on Linux (x86_64 and aarch64) today");

mod call;
mod note;
mod owned;
mod tables;
mod waker;

use std::ffi::CStr;

pub use call::{Call, Failed, PollCall, PollStream, Stream};
pub use note::{NOTE_OWNER, NOTE_SECTION, NOTE_TYPE, Note, NoteError, NoteSection};
pub use owned::{Header, Headers, Owned, Request, Response, Slice};
pub use tables::{Entry, Host, Plugin, control, level, mode};
pub use waker::Waker;

/// The numbers this contract has had, and what each one added.
pub mod version {
    /// Tables, calls, streams, control operations, `serve_fd`.
    pub const FIRST: u32 = 1;
    /// What this build speaks. A library is loaded only if its note says the same number.
    pub const CURRENT: u32 = FIRST;
}

/// The one symbol that a plugin library exports, of type [`Entry`].
pub const ENTRY_SYMBOL: &CStr = c"hecate_plugin_entry";

#[cfg(test)]
mod tests;
