//! Facts and hopes between peers.
//!
//! A [`Peer`] is whoever publishes facts, listens, asks and answers: a plugin of this daemon, or, once there is a network,
//! another daemon. A [`Bus`] carries between the peers that have joined. Plugins see no difference.
//!
//! The bus keeps nothing on disk and holds no queue of its own. Emitters keep their facts in an outbox, listeners how far
//! they have heard; for each emitter and listener that fit, one route carries one page at a time and lets the listener say
//! where to go on. So facts arrive at least once and in the order of their topic, across restarts of either side and of the
//! bus; a slow listener slows nobody but itself, and [`Bus::routes`] shows how far behind it is. Hopes are carried at once,
//! or answered with [`Outcome::NoResponder`](hecate_manifest::exchange::Outcome).
//!
//! What is absent on purpose: who may publish or hear what. Whoever lets a peer join passes what it may do.

#![warn(missing_docs)]

mod hopes;
mod route;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hecate_manifest::exchange::{
    Delivered, Delivery, Exchange, FactsAsk, FactsPage, Feedback, Hope, HopesAsk,
};
use hecate_manifest::{Topic, TopicFilter};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use route::RouteStatus;
use route::{Route, State as RouteState};

/// A boxed future, so that peers can be trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How long a peer is asked to wait for something to carry before it answers that there is nothing.
const WAIT: Duration = Duration::from_secs(20);
/// Between two tries at a peer that cannot be reached: from this, doubled each time,
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Whoever publishes, listens, asks and answers.
pub trait Peer: Send + Sync + 'static {
    /// Its name, unique on its bus.
    fn name(&self) -> &str;

    /// Gives facts of its outbox, or waits for one.
    ///
    /// # Errors
    ///
    /// [`PeerError`], as of all that follow: it is asked again.
    fn facts(&self, ask: FactsAsk) -> BoxFuture<'_, Result<FactsPage, PeerError>>;

    /// Takes facts in, and says where to go on.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    fn deliver(&self, delivery: Delivery) -> BoxFuture<'_, Result<Delivered, PeerError>>;

    /// Gives the hopes that it wants to send, or waits for one. What it has given is the bus's to carry.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    fn hopes(&self, ask: HopesAsk) -> BoxFuture<'_, Result<Vec<Hope>, PeerError>>;

    /// Answers a hope of another peer. The same hope may come again.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    fn answer(&self, hope: Hope) -> BoxFuture<'_, Result<Feedback, PeerError>>;

    /// Hears what came of a hope that it sent.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    fn feedback(&self, feedback: Feedback) -> BoxFuture<'_, Result<(), PeerError>>;
}

/// Why a peer did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// It is not there now, or its stores are closed.
    #[error("`{0}` is not there now")]
    Gone(String),
    /// It failed, with its reason.
    #[error("{0}")]
    Failed(String),
}

/// Whoever carries facts and hopes between the peers that have joined: a [`Bus`], or a network.
pub trait Carrier: Send + Sync + 'static {
    /// Lets `peer` take part, with what it may exchange; in place of the one of the same name, if there is one.
    ///
    /// Must be called in a tokio runtime, which carries from then on.
    fn join(&self, peer: Arc<dyn Peer>, exchange: Exchange);

    /// Takes the peer of this name away. What was on its way is carried again when it is back.
    fn leave(&self, name: &str);

    /// Every route, and how far its listener is.
    fn routes(&self) -> Vec<RouteStatus>;
}

/// Carries facts and hopes between the peers that have joined. Cheap to clone; the last one that is dropped ends it.
#[derive(Clone, Default)]
pub struct Bus {
    shared: Arc<Shared>,
}

#[derive(Default)]
pub(crate) struct Shared {
    peers: Mutex<Peers>,
    /// Counts joins and leaves: who waits for a responder looks again.
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Peers {
    joined: BTreeMap<String, Joined>,
    /// By emitter, listening peer and listener.
    routes: BTreeMap<(String, String, String), Route>,
}

struct Joined {
    peer: Arc<dyn Peer>,
    exchange: Exchange,
    /// Carries its hopes.
    _asking: Option<Task>,
}

/// A task that ends with its handle.
pub(crate) struct Task(JoinHandle<()>);

impl Task {
    pub(crate) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Bus {
    /// A bus that nobody has joined.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `peer` take part, with what it may exchange; in place of the one of the same name, if there is one.
    ///
    /// Must be called in a tokio runtime, which carries from then on.
    pub fn join(&self, peer: Arc<dyn Peer>, exchange: Exchange) {
        let name = peer.name().to_owned();
        let asking = (!exchange.asks.is_empty()).then(|| {
            Task::spawn(hopes::carry(
                Arc::downgrade(&self.shared),
                peer.clone(),
                exchange.asks.clone(),
            ))
        });
        let mut peers = self.shared.lock();
        peers.leave(&name);
        let joined = Joined {
            peer,
            exchange,
            _asking: asking,
        };
        peers.joined.insert(name.clone(), joined);
        peers.lay_routes(&name);
        drop(peers);
        self.shared.changed.send_modify(|count| *count += 1);
    }

    /// Takes the peer of this name away. What was on its way is carried again when it is back.
    pub fn leave(&self, name: &str) {
        self.shared.lock().leave(name);
        self.shared.changed.send_modify(|count| *count += 1);
    }

    /// Every route, and how far its listener is.
    pub fn routes(&self) -> Vec<RouteStatus> {
        let peers = self.shared.lock();
        peers.routes.values().map(Route::status).collect()
    }
}

impl Carrier for Bus {
    fn join(&self, peer: Arc<dyn Peer>, exchange: Exchange) {
        Self::join(self, peer, exchange);
    }

    fn leave(&self, name: &str) {
        Self::leave(self, name);
    }

    fn routes(&self) -> Vec<RouteStatus> {
        Self::routes(self)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Peers> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The peer of this name.
    fn peer(&self, name: &str) -> Option<Arc<dyn Peer>> {
        Some(self.lock().joined.get(name)?.peer.clone())
    }

    /// Who answers to this name: of several, the first by name.
    fn responder(&self, hope: &str) -> Option<Arc<dyn Peer>> {
        let peers = self.lock();
        let answers = |joined: &&Joined| joined.exchange.answers.iter().any(|name| name == hope);
        Some(peers.joined.values().find(answers)?.peer.clone())
    }
}

impl Peers {
    fn leave(&mut self, name: &str) {
        self.joined.remove(name);
        self.routes
            .retain(|(from, to, _), _| from != name && to != name);
    }

    /// Lays the routes that begin or end at `name`.
    fn lay_routes(&mut self, name: &str) {
        for (from, emitter) in &self.joined {
            for (to, listening) in &self.joined {
                if from != name && to != name {
                    continue;
                }
                for subscription in &listening.exchange.listens {
                    let topics = topics(&emitter.exchange.publishes, &subscription.filter);
                    if topics.is_empty() {
                        continue;
                    }
                    let key = (from.clone(), to.clone(), subscription.listener.clone());
                    let state = RouteState::new(&key, &subscription.filter);
                    let route =
                        Route::lay(emitter.peer.clone(), listening.peer.clone(), topics, state);
                    self.routes.insert(key, route);
                }
            }
        }
    }
}

/// The topics of `publishes` that `filter` means. What is not a topic, or no filter, means nothing.
fn topics(publishes: &[String], filter: &str) -> Vec<String> {
    let Ok(filter) = TopicFilter::parse(filter) else {
        return Vec::new();
    };
    let meant = |text: &&String| Topic::parse(text).is_ok_and(|topic| filter.matches(&topic));
    publishes.iter().filter(meant).cloned().collect()
}

/// Waits between tries, longer each time.
pub(crate) struct Pause(Duration);

impl Pause {
    pub(crate) const fn new() -> Self {
        Self(FIRST_PAUSE)
    }

    pub(crate) async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests;
