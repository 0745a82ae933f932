//! What a plugin tells, hears, asks and answers, without the other plugin.

use hecate_manifest::exchange::{Delivery, Fact, FactsAsk, Feedback, Hope, Outcome};
use hecate_manifest::{Topic, TopicFilter};
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::{Bus, TestPlugin, settle};
use crate::aggregate::{EventSet, named_id};
use crate::api::chain;
use crate::integration::{
    Dispatch, Effect, Emitter, EmitterSpec, Heard, Hopes, Listener, ListenerSpec, ProcessCx,
    ProcessManager, ProcessSpec, RawInput,
};
use crate::store::{NewEvent, Position, Query, RecordedEvent, StreamId, StreamVersion};

/// Name of the outbox that facts of tests come from.
const OUTBOX: &str = "00000000-0000-7000-8000-00000000000f";

/// The fact that `E` tells of an event of the thing `id`, as others read it; `None` if it tells none.
///
/// # Panics
///
/// If event or fact cannot be written as JSON.
#[track_caller]
pub fn told<E: Emitter>(id: &str, event: &E::Event) -> Option<Value> {
    let stored = event
        .encode()
        .unwrap_or_else(|error| panic!("the event cannot be written: {error}"));
    let recorded = recorded(StreamId::of(E::DIVISION, id), stored);
    (EmitterSpec::of::<E>().tell)(&recorded).unwrap_or_else(|error| panic!("{}", chain(&error)))
}

/// What `P` wants to be done when this happens to the thing `id`, as the first that its instance hears of.
///
/// # Panics
///
/// If the event is not of the form that is read.
#[track_caller]
pub fn led_to<P: ProcessManager>(id: &str, event: NewEvent) -> Vec<Effect> {
    let recorded = recorded(StreamId::of(P::DIVISION, id), event);
    let spec = ProcessSpec::of::<P>();
    let instance = (spec.correlate)(&recorded).unwrap_or_else(|error| panic!("{}", chain(&error)));
    let Some(instance) = instance else {
        return Vec::new();
    };
    let cx = ProcessCx {
        instance,
        now: Timestamp::UNIX_EPOCH,
        cause: recorded.event_id,
    };
    let reaction = (spec.react)(None, RawInput::Event(&recorded), &cx);
    reaction
        .unwrap_or_else(|error| panic!("{}", chain(&error)))
        .effects
}

/// An event as it would be stored, the first of its stream.
fn recorded(stream: StreamId, event: NewEvent) -> RecordedEvent {
    let (Some(position), Some(version)) = (Position::new(1), StreamVersion::new(1)) else {
        unreachable!("1 is not 0");
    };
    RecordedEvent {
        position,
        version,
        event_id: named_id(None, stream.as_str().as_bytes()),
        stream,
        event_type: event.event_type.as_ref().into(),
        revision: event.revision,
        recorded_at: 0,
        data: event.data,
        metadata: event.metadata,
    }
}

/// What `L` wants to be done about a fact on `topic`.
///
/// # Panics
///
/// If the fact is not of the form that is read.
#[track_caller]
pub fn heard<L: Listener>(topic: &str, fact: Value) -> Vec<Dispatch> {
    let heard = Heard {
        id: named_id(None, topic.as_bytes()),
        emitter: "another-plugin".to_owned(),
        topic: topic.to_owned(),
        revision: 1,
        sequence: 1,
        occurred_at: Timestamp::UNIX_EPOCH,
    };
    (ListenerSpec::of::<L>().on_fact)(fact, &heard)
        .unwrap_or_else(|error| panic!("the fact cannot be read: {error}"))
}

impl TestPlugin {
    /// What it has told on `topic` so far, once everything has been followed.
    ///
    /// # Panics
    ///
    /// If something stands still, or the outbox cannot be read.
    pub async fn told(&self, topic: &str) -> Vec<Value> {
        self.settled().await;
        let ask = FactsAsk {
            filter: topic.to_owned(),
            after: 0,
            limit: usize::from(u16::MAX),
            wait_ms: 0,
        };
        let page = self.running.messages().facts(ask).await;
        let page = page.unwrap_or_else(|error| panic!("the outbox cannot be read: {error}"));
        page.facts.into_iter().map(|fact| fact.data).collect()
    }

    /// Lets it hear these facts of the plugin `emitter`, the first ever on `topic`, and waits for what follows. Heard
    /// again, they are the same facts.
    ///
    /// # Panics
    ///
    /// If nothing listens to `topic`, or a fact cannot be delivered.
    pub async fn hear(&self, emitter: &str, topic: &str, facts: impl IntoIterator<Item = Value>) {
        let named = Topic::parse(topic).unwrap_or_else(|error| panic!("{error}"));
        let facts: Vec<_> = facts
            .into_iter()
            .zip(1_u64..)
            .map(|(data, nth)| Fact {
                id: named_id(None, format!("{emitter} {topic} {nth}").as_bytes()).to_string(),
                topic: topic.to_owned(),
                revision: 1,
                sequence: nth,
                position: nth,
                occurred_at: 0,
                correlation_id: None,
                causation_id: named_id(None, format!("event {nth}").as_bytes()).to_string(),
                data,
            })
            .collect();
        let end = facts.len() as u64;
        let listens = self.running.started.exchange.listens.iter();
        let listening: Vec<_> = listens
            .filter(|it| TopicFilter::parse(&it.filter).is_ok_and(|it| it.matches(&named)))
            .collect();
        assert!(!listening.is_empty(), "nothing listens to `{topic}`");
        for subscription in listening {
            let delivery = Delivery {
                listener: subscription.listener.clone(),
                emitter: emitter.to_owned(),
                outbox: OUTBOX.to_owned(),
                facts: facts.clone(),
                scanned_to: Some(end),
                head: end,
            };
            let delivered = self.running.messages().deliver(delivery).await;
            delivered.unwrap_or_else(|error| panic!("{}", chain(&error)));
        }
        self.settled().await;
    }

    /// Its answer to a hope of another plugin, under this id.
    ///
    /// # Panics
    ///
    /// If it cannot answer now.
    pub async fn answer_to(&self, id: Uuid, hope: &str, data: Value) -> Outcome {
        let hope = Hope {
            id: id.to_string(),
            name: hope.to_owned(),
            from: "another-plugin".to_owned(),
            deadline_ms: 5_000,
            correlation_id: None,
            data,
        };
        let answered: Result<Feedback, String> = self.running.messages().answer(hope).await;
        answered
            .unwrap_or_else(|error| panic!("it does not answer: {error}"))
            .outcome
    }

    /// Where its hopes are sent from.
    pub fn hopes(&self) -> &Hopes {
        self.running.messages().asker()
    }

    /// Types of everything that has happened in a division, with their revisions, in order; once everything has been
    /// followed.
    ///
    /// # Panics
    ///
    /// If there is no such division, or its events cannot be read.
    pub async fn happened(&self, division: &str) -> Vec<String> {
        self.settled().await;
        let division = self.division(division);
        let store = division.store();
        let (mut types, mut after) = (Vec::new(), None);
        loop {
            let page = store
                .read_all(after, Query::all(), usize::from(u16::MAX))
                .await;
            let page = page.unwrap_or_else(|error| panic!("the events cannot be read: {error}"));
            let Some(last) = page.events.last() else {
                return types;
            };
            after = Some(last.position);
            types.extend(page.events.iter().map(RecordedEvent::versioned_type));
        }
    }

    async fn settled(&self) {
        settle(&Bus::new(), &[self]).await;
    }
}
