//! Events in memory: the same contract without the disk. For tests and for plugins that keep nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use super::{
    AppendError, AppendId, AppendRequest, BoxFuture, EventPage, EventStore, Position, ReadError,
    Receipt, RecordedEvent, StreamId, StreamVersion,
};

/// The event store in memory.
#[derive(Debug)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
    head: watch::Sender<Option<Position>>,
}

#[derive(Debug, Default)]
struct Inner {
    events: Vec<RecordedEvent>,
    streams: HashMap<StreamId, Vec<usize>>,
    appends: HashMap<AppendId, std::ops::Range<usize>>,
    closed: bool,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self {
            inner: Mutex::default(),
            head: watch::Sender::new(None),
        }
    }
}

impl MemoryStore {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Result<MutexGuard<'_, Inner>, ReadError> {
        let inner = self.lock();
        if inner.closed {
            Err(ReadError::Fenced)
        } else {
            Ok(inner)
        }
    }
}

impl Inner {
    fn append(&mut self, request: &AppendRequest) -> Result<Receipt, AppendError> {
        if let Some(range) = self.appends.get(&request.id) {
            let recorded = &self.events[range.clone()];
            let receipt =
                Receipt::of_recorded(recorded).filter(|_| request.is_recorded_as(recorded));
            return receipt.ok_or(AppendError::IdempotencyMismatch { id: request.id });
        }
        let mut versions: HashMap<&StreamId, u64> = HashMap::new();
        for write in &request.writes {
            let before = self
                .streams
                .get(&write.stream)
                .map_or(0, |events| events.len() as u64);
            let version = versions.entry(&write.stream).or_insert(before);
            let actual = StreamVersion::new(*version);
            if !write.expected.allows(actual) {
                let (stream, expected) = (write.stream.clone(), write.expected);
                return Err(AppendError::WrongExpectedVersion {
                    stream,
                    expected,
                    actual,
                });
            }
            *version += write.events.len() as u64;
        }
        let recorded_at = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_micros() as i64);
        let start = self.events.len();
        let mut ends = Vec::new();
        for write in &request.writes {
            for event in &write.events {
                let nth = self.events.len();
                let stream = self.streams.entry(write.stream.clone()).or_default();
                stream.push(nth);
                let (Some(position), Some(version)) = (
                    Position::new(nth as u64 + 1),
                    StreamVersion::new(stream.len() as u64),
                ) else {
                    continue;
                };
                self.events.push(RecordedEvent {
                    position,
                    stream: write.stream.clone(),
                    version,
                    event_id: request.id.event_id(nth - start),
                    event_type: Arc::from(event.event_type.as_ref()),
                    revision: event.revision,
                    recorded_at,
                    data: event.data.clone(),
                    metadata: event.metadata.clone(),
                });
            }
            ends.extend(
                self.streams
                    .get(&write.stream)
                    .and_then(|events| StreamVersion::new(events.len() as u64)),
            );
        }
        self.appends.insert(request.id, start..self.events.len());
        let mut receipt = Receipt::of_recorded(&self.events[start..]).ok_or(AppendError::Empty)?;
        receipt.versions = ends;
        receipt.replayed = false;
        Ok(receipt)
    }
}

impl EventStore for MemoryStore {
    fn append(&self, request: AppendRequest) -> BoxFuture<'_, Result<Receipt, AppendError>> {
        Box::pin(async move {
            request.check()?;
            let mut inner = self.open().map_err(|_| AppendError::Fenced)?;
            let receipt = inner.append(&request)?;
            if !receipt.replayed {
                self.head.send_replace(Some(receipt.last));
            }
            Ok(receipt)
        })
    }

    fn receipt(
        &self,
        id: AppendId,
    ) -> BoxFuture<'_, Result<Option<Vec<RecordedEvent>>, ReadError>> {
        Box::pin(async move {
            let inner = self.open()?;
            Ok(inner
                .appends
                .get(&id)
                .map(|range| inner.events[range.clone()].to_vec()))
        })
    }

    fn read_stream(
        &self,
        stream: StreamId,
        after: Option<StreamVersion>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RecordedEvent>, ReadError>> {
        Box::pin(async move {
            let inner = self.open()?;
            let events = inner.streams.get(&stream).map_or(&[][..], Vec::as_slice);
            let from = after.map_or(0, |after| after.get() as usize);
            Ok(events
                .iter()
                .skip(from)
                .take(limit)
                .map(|nth| inner.events[*nth].clone())
                .collect())
        })
    }

    fn read_all(
        &self,
        after: Option<Position>,
        limit: usize,
    ) -> BoxFuture<'_, Result<EventPage, ReadError>> {
        Box::pin(async move {
            let inner = self.open()?;
            let from = after.map_or(0, |after| after.get() as usize);
            let events: Vec<_> = inner
                .events
                .iter()
                .skip(from)
                .take(limit)
                .cloned()
                .collect();
            let scanned_to = events.last().map(|event| event.position).or(after);
            Ok(EventPage { events, scanned_to })
        })
    }

    fn head(&self) -> watch::Receiver<Option<Position>> {
        self.head.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async { self.lock().closed = true })
    }
}
