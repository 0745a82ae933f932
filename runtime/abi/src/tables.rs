//! The two function tables, and the small integers that go with them.

use std::ffi::c_void;

use crate::call::Call;
use crate::owned::{Request, Slice};

/// How a request is carried out, chosen by the host for each call.
pub mod mode {
    /// On the calling thread: the host's poll runs the handler. For plugins that never block.
    pub const DIRECT: u32 = 0;
    /// On the plugin's own runtime: a handler that blocks stalls its plugin alone.
    pub const HOP: u32 = 1;
}

/// Operations of [`Plugin::control`]. Payloads and answers are JSON; a status other than 200 means refused,
/// with `{"error": …}` as the body.
pub mod control {
    /// Start the plugin: `init`, routes, divisions. Opens no database. Payload: `StartConfig` of the SDK.
    pub const START: u32 = 1;
    /// Open the stores as the writer of the epoch in the payload: `{"epoch": n}`.
    pub const ACQUIRE_STORE: u32 = 2;
    /// Finish what writes, close every database connection, confirm.
    pub const RELEASE_STORE: u32 = 3;
    /// The plugin's own health.
    pub const HEALTH: u32 = 4;
    /// End streams and sockets, run the plugin's `shutdown`, stop its runtime.
    pub const SHUTDOWN: u32 = 5;
    /// Look after the stores: `StoreAsk` of the manifest crate. A plugin that does not know it refuses, by its number.
    pub const STORE: u32 = 6;
    /// Give facts of the outbox, or wait for one: `FactsAsk` of the manifest crate. As all that follow, asked only of a
    /// plugin that said on `START` that it takes part.
    pub const FACTS: u32 = 7;
    /// Take facts of another plugin in: `Delivery`.
    pub const DELIVER: u32 = 8;
    /// Give the hopes that wait to be sent, or wait for one: `HopesAsk`.
    pub const HOPES: u32 = 9;
    /// Answer a hope of another plugin: `Hope`.
    pub const ANSWER: u32 = 10;
    /// Hear what came of a hope: `Feedback`.
    pub const FEEDBACK: u32 = 11;
}

/// Levels of [`Host::log`].
pub mod level {
    /// Something failed.
    pub const ERROR: u32 = 1;
    /// Something is wrong but handled.
    pub const WARN: u32 = 2;
    /// What an operator wants to see.
    pub const INFO: u32 = 3;
    /// What a developer wants to see.
    pub const DEBUG: u32 = 4;
    /// Everything.
    pub const TRACE: u32 = 5;
}

/// What the host offers. Made by the host, alive until the plugin instance is dropped; any thread may call it.
#[repr(C)]
pub struct Host {
    /// [`crate::version::CURRENT`] of the host.
    pub abi: u32,
    /// `size_of::<Host>()` of the host: fields past it are not there.
    pub size: u32,
    /// The host's own, passed back in every call.
    pub data: *mut c_void,
    /// The least level worth sending: [`level`].
    pub max_level: u32,
    /// Takes one JSON object of a log event. Borrowed for the call; never blocks.
    pub log: unsafe extern "C" fn(data: *mut c_void, level: u32, line: Slice),
    /// Takes a JSON snapshot of all metrics of the plugin. Borrowed for the call; never blocks.
    pub metrics: unsafe extern "C" fn(data: *mut c_void, snapshot: Slice),
    /// Microseconds since 1970-01-01 UTC.
    pub now: unsafe extern "C" fn(data: *mut c_void) -> i64,
}

/// What a plugin instance offers. Made by [`Entry`], alive until [`Plugin::drop`]; any thread may call it.
#[repr(C)]
pub struct Plugin {
    /// [`crate::version::CURRENT`] of the plugin.
    pub abi: u32,
    /// `size_of::<Plugin>()` of the plugin.
    pub size: u32,
    /// The plugin's own, passed back in every call.
    pub data: *mut c_void,
    /// Begins a request in a [`mode`]. Takes body and stream out of the request; the head is borrowed.
    pub call: unsafe extern "C" fn(data: *mut c_void, mode: u32, request: *mut Request) -> Call,
    /// Begins an operation of [`control`]. The payload is borrowed for the call.
    pub control: unsafe extern "C" fn(data: *mut c_void, operation: u32, payload: Slice) -> Call,
    /// Serves HTTP/1.1 with upgrades on a connected stream socket, which it owns from now on. 0, or -1 if
    /// the plugin is not running (the descriptor is then closed).
    pub serve_fd: unsafe extern "C" fn(data: *mut c_void, fd: i32) -> i32,
    /// Frees the instance after `SHUTDOWN`. Nothing of it may be used afterwards but what it handed over.
    pub drop: unsafe extern "C" fn(data: *mut c_void),
}

/// The exported function: makes an instance, or returns null if the host's table is not of its ABI number.
///
/// The table it returns belongs to the plugin and ends with [`Plugin::drop`]. May be called again for a further
/// instance of the same library.
pub type Entry = unsafe extern "C" fn(host: *const Host) -> *const Plugin;
