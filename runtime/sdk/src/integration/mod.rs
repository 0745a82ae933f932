//! What reaches beyond one division: process managers, facts, hopes.
//!
//! | kind | from | to | trait |
//! |---|---|---|---|
//! | emitter | an event | a fact for other plugins | [`Emitter`] |
//! | listener | a fact of another plugin | a command | [`Listener`] |
//! | process manager | events, timers, answers | commands, timers, hopes | [`ProcessManager`] |
//! | requester | a handler, or a process manager | a hope, and its feedback | [`Hope`], [`Hopes`] |
//! | responder | a hope of another plugin | a command or a query, and the feedback | [`Responder`] |
//!
//! A plugin lists them in [`Plugin::integrations`](crate::plugin::Plugin::integrations). All of it is durable: what was
//! taken in, what was remembered and what is to be sent are one transaction in the plugin's `messages.db`, and every
//! command has an id that follows from what caused it. So a crash anywhere, a swap, and a fact that arrives twice lead to
//! each effect once.
//!
//! ```
//! use hecate_sdk::integration::{Dispatch, Fact, Handled, Heard, Integrations, Listener};
//! use hecate_sdk::serde::{Deserialize, Serialize};
//! use hecate_sdk::serde_json::json;
//!
//! /// What the plugin `shop` tells everybody.
//! #[derive(Serialize, Deserialize)]
//! #[serde(crate = "hecate_sdk::serde")]
//! struct OrderPaid { order_id: String, cents: i64 }
//!
//! impl Fact for OrderPaid {
//!     const TOPIC: &'static str = "shop.order_paid";
//! }
//!
//! /// Every paid order is booked here.
//! struct BookPaidOrders;
//!
//! impl Listener for BookPaidOrders {
//!     type Fact = OrderPaid;
//!     const NAME: &'static str = "book_paid_orders";
//!     const FILTER: &'static str = OrderPaid::TOPIC;
//!
//!     fn on_fact(fact: OrderPaid, _: &Heard) -> Handled {
//!         Dispatch::new("entry", "book_entry", json!({"reference": fact.order_id, "cents": fact.cents})).into()
//!     }
//! }
//!
//! let integrations = Integrations::new().listener::<BookPaidOrders>();
//! ```

mod fact;
mod hope;
mod process;

use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use crate::division::Division;

pub use fact::{Emitter, Fact, Handled, Heard, Listener};
pub(crate) use fact::{EmitterSpec, ListenerSpec};
pub use hope::{AnswerError, Answering, Ask, AskError, Hope, Hopes, Responder};
pub(crate) use hope::{ResponderSpec, carry_out, outcome_of};
pub use process::{Answered, Effect, Input, ProcessCx, ProcessManager};
pub(crate) use process::{ProcessSpec, RawInput};

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// With the first that there ever was.
    Beginning,
    /// With what comes after the plugin first had this.
    Now,
}

/// A command for one of the plugin's divisions.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispatch {
    pub(crate) division: String,
    pub(crate) command: String,
    pub(crate) id: Option<String>,
    pub(crate) body: Value,
}

impl Dispatch {
    /// `command` of `division`, with a JSON body. Without [`Dispatch::to`] it brings a new thing into being.
    pub fn new(division: impl Into<String>, command: impl Into<String>, body: Value) -> Self {
        Self {
            division: division.into(),
            command: command.into(),
            id: None,
            body,
        }
    }

    /// For the thing with this id.
    #[must_use]
    pub fn to(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }
}

/// A plugin's emitters, listeners, process managers, requesters and responders.
#[derive(Default)]
pub struct Integrations {
    pub(crate) emitters: Vec<EmitterSpec>,
    pub(crate) listeners: Vec<ListenerSpec>,
    pub(crate) processes: Vec<ProcessSpec>,
    pub(crate) responders: Vec<ResponderSpec>,
    pub(crate) asks: Vec<&'static str>,
}

impl Integrations {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an emitter.
    #[must_use]
    pub fn emitter<E: Emitter>(mut self) -> Self {
        self.emitters.push(EmitterSpec::of::<E>());
        self
    }

    /// Adds a listener.
    #[must_use]
    pub fn listener<L: Listener>(mut self) -> Self {
        self.listeners.push(ListenerSpec::of::<L>());
        self
    }

    /// Adds a process manager.
    #[must_use]
    pub fn process<P: ProcessManager>(mut self) -> Self {
        self.processes.push(ProcessSpec::of::<P>());
        self
    }

    /// Says that the hope `H` is sent, by handlers or process managers.
    #[must_use]
    pub fn requester<H: Hope>(mut self) -> Self {
        self.asks.push(H::NAME);
        self
    }

    /// Adds a responder.
    #[must_use]
    pub fn responder<R: Responder>(mut self) -> Self {
        self.responders.push(ResponderSpec::of::<R>());
        self
    }

    /// Those of `other`, too.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.emitters.extend(other.emitters);
        self.listeners.extend(other.listeners);
        self.processes.extend(other.processes);
        self.responders.extend(other.responders);
        self.asks.extend(other.asks);
        self
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.emitters.is_empty()
            && self.listeners.is_empty()
            && self.processes.is_empty()
            && self.responders.is_empty()
            && self.asks.is_empty()
    }

    /// Everything that cannot be right, whatever happens later: one sentence for each.
    pub(crate) fn faults(&self, divisions: &[Division]) -> Vec<String> {
        let mut faults = Vec::new();
        let known = |name: &str| divisions.iter().any(|division| division.name() == name);
        let followers = self
            .emitters
            .iter()
            .map(|spec| ("the emitter", spec.name, spec.division))
            .chain(
                self.processes
                    .iter()
                    .map(|spec| ("the process manager", spec.name, spec.division)),
            );
        for (kind, name, division) in followers {
            if !known(division) {
                faults.push(format!(
                    "{kind} `{name}` follows the division `{division}`, which there is not"
                ));
            }
        }
        for emitter in &self.emitters {
            if let Err(error) = hecate_manifest::Topic::parse(emitter.topic) {
                faults.push(format!("the emitter `{}`: {error}", emitter.name));
            }
        }
        for listener in &self.listeners {
            if let Err(error) = hecate_manifest::TopicFilter::parse(listener.filter) {
                faults.push(format!("the listener `{}`: {error}", listener.name));
            }
        }
        // A process manager or emitter is found again by its name, and two of one name would share what they remember.
        let mut names: Vec<_> = self
            .emitters
            .iter()
            .map(|spec| ("emitters", spec.name))
            .collect();
        names.extend(
            self.processes
                .iter()
                .map(|spec| ("process managers", spec.name)),
        );
        names.extend(self.listeners.iter().map(|spec| ("listeners", spec.name)));
        names.extend(
            self.responders
                .iter()
                .map(|spec| ("responders of the hope", spec.name)),
        );
        names.sort_unstable();
        for pair in names.windows(2).filter(|pair| pair[0] == pair[1]) {
            faults.push(format!("there are two {} `{}`", pair[0].0, pair[0].1));
        }
        let mut topics: Vec<_> = self.emitters.iter().map(|spec| spec.topic).collect();
        topics.sort_unstable();
        for pair in topics.windows(2).filter(|pair| pair[0] == pair[1]) {
            faults.push(format!(
                "two emitters publish on `{}`: give each a topic of its own",
                pair[0]
            ));
        }
        faults
    }
}

/// What a message belongs to and comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lineage {
    /// The conversation.
    pub(crate) correlation: Option<Uuid>,
    /// The message directly before.
    pub(crate) causation: Option<Uuid>,
}

/// How long a hope is waited for, unless it says otherwise.
pub(crate) const ASK_WITHIN: Duration = Duration::from_secs(5);
