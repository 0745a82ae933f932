//! A projector over the store that is checked, with projections that show what was done with each event.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension};
use tempfile::TempDir;

use crate::conformance::store::{Store, append, event, last, request};
use crate::projection::{ProjectError, Projection};
use crate::projector::Projector;
use crate::store::ExpectedVersion::Any;
use crate::store::{AppendRequest, NewEvent, Position, RecordedEvent, StreamId};

/// The type of events at which a strict journal fails.
pub(super) const POISON: &str = "poison";
/// The type of events at which a strict journal panics.
pub(super) const BOMB: &str = "bomb";

/// One row: the event's position, its stream, its version.
pub(super) type Entry = (u64, String, u64);

/// Writes one row for each event, however often it comes, so that what comes twice is seen.
pub(super) struct Journal {
    table: &'static str,
    revision: u64,
    strict: bool,
}

impl Journal {
    /// Takes everything.
    pub(super) const fn lax(table: &'static str) -> Self {
        Self {
            table,
            revision: 1,
            strict: false,
        }
    }

    /// Fails at [`POISON`] and panics at [`BOMB`], when the row is written.
    pub(super) const fn strict(table: &'static str) -> Self {
        Self {
            strict: true,
            ..Self::lax(table)
        }
    }

    pub(super) const fn revised(self, revision: u64) -> Self {
        Self { revision, ..self }
    }
}

impl Projection for Journal {
    fn name(&self) -> &str {
        self.table
    }

    fn revision(&self) -> u64 {
        self.revision
    }

    fn ensure(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS {} (position INTEGER, stream TEXT, version INTEGER, revision INTEGER)",
            self.table
        ))
    }

    fn remove(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch(&format!("DROP TABLE IF EXISTS {}", self.table))
    }

    fn project(
        &mut self,
        connection: &Connection,
        event: &RecordedEvent,
    ) -> Result<(), ProjectError> {
        let sql = format!("INSERT INTO {} VALUES (?1, ?2, ?3, ?4)", self.table);
        connection.execute(
            &sql,
            (
                event.position.get().cast_signed(),
                event.stream.as_str(),
                event.version.get().cast_signed(),
                self.revision.cast_signed(),
            ),
        )?;
        match event.event_type.as_ref() {
            POISON if self.strict => Err(ProjectError::Other("it is poison".to_owned())),
            BOMB if self.strict => panic!("it is a bomb"),
            _ => Ok(()),
        }
    }
}

/// What makes the projections of a follower anew.
pub(super) type Journals = fn() -> Vec<Box<dyn Projection>>;

/// Journals as projections.
pub(super) fn boxed(journals: impl IntoIterator<Item = Journal>) -> Vec<Box<dyn Projection>> {
    let boxed = |journal| Box::new(journal) as Box<dyn Projection>;
    journals.into_iter().map(boxed).collect()
}

/// Where a read model lies, and who follows into it.
pub(super) struct ReadModel {
    dir: TempDir,
    told: Arc<Mutex<Vec<(RecordedEvent, bool)>>>,
}

impl ReadModel {
    pub(super) fn new() -> Self {
        let dir = TempDir::new();
        Self {
            dir: dir.unwrap_or_else(|error| panic!("no temporary directory: {error}")),
            told: Arc::default(),
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("read_model.db")
    }

    /// Starts to follow `store`.
    pub(super) async fn follow(&self, store: &Store, journals: Journals) -> Follower {
        let table = journals().first().map(|journal| journal.name().to_owned());
        let (told, path) = (self.told.clone(), self.path());
        let on_applied = Arc::new(move |events: &[RecordedEvent]| {
            let rows = table
                .as_ref()
                .map_or_else(Vec::new, |table| rows(&path, table));
            let is_there =
                |event: &RecordedEvent| rows.iter().any(|row| row.0 == event.position.get());
            let events = events.iter().map(|event| (event.clone(), is_there(event)));
            told.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(events);
        });
        let started = Projector::start(
            "conformance",
            store.clone(),
            self.path(),
            journals,
            on_applied,
        );
        let projector = started.await;
        Follower {
            projector: projector.unwrap_or_else(|error| panic!("nothing follows: {error}")),
        }
    }

    /// The rows of a journal, in the order in which they were written.
    pub(super) fn rows(&self, table: &str) -> Vec<Entry> {
        rows(&self.path(), table)
    }

    /// Up to where a journal has taken everything in, as it is written beside its rows.
    pub(super) fn checkpoint(&self, table: &str) -> u64 {
        let connection = open(&self.path());
        let sql = "SELECT position FROM projection WHERE name = ?1";
        let position = connection.query_row(sql, [table], |row| row.get::<_, i64>(0));
        let position = position.optional();
        position
            .unwrap_or_else(|error| panic!("no checkpoint: {error}"))
            .unwrap_or_default()
            .cast_unsigned()
    }

    /// The revision with which the rows of a journal were made.
    pub(super) fn revisions(&self, table: &str) -> Vec<i64> {
        let connection = open(&self.path());
        let sql = format!("SELECT DISTINCT revision FROM {table}");
        let revisions = connection
            .prepare(&sql)
            .and_then(|mut statement| statement.query_map((), |row| row.get(0))?.collect());
        revisions.unwrap_or_else(|error| panic!("no rows: {error}"))
    }

    /// What listeners were told, and whether the row was there when they were.
    pub(super) fn told(&self) -> Vec<(RecordedEvent, bool)> {
        self.told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn open(path: &PathBuf) -> Connection {
    Connection::open(path).unwrap_or_else(|error| panic!("no read model: {error}"))
}

fn rows(path: &PathBuf, table: &str) -> Vec<Entry> {
    let connection = open(path);
    let sql = format!("SELECT position, stream, version FROM {table} ORDER BY rowid");
    let rows = connection.prepare(&sql).and_then(|mut statement| {
        let number = |value: i64| value.cast_unsigned();
        statement
            .query_map((), |row| {
                Ok((number(row.get(0)?), row.get(1)?, number(row.get(2)?)))
            })?
            .collect()
    });
    rows.unwrap_or_else(|error| panic!("no rows: {error}"))
}

/// A projector at work.
pub(super) struct Follower {
    projector: Projector,
}

impl Follower {
    /// Waits until all projections that go on have taken `position` in.
    pub(super) async fn reaches(&self, position: Position) {
        let mut progress = self.projector.progress();
        let reached = progress.wait_for(|progress| progress.has_passed(position));
        if reached.await.is_err() {
            panic!("the projector ended before position {position}");
        }
    }

    /// Stops it behind the batch it is at.
    pub(super) async fn stop(self) {
        self.projector.stop().await;
    }
}

/// Appends events of this type to a stream, and gives the last position.
pub(super) async fn add(
    store: &Store,
    stream: &str,
    kind: &'static str,
    events: usize,
) -> Position {
    let typed = |nth| NewEvent {
        event_type: kind.into(),
        ..event(nth)
    };
    let events = (0..events).map(typed).collect();
    let request = AppendRequest::new(StreamId::new(stream), Any, events);
    last(&append(store, request).await)
}

/// Appends one event of no special type.
pub(super) async fn add_one(store: &Store, stream: &str) -> Position {
    last(&append(store, request(stream, Any, 1)).await)
}

/// What a journal of these events is.
pub(super) fn entries(events: &[RecordedEvent]) -> Vec<Entry> {
    let entry = |event: &RecordedEvent| {
        let stream = event.stream.as_str().to_owned();
        (event.position.get(), stream, event.version.get())
    };
    events.iter().map(entry).collect()
}
