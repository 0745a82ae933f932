//! What every event store must keep, as one test for each promise: [`crate::store_suite!`] runs them on a store.

use uuid::Uuid;

use super::{
    AppendError, AppendId, AppendRequest, EventStore, ExpectedVersion, MAX_APPEND_EVENTS,
    MAX_EVENT_BYTES, NewEvent, Query, ReadError, StreamId, StreamVersion, StreamWrite,
};

/// Runs the suite on the stores that `$make` makes: an expression of a future of an `Arc<dyn EventStore>`.
#[doc(hidden)]
#[macro_export]
macro_rules! store_suite {
    ($make:expr) => {
        $crate::store_suite! { @ $make;
            appends_are_numbered, expected_versions_hold, a_conflict_writes_nothing,
            the_same_append_happens_once, another_append_under_one_id_is_refused, limits_hold,
            streams_are_read_in_parts, everything_is_read_in_commit_order, several_streams_are_one_append,
            the_head_is_watched, racing_appends_have_one_winner, a_closed_store_is_fenced,
        }
    };
    (@ $make:expr; $($name:ident,)*) => {
        $(#[test]
        fn $name() {
            $crate::testing::run(async { $crate::store::suite::$name($make.await).await });
        })*
    };
}

type Subject = std::sync::Arc<dyn EventStore>;

fn event(name: &'static str) -> NewEvent {
    NewEvent {
        event_type: name.into(),
        revision: 1,
        data: b"{}".to_vec(),
        metadata: super::Metadata::default(),
    }
}

fn stream(name: &str) -> StreamId {
    StreamId::new(name)
}

fn request(name: &str, expected: ExpectedVersion, events: usize) -> AppendRequest {
    AppendRequest::new(
        stream(name),
        expected,
        (0..events).map(|_| event("happened")).collect(),
    )
}

fn at(version: u64) -> ExpectedVersion {
    ExpectedVersion::from_loaded(StreamVersion::new(version))
}

async fn length(store: &Subject, name: &str) -> usize {
    store
        .read_stream(stream(name), None, 10_000)
        .await
        .map_or(usize::MAX, |events| events.len())
}

pub async fn appends_are_numbered(store: Subject) {
    let one = store
        .append(request("a", ExpectedVersion::NoStream, 2))
        .await
        .expect("appended");
    let two = store
        .append(request("a", at(2), 1))
        .await
        .expect("appended");
    assert_eq!(one.versions, [StreamVersion::new(2).expect("2")]);
    assert_eq!(two.versions, [StreamVersion::new(3).expect("3")]);
    assert!(one.first < one.last && one.last < two.first);
    let events = store
        .read_stream(stream("a"), None, 10)
        .await
        .expect("read");
    assert_eq!(
        events
            .iter()
            .map(|event| event.version.get())
            .collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert_eq!(Some(events[0].position), one.first);
    assert_eq!(Some(events[2].position), two.last);
    assert!(events[0].recorded_at > 0);
}

pub async fn expected_versions_hold(store: Subject) {
    use ExpectedVersion::{Any, NoStream, StreamExists};
    let refused = |result: Result<_, AppendError>| {
        matches!(result, Err(AppendError::WrongExpectedVersion { .. }))
    };
    assert!(refused(store.append(request("a", StreamExists, 1)).await));
    assert!(refused(store.append(request("a", at(1), 1)).await));
    store
        .append(request("a", NoStream, 1))
        .await
        .expect("a new stream");
    assert!(refused(store.append(request("a", NoStream, 1)).await));
    assert!(refused(store.append(request("a", at(2), 1)).await));
    store
        .append(request("a", at(1), 1))
        .await
        .expect("the version it has");
    store
        .append(request("a", StreamExists, 1))
        .await
        .expect("it exists");
    store.append(request("a", Any, 1)).await.expect("anything");
    store
        .append(request("b", Any, 1))
        .await
        .expect("anything, a new stream too");
    match store.append(request("a", at(1), 1)).await {
        Err(AppendError::WrongExpectedVersion {
            stream,
            expected,
            actual,
        }) => {
            assert_eq!(
                (stream.as_str(), expected, actual),
                ("a", at(1), StreamVersion::new(4))
            );
        }
        other => panic!("{other:?}"),
    }
}

pub async fn a_conflict_writes_nothing(store: Subject) {
    let write = |name, expected| StreamWrite {
        stream: stream(name),
        expected,
        events: vec![event("happened")],
    };
    let writes = vec![
        write("a", ExpectedVersion::NoStream),
        write("b", ExpectedVersion::StreamExists),
    ];
    let refused = store
        .append(AppendRequest {
            id: AppendId::fresh(),
            writes,
            reply: None,
        })
        .await;
    assert!(matches!(
        refused,
        Err(AppendError::WrongExpectedVersion { .. })
    ));
    assert_eq!(
        (length(&store, "a").await, length(&store, "b").await),
        (0, 0)
    );
    let receipt = store
        .append(request("a", ExpectedVersion::NoStream, 1))
        .await
        .expect("the stream is still new");
    assert!(!receipt.replayed);
}

pub async fn the_same_append_happens_once(store: Subject) {
    let request = request("a", ExpectedVersion::NoStream, 3);
    let first = store.append(request.clone()).await.expect("appended");
    store
        .append(self::request("a", ExpectedVersion::Any, 1))
        .await
        .expect("appended behind it");
    let again = store.append(request.clone()).await.expect("answered again");
    assert!(!first.replayed && again.replayed);
    assert_eq!(
        (first.first, first.last, &first.versions),
        (again.first, again.last, &again.versions)
    );
    assert_eq!(length(&store, "a").await, 4);
    let recorded = store
        .receipt(request.id)
        .await
        .expect("read")
        .expect("it happened");
    assert_eq!(recorded.events.len(), 3);
    assert_eq!(
        store
            .receipt(AppendId(Uuid::from_u128(1)))
            .await
            .expect("read"),
        None
    );
}

pub async fn another_append_under_one_id_is_refused(store: Subject) {
    let first = request("a", ExpectedVersion::Any, 1);
    store.append(first.clone()).await.expect("appended");
    let mut other = request("a", ExpectedVersion::Any, 1);
    other.id = first.id;
    other.writes[0].events[0].data = b"[]".to_vec();
    assert!(matches!(
        store.append(other).await,
        Err(AppendError::IdempotencyMismatch { .. })
    ));
    let mut longer = request("a", ExpectedVersion::Any, 2);
    longer.id = first.id;
    assert!(matches!(
        store.append(longer).await,
        Err(AppendError::IdempotencyMismatch { .. })
    ));
    assert_eq!(length(&store, "a").await, 1);
}

pub async fn limits_hold(store: Subject) {
    assert!(matches!(
        store.append(request("a", ExpectedVersion::Any, 0)).await,
        Err(AppendError::Empty)
    ));
    let many = request("a", ExpectedVersion::Any, MAX_APPEND_EVENTS + 1);
    assert!(matches!(
        store.append(many).await,
        Err(AppendError::TooMany { .. })
    ));
    let mut large = request("a", ExpectedVersion::Any, 1);
    large.writes[0].events[0].data = vec![b' '; MAX_EVENT_BYTES + 1];
    assert!(matches!(
        store.append(large).await,
        Err(AppendError::TooLarge { .. })
    ));
    for name in [String::new(), "x".repeat(257)] {
        let unnamed = store.append(request(&name, ExpectedVersion::Any, 1)).await;
        assert!(matches!(unnamed, Err(AppendError::StreamName { .. })));
    }
    store
        .append(request("a", ExpectedVersion::Any, MAX_APPEND_EVENTS))
        .await
        .expect("the most that is allowed");
}

pub async fn streams_are_read_in_parts(store: Subject) {
    store
        .append(request("a", ExpectedVersion::Any, 5))
        .await
        .expect("appended");
    let versions = |after, limit| {
        let store = store.clone();
        async move {
            let events = store
                .read_stream(stream("a"), StreamVersion::new(after), limit)
                .await
                .expect("read");
            events
                .iter()
                .map(|event| event.version.get())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(versions(0, 2).await, [1, 2]);
    assert_eq!(versions(2, 2).await, [3, 4]);
    assert_eq!(versions(4, 2).await, [5]);
    assert!(versions(5, 2).await.is_empty());
    assert_eq!(length(&store, "nobody").await, 0);
}

pub async fn everything_is_read_in_commit_order(store: Subject) {
    for name in ["a", "b", "a", "c"] {
        store
            .append(request(name, ExpectedVersion::Any, 2))
            .await
            .expect("appended");
    }
    let (mut after, mut names) = (None, Vec::new());
    loop {
        let page = store.read_all(after, Query::all(), 3).await.expect("read");
        if page.events.is_empty() {
            assert_eq!(page.scanned_to, after);
            break;
        }
        assert!(
            page.events
                .is_sorted_by(|one, next| one.position < next.position)
        );
        assert!(page.events.iter().all(|event| Some(event.position) > after));
        after = page.scanned_to;
        names.extend(
            page.events
                .iter()
                .map(|event| event.stream.as_str().to_owned()),
        );
    }
    assert_eq!(names, ["a", "a", "b", "b", "a", "a", "c", "c"]);
}

pub async fn several_streams_are_one_append(store: Subject) {
    let write = |name, events| StreamWrite {
        stream: stream(name),
        expected: ExpectedVersion::NoStream,
        events: (0..events).map(|_| event("happened")).collect(),
    };
    let request = AppendRequest {
        id: AppendId::fresh(),
        writes: vec![write("a", 1), write("b", 2)],
        reply: None,
    };
    let receipt = store.append(request.clone()).await.expect("appended");
    assert_eq!(
        receipt
            .versions
            .iter()
            .map(|version| version.get())
            .collect::<Vec<_>>(),
        [1, 2]
    );
    let again = store.append(request).await.expect("answered again");
    assert_eq!(again.versions, receipt.versions);
    assert_eq!(
        store
            .read_all(None, Query::all(), 10)
            .await
            .expect("read")
            .events
            .len(),
        3
    );
}

pub async fn the_head_is_watched(store: Subject) {
    let mut head = store.head();
    assert_eq!(*head.borrow_and_update(), None);
    let receipt = store
        .append(request("a", ExpectedVersion::Any, 2))
        .await
        .expect("appended");
    head.changed().await.expect("it moved");
    assert_eq!(*head.borrow_and_update(), receipt.last);
}

pub async fn racing_appends_have_one_winner(store: Subject) {
    for round in 0..20 {
        let name = format!("race-{round}");
        let racers = (0..16).map(|_| {
            let (store, name) = (store.clone(), name.clone());
            tokio::spawn(async move {
                store
                    .append(request(&name, ExpectedVersion::NoStream, 1))
                    .await
                    .is_ok()
            })
        });
        let mut winners = 0;
        for racer in racers.collect::<Vec<_>>() {
            winners += usize::from(racer.await.expect("no panic"));
        }
        assert_eq!(winners, 1);
        assert_eq!(length(&store, &name).await, 1);
    }
}

pub async fn a_closed_store_is_fenced(store: Subject) {
    store
        .append(request("a", ExpectedVersion::Any, 1))
        .await
        .expect("appended");
    store.close().await;
    assert!(matches!(
        store.append(request("a", ExpectedVersion::Any, 1)).await,
        Err(AppendError::Fenced)
    ));
    assert!(matches!(
        store.read_all(None, Query::all(), 1).await,
        Err(ReadError::Fenced)
    ));
    assert!(matches!(
        store.receipt(AppendId::fresh()).await,
        Err(ReadError::Fenced)
    ));
    store.close().await;
}
