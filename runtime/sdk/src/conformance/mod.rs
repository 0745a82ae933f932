//! What must hold of every event store, and of every bus, as one check for each promise, for whoever writes another one.
//!
//! The stores of this crate pass these suites, and so must every other one that a plugin is to trust its events to. A
//! store's author asks for the feature `conformance` among the development dependencies, says how the store is opened,
//! and has one test for each promise:
//!
//! ```
//! use std::sync::Arc;
//!
//! use hecate_sdk::conformance::Subject;
//! use hecate_sdk::store::MemoryStore;
//!
//! fn subject() -> Subject {
//!     Subject::new(|| async { Arc::new(MemoryStore::default()) as _ })
//! }
//!
//! hecate_sdk::store_suite!(subject());
//! hecate_sdk::projection_suite!(subject());
//! # fn main() {}
//! ```
//!
//! - [`store_suite!`](crate::store_suite) is for every store: appends, expected versions, idempotency, limits, reads,
//!   order, the head, closing. Its promises are the functions of [`store`](mod@store), each with a sentence on what it
//!   checks.
//! - [`persistent_store_suite!`](crate::persistent_store_suite) is for stores that have their events still when they
//!   are opened again. A store that has not is no worse: it just does not run it.
//! - [`projection_suite!`](crate::projection_suite) is what the read models rely on: every event has its effect exactly
//!   once, however often the projector is stopped.
//!
//! - [`bus_suite!`](crate::bus_suite) is for whatever carries facts and hopes between peers, a network for instance: facts
//!   arrive at least once and in order, nobody waits for another, hopes are answered or are said not to be. Its subject
//!   is a [`bus::Subject`].
//!
//! Nothing is skipped in silence: a suite runs as a whole. Where one test for each promise is not wanted, [`broken`]
//! goes through a list of [`Rule`]s in one go and gives those that do not hold.
//!
//! A check panics when its promise is broken, and when it has not come to its end within a minute. What is promised is
//! tested itself: for each rule there is a store, or a bus, with one fault that the rule finds.

pub mod bus;
pub mod projection;
pub mod store;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::store::{BoxFuture, EventStore};

/// A check that takes longer is one that waits for what never comes.
const DEADLINE: Duration = Duration::from_secs(60);

type Open = dyn Fn() -> BoxFuture<'static, Arc<dyn EventStore>> + Send + Sync;

/// The store that is checked, as the way to open it. Each check gets a subject of its own.
#[derive(Clone)]
pub struct Subject {
    open: Arc<Open>,
}

impl Subject {
    /// A store that `open` opens. The first call must give an empty one. Every later call comes when the one before is
    /// closed, and must give the same store again; only the suite for persistent stores calls more than once.
    ///
    /// What `open` holds, a temporary directory for instance, is dropped when the check is over.
    pub fn new<F, O>(open: F) -> Self
    where
        F: Fn() -> O + Send + Sync + 'static,
        O: Future<Output = Arc<dyn EventStore>> + Send + 'static,
    {
        Self {
            open: Arc::new(move || Box::pin(open())),
        }
    }

    /// Opens the store.
    pub async fn open(&self) -> Arc<dyn EventStore> {
        (self.open)().await
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subject")
    }
}

/// One promise: its name, and the check of it on a subject of type `S`.
#[derive(Debug)]
pub struct Rule<S> {
    name: &'static str,
    check: fn(S) -> BoxFuture<'static, ()>,
}

impl<S> Rule<S> {
    /// A rule of this name. `check` panics where it does not hold.
    pub const fn new(name: &'static str, check: fn(S) -> BoxFuture<'static, ()>) -> Self {
        Self { name, check }
    }

    /// Its name: that of its function.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Checks it.
    ///
    /// # Panics
    ///
    /// If it is broken, or not decided within a minute.
    pub async fn check(&self, subject: S) {
        within_a_minute(self.name, (self.check)(subject)).await;
    }
}

/// Checks `rules` one after the other, each on a subject that `make` makes, and gives the names of those that do not
/// hold, each with what the check said.
pub async fn broken<S: Send + 'static>(
    rules: impl IntoIterator<Item = &'static Rule<S>>,
    mut make: impl FnMut() -> S,
) -> Vec<(&'static str, String)> {
    let mut broken = Vec::new();
    for rule in rules {
        let subject = make();
        // In a task of its own: a panic is the rule's answer and not the caller's end.
        if let Err(end) = tokio::spawn(rule.check(subject)).await {
            broken.push((rule.name, said(end)));
        }
    }
    broken
}

/// What a task said when it panicked.
fn said(end: tokio::task::JoinError) -> String {
    let Ok(panic) = end.try_into_panic() else {
        return "it was cancelled".to_owned();
    };
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it panicked without a text").to_owned()
}

/// One check as a test: what the suites' macros write.
#[doc(hidden)]
pub fn test(name: &str, check: impl Future<Output = ()>) {
    crate::testing::run(within_a_minute(name, check));
}

async fn within_a_minute(name: &str, check: impl Future<Output = ()>) {
    if tokio::time::timeout(DEADLINE, check).await.is_err() {
        panic!("`{name}` waits for what does not come");
    }
}
