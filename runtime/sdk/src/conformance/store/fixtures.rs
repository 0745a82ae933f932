//! Events to append, and the store's answers as the checks look at them.

use std::sync::Arc;

use crate::store::{
    AppendError, AppendId, AppendRequest, EventPage, EventStore, ExpectedVersion, Metadata,
    NewEvent, Position, Query, Receipt, RecordedEvent, StreamId, StreamVersion, StreamWrite,
};

pub(in crate::conformance) type Store = Arc<dyn EventStore>;

/// An event whose payload is the number `nth`.
pub(in crate::conformance) fn event(nth: usize) -> NewEvent {
    NewEvent {
        event_type: "happened".into(),
        revision: 1,
        data: nth.to_string().into_bytes(),
        metadata: Metadata::default(),
    }
}

pub(super) fn write(name: &str, expected: ExpectedVersion, events: usize) -> StreamWrite {
    StreamWrite {
        stream: StreamId::new(name),
        expected,
        events: (0..events).map(event).collect(),
    }
}

/// An append of `events` events to one stream.
pub(in crate::conformance) fn request(
    name: &str,
    expected: ExpectedVersion,
    events: usize,
) -> AppendRequest {
    let events = (0..events).map(event).collect();
    AppendRequest::new(StreamId::new(name), expected, events)
}

/// An append of several writes.
pub(super) fn several(writes: Vec<StreamWrite>) -> AppendRequest {
    AppendRequest {
        id: AppendId::fresh(),
        writes,
        reply: None,
    }
}

/// Exactly this many events.
pub(in crate::conformance) fn at(version: u64) -> ExpectedVersion {
    ExpectedVersion::from_loaded(StreamVersion::new(version))
}

/// Appends what must be accepted.
#[track_caller]
pub(in crate::conformance) fn append(
    store: &Store,
    request: AppendRequest,
) -> impl Future<Output = Receipt> + Send + use<> {
    let (store, caller) = (store.clone(), std::panic::Location::caller());
    async move {
        let answer = store.append(request).await;
        answer.unwrap_or_else(|error| panic!("an append is refused at {caller}: {error}"))
    }
}

/// Appends `events` events to a stream, whatever it is like.
#[track_caller]
pub(super) fn add(
    store: &Store,
    name: &str,
    events: usize,
) -> impl Future<Output = Receipt> + Send + use<> {
    append(store, request(name, ExpectedVersion::Any, events))
}

/// All events of a stream.
pub(in crate::conformance) async fn stream(store: &Store, name: &str) -> Vec<RecordedEvent> {
    let events = store
        .read_stream(StreamId::new(name), None, usize::MAX)
        .await;
    events.unwrap_or_else(|error| panic!("stream `{name}` cannot be read: {error}"))
}

/// All events, read in parts: of a size that nobody else uses, so that what is wrong at the end of parts differs.
pub(in crate::conformance) async fn all(store: &Store) -> Vec<RecordedEvent> {
    let mut events = Vec::new();
    let mut after = None;
    loop {
        let part = page(store, after, 777).await;
        if part.events.is_empty() {
            return events;
        }
        assert!(
            part.scanned_to > after,
            "a part with events does not lead on"
        );
        after = part.scanned_to;
        events.extend(part.events);
    }
}

/// A part of all events.
pub(super) async fn page(store: &Store, after: Option<Position>, limit: usize) -> EventPage {
    let page = store.read_all(after, Query::all(), limit).await;
    page.unwrap_or_else(|error| panic!("the events cannot be read: {error}"))
}

/// The events that were appended under `id`.
pub(super) async fn recorded(store: &Store, id: AppendId) -> Option<Vec<RecordedEvent>> {
    let recorded = store.receipt(id).await;
    let recorded = recorded.unwrap_or_else(|error| panic!("a receipt cannot be read: {error}"));
    recorded.map(|recorded| recorded.events)
}

/// The reply of the append with this `id`.
pub(super) async fn reply(store: &Store, id: AppendId) -> Option<Vec<u8>> {
    let recorded = store.receipt(id).await;
    let recorded = recorded.unwrap_or_else(|error| panic!("a receipt cannot be read: {error}"));
    recorded.and_then(|recorded| recorded.reply)
}

/// Position of the first event of an append.
pub(super) fn first(receipt: &Receipt) -> Position {
    receipt
        .first
        .unwrap_or_else(|| panic!("an append of events has no first position"))
}

/// Position of the last event of an append.
pub(in crate::conformance) fn last(receipt: &Receipt) -> Position {
    receipt
        .last
        .unwrap_or_else(|| panic!("an append of events has no last position"))
}

pub(super) fn numbers(receipt: &Receipt) -> Vec<u64> {
    receipt
        .versions
        .iter()
        .map(|version| version.get())
        .collect()
}

pub(super) fn versions(events: &[RecordedEvent]) -> Vec<u64> {
    events.iter().map(|event| event.version.get()).collect()
}

pub(super) fn positions(events: &[RecordedEvent]) -> Vec<Position> {
    events.iter().map(|event| event.position).collect()
}

/// Whether it was refused because a stream is not as expected.
pub(super) fn is_conflict(answer: &Result<Receipt, AppendError>) -> bool {
    matches!(answer, Err(AppendError::WrongExpectedVersion { .. }))
}

/// Whether it was refused because its id belongs to another append.
pub(super) fn is_mismatch(answer: &Result<Receipt, AppendError>) -> bool {
    matches!(answer, Err(AppendError::IdempotencyMismatch { .. }))
}

/// Asserts that `events` are the events of `request`, from the first to the last.
#[track_caller]
pub(super) fn assert_recorded(request: &AppendRequest, events: &[RecordedEvent]) {
    let wanted = request
        .writes
        .iter()
        .flat_map(|write| write.events.iter().map(move |event| (&write.stream, event)));
    let told: Vec<_> = events
        .iter()
        .map(|event| (&event.stream, &event.data))
        .collect();
    let sent: Vec<_> = wanted
        .map(|(stream, event)| (stream, &event.data))
        .collect();
    assert_eq!(told, sent, "not the events that were appended");
}
