//! Two plugins with an account division each: a bank that tells, answers and follows, and a club that hears and asks.

mod facts;
mod hopes;
mod processes;
mod start;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::account::{ACCOUNTS, AccountEvent, Accounts};
use crate::api::{Answer, Json};
use crate::division::DivisionSpec;
use crate::integration::{
    AnswerError, Answering, Ask, AskError, Dispatch, Effect, Emitter, Fact, Handled, Heard, Hope,
    Hopes, Input, Integrations, Listener, ProcessCx, ProcessManager, Responder, Since,
};
use crate::plugin::{InitError, Plugin, PluginContext};
use crate::store::RecordedEvent;
use crate::testing::{OneDivision, TestPlugin};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AccountOpened {
    account_id: String,
    owner: String,
}

impl Fact for AccountOpened {
    const TOPIC: &'static str = "bank.account_opened";
}

pub(super) struct TellOpenings;

impl Emitter for TellOpenings {
    type Event = AccountEvent;
    type Fact = AccountOpened;
    const NAME: &'static str = "tell_openings";
    const DIVISION: &'static str = "account";

    fn tell(event: &AccountEvent, recorded: &RecordedEvent) -> Option<AccountOpened> {
        match event {
            AccountEvent::Opened(opened) => Some(AccountOpened {
                account_id: recorded.stream.id_of("account")?.to_owned(),
                owner: opened.owner.clone(),
            }),
            _ => None,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct AccountPaid {
    amount: String,
}

impl Fact for AccountPaid {
    const TOPIC: &'static str = "bank.account_paid";
}

struct TellPayments;

impl Emitter for TellPayments {
    type Event = AccountEvent;
    type Fact = AccountPaid;
    const NAME: &'static str = "tell_payments";
    const DIVISION: &'static str = "account";

    fn tell(event: &AccountEvent, _: &RecordedEvent) -> Option<AccountPaid> {
        match event {
            AccountEvent::Paid(paid) => Some(AccountPaid {
                amount: paid.amount.to_string(),
            }),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct OpenPlease {
    owner: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct OpenedFor {
    account_id: String,
}

impl Hope for OpenPlease {
    const NAME: &'static str = "bank.open_account";
    type Feedback = OpenedFor;
}

struct OpenForOthers;

impl Responder for OpenForOthers {
    type Hope = OpenPlease;

    async fn respond(hope: OpenPlease, cx: Answering) -> Result<OpenedFor, AnswerError> {
        if hope.owner == "never" {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        assert_ne!(hope.owner, "panics");
        let opened = cx
            .dispatch(Dispatch::new(
                "account",
                "open_account",
                json!({"owner": hope.owner}),
            ))
            .await?;
        Ok(OpenedFor {
            account_id: opened.id,
        })
    }
}

/// Whether the process manager and the listener fail at the owner whose name says so: until a test takes the mood away.
static MOODY_PROCESS: AtomicBool = AtomicBool::new(true);
static MOODY_LISTENER: AtomicBool = AtomicBool::new(true);

fn is_moody(owner: &str) -> bool {
    match owner {
        "moody process" => MOODY_PROCESS.load(Ordering::SeqCst),
        "moody listener" => MOODY_LISTENER.load(Ordering::SeqCst),
        _ => false,
    }
}

/// Pays 10 into every account that is opened, and once more some time later.
pub(super) struct WelcomeBonus;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Bonus {
    paid: u32,
    rejected: Option<String>,
}

impl ProcessManager for WelcomeBonus {
    type State = Bonus;
    type Event = AccountEvent;
    const NAME: &'static str = "welcome_bonus";
    const DIVISION: &'static str = "account";
    const SINCE: Since = Since::Beginning;

    fn correlate(_: &AccountEvent, recorded: &RecordedEvent) -> Option<String> {
        recorded.stream.id_of("account").map(str::to_owned)
    }

    fn handle(state: &mut Bonus, input: Input<'_, AccountEvent>, cx: &ProcessCx) -> Vec<Effect> {
        let pay = |amount: &str| {
            Dispatch::new("account", "pay_account", json!({"amount": amount})).to(cx.instance())
        };
        match input {
            Input::Event(AccountEvent::Opened(opened)) => {
                assert!(!is_moody(&opened.owner), "moody");
                match opened.owner.as_str() {
                    "later" => vec![Effect::timer("bonus", cx.after(Duration::from_millis(300)))],
                    "cancelled" => vec![
                        Effect::timer("bonus", cx.after(Duration::from_millis(50))),
                        Effect::cancel("bonus"),
                    ],
                    "wrong" => vec![pay("-1").into()],
                    "asks" => vec![
                        Effect::ask(&OpenPlease {
                            owner: "guest".to_owned(),
                        })
                        .unwrap(),
                    ],
                    _ => vec![pay("10").into()],
                }
            }
            Input::Event(AccountEvent::Paid(_)) => {
                state.paid += 1;
                if state.paid == 3 {
                    vec![Effect::End]
                } else {
                    vec![]
                }
            }
            Input::Timer("bonus") => vec![pay("5").into()],
            Input::Rejected { command, code, .. } => {
                state.rejected = Some(format!("{command} {code}"));
                vec![pay("1").into()]
            }
            Input::Feedback(answered) => {
                let opened = answered.answer::<OpenPlease>().unwrap();
                vec![
                    Dispatch::new("account", "pay_account", json!({"amount": "7"}))
                        .to(opened.account_id)
                        .into(),
                ]
            }
            _ => vec![],
        }
    }
}

struct Bank;

impl Plugin for Bank {
    fn manifest() -> &'static str {
        r#"{"name": "bank", "version": "0.1.0", "plugin_type": "in_vm"}"#
    }

    async fn init(_: PluginContext) -> Result<Self, InitError> {
        Ok(Self)
    }

    fn divisions() -> Vec<DivisionSpec> {
        vec![Accounts::division()]
    }

    fn integrations() -> Integrations {
        Integrations::new()
            .emitter::<TellOpenings>()
            .emitter::<TellPayments>()
            .responder::<OpenForOthers>()
    }
}

/// Opens an account for everybody who has one at the bank.
pub(super) struct OpenToo;

impl Listener for OpenToo {
    type Fact = AccountOpened;
    const NAME: &'static str = "open_too";
    const FILTER: &'static str = "bank.account_opened";

    fn on_fact(fact: AccountOpened, heard: &Heard) -> Handled {
        assert_eq!(heard.emitter, "bank");
        assert!(!is_moody(&fact.owner), "moody");
        if fact.owner == "stranger" {
            return Handled::Skip;
        }
        Dispatch::new("account", "open_account", json!({"owner": fact.owner})).into()
    }
}

/// Hears everything from now on, and remembers nothing but that.
struct HearAll;

impl Listener for HearAll {
    type Fact = Value;
    const NAME: &'static str = "hear_all";
    const FILTER: &'static str = "bank.*";
    const SINCE: Since = Since::Now;

    fn on_fact(_: Value, heard: &Heard) -> Handled {
        Dispatch::new(
            "account",
            "open_account",
            json!({"owner": format!("{} {}", heard.topic, heard.sequence)}),
        )
        .into()
    }
}

struct Club {
    hopes: Hopes,
}

impl Plugin for Club {
    fn manifest() -> &'static str {
        r#"{"name": "club", "version": "0.1.0", "plugin_type": "in_vm"}"#
    }

    async fn init(context: PluginContext) -> Result<Self, InitError> {
        Ok(Self {
            hopes: context.hopes().clone(),
        })
    }

    fn routes(&self) -> Router {
        Router::new()
            .route("/join", post(join))
            .with_state(self.hopes.clone())
    }

    fn divisions() -> Vec<DivisionSpec> {
        vec![Accounts::division()]
    }

    fn integrations() -> Integrations {
        Integrations::new()
            .listener::<OpenToo>()
            .requester::<OpenPlease>()
    }
}

#[derive(Deserialize)]
struct Join {
    owner: String,
    id: Option<Uuid>,
    within_ms: u64,
}

/// Asks the bank for an account, and tells what came of it.
async fn join(State(hopes): State<Hopes>, Json(join): Json<Join>) -> Answer {
    let ask = join
        .id
        .map_or_else(Ask::fresh, Ask::with_id)
        .within(Duration::from_millis(join.within_ms));
    Answer::of(
        match hopes.ask(&OpenPlease { owner: join.owner }, ask).await {
            Ok(opened) => json!({"opened": opened.account_id}),
            Err(AskError::Rejected { code, message }) => {
                json!({"rejected": code, "message": message})
            }
            Err(AskError::NoResponder(message)) => json!({"no_responder": message}),
            Err(AskError::TimedOut) => json!({"timed_out": true}),
            Err(error) => json!({"error": error.to_string()}),
        },
    )
}

/// Owners of all accounts of a plugin, in the order in which they were opened.
async fn owners(plugin: &TestPlugin) -> Vec<String> {
    let answer = plugin.get("/accounts?limit=200").await;
    let items = answer.json["items"].as_array().cloned().unwrap_or_default();
    items
        .iter()
        .map(|row| row["owner"].as_str().unwrap_or_default().to_owned())
        .collect()
}

async fn open(plugin: &TestPlugin, owner: &str) -> String {
    let answer = plugin.post("/accounts/open", json!({"owner": owner})).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json["account_id"].as_str().unwrap().to_owned()
}

async fn last_paid(plugin: &TestPlugin, id: &str) -> Value {
    plugin.row("account", &ACCOUNTS, id).await["last_paid"].clone()
}
