//! What an append writes, and under which condition.

use std::collections::HashSet;

use uuid::Uuid;

use super::fixtures::{
    add, all, append, at, event, first, is_conflict, last, numbers, page, positions, recorded,
    request, several, stream, versions, write,
};
use crate::conformance::Subject;
use crate::store::ExpectedVersion::{Any, NoStream, StreamExists};
use crate::store::{
    AppendError, AppendRequest, MAX_APPEND_EVENTS, MAX_EVENT_BYTES, Metadata, NewEvent, StreamId,
    StreamVersion,
};

/// Versions of a stream are 1, 2, 3 …, and a receipt has the versions and positions of its events.
pub async fn appends_are_numbered(subject: Subject) {
    let store = subject.open().await;
    let one = append(&store, request("a", NoStream, 2)).await;
    let two = append(&store, request("a", at(2), 1)).await;
    assert_eq!((numbers(&one), numbers(&two)), (vec![2], vec![3]));
    assert!(!one.replayed && !two.replayed);
    let events = stream(&store, "a").await;
    assert_eq!(versions(&events), [1, 2, 3]);
    let told = [first(&one), last(&one), last(&two)];
    assert_eq!(positions(&events), told);
    assert_eq!(first(&two), last(&two), "an append of one event");
    assert!(events[0].recorded_at > 0, "no time was recorded");
}

/// Positions are unique and rise within an append and from append to append, whatever the streams; what was refused
/// takes none that was given before.
pub async fn positions_rise_from_append_to_append(subject: Subject) {
    let store = subject.open().await;
    let mut before = None;
    for nth in 0..30 {
        let receipt = add(&store, &format!("s-{}", nth % 4), 1 + nth % 3).await;
        assert!(Some(first(&receipt)) > before && last(&receipt) >= first(&receipt));
        before = Some(last(&receipt));
        let refused = store.append(request("s-0", NoStream, 2)).await;
        assert!(is_conflict(&refused), "{refused:?}");
    }
    let events = all(&store).await;
    assert!(events.is_sorted_by(|one, next| one.position < next.position));
}

/// Each stream's versions are dense, however the appends to several streams are mixed.
pub async fn streams_are_numbered_each_by_itself(subject: Subject) {
    let store = subject.open().await;
    let mut lengths = [0; 5];
    for nth in 0..60 {
        let (target, events) = (nth * 7 % 5, 1 + nth % 4);
        lengths[target] += events;
        let receipt = add(&store, &format!("s-{target}"), events).await;
        assert_eq!(numbers(&receipt), [lengths[target] as u64]);
    }
    for (target, length) in lengths.into_iter().enumerate() {
        let events = stream(&store, &format!("s-{target}")).await;
        assert!(versions(&events).into_iter().eq(1..=length as u64));
    }
}

/// One append may write to several streams; its receipt has a version for each.
pub async fn several_streams_are_one_append(subject: Subject) {
    let store = subject.open().await;
    add(&store, "b", 3).await;
    let request = several(vec![write("a", NoStream, 1), write("b", at(3), 2)]);
    let receipt = append(&store, request.clone()).await;
    assert_eq!(numbers(&receipt), [1, 5]);
    assert_eq!(numbers(&append(&store, request).await), [1, 5], "again");
    let events = all(&store).await;
    let names: Vec<_> = events.iter().map(|event| event.stream.as_str()).collect();
    assert_eq!(names, ["b", "b", "b", "a", "b", "b"]);
}

/// A later write of an append is held against what the earlier ones of it leave.
pub async fn one_append_may_come_back_to_a_stream(subject: Subject) {
    let store = subject.open().await;
    let back = |expected| {
        let writes = vec![write("a", NoStream, 2), write("b", NoStream, 1)];
        several([writes, vec![write("a", expected, 1)]].concat())
    };
    let refused = store.append(back(NoStream)).await;
    assert!(is_conflict(&refused), "{refused:?}");
    let refused = store.append(back(at(1))).await;
    assert!(is_conflict(&refused), "{refused:?}");
    let request = back(at(2));
    let receipt = append(&store, request.clone()).await;
    assert_eq!(numbers(&receipt), [2, 1, 3]);
    assert_eq!(versions(&stream(&store, "a").await), [1, 2, 3]);
    let again = append(&store, request).await;
    assert_eq!(numbers(&again), [2, 1, 3], "again");
    let request = several(vec![write("c", Any, 1), write("c", Any, 1)]);
    for round in ["first", "again"] {
        let receipt = append(&store, request.clone()).await;
        assert_eq!(numbers(&receipt), [1, 2], "{round}");
    }
}

/// A write without events says what its stream must be like, and nothing more.
pub async fn a_write_without_events_only_checks(subject: Subject) {
    let store = subject.open().await;
    let guarded = |expected| several(vec![write("guard", expected, 0), write("a", Any, 1)]);
    let refused = store.append(guarded(StreamExists)).await;
    assert!(is_conflict(&refused), "{refused:?}");
    append(&store, guarded(NoStream)).await;
    assert!(stream(&store, "guard").await.is_empty());
    append(&store, request("guard", NoStream, 1)).await;
    append(&store, guarded(at(1))).await;
    let refused = store.append(guarded(NoStream)).await;
    assert!(is_conflict(&refused), "{refused:?}");
    assert_eq!(versions(&stream(&store, "guard").await), [1]);
    assert_eq!(versions(&stream(&store, "a").await), [1, 2]);
}

/// An append of the greatest number of events may give each a stream of its own.
pub async fn as_many_streams_as_events_are_allowed(subject: Subject) {
    let store = subject.open().await;
    let name = |nth: usize| format!("wide-{nth}");
    let writes = (0..MAX_APPEND_EVENTS).map(|nth| write(&name(nth), NoStream, 1));
    let receipt = append(&store, several(writes.collect())).await;
    assert_eq!(numbers(&receipt), vec![1; MAX_APPEND_EVENTS]);
    let events = all(&store).await;
    assert_eq!(events.len(), MAX_APPEND_EVENTS);
    assert!(
        (0..)
            .zip(&events)
            .all(|(nth, event)| event.stream.as_str() == name(nth))
    );
}

/// An append happens only if its stream is as expected: anything, not there, there, exactly so long.
pub async fn expected_versions_hold(subject: Subject) {
    let store = subject.open().await;
    let refused = async |expected| is_conflict(&store.append(request("a", expected, 1)).await);
    assert!(refused(StreamExists).await, "it does not exist");
    assert!(refused(at(1)).await, "it has no events");
    append(&store, request("a", NoStream, 1)).await;
    assert!(refused(NoStream).await, "it exists");
    assert!(refused(at(2)).await, "it is shorter");
    append(&store, request("a", at(1), 1)).await;
    assert!(refused(at(1)).await, "it is longer");
    append(&store, request("a", StreamExists, 1)).await;
    append(&store, request("a", Any, 1)).await;
    append(&store, request("b", Any, 1)).await;
    assert_eq!(versions(&stream(&store, "a").await), [1, 2, 3, 4]);
    assert_eq!(versions(&stream(&store, "b").await), [1]);
}

/// Who is refused learns which stream it was, what was expected, and what it is at.
pub async fn a_conflict_says_what_was_found(subject: Subject) {
    let store = subject.open().await;
    add(&store, "a", 4).await;
    let cases = [
        ("a", at(1), StreamVersion::new(4)),
        ("a", NoStream, StreamVersion::new(4)),
        ("b", StreamExists, None),
        ("b", at(7), None),
    ];
    for (name, wanted, found) in cases {
        let writes = vec![write("c", Any, 1), write(name, wanted, 1)];
        match store.append(several(writes)).await {
            Err(AppendError::WrongExpectedVersion {
                stream,
                expected,
                actual,
            }) => {
                assert_eq!((stream.as_str(), expected, actual), (name, wanted, found));
            }
            other => panic!("{other:?}"),
        }
    }
}

/// If one stream of several is not as expected, none is written to.
pub async fn a_conflict_writes_nothing(subject: Subject) {
    let store = subject.open().await;
    let writes = vec![
        write("a", NoStream, 2),
        write("b", StreamExists, 1),
        write("c", NoStream, 1),
    ];
    let refused = store.append(several(writes)).await;
    assert!(is_conflict(&refused), "{refused:?}");
    assert!(all(&store).await.is_empty(), "half of it was written");
    for name in ["a", "b", "c"] {
        assert!(stream(&store, name).await.is_empty(), "{name}");
        append(&store, request(name, NoStream, 1)).await;
    }
}

/// A refused append has no receipt, moves no head, and leaves its id free.
pub async fn what_was_refused_leaves_no_trace(subject: Subject) {
    let store = subject.open().await;
    add(&store, "a", 1).await;
    let mut head = store.head();
    let before = *head.borrow_and_update();
    let mut refused = request("a", NoStream, 2);
    assert!(is_conflict(&store.append(refused.clone()).await));
    assert_eq!(recorded(&store, refused.id).await, None);
    assert_eq!(page(&store, None, 10).await.scanned_to, before);
    let moved = head.has_changed().expect("the store is open");
    assert!(!moved, "the head moved");
    refused.writes[0].expected = at(1);
    let receipt = append(&store, refused).await;
    assert!(!receipt.replayed, "it is the first that happens");
    assert_eq!(versions(&stream(&store, "a").await), [1, 2, 3]);
}

/// Payloads are bytes: none, all 256 of them, the most that is allowed.
pub async fn payloads_come_back_as_they_were(subject: Subject) {
    let store = subject.open().await;
    let payloads = [
        Vec::new(),
        b"{}".to_vec(),
        br#"{"text": "line\nbreak \u0000", "number": 1e400}"#.to_vec(),
        (0..=255).collect::<Vec<u8>>(),
        vec![0; 1000],
        b"\xff\xfe\n\r ".to_vec(),
        vec![b'x'; MAX_EVENT_BYTES],
    ];
    let events = payloads.iter().map(|data| NewEvent {
        data: data.clone(),
        ..event(0)
    });
    let request = AppendRequest::new(StreamId::new("a"), NoStream, events.collect());
    append(&store, request.clone()).await;
    let by_stream = stream(&store, "a").await;
    let by_id = recorded(&store, request.id).await.expect("its receipt");
    for events in [by_stream, by_id, all(&store).await] {
        assert_eq!(events.len(), payloads.len());
        for (event, sent) in events.iter().zip(&payloads) {
            let (is, was) = (event.data.len(), sent.len());
            assert!(event.data == *sent, "{was} bytes came back as {is} others");
        }
    }
}

/// Metadata comes back field by field; what is empty is not what is absent.
pub async fn metadata_comes_back_as_it_was(subject: Subject) {
    let store = subject.open().await;
    let full = Metadata {
        correlation_id: Some(Uuid::from_u128(1)),
        causation_id: Some(Uuid::from_u128(u128::MAX)),
        command: Some("öffne \"Konto\"\n\u{1F980}".to_owned()),
        command_digest: Some(u64::MAX),
        ..Metadata::default()
    };
    let empty = Metadata {
        command: Some(String::new()),
        command_digest: Some(0),
        ..Metadata::default()
    };
    let sent = [full, Metadata::default(), empty];
    let events = sent.iter().map(|metadata| NewEvent {
        metadata: metadata.clone(),
        ..event(0)
    });
    let request = AppendRequest::new(StreamId::new("a"), NoStream, events.collect());
    append(&store, request.clone()).await;
    let by_stream = stream(&store, "a").await;
    let by_id = recorded(&store, request.id).await.expect("its receipt");
    for events in [by_stream, by_id, all(&store).await] {
        let is: Vec<_> = events.into_iter().map(|event| event.metadata).collect();
        assert_eq!(is, sent);
    }
}

/// Types are any text and revisions any number; both come back as they were, and types do not mix.
pub async fn types_and_revisions_come_back_as_they_were(subject: Subject) {
    let store = subject.open().await;
    let long = "x".repeat(1000);
    let types = [
        "opened",
        "Opened",
        "opened ",
        "opened_v2",
        "öffnete",
        "🦀",
        &long,
    ];
    let sent: Vec<_> = types
        .into_iter()
        .zip([1, 2, 3, 0, u32::MAX, 9, 1])
        .collect();
    let events = sent.iter().map(|(name, revision)| NewEvent {
        event_type: (*name).to_owned().into(),
        revision: *revision,
        ..event(0)
    });
    append(
        &store,
        AppendRequest::new(StreamId::new("a"), NoStream, events.collect()),
    )
    .await;
    for events in [stream(&store, "a").await, all(&store).await] {
        let is: Vec<_> = events
            .iter()
            .map(|event| (event.event_type.as_ref(), event.revision))
            .collect();
        assert_eq!(is, sent);
    }
}

/// Names of streams are any text of 1 to 256 bytes, and only the same text is the same stream.
pub async fn any_name_is_a_stream_of_its_own(subject: Subject) {
    let store = subject.open().await;
    let longest = "ä".repeat(128);
    let nearly = format!("{}b", &longest[..254]);
    let names = [
        "a", "A", "a ", " a", "a\n", "ä", "a\u{308}", "🦀", "a-1", "a-10", "a-", "%", "_", "'",
        "\"", "a/b", "..", "0", "00", "null", &longest, &nearly,
    ];
    for (nth, name) in names.iter().enumerate() {
        append(&store, request(name, NoStream, nth + 1)).await;
    }
    for (nth, name) in names.iter().enumerate() {
        let events = stream(&store, name).await;
        assert_eq!(events.len(), nth + 1, "`{name}`");
        assert!(events.iter().all(|event| event.stream.as_str() == *name));
    }
}

/// Every event has an id of its own, which is the same however and whenever it is read.
pub async fn event_ids_are_unique_and_stay(subject: Subject) {
    let store = subject.open().await;
    let mut ids = HashSet::new();
    let mut appends = Vec::new();
    for nth in 0..20 {
        let writes = vec![write(&format!("s-{}", nth % 3), Any, 3), write("t", Any, 1)];
        let request = several(writes);
        append(&store, request.clone()).await;
        appends.push(request.id);
    }
    let events = all(&store).await;
    assert!(
        events.iter().all(|event| ids.insert(event.event_id)),
        "an id comes twice"
    );
    for name in ["s-0", "s-1", "s-2", "t"] {
        let of_stream = events.iter().filter(|event| event.stream.as_str() == name);
        assert!(of_stream.eq(&stream(&store, name).await), "{name}");
    }
    for (nth, id) in appends.into_iter().enumerate() {
        let own = recorded(&store, id).await.expect("its receipt");
        assert_eq!(own, events[nth * 4..][..4]);
    }
    assert_eq!(all(&store).await, events, "read a second time");
}
