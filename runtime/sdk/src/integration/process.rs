//! Process managers: what follows from what, over time and over several divisions.

use std::borrow::Cow;
use std::time::Duration;

use hecate_manifest::exchange::Outcome;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::{ASK_WITHIN, AskError, Dispatch, Hope, Since, outcome_of};
use crate::aggregate::{DecodeError, EventSet};
use crate::store::RecordedEvent;

/// Follows the events of a division, remembers, and says what is to be done. Pure: what it does happens through effects.
///
/// An instance is one process: of one order, for instance. Its state, the event that it took in, and its effects are one
/// transaction; each command's id follows from the event, the instance and the step, so a crash or a restored backup leads
/// to no second effect. An event that cannot be taken in is parked with all later ones of its instance, the others go on,
/// and it is tried again when the plugin next starts.
///
/// ```
/// use hecate_sdk::integration::{Dispatch, Effect, Input, ProcessCx, ProcessManager};
/// use hecate_sdk::serde::{Deserialize, Serialize};
/// use hecate_sdk::serde_json::json;
/// use hecate_sdk::store::RecordedEvent;
/// use std::time::Duration;
/// # use hecate_sdk::aggregate::*;
/// # use hecate_sdk::flags::StatusChange;
/// # use hecate_sdk::store::NewEvent;
/// # enum OrderEvent { Placed, Paid }
/// # impl EventSet for OrderEvent {
/// #     fn decode(kind: &str, revision: u32, _: &[u8]) -> Result<Self, DecodeError> {
/// #         match kind { "placed" => Ok(Self::Placed), "paid" => Ok(Self::Paid), _ => Err(DecodeError::unknown(kind, revision)) }
/// #     }
/// #     fn encode(&self) -> Result<NewEvent, hecate_sdk::serde_json::Error> {
/// #         NewEvent::json(match self { Self::Placed => "placed", Self::Paid => "paid" }, 1, &())
/// #     }
/// #     fn status_change(&self) -> StatusChange { StatusChange { sets: 0, clears: 0 } }
/// # }
///
/// /// An order that is not paid within a day is cancelled.
/// struct CancelUnpaidOrders;
///
/// #[derive(Default, Serialize, Deserialize)]
/// #[serde(crate = "hecate_sdk::serde")]
/// struct Waiting { reminded: bool }
///
/// impl ProcessManager for CancelUnpaidOrders {
///     type State = Waiting;
///     type Event = OrderEvent;
///     const NAME: &'static str = "cancel_unpaid_orders";
///     const DIVISION: &'static str = "order";
///
///     fn correlate(event: &OrderEvent, recorded: &RecordedEvent) -> Option<String> {
///         recorded.stream.id_of("order").map(str::to_owned)
///     }
///
///     fn handle(state: &mut Waiting, input: Input<'_, OrderEvent>, cx: &ProcessCx) -> Vec<Effect> {
///         match input {
///             Input::Event(OrderEvent::Placed) => vec![Effect::timer("unpaid", cx.after(Duration::from_secs(86_400)))],
///             Input::Event(OrderEvent::Paid) => vec![Effect::End],
///             Input::Timer("unpaid") => {
///                 let cancel = Dispatch::new("order", "cancel_order", json!({"reason": "not paid"})).to(cx.instance());
///                 vec![cancel.into(), Effect::End]
///             }
///             _ => vec![],
///         }
///     }
/// }
/// ```
pub trait ProcessManager: Send + Sync + 'static {
    /// What an instance remembers. Changing its form is reading what was written before: give new fields a default.
    type State: Default + Serialize + DeserializeOwned + 'static;
    /// The events of the division that it follows.
    type Event: EventSet;
    /// Its name, unique among the plugin's process managers. What it remembers is kept under it.
    const NAME: &'static str;
    /// Whose events: the division's name.
    const DIVISION: &'static str;
    /// Whether it takes in what had happened before it was there.
    const SINCE: Since = Since::Now;

    /// Which instance `event` is for; `None` if it is for none. An instance begins with its first event.
    fn correlate(event: &Self::Event, recorded: &RecordedEvent) -> Option<String>;

    /// Takes one input in, and says what is to be done.
    fn handle(
        state: &mut Self::State,
        input: Input<'_, Self::Event>,
        cx: &ProcessCx,
    ) -> Vec<Effect>;
}

/// What a process manager takes in.
#[derive(Debug)]
#[non_exhaustive]
pub enum Input<'a, E> {
    /// Something has happened.
    Event(&'a E),
    /// A timer of the instance is due.
    Timer(&'a str),
    /// A command that it dispatched was rejected: time to make up for what was done before.
    Rejected {
        /// The command.
        command: &'a str,
        /// Why, as a stable word.
        code: &'a str,
        /// Why, as a sentence.
        message: &'a str,
    },
    /// A hope that it sent has come to an end.
    Feedback(&'a Answered),
}

/// What came of a hope that a process manager sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    pub(crate) hope: String,
    pub(crate) outcome: Outcome,
}

impl Answered {
    /// Name of the hope.
    pub fn name(&self) -> &str {
        &self.hope
    }

    /// The answer to the hope `H`.
    ///
    /// # Errors
    ///
    /// [`AskError`] if there is none, or it is not of the form that `H` says.
    pub fn answer<H: Hope>(&self) -> Result<H::Feedback, AskError> {
        outcome_of::<H>(self.outcome.clone())
    }
}

/// What a process manager does.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// Dispatch a command. Those of one instance are dispatched in order.
    Dispatch(Dispatch),
    /// Be called at a time, once. A timer of the same name is set anew.
    Schedule {
        /// Name of the timer, unique in the instance.
        timer: Cow<'static, str>,
        /// When.
        at: Timestamp,
    },
    /// Do not be called.
    Cancel {
        /// Name of the timer.
        timer: Cow<'static, str>,
    },
    /// Send a hope. It is sent again until somebody answers or the time is over.
    Ask {
        /// Its name.
        hope: &'static str,
        /// What is asked.
        data: Value,
        /// How long an answer is waited for.
        within: Duration,
    },
    /// Forget the instance, with its timers. Commands and hopes on their way go on; nobody hears of them.
    End,
}

impl Effect {
    /// Sets the timer `name`.
    pub fn timer(name: impl Into<Cow<'static, str>>, at: Timestamp) -> Self {
        Self::Schedule {
            timer: name.into(),
            at,
        }
    }

    /// Takes the timer `name` away.
    pub fn cancel(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Cancel { timer: name.into() }
    }

    /// Sends `hope`, within 5 s.
    ///
    /// # Errors
    ///
    /// If the hope cannot be written as JSON.
    pub fn ask<H: Hope>(hope: &H) -> Result<Self, serde_json::Error> {
        Ok(Self::Ask {
            hope: H::NAME,
            data: serde_json::to_value(hope)?,
            within: ASK_WITHIN,
        })
    }
}

impl From<Dispatch> for Effect {
    fn from(dispatch: Dispatch) -> Self {
        Self::Dispatch(dispatch)
    }
}

/// What a process manager may know beside state and input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessCx {
    pub(crate) instance: String,
    pub(crate) now: Timestamp,
    pub(crate) cause: Uuid,
}

impl ProcessCx {
    /// The instance.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// When it happened: when the event was stored, the timer was due, the answer came.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// A time later than that; the latest that there is, if it would be beyond.
    pub fn after(&self, duration: Duration) -> Timestamp {
        self.now.saturating_add(duration).unwrap_or(Timestamp::MAX)
    }

    /// Id of the message that is taken in: the event's, for an event.
    pub const fn cause(&self) -> Uuid {
        self.cause
    }
}

/// An input without its type.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RawInput<'a> {
    Event(&'a RecordedEvent),
    Timer(&'a str),
    Rejected {
        command: &'a str,
        code: &'a str,
        message: &'a str,
    },
    Feedback(&'a Answered),
}

/// What an input led to.
pub(crate) struct Reaction {
    pub(crate) state: Vec<u8>,
    pub(crate) effects: Vec<Effect>,
}

/// Why an input could not be taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReactError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("what the instance remembers is not of the form that this version knows")]
    State(#[source] serde_json::Error),
    #[error("what the instance remembers cannot be written as JSON")]
    Encode(#[source] serde_json::Error),
}

/// What reads what an instance remembers, lets it take one input in, and writes what it remembers then.
type React = fn(Option<&[u8]>, RawInput<'_>, &ProcessCx) -> Result<Reaction, ReactError>;

/// A process manager without its types.
pub(crate) struct ProcessSpec {
    pub(crate) name: &'static str,
    pub(crate) division: &'static str,
    pub(crate) since: Since,
    pub(crate) correlate: fn(&RecordedEvent) -> Result<Option<String>, DecodeError>,
    pub(crate) react: React,
}

impl ProcessSpec {
    pub(crate) fn of<P: ProcessManager>() -> Self {
        Self {
            name: P::NAME,
            division: P::DIVISION,
            since: P::SINCE,
            correlate: correlate::<P>,
            react: react::<P>,
        }
    }
}

fn decode<P: ProcessManager>(recorded: &RecordedEvent) -> Result<P::Event, DecodeError> {
    P::Event::decode(&recorded.event_type, recorded.revision, &recorded.data)
}

fn correlate<P: ProcessManager>(recorded: &RecordedEvent) -> Result<Option<String>, DecodeError> {
    Ok(P::correlate(&decode::<P>(recorded)?, recorded))
}

fn react<P: ProcessManager>(
    state: Option<&[u8]>,
    input: RawInput<'_>,
    cx: &ProcessCx,
) -> Result<Reaction, ReactError> {
    let mut state = match state {
        Some(bytes) => serde_json::from_slice(bytes).map_err(ReactError::State)?,
        None => P::State::default(),
    };
    let event;
    let input = match input {
        RawInput::Event(recorded) => {
            event = decode::<P>(recorded)?;
            Input::Event(&event)
        }
        RawInput::Timer(name) => Input::Timer(name),
        RawInput::Rejected {
            command,
            code,
            message,
        } => Input::Rejected {
            command,
            code,
            message,
        },
        RawInput::Feedback(answered) => Input::Feedback(answered),
    };
    let effects = P::handle(&mut state, input, cx);
    let state = serde_json::to_vec(&state).map_err(ReactError::Encode)?;
    Ok(Reaction { state, effects })
}
