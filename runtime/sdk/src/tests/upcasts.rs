//! Events of older revisions, from the store to decisions and rows.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::aggregate::{
    Aggregate, Cx, DecodeError, Event, EventSet, Rejection, Upcast, decode_payload,
    decode_rewritten, encode_payload, status_change, upcast,
};
use crate::division::DivisionSpec;
use crate::fields::FieldType;
use crate::flags::StatusChange;
use crate::projection::TableProjection;
use crate::routes::Routes;
use crate::store::NewEvent;
use crate::table::{Column, Table};
use crate::testing::{OneDivision, golden, golden_of, stored};

/// Revision 0 of the story: `{"name": …}`. No type is left of it.
fn rename(account: &mut Map<String, Value>) {
    let owner = account.remove("name").unwrap_or_default();
    account.insert("owner".to_owned(), owner);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct OpenedV2 {
    owner: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct OpenedV3 {
    owner: String,
    currency: String,
}

/// The same under a better name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Begun {
    owner: String,
    currency: String,
    limit_cents: i64,
}

impl Event for OpenedV2 {
    const NAME: &'static str = "account_opened";
    const REVISION: u32 = 2;
}

impl Event for OpenedV3 {
    const NAME: &'static str = "account_opened";
    const REVISION: u32 = 3;
}

impl Event for Begun {
    const NAME: &'static str = "account_begun";
    const REVISION: u32 = 1;
    const SETS: u64 = 1;
}

impl Upcast for OpenedV2 {
    type Next = OpenedV3;

    fn upcast(self) -> OpenedV3 {
        OpenedV3 {
            owner: self.owner,
            currency: "EUR".to_owned(),
        }
    }
}

impl Upcast for OpenedV3 {
    type Next = Begun;

    fn upcast(self) -> Begun {
        Begun {
            owner: self.owner,
            currency: self.currency,
            limit_cents: 0,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum AccountEvent {
    Begun(Begun),
}

impl EventSet for AccountEvent {
    fn decode(event_type: &str, revision: u32, data: &[u8]) -> Result<Self, DecodeError> {
        match (event_type, revision) {
            ("account_opened", 1) => decode_rewritten::<OpenedV2>(1, data, rename)
                .map(upcast)
                .map(Self::Begun),
            (OpenedV2::NAME, OpenedV2::REVISION) => decode_payload::<OpenedV2>(data)
                .map(upcast)
                .map(Self::Begun),
            (OpenedV3::NAME, OpenedV3::REVISION) => decode_payload::<OpenedV3>(data)
                .map(upcast)
                .map(Self::Begun),
            (Begun::NAME, Begun::REVISION) => decode_payload(data).map(Self::Begun),
            _ => Err(DecodeError::unknown(event_type, revision)),
        }
    }

    fn encode(&self) -> Result<NewEvent, serde_json::Error> {
        let Self::Begun(event) = self;
        encode_payload(event)
    }

    fn status_change(&self) -> StatusChange {
        status_change::<Begun>()
    }
}

#[derive(Default)]
struct Account {
    owners: Vec<String>,
}

impl Aggregate for Account {
    type Event = AccountEvent;
    const KIND: &'static str = "account";

    fn apply(&mut self, AccountEvent::Begun(event): &AccountEvent) {
        self.owners.push(event.owner.clone());
    }
}

static ACCOUNTS: LazyLock<Table> = LazyLock::new(|| {
    Table::new("accounts", "account_id").columns(&[
        Column::new("owner", FieldType::String),
        Column::new("currency", FieldType::String),
    ])
});

struct Accounts;

impl OneDivision for Accounts {
    fn division() -> DivisionSpec {
        DivisionSpec::new("account", Routes::new()).projections(|| {
            let rows = TableProjection::<AccountEvent>::new(
                "account",
                &ACCOUNTS,
                |row, AccountEvent::Begun(event)| {
                    row.set("owner", &event.owner);
                    row.set("currency", &event.currency);
                    Ok(())
                },
            );
            vec![Box::new(rows)]
        })
    }
}

fn begun(owner: &str, currency: &str) -> AccountEvent {
    AccountEvent::Begun(Begun {
        owner: owner.to_owned(),
        currency: currency.to_owned(),
        limit_cents: 0,
    })
}

#[test]
fn each_revision_is_told_as_the_newest_event() {
    let ada = begun("Ada", "EUR");
    let told = golden_of::<AccountEvent>;
    assert_eq!(told("account_opened", 1, r#"{"name": "Ada"}"#), ada);
    assert_eq!(told("account_opened", 2, r#"{"owner": "Ada"}"#), ada);
    let third = r#"{"owner": "Ada", "currency": "USD"}"#;
    assert_eq!(told("account_opened", 3, third), begun("Ada", "USD"));
    let newest = r#"{"owner": "Ada", "currency": "EUR", "limit_cents": 0}"#;
    assert_eq!(told("account_begun", 1, newest), ada);
    // What is written is the newest.
    let written = ada.encode().unwrap();
    assert_eq!(
        (written.event_type.as_ref(), written.revision),
        ("account_begun", 1)
    );
}

#[test]
fn a_newer_revision_than_known_is_unknown() {
    let error = AccountEvent::decode("account_opened", 4, b"{}").unwrap_err();
    assert!(matches!(
        error,
        DecodeError::UnknownType { ref event_type, revision: 4 } if event_type == "account_opened"
    ));
    assert_eq!(
        error.to_string(),
        "events of type `account_opened_v4` are not known to this version of the plugin"
    );
}

#[test]
fn a_payload_of_another_form_names_the_revision_that_was_stored() {
    let named = |revision, payload: &str| {
        let error = AccountEvent::decode("account_opened", revision, payload.as_bytes());
        error.unwrap_err().to_string()
    };
    let says = |revision: u32| {
        format!("the payload of an event `account_opened_v{revision}` is not of that type's form")
    };
    for payload in ["[]", "{}", r#"{"owner": 1}"#, "", "\u{0}"] {
        for revision in 1..=3 {
            assert_eq!(named(revision, payload), says(revision), "{payload}");
        }
    }
}

#[test]
fn decisions_and_rows_see_old_events_as_new_ones() {
    fn decide(state: &Account, (): (), _: &Cx) -> Result<Vec<AccountEvent>, Rejection> {
        assert_eq!(state.owners, ["Ada", "Bob", "Eve"]);
        Ok(vec![begun("Zoe", "CHF")])
    }
    let old =
        |revision, payload: Value| NewEvent::json("account_opened", revision, &payload).unwrap();
    stored::<Accounts>()
        .given_stored::<Account>(vec![
            old(1, json!({"name": "Ada"})),
            old(2, json!({"owner": "Bob"})),
            old(3, json!({"owner": "Eve", "currency": "USD"})),
        ])
        .then_row(
            &ACCOUNTS,
            json!({"owner": "Eve", "currency": "USD", "version": 3}),
        )
        .when((), decide)
        .then([begun("Zoe", "CHF")])
        .then_row(&ACCOUNTS, json!({"owner": "Zoe", "version": 4}));
}

#[test]
fn golden_samples_hold_a_revision_to_what_it_was() {
    let sample = r#"{"currency": "USD", "owner": "Ada"}"#;
    let event = golden::<OpenedV3>(sample);
    assert_eq!(event.upcast().currency, "USD");
}

#[test]
#[should_panic(
    expected = "`account_opened_v2` is written otherwise now (left) than it was (right)"
)]
fn a_golden_sample_with_a_field_that_the_type_ignores_fails() {
    golden::<OpenedV2>(r#"{"owner": "Ada", "since": 2020}"#);
}

#[test]
#[should_panic(expected = "missing field `owner`")]
fn a_golden_sample_without_a_field_of_the_type_fails() {
    golden::<OpenedV2>("{}");
}

#[test]
#[should_panic(expected = "the sample of `account_opened_v2` is not JSON")]
fn a_golden_sample_that_is_no_json_fails() {
    golden::<OpenedV2>("owner: Ada");
}
