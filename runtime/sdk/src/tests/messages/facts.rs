//! Facts from one plugin to another.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hecate_bus::{BoxFuture, Peer, PeerError};
use hecate_manifest::exchange::{
    Delivered, Delivery, Exchange, Fact as Envelope, FactsAsk, FactsPage, Feedback,
    Hope as HopeEnvelope, HopesAsk, Subscription,
};
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::store::{Position, StreamId};
use crate::testing::{Bus, run, settle};

#[test]
fn a_fact_of_one_plugin_is_one_command_in_another() {
    run(async {
        let (bus, mut bank, mut club) = (
            Bus::new(),
            TestPlugin::start::<Bank>().await,
            TestPlugin::start::<Club>().await,
        );
        bank.join(&bus);
        club.join(&bus);
        open(&bank, "ann").await;
        open(&bank, "stranger").await;
        settle(&bus, &[&bank, &club]).await;
        assert_eq!(owners(&club).await, ["ann"]);
        // Both end and begin again, in between and while facts are told.
        bank.reopen().await;
        open(&bank, "bob").await;
        club.reopen().await;
        settle(&bus, &[&bank, &club]).await;
        assert_eq!(owners(&club).await, ["ann", "bob"]);
        let status = bus.routes();
        assert_eq!(
            (status.len(), status[0].behind(), status[0].refused),
            (1, 0, 0)
        );
    });
}

#[test]
fn what_is_told_while_nobody_listens_is_heard_later_and_in_order() {
    run(async {
        let (bus, bank) = (Bus::new(), TestPlugin::start::<Bank>().await);
        bank.join(&bus);
        for nth in 0..300 {
            open(&bank, &format!("owner {nth:03}")).await;
        }
        settle(&bus, &[&bank]).await;
        let club = TestPlugin::start::<Club>().await;
        club.join(&bus);
        settle(&bus, &[&bank, &club]).await;
        let count = club.get("/accounts/count").await;
        assert_eq!(count.json["count"], 300);
        bus.leave("club");
        open(&bank, "late").await;
        settle(&bus, &[&bank]).await;
        assert_eq!(club.get("/accounts/count").await.json["count"], 300);
        club.join(&bus);
        settle(&bus, &[&bank, &club]).await;
        assert_eq!(club.get("/accounts/count").await.json["count"], 301);
    });
}

#[test]
fn the_conversation_goes_on_in_the_other_plugin() {
    run(async {
        let (bus, bank, club) = (
            Bus::new(),
            TestPlugin::start::<Bank>().await,
            TestPlugin::start::<Club>().await,
        );
        bank.join(&bus);
        club.join(&bus);
        open(&bank, "ann").await;
        settle(&bus, &[&bank, &club]).await;
        let first = |plugin: &TestPlugin| {
            let store = plugin.running.division("account").unwrap().store().clone();
            async move {
                store
                    .read_all(None, crate::store::Query::all(), 1)
                    .await
                    .unwrap()
                    .events
                    .remove(0)
            }
        };
        let (told, heard) = (first(&bank).await, first(&club).await);
        assert_eq!(heard.metadata.correlation_id, told.metadata.correlation_id);
        let page = bank.running.messages().facts(ask(0)).await.unwrap();
        let fact = &page.facts[0];
        assert_eq!(fact.causation_id, told.event_id.to_string());
        assert_eq!(
            heard.metadata.origin_id.unwrap().to_string(),
            fact.id,
            "the command came from the fact"
        );
    });
}

fn ask(after: u64) -> FactsAsk {
    FactsAsk {
        filter: "bank.>".to_owned(),
        after,
        limit: 100,
        wait_ms: 0,
    }
}

/// A fact as a host hands it over.
fn envelope(owner: &str, sequence: u64) -> Envelope {
    Envelope {
        id: Uuid::now_v7().to_string(),
        topic: "bank.account_opened".to_owned(),
        revision: 1,
        sequence,
        position: sequence,
        occurred_at: 1_700_000_000_000_000,
        correlation_id: None,
        causation_id: Uuid::now_v7().to_string(),
        data: json!({"account_id": "a", "owner": owner}),
    }
}

fn delivery(outbox: &str, facts: Vec<Envelope>) -> Delivery {
    let end = facts.last().map_or(0, |fact| fact.position);
    Delivery {
        listener: "open_too".to_owned(),
        emitter: "bank".to_owned(),
        outbox: outbox.to_owned(),
        facts,
        scanned_to: Some(end),
        head: end,
    }
}

#[test]
fn repeated_and_missing_facts_are_noticed() {
    run(async {
        let club = TestPlugin::start::<Club>().await;
        let deliver = async |facts| {
            club.running
                .messages()
                .deliver(delivery("one", facts))
                .await
                .unwrap()
                .after
        };
        let (ann, bob, cid) = (envelope("ann", 1), envelope("bob", 2), envelope("cid", 3));
        assert_eq!(deliver(vec![bob.clone()]).await, 0, "the first is missing");
        assert_eq!(deliver(vec![ann.clone()]).await, 1);
        assert_eq!(deliver(vec![ann.clone()]).await, 1, "known already");
        assert_eq!(deliver(vec![cid.clone()]).await, 1, "the second is missing");
        assert_eq!(
            deliver(vec![ann.clone(), bob.clone(), cid.clone()]).await,
            3
        );
        assert_eq!(deliver(vec![bob, cid]).await, 3);
        settle(&Bus::new(), &[&club]).await;
        assert_eq!(owners(&club).await.len(), 3);
        // The bank's data were removed: its numbers begin anew and mean other facts.
        let dan = envelope("dan", 1);
        let other = club
            .running
            .messages()
            .deliver(delivery("two", vec![dan]))
            .await
            .unwrap();
        assert_eq!(other.after, 1);
        settle(&Bus::new(), &[&club]).await;
        assert_eq!(owners(&club).await.len(), 4);
    });
}

#[test]
fn what_is_no_fact_is_refused_by_name() {
    run(async {
        let club = TestPlugin::start::<Club>().await;
        let refused = async |change: fn(&mut Delivery)| {
            let mut delivery = delivery("one", vec![envelope("ann", 1)]);
            change(&mut delivery);
            club.running
                .messages()
                .deliver(delivery)
                .await
                .unwrap_err()
                .to_string()
        };
        let unknown = refused(|delivery| delivery.listener = "nobody".to_owned()).await;
        assert_eq!(unknown, "there is no listener `nobody` here");
        let id = refused(|delivery| delivery.facts[0].id = "x".to_owned()).await;
        assert!(
            id.contains("the fact 1 of `bank` is not one: its id"),
            "{id}"
        );
        let time = refused(|delivery| delivery.facts[0].occurred_at = i64::MAX).await;
        assert!(time.contains("its time"), "{time}");
    });
}

#[test]
fn an_unreadable_fact_is_kept_aside_and_read_when_the_plugin_knows_better() {
    run(async {
        let mut club = TestPlugin::start::<Club>().await;
        let mut strange = envelope("x", 2);
        strange.data = json!({"something": "else"});
        let facts = vec![envelope("moody listener", 1), strange, envelope("bob", 3)];
        let delivered = club
            .running
            .messages()
            .deliver(delivery("one", facts))
            .await
            .unwrap();
        assert_eq!(delivered.after, 3, "the others do not wait for it");
        settle(&Bus::new(), &[&club]).await;
        assert_eq!(owners(&club).await, ["bob"]);
        MOODY_LISTENER.store(false, Ordering::SeqCst);
        club.reopen().await;
        settle(&Bus::new(), &[&club]).await;
        let mut now = owners(&club).await;
        now.sort_unstable();
        assert_eq!(
            now,
            ["bob", "moody listener"],
            "the strange one is kept still"
        );
    });
}

#[test]
fn a_listener_may_begin_with_what_is_told_from_now_on() {
    struct Late;

    impl Plugin for Late {
        fn manifest() -> &'static str {
            r#"{"name": "late", "version": "0.1.0", "plugin_type": "in_vm"}"#
        }

        async fn init(_: PluginContext) -> Result<Self, InitError> {
            Ok(Self)
        }

        fn divisions() -> Vec<DivisionSpec> {
            vec![Accounts::division()]
        }

        fn integrations() -> Integrations {
            Integrations::new().listener::<HearAll>()
        }
    }

    run(async {
        let (bus, bank, late) = (
            Bus::new(),
            TestPlugin::start::<Bank>().await,
            TestPlugin::start::<Late>().await,
        );
        bank.join(&bus);
        let ann = open(&bank, "ann").await;
        settle(&bus, &[&bank]).await;
        late.join(&bus);
        settle(&bus, &[&bank, &late]).await;
        bank.post(&format!("/accounts/{ann}/pay"), json!({"amount": "3"}))
            .await;
        open(&bank, "bob").await;
        settle(&bus, &[&bank, &late]).await;
        let mut heard = owners(&late).await;
        heard.sort_unstable();
        assert_eq!(heard, ["bank.account_opened 2", "bank.account_paid 1"]);
    });
}

/// A way to `club` that loses every third page, repeats every fifth, and cannot be reached every seventh time.
struct Lossy<P> {
    inner: P,
    calls: AtomicU64,
}

impl<P: Peer> Peer for Lossy<P> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn facts(&self, ask: FactsAsk) -> BoxFuture<'_, Result<FactsPage, PeerError>> {
        self.inner.facts(ask)
    }

    fn deliver(&self, mut delivery: Delivery) -> BoxFuture<'_, Result<Delivered, PeerError>> {
        Box::pin(async move {
            let nth = self.calls.fetch_add(1, Ordering::SeqCst);
            if nth % 7 == 6 {
                return Err(PeerError::Gone("club".to_owned()));
            }
            if nth % 3 == 2 && delivery.facts.len() > 1 {
                delivery.facts.remove(0);
            }
            if nth % 5 == 4 {
                self.inner.deliver(delivery.clone()).await?;
            }
            self.inner.deliver(delivery).await
        })
    }

    fn hopes(&self, ask: HopesAsk) -> BoxFuture<'_, Result<Vec<HopeEnvelope>, PeerError>> {
        self.inner.hopes(ask)
    }

    fn answer(&self, hope: HopeEnvelope) -> BoxFuture<'_, Result<Feedback, PeerError>> {
        self.inner.answer(hope)
    }

    fn feedback(&self, feedback: Feedback) -> BoxFuture<'_, Result<(), PeerError>> {
        self.inner.feedback(feedback)
    }
}

#[test]
fn a_way_that_loses_and_repeats_facts_loses_and_repeats_no_effect() {
    run(async {
        let (bus, bank, club) = (
            Bus::new(),
            TestPlugin::start::<Bank>().await,
            TestPlugin::start::<Club>().await,
        );
        bank.join(&bus);
        let exchange: Exchange = club.running.started.exchange.clone();
        assert_eq!(
            exchange.listens,
            [Subscription {
                listener: "open_too".to_owned(),
                filter: "bank.account_opened".to_owned()
            }]
        );
        let lossy = Lossy {
            inner: club.peer(),
            calls: AtomicU64::new(0),
        };
        bus.join(Arc::new(lossy), exchange);
        for round in 0..40 {
            for nth in 0..3 {
                open(&bank, &format!("owner {round} {nth}")).await;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        settle(&bus, &[&bank, &club]).await;
        assert_eq!(club.get("/accounts/count").await.json["count"], 120);
    });
}

#[test]
fn an_emitter_tells_in_the_order_of_its_events_without_holes() {
    run(async {
        let (bus, mut bank) = (Bus::new(), TestPlugin::start::<Bank>().await);
        bank.join(&bus);
        for nth in 0..20 {
            let id = open(&bank, &format!("{nth}")).await;
            bank.post(&format!("/accounts/{id}/pay"), json!({"amount": "1"}))
                .await;
            if nth % 5 == 0 {
                bank.reopen().await;
            }
        }
        // An event that nobody here knows stops the facts of its stream alone.
        let store = bank.running.division("account").unwrap().store().clone();
        let strange = crate::store::NewEvent::json("account_blessed", 1, &json!({})).unwrap();
        store
            .append(
                StreamId::of("account", "blessed"),
                crate::store::ExpectedVersion::Any,
                vec![strange],
            )
            .await
            .unwrap();
        open(&bank, "last").await;
        settle(&bus, &[&bank]).await;
        let page = bank.running.messages().facts(ask(0)).await.unwrap();
        for topic in ["bank.account_opened", "bank.account_paid"] {
            let sequences: Vec<_> = page
                .facts
                .iter()
                .filter(|fact| fact.topic == topic)
                .map(|fact| fact.sequence)
                .collect();
            let wanted = if topic == "bank.account_opened" {
                21
            } else {
                20
            };
            assert_eq!(sequences, (1..=wanted).collect::<Vec<u64>>(), "{topic}");
        }
        assert!(page.facts.is_sorted_by_key(|fact| fact.position));
        assert!(Position::new(page.head).is_some());
    });
}
