//! What is counted of facts, hopes and process managers.

use std::collections::HashMap;

use hecate_manifest::exchange::Outcome;

use crate::integration::Integrations;
use crate::metrics::{Counter, counter, counter_with};

/// What a plugin's messages count.
pub(crate) struct MessageTelemetry {
    told: HashMap<&'static str, Counter>,
    heard: HashMap<&'static str, (Counter, Counter)>,
    parked: Counter,
    sent: [(&'static str, Counter); 4],
}

impl MessageTelemetry {
    pub(crate) fn new(integrations: &Integrations) -> Self {
        let told = integrations.emitters.iter().map(|spec| {
            let counter = counter_with("facts_published_total", &[("topic", spec.topic)]);
            (spec.topic, counter)
        });
        let heard = integrations.listeners.iter().map(|spec| {
            let of = |name| counter_with(name, &[("listener", spec.name)]);
            (
                spec.name,
                (of("facts_heard_total"), of("facts_unread_total")),
            )
        });
        let sent = ["done", "rejected", "answered", "later"];
        Self {
            told: told.collect(),
            heard: heard.collect(),
            parked: counter("events_parked_total"),
            sent: sent.map(|outcome| {
                (
                    outcome,
                    counter_with("messages_sent_total", &[("outcome", outcome)]),
                )
            }),
        }
    }

    /// A fact was put into the outbox.
    pub(crate) fn told(&self, topic: &str) {
        if let Some(counter) = self.told.get(topic) {
            counter.increment(1);
        }
    }

    /// A listener has taken `taken` facts in, `unread` of which it could not read.
    pub(crate) fn heard(&self, listener: &str, taken: u64, unread: u64) {
        if let Some((heard, failed)) = self.heard.get(listener) {
            heard.increment(taken);
            failed.increment(unread);
        }
    }

    /// Events were parked.
    pub(crate) fn parked(&self, events: u64) {
        self.parked.increment(events);
    }

    /// A command or a hope was tried.
    pub(crate) fn sent(&self, outcome: &str) {
        if let Some((_, counter)) = self.sent.iter().find(|(known, _)| *known == outcome) {
            counter.increment(1);
        }
    }

    /// A hope of another plugin has come.
    pub(crate) fn answered(&self, hope: &str, outcome: &str) {
        counter_with(
            "hopes_answered_total",
            &[("hope", hope), ("outcome", outcome)],
        )
        .increment(1);
    }
}

/// A hope that was sent has come to its end.
pub(crate) fn hope_asked(hope: &str, outcome: &Outcome) {
    let outcome = match outcome {
        Outcome::Answered { .. } => "answered",
        Outcome::Rejected { .. } => "rejected",
        Outcome::NoResponder { .. } => "no_responder",
        Outcome::TimedOut => "timed_out",
    };
    counter_with("hopes_asked_total", &[("hope", hope), ("outcome", outcome)]).increment(1);
}
