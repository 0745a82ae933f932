//! Hopes from one plugin to another.

use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::testing::{Bus, Reply, run};

async fn join(club: &TestPlugin, owner: &str, id: Option<Uuid>, within_ms: u64) -> Reply {
    club.post(
        "/join",
        json!({"owner": owner, "id": id, "within_ms": within_ms}),
    )
    .await
}

async fn start() -> (Bus, TestPlugin, TestPlugin) {
    let (bus, bank, club) = (
        Bus::new(),
        TestPlugin::start::<Bank>().await,
        TestPlugin::start::<Club>().await,
    );
    bank.join(&bus);
    club.join(&bus);
    (bus, bank, club)
}

#[test]
fn a_hope_has_one_effect_and_one_answer_however_often_it_is_sent() {
    run(async {
        let (_bus, mut bank, mut club) = start().await;
        let id = Uuid::now_v7();
        let first = join(&club, "ann", Some(id), 20_000).await.json["opened"].clone();
        assert!(first.is_string(), "{first:?}");
        bank.reopen().await;
        club.reopen().await;
        assert_eq!(
            join(&club, "ann", Some(id), 20_000).await.json["opened"],
            first
        );
        assert_eq!(owners(&bank).await, ["ann"]);
        let other = join(&club, "ann", None, 20_000).await;
        assert_ne!(other.json["opened"], first);
        assert_eq!(owners(&bank).await, ["ann", "ann"]);
    });
}

#[test]
fn two_that_send_the_same_hope_at_once_both_hear() {
    run(async {
        let (_bus, bank, club) = start().await;
        let id = Some(Uuid::now_v7());
        let (one, other) = tokio::join!(
            join(&club, "ann", id, 20_000),
            join(&club, "ann", id, 20_000)
        );
        assert!(
            one.json["opened"].is_string() && one.json == other.json,
            "{one:?} {other:?}"
        );
        assert_eq!(owners(&bank).await, ["ann"]);
    });
}

#[test]
fn each_end_of_a_hope_has_its_own_word() {
    run(async {
        let (bus, bank, club) = start().await;
        let rejected = join(&club, "", None, 20_000).await;
        assert_eq!(rejected.json["rejected"], "invalid", "{rejected:?}");
        let late = join(&club, "never", None, 200).await;
        assert_eq!(late.json["timed_out"], true, "{late:?}");
        // The bank cannot answer, however often it is asked; it goes on.
        let failed = join(&club, "panics", None, 300).await;
        assert_eq!(failed.json["timed_out"], true, "{failed:?}");
        assert!(join(&club, "ann", None, 20_000).await.json["opened"].is_string());
        bus.leave("bank");
        let nobody = join(&club, "bob", None, 300).await;
        assert_eq!(
            nobody.json["no_responder"], "no plugin here answers the hope `bank.open_account`",
            "{nobody:?}"
        );
        assert_eq!(owners(&bank).await, ["ann"]);
    });
}

#[test]
fn a_hope_waits_a_moment_for_who_answers_it() {
    run(async {
        let (bus, bank, club) = start().await;
        bus.leave("bank");
        let back = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            bank.join(&bus);
        };
        let (answer, ()) = tokio::join!(join(&club, "ann", None, 20_000), back);
        assert!(answer.json["opened"].is_string(), "{answer:?}");
    });
}

#[test]
fn hundreds_at_once_are_all_answered() {
    run(async {
        let (_bus, bank, club) = start().await;
        let owners: Vec<_> = (0..300).map(|nth| format!("owner {nth}")).collect();
        let all = owners.iter().map(|owner| join(&club, owner, None, 20_000));
        let answers = futures_util::future::join_all(all).await;
        assert!(
            answers
                .iter()
                .all(|answer| answer.json["opened"].is_string())
        );
        assert_eq!(bank.get("/accounts/count").await.json["count"], 300);
    });
}
