//! Plugins on the daemon's bus: what each may exchange, and how the bus reaches it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use hecate_bus::{BoxFuture, Peer, PeerError};
use hecate_manifest::exchange::{
    Delivered, Delivery, Exchange, FactsAsk, FactsPage, Feedback, Hope, HopesAsk,
};
use hecate_manifest::{Permission, TopicFilter};
use hecate_runtime::{Exchanging, Instance};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How long a plugin may take for what the bus asks, beside what it is asked to wait.
const LIMIT: Duration = Duration::from_secs(30);

/// Says everything that a plugin wants to exchange and that its manifest does not ask for.
pub(crate) fn faults(exchange: &Exchange, permissions: &[Permission]) -> Vec<String> {
    let publish: Vec<_> = filters(permissions, |permission| match permission {
        Permission::Publish(topic) => Some(topic),
        _ => None,
    });
    let subscribe: Vec<_> = filters(permissions, |permission| match permission {
        Permission::Subscribe(topic) => Some(topic),
        _ => None,
    });
    let mut missing = Vec::new();
    for topic in &exchange.publishes {
        if !covered(&publish, topic) {
            missing.push(format!("facts:publish:{topic}"));
        }
    }
    for subscription in &exchange.listens {
        if !covered(&subscribe, &subscription.filter) {
            missing.push(format!("facts:subscribe:{}", subscription.filter));
        }
    }
    for name in &exchange.asks {
        if !permissions.contains(&Permission::Call(name.clone())) {
            missing.push(format!("hope:call:{name}"));
        }
    }
    missing
}

fn filters(
    permissions: &[Permission],
    topic: fn(&Permission) -> Option<&String>,
) -> Vec<TopicFilter> {
    let topics = permissions.iter().filter_map(topic);
    topics
        .filter_map(|text| TopicFilter::parse(text).ok())
        .collect()
}

fn covered(filters: &[TopicFilter], wanted: &str) -> bool {
    TopicFilter::parse(wanted)
        .is_ok_and(|wanted| filters.iter().any(|filter| filter.covers(&wanted)))
}

/// A running plugin, as the bus sees it. It does not keep the instance alive: that ends when the daemon says so.
pub(crate) struct PluginPeer {
    name: String,
    instance: Weak<Instance>,
}

impl PluginPeer {
    pub(crate) fn new(name: &str, instance: &Arc<Instance>) -> Self {
        Self {
            name: name.to_owned(),
            instance: Arc::downgrade(instance),
        }
    }

    async fn ask<P, R>(&self, what: Exchanging, payload: &P, wait: Duration) -> Result<R, PeerError>
    where
        P: Serialize + Sync,
        R: DeserializeOwned,
    {
        let gone = || PeerError::Gone(self.name.clone());
        let instance = self.instance.upgrade().ok_or_else(gone)?;
        let asked = instance.exchange(what, payload, wait + LIMIT).await;
        asked.map_err(|error| PeerError::Failed(format!("`{}`: {error}", self.name)))
    }
}

impl Peer for PluginPeer {
    fn name(&self) -> &str {
        &self.name
    }

    fn facts(&self, ask: FactsAsk) -> BoxFuture<'_, Result<FactsPage, PeerError>> {
        Box::pin(async move {
            let wait = Duration::from_millis(ask.wait_ms);
            self.ask(Exchanging::Facts, &ask, wait).await
        })
    }

    fn deliver(&self, delivery: Delivery) -> BoxFuture<'_, Result<Delivered, PeerError>> {
        Box::pin(async move {
            self.ask(Exchanging::Deliver, &delivery, Duration::ZERO)
                .await
        })
    }

    fn hopes(&self, ask: HopesAsk) -> BoxFuture<'_, Result<Vec<Hope>, PeerError>> {
        Box::pin(async move {
            let wait = Duration::from_millis(ask.wait_ms);
            self.ask(Exchanging::Hopes, &ask, wait).await
        })
    }

    fn answer(&self, hope: Hope) -> BoxFuture<'_, Result<Feedback, PeerError>> {
        Box::pin(async move {
            let wait = Duration::from_millis(hope.deadline_ms);
            self.ask(Exchanging::Answer, &hope, wait).await
        })
    }

    fn feedback(&self, feedback: Feedback) -> BoxFuture<'_, Result<(), PeerError>> {
        Box::pin(async move {
            self.ask(Exchanging::Feedback, &feedback, Duration::ZERO)
                .await
        })
    }
}

#[cfg(test)]
mod tests {
    use hecate_manifest::exchange::Subscription;

    use super::*;

    #[test]
    fn what_is_not_asked_for_is_named() {
        let exchange = Exchange {
            publishes: vec!["shop.sold".to_owned(), "shop.closed".to_owned()],
            listens: vec![
                Subscription {
                    listener: "one".to_owned(),
                    filter: "bank.*".to_owned(),
                },
                Subscription {
                    listener: "two".to_owned(),
                    filter: "club.>".to_owned(),
                },
            ],
            asks: vec!["bank.open".to_owned()],
            answers: vec!["shop.reserve".to_owned()],
        };
        let permissions: Vec<_> = [
            "facts:publish:shop.sold",
            "facts:subscribe:bank.>",
            "facts:subscribe:club.*",
            "net:dns",
        ]
        .map(Permission::parse)
        .into();
        assert_eq!(
            faults(&exchange, &permissions),
            [
                "facts:publish:shop.closed",
                "facts:subscribe:club.>",
                "hope:call:bank.open"
            ]
        );
        assert!(faults(&Exchange::default(), &[]).is_empty());
    }
}
