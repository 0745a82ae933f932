//! What both stores keep beyond the suite: replies, and reads with a query.

use std::sync::Arc;

use tempfile::TempDir;

use crate::store::{
    AppendError, AppendId, AppendRequest, EventStore, ExpectedVersion, MAX_EVENT_BYTES,
    MemoryStore, NewEvent, Position, Query, SqliteOptions, SqliteStore, StreamId, StreamVersion,
    StreamWrite,
};
use crate::testing::run;

type Subject = Arc<dyn EventStore>;

/// Lets `test` have an empty store of each kind.
fn on_both<T: Future<Output = ()>>(test: impl Fn(Subject) -> T) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("events.db");
    run(async {
        test(Arc::new(MemoryStore::default())).await;
        let sqlite = SqliteStore::open(&path, SqliteOptions::in_epoch(1)).unwrap();
        let sqlite: Subject = Arc::new(sqlite);
        test(sqlite.clone()).await;
        sqlite.close().await;
    });
}

fn events(kind: &'static str, number: usize) -> Vec<NewEvent> {
    let event = |nth| NewEvent::json(kind, 1, &nth).unwrap();
    (0..number).map(event).collect()
}

fn request(stream: &str, events: Vec<NewEvent>) -> AppendRequest {
    AppendRequest::new(StreamId::new(stream), ExpectedVersion::Any, events)
}

#[test]
fn a_reply_is_given_back_for_ever() {
    on_both(|store| async move {
        let first = request("a", events("happened", 2)).replying(*b"{\"ok\":1}");
        store.append(first.clone()).await.unwrap();
        // With the same events the first reply stays.
        let again = first.clone().replying(*b"{\"ok\":2}");
        assert!(store.append(again).await.unwrap().replayed);
        let recorded = store.receipt(first.id).await.unwrap().unwrap();
        assert_eq!(recorded.events.len(), 2);
        assert_eq!(recorded.reply.as_deref(), Some(&b"{\"ok\":1}"[..]));
        let silent = request("a", events("happened", 1));
        store.append(silent.clone()).await.unwrap();
        assert_eq!(store.receipt(silent.id).await.unwrap().unwrap().reply, None);
    });
}

#[test]
fn an_append_may_have_nothing_but_a_reply() {
    on_both(|store| async move {
        let nothing = request("a", Vec::new()).replying(*b"1");
        let receipt = store.append(nothing.clone()).await.unwrap();
        assert_eq!(
            (receipt.first, receipt.last, receipt.replayed),
            (None, None, false)
        );
        assert_eq!(receipt.versions, []);
        assert!(store.append(nothing.clone()).await.unwrap().replayed);
        let recorded = store.receipt(nothing.id).await.unwrap().unwrap();
        assert_eq!(
            (recorded.events.len(), recorded.reply),
            (0, Some(b"1".to_vec()))
        );
        assert_eq!(*store.head().borrow(), None);
        // The id is taken: for another reply, and for events.
        for other in [
            nothing.clone().replying(*b"2"),
            request("a", events("happened", 1)).with_id(nothing.id),
        ] {
            let refused = store.append(other).await;
            assert!(
                matches!(refused, Err(AppendError::IdempotencyMismatch { .. })),
                "{refused:?}"
            );
        }
        // The stream was not made by it.
        let mut born = request("a", events("happened", 1));
        born.writes[0].expected = ExpectedVersion::NoStream;
        store.append(born).await.unwrap();
    });
}

#[test]
fn an_append_without_events_still_says_what_its_stream_must_be_like() {
    on_both(|store| async move {
        let one = StreamVersion::new(1);
        let mut nothing = request("a", Vec::new()).replying(*b"1");
        nothing.writes[0].expected = ExpectedVersion::from_loaded(one);
        let refused = store.append(nothing.clone()).await;
        assert!(matches!(
            refused,
            Err(AppendError::WrongExpectedVersion { actual: None, .. })
        ));
        assert_eq!(store.receipt(nothing.id).await.unwrap(), None);
        store
            .append(request("a", events("happened", 1)))
            .await
            .unwrap();
        store.append(nothing).await.unwrap();
    });
}

#[test]
fn replies_have_limits() {
    on_both(|store| async move {
        let long = request("a", events("happened", 1)).replying(vec![b' '; MAX_EVENT_BYTES + 1]);
        let refused = store.append(long.clone()).await;
        assert!(
            matches!(refused, Err(AppendError::ReplyTooLarge { bytes }) if bytes == MAX_EVENT_BYTES + 1)
        );
        assert_eq!(store.receipt(long.id).await.unwrap(), None);
        let longest = request("a", Vec::new()).replying(vec![b' '; MAX_EVENT_BYTES]);
        store.append(longest).await.unwrap();
        let empty = store.append(request("a", Vec::new())).await;
        assert!(matches!(empty, Err(AppendError::Empty)));
    });
}

#[test]
fn every_write_with_events_has_its_version_in_the_receipt_again() {
    on_both(|store| async move {
        let write = |stream, number| StreamWrite {
            stream: StreamId::new(stream),
            expected: ExpectedVersion::Any,
            events: events("happened", number),
        };
        let request = AppendRequest {
            id: AppendId::fresh(),
            writes: vec![write("a", 1), write("a", 2), write("b", 0), write("c", 1)],
            reply: None,
        };
        let first = store.append(request.clone()).await.unwrap();
        let versions: Vec<_> = first.versions.iter().map(|version| version.get()).collect();
        assert_eq!(versions, [1, 3, 1]);
        let again = store.append(request).await.unwrap();
        assert_eq!(
            (again.versions, again.first, again.last),
            (first.versions, first.first, first.last)
        );
    });
}

/// Positions of what fits, and how many reads it took to come to the head.
async fn positions(store: &Subject, query: Query, limit: usize) -> (Vec<u64>, usize) {
    let head = *store.head().borrow();
    let (mut after, mut found, mut reads) = (None, Vec::new(), 0);
    while after < head {
        let page = store.read_all(after, query.clone(), limit).await.unwrap();
        assert!(page.scanned_to > after, "each read gets on");
        assert!(page.events.len() <= limit);
        found.extend(page.events.iter().map(|event| event.position.get()));
        (after, reads) = (page.scanned_to, reads + 1);
    }
    let end = store.read_all(after, query, limit).await.unwrap();
    assert_eq!((end.events.len(), end.scanned_to), (0, after));
    (found, reads)
}

#[test]
fn a_query_gives_what_fits_all_its_conditions() {
    on_both(|store| async move {
        for (stream, kind) in [
            ("order-1", "order_placed"),
            ("orders", "order_placed"),
            ("order-2", "order_shipped"),
            ("parcel-1", "order_shipped"),
            ("order-1", "order_cancelled"),
        ] {
            store
                .append(request(stream, events(kind, 1)))
                .await
                .unwrap();
        }
        let ended = || Query::all().types(["order_shipped", "order_cancelled"]);
        for (query, fitting) in [
            (Query::all(), &[1, 2, 3, 4, 5][..]),
            (Query::all().kind("order"), &[1, 3, 5]),
            (ended(), &[3, 4, 5]),
            (ended().kind("order"), &[3, 5]),
            (Query::all().kind("order-"), &[]),
            (Query::all().types(["order"]), &[]),
            (Query::all().types::<&str>([]), &[]),
        ] {
            for limit in [1, 2, 100] {
                assert_eq!(
                    positions(&store, query.clone(), limit).await.0,
                    fitting,
                    "{query:?}"
                );
            }
        }
        let none = store.read_all(None, ended(), 0).await.unwrap();
        assert_eq!((none.events.len(), none.scanned_to), (0, None));
        let behind = store.read_all(Position::new(99), ended(), 9).await.unwrap();
        assert_eq!(behind.scanned_to, Position::new(99));
    });
}

#[test]
fn what_fits_few_events_is_looked_for_in_parts() {
    on_both(|store| async move {
        for _ in 0..25 {
            store
                .append(request("often-1", events("often", 1000)))
                .await
                .unwrap();
        }
        store
            .append(request("rare-1", events("rare", 1)))
            .await
            .unwrap();
        let page = store
            .read_all(None, Query::all().kind("rare"), 10)
            .await
            .unwrap();
        assert_eq!(page.events, []);
        assert_eq!(page.scanned_to, Position::new(10_000));
        for query in [Query::all().kind("rare"), Query::all().types(["rare"])] {
            assert_eq!(positions(&store, query, 10).await, (vec![25_001], 3));
        }
    });
}
