use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::store::{
    AppendRequest, Care, CareError, EventStore, ExpectedVersion, MemoryStore, NewEvent, Query,
    RecordedEvent, SqliteOptions, SqliteStore, StreamId,
};
use crate::testing::run;

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, SqliteOptions::in_epoch(1)).unwrap()
}

async fn append(store: &SqliteStore, stream: &str, payload: serde_json::Value) {
    let event = NewEvent::json("happened", 1, &payload).unwrap();
    let request = AppendRequest::new(StreamId::new(stream), ExpectedVersion::Any, vec![event]);
    store.append(request).await.unwrap();
}

/// More events than are read at a time.
async fn filled(path: &Path) -> SqliteStore {
    let store = open(path);
    for (stream, events) in [("thing-0", 1000), ("thing-1", 1000), ("thing-2", 357)] {
        let event = |nth| NewEvent::json("happened", 1, &json!({"nth": nth, "text": "a\nb \"ü\""}));
        let events = (0..events).map(event).collect::<Result<_, _>>().unwrap();
        let stream = StreamId::new(stream);
        let request = AppendRequest::new(stream, ExpectedVersion::NoStream, events);
        store.append(request).await.unwrap();
    }
    store
}

async fn all(store: &SqliteStore) -> Vec<RecordedEvent> {
    store
        .read_all(None, Query::all(), 10_000)
        .await
        .unwrap()
        .events
}

#[test]
fn what_is_exported_is_imported_as_it_was() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("out/events.jsonl");
    run(async {
        let store = filled(&dir.path().join("one.db")).await;
        // Positions with a gap in them are kept too.
        let exported = store.care(Care::Export { to: file.clone() }).await.unwrap();
        assert_eq!(exported["events"], 2357);
        let other = open(&dir.path().join("other.db"));
        let imported = other
            .care(Care::Import { from: file.clone() })
            .await
            .unwrap();
        assert_eq!(imported["events"], 2357);
        assert_eq!(all(&other).await, all(&store).await);
        assert_eq!(*other.head().borrow(), *store.head().borrow());
        let sound = other.care(Care::Verify).await.unwrap();
        assert_eq!(
            (&sound["sound"], &sound["events"]),
            (&json!(true), &json!(2357))
        );

        // It goes on where the other one is.
        append(&other, "thing-0", json!(1)).await;
        append(&store, "thing-0", json!(1)).await;
        let last =
            |events: Vec<RecordedEvent>| events.last().map(|event| (event.position, event.version));
        assert_eq!(last(all(&other).await), last(all(&store).await));
        let refused = other.care(Care::Import { from: file.clone() }).await;
        assert!(
            matches!(refused, Err(CareError::NotEmpty { events: 2358 })),
            "{refused:?}"
        );
    });
}

#[test]
fn a_bad_line_takes_everything_back() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("events.jsonl");
    run(async {
        let store = open(&dir.path().join("one.db"));
        for nth in 0..3 {
            append(&store, "thing", json!(nth)).await;
        }
        store.care(Care::Export { to: file.clone() }).await.unwrap();
        let good = fs::read_to_string(&file).unwrap();
        let lines: Vec<_> = good.lines().collect();
        let bad = [
            ("not JSON", format!("{}\n{{\n", lines[0]), 2),
            ("a hole", format!("{}\n{}\n", lines[0], lines[2]), 2),
            (
                "backwards",
                format!("{}\n{}\n{}\n", lines[0], lines[1], lines[0]),
                3,
            ),
            (
                "an unknown field",
                lines[0].replace("\"stream\"", "\"extra\":1,\"stream\""),
                1,
            ),
            ("cut off", good[..good.len() - 9].to_owned(), 3),
        ];
        let other = open(&dir.path().join("other.db"));
        for (what, text, at) in bad {
            fs::write(&file, text).unwrap();
            let refused = other.care(Care::Import { from: file.clone() }).await;
            assert!(
                matches!(refused, Err(CareError::Line { line, .. }) if line == at),
                "{what}: {refused:?}"
            );
            assert!(all(&other).await.is_empty(), "{what}");
        }
        append(&other, "thing", json!(0)).await;
        assert_eq!(
            all(&other).await[0].version.get(),
            1,
            "what was taken back is forgotten"
        );
    });
}

#[test]
fn replies_are_exported_and_imported_too() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("events.jsonl");
    run(async {
        let store = open(&dir.path().join("one.db"));
        let stream = StreamId::new("thing-1");
        let event = NewEvent::json("happened", 1, &json!({})).unwrap();
        let something = AppendRequest::new(stream.clone(), ExpectedVersion::Any, vec![event])
            .replying(*b"{\n\"a\":\n1}");
        store.append(something.clone()).await.unwrap();
        let nothing = |nth: usize| {
            AppendRequest::new(stream.clone(), ExpectedVersion::Any, Vec::new())
                .replying(nth.to_string())
        };
        // More than are read at a time.
        let nothings: Vec<_> = (0..1500).map(nothing).collect();
        for chunk in nothings.chunks(100) {
            let appends = chunk.iter().map(|append| store.append(append.clone()));
            for appended in futures_util::future::join_all(appends).await {
                appended.unwrap();
            }
        }
        store.care(Care::Export { to: file.clone() }).await.unwrap();
        let other = open(&dir.path().join("other.db"));
        other
            .care(Care::Import { from: file.clone() })
            .await
            .unwrap();
        for append in nothings.iter().step_by(99) {
            assert!(other.append(append.clone()).await.unwrap().replayed);
        }
        let recorded = other.receipt(something.id).await.unwrap().unwrap();
        assert_eq!(recorded.events.len(), 1);
        assert_eq!(recorded.reply.as_deref(), Some(&b"{\"a\":1}"[..]));
        assert_eq!(other.care(Care::Stats).await.unwrap()["replies"], 1501);

        // A line that is cut off, and a reply that is no JSON.
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, &text[..text.len() - 3]).unwrap();
        let third = open(&dir.path().join("third.db"));
        let refused = third.care(Care::Import { from: file.clone() }).await;
        assert!(
            matches!(refused, Err(CareError::Line { line: 1502, .. })),
            "{refused:?}"
        );
        assert_eq!(third.care(Care::Stats).await.unwrap()["replies"], 0);
        store.append(nothing(0).replying(*b"{")).await.unwrap();
        assert_eq!(store.care(Care::Verify).await.unwrap()["sound"], false);
        let refused = store.care(Care::Export { to: file.clone() }).await;
        assert!(
            matches!(refused, Err(CareError::ReplyNotJson { .. })),
            "{refused:?}"
        );
    });
}

#[test]
fn a_backup_is_a_store() {
    let dir = TempDir::new().unwrap();
    let copy = dir.path().join("backups/one.db");
    run(async {
        let store = filled(&dir.path().join("one.db")).await;
        store.care(Care::Backup { to: copy.clone() }).await.unwrap();
        let then = all(&store).await;
        append(&store, "thing-0", json!(1)).await;
        let restored = open(&copy);
        assert_eq!(all(&restored).await, then);
        append(&restored, "thing-0", json!(1)).await;
        assert_eq!(all(&restored).await.len(), 2358);
        restored.close().await;
        // The newer copy takes the place of the older one.
        store.care(Care::Backup { to: copy.clone() }).await.unwrap();
        assert_eq!(all(&open(&copy)).await.len(), 2358);
        let entries = fs::read_dir(dir.path().join("backups")).unwrap();
        let dirs = entries.filter(|entry| entry.as_ref().unwrap().path().is_dir());
        assert_eq!(dirs.count(), 0, "no draft is left behind");
    });
}

#[test]
fn damage_is_found_and_named() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("one.db");
    run(async {
        let store = filled(&path).await;
        store.close().await;
        let file = Connection::open(&path).unwrap();
        file.execute(
            "UPDATE event SET data = CAST('{' AS BLOB) WHERE position = 5",
            (),
        )
        .unwrap();
        file.execute("DELETE FROM event WHERE position IN (1500, 2357)", ())
            .unwrap();
        file.close().unwrap();
        let found = open(&path).care(Care::Verify).await.unwrap();
        assert_eq!(found["sound"], false);
        assert_eq!(
            found["faults"],
            json!([
                "a stream with a hole: thing-1 has 999 events, the last at version 1000",
                "events missing at the end: position 2357 was given, the last event has 2356",
                "a payload that is not JSON: event 5",
            ])
        );
    });
}

#[test]
fn statistics_count_by_type() {
    let dir = TempDir::new().unwrap();
    run(async {
        let stats = filled(&dir.path().join("one.db"))
            .await
            .care(Care::Stats)
            .await
            .unwrap();
        assert_eq!(
            (&stats["events"], &stats["streams"], &stats["epoch"]),
            (&json!(2357), &json!(3), &json!(1))
        );
        assert_eq!(stats["types"], json!({"happened_v1": 2357}));
        assert!(stats["bytes"].as_u64().unwrap() > 0);
    });
}

#[test]
fn a_store_in_memory_has_nothing_to_look_after() {
    run(async {
        let refused = MemoryStore::default().care(Care::Stats).await;
        assert!(matches!(refused, Err(CareError::Unsupported)));
    });
}
