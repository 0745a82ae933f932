//! Buses with one fault: the real one, tampered with where peers join it and where it calls them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use hecate_bus::{BoxFuture, Bus, Carrier, Peer, PeerError, RouteStatus};
use hecate_manifest::exchange::{
    Delivered, Delivery, Exchange, FactsAsk, FactsPage, Feedback, Hope, HopesAsk, Outcome,
};
use tokio::sync::Semaphore;

use super::{hold_your_tongue, quietly_broken};
use crate::conformance::Rule;
use crate::conformance::bus::{RULES, Subject};

/// The faults, and for each the rules that must find it. Others may find it too.
macro_rules! faults {
    ($($fault:ident: $($rule:ident),+;)+) => {
        /// One thing that a bus does wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        enum Fault {
            Honest,
            $($fault,)+
        }

        const FAULTS: &[(Fault, &[&str])] = &[$((Fault::$fault, &[$(stringify!($rule)),+]),)+];
    };
}

faults! {
    NewestFirst: facts_of_a_topic_arrive_in_order;
    DropsEveryThirdPage: a_thousand_facts_arrive, facts_of_a_topic_arrive_in_order;
    CutsPages: a_thousand_facts_arrive;
    ForgetsWhoLeaves: a_listener_that_was_away_misses_nothing, an_emitter_that_was_away_is_heard_again;
    TheFirstStays: who_takes_the_place_of_another_goes_on;
    FailedIsDelivered: a_delivery_that_failed_comes_again;
    KnowsBetter: a_listener_may_ask_again;
    BeginsNow: a_listener_that_comes_late_hears_everything;
    BeginsAtTheBeginning: a_listener_says_where_it_begins;
    OneListenerAfterTheOther: a_hanging_listener_slows_nobody_else;
    OneEmitterAfterTheOther: a_hanging_emitter_slows_nobody_else;
    IgnoresFilters: wildcards_deliver_just_what_they_match;
    WildcardsAreWords: wildcards_deliver_just_what_they_match;
    PublishesAnything: what_may_not_be_published_is_not_carried;
    ShowsNothing: routes_show_how_far_listeners_are;
    AsksEverybody: a_hope_is_answered_once_by_one_responder;
    AnswersTwice: a_hope_is_answered_once_by_one_responder;
    BelievesWhoAsks: a_hope_says_who_asks;
    HidesThatNobodyAnswers: a_hope_that_nobody_answers_is_said_to_be;
    AllowsEveryHope: a_hope_that_is_not_allowed_is_not_carried;
    WaitsForEver: a_hope_that_hangs_is_out_of_time;
    TriesOnce: a_hope_is_tried_until_it_is_answered;
    OneHopeAfterTheOther: a_hanging_responder_slows_no_other;
    StopsWhenFeedbackIsLost: lost_feedback_does_no_harm;
    CarriesEachHopeOnce: lost_feedback_does_no_harm;
    SixtyFourHopesAtOnce: a_hundred_hopes_at_once_are_answered;
}

/// A peer, and what it may exchange.
type Joined = (Arc<dyn Peer>, Exchange);

/// What a faulty bus remembers.
struct Memory {
    fault: Fault,
    one: Semaphore,
    pages: AtomicUsize,
    failed: AtomicUsize,
    joined: Mutex<BTreeMap<String, Joined>>,
    left: Mutex<BTreeSet<String>>,
    hopes: Mutex<BTreeMap<String, Hope>>,
}

impl Memory {
    /// Waits, with this fault, until nobody else is called.
    async fn alone(&self, fault: Fault) -> Option<tokio::sync::SemaphorePermit<'_>> {
        if self.fault != fault {
            return None;
        }
        Some(self.one.acquire().await.unwrap())
    }
}

struct Faulty {
    bus: Bus,
    memory: Arc<Memory>,
}

impl Faulty {
    fn with(fault: Fault) -> Self {
        let memory = Memory {
            fault,
            one: Semaphore::new(1),
            pages: AtomicUsize::default(),
            failed: AtomicUsize::default(),
            joined: Mutex::default(),
            left: Mutex::default(),
            hopes: Mutex::default(),
        };
        Self {
            bus: Bus::new(),
            memory: Arc::new(memory),
        }
    }
}

impl Carrier for Faulty {
    fn join(&self, peer: Arc<dyn Peer>, mut exchange: Exchange) {
        let (name, memory) = (peer.name().to_owned(), self.memory.clone());
        match memory.fault {
            Fault::ForgetsWhoLeaves if memory.left.lock().unwrap().contains(&name) => return,
            Fault::TheFirstStays if memory.joined.lock().unwrap().contains_key(&name) => return,
            Fault::PublishesAnything => exchange.publishes.push("bank.robbed".to_owned()),
            Fault::AllowsEveryHope => exchange.asks.push("bank.open".to_owned()),
            Fault::IgnoresFilters => {
                let listens = exchange.listens.iter_mut();
                listens.for_each(|listens| listens.filter = ">".to_owned());
            }
            Fault::WildcardsAreWords => exchange
                .listens
                .retain(|listens| !listens.filter.contains(['*', '>'])),
            _ => {}
        }
        let joined = (peer.clone(), exchange.clone());
        memory.joined.lock().unwrap().insert(name, joined);
        self.bus.join(Arc::new(Tampered { peer, memory }), exchange);
    }

    fn leave(&self, name: &str) {
        self.memory.left.lock().unwrap().insert(name.to_owned());
        self.memory.joined.lock().unwrap().remove(name);
        self.bus.leave(name);
    }

    fn routes(&self) -> Vec<RouteStatus> {
        match self.memory.fault {
            Fault::ShowsNothing => Vec::new(),
            _ => self.bus.routes(),
        }
    }
}

/// A peer, as a faulty bus calls it.
struct Tampered {
    peer: Arc<dyn Peer>,
    memory: Arc<Memory>,
}

impl Peer for Tampered {
    fn name(&self) -> &str {
        self.peer.name()
    }

    fn facts(&self, ask: FactsAsk) -> BoxFuture<'_, Result<FactsPage, PeerError>> {
        Box::pin(async move {
            let _alone = self.memory.alone(Fault::OneEmitterAfterTheOther).await;
            self.peer.facts(ask).await
        })
    }

    fn deliver(&self, mut delivery: Delivery) -> BoxFuture<'_, Result<Delivered, PeerError>> {
        Box::pin(async move {
            let (fault, head) = (self.memory.fault, delivery.head);
            let Some(scanned_to) = delivery.scanned_to else {
                let _alone = self.memory.alone(Fault::OneListenerAfterTheOther).await;
                let said = self.peer.deliver(delivery).await?;
                return Ok(match fault {
                    Fault::BeginsNow => Delivered { after: head },
                    Fault::BeginsAtTheBeginning => Delivered { after: 0 },
                    _ => said,
                });
            };
            let all = Ok(Delivered { after: scanned_to });
            match fault {
                Fault::NewestFirst => delivery.facts.reverse(),
                Fault::CutsPages => delivery.facts.truncate(200),
                Fault::DropsEveryThirdPage
                    if self.memory.pages.fetch_add(1, Ordering::SeqCst) % 3 == 2 =>
                {
                    return all;
                }
                _ => {}
            }
            let _alone = self.memory.alone(Fault::OneListenerAfterTheOther).await;
            match (fault, self.peer.deliver(delivery).await) {
                (Fault::FailedIsDelivered, Err(_)) | (Fault::KnowsBetter, Ok(_)) => all,
                (_, said) => said,
            }
        })
    }

    fn hopes(&self, ask: HopesAsk) -> BoxFuture<'_, Result<Vec<Hope>, PeerError>> {
        Box::pin(async move {
            let mut hopes = self.peer.hopes(ask).await?;
            match self.memory.fault {
                Fault::SixtyFourHopesAtOnce => hopes.truncate(64),
                Fault::StopsWhenFeedbackIsLost if self.memory.failed.load(Ordering::SeqCst) > 0 => {
                    std::future::pending::<()>().await;
                }
                Fault::CarriesEachHopeOnce => {
                    let known = self.memory.hopes.lock().unwrap();
                    hopes.retain(|hope| !known.contains_key(&hope.id));
                }
                _ => {}
            }
            let known = hopes.iter().map(|hope| (hope.id.clone(), hope.clone()));
            self.memory.hopes.lock().unwrap().extend(known);
            Ok(hopes)
        })
    }

    fn answer(&self, mut hope: Hope) -> BoxFuture<'_, Result<Feedback, PeerError>> {
        Box::pin(async move {
            let _alone = self.memory.alone(Fault::OneHopeAfterTheOther).await;
            match self.memory.fault {
                Fault::BelievesWhoAsks => {
                    hope.from = self.memory.hopes.lock().unwrap()[&hope.id].from.clone();
                }
                Fault::AsksEverybody => {
                    let joined = self.memory.joined.lock().unwrap().clone();
                    for (peer, exchange) in joined.into_values() {
                        if exchange.answers.contains(&hope.name) {
                            _ = peer.answer(hope.clone()).await;
                        }
                    }
                }
                _ => {}
            }
            let id = hope.id.clone();
            match (self.memory.fault, self.peer.answer(hope).await) {
                (Fault::TriesOnce, Err(_)) => Ok(Feedback {
                    id,
                    outcome: Outcome::TimedOut,
                }),
                (_, said) => said,
            }
        })
    }

    fn feedback(&self, mut feedback: Feedback) -> BoxFuture<'_, Result<(), PeerError>> {
        Box::pin(async move {
            match (self.memory.fault, &feedback.outcome) {
                (Fault::HidesThatNobodyAnswers, Outcome::NoResponder { .. }) => {
                    feedback.outcome = Outcome::TimedOut;
                }
                (Fault::WaitsForEver, Outcome::TimedOut) => return Ok(()),
                (Fault::AnswersTwice, _) => self.peer.feedback(feedback.clone()).await?,
                _ => {}
            }
            let heard = self.peer.feedback(feedback).await;
            if heard.is_err() {
                self.memory.failed.fetch_add(1, Ordering::SeqCst);
            }
            heard
        })
    }
}

/// What these rules find in a bus with this fault.
fn found(fault: Fault, rules: Vec<&'static Rule<Subject>>) -> Vec<(&'static str, String)> {
    quietly_broken(rules, move || {
        Subject::new(move || async move { Arc::new(Faulty::with(fault)) as _ })
    })
}

#[test]
fn an_honest_bus_breaks_no_rule() {
    hold_your_tongue();
    let found = found(Fault::Honest, RULES.iter().collect());
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_fault_of_a_bus_is_found_by_its_rules() {
    hold_your_tongue();
    for (fault, rules) in FAULTS {
        let is_named = |rule: &&Rule<Subject>| rules.contains(&rule.name());
        let found = found(*fault, RULES.iter().filter(is_named).collect());
        let found: BTreeMap<_, _> = found.into_iter().collect();
        let blind: Vec<_> = rules
            .iter()
            .filter(|rule| !found.contains_key(**rule))
            .collect();
        assert!(blind.is_empty(), "{fault:?} is not found by {blind:?}");
    }
}

#[test]
fn every_rule_of_buses_finds_a_fault() {
    let finds: BTreeSet<_> = FAULTS
        .iter()
        .flat_map(|(_, rules)| *rules)
        .copied()
        .collect();
    let all: BTreeSet<_> = RULES.iter().map(Rule::name).collect();
    assert_eq!(finds, all);
}
