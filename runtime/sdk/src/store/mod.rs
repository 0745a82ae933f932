//! The event store: append with an expected version, durable on return; read a stream; read everything in order.
//!
//! [`EventStore`] is the contract, [`SqliteStore`] keeps it on disk, [`MemoryStore`] in memory, and [`Store`] is
//! the handle that plugins hold: it opens and closes with the swaps of the host. Events are bytes here, with a
//! type name and a revision; types come in a layer above, with [`crate::aggregate`].
//!
//! What every store promises:
//!
//! - An append is atomic, durable when it returns, and idempotent by its [`AppendId`].
//! - Versions in a stream are 1, 2, 3 …; [`Position`]s are unique and rise in the order of commits, with gaps
//!   allowed. Who has seen a position never sees a smaller one later.
//! - Clocks are never used for order.
//!
//! An event has at most [`MAX_EVENT_BYTES`] bytes, an append at most [`MAX_APPEND_EVENTS`] events.
//!
//! ```
//! use hecate_sdk::serde_json::json;
//! use hecate_sdk::store::{AppendError, ExpectedVersion, NewEvent, Store, StreamId};
//! use hecate_sdk::testing::run;
//!
//! run(async {
//!     // A plugin gets its own from `PluginContext::store`, a division from `Division::store`.
//!     let store = Store::memory();
//!     let list = StreamId::new("shopping-list");
//!     let milk = NewEvent::json("item_added", 1, &json!({"item": "milk"}))?;
//!     store.append(list.clone(), ExpectedVersion::NoStream, vec![milk.clone()]).await?;
//!
//!     // Somebody who has not seen that: nothing is written, and the error says where the stream is.
//!     let late = store.append(list.clone(), ExpectedVersion::NoStream, vec![milk]).await;
//!     assert!(matches!(late, Err(AppendError::WrongExpectedVersion { .. })));
//!
//!     let events = store.read_stream(list, None, 100).await?;
//!     assert_eq!(events.len(), 1);
//!     assert_eq!(&*events[0].data, br#"{"item":"milk"}"#);
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! }).unwrap();
//! ```

mod care;
mod error;
mod handle;
mod memory;
mod query;
mod snapshot;
mod sqlite;
mod types;

pub use care::{Care, CareError};
pub use error::{AppendError, OpenError, ReadError};
pub use handle::{Store, StoreConfig};
pub use memory::MemoryStore;
pub use query::{EventPage, Query};
pub use snapshot::Snapshot;
pub use sqlite::{Durability, SqliteOptions, SqliteStore};
pub use types::{
    AppendId, AppendRequest, ExpectedVersion, MAX_APPEND_EVENTS, MAX_EVENT_BYTES, Metadata,
    NewEvent, Position, Receipt, Recorded, RecordedEvent, StreamId, StreamVersion, StreamWrite,
};

pub(crate) use sqlite::{Access, Lock, Pool, connect, epoch, lock, migrate, raise_epoch};

use std::future::Future;
use std::pin::Pin;

use tokio::sync::watch;

/// A boxed future, so that stores can be trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where events are kept. No type parameters: a store is chosen by configuration, not by the compiler.
pub trait EventStore: Send + Sync + 'static {
    /// Appends all events of `request` and remembers its reply, or does nothing.
    ///
    /// Resolves when all of it is on the disk. If the future is dropped the append happens or does not happen as
    /// a whole; appending again with the same id tells.
    ///
    /// # Errors
    ///
    /// - [`AppendError::WrongExpectedVersion`] if a stream has moved on. Reload and decide again.
    /// - [`AppendError::IdempotencyMismatch`] if the id was used for other events.
    /// - [`AppendError::Empty`] if there is neither an event nor a reply.
    /// - [`AppendError::TooLarge`], [`AppendError::TooMany`] or [`AppendError::ReplyTooLarge`] if a limit is passed.
    /// - [`AppendError::Fenced`] if another generation of the plugin writes now.
    /// - [`AppendError::Storage`] if the database refuses, on a full disk for instance. Nothing was written.
    fn append(&self, request: AppendRequest) -> BoxFuture<'_, Result<Receipt, AppendError>>;

    /// Gives what was stored by the append with this id, if it happened: its events and its reply, for the life of the
    /// store.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    fn receipt(&self, id: AppendId) -> BoxFuture<'_, Result<Option<Recorded>, ReadError>>;

    /// Reads up to `limit` events of `stream` behind version `after`, in order. Empty if there are none.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    fn read_stream(
        &self,
        stream: StreamId,
        after: Option<StreamVersion>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RecordedEvent>, ReadError>>;

    /// Reads up to `limit` events behind position `after` that fit `query`, of all streams, in the order of commits.
    ///
    /// A read looks at some thousand events at most, so a page of a query that few events fit may be empty before the
    /// end: read on behind its `scanned_to` until that is at [`EventStore::head`].
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    fn read_all(
        &self,
        after: Option<Position>,
        query: Query,
        limit: usize,
    ) -> BoxFuture<'_, Result<EventPage, ReadError>>;

    /// Gives the last snapshot of `stream`, unless it is of more events than the stream has. A store that keeps none has
    /// none to give.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    fn snapshot(&self, _: StreamId) -> BoxFuture<'_, Result<Option<Snapshot>, ReadError>> {
        Box::pin(async { Ok(None) })
    }

    /// Keeps a snapshot in place of an earlier one, when there is time for it. Nobody waits for that, and it may be
    /// left undone: a snapshot can always be made again.
    fn save_snapshot(&self, _: Snapshot) {}

    /// The last position, as a value to watch: changes wake readers up; the events always come from a read.
    fn head(&self) -> watch::Receiver<Option<Position>>;

    /// Looks after the store while it serves; the answer is a JSON object.
    ///
    /// # Errors
    ///
    /// [`CareError`]; of a store that cannot be looked after, [`CareError::Unsupported`].
    fn care(&self, _: Care) -> BoxFuture<'_, Result<serde_json::Value, CareError>> {
        Box::pin(async { Err(CareError::Unsupported) })
    }

    /// Finishes what is being written and read, then closes. Later calls answer `Fenced`.
    fn close(&self) -> BoxFuture<'_, ()>;
}
