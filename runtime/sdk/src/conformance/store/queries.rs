//! Reads of what fits: by type, by kind, and in parts that lead to the end.

use super::fixtures::{Store, append, event, request};
use crate::conformance::Subject;
use crate::store::ExpectedVersion::Any;
use crate::store::{MAX_APPEND_EVENTS, NewEvent, Position, Query};

/// Appends an event of this type whose payload is the number `nth`.
async fn put(store: &Store, name: &str, kind: &'static str, nth: usize) {
    let mut one = request(name, Any, 0);
    one.writes[0].events.push(NewEvent {
        event_type: kind.into(),
        ..event(nth)
    });
    append(store, one).await;
}

/// Numbers of the events that fit, read in parts of `limit` until the head is reached.
async fn fitting(store: &Store, query: &Query, limit: usize) -> Vec<usize> {
    let head = *store.head().borrow();
    let (mut after, mut found) = (None, Vec::new());
    let read = async |after| {
        let page = store.read_all(after, query.clone(), limit).await;
        page.unwrap_or_else(|error| panic!("{query:?} cannot be read: {error}"))
    };
    while after < head {
        let page = read(after).await;
        assert!(
            page.scanned_to > after,
            "{query:?} does not get on behind {after:?}"
        );
        assert!(page.events.len() <= limit, "more than {limit}");
        let places = page.events.iter().map(|event| Some(event.position));
        assert!(
            places.clone().is_sorted_by(|one, next| one < next)
                && places
                    .clone()
                    .all(|place| after < place && place <= page.scanned_to),
            "{query:?} gives events that are not between {after:?} and {:?}",
            page.scanned_to
        );
        let number = |data: &[u8]| String::from_utf8_lossy(data).parse::<usize>().ok();
        found.extend(page.events.iter().filter_map(|event| number(&event.data)));
        after = page.scanned_to;
    }
    let end = read(after).await;
    assert_eq!((end.events.len(), end.scanned_to), (0, after), "{query:?}");
    found
}

/// Six events of two types on streams of two kinds, and of names that begin alike.
async fn orders_and_parcels(store: &Store) {
    let events = [
        ("order-1", "placed"),
        ("orders-1", "placed"),
        ("order-2", "shipped"),
        ("parcel-1", "shipped"),
        ("order-1", "cancelled"),
        ("order", "shipped"),
    ];
    for (nth, (name, kind)) in events.into_iter().enumerate() {
        put(store, name, kind, nth).await;
    }
}

/// Asserts what fits, in parts of several sizes.
async fn assert_fitting(store: &Store, query: Query, numbers: &[usize]) {
    for limit in [1, 2, 3, 100] {
        let found = fitting(store, &query, limit).await;
        assert_eq!(found, numbers, "{query:?} in parts of {limit}");
    }
}

/// A query for types gives the events of exactly these types; for none, none.
pub async fn events_are_found_by_type(subject: Subject) {
    let store = subject.open().await;
    orders_and_parcels(&store).await;
    assert_fitting(&store, Query::all(), &[0, 1, 2, 3, 4, 5]).await;
    assert_fitting(&store, Query::all().types(["shipped"]), &[2, 3, 5]).await;
    let ended = Query::all().types(["shipped", "cancelled"]);
    assert_fitting(&store, ended, &[2, 3, 4, 5]).await;
    for never in ["ship", "shipped_late", "Shipped", ""] {
        assert_fitting(&store, Query::all().types([never]), &[]).await;
    }
    assert_fitting(&store, Query::all().types::<&str>([]), &[]).await;
}

/// A query for a kind gives the events of the streams `{kind}-…`, and not of those that only begin alike.
pub async fn events_are_found_by_kind(subject: Subject) {
    let store = subject.open().await;
    orders_and_parcels(&store).await;
    assert_fitting(&store, Query::all().kind("order"), &[0, 2, 4]).await;
    assert_fitting(&store, Query::all().kind("parcel"), &[3]).await;
    for never in ["order-", "orde", "order-1", "ORDER", "%", "_____"] {
        assert_fitting(&store, Query::all().kind(never), &[]).await;
    }
}

/// An event fits a query only if it fits every condition of it.
pub async fn a_query_gives_what_fits_all_its_conditions(subject: Subject) {
    let store = subject.open().await;
    orders_and_parcels(&store).await;
    let ended = || Query::all().types(["shipped", "cancelled"]);
    assert_fitting(&store, ended().kind("order"), &[2, 4]).await;
    assert_fitting(&store, ended().kind("parcel"), &[3]).await;
    assert_fitting(&store, ended().kind("orders"), &[]).await;
    // What there was when the first was asked for was no condition on what comes later.
    put(&store, "orders-2", "cancelled", 6).await;
    assert_fitting(&store, ended().kind("orders"), &[6]).await;
}

/// Every part of a read leads on, also where nothing fits for long, and nothing that fits is passed over.
pub async fn what_few_events_fit_is_found(subject: Subject) {
    let store = subject.open().await;
    put(&store, "rare-1", "rare", 1).await;
    for _ in 0..12 {
        append(&store, request("often-1", Any, MAX_APPEND_EVENTS)).await;
    }
    put(&store, "rare-1", "rare", 2).await;
    append(&store, request("often-2", Any, 3)).await;
    put(&store, "rare-2", "rare", 3).await;
    put(&store, "rare-2", "rare", 4).await;
    append(&store, request("often-2", Any, 3)).await;
    for query in [Query::all().kind("rare"), Query::all().types(["rare"])] {
        for limit in [1, 2, 10] {
            let found = fitting(&store, &query, limit).await;
            assert_eq!(found, [1, 2, 3, 4], "{query:?} in parts of {limit}");
        }
        let never = query.types(["never"]);
        assert!(fitting(&store, &never, 10).await.is_empty());
    }
}

/// A query with a limit of 0, or from behind the end, goes nowhere.
pub async fn a_query_never_sends_a_reader_elsewhere(subject: Subject) {
    let store = subject.open().await;
    orders_and_parcels(&store).await;
    let head = *store.head().borrow();
    let far = Position::new(1 << 40);
    for query in [Query::all().types(["shipped"]), Query::all().kind("order")] {
        for (after, limit) in [(None, 0), (head, 0), (head, 9), (far, 0), (far, 9)] {
            let page = store.read_all(after, query.clone(), limit).await;
            let page = page.unwrap_or_else(|error| panic!("{query:?} cannot be read: {error}"));
            assert_eq!(
                (page.events.len(), page.scanned_to),
                (0, after),
                "{query:?} behind {after:?}, at most {limit}"
            );
        }
    }
}
