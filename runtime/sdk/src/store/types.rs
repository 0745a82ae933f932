//! The words of the event store.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

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

    /// Id of the `nth` event of this append.
    pub(crate) const fn event_id(self, nth: usize) -> Uuid {
        Uuid::from_u128(self.0.as_u128().wrapping_add(nth as u128))
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
    /// What to write: all of it or nothing.
    pub writes: Vec<StreamWrite>,
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
        }
    }

    /// How many events it has.
    pub(crate) fn events(&self) -> usize {
        self.writes.iter().map(|write| write.events.len()).sum()
    }

    /// The limits, which hold for every store.
    pub(crate) fn check(&self) -> Result<(), AppendError> {
        let events = self.events();
        if events == 0 {
            return Err(AppendError::Empty);
        }
        if events > MAX_APPEND_EVENTS {
            return Err(AppendError::TooMany { events });
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

    /// Whether `recorded` are the events of this request, as they are when it was carried out before.
    pub(crate) fn is_recorded_as(&self, recorded: &[RecordedEvent]) -> bool {
        let wanted = self
            .writes
            .iter()
            .flat_map(|write| write.events.iter().map(move |event| (&write.stream, event)));
        wanted.clone().count() == recorded.len()
            && wanted.zip(recorded).all(|((stream, event), recorded)| {
                *stream == recorded.stream
                    && event.event_type == recorded.event_type.as_ref()
                    && event.revision == recorded.revision
                    && event.data == recorded.data
            })
    }
}

/// What an append did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Position of its first event.
    pub first: Position,
    /// Position of its last event.
    pub last: Position,
    /// Version of each stream behind it, in the order of the writes.
    pub versions: Vec<StreamVersion>,
    /// Whether it had happened before, under the same id.
    pub replayed: bool,
}

impl Receipt {
    /// The receipt of an append that wrote `events`, one version per stream; `None` if there are no events.
    pub(crate) fn of_recorded(events: &[RecordedEvent]) -> Option<Self> {
        let (first, last) = (events.first()?.position, events.last()?.position);
        let ends = events.chunk_by(|one, next| one.stream == next.stream);
        let versions = ends
            .filter_map(|chunk| chunk.last().map(|event| event.version))
            .collect();
        Some(Self {
            first,
            last,
            versions,
            replayed: true,
        })
    }
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

/// A part of all events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventPage {
    /// The events, in the order of their positions.
    pub events: Vec<RecordedEvent>,
    /// Read on behind this position.
    pub scanned_to: Option<Position>,
}

/// Why an append did not happen. In every case nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The stream is not at the expected version.
    #[error("stream `{stream}` is at {}, not {}", show(*actual), show_expected(*expected))]
    WrongExpectedVersion {
        /// The stream.
        stream: StreamId,
        /// What the caller expected.
        expected: ExpectedVersion,
        /// What it is at.
        actual: Option<StreamVersion>,
    },
    /// The same id was used for other events.
    #[error("append `{}` was used for other events before", id.0)]
    IdempotencyMismatch {
        /// The id.
        id: AppendId,
    },
    /// An append needs an event.
    #[error("an append needs at least one event")]
    Empty,
    /// More than [`MAX_APPEND_EVENTS`].
    #[error("{events} events in one append, at most {MAX_APPEND_EVENTS} are allowed")]
    TooMany {
        /// How many.
        events: usize,
    },
    /// More than [`MAX_EVENT_BYTES`].
    #[error("an event `{event_type}` of {bytes} bytes, at most {MAX_EVENT_BYTES} are allowed")]
    TooLarge {
        /// Its type.
        event_type: String,
        /// Its size.
        bytes: usize,
    },
    /// A stream's name is empty or too long.
    #[error("a stream name of {bytes} bytes, 1 to 256 are allowed")]
    StreamName {
        /// Its length.
        bytes: usize,
    },
    /// Another generation of the plugin writes now, or the store is not open.
    #[error("the store is fenced: another generation of this plugin writes to it, or it is closed")]
    Fenced,
    /// The database refused.
    #[error("the database refused the append")]
    Storage(#[source] Arc<rusqlite::Error>),
}

fn show(version: Option<StreamVersion>) -> String {
    version.map_or_else(
        || "no event".to_owned(),
        |version| format!("version {version}"),
    )
}

fn show_expected(expected: ExpectedVersion) -> String {
    match expected {
        ExpectedVersion::Any => "any version".to_owned(),
        ExpectedVersion::NoStream => "no event".to_owned(),
        ExpectedVersion::StreamExists => "any event".to_owned(),
        ExpectedVersion::Exact(version) => format!("version {version}"),
    }
}

/// Why a read failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The store is closed, for a swap for instance.
    #[error("the store is closed: another generation of this plugin has it")]
    Fenced,
    /// The database refused.
    #[error("the database refused the read")]
    Storage(#[source] Arc<rusqlite::Error>),
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Storage(Arc::new(error))
    }
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A directory or the lock file could not be made.
    #[error("failed to make `{path}`")]
    Files {
        /// What.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Somebody else has it open: two SQLite libraries on one file lose commits.
    #[error("the store `{path}` is open in another process or generation")]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// The SQLite linked is one that can lose commits.
    #[error(
        "SQLite {linked} is linked, at least {needed} is needed (earlier ones can lose commits in WAL mode)"
    )]
    SqliteTooOld {
        /// What is linked.
        linked: &'static str,
        /// What is needed.
        needed: &'static str,
    },
    /// The database was written by an SDK whose form this one cannot read.
    #[error(
        "`{path}` needs an SDK that reads store format {needed}, this one reads up to {known}: update the SDK"
    )]
    TooNew {
        /// The database.
        path: PathBuf,
        /// The least format number that its reader must know.
        needed: u32,
        /// The greatest that this SDK knows.
        known: u32,
    },
    /// The epoch asked for is older than the one that the database holds.
    #[error("`{path}` is at epoch {actual}, so epoch {asked} may not write to it")]
    Fenced {
        /// The database.
        path: PathBuf,
        /// The epoch asked for.
        asked: u64,
        /// The epoch of the database.
        actual: u64,
    },
    /// A setting did not take.
    #[error("`{path}` refused the setting {setting}: it is {actual}")]
    Setting {
        /// The database.
        path: PathBuf,
        /// The setting.
        setting: &'static str,
        /// What it is instead.
        actual: String,
    },
    /// The database refused.
    #[error("failed to open `{path}`")]
    Storage {
        /// The database.
        path: PathBuf,
        /// Why not.
        source: rusqlite::Error,
    },
}
