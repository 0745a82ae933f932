use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;
use uuid::Uuid;

use crate::conformance::Subject;
use crate::store::{
    AppendError, AppendId, AppendRequest, Care, EventStore, ExpectedVersion, NewEvent, OpenError,
    Query, SqliteOptions, SqliteStore, StreamId,
};
use crate::testing::run;

fn subject() -> Subject {
    let dir = TempDir::new().unwrap();
    Subject::new(move || {
        let path = dir.path().join("events.db");
        async move { Arc::new(SqliteStore::open(&path, SqliteOptions::default()).unwrap()) as _ }
    })
}

mod stores {
    crate::store_suite!(super::subject());
    crate::persistent_store_suite!(super::subject());
}

mod projections {
    crate::projection_suite!(super::subject());
}

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
        .execute("UPDATE meta SET value = 4 WHERE key = 'min_reader'", ())
        .unwrap();
    match open(&path, 1) {
        Err(OpenError::TooNew {
            needed: 4,
            known: 3,
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
                (&3.into(), &(epoch - 3).into())
            );
            assert_eq!(store.care(Care::Verify).await.unwrap()["sound"], true);
            store.close().await;
        }
    });
    // Who knows the first format only would look for a stream's length where it stands no more.
    let file = Connection::open(&path).unwrap();
    let sql = "SELECT value FROM meta WHERE key = 'min_reader'";
    let needed: u32 = file.query_row(sql, (), |row| row.get(0)).unwrap();
    assert_eq!(needed, 3);
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

/// Appends some hundred kilobytes.
async fn append_much(store: &SqliteStore, stream: &str) {
    let text = "x".repeat(50_000);
    let event = || NewEvent::json("said", 1, &text).unwrap();
    let events = (0..5).map(|_| event()).collect();
    let request = AppendRequest::new(StreamId::new(stream), ExpectedVersion::Any, events);
    store.append(request).await.unwrap();
}

fn wal_bytes(path: &Path) -> u64 {
    fs::metadata(path.with_extension("db-wal")).map_or(0, |wal| wal.len())
}

/// Waits for the log to be cut to its room, which happens when nobody writes or reads for a moment.
async fn cut(path: &Path) {
    while wal_bytes(path) > 800_000 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn the_log_stays_small_under_a_load_that_never_rests() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("events.db");
    run(async {
        let store = Arc::new(open(&path, 1).unwrap());
        let reads = store.clone();
        let reader = tokio::spawn(async move {
            let (mut after, mut seen) = (None, 0);
            while seen < 500 {
                let page = reads.read_all(after, Query::all(), 7).await.unwrap();
                (after, seen) = (page.scanned_to, seen + page.events.len());
            }
        });
        let mut most = 0;
        for _ in 0..100 {
            append_much(&store, "a").await;
            most = wal_bytes(&path).max(most);
        }
        reader.await.unwrap();
        // 25 MB were written; the log begins anew at one megabyte, or soon after where the reader was in its way.
        assert!(most < 10_000_000, "{most} bytes in the log");
        cut(&path).await;
        store.close().await;
        assert!(!path.with_extension("db-wal").exists());
    });
}

#[test]
fn a_log_that_somebody_reads_in_for_long_begins_anew_behind_that() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("events.db");
    run(async {
        let store = open(&path, 1).unwrap();
        append_much(&store, "a").await;
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN").unwrap();
        let count = "SELECT count(*) FROM event";
        let before: u32 = other.query_row(count, (), |row| row.get(0)).unwrap();
        for _ in 0..20 {
            append_much(&store, "a").await;
        }
        assert!(wal_bytes(&path) > 4_000_000, "what is read is kept");
        let same: u32 = other.query_row(count, (), |row| row.get(0)).unwrap();
        assert_eq!(same, before);
        other.execute_batch("COMMIT").unwrap();
        cut(&path).await;
        assert_eq!(
            store
                .read_all(None, Query::all(), 1000)
                .await
                .unwrap()
                .events
                .len(),
            105
        );
        store.close().await;
    });
}

#[test]
fn what_a_killed_writer_left_in_the_log_is_copied() {
    let dir = TempDir::new().unwrap();
    let (path, copy) = (dir.path().join("events.db"), dir.path().join("copy.db"));
    run(async {
        let store = open(&path, 1).unwrap();
        // A reader, so that the log is not emptied before it is copied.
        let other = Connection::open(&path).unwrap();
        other
            .execute_batch("BEGIN; SELECT count(*) FROM event")
            .unwrap();
        append_much(&store, "a").await;
        for suffix in ["db", "db-wal"] {
            fs::copy(path.with_extension(suffix), copy.with_extension(suffix)).unwrap();
        }
        let killed = open(&copy, 1).unwrap();
        while fs::metadata(&copy).unwrap().len() < 250_000 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let events = killed
            .read_all(None, Query::all(), 10)
            .await
            .unwrap()
            .events;
        assert_eq!(events.len(), 5);
        killed.close().await;
        store.close().await;
    });
}

#[test]
fn a_store_that_is_closed_has_no_thread_and_no_log() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("no-thread.db");
    let threads = || {
        let tasks = fs::read_dir("/proc/self/task").unwrap();
        let names =
            tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok());
        names.filter(|name| name.ends_with("-no-thread\n")).count()
    };
    run(async {
        let store = Arc::new(open(&path, 1).unwrap());
        append_much(&store, "a").await;
        store.read_all(None, Query::all(), 10).await.unwrap();
        assert_eq!(threads(), 2);
        let twice = store.clone();
        let other = tokio::spawn(async move { twice.close().await });
        store.close().await;
        other.await.unwrap();
        assert!(!path.with_extension("db-wal").exists());
        // The kernel may list a thread for a moment that has been waited for.
        while threads() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // Dropped without being closed: the same, by itself.
        drop(open(&path, 1).unwrap());
        while threads() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
}

#[test]
fn an_append_is_remembered_whatever_its_id_is_made_of() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("events.db");
    run(async {
        let hashed = |nth: u8| Uuid::new_v5(&Uuid::NAMESPACE_OID, &[nth]);
        let of_2999 =
            |nth: u8| Uuid::from_u128((32_472_144_000_000 << 80) + (u128::from(nth) << 40));
        let small = |nth: u8| Uuid::from_u128(u128::from(nth) << 40);
        let ids = (0..20).flat_map(|nth| [Uuid::now_v7(), hashed(nth), of_2999(nth), small(nth)]);
        let appends: Vec<_> = ids.map(|id| request("a").with_id(AppendId(id))).collect();
        for epoch in 1..=3 {
            let store = open(&path, epoch).unwrap();
            for append in &appends {
                let receipt = store.append(append.clone()).await.unwrap();
                assert_eq!(receipt.replayed, epoch > 1, "{}", append.id.0);
                assert!(store.append(append.clone()).await.unwrap().replayed);
            }
            store.close().await;
        }
    });
}

#[test]
fn an_id_inside_of_another_append_is_taken() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("events.db");
    run(async {
        let store = open(&path, 1).unwrap();
        let of = |id: Uuid, events: usize| {
            let events = (0..events).map(|nth| NewEvent::json("happened", 1, &nth).unwrap());
            AppendRequest::new(StreamId::new("a"), ExpectedVersion::Any, events.collect())
                .with_id(AppendId(id))
        };
        let now = AppendId::fresh();
        store.append(of(now.0, 3)).await.unwrap();
        for (id, events) in [(now.event_id(1), 1), (now.event_id(2), 9), (now.0, 2)] {
            let refused = store.append(of(id, events)).await;
            assert!(
                matches!(refused, Err(AppendError::IdempotencyMismatch { .. })),
                "{events} behind {id}: {refused:?}"
            );
        }
        // Numbers beside it are others' ids, before and behind.
        for beside in [1, 2, 3] {
            let id = now.0.as_u128();
            store
                .append(of(Uuid::from_u128(id + beside), 3))
                .await
                .unwrap();
            store
                .append(of(Uuid::from_u128(id - beside), 3))
                .await
                .unwrap();
        }
        store.close().await;
    });
}

#[test]
fn a_database_that_fails_takes_the_whole_transaction_back() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("events.db");
    run(async {
        let store = Arc::new(open(&path, 1).unwrap());
        store.append(request("a")).await.unwrap();
        let other = Connection::open(&path).unwrap();
        other
            .execute_batch(
                "CREATE TRIGGER fails BEFORE INSERT ON event WHEN new.revision = 9 \
                 BEGIN SELECT raise(ABORT, 'the disk is full'); END",
            )
            .unwrap();
        let mut bad = request("a");
        bad.writes[0]
            .events
            .push(NewEvent::json("happened", 9, &1).unwrap());
        let mut refused = 0;
        for round in 0..20 {
            let appends = (0..10).map(|nth| {
                let request = if nth == 5 {
                    bad.clone()
                } else {
                    request(&format!("b-{round}"))
                };
                store.append(request)
            });
            for (nth, appended) in futures_util::future::join_all(appends)
                .await
                .into_iter()
                .enumerate()
            {
                match appended {
                    Ok(_) => assert_ne!(nth, 5),
                    Err(AppendError::Storage(_)) => refused += 1,
                    Err(error) => panic!("{error}"),
                }
            }
        }
        assert!(refused >= 20);
        other.execute_batch("DROP TRIGGER fails").unwrap();
        // Nothing of it is left: neither in the file nor in what the writer knows.
        assert_eq!(store.append(bad).await.unwrap().versions[0].get(), 3);
        let events = store
            .read_all(None, Query::all(), 1000)
            .await
            .unwrap()
            .events;
        assert_eq!(events.len(), 3 + 200 - refused);
        assert_eq!(store.care(Care::Verify).await.unwrap()["sound"], true);
        store.close().await;
    });
}
