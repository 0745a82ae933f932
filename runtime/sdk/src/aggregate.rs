//! Deciding and remembering: commands in, events out, state from events. All of it pure.
//!
//! A division's state implements [`Aggregate`]: its `apply` folds one event in. Each desk has a function
//! `handle(&State, Command, &Cx) -> Result<Vec<Event>, Rejection>`. Neither may look at a clock, draw a random number
//! or do any input or output; times and ids come from [`Cx`].
//!
//! [`Event`] is one type of event in one revision, [`EventSet`] all of a division, [`Upcast`] what makes a newer revision
//! of an older one. The front page of [this crate](crate) has all of it in one example; here is a decision that makes ids:
//!
//! ```
//! use hecate_sdk::aggregate::Cx;
//! use hecate_sdk::uuid::Uuid;
//!
//! let command = Uuid::now_v7();
//! let cx = Cx::new("order-1", command, "2026-11-22T10:00:00Z".parse()?);
//! // Tried again, for somebody else was faster, the same command makes the same ids.
//! assert_eq!(cx.new_id(0), Cx::new("order-1", command, cx.now()).new_id(0));
//! assert_ne!(cx.new_id(0), cx.new_id(1));
//! # Ok::<(), hecate_sdk::jiff::Error>(())
//! ```

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::flags::StatusChange;
use crate::store::{Metadata, NewEvent, RecordedEvent, StreamVersion};

mod upcast;

pub use upcast::{Upcast, UpcastTo, decode_rewritten, upcast};

/// One type of event, in one revision. Its payload is kept for ever: change it by a new revision.
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Type name without revision, in the past tense: `order_confirmed`.
    const NAME: &'static str;
    /// Revision of the payload, from 1.
    const REVISION: u32;
    /// Bits that it sets in the status: a power of two, or 0.
    const SETS: u64 = 0;
    /// Bits that it clears in the status.
    const CLEARS: u64 = 0;
}

/// All events of a division: an enum with one variant for each type, in its newest revision. Stored events of an older
/// one are told as that, see [`Upcast`].
pub trait EventSet: Sized + Send + Sync + 'static {
    /// Reads a stored event, of whatever revision there was.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the type is unknown or the payload is not of its form.
    fn decode(event_type: &str, revision: u32, data: &[u8]) -> Result<Self, DecodeError>;

    /// Writes it for storing.
    ///
    /// # Errors
    ///
    /// If the payload cannot be written as JSON.
    fn encode(&self) -> Result<NewEvent, serde_json::Error>;

    /// What it does to the status.
    fn status_change(&self) -> StatusChange;
}

/// Takes events of type `E` in: what a desk's own part of a state does with the desk's events.
pub trait Apply<E> {
    /// Takes one event in. Never fails: what is in the store has happened.
    fn apply(&mut self, event: &E);
}

/// A thing that decides, and what it remembers: folded from its own events alone.
pub trait Aggregate: Default + Send + Sync + 'static {
    /// Its events.
    type Event: EventSet;
    /// Its kind; streams are named `{KIND}-{id}`.
    const KIND: &'static str;
    /// Takes one event in. Never fails: what is in the store has happened.
    fn apply(&mut self, event: &Self::Event);

    /// Whether its states are kept, so that a thing with a long past need not be folded from its first event each time.
    fn snapshots() -> Option<Snapshots<Self>> {
        None
    }
}

/// How states are kept: a cache beside the events, which are still all that counts.
///
/// ```
/// # use hecate_sdk::aggregate::*;
/// # use hecate_sdk::flags::StatusChange;
/// # use hecate_sdk::store::NewEvent;
/// # use hecate_sdk::serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)]
/// # #[serde(crate = "hecate_sdk::serde")]
/// # struct Measured { celsius: f64 }
/// # impl Event for Measured { const NAME: &'static str = "measured"; const REVISION: u32 = 1; }
/// # impl EventSet for Measured {
/// #     fn decode(_: &str, _: u32, data: &[u8]) -> Result<Self, DecodeError> { decode_payload(data) }
/// #     fn encode(&self) -> Result<NewEvent, hecate_sdk::serde_json::Error> { encode_payload(self) }
/// #     fn status_change(&self) -> StatusChange { status_change::<Self>() }
/// # }
/// #[derive(Default, Serialize, Deserialize)]
/// #[serde(crate = "hecate_sdk::serde")]
/// struct Sensor { highest: f64 }
///
/// impl Aggregate for Sensor {
///     type Event = Measured;
///     const KIND: &'static str = "sensor";
///
///     fn apply(&mut self, event: &Measured) {
///         self.highest = self.highest.max(event.celsius);
///     }
///
///     fn snapshots() -> Option<Snapshots<Self>> {
///         // Another number whenever the fields of the state change, or what `apply` makes of an event.
///         Some(Snapshots::every(500, 1))
///     }
/// }
/// ```
pub struct Snapshots<A> {
    pub(crate) every: u64,
    pub(crate) fingerprint: u64,
    pub(crate) encode: fn(&A) -> Option<Vec<u8>>,
    pub(crate) decode: fn(&[u8]) -> Option<A>,
}

impl<A: Serialize + DeserializeOwned> Snapshots<A> {
    /// Keeps the state whenever `events` more have been folded. What was kept under another `fingerprint` is not read:
    /// it must change with the form of the state and with what `apply` does.
    pub fn every(events: u32, fingerprint: u64) -> Self {
        Self {
            every: u64::from(events.max(1)),
            fingerprint,
            encode: |state| serde_json::to_vec(state).ok(),
            decode: |body| serde_json::from_slice(body).ok(),
        }
    }
}

/// A stored event that this build cannot read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// No such type or revision here: written by a newer plugin, most likely.
    #[error(
        "events of type `{event_type}_v{revision}` are not known to this version of the plugin"
    )]
    UnknownType {
        /// Its type.
        event_type: String,
        /// Its revision.
        revision: u32,
    },
    /// The payload is not of the type's form.
    #[error("the payload of an event `{event_type}_v{revision}` is not of that type's form")]
    Payload {
        /// Its type.
        event_type: String,
        /// Its revision.
        revision: u32,
        /// What is wrong.
        source: serde_json::Error,
    },
}

impl DecodeError {
    /// For [`EventSet::decode`]: the type is not one of the set's.
    pub fn unknown(event_type: &str, revision: u32) -> Self {
        Self::UnknownType {
            event_type: event_type.to_owned(),
            revision,
        }
    }
}

/// Reads the payload of an event of type `E`; for [`EventSet::decode`].
///
/// # Errors
///
/// [`DecodeError::Payload`].
pub fn decode_payload<E: Event>(data: &[u8]) -> Result<E, DecodeError> {
    serde_json::from_slice(data).map_err(|source| DecodeError::Payload {
        event_type: E::NAME.to_owned(),
        revision: E::REVISION,
        source,
    })
}

/// Writes an event of type `E`; for [`EventSet::encode`].
///
/// # Errors
///
/// If the payload cannot be written as JSON.
pub fn encode_payload<E: Event>(event: &E) -> Result<NewEvent, serde_json::Error> {
    NewEvent::json(E::NAME, E::REVISION, event)
}

/// What an event of type `E` does to the status; for [`EventSet::status_change`].
pub const fn status_change<E: Event>() -> StatusChange {
    StatusChange {
        sets: E::SETS,
        clears: E::CLEARS,
    }
}

/// What a decision may know beside state and command: which thing, when, and new ids.
#[derive(Debug, Clone)]
pub struct Cx {
    id: String,
    command_id: Uuid,
    now: Timestamp,
}

impl Cx {
    /// A decision about the thing `id`, for the command `command_id`, at `now`.
    pub fn new(id: impl Into<String>, command_id: Uuid, now: Timestamp) -> Self {
        Self {
            id: id.into(),
            command_id,
            now,
        }
    }

    /// Id of the thing that is decided about.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When the command arrived.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Id of the command.
    pub const fn command_id(&self) -> Uuid {
        self.command_id
    }

    /// The `nth` new id of this decision. The same command gets the same ids when it is tried again.
    pub fn new_id(&self, nth: u32) -> Uuid {
        derived_id(self.command_id, nth)
    }
}

/// An id that follows from a command's: as ordered in time as that one, and different from it.
pub(crate) fn derived_id(command: Uuid, nth: u32) -> Uuid {
    // Mixes the random low part (62 bits); version, variant and the time in front stay.
    const LOW: u128 = (1 << 62) - 1;
    let mix = u64::from(nth)
        .wrapping_add(1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Uuid::from_u128(command.as_u128() ^ (u128::from(mix) & LOW))
}

/// An id that follows from a name; as ordered in time as `from`, if that is an id of version 7.
pub(crate) fn named_id(from: Option<Uuid>, name: &[u8]) -> Uuid {
    // 48 bits of time and 4 of version from the one, the rest from a hash of the name.
    const FRONT: u128 = !0 << 76;
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, name);
    match from.filter(|from| from.get_version_num() == 7) {
        None => id,
        Some(from) => Uuid::from_u128((from.as_u128() & FRONT) | (id.as_u128() & !FRONT)),
    }
}

/// A decision that says no. `code` is for programs and stays; `message` is for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct Rejection {
    /// Why, as a stable word: `order_archived`.
    pub code: Cow<'static, str>,
    /// Why, as a sentence.
    pub message: String,
    /// What kind of no it is.
    pub kind: RejectionKind,
}

/// What kind of no a [`Rejection`] is; decides the HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectionKind {
    /// It does not exist (404).
    NotFound,
    /// Its state does not allow it (409).
    Conflict,
    /// The rules do not allow it (422).
    Rule,
}

impl Rejection {
    /// The thing's state does not allow the command.
    pub fn conflict(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            kind: RejectionKind::Conflict,
        }
    }

    /// There is no such thing.
    pub fn not_found(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            kind: RejectionKind::NotFound,
        }
    }

    /// A rule of the business does not allow the command.
    pub fn rule(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            kind: RejectionKind::Rule,
        }
    }
}

/// The state of one thing, and how many events made it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded<A> {
    /// The state.
    pub state: A,
    /// Its version; `None` if it does not exist yet.
    pub version: Option<StreamVersion>,
}

impl<A: Aggregate> Loaded<A> {
    /// Folds `events` in, in order.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] at the first that this build cannot read.
    pub fn fold(&mut self, events: &[RecordedEvent]) -> Result<(), DecodeError> {
        for recorded in events {
            let event = A::Event::decode(&recorded.event_type, recorded.revision, &recorded.data)?;
            self.state.apply(&event);
            self.version = Some(recorded.version);
        }
        Ok(())
    }
}

/// Encodes what a decision gave, with the metadata of its command.
pub(crate) fn encode_all<E: EventSet>(
    events: &[E],
    metadata: &Metadata,
) -> Result<Vec<NewEvent>, serde_json::Error> {
    let encode = |event: &E| {
        event.encode().map(|event| NewEvent {
            metadata: metadata.clone(),
            ..event
        })
    };
    events.iter().map(encode).collect()
}
