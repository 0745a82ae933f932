//! The same append happens once, whoever sends it how often.

use futures_util::FutureExt;
use uuid::Uuid;

use super::fixtures::{
    add, all, append, assert_recorded, at, event, first, is_mismatch, last, numbers, recorded,
    request, several, stream, versions, write,
};
use crate::conformance::Subject;
use crate::store::ExpectedVersion::{Any, NoStream};
use crate::store::{AppendId, AppendRequest, StreamId};

/// Makes another append of one.
type Change = fn(&mut AppendRequest);

/// An append under an id that was carried out is not carried out again, and is answered as it was the first time.
pub async fn the_same_append_happens_once(subject: Subject) {
    let store = subject.open().await;
    let request = several(vec![write("a", NoStream, 3), write("b", Any, 2)]);
    let one = append(&store, request.clone()).await;
    let mut head = store.head();
    assert_eq!(*head.borrow_and_update(), Some(last(&one)));
    let events = all(&store).await;
    let again = append(&store, request).await;
    assert!(!one.replayed && again.replayed);
    assert_eq!((first(&again), last(&again)), (first(&one), last(&one)));
    assert_eq!(numbers(&again), numbers(&one));
    assert_eq!(all(&store).await, events, "it was written again");
    assert!(
        !head.has_changed().expect("the store is open"),
        "the head moved"
    );
}

/// A repetition gets the first answer, though its streams are not any more as it expects, and however much came since.
pub async fn a_repetition_is_answered_whatever_happened_since(subject: Subject) {
    let store = subject.open().await;
    let requests = [
        request("a", NoStream, 3),
        request("a", at(3), 1),
        request("b", Any, 2),
    ];
    let mut receipts = Vec::new();
    for request in &requests {
        receipts.push(append(&store, request.clone()).await);
    }
    for nth in 0..300 {
        add(&store, ["a", "b", "c"][nth % 3], 1).await;
    }
    for (request, one) in requests.into_iter().zip(receipts) {
        let again = append(&store, request).await;
        assert!(again.replayed);
        assert_eq!((first(&again), last(&again)), (first(&one), last(&one)));
        assert_eq!(numbers(&again), numbers(&one));
    }
    assert_eq!(stream(&store, "a").await.len(), 104);
}

/// An id that was used is refused for anything else: another payload, type, revision, order, number, or stream.
pub async fn another_append_under_one_id_is_refused(subject: Subject) {
    let store = subject.open().await;
    let first = request("a", Any, 2);
    append(&store, first.clone()).await;
    let others: [(&str, Change); 7] = [
        ("payload", |other| {
            other.writes[0].events[1].data = b"[]".to_vec();
        }),
        ("type", |other| {
            other.writes[0].events[0].event_type = "other".into();
        }),
        ("revision", |other| other.writes[0].events[0].revision = 2),
        ("order", |other| other.writes[0].events.reverse()),
        ("more", |other| other.writes[0].events.push(event(2))),
        ("less", |other| {
            other.writes[0].events.pop();
        }),
        ("stream", |other| {
            other.writes[0].stream = StreamId::new("b")
        }),
    ];
    for (what, change) in others {
        let mut other = first.clone();
        change(&mut other);
        let refused = store.append(other).await;
        assert!(is_mismatch(&refused), "another {what}: {refused:?}");
    }
    assert_eq!(all(&store).await.len(), 2);
    assert!(
        append(&store, first).await.replayed,
        "the first is what it was"
    );
}

/// Of senders of one append who race, one carries it out, and all get the same answer.
pub async fn racing_repetitions_are_one_append(subject: Subject) {
    let store = subject.open().await;
    for round in 0..20 {
        let request = request(&format!("s-{round}"), NoStream, 2);
        let senders: Vec<_> = (0..8)
            .map(|_| tokio::spawn(append(&store, request.clone())))
            .collect();
        let mut receipts = Vec::new();
        for sender in senders {
            receipts.push(sender.await.expect("a sender was refused"));
        }
        let carried_out = receipts.iter().filter(|receipt| !receipt.replayed);
        assert_eq!(carried_out.count(), 1, "carried out that often");
        let places = receipts
            .iter()
            .map(|receipt| (first(receipt), last(receipt)));
        let places: std::collections::HashSet<_> = places.collect();
        assert_eq!(places.len(), 1, "senders were answered differently");
        assert_eq!(
            versions(&stream(&store, &format!("s-{round}")).await),
            [1, 2]
        );
    }
}

/// Ids that follow each other, as those of a counter do, are as different as any others.
pub async fn neighbouring_ids_do_not_meet(subject: Subject) {
    let store = subject.open().await;
    let number = |id: u128| AppendId(Uuid::from_u128(id));
    let ids = [
        1000,
        1001,
        999,
        1003,
        1002,
        1004,
        0,
        1,
        u128::MAX,
        u128::MAX - 1,
    ]
    .map(number);
    let requests: Vec<_> = (1..)
        .zip(ids)
        .map(|(nth, id)| AppendRequest {
            id,
            ..request(&format!("s-{nth}"), NoStream, 1 + nth % 4)
        })
        .collect();
    for request in &requests {
        let receipt = append(&store, request.clone()).await;
        assert!(!receipt.replayed, "{:?} was taken for another", request.id);
    }
    for request in &requests {
        let own = recorded(&store, request.id).await.expect("its receipt");
        assert_recorded(request, &own);
        assert!(append(&store, request.clone()).await.replayed);
    }
}

/// What was appended under an id can be asked for, in order and complete; under an id that was not used is nothing.
pub async fn what_happened_under_an_id_is_told(subject: Subject) {
    let store = subject.open().await;
    let one = several(vec![
        write("a", Any, 2),
        write("b", Any, 1),
        write("a", Any, 1),
    ]);
    let other = request("a", Any, 1);
    append(&store, one.clone()).await;
    append(&store, other.clone()).await;
    let own = recorded(&store, one.id).await.expect("its receipt");
    assert_recorded(&one, &own);
    assert_eq!(versions(&own), [1, 2, 1, 3]);
    let own = recorded(&store, other.id).await.expect("its receipt");
    assert_recorded(&other, &own);
    assert_eq!(versions(&own), [4]);
    assert_eq!(recorded(&store, AppendId::fresh()).await, None);
    assert_eq!(recorded(&store, AppendId(Uuid::nil())).await, None);
}

/// Whoever gives up on an append leaves all of it or nothing, and learns which by sending it again.
pub async fn a_dropped_append_is_whole_or_not_at_all(subject: Subject) {
    let store = subject.open().await;
    let mut requests = Vec::new();
    for nth in 0..60 {
        let name = format!("s-{nth}");
        let request = several(vec![write(&name, NoStream, 5), write("shared", Any, 5)]);
        if nth % 2 == 0 {
            // Dropped at the first place where it waits.
            _ = store.append(request.clone()).now_or_never();
        } else {
            let task = tokio::spawn(append(&store, request.clone()));
            tokio::task::yield_now().await;
            task.abort();
            _ = task.await;
        }
        if let Some(own) = recorded(&store, request.id).await {
            assert_recorded(&request, &own);
        }
        requests.push((name, request));
    }
    for (name, request) in &requests {
        append(&store, request.clone()).await;
        let own = recorded(&store, request.id).await.expect("its receipt");
        assert_recorded(request, &own);
        assert_eq!(versions(&stream(&store, name).await), [1, 2, 3, 4, 5]);
    }
    let shared = stream(&store, "shared").await;
    assert!(versions(&shared).into_iter().eq(1..=300));
}
