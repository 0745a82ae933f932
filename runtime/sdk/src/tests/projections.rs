//! Projections beside a real store. What a projection should do is told by the types of events, and by files beside
//! the read model: they are there for the next process too.

mod interleavings;
mod letters;
mod rebuild;
mod shapes;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hecate_manifest::control::StoreTask;
use rusqlite::{Connection, ffi};
use serde_json::Value;
use tempfile::TempDir;

use crate::division::Division;
use crate::live::Live;
use crate::operate::operate;
use crate::paths::Paths;
use crate::projection::{ProjectError, Projection};
use crate::store::{ExpectedVersion, NewEvent, Position, RecordedEvent, StoreConfig, StreamId};
use crate::testing::run;

/// Writes down the events that it takes in: `lax` all of them; what `strict` does with some see [`Notes::refuse`].
struct Notes {
    name: &'static str,
    revision: u64,
}

impl Projection for Notes {
    fn name(&self) -> &str {
        self.name
    }

    fn revision(&self) -> u64 {
        self.revision
    }

    fn ensure(&self, connection: &Connection) -> rusqlite::Result<()> {
        let name = self.name;
        assert!(
            !is_beside(connection) || !is_there(connection, "panic"),
            "no tables"
        );
        if is_beside(connection) && is_there(connection, "small") {
            connection.query_row("PRAGMA max_page_count = 10", (), |_| Ok(()))?;
        }
        connection.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS {name} (position INTEGER NOT NULL, stream TEXT NOT NULL)"
        ))
    }

    fn remove(&self, connection: &Connection) -> rusqlite::Result<()> {
        crate::fault::point("rebuild.removing");
        assert!(!is_there(connection, "panic_at_last"), "no removal");
        connection.execute_batch(&format!("DROP TABLE {}", self.name))?;
        let full = is_there(connection, "small_for_all");
        if full {
            // What the old rows leave is no room for the new ones.
            connection
                .execute_batch("CREATE TABLE ballast AS SELECT zeroblob(1000000) AS all_of_it")?;
        }
        let pages = if full { 1 } else { 1_000_000 };
        let limit = format!("PRAGMA max_page_count = {pages}");
        connection.query_row(&limit, (), |_| Ok(()))
    }

    fn project(
        &mut self,
        connection: &Connection,
        event: &RecordedEvent,
    ) -> Result<(), ProjectError> {
        if is_beside(connection) && event.version.get() > 1200 {
            // Not for ever: a test that fails is to end too.
            let waits = (0..10_000).take_while(|_| is_there(connection, "gate"));
            waits.for_each(|_| std::thread::sleep(Duration::from_millis(2)));
        }
        if is_beside(connection) && event.position.get() == 1500 {
            crate::fault::point("rebuild.projecting");
        }
        // Written first, so that a failure behind it shows whether it is taken back.
        connection.execute(
            &format!("INSERT INTO {} VALUES (?1, ?2)", self.name),
            (
                event.position.get().cast_signed(),
                format!("v{} {}", self.revision, event.stream),
            ),
        )?;
        match self.name {
            "strict" => Self::refuse(connection, event),
            _ => Ok(()),
        }
    }

    fn key(&self, event: &RecordedEvent) -> String {
        assert_ne!(event.event_type.as_ref(), "keyless", "no key");
        // `order-1/a` and `order-1/b` are about one thing.
        let stream = event.stream.as_str();
        stream.split('/').next().unwrap_or_default().to_owned()
    }
}

impl Notes {
    fn refuse(connection: &Connection, event: &RecordedEvent) -> Result<(), ProjectError> {
        let dislike = || Err(ProjectError::Other("does not like it".to_owned()));
        match event.event_type.as_ref() {
            _ if is_there(connection, "cured") => Ok(()),
            "poison" | "keyless" => dislike(),
            "bomb" => panic!("bomb"),
            "rollback" => Ok(connection.execute_batch("ROLLBACK")?),
            "unhappy_rollback" => {
                connection.execute_batch("ROLLBACK")?;
                dislike()
            }
            _ if is_there(connection, "full") => {
                let full = ffi::Error::new(ffi::SQLITE_FULL);
                Err(rusqlite::Error::SqliteFailure(full, None).into())
            }
            _ => Ok(()),
        }
    }
}

/// Whether this is the file in which rows are built anew.
fn is_beside(connection: &Connection) -> bool {
    connection
        .path()
        .is_some_and(|path| path.contains(".rebuild-"))
}

/// Whether `file` lies beside the read model.
fn is_there(connection: &Connection, file: &str) -> bool {
    let model = Path::new(connection.path().unwrap_or_default());
    model.with_file_name(file).exists()
}

/// The file beside the read model that tells a projection something.
fn word(dir: &TempDir, file: &str) -> PathBuf {
    dir.path().join("sqlite").join(file)
}

fn say(dir: &TempDir, file: &str) {
    std::fs::write(word(dir, file), "").unwrap();
}

fn unsay(dir: &TempDir, file: &str) {
    std::fs::remove_file(word(dir, file)).unwrap();
}

static REVISION: AtomicU32 = AtomicU32::new(1);

fn notes(name: &'static str, revision: u64) -> Box<dyn Projection> {
    Box::new(Notes { name, revision })
}

fn both() -> Vec<Box<dyn Projection>> {
    vec![notes("strict", 1), notes("lax", 1)]
}

fn changing() -> Vec<Box<dyn Projection>> {
    vec![Box::new(Notes {
        name: "lax",
        revision: REVISION.load(Ordering::SeqCst).into(),
    })]
}

async fn append_to(division: &Division, stream: &str, kind: &'static str) -> Position {
    append_many(division, stream, kind, 1).await
}

async fn append_many(
    division: &Division,
    stream: &str,
    kind: &'static str,
    count: usize,
) -> Position {
    let event = NewEvent::json(kind, 1, &1).unwrap();
    let events = vec![event; count];
    let stream = StreamId::new(stream);
    let appended = division
        .store()
        .append(stream, ExpectedVersion::Any, events);
    appended.await.unwrap().last.unwrap()
}

async fn append(division: &Division, kind: &'static str) -> Position {
    append_to(division, "s", kind).await
}

async fn caught_up(division: &Division) {
    let head = *division.store().get().unwrap().head().borrow();
    if let Some(head) = head {
        assert!(
            division.caught_up(head, Duration::from_secs(60)).await,
            "{:?}",
            division.progress()
        );
    }
}

async fn asked(division: &Division, task: StoreTask) -> Result<Value, String> {
    let done = operate(division, &task).await.unwrap();
    done.map_err(|error| error.to_string())
}

async fn rows(division: &Division, table: &'static str) -> Vec<i64> {
    let query = move |connection: &Connection| {
        let mut rows =
            connection.prepare(&format!("SELECT position FROM {table} ORDER BY position"))?;
        rows.query_map((), |row| row.get(0))?.collect()
    };
    division.query(query).await.unwrap()
}

async fn acquired(
    dir: &TempDir,
    projections: fn() -> Vec<Box<dyn Projection>>,
    epoch: u64,
) -> Division {
    acquired_at(dir.path(), projections, epoch).await
}

async fn acquired_at(
    dir: &Path,
    projections: fn() -> Vec<Box<dyn Projection>>,
    epoch: u64,
) -> Division {
    let store = StoreConfig::new("test");
    let division = Division::closed("test", store, projections, Live::default());
    let paths = Paths::new(dir, dir);
    division.acquire(&paths, epoch).await.unwrap();
    division
}

#[test]
fn every_event_is_projected_once_across_restarts() {
    let dir = TempDir::new().unwrap();
    run(async {
        let mut last = None;
        for epoch in 1..=4 {
            let division = acquired(&dir, changing, epoch).await;
            for _ in 0..50 {
                last = Some(append(&division, "fine").await);
            }
            // Released without waiting: what was not projected is projected next time.
            division.release().await;
        }
        let division = acquired(&dir, changing, 5).await;
        assert!(
            division
                .caught_up(last.unwrap(), Duration::from_secs(5))
                .await
        );
        let rows = rows(&division, "lax").await;
        assert!(rows.iter().copied().eq(1..=200), "{rows:?}");
        division.release().await;
    });
}

#[test]
fn a_checkpoint_is_moved_only_from_where_the_file_has_it() {
    let dir = TempDir::new().unwrap();
    run(async {
        let division = acquired(&dir, both, 1).await;
        append(&division, "fine").await;
        caught_up(&division).await;
        // As if a transaction had been committed of which nothing was heard.
        let file = Connection::open(word(&dir, "test.db")).unwrap();
        let committed = "BEGIN; INSERT INTO strict VALUES (2, 'v1 s'); \
             UPDATE projection SET position = 2 WHERE name = 'strict'; COMMIT";
        file.execute_batch(committed).unwrap();
        append(&division, "fine").await;
        append(&division, "fine").await;
        caught_up(&division).await;
        assert_eq!(rows(&division, "strict").await, [1, 2, 3]);
        assert_eq!(rows(&division, "lax").await, [1, 2, 3]);
        division.release().await;
    });
}

#[test]
fn a_changed_projection_is_built_anew() {
    let dir = TempDir::new().unwrap();
    run(async {
        let division = acquired(&dir, changing, 1).await;
        let last = append(&division, "fine").await;
        assert!(division.caught_up(last, Duration::from_secs(5)).await);
        division.release().await;
        Connection::open(dir.path().join("sqlite/test.db"))
            .unwrap()
            .execute("INSERT INTO lax VALUES (99, 's')", ())
            .unwrap();

        let division = acquired(&dir, changing, 2).await;
        assert_eq!(
            rows(&division, "lax").await,
            [1, 99],
            "the same revision keeps its rows"
        );
        division.release().await;

        REVISION.store(2, Ordering::SeqCst);
        let division = acquired(&dir, changing, 3).await;
        assert!(division.caught_up(last, Duration::from_secs(5)).await);
        assert_eq!(rows(&division, "lax").await, [1]);
        division.release().await;
        REVISION.store(1, Ordering::SeqCst);
    });
}

#[test]
fn notices_come_behind_the_rows() {
    let dir = TempDir::new().unwrap();
    run(async {
        let live = Live::default();
        let division = Division::closed("test", StoreConfig::new("test"), both, live.clone());
        division
            .acquire(&Paths::new(dir.path(), dir.path()), 1)
            .await
            .unwrap();
        let mut notices = live.listen();
        let position = append(&division, "fine").await;
        let notice = notices.recv().await.unwrap();
        assert_eq!(
            (notice.event_type.as_str(), notice.position, notice.division),
            ("fine_v1", position, "test")
        );
        assert_eq!(rows(&division, "lax").await, [1]);
        division.release().await;
    });
}
