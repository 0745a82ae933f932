use std::fs;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::store::{
    AppendError, AppendRequest, Care, EventStore, ExpectedVersion, NewEvent, OpenError, Query,
    SqliteOptions, SqliteStore, StreamId,
};
use crate::testing::run;

/// The store of a suite's test lives as long as the test: its directory is removed when the process ends.
async fn make() -> Arc<dyn EventStore> {
    let dir = TempDir::new().unwrap().keep();
    Arc::new(SqliteStore::open(&dir.join("events.db"), SqliteOptions::default()).unwrap())
}

crate::store_suite!(make());

fn request(stream: &str) -> AppendRequest {
    let event = NewEvent::json("happened", 1, &1).unwrap();
    AppendRequest::new(StreamId::new(stream), ExpectedVersion::Any, vec![event])
}

fn open(path: &Path, epoch: u64) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(path, SqliteOptions::in_epoch(epoch))
}

#[test]
fn events_and_versions_survive_a_reopening() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("deep/er/events.db");
    run(async {
        let store = open(&path, 1).unwrap();
        let first = request("a");
        store.append(first.clone()).await.unwrap();
        store.append(request("a")).await.unwrap();
        store.close().await;
        assert!(
            !path.with_extension("db-wal").exists(),
            "a clean close leaves one file"
        );

        let store = open(&path, 2).unwrap();
        assert_eq!(
            *store.head().borrow(),
            store
                .read_all(None, Query::all(), 10)
                .await
                .unwrap()
                .scanned_to
        );
        assert!(
            store.append(first).await.unwrap().replayed,
            "an append is remembered for the life of the log"
        );
        let third = store.append(request("a")).await.unwrap();
        assert_eq!(third.versions[0].get(), 3);
        store.close().await;
    });
}

#[test]
fn only_one_has_a_store_open() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("events.db");
    run(async {
        let one = open(&path, 1).unwrap();
        assert!(matches!(open(&path, 1), Err(OpenError::InUse { .. })));
        one.close().await;
        let two = open(&path, 1).unwrap();
        drop(one);
        two.append(request("a")).await.unwrap();
    });
}

#[test]
fn an_older_epoch_is_fenced() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("events.db");
    run(async {
        let store = open(&path, 5).unwrap();
        store.append(request("a")).await.unwrap();
        // Somebody raises the epoch behind the writer's back, as a host does that gave up on it.
        let other = Connection::open(&path).unwrap();
        other
            .execute("UPDATE meta SET value = 6 WHERE key = 'epoch'", ())
            .unwrap();
        assert!(matches!(
            store.append(request("a")).await,
            Err(AppendError::Fenced)
        ));
        assert_eq!(
            store
                .read_all(None, Query::all(), 10)
                .await
                .unwrap()
                .events
                .len(),
            1
        );
        store.close().await;
        drop(other);
        match open(&path, 5) {
            Err(OpenError::Fenced {
                asked: 5,
                actual: 6,
                ..
            }) => {}
            other => panic!("{other:?}"),
        }
        open(&path, 6).unwrap();
    });
}

#[test]
fn a_store_of_a_later_format_is_refused_only_if_it_says_so() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("events.db");
    run(async { open(&path, 1).unwrap().close().await });
    let later = Connection::open(&path).unwrap();
    later
        .execute_batch("PRAGMA user_version = 7; ALTER TABLE event ADD COLUMN signature BLOB")
        .unwrap();
    drop(later);
    run(async {
        let store = open(&path, 1).unwrap();
        store.append(request("a")).await.unwrap();
        store.close().await;
    });
    Connection::open(&path)
        .unwrap()
        .execute("UPDATE meta SET value = 3 WHERE key = 'min_reader'", ())
        .unwrap();
    match open(&path, 1) {
        Err(OpenError::TooNew {
            needed: 3,
            known: 2,
            ..
        }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_of_the_first_format_is_brought_up_with_its_events() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("events.db");
    let first = Connection::open(&path).unwrap();
    first
        .execute_batch(include_str!("../store/sqlite/sql/0001_events.sql"))
        .unwrap();
    first
        .execute_batch(
            "PRAGMA user_version = 1; UPDATE meta SET value = 4 WHERE key = 'epoch'; \
             INSERT INTO stream VALUES (7, 'order-1', 2); INSERT INTO event_type VALUES (3, 'order_placed'); \
             INSERT INTO event VALUES \
               (5, 7, 1, zeroblob(16), 3, 1, 10, 1, CAST('{\"nth\":1}' AS BLOB), CAST('{}' AS BLOB)), \
               (9, 7, 2, randomblob(16), 3, 1, 11, 1, CAST('{\"nth\":2}' AS BLOB), \
                CAST('{\"command\":\"place\",\"later\":1}' AS BLOB))",
        )
        .unwrap();
    first.close().unwrap();
    run(async {
        for epoch in [4, 5] {
            let store = open(&path, epoch).unwrap();
            let events = store.read_all(None, Query::all(), 10).await.unwrap().events;
            let positions = events.iter().take(2).map(|event| event.position.get());
            assert_eq!(positions.collect::<Vec<_>>(), [5, 9]);
            assert_eq!(events[1].data, b"{\"nth\":2}");
            assert_eq!(events[1].metadata.command.as_deref(), Some("place"));
            let next = request("order-1").replying(*b"{}");
            let receipt = store.append(next.clone()).await.unwrap();
            assert_eq!(receipt.versions[0].get(), epoch - 1);
            let recorded = store.receipt(next.id).await.unwrap().unwrap();
            assert_eq!(recorded.reply.as_deref(), Some(&b"{}"[..]));
            let stats = store.care(Care::Stats).await.unwrap();
            assert_eq!(
                (&stats["format"], &stats["replies"]),
                (&2.into(), &(epoch - 3).into())
            );
            assert_eq!(store.care(Care::Verify).await.unwrap()["sound"], true);
            store.close().await;
        }
    });
    // Who knows the first format only may still read and write.
    let file = Connection::open(&path).unwrap();
    let sql = "SELECT value FROM meta WHERE key = 'min_reader'";
    let needed: u32 = file.query_row(sql, (), |row| row.get(0)).unwrap();
    assert_eq!(needed, 1);
}

#[test]
fn a_step_that_fails_leaves_the_file_as_it_was() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("events.db");
    let first = Connection::open(&path).unwrap();
    first
        .execute_batch(include_str!("../store/sqlite/sql/0001_events.sql"))
        .unwrap();
    // The last of the tables that the second format adds is in the way.
    first
        .execute_batch("PRAGMA user_version = 1; CREATE TABLE snapshot (mine)")
        .unwrap();
    first.close().unwrap();
    assert!(matches!(open(&path, 1), Err(OpenError::Storage { .. })));
    let file = Connection::open(&path).unwrap();
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name IN ('reply', 'snapshot')";
    let tables: u32 = file.query_row(tables, (), |row| row.get(0)).unwrap();
    let format: u32 = file
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!((tables, format), (1, 1));
}

#[test]
fn what_is_no_database_is_refused_and_left_alone() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("events.db");
    let text = "not a database at all, but long enough to be read as a header of one".repeat(20);
    fs::write(&path, &text).unwrap();
    assert!(matches!(open(&path, 1), Err(OpenError::Storage { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    fs::create_dir(dir.path().join("folder.db")).unwrap();
    assert!(open(&dir.path().join("folder.db"), 1).is_err());
}

#[test]
fn appends_that_race_are_one_by_one_in_the_log() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("events.db");
    run(async {
        let store = Arc::new(open(&path, 1).unwrap());
        let appends = (0..64).map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..20 {
                    store
                        .append(request(&format!("s-{}", task % 8)))
                        .await
                        .unwrap();
                }
            })
        });
        for append in appends.collect::<Vec<_>>() {
            append.await.unwrap();
        }
        let events = store
            .read_all(None, Query::all(), 10_000)
            .await
            .unwrap()
            .events;
        assert_eq!(events.len(), 64 * 20);
        for stream in 0..8 {
            let name = format!("s-{stream}");
            let versions = events
                .iter()
                .filter(|event| event.stream.as_str() == name)
                .map(|event| event.version.get());
            assert!(
                versions.eq(1..=160),
                "versions of a stream are dense and in order"
            );
        }
        store.close().await;
    });
}
