//! The store as plugins hold it: one handle for the plugin's life, whose database opens and closes with swaps.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use tracing::Instrument;

use super::{
    AppendError, AppendId, AppendRequest, BoxFuture, Durability, EventPage, EventStore,
    ExpectedVersion, MemoryStore, NewEvent, OpenError, Position, Query, ReadError, Receipt,
    Recorded, RecordedEvent, Snapshot, SqliteOptions, SqliteStore, StreamId, StreamVersion,
};
use crate::paths::Paths;
use crate::telemetry::StoreTelemetry;

/// Which store a plugin or a division keeps.
///
/// ```
/// use hecate_sdk::store::StoreConfig;
///
/// let config = StoreConfig::new("my_items_store").dir_name("items").description("My plugin items store");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreConfig {
    store_id: String,
    dir_name: String,
    description: String,
    durability: Durability,
    in_memory: bool,
}

impl StoreConfig {
    /// A power-safe store on disk, with its id as the file name too.
    pub fn new(store_id: impl Into<String>) -> Self {
        let store_id = store_id.into();
        Self {
            dir_name: store_id.clone(),
            store_id,
            description: String::new(),
            durability: Durability::default(),
            in_memory: false,
        }
    }

    /// Where its files lie, below `events/` and `sqlite/`: `[a-z0-9_-]`, up to 64 characters.
    #[must_use]
    pub fn dir_name(mut self, dir_name: impl Into<String>) -> Self {
        self.dir_name = dir_name.into();
        self
    }

    /// What it holds, for people.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// What a commit survives.
    #[must_use]
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Keeps everything in memory: gone when the plugin is reloaded.
    #[must_use]
    pub const fn in_memory(mut self) -> Self {
        self.in_memory = true;
        self
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.store_id
    }

    pub(crate) fn file_name(&self) -> &str {
        &self.dir_name
    }

    pub(crate) const fn is_in_memory(&self) -> bool {
        self.in_memory
    }
}

/// A handle on an event store. Cheap to clone, valid for the plugin's life.
///
/// Between `release_store` and `acquire_store` of a swap every call answers `Fenced`.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    config: StoreConfig,
    telemetry: StoreTelemetry,
    open: RwLock<Option<Arc<dyn EventStore>>>,
}

impl Store {
    /// A handle on a store that is not open yet.
    pub(crate) fn closed(config: StoreConfig) -> Self {
        Self {
            shared: Arc::new(Shared {
                telemetry: StoreTelemetry::new(config.file_name()),
                config,
                open: RwLock::default(),
            }),
        }
    }

    /// A handle on a store in memory that is open from the start, for tests.
    pub fn memory() -> Self {
        let store = Self::closed(StoreConfig::new("memory").in_memory());
        store.set(Some(Arc::new(MemoryStore::default())));
        store
    }

    /// How it was configured.
    pub fn config(&self) -> &StoreConfig {
        &self.shared.config
    }

    /// Appends `events` to `stream` if it is as `expected`, under a fresh id.
    ///
    /// # Errors
    ///
    /// As [`EventStore::append`].
    pub async fn append(
        &self,
        stream: StreamId,
        expected: ExpectedVersion,
        events: Vec<NewEvent>,
    ) -> Result<Receipt, AppendError> {
        self.append_request(AppendRequest::new(stream, expected, events))
            .await
    }

    /// Carries out a whole request, with an id of the caller's for instance.
    ///
    /// # Errors
    ///
    /// As [`EventStore::append`].
    pub async fn append_request(&self, request: AppendRequest) -> Result<Receipt, AppendError> {
        let (begun, events) = (Instant::now(), request.events());
        let appended = match self.get() {
            Ok(store) => {
                let store_name = self.config().file_name();
                let span = tracing::debug_span!("append", store = store_name, events);
                store.append(request).instrument(span).await
            }
            Err(_) => Err(AppendError::Fenced),
        };
        self.shared.telemetry.appended(begun, events, &appended);
        appended
    }

    /// What was stored by the append `id`, if it happened.
    ///
    /// # Errors
    ///
    /// As [`EventStore::receipt`].
    pub async fn receipt(&self, id: AppendId) -> Result<Option<Recorded>, ReadError> {
        let store = self.get()?;
        self.timed(store.receipt(id)).await
    }

    /// Reads up to `limit` events of `stream` behind version `after`.
    ///
    /// # Errors
    ///
    /// As [`EventStore::read_stream`].
    pub async fn read_stream(
        &self,
        stream: StreamId,
        after: Option<StreamVersion>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        let store = self.get()?;
        self.timed(store.read_stream(stream, after, limit)).await
    }

    /// Reads up to `limit` events of all streams behind position `after` that fit `query`. A page may be empty before
    /// the end: its `scanned_to` says how far it looked.
    ///
    /// # Errors
    ///
    /// As [`EventStore::read_all`].
    pub async fn read_all(
        &self,
        after: Option<Position>,
        query: Query,
        limit: usize,
    ) -> Result<EventPage, ReadError> {
        let store = self.get()?;
        self.timed(store.read_all(after, query, limit)).await
    }

    /// The last snapshot of `stream`, if there is one that can be right.
    ///
    /// # Errors
    ///
    /// As [`EventStore::snapshot`].
    pub async fn snapshot(&self, stream: StreamId) -> Result<Option<Snapshot>, ReadError> {
        let store = self.get()?;
        self.timed(store.snapshot(stream)).await
    }

    /// Keeps a snapshot when there is time for it, as [`EventStore::save_snapshot`]; while the store is closed, not.
    pub fn save_snapshot(&self, snapshot: Snapshot) {
        if let Ok(store) = self.get() {
            store.save_snapshot(snapshot);
        }
    }

    /// The store behind the handle while it is open.
    ///
    /// # Errors
    ///
    /// [`ReadError::Fenced`] while it is not.
    pub fn get(&self) -> Result<Arc<dyn EventStore>, ReadError> {
        self.shared
            .open
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok_or(ReadError::Fenced)
    }

    /// Opens the store below `paths` as the writer of `epoch`. Open already: nothing happens.
    pub(crate) async fn acquire(&self, paths: &Paths, epoch: u64) -> Result<(), OpenError> {
        if self.get().is_ok() {
            return Ok(());
        }
        if self.shared.config.in_memory {
            self.set(Some(Arc::new(MemoryStore::default())));
            return Ok(());
        }
        let path = paths.event_store(self.shared.config.file_name());
        let options = SqliteOptions {
            durability: self.shared.config.durability,
            epoch,
        };
        let store = open_blocking(path, options).await?;
        self.set(Some(Arc::new(store)));
        Ok(())
    }

    /// Finishes what runs and closes every connection.
    pub(crate) async fn release(&self) {
        let open = self
            .shared
            .open
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(open) = open {
            open.close().await;
        }
    }

    async fn timed<T>(&self, read: BoxFuture<'_, T>) -> T {
        let begun = Instant::now();
        let read = read.await;
        self.shared.telemetry.read(begun);
        read
    }

    fn set(&self, store: Option<Arc<dyn EventStore>>) {
        *self
            .shared
            .open
            .write()
            .unwrap_or_else(PoisonError::into_inner) = store;
    }
}

async fn open_blocking(path: PathBuf, options: SqliteOptions) -> Result<SqliteStore, OpenError> {
    let file = path.clone();
    tokio::task::spawn_blocking(move || SqliteStore::open(&path, options))
        .await
        .unwrap_or(Err(OpenError::InUse { path: file }))
}
