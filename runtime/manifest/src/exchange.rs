//! What plugins tell each other through their host: facts and hopes, and how they travel.
//!
//! A plugin keeps what it publishes in an outbox, and remembers how far it has heard others. The host only carries: it
//! asks the listener where it stands, takes the facts behind that place out of the emitter's outbox, and hands them over;
//! the listener answers where to go on. So nothing is lost whoever ends in between, and a way that loses or repeats facts
//! costs a repetition only. Hopes are requests: they are answered within their deadline, or not.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a plugin publishes and wants to hear, asks and answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// Topics that it publishes facts on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publishes: Vec<String>,
    /// What it listens to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listens: Vec<Subscription>,
    /// Names of the hopes that it sends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<String>,
    /// Names of the hopes that it answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<String>,
}

impl Exchange {
    /// Whether it has nothing to do with others.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A listener of a plugin, and what it listens to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its name, unique in its plugin.
    pub listener: String,
    /// Which topics: a [`TopicFilter`](crate::TopicFilter).
    pub filter: String,
}

/// A fact on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Its id, a UUID: the same for ever, however often it arrives.
    pub id: String,
    /// Its topic.
    pub topic: String,
    /// Revision of its form, from 1.
    pub revision: u32,
    /// The how manyeth of its emitter on this topic, from 1 without holes.
    pub sequence: u64,
    /// Its place in the emitter's outbox.
    pub position: u64,
    /// When its event was stored, in microseconds since 1970-01-01 UTC.
    pub occurred_at: i64,
    /// The conversation that it belongs to, a UUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// Id of the event that it tells, a UUID.
    pub causation_id: String,
    /// What it says.
    pub data: Value,
}

/// Asks an emitter for facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactsAsk {
    /// Which topics.
    pub filter: String,
    /// Behind this place of the outbox; 0 is its beginning.
    pub after: u64,
    /// How many at most.
    pub limit: usize,
    /// How long to wait for one if there is none, in milliseconds.
    pub wait_ms: u64,
}

/// A part of an outbox.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FactsPage {
    /// Which outbox: another one, with places of its own, if the emitter has begun anew. A UUID.
    pub outbox: String,
    /// The facts, in order.
    pub facts: Vec<Fact>,
    /// Read on behind this place.
    pub scanned_to: u64,
    /// Where the outbox ends.
    pub head: u64,
}

/// Hands facts to a listener. Without facts it only asks where the listener stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The listener.
    pub listener: String,
    /// Name of the plugin that the facts are from.
    pub emitter: String,
    /// Which outbox of that plugin.
    pub outbox: String,
    /// The facts, in order.
    pub facts: Vec<Fact>,
    /// How far the emitter's outbox was looked through; nothing, if it only asks.
    pub scanned_to: Option<u64>,
    /// Where that outbox ends, as far as it is known.
    pub head: u64,
}

/// Where to go on: behind this place of the emitter's outbox. All before it is kept by the listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// The place.
    pub after: u64,
}

/// A request to whoever answers to its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hope {
    /// Its id, a UUID. Sent again, it has its effect once, and the same answer.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Name of the plugin that it is from. The host sets it.
    #[serde(default)]
    pub from: String,
    /// How long an answer is waited for, in milliseconds from now.
    pub deadline_ms: u64,
    /// The conversation that it belongs to, a UUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// What is asked.
    pub data: Value,
}

/// Asks a plugin for the hopes that it wants to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HopesAsk {
    /// How long to wait for one if there is none, in milliseconds.
    pub wait_ms: u64,
}

/// The answer to a hope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feedback {
    /// Id of the hope.
    pub id: String,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of a hope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It was answered.
    Answered {
        /// The answer.
        data: Value,
    },
    /// The responder said no. Nothing happened.
    Rejected {
        /// Why, as a stable word.
        code: String,
        /// Why, as a sentence.
        message: String,
    },
    /// Nobody here answers to its name, or the plugin may not ask. Nothing happened.
    NoResponder {
        /// Which of the two.
        message: String,
    },
    /// No answer in time: whether it had its effect is not known. Sending it again with the same id tells.
    TimedOut,
}
