//! Snapshots: given as they were saved or not at all, and never the only copy of anything.
//!
//! A store may leave a snapshot unsaved, and one that keeps none at all keeps these promises.

use super::fixtures::{Store, add, all, append, numbers, request, stream, versions};
use crate::conformance::Subject;
use crate::store::ExpectedVersion::NoStream;
use crate::store::{MAX_EVENT_BYTES, ReadError, Snapshot, StreamId, StreamVersion};

/// A snapshot of the first `version` events of a stream.
fn of(name: &str, version: u64, body: &[u8]) -> Snapshot {
    Snapshot {
        stream: StreamId::new(name),
        version: StreamVersion::new(version).unwrap_or_else(|| panic!("{version} is no version")),
        fingerprint: u64::MAX - 1,
        body: body.to_vec(),
    }
}

/// Saves a snapshot, and gives the store time for it: more important work comes in between.
async fn save(store: &Store, snapshot: Snapshot) {
    store.save_snapshot(snapshot);
    for _ in 0..2 {
        add(store, "other", 1).await;
    }
}

/// The snapshot that the store gives.
async fn given(store: &Store, name: &str) -> Option<Snapshot> {
    let given = store.snapshot(StreamId::new(name)).await;
    given.unwrap_or_else(|error| panic!("the snapshot of `{name}` cannot be read: {error}"))
}

/// What is given was saved: for this stream, of that version and form, byte for byte.
pub async fn a_snapshot_is_given_as_it_was_saved(subject: Subject) {
    let store = subject.open().await;
    assert_eq!(given(&store, "a").await, None, "nothing was saved");
    let bytes: Vec<u8> = (0..=255).collect();
    for name in ["a", "a-1", "A"] {
        add(&store, name, 5).await;
        assert_eq!(given(&store, name).await, None, "`{name}` has none yet");
        let saved = [
            of(name, 1, b""),
            of(name, 2, name.as_bytes()),
            Snapshot {
                fingerprint: 0,
                ..of(name, 3, &bytes)
            },
            of(name, 5, &vec![b'x'; MAX_EVENT_BYTES]),
        ];
        for (nth, snapshot) in saved.iter().enumerate() {
            save(&store, snapshot.clone()).await;
            let given = given(&store, name).await;
            assert!(
                given.is_none_or(|given| saved[..=nth].contains(&given)),
                "another snapshot than one that was saved for `{name}`"
            );
        }
    }
}

/// Who has been given a snapshot is not given an earlier one afterwards.
pub async fn a_snapshot_takes_the_place_of_the_one_before(subject: Subject) {
    let store = subject.open().await;
    add(&store, "a", 9).await;
    let mut newest = 0;
    // By the order of saving: of fewer events is later too, where a state was folded to an earlier version.
    for (nth, version) in [3, 6, 9, 4].into_iter().enumerate() {
        save(&store, of("a", version, &[nth as u8])).await;
        for _ in 0..3 {
            if let Some(given) = given(&store, "a").await {
                assert!(given.body[0] >= newest, "an earlier snapshot came back");
                newest = given.body[0];
            }
        }
    }
}

/// A snapshot of more events than its stream has is not given: it tells of a future that has not happened.
pub async fn a_snapshot_is_never_ahead_of_its_stream(subject: Subject) {
    let store = subject.open().await;
    save(&store, of("nobody", 1, b"1")).await;
    assert_eq!(given(&store, "nobody").await, None);
    add(&store, "a", 5).await;
    for version in [6, 7, 1 << 40, u64::MAX >> 1] {
        save(&store, of("a", version, b"1")).await;
        assert_eq!(given(&store, "a").await, None, "of {version} events");
    }
}

/// A snapshot of more than [`MAX_EVENT_BYTES`] is not kept.
pub async fn the_size_of_a_snapshot_is_limited(subject: Subject) {
    let store = subject.open().await;
    add(&store, "a", 1).await;
    save(&store, of("a", 1, &vec![b' '; MAX_EVENT_BYTES + 1])).await;
    assert_eq!(given(&store, "a").await, None);
}

/// Saving a snapshot changes nothing else: every event that is in it can still be read, and appends go on.
pub async fn a_snapshot_is_never_the_only_copy(subject: Subject) {
    let store = subject.open().await;
    let first = request("a", NoStream, 5);
    append(&store, first.clone()).await;
    add(&store, "b", 1).await;
    let (before, head) = (all(&store).await, *store.head().borrow());
    store.save_snapshot(of("a", 5, b"15"));
    assert_eq!(*store.head().borrow(), head, "the head moved");
    save(&store, of("a", 3, b"6")).await;
    let after = all(&store).await;
    assert_eq!(after[..before.len()], before);
    assert_eq!(versions(&stream(&store, "a").await), [1, 2, 3, 4, 5]);
    assert!(append(&store, first).await.replayed);
    let receipt = add(&store, "a", 1).await;
    assert_eq!(numbers(&receipt), [6]);
}

/// A closed store gives no snapshot and takes none.
pub async fn a_closed_store_has_no_snapshots(subject: Subject) {
    let store = subject.open().await;
    add(&store, "a", 1).await;
    save(&store, of("a", 1, b"1")).await;
    store.close().await;
    store.save_snapshot(of("a", 1, b"2"));
    let given = store.snapshot(StreamId::new("a")).await;
    assert!(
        matches!(given, Err(ReadError::Fenced) | Ok(None)),
        "{given:?}"
    );
}

/// A store that is opened again gives a snapshot that was saved, or none.
pub async fn snapshots_are_the_same_or_gone_after_a_reopening(subject: Subject) {
    let store = subject.open().await;
    add(&store, "a", 5).await;
    let saved = of("a", 4, b"10");
    save(&store, saved.clone()).await;
    let mut known = given(&store, "a").await;
    for _ in 0..2 {
        store.close().await;
        let store = subject.open().await;
        let now = given(&store, "a").await;
        assert!(now.is_none() || now.as_ref() == Some(&saved), "{now:?}");
        assert!(known.is_some() || now.is_none(), "it came out of nothing");
        known = now;
        assert_eq!(stream(&store, "a").await.len(), 5);
        store.close().await;
    }
}
