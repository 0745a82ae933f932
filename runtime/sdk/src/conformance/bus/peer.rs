//! A peer whose outbox and inbox are lists. It does what peers must and no more: it forgives a carrier nothing.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hecate_bus::{BoxFuture, Carrier, Peer, PeerError};
use hecate_manifest::exchange::{
    Delivered, Delivery, Exchange, Fact, FactsAsk, FactsPage, Feedback, Hope, HopesAsk, Outcome,
    Subscription,
};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::Subject;

/// How long is waited for what must come.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks at it.
const LOOK: Duration = Duration::from_millis(5);

/// Waits until `what` is so. `rule` is said if it never is.
pub(super) async fn until(rule: &str, what: impl Fn() -> bool + Send) {
    let looking = async {
        while !what() {
            sleep(LOOK).await;
        }
    };
    if timeout(PATIENCE, looking).await.is_err() {
        panic!("{rule}");
    }
}

/// A bus, and two peers to join it.
pub(super) async fn between(
    subject: Subject,
    one: &str,
    other: &str,
) -> (Arc<dyn Carrier>, Arc<Listed>, Arc<Listed>) {
    let bus = subject.make().await;
    (bus, Listed::named(one), Listed::named(other))
}

/// What a peer does when it is called the next time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// It is not there.
    Gone,
    /// It does what it is asked, but nobody hears that it did.
    AnswerLost,
    /// It has kept nothing of what it ever heard.
    Forgets,
}

#[derive(Default)]
struct State {
    outbox: Vec<Fact>,
    heard: Vec<(String, Fact)>,
    /// By emitter.
    after: BTreeMap<String, u64>,
    /// Hears what is published from now on.
    begins_now: bool,
    hangs: bool,
    calls: usize,
    moods: VecDeque<Mood>,
    wishes: Vec<Hope>,
    asked: Vec<Hope>,
    feedback: Vec<Feedback>,
}

pub(super) struct Listed {
    name: String,
    state: Mutex<State>,
    /// Counts what is new in the outbox or wished for.
    more: watch::Sender<u64>,
}

impl Listed {
    pub(super) fn named(name: &str) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_owned(),
            state: Mutex::default(),
            more: watch::Sender::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it answers nothing that is asked of it.
    pub(super) fn hangs(&self) {
        self.state().hangs = true;
    }

    /// It wants to hear what is published from now on, and nothing from before.
    pub(super) fn begins_now(&self) {
        self.state().begins_now = true;
    }

    /// What it does at the next calls.
    pub(super) fn moods(&self, moods: &[Mood]) {
        self.state().moods.extend(moods);
    }

    /// How often it was called.
    pub(super) fn calls(&self) -> usize {
        self.state().calls
    }

    pub(super) fn publish(&self, topic: &str, facts: usize) {
        let outbox = &mut self.state().outbox;
        for _ in 0..facts {
            let of_topic = outbox.iter().filter(|fact| fact.topic == topic).count() as u64;
            let position = outbox.len() as u64 + 1;
            outbox.push(Fact {
                id: format!("{}-{position}", self.name),
                topic: topic.to_owned(),
                revision: 1,
                sequence: of_topic + 1,
                position,
                occurred_at: 0,
                correlation_id: None,
                causation_id: String::new(),
                data: json!(position),
            });
        }
        self.more.send_modify(|count| *count += 1);
    }

    /// How many times it heard of a fact, repetitions included.
    pub(super) fn deliveries(&self) -> usize {
        self.state().heard.len()
    }

    /// The places of all facts that it heard from `emitter`, each once.
    ///
    /// # Panics
    ///
    /// If a fact came that its carrier has changed, or before one of its topic that is older.
    pub(super) fn heard(&self, emitter: &Self) -> Vec<u64> {
        let outbox = emitter.state().outbox.clone();
        let heard = self.state().heard.clone();
        let begins_now = self.state().begins_now;
        let mut last = BTreeMap::<&str, u64>::new();
        let mut places = Vec::new();
        for (from, fact) in heard.iter().filter(|(from, _)| *from == emitter.name) {
            let sent = outbox.get((fact.position as usize).wrapping_sub(1));
            assert_eq!(
                Some(fact),
                sent,
                "a fact of `{from}` arrives as it was sent"
            );
            let first = if begins_now { fact.sequence - 1 } else { 0 };
            let before = last.entry(&fact.topic).or_insert(first);
            if fact.sequence <= *before {
                continue;
            }
            assert_eq!(
                fact.sequence,
                *before + 1,
                "facts of the topic `{}` arrive in order and without holes",
                fact.topic
            );
            *before = fact.sequence;
            places.push(fact.position);
        }
        places.sort_unstable();
        places
    }

    /// Waits until it has heard just `places` of `emitter`.
    pub(super) async fn hears(
        &self,
        rule: &str,
        emitter: &Self,
        places: impl IntoIterator<Item = u64>,
    ) {
        let places: Vec<_> = places.into_iter().collect();
        until(rule, || self.heard(emitter) == places).await;
    }

    /// Wishes to send a hope, whose data is its id.
    pub(super) fn ask(&self, id: &str, name: &str, deadline: Duration) {
        self.state().wishes.push(Hope {
            id: id.to_owned(),
            name: name.to_owned(),
            from: "an impostor".to_owned(),
            deadline_ms: deadline.as_millis() as u64,
            correlation_id: None,
            data: json!(id),
        });
        self.more.send_modify(|count| *count += 1);
    }

    /// The hopes of this id that it was asked to answer.
    pub(super) fn asked(&self, id: &str) -> Vec<Hope> {
        let state = self.state();
        let asked = state.asked.iter().filter(|hope| hope.id == id);
        asked.cloned().collect()
    }

    /// What it heard of its hope of this id, in the order of hearing.
    pub(super) fn outcomes(&self, id: &str) -> Vec<Outcome> {
        let state = self.state();
        let of_id = state.feedback.iter().filter(|feedback| feedback.id == id);
        of_id.map(|feedback| feedback.outcome.clone()).collect()
    }

    /// Waits for what comes of its hope of this id.
    pub(super) async fn outcome(&self, rule: &str, id: &str) -> Outcome {
        until(rule, || !self.outcomes(id).is_empty()).await;
        self.outcomes(id).remove(0)
    }

    /// Counts the call, hangs if it does, and says in which mood it is.
    async fn called(&self) -> Result<Option<Mood>, PeerError> {
        let (hangs, mood) = {
            let mut state = self.state();
            state.calls += 1;
            (state.hangs, state.moods.pop_front())
        };
        if hangs {
            std::future::pending::<()>().await;
        }
        match mood {
            Some(Mood::Gone) => Err(PeerError::Gone(self.name.clone())),
            mood => Ok(mood),
        }
    }

    fn answered<T>(&self, mood: Option<Mood>, answer: T) -> Result<T, PeerError> {
        match mood {
            Some(Mood::AnswerLost) => Err(PeerError::Gone(self.name.clone())),
            _ => Ok(answer),
        }
    }

    /// All topics, whatever is asked for: a peer may be anybody.
    fn page(&self, ask: &FactsAsk) -> FactsPage {
        let outbox = &self.state().outbox;
        let behind = outbox.iter().filter(|fact| fact.position > ask.after);
        let facts: Vec<_> = behind.take(ask.limit).cloned().collect();
        FactsPage {
            outbox: self.name.clone(),
            scanned_to: facts.last().map_or(ask.after, |fact| fact.position),
            facts,
            head: outbox.len() as u64,
        }
    }

    fn take(&self, delivery: &Delivery, mood: Option<Mood>) -> u64 {
        let mut state = self.state();
        let begin = if state.begins_now { delivery.head } else { 0 };
        for fact in &delivery.facts {
            state.heard.push((delivery.emitter.clone(), fact.clone()));
        }
        let after = state.after.entry(delivery.emitter.clone()).or_insert(begin);
        *after = match (mood, delivery.scanned_to) {
            (Some(Mood::Forgets), _) => 0,
            (_, Some(to)) => to.max(*after),
            (_, None) => *after,
        };
        *after
    }
}

impl Peer for Listed {
    fn name(&self) -> &str {
        &self.name
    }

    fn facts(&self, ask: FactsAsk) -> BoxFuture<'_, Result<FactsPage, PeerError>> {
        Box::pin(async move {
            let mood = self.called().await?;
            let mut more = self.more.subscribe();
            let there_is_one =
                async { while self.page(&ask).facts.is_empty() && more.changed().await.is_ok() {} };
            _ = timeout(Duration::from_millis(ask.wait_ms), there_is_one).await;
            self.answered(mood, self.page(&ask))
        })
    }

    fn deliver(&self, delivery: Delivery) -> BoxFuture<'_, Result<Delivered, PeerError>> {
        Box::pin(async move {
            let mood = self.called().await?;
            let after = self.take(&delivery, mood);
            self.answered(mood, Delivered { after })
        })
    }

    fn hopes(&self, ask: HopesAsk) -> BoxFuture<'_, Result<Vec<Hope>, PeerError>> {
        Box::pin(async move {
            let mut more = self.more.subscribe();
            let there_is_one =
                async { while self.state().wishes.is_empty() && more.changed().await.is_ok() {} };
            _ = timeout(Duration::from_millis(ask.wait_ms), there_is_one).await;
            Ok(std::mem::take(&mut self.state().wishes))
        })
    }

    fn answer(&self, hope: Hope) -> BoxFuture<'_, Result<Feedback, PeerError>> {
        Box::pin(async move {
            self.state().asked.push(hope.clone());
            let mood = self.called().await?;
            let feedback = Feedback {
                id: hope.id,
                outcome: answer(&self.name, &hope.data),
            };
            self.answered(mood, feedback)
        })
    }

    fn feedback(&self, feedback: Feedback) -> BoxFuture<'_, Result<(), PeerError>> {
        Box::pin(async move {
            self.called().await?;
            self.state().feedback.push(feedback);
            Ok(())
        })
    }
}

/// How the peer `by` answers a hope that says `data`.
pub(super) fn answer(by: &str, data: &Value) -> Outcome {
    Outcome::Answered {
        data: json!({"by": by, "to": data}),
    }
}

pub(super) fn publishes(topics: &[&str]) -> Exchange {
    Exchange {
        publishes: topics.iter().map(|topic| (*topic).to_owned()).collect(),
        ..Exchange::default()
    }
}

pub(super) fn listens(filter: &str) -> Exchange {
    Exchange {
        listens: vec![Subscription {
            listener: "l".to_owned(),
            filter: filter.to_owned(),
        }],
        ..Exchange::default()
    }
}

pub(super) fn asks(names: &[&str]) -> Exchange {
    Exchange {
        asks: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Exchange::default()
    }
}

pub(super) fn answers(name: &str) -> Exchange {
    Exchange {
        answers: vec![name.to_owned()],
        ..Exchange::default()
    }
}
