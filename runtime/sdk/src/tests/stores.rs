//! What both stores keep beyond the suite: how far one read looks.

use std::sync::Arc;

use tempfile::TempDir;

use crate::store::{
    AppendRequest, EventStore, ExpectedVersion, MemoryStore, NewEvent, Position, Query,
    SqliteOptions, SqliteStore, StreamId,
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
