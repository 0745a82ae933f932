//! The words of the event store.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::AppendError;

/// The largest payload of one event, in bytes of its encoding.
pub const MAX_EVENT_BYTES: usize = 1024 * 1024;
/// The most events of one append.
pub const MAX_APPEND_EVENTS: usize = 1000;

/// Name of a stream: `order-0190…`. Not empty, at most 256 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(Arc<str>);

impl StreamId {
    /// The stream of the thing `id` of kind `kind`: `{kind}-{id}`.
    pub fn of(kind: &str, id: &str) -> Self {
        Self(format!("{kind}-{id}").into())
    }

    /// A stream by its whole name.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the kind: `0190…` of `order-0190…`, if the stream is of that kind.
    pub fn id_of(&self, kind: &str) -> Option<&str> {
        self.0.strip_prefix(kind)?.strip_prefix('-')
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Version of a stream: the number of its events. A stream that does not exist has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamVersion(NonZeroU64);

impl StreamVersion {
    /// Version of a stream with `events` events; `None` if that is 0.
    pub const fn new(events: u64) -> Option<Self> {
        match NonZeroU64::new(events) {
            Some(events) => Some(Self(events)),
            None => None,
        }
    }

    /// The number of events.
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for StreamVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Place of an event among all events of its store. Only its order means something: there may be gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(NonZeroU64);

impl Position {
    /// The position with this number; `None` for 0, which is before all.
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// Its number.
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a stream must be like for an append to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// Anything.
    Any,
    /// It has no events yet.
    NoStream,
    /// It has events.
    StreamExists,
    /// It has exactly this many.
    Exact(StreamVersion),
}

impl ExpectedVersion {
    /// `Exact`, or `NoStream` if there is no version.
    pub const fn from_loaded(version: Option<StreamVersion>) -> Self {
        match version {
            Some(version) => Self::Exact(version),
            None => Self::NoStream,
        }
    }

    pub(crate) const fn allows(self, actual: Option<StreamVersion>) -> bool {
        match (self, actual) {
            (Self::Any, _) | (Self::NoStream, None) | (Self::StreamExists, Some(_)) => true,
            (Self::Exact(want), Some(actual)) => want.get() == actual.get(),
            _ => false,
        }
    }
}

/// Names one append for ever. Appending again with the same id gives the first receipt back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AppendId(pub Uuid);

impl AppendId {
    /// A new one, ordered by time.
    pub fn fresh() -> Self {
        Self(Uuid::now_v7())
    }

    /// Id of the `nth` event of this append: its own for the first, and others of its [`span`](Self::span) for the rest.
    ///
    /// Ids that follow each other, as those of a counter, must not lead to each other's events: multiples of the golden
    /// ratio keep well apart, from each other and from the first.
    pub(crate) const fn event_id(self, nth: usize) -> Uuid {
        if nth == 0 {
            return self.0;
        }
        let spread = !(nth as u32).wrapping_mul(0x9e37_79b9);
        Uuid::from_u128(self.0.as_u128() ^ spread as u128)
    }

    /// Between which ids those of its events lie: they differ in the last 32 bits, which are random where ids are made of
    /// the time.
    pub(crate) const fn span(self) -> (Uuid, Uuid) {
        const LAST: u128 = u32::MAX as u128;
        let id = self.0.as_u128();
        (Uuid::from_u128(id & !LAST), Uuid::from_u128(id | LAST))
    }
}

/// What is known about an event beside its payload.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Metadata {
    /// The conversation it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<Uuid>,
    /// The message directly before it: its command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<Uuid>,
    /// What that command itself came from: an event, a fact, a hope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin_id: Option<Uuid>,
    /// Who caused it: a user's name or id, as the plugin knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Name of the command that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Fingerprint of the command's content, to tell a retry from another command with the same id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_digest: Option<u64>,
}

/// An event to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Type name without revision: `order_confirmed`.
    pub event_type: Cow<'static, str>,
    /// Revision of the payload's schema, from 1.
    pub revision: u32,
    /// The payload: JSON.
    pub data: Vec<u8>,
    /// What else is known.
    pub metadata: Metadata,
}

impl NewEvent {
    /// An event with `payload` as JSON and no metadata.
    ///
    /// # Errors
    ///
    /// If the payload cannot be written as JSON (a map with keys that are no strings, for instance).
    pub fn json<T: Serialize>(
        event_type: impl Into<Cow<'static, str>>,
        revision: u32,
        payload: &T,
    ) -> Result<Self, serde_json::Error> {
        let data = serde_json::to_vec(payload)?;
        Ok(Self {
            event_type: event_type.into(),
            revision,
            data,
            metadata: Metadata::default(),
        })
    }
}

/// Events for one stream, and what it must be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamWrite {
    /// The stream.
    pub stream: StreamId,
    /// What it must be like.
    pub expected: ExpectedVersion,
    /// The events, in order.
    pub events: Vec<NewEvent>,
}

/// One atomic append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendRequest {
    /// Its id.
    pub id: AppendId,
    /// What to write: all of it or nothing. A write without events only says what its stream must be like.
    pub writes: Vec<StreamWrite>,
    /// What is answered to whoever caused it: JSON, at most [`MAX_EVENT_BYTES`]. It is stored with the events, and
    /// given back with them by [`EventStore::receipt`](super::EventStore::receipt) for ever.
    pub reply: Option<Vec<u8>>,
}

impl AppendRequest {
    /// An append with a fresh id to one stream.
    pub fn new(stream: StreamId, expected: ExpectedVersion, events: Vec<NewEvent>) -> Self {
        Self {
            id: AppendId::fresh(),
            writes: vec![StreamWrite {
                stream,
                expected,
                events,
            }],
            reply: None,
        }
    }

    /// The same under another id.
    #[must_use]
    pub const fn with_id(mut self, id: AppendId) -> Self {
        self.id = id;
        self
    }

    /// The same with a reply to remember.
    #[must_use]
    pub fn replying(mut self, reply: impl Into<Vec<u8>>) -> Self {
        self.reply = Some(reply.into());
        self
    }

    /// How many events it has.
    pub(crate) fn events(&self) -> usize {
        self.writes.iter().map(|write| write.events.len()).sum()
    }

    /// The limits, which hold for every store.
    pub(crate) fn check(&self) -> Result<(), AppendError> {
        let events = self.events();
        if events == 0 && self.reply.is_none() {
            return Err(AppendError::Empty);
        }
        if events > MAX_APPEND_EVENTS {
            return Err(AppendError::TooMany { events });
        }
        let reply = self.reply.as_ref().map_or(0, Vec::len);
        if reply > MAX_EVENT_BYTES {
            return Err(AppendError::ReplyTooLarge { bytes: reply });
        }
        for write in &self.writes {
            let name = write.stream.as_str();
            if name.is_empty() || name.len() > 256 {
                return Err(AppendError::StreamName { bytes: name.len() });
            }
            for event in &write.events {
                if event.data.len() > MAX_EVENT_BYTES {
                    let event_type = event.event_type.clone().into_owned();
                    return Err(AppendError::TooLarge {
                        event_type,
                        bytes: event.data.len(),
                    });
                }
            }
        }
        Ok(())
    }
}

/// What is stored under the id of an append.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Its events, in order.
    pub events: Vec<RecordedEvent>,
    /// What was answered, if that was to be remembered.
    pub reply: Option<Vec<u8>>,
}

impl Recorded {
    /// The receipt of `request` again, if it is what was carried out: the same events, and without any, the same
    /// reply. (With events the first reply stays, whatever a later sending would have answered.)
    pub(crate) fn receipt(&self, request: &AppendRequest) -> Result<Receipt, AppendError> {
        let wanted = request
            .writes
            .iter()
            .flat_map(|write| write.events.iter().map(move |event| (&write.stream, event)));
        let same_events = wanted.clone().count() == self.events.len()
            && wanted.zip(&self.events).all(|((stream, event), recorded)| {
                *stream == recorded.stream
                    && event.event_type == recorded.event_type.as_ref()
                    && event.revision == recorded.revision
                    && event.data == recorded.data
            });
        if !same_events || (self.events.is_empty() && self.reply != request.reply) {
            return Err(AppendError::IdempotencyMismatch { id: request.id });
        }
        let mut behind = 0;
        let ends = request.writes.iter().filter_map(|write| {
            behind += write.events.len();
            let last = behind.checked_sub(1).and_then(|last| self.events.get(last));
            last.filter(|_| !write.events.is_empty())
        });
        let versions = ends.map(|event| event.version).collect();
        Ok(Receipt {
            first: self.events.first().map(|event| event.position),
            last: self.events.last().map(|event| event.position),
            versions,
            replayed: true,
        })
    }
}

/// What an append did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Position of its first event; `None` if it had no events, only a reply.
    pub first: Option<Position>,
    /// Position of its last event.
    pub last: Option<Position>,
    /// Version behind each write that had events, in the order of the writes.
    pub versions: Vec<StreamVersion>,
    /// Whether it had happened before, under the same id.
    pub replayed: bool,
}

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Its place among all.
    pub position: Position,
    /// Its stream.
    pub stream: StreamId,
    /// Its place in the stream, from 1.
    pub version: StreamVersion,
    /// Its own id.
    pub event_id: Uuid,
    /// Type name without revision.
    pub event_type: Arc<str>,
    /// Revision of the payload's schema.
    pub revision: u32,
    /// When it was appended, in microseconds since 1970-01-01 UTC. For people; never for order.
    pub recorded_at: i64,
    /// The payload: JSON.
    pub data: Vec<u8>,
    /// What else is known.
    pub metadata: Metadata,
}

impl RecordedEvent {
    /// Type name with revision: `order_confirmed_v1`.
    pub fn versioned_type(&self) -> String {
        format!("{}_v{}", self.event_type, self.revision)
    }
}
