//! Replies: what was answered when an append happened, told again whenever it is sent again.

use super::fixtures::{
    add, all, append, at, event, is_conflict, is_mismatch, numbers, recorded, reply, request,
    several, stream, versions, write,
};
use crate::conformance::Subject;
use crate::store::ExpectedVersion::{Any, NoStream};
use crate::store::{AppendError, MAX_EVENT_BYTES};

/// The reply of an append is given with its events. With the same events the first reply stays, whatever a repetition
/// would answer; an append without a reply has none.
pub async fn a_reply_is_given_back_for_ever(subject: Subject) {
    let store = subject.open().await;
    let bytes: Vec<u8> = (0..=255).collect();
    let first = request("a", NoStream, 2).replying(bytes.clone());
    append(&store, first.clone()).await;
    let silent = request("a", at(2), 1);
    append(&store, silent.clone()).await;
    let empty = request("a", at(3), 1).replying(Vec::new());
    append(&store, empty.clone()).await;
    let again = first.clone().replying(*b"another");
    assert!(append(&store, again).await.replayed);
    assert_eq!(reply(&store, first.id).await, Some(bytes));
    let own = recorded(&store, first.id).await.expect("its receipt");
    assert_eq!(versions(&own), [1, 2]);
    let late = silent.clone().replying(*b"late");
    assert!(append(&store, late).await.replayed);
    assert_eq!(reply(&store, silent.id).await, None, "it had no reply");
    assert_eq!(reply(&store, empty.id).await, Some(Vec::new()));
}

/// An append may have a reply and no events: it is remembered, and neither a stream nor the head moves.
pub async fn an_append_may_have_nothing_but_a_reply(subject: Subject) {
    let store = subject.open().await;
    let nothing = [
        request("a", Any, 0).replying(*b"1"),
        several(Vec::new()).replying(*b"2"),
    ];
    for request in &nothing {
        let receipt = append(&store, request.clone()).await;
        assert_eq!((receipt.first, receipt.last), (None, None));
        assert_eq!((numbers(&receipt), receipt.replayed), (vec![], false));
        let again = append(&store, request.clone()).await;
        assert_eq!((again.first, again.last), (None, None));
        assert_eq!((numbers(&again), again.replayed), (vec![], true));
        let own = recorded(&store, request.id).await;
        assert_eq!(own.expect("its receipt"), []);
        assert_eq!(reply(&store, request.id).await, request.reply);
    }
    assert_eq!(*store.head().borrow(), None, "the head moved");
    assert!(all(&store).await.is_empty());
    append(&store, request("a", NoStream, 1)).await;
}

/// The id of a reply without events is taken: for another reply, for no reply at all, and for events.
pub async fn the_id_of_a_reply_is_taken(subject: Subject) {
    let store = subject.open().await;
    let nothing = request("a", Any, 0).replying(*b"1");
    append(&store, nothing.clone()).await;
    for other in [
        nothing.clone().replying(*b"2"),
        nothing.clone().replying(Vec::new()),
        request("a", Any, 1).with_id(nothing.id),
        request("a", Any, 1).with_id(nothing.id).replying(*b"1"),
    ] {
        let refused = store.append(other).await;
        assert!(is_mismatch(&refused), "{refused:?}");
    }
    assert_eq!(reply(&store, nothing.id).await, Some(b"1".to_vec()));
    assert!(all(&store).await.is_empty());
    // And the other way round.
    let events = request("a", NoStream, 1).replying(*b"1");
    append(&store, events.clone()).await;
    let refused = store.append(nothing.with_id(events.id)).await;
    assert!(is_mismatch(&refused), "{refused:?}");
}

/// An append without events still says what its streams must be like, and what is refused leaves its id free.
pub async fn a_reply_is_kept_only_if_its_streams_are_as_expected(subject: Subject) {
    let store = subject.open().await;
    let nothing = request("a", at(1), 0).replying(*b"1");
    let refused = store.append(nothing.clone()).await;
    assert!(is_conflict(&refused), "{refused:?}");
    assert_eq!(recorded(&store, nothing.id).await, None);
    add(&store, "a", 1).await;
    append(&store, nothing.clone()).await;
    add(&store, "a", 1).await;
    let again = append(&store, nothing).await;
    assert!(again.replayed, "it happened, whatever happened since");
}

/// A reply has at most [`MAX_EVENT_BYTES`] bytes, and comes back whole.
pub async fn the_length_of_a_reply_is_limited(subject: Subject) {
    let store = subject.open().await;
    for events in [0, 1] {
        let long = request("a", Any, events).replying(vec![b' '; MAX_EVENT_BYTES + 1]);
        match store.append(long.clone()).await {
            Err(AppendError::ReplyTooLarge { bytes }) => assert_eq!(bytes, MAX_EVENT_BYTES + 1),
            other => panic!("{other:?}"),
        }
        assert_eq!(recorded(&store, long.id).await, None);
        assert!(stream(&store, "a").await.is_empty());
    }
    for events in [0, 1] {
        let longest = request("a", Any, events).replying(vec![b' '; MAX_EVENT_BYTES]);
        append(&store, longest.clone()).await;
        assert_eq!(reply(&store, longest.id).await, longest.reply);
    }
}

/// Each write that has events has its version in the receipt, also when the append is sent again: in the order of the
/// writes, and not as the streams are by then.
pub async fn every_write_has_its_version_in_the_receipt_again(subject: Subject) {
    let store = subject.open().await;
    let mut request = several(vec![
        write("a", Any, 1),
        write("b", Any, 0),
        write("a", Any, 2),
        write("c", Any, 1),
    ]);
    request.writes[2].events[0] = event(7);
    let first = append(&store, request.clone()).await;
    assert_eq!(numbers(&first), [1, 3, 1]);
    add(&store, "a", 2).await;
    let again = append(&store, request).await;
    assert_eq!(numbers(&again), [1, 3, 1], "again");
    assert_eq!((again.first, again.last), (first.first, first.last));
}

/// Replies are there again when the store is opened again: with events and without.
pub async fn replies_are_remembered_across_reopenings(subject: Subject) {
    let store = subject.open().await;
    let events = request("a", NoStream, 2).replying(*b"1");
    let nothing = request("a", at(2), 0).replying(*b"2");
    for request in [&events, &nothing] {
        append(&store, request.clone()).await;
    }
    store.close().await;
    let store = subject.open().await;
    for request in [events, nothing] {
        assert_eq!(reply(&store, request.id).await, request.reply);
        assert!(append(&store, request.clone()).await.replayed);
        let own = recorded(&store, request.id).await.expect("its receipt");
        assert_eq!(own.len(), request.events());
    }
    assert_eq!(versions(&stream(&store, "a").await), [1, 2]);
}
