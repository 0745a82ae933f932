//! Events in one SQLite file: a writer thread with group commit, and read-only connections beside it.

mod care;
mod connect;
mod file;
mod keeper;
mod lines;
mod log;
mod place;
mod pool;
mod read;
mod room;
mod unseen;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot, watch};

pub(crate) use connect::{Access, connect};
pub(crate) use file::{Lock, lock, migrate, raise_epoch};
pub(crate) use pool::Pool;
pub(crate) use read::epoch;

use super::{
    AppendError, AppendId, AppendRequest, BoxFuture, Care, CareError, EventPage, EventStore,
    MAX_EVENT_BYTES, OpenError, Position, Query, ReadError, Receipt, Recorded, RecordedEvent,
    Snapshot, StreamId, StreamVersion,
};
use crate::fault;
use crate::telemetry::CommitTelemetry;
use keeper::Keeper;
use place::Place;
use read::Reader;
use writer::{Message, Waiting, Writer};

/// What makes a file of each store format out of one of the format before it; each but the third only expands.
const FORMATS: &[&str] = &[
    include_str!("sql/0001_events.sql"),
    include_str!("sql/0002_replies_and_snapshots.sql"),
    include_str!("sql/0003_versions_by_index.sql"),
];
/// Appends that may wait for the writer; more make their callers wait.
const QUEUE: usize = 1024;
/// Read-only connections at most.
const READERS: usize = 4;

/// What a commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// A power cut: each commit waits for the disk (WAL, `synchronous=FULL`).
    #[default]
    PowerSafe,
    /// The death of this process; a power cut may take the last commits (WAL, `synchronous=NORMAL`).
    ProcessSafe,
}

/// How to open a store.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// What a commit survives.
    pub durability: Durability,
    /// Writes in this epoch, and fences every earlier one.
    pub epoch: u64,
}

impl SqliteOptions {
    /// Power-safe, in `epoch`.
    pub fn in_epoch(epoch: u64) -> Self {
        Self {
            epoch,
            ..Self::default()
        }
    }
}

/// The event store on SQLite.
///
/// One thread writes: it takes all appends that wait, carries them out in one transaction and answers them when the
/// commit is on the disk. While the disk works, the next batch gathers, so a slow disk makes larger batches.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    jobs: mpsc::Sender<Message>,
    readers: Pool<Reader>,
    head: watch::Receiver<Option<Position>>,
    /// The writer's, until `close` has seen its end.
    thread: AsyncMutex<Option<JoinHandle<()>>>,
    /// Held until `close`, whoever still holds a reference.
    lock: Mutex<Option<Lock>>,
}

impl SqliteStore {
    /// Opens the store at `path`, makes it if it is not there, and raises its epoch to that of `options`.
    ///
    /// A file `{path}.lock` is held as long as the store is open: no second process or generation can open it.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; the file is as it was.
    pub fn open(path: &Path, options: SqliteOptions) -> Result<Self, OpenError> {
        connect::assert_version()?;
        let lock = lock(path)?;
        let failed = |source| OpenError::Storage {
            path: path.to_owned(),
            source,
        };
        let mut connection = connect(path, Access::Write(options.durability))?;
        // The writer takes every id that an event refers to from the same tables itself; to have each looked up once
        // more costs a seventh of an append. `verify` looks all of them up.
        connection
            .pragma_update(None, "foreign_keys", false)
            .map_err(failed)?;
        migrate(&mut connection, path, FORMATS)?;
        raise_epoch(&mut connection, path, options.epoch)?;
        let last = read::last_position(&connection).map_err(failed)?;
        let place = Place::of(path).map_err(|source| OpenError::Files {
            path: path.to_owned(),
            source,
        })?;
        let (head_sender, head) = watch::channel(last);
        let (jobs, queue) = mpsc::channel(QUEUE);
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let telemetry = CommitTelemetry::new(&name);
        let keeper = Keeper::start(&connection, path, &name, options.durability)?;
        let epoch = options.epoch;
        let writer = Writer::new(connection, keeper, place, epoch, head_sender, telemetry)
            .map_err(failed)?;
        let thread = std::thread::Builder::new()
            .name(format!("log-{name}"))
            .spawn(move || writer.run(queue))
            .map_err(|source| OpenError::Files {
                path: path.to_owned(),
                source,
            })?;
        Ok(Self {
            path: path.to_owned(),
            jobs,
            readers: Pool::new(path, READERS),
            head,
            thread: AsyncMutex::new(Some(thread)),
            lock: Mutex::new(Some(lock)),
        })
    }
}

impl EventStore for SqliteStore {
    fn append(&self, request: AppendRequest) -> BoxFuture<'_, Result<Receipt, AppendError>> {
        Box::pin(async move {
            request.check()?;
            let (reply, answer) = oneshot::channel();
            self.jobs
                .send(Message::Append(Waiting { request, reply }))
                .await
                .map_err(|_| AppendError::Fenced)?;
            answer.await.map_err(|_| AppendError::Fenced)?.0
        })
    }

    fn receipt(&self, id: AppendId) -> BoxFuture<'_, Result<Option<Recorded>, ReadError>> {
        Box::pin(
            self.readers
                .with(move |reader| read::append(&reader.connection, &mut reader.names, id)),
        )
    }

    fn read_stream(
        &self,
        stream: StreamId,
        after: Option<StreamVersion>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RecordedEvent>, ReadError>> {
        Box::pin(self.readers.with(move |reader| {
            let Reader { connection, names } = reader;
            read::stream(connection, names, &stream, after, limit)
        }))
    }

    fn read_all(
        &self,
        after: Option<Position>,
        query: Query,
        limit: usize,
    ) -> BoxFuture<'_, Result<EventPage, ReadError>> {
        Box::pin(self.readers.with(move |reader| {
            let Reader { connection, names } = reader;
            read::all(connection, names, after, &query, limit)
        }))
    }

    fn snapshot(&self, stream: StreamId) -> BoxFuture<'_, Result<Option<Snapshot>, ReadError>> {
        Box::pin(
            self.readers
                .with(move |reader| read::snapshot(&reader.connection, stream)),
        )
    }

    fn save_snapshot(&self, snapshot: Snapshot) {
        if snapshot.body.len() <= MAX_EVENT_BYTES {
            // Where the queue is full there is more important work.
            _ = self.jobs.try_send(Message::Snapshot(snapshot));
        }
    }

    fn head(&self) -> watch::Receiver<Option<Position>> {
        self.head.clone()
    }

    fn care(&self, task: Care) -> BoxFuture<'_, Result<serde_json::Value, CareError>> {
        Box::pin(async move {
            if let Care::Import { from } = task {
                let (reply, answer) = oneshot::channel();
                let fenced = |_| CareError::from(ReadError::Fenced);
                let message = Message::Import { from, reply };
                self.jobs
                    .send(message)
                    .await
                    .map_err(|_| ReadError::Fenced)?;
                let events = answer.await.map_err(fenced)??;
                return Ok(serde_json::json!({"events": events}));
            }
            let path = self.path.clone();
            let work = move |reader: &mut Reader| {
                let Reader { connection, names } = reader;
                Ok(match task {
                    Care::Stats => care::stats(connection, &path),
                    Care::Verify => care::verify(connection),
                    Care::Backup { to } => care::backup(connection, &to),
                    Care::Export { to } => lines::export(connection, names, &to),
                    Care::Import { .. } => Err(CareError::Unsupported),
                })
            };
            self.readers.with(work).await?
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let mut thread = self.thread.lock().await;
            // Readers first: the connection that is closed last removes the write-ahead log, and theirs may not.
            self.readers.close().await;
            fault::point("close.before_checkpoint");
            _ = self.jobs.send(Message::Close).await;
            if let Some(thread) = thread.take() {
                _ = tokio::task::spawn_blocking(|| thread.join()).await;
            }
            fault::point("close.after_checkpoint");
            self.lock
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
        })
    }
}
