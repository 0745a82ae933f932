//! Facts: the public form of events, and who tells and hears them.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::{Dispatch, Since};
use crate::aggregate::{DecodeError, EventSet};
use crate::store::RecordedEvent;

/// A fact: what a plugin tells everybody. A contract: whoever reads it may be older or newer than this plugin, so it only
/// grows, or gets a topic of its own.
pub trait Fact: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its topic: words of `a-z`, `0-9`, `_` and `-` with dots between them, the plugin's first: `shop.order_paid`.
    const TOPIC: &'static str;
    /// Revision of its form, from 1.
    const REVISION: u32 = 1;
}

/// Tells a fact of an event. Pure: the same event is always told the same way.
///
/// It begins with the first event that there ever was, and every fact is kept for whoever listens later. The manifest
/// must ask for `facts:publish:TOPIC`.
pub trait Emitter: Send + Sync + 'static {
    /// The events of the division.
    type Event: EventSet;
    /// The fact.
    type Fact: Fact;
    /// Its name, unique among the plugin's emitters. What it has told is remembered under it.
    const NAME: &'static str;
    /// Whose events: the division's name.
    const DIVISION: &'static str;

    /// The fact of `event`, if it is one that others should know of.
    fn tell(event: &Self::Event, recorded: &RecordedEvent) -> Option<Self::Fact>;
}

/// Hears facts of other plugins, and says what is to be done. Pure.
///
/// Facts arrive in the order of their topic, each at least once; the command that is dispatched has an id that follows from
/// the fact, so its effect happens once. The manifest must ask for `facts:subscribe:FILTER`.
pub trait Listener: Send + Sync + 'static {
    /// What is read from the fact: its type, as far as this plugin needs it, or [`Value`] for topics of several forms.
    type Fact: DeserializeOwned + 'static;
    /// Its name, unique among the plugin's listeners. What it has heard is remembered under it.
    const NAME: &'static str;
    /// Which topics: `shop.order_paid`, `shop.*`, `shop.>`.
    const FILTER: &'static str;
    /// Whether it hears what was told before it was there.
    const SINCE: Since = Since::Beginning;

    /// What is to be done.
    fn on_fact(fact: Self::Fact, heard: &Heard) -> Handled;
}

/// What is known of a fact beside its contents.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Heard {
    /// Its id: the same for ever.
    pub id: Uuid,
    /// Name of the plugin that told it; the host vouches for it.
    pub emitter: String,
    /// Its topic.
    pub topic: String,
    /// Revision of its form.
    pub revision: u32,
    /// The how manyeth of the emitter on this topic, from 1.
    pub sequence: u64,
    /// When its event was stored. For people; never for order.
    pub occurred_at: Timestamp,
}

/// What a listener does about a fact.
#[derive(Debug, Clone, PartialEq)]
pub enum Handled {
    /// These commands, in this order.
    Dispatch(Vec<Dispatch>),
    /// Nothing.
    Skip,
}

impl From<Dispatch> for Handled {
    fn from(dispatch: Dispatch) -> Self {
        Self::Dispatch(vec![dispatch])
    }
}

/// An emitter without its types.
pub(crate) struct EmitterSpec {
    pub(crate) name: &'static str,
    pub(crate) division: &'static str,
    pub(crate) topic: &'static str,
    pub(crate) revision: u32,
    pub(crate) tell: fn(&RecordedEvent) -> Result<Option<Value>, TellError>,
}

/// Why an event could not be told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TellError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("the fact cannot be written as JSON")]
    Encode(#[from] serde_json::Error),
}

impl EmitterSpec {
    pub(crate) fn of<E: Emitter>() -> Self {
        fn tell<E: Emitter>(recorded: &RecordedEvent) -> Result<Option<Value>, TellError> {
            let event = E::Event::decode(&recorded.event_type, recorded.revision, &recorded.data)?;
            let fact = E::tell(&event, recorded);
            Ok(fact.map(serde_json::to_value).transpose()?)
        }
        Self {
            name: E::NAME,
            division: E::DIVISION,
            topic: E::Fact::TOPIC,
            revision: E::Fact::REVISION,
            tell: tell::<E>,
        }
    }
}

/// A listener without its types.
pub(crate) struct ListenerSpec {
    pub(crate) name: &'static str,
    pub(crate) filter: &'static str,
    pub(crate) since: Since,
    pub(crate) on_fact: fn(Value, &Heard) -> Result<Vec<Dispatch>, serde_json::Error>,
}

impl ListenerSpec {
    pub(crate) fn of<L: Listener>() -> Self {
        fn on_fact<L: Listener>(
            data: Value,
            heard: &Heard,
        ) -> Result<Vec<Dispatch>, serde_json::Error> {
            Ok(match L::on_fact(serde_json::from_value(data)?, heard) {
                Handled::Dispatch(commands) => commands,
                Handled::Skip => Vec::new(),
            })
        }
        Self {
            name: L::NAME,
            filter: L::FILTER,
            since: L::SINCE,
            on_fact: on_fact::<L>,
        }
    }
}
