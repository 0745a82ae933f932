//! Facts arrive at least once, in the order of their topic, and just where they are listened to.

use super::Subject;
use super::peer::{Listed, Mood, between, listens, publishes, until};

const SOLD: &str = "shop.sold";

/// What one emitter publishes on a topic arrives in the order of publishing, beside what it publishes on others. Only
/// repetitions may come later.
pub async fn facts_of_a_topic_arrive_in_order(subject: Subject) {
    let (bus, shop, club) = between(subject, "shop", "club").await;
    for topic in [SOLD, "shop.closed", SOLD, SOLD, "shop.closed"] {
        shop.publish(topic, 20);
    }
    bus.join(shop.clone(), publishes(&[SOLD, "shop.closed"]));
    bus.join(club.clone(), listens("shop.*"));
    let rule = "facts of a topic arrive in order: not all of them came";
    club.hears(rule, &shop, 1..=100).await;
    for until in 101..=120 {
        shop.publish(SOLD, 1);
        club.hears(rule, &shop, 1..=until).await;
    }
}

/// A thousand facts arrive, all of them.
pub async fn a_thousand_facts_arrive(subject: Subject) {
    let (bus, shop, club) = between(subject, "shop", "club").await;
    bus.join(shop.clone(), publishes(&[SOLD]));
    bus.join(club.clone(), listens(SOLD));
    shop.publish(SOLD, 1000);
    let rule = "a thousand facts arrive: not all of them did";
    club.hears(rule, &shop, 1..=1000).await;
}

/// What is published while a listener is away arrives when it has joined again.
pub async fn a_listener_that_was_away_misses_nothing(subject: Subject) {
    let (bus, shop, club) = between(subject, "shop", "club").await;
    let rule = "a listener that was away misses nothing: it has missed something";
    bus.join(shop.clone(), publishes(&[SOLD]));
    for round in 1..=5 {
        shop.publish(SOLD, 3);
        bus.join(club.clone(), listens(SOLD));
        shop.publish(SOLD, 4);
        // Even rounds end with facts on their way.
        if round % 2 == 1 {
            club.hears(rule, &shop, 1..=round * 10 - 3).await;
        }
        bus.leave("club");
        shop.publish(SOLD, 3);
    }
    bus.join(club.clone(), listens(SOLD));
    club.hears(rule, &shop, 1..=50).await;
}

/// What an emitter has published while it was away is heard when it has joined again.
pub async fn an_emitter_that_was_away_is_heard_again(subject: Subject) {
    let (bus, shop, club) = between(subject, "shop", "club").await;
    let rule = "an emitter that was away is heard again: it is not";
    bus.join(club.clone(), listens(SOLD));
    for round in 1..=5 {
        shop.publish(SOLD, 5);
        bus.join(shop.clone(), publishes(&[SOLD]));
        shop.publish(SOLD, 5);
        club.hears(rule, &shop, 1..=round * 10).await;
        bus.leave("shop");
    }
}

/// Who joins under the name of one that is there takes its place, with what it listens to.
pub async fn who_takes_the_place_of_another_goes_on(subject: Subject) {
    let (bus, shop) = (subject.make().await, Listed::named("shop"));
    let (old, new) = (Listed::named("club"), Listed::named("club"));
    bus.join(shop.clone(), publishes(&[SOLD, "shop.closed"]));
    bus.join(old.clone(), listens(SOLD));
    shop.publish(SOLD, 1);
    let rule = "who takes the place of another goes on: it hears nothing";
    old.hears(rule, &shop, [1]).await;
    bus.join(new.clone(), listens("shop.closed"));
    shop.publish("shop.closed", 1);
    new.hears(rule, &shop, [2]).await;
    assert_eq!(
        old.heard(&shop),
        [1],
        "who takes the place of another goes on: the one before still hears"
    );
}

/// A delivery that a listener did not take, or whose answer was lost, comes again.
pub async fn a_delivery_that_failed_comes_again(subject: Subject) {
    let (bus, shop, club) = between(subject, "shop", "club").await;
    bus.join(shop.clone(), publishes(&[SOLD]));
    bus.join(club.clone(), listens(SOLD));
    let rule = "a delivery that failed comes again: it did not";
    shop.publish(SOLD, 5);
    club.hears(rule, &shop, 1..=5).await;
    let mut published = 5;
    // The route is laid: the next call is the one with facts.
    for mood in [Mood::Gone, Mood::AnswerLost, Mood::Gone] {
        published += 5;
        club.moods(&[mood]);
        shop.publish(SOLD, 5);
        club.hears(rule, &shop, 1..=published).await;
    }
}

/// A listener that has lost what it had says so, and hears it again.
pub async fn a_listener_may_ask_again(subject: Subject) {
    let (bus, shop, club) = between(subject, "shop", "club").await;
    bus.join(shop.clone(), publishes(&[SOLD]));
    bus.join(club.clone(), listens(SOLD));
    shop.publish(SOLD, 5);
    let rule = "a listener may ask again: it is not listened to";
    club.hears(rule, &shop, 1..=5).await;
    club.moods(&[Mood::Forgets]);
    shop.publish(SOLD, 1);
    until(rule, || club.deliveries() >= 11).await;
    club.hears(rule, &shop, 1..=6).await;
}

/// A listener that joins when much has been published hears it from the beginning.
pub async fn a_listener_that_comes_late_hears_everything(subject: Subject) {
    let (bus, shop, early) = between(subject, "shop", "early").await;
    let rule = "a listener that comes late hears everything: it does not";
    bus.join(shop.clone(), publishes(&[SOLD]));
    bus.join(early.clone(), listens(SOLD));
    shop.publish(SOLD, 300);
    early.hears(rule, &shop, 1..=300).await;
    let late = Listed::named("late");
    bus.join(late.clone(), listens(SOLD));
    late.hears(rule, &shop, 1..=300).await;
    shop.publish(SOLD, 1);
    late.hears(rule, &shop, 1..=301).await;
}

/// A listener is told where the outbox ends before it hears anything, and hears what is behind the place that it names.
pub async fn a_listener_says_where_it_begins(subject: Subject) {
    let (bus, shop, club) = between(subject, "shop", "club").await;
    club.begins_now();
    shop.publish(SOLD, 20);
    bus.join(shop.clone(), publishes(&[SOLD]));
    bus.join(club.clone(), listens(SOLD));
    let rule = "a listener says where it begins: it was not asked";
    let asked = || bus.routes().iter().any(|route| route.after.is_some());
    until(rule, asked).await;
    shop.publish(SOLD, 5);
    let rule = "a listener says where it begins: it begins elsewhere";
    club.hears(rule, &shop, 21..=25).await;
}

/// A listener that does not answer holds up no other, nor what it emits itself.
pub async fn a_hanging_listener_slows_nobody_else(subject: Subject) {
    let (bus, shop) = (subject.make().await, Listed::named("shop"));
    let (stuck, club) = (Listed::named("stuck"), Listed::named("club"));
    stuck.hangs();
    let rule = "a hanging listener slows nobody else: it does";
    bus.join(shop.clone(), publishes(&[SOLD]));
    bus.join(stuck.clone(), listens(SOLD));
    shop.publish(SOLD, 10);
    until(rule, || stuck.calls() > 0).await;
    bus.join(club.clone(), listens(SOLD));
    shop.publish(SOLD, 300);
    club.hears(rule, &shop, 1..=310).await;
}

/// An emitter that does not answer holds up what others emit to the same listener in no way.
pub async fn a_hanging_emitter_slows_nobody_else(subject: Subject) {
    let (bus, club) = (subject.make().await, Listed::named("club"));
    let (stuck, shop) = (Listed::named("stuck"), Listed::named("shop"));
    stuck.hangs();
    let rule = "a hanging emitter slows nobody else: it does";
    bus.join(club.clone(), listens(SOLD));
    bus.join(stuck.clone(), publishes(&[SOLD]));
    until(rule, || stuck.calls() > 0).await;
    bus.join(shop.clone(), publishes(&[SOLD]));
    shop.publish(SOLD, 300);
    club.hears(rule, &shop, 1..=300).await;
}

/// `*` stands for one word, `>` at the end for one or more, and a filter without them for itself.
pub async fn wildcards_deliver_just_what_they_match(subject: Subject) {
    let (bus, shop) = (subject.make().await, Listed::named("shop"));
    let topics = [
        SOLD,
        "shop.closed",
        "shop.till.opened",
        "shop.till.key.lost",
        "bank.sold",
    ];
    let filters: [(&str, &[u64]); 7] = [
        (SOLD, &[1]),
        ("shop.*", &[1, 2]),
        ("*.sold", &[1, 5]),
        ("shop.*.opened", &[3]),
        ("shop.>", &[1, 2, 3, 4]),
        ("shop.till.>", &[3, 4]),
        (">", &[1, 2, 3, 4, 5]),
    ];
    bus.join(shop.clone(), publishes(&topics));
    let listeners = filters.map(|(filter, _)| Listed::named(filter));
    for (listener, (filter, _)) in listeners.iter().zip(filters) {
        bus.join(listener.clone(), listens(filter));
    }
    // In rounds: what comes where it should not has come when all have come where they should.
    for round in 0..10 {
        for topic in topics {
            shop.publish(topic, 1);
        }
        for (listener, (filter, places)) in listeners.iter().zip(filters) {
            let rule = format!(
                "wildcards deliver just what they match: `{filter}` delivers something else"
            );
            let mut heard = Vec::new();
            for round in 0..=round {
                heard.extend(places.iter().map(|place| place + round * 5));
            }
            listener.hears(&rule, &shop, heard).await;
        }
    }
}

/// A fact on a topic that its emitter has not named when it joined is dropped, and counted in the route.
pub async fn what_may_not_be_published_is_not_carried(subject: Subject) {
    let (bus, shop, club) = between(subject, "shop", "club").await;
    bus.join(shop.clone(), publishes(&[SOLD]));
    bus.join(club.clone(), listens(">"));
    for topic in [SOLD, "bank.robbed", SOLD] {
        shop.publish(topic, 1);
    }
    let rule = "what may not be published is not carried: something else arrived";
    club.hears(rule, &shop, [1, 3]).await;
    let rule = "what may not be published is not carried: its route does not say so";
    until(rule, || bus.routes().iter().any(|route| route.refused > 0)).await;
}

/// There is a route for each emitter and listener that fit, which shows what has arrived and what has not; there is none
/// where one of them has left.
pub async fn routes_show_how_far_listeners_are(subject: Subject) {
    let (bus, shop, club) = between(subject, "shop", "club").await;
    bus.join(shop.clone(), publishes(&[SOLD]));
    bus.join(club.clone(), listens("shop.*"));
    bus.join(Listed::named("deaf"), listens("bank.*"));
    shop.publish(SOLD, 5);
    let rule = "routes show how far listeners are: not all has arrived";
    club.hears(rule, &shop, 1..=5).await;
    let shown = || {
        let routes = bus.routes();
        let [route] = &routes[..] else { return false };
        let ends = (route.emitter.as_str(), route.plugin.as_str());
        ends == ("shop", "club")
            && (route.listener.as_str(), route.filter.as_str()) == ("l", "shop.*")
            && (route.after, route.head, route.behind()) == (Some(5), 5, 0)
            && route.delivered >= 5
    };
    let rule = "routes show how far listeners are: what has arrived is not shown";
    until(rule, shown).await;
    club.moods(&[Mood::Gone; 100]);
    shop.publish(SOLD, 1);
    let rule = "routes show how far listeners are: why it does not go on is not shown";
    let failing = || bus.routes().iter().any(|route| route.problem.is_some());
    until(rule, failing).await;
    bus.leave("club");
    let rule = "routes show how far listeners are: who has left is shown";
    until(rule, || bus.routes().is_empty()).await;
}
