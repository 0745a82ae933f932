//! Events in memory: the same contract without the disk. For tests and for plugins that keep nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use super::{
    AppendError, AppendId, AppendRequest, BoxFuture, EventPage, EventStore, MAX_EVENT_BYTES,
    Position, Query, ReadError, Receipt, Recorded, RecordedEvent, Snapshot, StreamId,
    StreamVersion,
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
    appends: HashMap<AppendId, Appended>,
    snapshots: HashMap<StreamId, Snapshot>,
    closed: bool,
}

/// One append: which of the events are its own, and its reply.
#[derive(Debug)]
struct Appended {
    events: std::ops::Range<usize>,
    reply: Option<Vec<u8>>,
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
    fn recorded(&self, id: AppendId) -> Option<Recorded> {
        let Appended { events, reply } = self.appends.get(&id)?;
        Some(Recorded {
            events: self.events[events.clone()].to_vec(),
            reply: reply.clone(),
        })
    }

    fn append(&mut self, request: &AppendRequest) -> Result<Receipt, AppendError> {
        if let Some(recorded) = self.recorded(request.id) {
            return recorded.receipt(request);
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
            if !write.events.is_empty() {
                ends.extend(self.events.last().map(|event| event.version));
            }
        }
        let appended = Appended {
            events: start..self.events.len(),
            reply: request.reply.clone(),
        };
        self.appends.insert(request.id, appended);
        Ok(Receipt {
            first: self.events.get(start).map(|event| event.position),
            last: self.events[start..].last().map(|event| event.position),
            versions: ends,
            replayed: false,
        })
    }
}

impl EventStore for MemoryStore {
    fn append(&self, request: AppendRequest) -> BoxFuture<'_, Result<Receipt, AppendError>> {
        Box::pin(async move {
            request.check()?;
            let mut inner = self.open().map_err(|_| AppendError::Fenced)?;
            let receipt = inner.append(&request)?;
            if let Some(last) = receipt.last.filter(|_| !receipt.replayed) {
                self.head.send_replace(Some(last));
            }
            Ok(receipt)
        })
    }

    fn receipt(&self, id: AppendId) -> BoxFuture<'_, Result<Option<Recorded>, ReadError>> {
        Box::pin(async move { Ok(self.open()?.recorded(id)) })
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
        query: Query,
        limit: usize,
    ) -> BoxFuture<'_, Result<EventPage, ReadError>> {
        Box::pin(async move {
            let inner = self.open()?;
            let from = after.map_or(0, |after| after.get() as usize);
            let mut page = EventPage {
                events: Vec::new(),
                scanned_to: after,
            };
            for event in inner.events.iter().skip(from).take(query.scanned(limit)) {
                if page.events.len() == limit {
                    break;
                }
                page.scanned_to = Some(event.position);
                if query.takes_type(&event.event_type) && query.takes_stream(event.stream.as_str())
                {
                    page.events.push(event.clone());
                }
            }
            Ok(page)
        })
    }

    fn snapshot(&self, stream: StreamId) -> BoxFuture<'_, Result<Option<Snapshot>, ReadError>> {
        Box::pin(async move {
            let inner = self.open()?;
            let version = inner.streams.get(&stream).map_or(0, Vec::len) as u64;
            let kept = inner.snapshots.get(&stream).cloned();
            Ok(kept.filter(|kept| kept.version.get() <= version))
        })
    }

    fn save_snapshot(&self, snapshot: Snapshot) {
        if let Ok(mut inner) = self.open()
            && snapshot.body.len() <= MAX_EVENT_BYTES
        {
            inner.snapshots.insert(snapshot.stream.clone(), snapshot);
        }
    }

    fn head(&self) -> watch::Receiver<Option<Position>> {
        self.head.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async { self.lock().closed = true })
    }
}
