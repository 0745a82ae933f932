//! The test kit itself: at each level it passes what is right and fails what is not.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};
use uuid::Uuid;

use super::account::{ACCOUNTS, Account, AccountEvent, Accounts, Closed, Opened, Paid, open, pay};
use crate::aggregate::{Cx, Rejection};
use crate::store::{NewEvent, StreamId};
use crate::testing::{Around, ID, TestPlugin, given, run, stored};

fn opened() -> AccountEvent {
    AccountEvent::Opened(Opened {
        owner: "Ada".to_owned(),
    })
}

fn paid(amount: i64) -> AccountEvent {
    AccountEvent::Paid(Paid {
        amount: amount.into(),
    })
}

/// A command, by its JSON.
fn asked<T: serde::de::DeserializeOwned>(command: Value) -> T {
    serde_json::from_value(command).unwrap()
}

/// What a failing test says.
fn complaint(test: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(test)).expect_err("it should have failed");
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_default()
}

/// A decision that tells what it was given.
fn tell(_: &Account, (): (), cx: &Cx) -> Result<Vec<AccountEvent>, Rejection> {
    let owner = format!("{} {} {}", cx.id(), cx.now(), cx.new_id(0));
    Ok(vec![AccountEvent::Opened(Opened { owner })])
}

#[test]
fn time_and_ids_are_the_tests() {
    let command = Uuid::from_u128(1 << 80);
    let first_id = Cx::new("", command, jiff::Timestamp::UNIX_EPOCH).new_id(0);
    let told = |owner: String| AccountEvent::Opened(Opened { owner });
    let noon = "2026-06-01T12:00:00Z";
    given::<Account>([])
        .at(noon.parse().unwrap())
        .with_id("a1")
        .with_command_id(command)
        .when((), tell)
        .then([told(format!("a1 {noon} {first_id}"))]);
    stored::<Accounts>()
        .at(noon.parse().unwrap())
        .with_id("a1")
        .with_command_id(command)
        .when((), tell)
        .then([told(format!("a1 {noon} {first_id}"))]);

    // Unless said, they are the same at both levels.
    let usual = Cx::new(ID, Uuid::from_u128(7), jiff::Timestamp::UNIX_EPOCH).new_id(0);
    let usual = told(format!("{ID} 2026-01-01T00:00:00Z {usual}"));
    given::<Account>([]).when((), tell).then([usual.clone()]);
    stored::<Accounts>().when((), tell).then([usual]);
}

#[test]
fn with_its_store_a_command_leads_to_events_and_a_row() {
    stored::<Accounts>()
        .then_row(&ACCOUNTS, Value::Null)
        .given::<Account>([opened(), paid(5)])
        .then_row(
            &ACCOUNTS,
            json!({"owner": "Ada", "last_paid": "5", "version": 2}),
        )
        .when(asked(json!({"amount": "7"})), pay)
        .then([paid(7)])
        .then_row(&ACCOUNTS, json!({"last_paid": "7", "version": 3}))
        .reopened()
        .when(asked(json!({"amount": "8"})), pay)
        .then([paid(8)])
        .then_row(&ACCOUNTS, json!({"last_paid": "8", "version": 4}))
        .given::<Account>([AccountEvent::Closed(Closed {})])
        .when(asked(json!({"amount": "9"})), pay)
        .then_rejected("account_closed")
        .then_row(&ACCOUNTS, json!({"last_paid": "8", "version": 5}))
        .with_id("another")
        .when(asked(json!({"owner": "Bob"})), open)
        .then([AccountEvent::Opened(Opened {
            owner: "Bob".to_owned(),
        })])
        .then_row(&ACCOUNTS, json!({"owner": "Bob", "version": 1}));
}

#[test]
fn a_command_that_is_sent_twice_happens_once() {
    let key = Uuid::from_u128(99);
    stored::<Accounts>()
        .given::<Account>([opened()])
        .with_command_id(key)
        .when(asked(json!({"amount": "7"})), pay)
        .then([paid(7)])
        .when(asked(json!({"amount": "7"})), pay)
        .then([])
        .then_row(&ACCOUNTS, json!({"version": 2}));
}

#[test]
fn what_is_not_so_fails_and_says_what_is() {
    let seven = || asked(json!({"amount": "7"}));
    let said = complaint(|| {
        given::<Account>([opened()]).when(seven(), pay).then([]);
    });
    assert!(said.contains("Paid"), "{said}");
    let said = complaint(|| {
        let accounts = stored::<Accounts>().given::<Account>([opened()]);
        accounts.when(seven(), pay).then([paid(8)]);
    });
    assert!(
        said.contains("amount: 7") && said.contains("amount: 8"),
        "{said}"
    );
    let said = complaint(|| {
        let accounts = stored::<Accounts>().given::<Account>([opened()]);
        accounts.when(seven(), pay).then_rejected("account_closed");
    });
    assert!(said.starts_with("accepted with"), "{said}");
    let said = complaint(|| {
        stored::<Accounts>().when(seven(), pay).then([paid(7)]);
    });
    assert!(said.contains("there is no such account"), "{said}");
    let said = complaint(|| {
        let accounts = stored::<Accounts>().given::<Account>([opened()]);
        accounts.then_row(&ACCOUNTS, json!({"owner": "Bob"}));
    });
    assert!(
        said.contains("\"Ada\"") && said.contains("\"Bob\""),
        "{said}"
    );
}

#[test]
fn a_read_model_that_stands_still_fails_the_test_and_not_for_long() {
    let unreadable = NewEvent::json("account_paid", 1, &json!({"amount": "much"})).unwrap();
    let said = complaint(|| {
        let accounts = stored::<Accounts>().given_stored::<Account>(vec![unreadable]);
        accounts.then_row(&ACCOUNTS, Value::Null);
    });
    assert!(said.contains("do not follow"), "{said}");
}

#[test]
fn the_words_with_a_store_may_be_used_in_an_asynchronous_test_too() {
    run(async {
        stored::<Accounts>()
            .when(asked(json!({"owner": "Ada"})), open)
            .then([opened()]);
    });
}

#[test]
fn the_whole_plugin_is_asked_in_the_same_words() {
    run(async {
        let plugin = TestPlugin::start::<Around<Accounts>>().await;
        plugin
            .given::<Account>("account", "a1", [opened(), paid(5)])
            .await;
        plugin
            .when_post("/accounts/a1/pay", json!({"amount": "7"}))
            .await
            .then_status(201)
            .then_json(json!({"account_id": "a1", "version": 3}))
            .then_events::<Account>("account", "a1", [opened(), paid(5), paid(7)])
            .await
            .then_row("account", &ACCOUNTS, "a1", json!({"last_paid": "7"}))
            .await;
        plugin
            .when_get("/accounts/a1")
            .await
            .then_status(200)
            .then_json(json!({"owner": "Ada"}));
        let born = plugin
            .when_post("/accounts/open", json!({"owner": "Ada"}))
            .await
            .then_status(201);
        let id = born.text("account_id");
        born.then_events::<Account>("account", &id, [opened()])
            .await;

        let stream = StreamId::of("account", "a2");
        let stored = NewEvent::json("account_opened", 1, &json!({"owner": "Eve"})).unwrap();
        plugin.given_stored("account", stream, vec![stored]).await;
        assert_eq!(plugin.get("/accounts/a2").await.json["owner"], "Eve");
    });
}

#[test]
fn an_answer_that_is_not_so_fails() {
    run(async {
        let plugin = TestPlugin::start::<Around<Accounts>>().await;
        let missing = plugin.when_get("/accounts/none").await;
        let said = complaint(|| _ = missing.then_status(200));
        assert!(said.contains("account_not_found"), "{said}");
        let missing = plugin.when_get("/accounts/none").await;
        let said = complaint(|| _ = missing.then_json(json!({"code": "else"})));
        assert!(said.contains("account_not_found"), "{said}");
    });
}
