//! Limits, from both sides: what is just allowed, and what is just not.

use super::fixtures::{all, append, event, recorded, request, several, stream, write};
use crate::conformance::Subject;
use crate::store::ExpectedVersion::{Any, NoStream};
use crate::store::{AppendError, AppendRequest, MAX_APPEND_EVENTS, MAX_EVENT_BYTES, StreamId};

/// An append without events and without a reply is refused.
pub async fn an_append_has_at_least_one_event(subject: Subject) {
    let store = subject.open().await;
    let nothing = [
        several(Vec::new()),
        request("a", Any, 0),
        several(vec![write("a", Any, 0), write("b", NoStream, 0)]),
    ];
    for request in nothing {
        let refused = store.append(request.clone()).await;
        assert!(matches!(refused, Err(AppendError::Empty)), "{refused:?}");
        assert_eq!(recorded(&store, request.id).await, None);
    }
    append(&store, request("a", NoStream, 1)).await;
}

/// An append has at most [`MAX_APPEND_EVENTS`] events, all its streams together.
pub async fn the_number_of_events_is_limited(subject: Subject) {
    let store = subject.open().await;
    let half = MAX_APPEND_EVENTS / 2;
    let spread = several(vec![write("a", Any, half), write("b", Any, half + 1)]);
    for request in [request("a", Any, MAX_APPEND_EVENTS + 1), spread] {
        match store.append(request).await {
            Err(AppendError::TooMany { events }) => assert_eq!(events, MAX_APPEND_EVENTS + 1),
            other => panic!("{other:?}"),
        }
    }
    assert!(all(&store).await.is_empty());
    append(&store, request("a", NoStream, MAX_APPEND_EVENTS)).await;
    assert_eq!(stream(&store, "a").await.len(), MAX_APPEND_EVENTS);
}

/// A payload has at most [`MAX_EVENT_BYTES`] bytes; who sends more is told which event it was.
pub async fn the_size_of_an_event_is_limited(subject: Subject) {
    let store = subject.open().await;
    let of = |bytes: usize| {
        let mut large = event(0);
        large.event_type = "large".into();
        large.data = vec![b' '; bytes];
        AppendRequest::new(StreamId::new("a"), Any, vec![event(0), large])
    };
    match store.append(of(MAX_EVENT_BYTES + 1)).await {
        Err(AppendError::TooLarge { event_type, bytes }) => {
            assert_eq!((event_type.as_str(), bytes), ("large", MAX_EVENT_BYTES + 1));
        }
        other => panic!("{other:?}"),
    }
    assert!(all(&store).await.is_empty());
    append(&store, of(MAX_EVENT_BYTES)).await;
    assert_eq!(stream(&store, "a").await[1].data.len(), MAX_EVENT_BYTES);
}

/// A stream's name has 1 to 256 bytes.
pub async fn the_length_of_a_name_is_limited(subject: Subject) {
    let store = subject.open().await;
    for name in ["", &"x".repeat(257), &"ä".repeat(129)] {
        let writes = vec![write("fine", Any, 1), write(name, Any, 1)];
        match store.append(several(writes)).await {
            Err(AppendError::StreamName { bytes }) => assert_eq!(bytes, name.len()),
            other => panic!("{other:?}"),
        }
    }
    assert!(all(&store).await.is_empty());
    for name in ["x", &"x".repeat(256), &"ä".repeat(128)] {
        append(&store, request(name, NoStream, 1)).await;
        assert_eq!(stream(&store, name).await.len(), 1);
    }
}
