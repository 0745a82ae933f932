//! The way of hopes to whoever answers, and of the answers back.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use hecate_manifest::exchange::{Feedback, Hope, HopesAsk, Outcome};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::{Pause, Peer, Shared, WAIT};

/// Hopes of one peer and one name that are on their way at any moment. More wait here, so that a responder that hangs holds
/// up those alone that are meant for it,
const ON_THEIR_WAY: usize = 64;
/// until there are this many; more wait with the peer.
const TAKEN: usize = 1024;
/// How long a hope waits for a responder to join, and not longer than half of its time, so that its asker hears that there
/// is none: plugins start side by side, and swaps take a moment.
const JOIN_WITHIN: Duration = Duration::from_secs(2);

/// Carries the hopes of `peer`, which may ask for `names`, until the bus ends.
pub(crate) async fn carry(bus: Weak<Shared>, peer: Arc<dyn Peer>, names: Vec<String>) {
    let taken = Arc::new(Semaphore::new(TAKEN));
    let lane = |name| (name, Arc::new(Semaphore::new(ON_THEIR_WAY)));
    let lanes: HashMap<_, _> = names.into_iter().map(lane).collect();
    let mut pause = Pause::new();
    loop {
        let ask = HopesAsk {
            wait_ms: WAIT.as_millis() as u64,
        };
        let Ok(hopes) = peer.hopes(ask).await else {
            pause.wait().await;
            continue;
        };
        pause = Pause::new();
        for mut hope in hopes {
            let (Some(bus), Ok(permit)) = (bus.upgrade(), taken.clone().acquire_owned().await)
            else {
                return;
            };
            hope.from = peer.name().to_owned();
            let lane = lanes.get(&hope.name).cloned();
            tokio::spawn(async move {
                let _permit = permit;
                let (id, from) = (hope.id.clone(), hope.from.clone());
                let outcome = match lane {
                    Some(lane) => answer(&bus, hope, &lane).await,
                    None => not_allowed(&hope),
                };
                // Who has gone meanwhile has its own deadline; who was replaced hears it all the same.
                if let Some(asker) = bus.peer(&from) {
                    _ = asker.feedback(Feedback { id, outcome }).await;
                }
            });
        }
    }
}

fn not_allowed(hope: &Hope) -> Outcome {
    Outcome::NoResponder {
        message: format!(
            "`{}` may not send the hope `{}`: its manifest must ask for `hope:call:{}`",
            hope.from, hope.name, hope.name
        ),
    }
}

/// Finds who answers, and asks until there is an answer or no time left. Its time runs while it waits in its lane, too.
async fn answer(bus: &Shared, hope: Hope, lane: &Semaphore) -> Outcome {
    let until = Instant::now() + Duration::from_millis(hope.deadline_ms);
    let Ok(Ok(_on_its_way)) = timeout_at(until, lane.acquire()).await else {
        return Outcome::TimedOut;
    };
    let mut pause = Pause::new();
    loop {
        let Some(responder) = responder(bus, &hope.name, until).await else {
            return Outcome::NoResponder {
                message: format!("no plugin here answers the hope `{}`", hope.name),
            };
        };
        let left = until.saturating_duration_since(Instant::now());
        let mut again = hope.clone();
        again.deadline_ms = left.as_millis() as u64;
        match timeout_at(until, responder.answer(again)).await {
            Ok(Ok(feedback)) => return feedback.outcome,
            // Sent again with the same id it has no second effect.
            Ok(Err(_)) => {
                if timeout_at(until, pause.wait()).await.is_err() {
                    return Outcome::TimedOut;
                }
            }
            Err(_) => return Outcome::TimedOut,
        }
    }
}

async fn responder(bus: &Shared, name: &str, until: Instant) -> Option<Arc<dyn Peer>> {
    let mut changed = bus.changed.subscribe();
    let now = Instant::now();
    let until = now + (until.saturating_duration_since(now) / 2).min(JOIN_WITHIN);
    loop {
        changed.borrow_and_update();
        if let Some(responder) = bus.responder(name) {
            return Some(responder);
        }
        timeout_at(until, changed.changed()).await.ok()?.ok()?;
    }
}
