//! Files that somebody cut off, changed, or took away.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use serde_json::json;
use tempfile::TempDir;

use super::{Store, all, open, request};
use crate::store::{AppendError, Care, RecordedEvent};
use crate::testing::run;

/// Size of a page, as SQLite chooses it.
const PAGE: usize = 4096;

/// A closed database of some pages, and its events.
async fn written(path: &Path) -> Vec<RecordedEvent> {
    let store = open(path).unwrap();
    for nth in 0..120 {
        let request = request(&format!("s-{}", nth % 7), 300);
        store.append(request).await.unwrap();
    }
    let events = all(&store).await;
    store.close().await;
    events
}

/// What a store says of a database: its events, if it opens, reads, and says that it is sound.
async fn examined(path: &Path) -> Result<Vec<RecordedEvent>, String> {
    let store = open(path).map_err(|error| error.to_string())?;
    let examined = examine(&store).await;
    store.close().await;
    examined
}

async fn examine(store: &Store) -> Result<Vec<RecordedEvent>, String> {
    let verified = store.care(Care::Verify).await;
    let verified = verified.map_err(|error| error.to_string())?;
    if verified["sound"] != true {
        return Err(verified["faults"].to_string());
    }
    let page = store
        .read_all(None, crate::store::Query::all(), 10_000)
        .await;
    Ok(page.map_err(|error| error.to_string())?.events)
}

#[test]
fn a_database_that_was_cut_off_is_never_a_shorter_one() {
    let dir = TempDir::new().unwrap();
    run(async {
        let path = dir.path().join("whole.db");
        let events = written(&path).await;
        let whole = fs::read(&path).unwrap();
        let pages = whole.len() / PAGE;
        assert!(pages > 10, "{pages} pages");
        let borders = (1..pages).flat_map(|page| [page * PAGE - 1, page * PAGE, page * PAGE + 1]);
        // An empty file is a new store, and SQLite takes one of a single byte for empty.
        for length in [2, 15, 16, 99, 100, 511, 512].into_iter().chain(borders) {
            let cut = dir.path().join(format!("cut-{length}.db"));
            fs::write(&cut, &whole[..length]).unwrap();
            let found = examined(&cut).await;
            assert!(found.is_err(), "cut to {length} bytes, all seems well");
        }
        assert_eq!(examined(&path).await.unwrap(), events);
    });
}

#[test]
fn a_changed_page_is_found_and_a_sound_store_can_be_read() {
    let dir = TempDir::new().unwrap();
    run(async {
        let path = dir.path().join("whole.db");
        let events = written(&path).await;
        let whole = fs::read(&path).unwrap();
        let changed = dir.path().join("changed.db");
        // The kind of page; the database's own header comes before that of the first.
        for page in 0..whole.len() / PAGE {
            let mut bytes = whole.clone();
            bytes[page * PAGE + if page == 0 { 100 } else { 0 }] ^= 1 << 2;
            fs::write(&changed, &bytes).unwrap();
            let found = examined(&changed).await;
            assert!(found.is_err(), "page {page} changed, all seems well");
        }
        // Any bit at all: what is called sound has all its events, though a letter of a text may be another.
        for nth in 0..150 {
            let place = nth * 7919 % whole.len();
            let mut bytes = whole.clone();
            bytes[place] ^= 1 << (nth % 8);
            fs::write(&changed, &bytes).unwrap();
            if let Ok(found) = examined(&changed).await {
                let place_of = |event: &RecordedEvent| (event.position, event.version);
                let same = found.iter().map(place_of).eq(events.iter().map(place_of));
                assert!(same, "bit {} of byte {place}", nth % 8);
            }
        }
    });
}

#[test]
fn a_log_that_was_cut_off_has_what_was_committed_before() {
    let dir = TempDir::new().unwrap();
    run(async {
        let path = dir.path().join("live.db");
        let store = open(&path).unwrap();
        // While somebody reads what was there first, nothing of the log is copied into the database.
        let reader = rusqlite::Connection::open(&path).unwrap();
        reader
            .execute_batch("BEGIN; SELECT count(*) FROM event")
            .unwrap();
        let mut requests = Vec::new();
        for nth in 0..8 {
            let mut request = request(&format!("s-{nth}"), 300);
            request.writes.extend(super::request("shared", 300).writes);
            store.append(request.clone()).await.unwrap();
            requests.push(request);
        }
        let events = all(&store).await;
        // As a dead process leaves them: with a log that is not copied into the database yet.
        let (database, log) = (fs::read(&path).unwrap(), fs::read(with_wal(&path)).unwrap());
        drop(reader);
        store.close().await;

        let frame = PAGE + 24;
        let frames = (log.len() - 32) / frame;
        assert!(frames > 40, "{frames} frames");
        // At the end of each frame, and somewhere in the next.
        let place = |nth: usize| 32 + nth * frame;
        let lengths =
            (0..=frames).flat_map(|nth| [place(nth), place(nth) + 1 + nth * 977 % (frame - 1)]);
        let mut before = 0;
        for length in lengths.filter(|length| *length <= log.len()) {
            let cut = dir.path().join(format!("cut-{length}.db"));
            fs::write(&cut, &database).unwrap();
            fs::write(with_wal(&cut), &log[..length]).unwrap();
            let store = open(&cut).unwrap();
            let found = examine(&store).await.unwrap();
            assert_eq!(found, events[..found.len()], "not what was written first");
            assert_eq!(found.len() % 2, 0, "a part of an append");
            assert!(found.len() >= before, "more of the log is less");
            before = found.len();
            // What was lost can be sent again.
            if let Some(lost) = requests.get(found.len() / 2) {
                assert!(!store.append(lost.clone()).await.unwrap().replayed);
            }
            store.close().await;
        }
        assert_eq!(before, events.len(), "all of the log is all");
    });
}

fn with_wal(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// Takes a store at this path away, or a part of it.
type Take = fn(&Path);

/// Who moves a store away, or another one to its place, while it is open, is not told that events are kept which lie in
/// no directory any more.
#[test]
fn nothing_is_acknowledged_that_lies_nowhere() {
    let taken: [(&str, Take); 4] = [
        ("the directory", |path| {
            fs::remove_dir_all(path.parent().unwrap()).unwrap();
        }),
        ("the database", |path| fs::remove_file(path).unwrap()),
        ("the log", |path| fs::remove_file(with_wal(path)).unwrap()),
        ("another database", |path| {
            fs::copy(path, path.with_extension("copy")).unwrap();
            fs::rename(path.with_extension("copy"), path).unwrap();
        }),
    ];
    for (what, take) in taken {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("store/events.db");
        run(async {
            let store = open(&path).unwrap();
            store.append(request("a", 10)).await.unwrap();
            take(&path);
            for _ in 0..2 {
                match store.append(request("a", 10)).await {
                    Err(AppendError::Storage(cause)) => {
                        assert_eq!(cause.sqlite_error_code(), Some(ErrorCode::CannotOpen));
                        let told = cause.to_string();
                        assert!(told.contains("events.db"), "{told}");
                    }
                    other => panic!("{what}: {other:?}"),
                }
            }
            store.close().await;
        });
    }
}

#[test]
fn an_import_that_lies_nowhere_is_refused_too() {
    let dir = TempDir::new().unwrap();
    run(async {
        let from = open(&dir.path().join("from.db")).unwrap();
        from.append(request("a", 10)).await.unwrap();
        let file = dir.path().join("events.jsonl");
        from.care(Care::Export { to: file.clone() }).await.unwrap();
        let path = dir.path().join("to.db");
        let to = open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(to.care(Care::Import { from: file.clone() }).await.is_err());
        to.close().await;
        let to = open(&path).unwrap();
        let imported = to.care(Care::Import { from: file }).await.unwrap();
        assert_eq!(imported["events"], json!(1));
    });
}
