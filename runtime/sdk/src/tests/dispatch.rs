use serde_json::{Value, json};

use rust_decimal::Decimal;
use tempfile::TempDir;
use uuid::Uuid;

use super::account::{Account, AccountEvent, Accounts, Closed, Opened, Paid, pay};
use crate::aggregate::{Cx, EventSet, Rejection};
use crate::api::Command;
use crate::division::{DispatchError, Division, Done};
use crate::live::Live;
use crate::paths::Paths;
use crate::store::{AppendError, ExpectedVersion, StoreConfig, StreamId, StreamVersion};
use crate::testing::{Around, TestPlugin, given, run};

fn opened() -> AccountEvent {
    AccountEvent::Opened(Opened {
        owner: "Ada".to_owned(),
    })
}

#[test]
fn decisions_are_tested_without_a_store() {
    let five = || serde_json::from_value(json!({"amount": "5"})).unwrap();
    let paid = AccountEvent::Paid(Paid { amount: 5.into() });
    given::<Account>([opened()])
        .when(five(), pay)
        .then([paid.clone()]);
    given::<Account>([])
        .when(five(), pay)
        .then_rejected("account_not_found");
    given::<Account>([opened(), AccountEvent::Closed(Closed {})])
        .when(five(), pay)
        .then_rejected("account_closed");
    assert_eq!(
        given::<Account>([opened(), paid.clone(), paid])
            .state()
            .balance,
        10.into()
    );
}

#[test]
fn from_json_to_the_row_and_back() {
    run(async {
        let plugin = TestPlugin::start::<Around<Accounts>>().await;
        let opened = plugin.post("/accounts/open", json!({"owner": "Ada"})).await;
        assert_eq!(opened.status, 201, "{opened:?}");
        assert_eq!(
            (&opened.json["ok"], &opened.json["version"]),
            (&json!(true), &json!(1))
        );
        let id = opened.json["account_id"].as_str().unwrap().to_owned();
        let paid = plugin
            .post(&format!("/accounts/{id}/pay"), json!({"amount": 12.5}))
            .await;
        assert_eq!(
            (paid.status.as_u16(), &paid.json["version"]),
            (201, &json!(2))
        );
        let row = plugin.get(&format!("/accounts/{id}")).await;
        assert_eq!(
            row.json,
            json!({"ok": true, "account_id": id, "version": 2, "status": 1, "owner": "Ada", "last_paid": "12.5"})
        );
    });
}

#[test]
fn refusals_are_told_in_the_envelope() {
    run(async {
        let plugin = TestPlugin::start::<Around<Accounts>>().await;
        let missing = plugin.post("/accounts/open", json!({})).await;
        assert_eq!(missing.status, 422);
        assert_eq!(missing.json["fields"], json!({"owner": "is missing"}));
        let wrong = plugin.post("/accounts/open", json!({"owner": 5})).await;
        assert_eq!(wrong.json["fields"]["owner"], "must be text");
        let empty = plugin.post("/accounts/open", json!({"owner": " "})).await;
        assert_eq!(empty.json["error"], "`owner` must not be empty");
        let nobody = plugin
            .post("/accounts/nobody/pay", json!({"amount": "1"}))
            .await;
        assert_eq!(
            (nobody.status.as_u16(), &nobody.json["code"]),
            (404, &json!("account_not_found"))
        );
        let rule = plugin
            .post("/accounts/nobody/pay", json!({"amount": "-1"}))
            .await;
        assert_eq!(
            (rule.status.as_u16(), &rule.json["code"]),
            (422, &json!("invalid"))
        );
        let unknown = plugin.get("/accounts/nobody").await;
        assert_eq!(
            (unknown.status.as_u16(), &unknown.json["code"]),
            (404, &json!("account_not_found"))
        );
    });
}

/// What a page, read `limit` rows at a time, has in `column`.
async fn walked(plugin: &TestPlugin, query: &str, column: &str, limit: usize) -> Vec<Value> {
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/accounts?{query}&limit={limit}{after}");
        let page = plugin.get(&path).await.json;
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|row| row[column].clone()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return seen,
        }
    }
}

#[test]
fn pages_are_sorted_by_what_values_mean_and_go_on_in_that_order() {
    run(async {
        let plugin = TestPlugin::start::<Around<Accounts>>().await;
        for (owner, paid) in [
            ("Ada", Some("9.5")),
            ("Bob", None),
            ("Cyd", Some("10.25")),
            ("Dan", None),
            ("Eve", None),
            ("Fay", Some("9.50")),
        ] {
            let born = plugin.post("/accounts/open", json!({"owner": owner})).await;
            let id = born.json["account_id"].as_str().unwrap();
            if let Some(amount) = paid {
                let path = format!("/accounts/{id}/pay");
                let answer = plugin.post(&path, json!({"amount": amount})).await;
                assert_eq!(answer.status, 201, "{answer:?}");
            }
        }
        let ascending = json!(["Bob", "Dan", "Eve", "Ada", "Fay", "Cyd"]);
        let descending = json!(["Cyd", "Fay", "Ada", "Eve", "Dan", "Bob"]);
        for limit in [1, 2, 4, 200] {
            let seen = walked(&plugin, "sort=last_paid", "owner", limit).await;
            assert_eq!(json!(seen), ascending, "{limit} at a time");
            let seen = walked(&plugin, "sort=last_paid&order=desc", "owner", limit).await;
            assert_eq!(json!(seen), descending, "{limit} at a time");
        }
        let seen = walked(&plugin, "sort=version&version=2", "owner", 2).await;
        assert_eq!(json!(seen), json!(["Ada", "Cyd", "Fay"]));
        let equal = plugin.get("/accounts?last_paid=9.50").await.json;
        assert_eq!(equal["items"].as_array().unwrap().len(), 2, "9.5 is 9.50");
        let nobody = plugin.get("/accounts?sort=owner&after=nobody").await.json;
        assert_eq!(nobody["items"], json!([]));
        for bad in [
            "?sort=nothing",
            "?sort=",
            "/of/Ada?sort=owner",
            "/search?q=a&sort=owner",
        ] {
            let answer = plugin.get(&format!("/accounts{bad}")).await;
            assert_eq!(answer.status, 422, "{bad}: {answer:?}");
            assert!(
                answer.json["fields"]["sort"].is_string(),
                "{bad}: {answer:?}"
            );
        }
    });
}

#[test]
fn pages_filter_and_go_on() {
    run(async {
        let plugin = TestPlugin::start::<Around<Accounts>>().await;
        for owner in ["Ada", "Bob", "Ada", "50%"] {
            plugin.post("/accounts/open", json!({"owner": owner})).await;
        }
        let all = plugin.get("/accounts?limit=3").await.json;
        assert_eq!(all["items"].as_array().unwrap().len(), 3);
        let next = all["next"].as_str().unwrap();
        let rest = plugin
            .get(&format!("/accounts?limit=3&after={next}"))
            .await
            .json;
        assert_eq!(
            (rest["items"].as_array().unwrap().len(), &rest["next"]),
            (1, &json!(null))
        );
        assert_eq!(
            plugin.get("/accounts/count?owner=Ada").await.json["count"],
            2
        );
        assert_eq!(plugin.get("/accounts/count").await.json["count"], 4);
        let found = plugin.get("/accounts/search?q=AD").await.json;
        assert_eq!(found["items"].as_array().unwrap().len(), 2);
        let percent = plugin.get("/accounts/search?q=%25").await.json;
        assert_eq!(
            percent["items"].as_array().unwrap().len(),
            1,
            "a percent sign is only itself"
        );
        let of_ada = plugin.get("/accounts/of/Ada").await.json;
        assert_eq!(of_ada["items"].as_array().unwrap().len(), 2);
        for bad in [
            "/search?q=",
            "/of/Ada?owner=Bob",
            "?limit=0",
            "?limit=x",
            "?owner=a&owner=b",
            "?nothing=1",
            "?last_paid=abc",
        ] {
            let answer = plugin.get(&format!("/accounts{bad}")).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.json["code"]),
                (422, &json!("invalid")),
                "{bad}"
            );
        }
        let id = plugin.get("/accounts?limit=1").await.json["items"][0]["account_id"]
            .as_str()
            .unwrap()
            .to_owned();
        plugin
            .post(&format!("/accounts/{id}/pay"), json!({"amount": "1.50"}))
            .await;
        assert_eq!(
            plugin.get("/accounts/count?last_paid=1.5").await.json["count"],
            1,
            "decimals compare as numbers"
        );
    });
}

#[test]
fn everything_survives_a_reopening() {
    run(async {
        let mut plugin = TestPlugin::start::<Around<Accounts>>().await;
        let opened = plugin.post("/accounts/open", json!({"owner": "Ada"})).await;
        let id = opened.json["account_id"].as_str().unwrap().to_owned();
        for _ in 0..3 {
            plugin.reopen().await;
            let paid = plugin
                .post(&format!("/accounts/{id}/pay"), json!({"amount": "1"}))
                .await;
            assert_eq!(paid.status, 201, "{paid:?}");
        }
        assert_eq!(
            plugin.get(&format!("/accounts/{id}")).await.json["version"],
            4
        );
    });
}

/// Pays what is missing to a balance of five: nothing if it is there.
#[derive(Clone)]
struct FillUp;

fn fill_up(state: &Account, _: FillUp, _: &Cx) -> Result<Vec<AccountEvent>, Rejection> {
    let missing = Decimal::from(5) - state.balance;
    Ok(if missing > Decimal::ZERO {
        vec![AccountEvent::Paid(Paid { amount: missing })]
    } else {
        Vec::new()
    })
}

/// A command as an `Idempotency-Key` makes it.
fn repeatable<C>(body: C, id: Uuid, digest: u64) -> Command<C> {
    Command {
        id,
        may_repeat: true,
        digest,
        ..Command::new(body)
    }
}

async fn with_five() -> Division {
    let accounts = in_memory().await;
    let events = [opened(), AccountEvent::Paid(Paid { amount: 5.into() })];
    append(&accounts, &events).await;
    accounts
}

async fn in_memory() -> Division {
    let config = StoreConfig::new("nothing").in_memory();
    let accounts = Division::closed("account", config, Vec::new, Live::default());
    let dir = TempDir::new().unwrap();
    accounts
        .acquire(&Paths::new(dir.path(), dir.path()), 1)
        .await
        .unwrap();
    accounts
}

async fn append(accounts: &Division, events: &[AccountEvent]) {
    let events = events.iter().map(|event| event.encode().unwrap()).collect();
    let stream = StreamId::of("account", "1");
    let appended = accounts
        .store()
        .append(stream, ExpectedVersion::Any, events);
    appended.await.unwrap();
}

#[test]
fn that_nothing_happens_is_remembered() {
    run(async {
        let accounts = with_five().await;
        let id = Uuid::now_v7();
        let first = accounts
            .dispatch("1", repeatable(FillUp, id, 1), fill_up)
            .await
            .unwrap();
        assert_eq!(
            (first.version, first.position, first.visible, first.replayed),
            (StreamVersion::new(2), None, true, false)
        );
        // On the state that there is now, the decision would be another one.
        let taken = AccountEvent::Paid(Paid {
            amount: (-3).into(),
        });
        append(&accounts, &[taken]).await;
        let head = *accounts.store().get().unwrap().head().borrow();
        let again = accounts
            .dispatch("1", repeatable(FillUp, id, 1), fill_up)
            .await
            .unwrap();
        assert_eq!(
            again,
            Done {
                replayed: true,
                ..first
            }
        );
        assert_eq!(*accounts.store().get().unwrap().head().borrow(), head);
        for (thing, digest) in [("1", 2), ("2", 1)] {
            let other = accounts
                .dispatch(thing, repeatable(FillUp, id, digest), fill_up)
                .await;
            assert!(
                matches!(
                    other,
                    Err(DispatchError::Append(
                        AppendError::IdempotencyMismatch { .. }
                    ))
                ),
                "{other:?}"
            );
        }
        // Another command decides on what there is.
        let anew = accounts
            .dispatch("1", repeatable(FillUp, Uuid::now_v7(), 1), fill_up)
            .await
            .unwrap();
        assert_eq!(anew.version, StreamVersion::new(4));
    });
}

#[test]
fn of_two_sendings_at_once_the_first_answer_is_given_to_both() {
    run(async {
        let accounts = with_five().await;
        let id = Uuid::now_v7();
        let racing = accounts.clone();
        // While the second sending decides, the first is answered, and the state changes.
        let second =
            accounts.dispatch("1", repeatable(FillUp, id, 1), move |state, command, cx| {
                let decided = fill_up(state, command, cx);
                let racing = racing.clone();
                let race = async move {
                    let first = racing.dispatch("1", repeatable(FillUp, id, 1), fill_up);
                    first.await.unwrap();
                    let taken = AccountEvent::Paid(Paid {
                        amount: (-3).into(),
                    });
                    append(&racing, &[taken]).await;
                };
                tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(race));
                decided
            });
        let second = second.await.unwrap();
        assert_eq!(
            (second.version, second.position, second.replayed),
            (StreamVersion::new(2), None, true)
        );
    });
}
