//! A hope finds one responder, or is answered by whoever carries it.

use std::time::Duration;

use hecate_manifest::exchange::Outcome;
use serde_json::json;

use super::Subject;
use super::peer::{Listed, Mood, answer, answers, asks, between, until};

const OPEN: &str = "bank.open";
/// Long enough for whatever answers.
const LONG: Duration = Duration::from_secs(30);
/// For what is not answered.
const SHORT: Duration = Duration::from_secs(1);

/// Of several that answer to a name one is asked, and who asks hears of it once.
pub async fn a_hope_is_answered_once_by_one_responder(subject: Subject) {
    let (bus, club) = (subject.make().await, Listed::named("club"));
    let banks = [Listed::named("bank"), Listed::named("tank")];
    bus.join(club.clone(), asks(&[OPEN]));
    for bank in &banks {
        bus.join(bank.clone(), answers(OPEN));
    }
    let rule = "a hope is answered once, by one responder: no answer came";
    let ids = ["1", "2", "3", "4"];
    for id in ids {
        club.ask(id, OPEN, LONG);
        let outcome = club.outcome(rule, id).await;
        let by = banks.iter().filter(|bank| !bank.asked(id).is_empty());
        let by: Vec<_> = by.map(|bank| bank.asked(id).len()).collect();
        assert_eq!(
            by.len(),
            1,
            "a hope is answered once, by one responder: asked were {}",
            by.len()
        );
        let theirs = ["bank", "tank"].map(|name| answer(name, &json!(id)));
        assert!(
            theirs.contains(&outcome),
            "a hope is answered once, by one responder: {outcome:?} came"
        );
    }
    // All but the last have had the time of another hope for a second answer.
    for id in &ids[..3] {
        assert_eq!(
            club.outcomes(id).len(),
            1,
            "a hope is answered once, by one responder: who asked heard of it again"
        );
    }
}

/// A responder hears who asks, from whoever carries and not from who asks.
pub async fn a_hope_says_who_asks(subject: Subject) {
    let (bus, club, bank) = between(subject, "club", "bank").await;
    bus.join(club.clone(), asks(&[OPEN]));
    bus.join(bank.clone(), answers(OPEN));
    club.ask("1", OPEN, LONG);
    club.outcome("a hope says who asks: no answer came", "1")
        .await;
    for hope in bank.asked("1") {
        assert_eq!(hope.from, "club", "a hope says who asks");
        assert_eq!(hope.data, json!("1"), "a hope arrives as it was sent");
    }
}

/// A hope that nobody answers ends with [`Outcome::NoResponder`], before its time is over.
pub async fn a_hope_that_nobody_answers_is_said_to_be(subject: Subject) {
    let (bus, club) = (subject.make().await, Listed::named("club"));
    bus.join(club.clone(), asks(&["bank.close"]));
    bus.join(Listed::named("bank"), answers(OPEN));
    club.ask("1", "bank.close", Duration::from_secs(10));
    let rule = "a hope that nobody answers is said to be: nothing was said";
    let outcome = club.outcome(rule, "1").await;
    assert!(
        matches!(outcome, Outcome::NoResponder { .. }),
        "a hope that nobody answers is said to be: {outcome:?} came"
    );
}

/// A hope that its asker has not named when it joined reaches nobody and ends with [`Outcome::NoResponder`].
pub async fn a_hope_that_is_not_allowed_is_not_carried(subject: Subject) {
    let (bus, club, bank) = between(subject, "club", "bank").await;
    bus.join(club.clone(), asks(&["bank.close"]));
    bus.join(bank.clone(), answers(OPEN));
    club.ask("1", OPEN, LONG);
    let rule = "a hope that is not allowed is not carried: nothing was said";
    let outcome = club.outcome(rule, "1").await;
    assert!(
        matches!(outcome, Outcome::NoResponder { .. }) && bank.asked("1").is_empty(),
        "a hope that is not allowed is not carried: {outcome:?} came"
    );
}

/// A hope whose responder does not answer ends with [`Outcome::TimedOut`].
pub async fn a_hope_that_hangs_is_out_of_time(subject: Subject) {
    let (bus, club, bank) = between(subject, "club", "bank").await;
    bank.hangs();
    bus.join(bank.clone(), answers(OPEN));
    bus.join(club.clone(), asks(&[OPEN]));
    club.ask("1", OPEN, SHORT);
    let rule = "a hope that hangs is out of time: nothing was said";
    let outcome = club.outcome(rule, "1").await;
    assert_eq!(
        outcome,
        Outcome::TimedOut,
        "a hope that hangs is out of time"
    );
}

/// A responder that is away for a moment, or whose answer is lost, is asked again while there is time.
pub async fn a_hope_is_tried_until_it_is_answered(subject: Subject) {
    let (bus, club, bank) = between(subject, "club", "bank").await;
    bank.moods(&[Mood::Gone, Mood::AnswerLost, Mood::Gone]);
    bus.join(club.clone(), asks(&[OPEN]));
    bus.join(bank.clone(), answers(OPEN));
    club.ask("1", OPEN, LONG);
    let rule = "a hope is tried until it is answered: no answer came";
    let outcome = club.outcome(rule, "1").await;
    let wanted = answer("bank", &json!("1"));
    assert_eq!(outcome, wanted, "a hope is tried until it is answered");
}

/// A responder that does not answer holds up no hope that another one answers, however many it was asked before.
pub async fn a_hanging_responder_slows_no_other(subject: Subject) {
    let (bus, club) = (subject.make().await, Listed::named("club"));
    let (stuck, bank) = (Listed::named("stuck"), Listed::named("bank"));
    stuck.hangs();
    bus.join(stuck.clone(), answers("stuck.open"));
    bus.join(bank.clone(), answers(OPEN));
    bus.join(club.clone(), asks(&["stuck.open", OPEN]));
    let rule = "a hanging responder slows no other: it does";
    for nth in 0..200 {
        club.ask(&format!("stuck {nth}"), "stuck.open", LONG * 4);
    }
    until(rule, || stuck.calls() > 0).await;
    club.ask("1", OPEN, LONG);
    let outcome = club.outcome(rule, "1").await;
    assert_eq!(outcome, answer("bank", &json!("1")), "{rule}");
}

/// An asker that did not hear of its hope sends it again under the same id, and hears of it then.
pub async fn lost_feedback_does_no_harm(subject: Subject) {
    let (bus, club, bank) = between(subject, "club", "bank").await;
    club.moods(&[Mood::Gone]);
    bus.join(club.clone(), asks(&[OPEN]));
    bus.join(bank.clone(), answers(OPEN));
    let rule = "lost feedback does no harm: nothing is carried any more";
    club.ask("1", OPEN, LONG);
    until(rule, || club.calls() > 0).await;
    for id in ["2", "1"] {
        club.ask(id, OPEN, LONG);
        let outcome = club.outcome(rule, id).await;
        let wanted = answer("bank", &json!(id));
        assert_eq!(outcome, wanted, "lost feedback does no harm");
    }
}

/// A hundred hopes that are sent at once are answered, each with its own answer.
pub async fn a_hundred_hopes_at_once_are_answered(subject: Subject) {
    let (bus, club, bank) = between(subject, "club", "bank").await;
    let ids: Vec<_> = (1..=100).map(|nth: u32| nth.to_string()).collect();
    for id in &ids {
        club.ask(id, OPEN, LONG);
    }
    bus.join(bank.clone(), answers(OPEN));
    bus.join(club.clone(), asks(&[OPEN]));
    for id in &ids {
        let rule = "a hundred hopes at once are answered: not all of them are";
        let outcome = club.outcome(rule, id).await;
        let wanted = answer("bank", &json!(id));
        assert_eq!(
            outcome, wanted,
            "a hundred hopes at once are answered: with something else"
        );
    }
}
