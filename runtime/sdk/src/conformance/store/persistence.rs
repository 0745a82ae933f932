//! What is there when a store is opened again.

use futures_util::FutureExt;

use super::fixtures::{
    add, all, append, assert_recorded, at, first, is_conflict, is_mismatch, last, numbers,
    recorded, request, several, stream, versions, write,
};
use super::life::while_closing;
use crate::conformance::Subject;
use crate::store::ExpectedVersion::{Any, NoStream};

/// All events are there again, field by field.
pub async fn events_survive_a_reopening(subject: Subject) {
    let store = subject.open().await;
    for nth in 0..20 {
        add(&store, &format!("s-{}", nth % 3), 1 + nth % 4).await;
    }
    let before = (all(&store).await, stream(&store, "s-1").await);
    store.close().await;
    let store = subject.open().await;
    assert_eq!((all(&store).await, stream(&store, "s-1").await), before);
}

/// A store to which nothing was appended is empty when it is opened again.
pub async fn an_empty_store_is_empty_again(subject: Subject) {
    subject.open().await.close().await;
    let store = subject.open().await;
    assert!(all(&store).await.is_empty());
    assert_eq!(*store.head().borrow(), None);
    append(&store, request("a", NoStream, 1)).await;
}

/// The head is at the last event from the start.
pub async fn the_head_is_there_again(subject: Subject) {
    let store = subject.open().await;
    add(&store, "a", 3).await;
    let end = last(&add(&store, "b", 2).await);
    store.close().await;
    let store = subject.open().await;
    assert_eq!(*store.head().borrow(), Some(end));
}

/// Versions go on where they were, and positions behind every one that was given.
pub async fn versions_and_positions_go_on(subject: Subject) {
    let store = subject.open().await;
    add(&store, "a", 2).await;
    let end = last(&add(&store, "b", 1).await);
    store.close().await;
    let store = subject.open().await;
    let receipt = add(&store, "a", 2).await;
    assert_eq!(numbers(&receipt), [4]);
    assert!(first(&receipt) > end, "a position was given twice");
    assert_eq!(versions(&stream(&store, "a").await), [1, 2, 3, 4]);
    assert_eq!(all(&store).await.len(), 5);
}

/// An append is remembered by its id for the life of the store, not of the process.
pub async fn appends_are_remembered_across_reopenings(subject: Subject) {
    let store = subject.open().await;
    let request = several(vec![write("a", NoStream, 3), write("b", NoStream, 2)]);
    let one = append(&store, request.clone()).await;
    for _ in 0..2 {
        store.close().await;
        let store = subject.open().await;
        let again = append(&store, request.clone()).await;
        assert!(again.replayed);
        assert_eq!((first(&again), last(&again)), (first(&one), last(&one)));
        assert_eq!(numbers(&again), numbers(&one));
        let mut other = request.clone();
        other.writes[0].events[0].data = b"[]".to_vec();
        let refused = store.append(other).await;
        assert!(is_mismatch(&refused), "{refused:?}");
        let own = recorded(&store, request.id).await.expect("its receipt");
        assert_recorded(&request, &own);
        assert_eq!(all(&store).await.len(), 5);
        store.close().await;
    }
}

/// A stream is held to what it was before.
pub async fn expected_versions_hold_across_reopenings(subject: Subject) {
    let store = subject.open().await;
    add(&store, "a", 2).await;
    store.close().await;
    let store = subject.open().await;
    for expected in [NoStream, at(1), at(3)] {
        let refused = store.append(request("a", expected, 1)).await;
        assert!(is_conflict(&refused), "{expected:?}: {refused:?}");
    }
    append(&store, request("a", at(2), 1)).await;
}

/// What was answered while the store was being closed is there; what was not is there as a whole or not at all.
pub async fn what_was_answered_while_closing_is_there(subject: Subject) {
    let store = subject.open().await;
    add(&store, "a", 1).await;
    let answers = while_closing(&store).await;
    let store = subject.open().await;
    let mut events = 1;
    for (request, answer) in answers {
        let own = recorded(&store, request.id).await;
        assert!(
            own.is_some() || answer.is_err(),
            "what was answered is gone"
        );
        if let Some(own) = own {
            assert_recorded(&request, &own);
            events += own.len();
        }
    }
    assert_eq!(all(&store).await.len(), events);
}

/// Appends that nobody waits for are decided when the store is closed: each is there as a whole or not at all.
pub async fn dropped_appends_are_decided_by_a_reopening(subject: Subject) {
    let store = subject.open().await;
    let requests: Vec<_> = (0..30)
        .map(|nth| {
            several(vec![
                write(&format!("s-{nth}"), NoStream, 4),
                write("shared", Any, 1),
            ])
        })
        .collect();
    for request in &requests {
        _ = store.append(request.clone()).now_or_never();
    }
    store.close().await;
    let store = subject.open().await;
    for request in requests {
        let there = recorded(&store, request.id).await;
        if let Some(own) = &there {
            assert_recorded(&request, own);
        }
        let receipt = append(&store, request.clone()).await;
        assert_eq!(receipt.replayed, there.is_some());
    }
    assert_eq!(all(&store).await.len(), 150);
    assert!(
        versions(&stream(&store, "shared").await)
            .into_iter()
            .eq(1..=30)
    );
}

/// However often it is opened, nothing is lost and nothing comes twice.
pub async fn many_reopenings_lose_nothing(subject: Subject) {
    let mut known = Vec::new();
    for round in 0..12_u64 {
        let store = subject.open().await;
        assert_eq!(all(&store).await, known);
        append(&store, request("a", at(round * 2), 2)).await;
        add(&store, &format!("s-{round}"), 1).await;
        known = all(&store).await;
        store.close().await;
    }
    assert_eq!(known.len(), 36);
}
