//! Several plugins on one bus, without a host.

use std::sync::Arc;
use std::time::Duration;

pub use hecate_bus::Bus;
use hecate_bus::{BoxFuture, Peer, PeerError};
use hecate_manifest::exchange::{
    Delivered, Delivery, FactsAsk, FactsPage, Feedback, Hope, HopesAsk,
};
use tokio::time::{Instant, sleep};

use super::TestPlugin;
use crate::api::chain;
use crate::running::Running;

/// How long facts, commands and hopes may be on their way in a test.
const SETTLE_WITHIN: Duration = Duration::from_secs(20);

impl TestPlugin {
    /// Lets the plugin take part in `bus`, with all that it may want to exchange.
    ///
    /// What a host does, this does: facts go from outboxes to listeners, hopes to responders, also while plugins are
    /// [reopened](TestPlugin::reopen).
    pub fn join(&self, bus: &Bus) {
        let exchange = self.running.started.exchange.clone();
        bus.join(Arc::new(self.peer()), exchange);
    }

    /// The plugin as a bus sees it.
    pub(crate) fn peer(&self) -> impl Peer {
        TestPeer(self.running.clone())
    }
}

/// Waits until everything has arrived: events are followed, facts heard, commands and hopes sent, rows written.
///
/// # Panics
///
/// If it is not within 20 s; says what stands still.
pub async fn settle(bus: &Bus, plugins: &[&TestPlugin]) {
    let until = Instant::now() + SETTLE_WITHIN;
    loop {
        let before = ends(bus, plugins).await;
        if before.is_some() && before == ends(bus, plugins).await {
            return rows(plugins).await;
        }
        if Instant::now() > until {
            let troubles: Vec<_> = plugins
                .iter()
                .map(|plugin| plugin.running.messages().troubles())
                .collect();
            panic!(
                "messages are still on their way: {:#?} {troubles:#?}",
                bus.routes()
            );
        }
        sleep(Duration::from_millis(2)).await;
    }
}

/// Waits until what was dispatched can be read.
async fn rows(plugins: &[&TestPlugin]) {
    for division in plugins.iter().flat_map(|plugin| plugin.running.divisions()) {
        let head = division.store().get().ok();
        let head = head.and_then(|store| *store.head().borrow());
        if let Some(head) = head {
            division.caught_up(head, SETTLE_WITHIN).await;
        }
    }
}

/// Where the outboxes end, if nothing is on its way; what one plugin does may give another something to do meanwhile.
async fn ends(bus: &Bus, plugins: &[&TestPlugin]) -> Option<Vec<u64>> {
    let mut ends = Vec::new();
    for plugin in plugins {
        let running = &plugin.running;
        let end = running.messages().idle_at().await.ok()??;
        let routes = bus.routes();
        let mut from_here = routes
            .iter()
            .filter(|route| route.emitter == running.started.name);
        if from_here.any(|route| route.after != Some(end)) {
            return None;
        }
        ends.push(end);
    }
    Some(ends)
}

/// A plugin that runs, as the bus sees it.
struct TestPeer(Arc<Running>);

impl TestPeer {
    fn failed(&self, error: &dyn std::error::Error) -> PeerError {
        PeerError::Failed(format!("`{}`: {}", self.0.started.name, chain(error)))
    }
}

impl Peer for TestPeer {
    fn name(&self) -> &str {
        &self.0.started.name
    }

    fn facts(&self, ask: FactsAsk) -> BoxFuture<'_, Result<FactsPage, PeerError>> {
        Box::pin(async move {
            let facts = self.0.messages().facts(ask).await;
            facts.map_err(|error| self.failed(&error))
        })
    }

    fn deliver(&self, delivery: Delivery) -> BoxFuture<'_, Result<Delivered, PeerError>> {
        Box::pin(async move {
            let delivered = self.0.messages().deliver(delivery).await;
            delivered.map_err(|error| self.failed(&error))
        })
    }

    fn hopes(&self, ask: HopesAsk) -> BoxFuture<'_, Result<Vec<Hope>, PeerError>> {
        Box::pin(async move {
            let wait = Duration::from_millis(ask.wait_ms);
            Ok(self.0.messages().hopes(wait).await)
        })
    }

    fn answer(&self, hope: Hope) -> BoxFuture<'_, Result<Feedback, PeerError>> {
        Box::pin(async move {
            let answered = self.0.messages().answer(hope).await;
            answered.map_err(PeerError::Failed)
        })
    }

    fn feedback(&self, feedback: Feedback) -> BoxFuture<'_, Result<(), PeerError>> {
        self.0.messages().feedback(feedback);
        Box::pin(async { Ok(()) })
    }
}
