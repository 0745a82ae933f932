//! Tests of plugins, at three levels, in the same words: given, when, then.
//!
//! | level | begins with | what runs | what a test of it takes |
//! |---|---|---|---|
//! | a decision | [`given`] | `handle` and `apply`, nothing else | microseconds |
//! | with its store | [`stored`] | the division: SQLite, projections, rows | tens of milliseconds |
//! | the whole plugin | [`TestPlugin`] | routes, bodies, answers, all divisions | tens of milliseconds |
//!
//! At each of them time and ids are the test's. Beside these, [`project`] shows what a projection makes of events,
//! [`golden`] holds a revision of an event to a sample of it, [`metric`] reads what was counted, and [`logs`] what was
//! logged.
//!
//! ```
//! use std::sync::LazyLock;
//!
//! # use hecate_sdk::aggregate::*;
//! use hecate_sdk::api::{Accepted, ApiError, Command};
//! use hecate_sdk::axum::extract::{Path, State};
//! use hecate_sdk::division::{Division, DivisionSpec};
//! use hecate_sdk::fields::FieldType;
//! # use hecate_sdk::flags::StatusChange;
//! use hecate_sdk::projection::TableProjection;
//! use hecate_sdk::routes::Routes;
//! # use hecate_sdk::serde::{Deserialize, Serialize};
//! use hecate_sdk::serde_json::{Value, json};
//! # use hecate_sdk::store::NewEvent;
//! use hecate_sdk::table::{Column, Table};
//! use hecate_sdk::testing::{Around, ID, OneDivision, TestPlugin, given, run, stored};
//! # use hecate_sdk::validate::{Invalid, Validate};
//! # #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
//! # #[serde(crate = "hecate_sdk::serde")]
//! # struct Opened { owner: String, since: String }
//! # impl Event for Opened { const NAME: &'static str = "account_opened"; const REVISION: u32 = 1; }
//! # impl EventSet for Opened {
//! #     fn decode(event_type: &str, revision: u32, data: &[u8]) -> Result<Self, DecodeError> {
//! #         match (event_type, revision) {
//! #             (Opened::NAME, Opened::REVISION) => decode_payload(data),
//! #             _ => Err(DecodeError::unknown(event_type, revision)),
//! #         }
//! #     }
//! #     fn encode(&self) -> Result<NewEvent, hecate_sdk::serde_json::Error> { encode_payload(self) }
//! #     fn status_change(&self) -> StatusChange { status_change::<Self>() }
//! # }
//! # #[derive(Default)]
//! # struct Account { open: bool }
//! # impl Aggregate for Account {
//! #     type Event = Opened;
//! #     const KIND: &'static str = "account";
//! #     fn apply(&mut self, _: &Opened) { self.open = true; }
//! # }
//! # #[derive(Clone, Deserialize)]
//! # #[serde(crate = "hecate_sdk::serde")]
//! # struct OpenAccount { owner: String }
//! # impl Validate for OpenAccount { fn validate(&self) -> Result<(), Invalid> { Ok(()) } }
//!
//! /// The decision that is tested.
//! fn handle(state: &Account, command: OpenAccount, cx: &Cx) -> Result<Vec<Opened>, Rejection> {
//!     if state.open {
//!         return Err(Rejection::conflict("account_open", "the account is open"));
//!     }
//!     Ok(vec![Opened { owner: command.owner, since: cx.now().to_string() }])
//! }
//!
//! # static ACCOUNTS: LazyLock<Table> = LazyLock::new(|| {
//! #     Table::new("accounts", "account_id").columns(&[Column::new("owner", FieldType::String)])
//! # });
//! # async fn open(
//! #     State(accounts): State<Division>,
//! #     Path(id): Path<String>,
//! #     command: Command<OpenAccount>,
//! # ) -> Result<Accepted, ApiError> {
//! #     Ok(Accepted::new("account_id", accounts.dispatch(&id, command, handle).await?))
//! # }
//! # struct Accounts;
//! # impl OneDivision for Accounts {
//! #     fn division() -> DivisionSpec {
//! #         DivisionSpec::new("account", Routes::new().post("/accounts/{id}/open", open)).projections(|| {
//! #             let rows = TableProjection::<Opened>::new("account", &ACCOUNTS, |row, event| {
//! #                 row.set("owner", &event.owner);
//! #                 Ok(())
//! #             });
//! #             vec![Box::new(rows)]
//! #         })
//! #     }
//! # }
//! # fn main() {
//! let ada = || OpenAccount { owner: "Ada".to_owned() };
//! let opened = |since: &str| Opened { owner: "Ada".to_owned(), since: since.to_owned() };
//!
//! // A decision.
//! let easter = "2026-04-05T12:00:00Z".parse().unwrap();
//! given::<Account>([]).at(easter).when(ada(), handle).then([opened("2026-04-05T12:00:00Z")]);
//! given::<Account>([opened("")]).when(ada(), handle).then_rejected("account_open");
//!
//! // With its store: what was decided is on the disk, and is a row.
//! stored::<Accounts>()
//!     .at(easter)
//!     .when(ada(), handle)
//!     .then([opened("2026-04-05T12:00:00Z")])
//!     .then_row(&ACCOUNTS, json!({"owner": "Ada", "version": 1}))
//!     .reopened()
//!     .when(ada(), handle)
//!     .then_rejected("account_open");
//!
//! // The whole plugin.
//! run(async {
//!     let plugin = TestPlugin::start::<Around<Accounts>>().await;
//!     plugin.given::<Account>("account", "a1", [opened("")]).await;
//!     plugin
//!         .when_post("/accounts/a1/open", json!({"owner": "Bob"}))
//!         .await
//!         .then_status(409)
//!         .then_json(json!({"code": "account_open"}))
//!         .then_events::<Account>("account", "a1", [opened("")])
//!         .await
//!         .then_row("account", &ACCOUNTS, "a1", json!({"owner": "Ada"}))
//!         .await;
//! });
//! # }
//! ```

mod bus;
mod decide;
mod golden;
mod logs;
mod messages;
mod project;
mod store;
mod whole;

use hecate_manifest::control::{Reading, Sample};
use serde_json::Value;

use crate::metrics;

pub use bus::{Bus, settle};
pub use decide::{Decided, Given, given};
pub use golden::{golden, golden_of};
pub use hecate_manifest::exchange::Outcome;
pub use logs::{Logs, logs};
pub use messages::{heard, led_to, told};
pub use project::project;
pub use store::{Stored, StoredDecision, stored};
pub use whole::{Answered, Around, OneDivision, Reply, TestPlugin};

/// Id of the thing that tests are about, unless they say another.
pub const ID: &str = "00000000-0000-7000-8000-000000000001";

/// Runs an asynchronous test to its end.
///
/// # Panics
///
/// If the test does, or if no runtime can be made.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    runtime
        .unwrap_or_else(|error| panic!("no runtime: {error}"))
        .block_on(test)
}

/// The metric `name` with these labels: the value of a counter or gauge, how many values a histogram has. `None` if there
/// is none. Metrics are those of the whole process, so other tests of it count into them too.
pub fn metric(name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let is_it = |sample: &Sample| {
        sample.name == name
            && sample.labels.len() == labels.len()
            && labels
                .iter()
                .all(|(label, value)| sample.labels.get(*label).is_some_and(|is| is == value))
    };
    let sample = metrics::store().snapshot().into_iter().find(is_it)?;
    Some(match sample.value {
        Reading::Counter(count) | Reading::Histogram { count, .. } => count as f64,
        Reading::Gauge(value) => value,
    })
}

/// A JSON value as it stands in a path or a query string.
pub fn in_url(value: &Value) -> String {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// A row must have these columns with these values; `null` says that there must be none.
#[track_caller]
fn assert_row(row: &Value, wanted: &Value) {
    let fits = match (row, wanted) {
        (Value::Object(row), Value::Object(wanted)) => wanted
            .iter()
            .all(|(column, value)| row.get(column) == Some(value)),
        _ => row == wanted,
    };
    assert!(fits, "the row is {row}, expected {wanted}");
}
