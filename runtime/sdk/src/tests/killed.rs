//! A process that appends is killed, again and again: what it was told is there, and nothing by halves.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use tempfile::TempDir;

use crate::store::{
    AppendId, AppendRequest, Care, EventStore, ExpectedVersion, NewEvent, Query, Snapshot,
    SqliteOptions, SqliteStore, StreamId,
};
use crate::testing::run;

/// The database that the child appends to.
const STORE: &str = "HECATE_TEST_KILLED_STORE";
/// Appends of each child that are answered before it is killed.
const ANSWERED: usize = 150;
const KILLS: usize = 8;
/// Events of each append.
const EVENTS: usize = 3;

#[test]
fn what_was_answered_is_there_and_nothing_by_halves() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("events.db");
    let mut answered = Vec::new();
    for _ in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "tests::killed::the_child_that_appends",
                "--nocapture",
            ])
            .env(STORE, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ids = lines.filter_map(|line| line.unwrap().strip_prefix("answered ")?.parse().ok());
        answered.extend(ids.take(ANSWERED).map(AppendId));
        child.kill().unwrap();
        child.wait().unwrap();
        run(async {
            let store = SqliteStore::open(&path, SqliteOptions::in_epoch(1)).unwrap();
            for id in &answered {
                let recorded = store.receipt(*id).await.unwrap().unwrap();
                assert_eq!(recorded.events.len(), EVENTS);
                assert_eq!(recorded.reply.as_deref(), Some(&b"1"[..]));
            }
            let verified = store.care(Care::Verify).await.unwrap();
            assert_eq!(verified["sound"], true, "{verified}");
            let stats = store.care(Care::Stats).await.unwrap();
            let (events, replies) = (&stats["events"], &stats["replies"]);
            assert_eq!(
                events.as_u64(),
                replies.as_u64().map(|replies| replies * EVENTS as u64),
                "an append is there with everything or not at all"
            );
            let last = store.head().borrow().unwrap();
            assert_eq!(
                events.as_u64(),
                Some(last.get()),
                "a position was given twice, or left out"
            );
            store.close().await;
        });
    }
    assert_eq!(answered.len(), ANSWERED * KILLS);
}

/// Does nothing by itself. As a child it appends until it is killed, and says what was answered.
#[test]
fn the_child_that_appends() {
    let Some(path) = std::env::var_os(STORE).map(PathBuf::from) else {
        return;
    };
    run(async {
        let store = SqliteStore::open(&path, SqliteOptions::in_epoch(1)).unwrap();
        let store: Arc<dyn EventStore> = Arc::new(store);
        let tasks = (0..8).map(|task| tokio::spawn(append_for_ever(store.clone(), task)));
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    });
}

async fn append_for_ever(store: Arc<dyn EventStore>, task: usize) {
    let stream = StreamId::of("task", &task.to_string());
    // Long enough that the log is copied on the way.
    let text = "x".repeat(2000);
    loop {
        let event = || NewEvent::json("said", 1, &text).unwrap();
        let events = (0..EVENTS).map(|_| event()).collect();
        let request =
            AppendRequest::new(stream.clone(), ExpectedVersion::Any, events).replying(*b"1");
        let id = request.id;
        let receipt = store.append(request).await.unwrap();
        std::io::stdout()
            .write_all(format!("answered {}\n", id.0).as_bytes())
            .unwrap();
        store.save_snapshot(Snapshot {
            stream: stream.clone(),
            version: receipt.versions[0],
            fingerprint: 1,
            body: b"{}".to_vec(),
        });
        // Somebody reads meanwhile.
        store.read_all(None, Query::all(), 10).await.unwrap();
    }
}
