use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::division::Division;
use crate::live::Live;
use crate::paths::Paths;
use crate::projection::{ProjectError, Projection};
use crate::store::{ExpectedVersion, NewEvent, Position, RecordedEvent, StoreConfig, StreamId};
use crate::testing::run;

/// Counts events by type; stops at those of type `poison`, panics at those of type `bomb`.
struct Counting {
    name: &'static str,
    revision: u64,
}

impl Projection for Counting {
    fn name(&self) -> &str {
        self.name
    }

    fn revision(&self) -> u64 {
        self.revision
    }

    fn ensure(&self, connection: &Connection) -> rusqlite::Result<()> {
        let name = self.name;
        connection.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS {name} (position INTEGER NOT NULL)"
        ))
    }

    fn remove(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch(&format!("DROP TABLE {}", self.name))
    }

    fn project(
        &mut self,
        connection: &Connection,
        event: &RecordedEvent,
    ) -> Result<(), ProjectError> {
        // Written first, so that a failure behind it shows whether it is taken back.
        let position = event.position.get().cast_signed();
        connection.execute(
            &format!("INSERT INTO {} VALUES (?1)", self.name),
            [position],
        )?;
        match event.event_type.as_ref() {
            "poison" if self.name == "strict" => {
                Err(ProjectError::Other("does not like it".to_owned()))
            }
            "bomb" if self.name == "strict" => panic!("bomb"),
            _ => Ok(()),
        }
    }
}

static REVISION: AtomicU32 = AtomicU32::new(1);

fn both() -> Vec<Box<dyn Projection>> {
    vec![
        Box::new(Counting {
            name: "strict",
            revision: 1,
        }),
        Box::new(Counting {
            name: "lax",
            revision: 1,
        }),
    ]
}

fn changing() -> Vec<Box<dyn Projection>> {
    vec![Box::new(Counting {
        name: "lax",
        revision: REVISION.load(Ordering::SeqCst).into(),
    })]
}

async fn append(division: &Division, kind: &'static str) -> Position {
    let event = NewEvent::json(kind, 1, &1).unwrap();
    division
        .store()
        .append(StreamId::new("s"), ExpectedVersion::Any, vec![event])
        .await
        .unwrap()
        .last
        .unwrap()
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
    let division = Division::closed(
        "test",
        StoreConfig::new("test"),
        projections,
        Live::default(),
    );
    division
        .acquire(&Paths::new(dir.path(), dir.path()), epoch)
        .await
        .unwrap();
    division
}

#[test]
fn a_poisonous_event_stops_only_its_projection_and_leaves_no_trace() {
    let dir = TempDir::new().unwrap();
    run(async {
        for (poison, epoch) in [("poison", 1), ("bomb", 2)] {
            let division = acquired(&dir, both, epoch).await;
            append(&division, "fine").await;
            let poisoned = append(&division, poison).await;
            let last = append(&division, "fine").await;
            assert!(
                !division.caught_up(last, Duration::from_secs(5)).await,
                "what stopped has not caught up"
            );
            let halted = division.progress().unwrap().halted;
            assert_eq!(halted[0].0, "strict");
            assert!(
                halted[0]
                    .1
                    .contains(&format!("event {poisoned} ({poison}_v1)")),
                "{halted:?}"
            );
            assert_eq!(
                rows(&division, "lax").await.last(),
                Some(&last.get().cast_signed())
            );
            let strict = rows(&division, "strict").await;
            assert!(
                !strict.contains(&poisoned.get().cast_signed()),
                "{strict:?} has the poisonous event"
            );
            division.release().await;
            // Without the poison the projection goes on where it stopped.
            let path = dir.path().join("sqlite/test.db");
            let model = Connection::open(path).unwrap();
            let skip = "UPDATE projection SET position = ?1 WHERE name = 'strict'";
            model.execute(skip, [poisoned.get().cast_signed()]).unwrap();
        }
    });
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
fn a_changed_projection_is_built_anew() {
    let dir = TempDir::new().unwrap();
    run(async {
        let division = acquired(&dir, changing, 1).await;
        let last = append(&division, "fine").await;
        assert!(division.caught_up(last, Duration::from_secs(5)).await);
        division.release().await;
        Connection::open(dir.path().join("sqlite/test.db"))
            .unwrap()
            .execute("INSERT INTO lax VALUES (99)", ())
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
