//! A small division for the tests: accounts that are opened, paid into and closed.

use std::sync::LazyLock;

use axum::extract::{Path, State};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::aggregate::{
    Aggregate, Cx, DecodeError, Event, EventSet, Rejection, decode_payload, encode_payload,
    status_change,
};
use crate::api::{Accepted, Answer, ApiError, Command};
use crate::commands::CommandTable;
use crate::division::{Division, DivisionSpec};
use crate::fields::{Field, FieldType};
use crate::flags::{FlagMap, FlagMaps, StatusChange, has};
use crate::projection::{Projection, TableProjection};
use crate::queries::Params;
use crate::routes::{Desk, Routes};
use crate::store::NewEvent;
use crate::table::{Column, Table};
use crate::testing::OneDivision;
use crate::validate::{Invalid, Rules, Validate};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Opened {
    pub(super) owner: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Paid {
    pub(super) amount: Decimal,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Closed {}

impl Event for Opened {
    const NAME: &'static str = "account_opened";
    const REVISION: u32 = 1;
    const SETS: u64 = 1;
}

impl Event for Paid {
    const NAME: &'static str = "account_paid";
    const REVISION: u32 = 1;
}

impl Event for Closed {
    const NAME: &'static str = "account_closed";
    const REVISION: u32 = 1;
    const SETS: u64 = 2;
    const CLEARS: u64 = 1;
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum AccountEvent {
    Opened(Opened),
    Paid(Paid),
    Closed(Closed),
}

impl EventSet for AccountEvent {
    fn decode(event_type: &str, revision: u32, data: &[u8]) -> Result<Self, DecodeError> {
        match (event_type, revision) {
            (Opened::NAME, Opened::REVISION) => decode_payload(data).map(Self::Opened),
            (Paid::NAME, Paid::REVISION) => decode_payload(data).map(Self::Paid),
            (Closed::NAME, Closed::REVISION) => decode_payload(data).map(Self::Closed),
            _ => Err(DecodeError::unknown(event_type, revision)),
        }
    }

    fn encode(&self) -> Result<NewEvent, serde_json::Error> {
        match self {
            Self::Opened(event) => encode_payload(event),
            Self::Paid(event) => encode_payload(event),
            Self::Closed(event) => encode_payload(event),
        }
    }

    fn status_change(&self) -> StatusChange {
        match self {
            Self::Opened(_) => status_change::<Opened>(),
            Self::Paid(_) => status_change::<Paid>(),
            Self::Closed(_) => status_change::<Closed>(),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Account {
    status: u64,
    pub(super) balance: Decimal,
}

impl Aggregate for Account {
    type Event = AccountEvent;
    const KIND: &'static str = "account";

    fn apply(&mut self, event: &AccountEvent) {
        self.status = event.status_change().apply(self.status);
        if let AccountEvent::Paid(paid) = event {
            self.balance += paid.amount;
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct OpenAccount {
    owner: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Pay {
    amount: Decimal,
}

impl Validate for OpenAccount {
    fn validate(&self) -> Result<(), Invalid> {
        Rules::new().field("owner", &self.owner).done()
    }
}

impl Validate for Pay {
    fn validate(&self) -> Result<(), Invalid> {
        Rules::new()
            .rule("amount", self.amount > Decimal::ZERO, "must be more than 0")
            .done()
    }
}

pub(super) fn open(
    state: &Account,
    command: OpenAccount,
    _: &Cx,
) -> Result<Vec<AccountEvent>, Rejection> {
    if state.status != 0 {
        return Err(Rejection::conflict(
            "account_exists",
            "the account is there",
        ));
    }
    Ok(vec![AccountEvent::Opened(Opened {
        owner: command.owner,
    })])
}

pub(super) fn pay(state: &Account, command: Pay, _: &Cx) -> Result<Vec<AccountEvent>, Rejection> {
    if state.status == 0 {
        return Err(Rejection::not_found(
            "account_not_found",
            "there is no such account",
        ));
    }
    if has(state.status, 2) {
        return Err(Rejection::conflict(
            "account_closed",
            "the account is closed",
        ));
    }
    Ok(vec![AccountEvent::Paid(Paid {
        amount: command.amount,
    })])
}

pub(super) static ACCOUNTS: LazyLock<Table> = LazyLock::new(|| {
    Table::new("accounts", "account_id")
        .columns(&[
            Column::new("owner", FieldType::String),
            Column::new("last_paid", FieldType::Decimal),
        ])
        .index("owner")
});

pub(super) fn projections() -> Vec<Box<dyn Projection>> {
    let accounts = TableProjection::<AccountEvent>::new("account", &ACCOUNTS, |row, event| {
        match event {
            AccountEvent::Opened(event) => row.set("owner", &event.owner),
            AccountEvent::Paid(event) => row.set("last_paid", &event.amount),
            AccountEvent::Closed(_) => row.touch(),
        }
        Ok(())
    });
    vec![Box::new(accounts)]
}

async fn open_account(
    State(accounts): State<Division>,
    command: Command<OpenAccount>,
) -> Result<Accepted, ApiError> {
    Ok(Accepted::new(
        "account_id",
        accounts.dispatch_new(command, open).await?,
    ))
}

async fn pay_account(
    State(accounts): State<Division>,
    Path(id): Path<String>,
    command: Command<Pay>,
) -> Result<Accepted, ApiError> {
    Ok(Accepted::new(
        "account_id",
        accounts.dispatch(&id, command, pay).await?,
    ))
}

async fn account(
    State(accounts): State<Division>,
    Path(id): Path<String>,
) -> Result<Answer, ApiError> {
    let key = id.clone();
    let row = accounts
        .query(move |model| ACCOUNTS.by_key(model, &key))
        .await?;
    row.map(Answer)
        .ok_or_else(|| ApiError::not_found("account", &id))
}

async fn accounts(State(accounts): State<Division>, params: Params) -> Result<Answer, ApiError> {
    params
        .page(&ACCOUNTS, &ACCOUNTS.filters())?
        .read(&accounts)
        .await
}

async fn of_owner(
    State(accounts): State<Division>,
    Path(owner): Path<String>,
    params: Params,
) -> Result<Answer, ApiError> {
    params
        .page(&ACCOUNTS, &[])?
        .with("owner", &owner)?
        .read(&accounts)
        .await
}

async fn search(State(accounts): State<Division>, params: Params) -> Result<Answer, ApiError> {
    let (text, limit) = params.search()?;
    let rows = accounts
        .query(move |model| ACCOUNTS.search(model, &["owner"], &text, limit))
        .await?;
    Ok(Answer::of(json!({"items": rows})))
}

async fn count(State(accounts): State<Division>, params: Params) -> Result<Answer, ApiError> {
    let filters = params.filters(&ACCOUNTS, &ACCOUNTS.filters())?;
    let count = accounts
        .query(move |model| ACCOUNTS.count(model, &filters))
        .await?;
    Ok(Answer::of(json!({"count": count})))
}

pub(super) fn commands() -> CommandTable {
    CommandTable::new()
        .birth("open_account", open)
        .command("pay_account", pay)
}

pub(super) struct Accounts;

impl OneDivision for Accounts {
    fn division() -> DivisionSpec {
        const OPEN: &[Field] = &[Field::required("owner", FieldType::String)];
        const PAY: &[Field] = &[Field::required("amount", FieldType::Decimal)];
        let routes = Routes::new()
            .merge(
                Routes::new()
                    .post("/accounts/open", open_account)
                    .desk(Desk::birth("open_account", OPEN).events(&["account_opened_v1"])),
            )
            .merge(
                Routes::new()
                    .post("/accounts/{id}/pay", pay_account)
                    .desk(Desk::command("pay_account", PAY)),
            )
            .merge(
                Routes::new()
                    .get("/accounts/{id}", account)
                    .desk(Desk::by_id("get_account_by_id", &ACCOUNTS)),
            )
            .merge(
                Routes::new()
                    .get("/accounts", accounts)
                    .desk(Desk::page("get_accounts_page", &ACCOUNTS).filters(&ACCOUNTS.filters())),
            )
            .merge(
                Routes::new()
                    .get("/accounts/of/{owner}", of_owner)
                    .desk(Desk::by_field("get_accounts_by_owner", "owner", &ACCOUNTS)),
            )
            .merge(
                Routes::new()
                    .get("/accounts/search", search)
                    .desk(Desk::search("search_accounts", &ACCOUNTS)),
            )
            .merge(
                Routes::new()
                    .get("/accounts/count", count)
                    .desk(Desk::count("count_accounts", &ACCOUNTS)),
            );
        let flags = FlagMap::new([(1, "Open"), (2, "Closed")]);
        DivisionSpec::new("account", routes)
            .projections(projections)
            .commands(commands())
            .flag_maps(FlagMaps::from([("account".to_owned(), flags)]))
    }
}
