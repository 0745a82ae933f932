use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hecate_manifest::exchange::{Fact, Outcome, Subscription};
use serde_json::json;
use tokio::sync::Notify;

use super::*;

/// A peer whose outbox and inbox are lists.
#[derive(Default)]
struct Listed {
    name: &'static str,
    outbox: Mutex<Vec<Fact>>,
    heard: Mutex<Vec<(u64, String)>>,
    more: Notify,
    hopes: Mutex<Vec<Hope>>,
    answers: Mutex<Vec<Feedback>>,
    asked: AtomicUsize,
    gone: AtomicBool,
}

impl Listed {
    fn named(name: &'static str) -> Arc<Self> {
        Arc::new(Self {
            name,
            ..Self::default()
        })
    }

    fn publish(&self, topic: &str) {
        let mut outbox = self.outbox.lock().unwrap();
        let position = outbox.len() as u64 + 1;
        outbox.push(Fact {
            id: position.to_string(),
            topic: topic.to_owned(),
            revision: 1,
            sequence: position,
            position,
            occurred_at: 0,
            correlation_id: None,
            causation_id: String::new(),
            data: json!(null),
        });
        self.more.notify_one();
    }

    fn heard(&self) -> Vec<u64> {
        let heard = self.heard.lock().unwrap();
        heard.iter().map(|(position, _)| *position).collect()
    }

    fn ask(&self, name: &str, deadline_ms: u64) {
        self.hopes.lock().unwrap().push(Hope {
            id: "1".to_owned(),
            name: name.to_owned(),
            from: "an impostor".to_owned(),
            deadline_ms,
            correlation_id: None,
            data: json!(2),
        });
        self.more.notify_one();
    }

    async fn answered(&self) -> Outcome {
        until(|| !self.answers.lock().unwrap().is_empty()).await;
        self.answers.lock().unwrap().remove(0).outcome
    }
}

/// What is tested, as whoever uses it sees it.
fn carrier() -> Box<dyn Carrier> {
    Box::new(Bus::new())
}

async fn until(what: impl Fn() -> bool) {
    for _ in 0..2000 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it has not come to pass");
}

impl Peer for Listed {
    fn name(&self) -> &str {
        self.name
    }

    fn facts(&self, ask: FactsAsk) -> BoxFuture<'_, Result<FactsPage, PeerError>> {
        Box::pin(async move {
            loop {
                // All of them, whatever is asked for: a peer may be anybody.
                let facts: Vec<_> = {
                    let outbox = self.outbox.lock().unwrap();
                    outbox
                        .iter()
                        .filter(|fact| fact.position > ask.after)
                        .cloned()
                        .collect()
                };
                let head = self.outbox.lock().unwrap().len() as u64;
                if !facts.is_empty() || ask.wait_ms == 0 {
                    return Ok(FactsPage {
                        outbox: self.name.to_owned(),
                        facts,
                        scanned_to: head.max(ask.after),
                        head,
                    });
                }
                self.more.notified().await;
            }
        })
    }

    fn deliver(&self, delivery: Delivery) -> BoxFuture<'_, Result<Delivered, PeerError>> {
        Box::pin(async move {
            if self.gone.load(Ordering::SeqCst) {
                return Err(PeerError::Gone(self.name.to_owned()));
            }
            let mut heard = self.heard.lock().unwrap();
            heard.extend(
                delivery
                    .facts
                    .iter()
                    .map(|fact| (fact.position, fact.topic.clone())),
            );
            let last = heard.last().map_or(0, |(position, _)| *position);
            Ok(Delivered {
                after: delivery.scanned_to.unwrap_or(last),
            })
        })
    }

    fn hopes(&self, _: HopesAsk) -> BoxFuture<'_, Result<Vec<Hope>, PeerError>> {
        Box::pin(async move {
            loop {
                let hopes = std::mem::take(&mut *self.hopes.lock().unwrap());
                if !hopes.is_empty() {
                    return Ok(hopes);
                }
                self.more.notified().await;
            }
        })
    }

    fn answer(&self, hope: Hope) -> BoxFuture<'_, Result<Feedback, PeerError>> {
        Box::pin(async move {
            if self.asked.fetch_add(1, Ordering::SeqCst) < 2 {
                return Err(PeerError::Gone(self.name.to_owned()));
            }
            let outcome = Outcome::Answered {
                data: json!({"from": hope.from, "data": hope.data}),
            };
            Ok(Feedback {
                id: hope.id,
                outcome,
            })
        })
    }

    fn feedback(&self, feedback: Feedback) -> BoxFuture<'_, Result<(), PeerError>> {
        self.answers.lock().unwrap().push(feedback);
        Box::pin(async { Ok(()) })
    }
}

fn listens(filter: &str) -> Exchange {
    Exchange {
        listens: vec![Subscription {
            listener: "l".to_owned(),
            filter: filter.to_owned(),
        }],
        ..Exchange::default()
    }
}

fn publishes(topics: &[&str]) -> Exchange {
    Exchange {
        publishes: topics.iter().map(|topic| (*topic).to_owned()).collect(),
        ..Exchange::default()
    }
}

fn asks(name: &str) -> Exchange {
    Exchange {
        asks: vec![name.to_owned()],
        ..Exchange::default()
    }
}

fn answers(name: &str) -> Exchange {
    Exchange {
        answers: vec![name.to_owned()],
        ..Exchange::default()
    }
}

#[tokio::test]
async fn only_what_may_be_published_and_is_listened_to_is_carried() {
    let (bus, shop, club) = (carrier(), Listed::named("shop"), Listed::named("club"));
    bus.join(shop.clone(), publishes(&["shop.sold", "shop.closed"]));
    bus.join(club.clone(), listens("shop.sold"));
    for topic in ["shop.sold", "shop.closed", "bank.robbed", "shop.sold"] {
        shop.publish(topic);
    }
    until(|| club.heard() == [1, 4]).await;
    until(|| bus.routes()[0].refused == 2).await;
    let status = bus.routes().remove(0);
    assert_eq!(
        (status.after, status.head, status.behind()),
        (Some(4), 4, 0)
    );
}

#[tokio::test]
async fn a_listener_that_is_away_goes_on_where_it_was() {
    let (bus, shop, club) = (carrier(), Listed::named("shop"), Listed::named("club"));
    bus.join(shop.clone(), publishes(&["shop.sold"]));
    bus.join(club.clone(), listens("shop.*"));
    shop.publish("shop.sold");
    until(|| club.heard() == [1]).await;
    club.gone.store(true, Ordering::SeqCst);
    shop.publish("shop.sold");
    until(|| bus.routes()[0].problem.as_deref() == Some("`club` is not there now")).await;
    club.gone.store(false, Ordering::SeqCst);
    until(|| club.heard() == [1, 2]).await;
    bus.leave("club");
    shop.publish("shop.sold");
    assert!(bus.routes().is_empty());
    bus.join(club.clone(), listens("shop.*"));
    until(|| club.heard() == [1, 2, 3]).await;
}

#[tokio::test]
async fn a_slow_listener_slows_nobody_else() {
    let (bus, shop) = (carrier(), Listed::named("shop"));
    let (club, stuck) = (Listed::named("club"), Listed::named("stuck"));
    stuck.gone.store(true, Ordering::SeqCst);
    bus.join(shop.clone(), publishes(&["shop.sold"]));
    bus.join(stuck, listens(">"));
    bus.join(club.clone(), listens(">"));
    for _ in 0..1000 {
        shop.publish("shop.sold");
    }
    until(|| club.heard().len() == 1000).await;
    assert!(club.heard().is_sorted());
}

#[tokio::test]
async fn a_hope_is_tried_until_it_is_answered_and_says_who_asks() {
    let (bus, club, bank) = (carrier(), Listed::named("club"), Listed::named("bank"));
    bus.join(club.clone(), asks("bank.open"));
    bus.join(bank, answers("bank.open"));
    club.ask("bank.open", 5000);
    let data = json!({"from": "club", "data": 2});
    assert_eq!(club.answered().await, Outcome::Answered { data });
}

#[tokio::test]
async fn a_hope_that_nobody_answers_or_that_is_not_allowed_is_said_to_be() {
    let (bus, club, bank) = (carrier(), Listed::named("club"), Listed::named("bank"));
    bus.join(club.clone(), asks("bank.close"));
    bus.join(bank, answers("bank.open"));
    club.ask("bank.close", 100);
    let message = "no plugin here answers the hope `bank.close`".to_owned();
    assert_eq!(club.answered().await, Outcome::NoResponder { message });
    club.ask("bank.open", 100);
    let message =
        "`club` may not send the hope `bank.open`: its manifest must ask for `hope:call:bank.open`"
            .to_owned();
    assert_eq!(club.answered().await, Outcome::NoResponder { message });
}

#[tokio::test]
async fn a_hope_that_is_not_answered_in_time_is_out_of_time() {
    let (bus, club, bank) = (carrier(), Listed::named("club"), Listed::named("bank"));
    bus.join(club.clone(), asks("bank.open"));
    bus.join(bank, answers("bank.open"));
    club.ask("bank.open", 10);
    assert_eq!(
        club.answered().await,
        Outcome::TimedOut,
        "the bank is away the first two times"
    );
}

#[tokio::test]
async fn a_peer_that_joins_again_takes_the_place_of_the_one_before() {
    let (bus, shop) = (carrier(), Listed::named("shop"));
    let (old, new) = (Listed::named("club"), Listed::named("club"));
    bus.join(shop.clone(), publishes(&["shop.sold", "shop.closed"]));
    bus.join(old.clone(), listens("shop.sold"));
    shop.publish("shop.sold");
    until(|| old.heard() == [1]).await;
    bus.join(new.clone(), listens("shop.closed"));
    shop.publish("shop.sold");
    shop.publish("shop.closed");
    until(|| new.heard() == [3]).await;
    assert_eq!(old.heard(), [1], "the one before hears nothing any more");
    assert_eq!(bus.routes().len(), 1);
}

#[tokio::test]
async fn wildcards_take_one_word_or_all_that_follow() {
    let (bus, shop) = (carrier(), Listed::named("shop"));
    let (one, rest) = (Listed::named("one"), Listed::named("rest"));
    let topics = ["shop.sold", "shop.till.opened", "shop.closed"];
    bus.join(shop.clone(), publishes(&topics));
    bus.join(one.clone(), listens("shop.*"));
    bus.join(rest.clone(), listens("shop.>"));
    topics.iter().for_each(|topic| shop.publish(topic));
    until(|| rest.heard() == [1, 2, 3]).await;
    until(|| one.heard() == [1, 3]).await;
}
