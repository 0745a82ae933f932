//! The way of facts from one emitter to one listener.

use std::sync::{Arc, Mutex, PoisonError};

use hecate_manifest::exchange::{Delivered, Delivery, FactsAsk, FactsPage};

use crate::{Pause, Peer, PeerError, Task, WAIT};

/// Facts of one page: what may be on its way at any moment, for each route.
const PAGE: usize = 256;

/// A route, and how far its listener is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteStatus {
    /// Whose facts.
    pub emitter: String,
    /// Who hears them.
    pub plugin: String,
    /// Which listener of it.
    pub listener: String,
    /// Which topics.
    pub filter: String,
    /// The listener keeps all before this place of the emitter's outbox; `None` before it was asked.
    pub after: Option<u64>,
    /// Where that outbox ended when it was last looked at.
    pub head: u64,
    /// Facts that have arrived, repetitions included.
    pub delivered: u64,
    /// Facts that an emitter gave without being asked for or allowed to; they are dropped.
    pub refused: u64,
    /// Why it does not go on, while it does not.
    pub problem: Option<String>,
}

impl RouteStatus {
    /// How many places of the outbox the listener has not seen.
    pub fn behind(&self) -> u64 {
        self.head.saturating_sub(self.after.unwrap_or_default())
    }
}

/// What is known of a route; shared with the task that carries.
#[derive(Clone)]
pub(crate) struct State(Arc<Mutex<RouteStatus>>);

impl State {
    pub(crate) fn new(
        (emitter, plugin, listener): &(String, String, String),
        filter: &str,
    ) -> Self {
        Self(Arc::new(Mutex::new(RouteStatus {
            emitter: emitter.clone(),
            plugin: plugin.clone(),
            listener: listener.clone(),
            filter: filter.to_owned(),
            after: None,
            head: 0,
            delivered: 0,
            refused: 0,
            problem: None,
        })))
    }

    fn update<T>(&self, change: impl FnOnce(&mut RouteStatus) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A route that carries until it is dropped.
pub(crate) struct Route {
    state: State,
    _task: Task,
}

impl Route {
    /// Carries the facts on `topics`.
    pub(crate) fn lay(
        from: Arc<dyn Peer>,
        to: Arc<dyn Peer>,
        topics: Vec<String>,
        state: State,
    ) -> Self {
        let task = Task::spawn(carry(from, to, topics, state.clone()));
        Self { state, _task: task }
    }

    pub(crate) fn status(&self) -> RouteStatus {
        self.state.update(|status| status.clone())
    }
}

async fn carry(from: Arc<dyn Peer>, to: Arc<dyn Peer>, topics: Vec<String>, state: State) {
    let mut pause = Pause::new();
    loop {
        match carry_page(from.as_ref(), to.as_ref(), &topics, &state).await {
            Ok(()) => {
                pause = Pause::new();
                state.update(|status| status.problem = None);
            }
            Err(error) => {
                // The listener knows where it stands; what the bus knew may be of a generation that is gone.
                state.update(|status| {
                    status.after = None;
                    status.problem = Some(error.to_string());
                });
                pause.wait().await;
            }
        }
    }
}

/// One page: out of the outbox, and over to the listener.
async fn carry_page(
    from: &dyn Peer,
    to: &dyn Peer,
    topics: &[String],
    state: &State,
) -> Result<(), PeerError> {
    let status = state.update(|status| status.clone());
    let delivery = |page: FactsPage, scanned_to| Delivery {
        listener: status.listener.clone(),
        emitter: status.emitter.clone(),
        outbox: page.outbox,
        facts: page.facts,
        scanned_to,
        head: page.head,
    };
    let ask = |after, wait_ms| FactsAsk {
        filter: status.filter.clone(),
        after,
        limit: PAGE,
        wait_ms,
    };
    let after = match status.after {
        Some(after) => after,
        None => {
            // A listener that hears what is published from now on must be told where now is.
            let now = from.facts(ask(u64::MAX, 0)).await?;
            let head = now.head;
            let Delivered { after } = to
                .deliver(delivery(
                    FactsPage {
                        facts: Vec::new(),
                        ..now
                    },
                    None,
                ))
                .await?;
            state.update(|status| {
                status.after = Some(after);
                status.head = head;
            });
            after
        }
    };
    let mut page = from.facts(ask(after, WAIT.as_millis() as u64)).await?;
    let given = page.facts.len();
    page.facts
        .retain(|fact| fact.position > after && topics.contains(&fact.topic));
    let (kept, scanned_to) = (page.facts.len() as u64, page.scanned_to);
    state.update(|status| {
        status.head = page.head;
        status.refused += given as u64 - kept;
    });
    if scanned_to <= after {
        return Ok(());
    }
    let delivered = to.deliver(delivery(page, Some(scanned_to))).await?;
    state.update(|status| {
        status.after = Some(delivered.after);
        status.delivered += kept;
    });
    if delivered.after < scanned_to {
        // It has missed something, and says from where on it wants to hear it again.
        let message = format!(
            "`{}` asks for facts behind {} again",
            status.plugin, delivered.after
        );
        return Err(PeerError::Failed(message));
    }
    Ok(())
}
