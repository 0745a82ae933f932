//! What reads give: everything, once, in order, in parts of any size.

use futures_util::FutureExt;

use super::fixtures::{Store, add, all, page, positions, recorded, stream, versions};
use crate::conformance::Subject;
use crate::store::{AppendId, Position, Query, StreamId, StreamVersion};

/// A stream is read in parts: `limit` events behind a version.
pub async fn streams_are_read_in_parts(subject: Subject) {
    let store = subject.open().await;
    add(&store, "a", 3).await;
    add(&store, "b", 1).await;
    add(&store, "a", 2).await;
    assert_eq!(part(&store, 0, 2).await, [1, 2]);
    assert_eq!(part(&store, 2, 2).await, [3, 4]);
    assert_eq!(part(&store, 4, 2).await, [5]);
    assert_eq!(part(&store, 1, 100).await, [2, 3, 4, 5]);
    assert!(part(&store, 5, 2).await.is_empty());
}

/// Versions of up to `limit` events of stream `a` behind version `after`.
async fn part(store: &Store, after: u64, limit: usize) -> Vec<u64> {
    let after = StreamVersion::new(after);
    let events = store.read_stream(StreamId::new("a"), after, limit).await;
    versions(&events.expect("the stream can be read"))
}

/// A stream's events are its own, however alike the names are.
pub async fn streams_do_not_mix(subject: Subject) {
    let store = subject.open().await;
    let names = ["order-1", "order-10", "order-11", "order", "order-"];
    for nth in 0..30 {
        add(&store, names[nth % 5], 1 + nth % 2).await;
    }
    for name in names {
        let events = stream(&store, name).await;
        assert_eq!(events.len(), 9, "`{name}`");
        assert!(events.iter().all(|event| event.stream.as_str() == name));
    }
}

/// All events are read in the order in which they were appended, and each part says where to read on.
pub async fn everything_is_read_in_commit_order(subject: Subject) {
    let store = subject.open().await;
    for name in ["a", "b", "a", "c"] {
        add(&store, name, 2).await;
    }
    let (mut after, mut names) = (None, Vec::new());
    loop {
        let part = page(&store, after, 3).await;
        if part.events.is_empty() {
            assert_eq!(part.scanned_to, after);
            break;
        }
        let places = positions(&part.events);
        assert!(places.is_sorted_by(|one, next| one < next), "{places:?}");
        assert!(Some(places[0]) > after, "behind {after:?} is {places:?}");
        assert_eq!(part.scanned_to, places.last().copied());
        after = part.scanned_to;
        names.extend(part.events.iter().map(|event| event.stream.to_string()));
    }
    assert_eq!(names, ["a", "a", "b", "b", "a", "a", "c", "c"]);
}

/// Whatever the size of the parts, together they are everything, each event once, and no part passes its limit.
pub async fn parts_of_any_size_are_the_whole(subject: Subject) {
    let store = subject.open().await;
    for nth in 0..25 {
        add(&store, &format!("s-{}", nth % 3), 1 + nth % 5).await;
    }
    let whole = page(&store, None, usize::MAX).await.events;
    assert_eq!(whole.len(), 75);
    for limit in [1, 2, 3, 7, 74, 75, 76] {
        let (mut after, mut events) = (None, Vec::new());
        loop {
            let part = page(&store, after, limit).await;
            assert!(part.events.len() <= limit, "more than {limit}");
            if part.events.is_empty() {
                break;
            }
            after = part.scanned_to;
            events.extend(part.events);
            assert!(events.len() <= 75, "in parts of {limit}, events come twice");
        }
        assert_eq!(events, whole, "in parts of {limit}");
    }
    let one = stream(&store, "s-1").await;
    for limit in [1, 2, 5] {
        let (mut after, mut events) = (None, Vec::new());
        loop {
            let part = store.read_stream(StreamId::new("s-1"), after, limit).await;
            let part = part.expect("the stream can be read");
            assert!(part.len() <= limit, "more than {limit}");
            let Some(last) = part.last() else { break };
            after = Some(last.version);
            events.extend(part);
            assert!(
                events.len() <= one.len(),
                "in parts of {limit}, events come twice"
            );
        }
        assert_eq!(events, one, "a stream in parts of {limit}");
    }
}

/// A limit of 0 reads no events and goes nowhere.
pub async fn a_limit_of_nothing_reads_nothing(subject: Subject) {
    let store = subject.open().await;
    add(&store, "a", 3).await;
    assert!(part(&store, 0, 0).await.is_empty());
    assert!(part(&store, 1, 0).await.is_empty());
    for after in [None, Some(all(&store).await[0].position)] {
        let nothing = page(&store, after, 0).await;
        assert!(nothing.events.is_empty());
        assert_eq!(nothing.scanned_to, after);
    }
}

/// Behind the last event is nothing, however far behind.
pub async fn nothing_is_behind_the_end(subject: Subject) {
    let store = subject.open().await;
    let receipt = add(&store, "a", 3).await;
    let last = super::fixtures::last(&receipt).get();
    for far in [last, last + 1, 1 << 40, i64::MAX.cast_unsigned(), u64::MAX] {
        let after = Position::new(far);
        let nothing = page(&store, after, 10).await;
        assert!(nothing.events.is_empty(), "behind position {far}");
        assert_eq!(nothing.scanned_to, after, "a reader was sent back");
    }
    for far in [3, 4, 1 << 40, i64::MAX.cast_unsigned(), u64::MAX] {
        assert!(
            part(&store, far, 10).await.is_empty(),
            "behind version {far}"
        );
    }
}

/// A stream's events are the same, field by field, whether read by stream or among all.
pub async fn both_ways_of_reading_agree(subject: Subject) {
    let store = subject.open().await;
    for nth in 0..40 {
        add(&store, &format!("s-{}", nth * 5 % 7), 1 + nth % 3).await;
    }
    let all = all(&store).await;
    let mut of_streams = Vec::new();
    for nth in 0..7 {
        let events = stream(&store, &format!("s-{nth}")).await;
        assert!(positions(&events).is_sorted_by(|one, next| one < next));
        of_streams.extend(events);
    }
    of_streams.sort_by_key(|event| event.position);
    assert_eq!(of_streams, all);
}

/// Reading again gives the same again.
pub async fn reading_changes_nothing(subject: Subject) {
    let store = subject.open().await;
    add(&store, "a", 5).await;
    let head = store.head();
    let one = (all(&store).await, stream(&store, "a").await, *head.borrow());
    let other = (all(&store).await, stream(&store, "a").await, *head.borrow());
    assert_eq!(one, other);
    assert_eq!(part(&store, 0, 100).await, [1, 2, 3, 4, 5]);
}

/// A store without events, a stream without any, an id that was not used: nothing is there, and that is an answer.
pub async fn what_is_not_there_is_not_an_error(subject: Subject) {
    let store = subject.open().await;
    let nothing = page(&store, None, 10).await;
    assert!(nothing.events.is_empty());
    assert_eq!(nothing.scanned_to, None);
    assert_eq!(*store.head().borrow(), None);
    assert!(stream(&store, "nobody").await.is_empty());
    assert_eq!(recorded(&store, AppendId::fresh()).await, None);
    add(&store, "somebody", 1).await;
    assert!(stream(&store, "nobody").await.is_empty());
    assert!(stream(&store, "").await.is_empty());
}

/// Reads that nobody waits for any more take nothing with them: not the store, not other reads.
pub async fn dropped_reads_do_no_harm(subject: Subject) {
    let store = subject.open().await;
    add(&store, "a", 50).await;
    for _ in 0..100 {
        _ = store.read_all(None, Query::all(), 50).now_or_never();
        _ = store
            .read_stream(StreamId::new("a"), None, 50)
            .now_or_never();
        _ = store.receipt(AppendId::fresh()).now_or_never();
    }
    assert_eq!(all(&store).await.len(), 50);
    add(&store, "a", 1).await;
    assert_eq!(stream(&store, "a").await.len(), 51);
}
