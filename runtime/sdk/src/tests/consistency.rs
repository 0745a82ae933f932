//! Which read models a command waits for.

use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use hecate_manifest::control::{StartConfig, StoreTask};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::account::{self, Account, Accounts, OpenAccount, Pay, open, pay};
use crate::api::Command;
use crate::division::{Consistency, DispatchError, Division, DivisionSpec, Done};
use crate::live::Live;
use crate::operate::operate;
use crate::paths::Paths;
use crate::projection::{ProjectError, Projection};
use crate::running::Running;
use crate::store::{ExpectedVersion, NewEvent, RecordedEvent, StoreConfig, StreamId};
use crate::testing::{Around, OneDivision, run};

/// Takes nothing in while the file `slow` lies beside the read model, and no payments while there is `poison`.
struct Moody {
    revision: u64,
}

impl Projection for Moody {
    fn name(&self) -> &str {
        "moody"
    }

    fn revision(&self) -> u64 {
        self.revision
    }

    fn ensure(&self, _: &Connection) -> rusqlite::Result<()> {
        Ok(())
    }

    fn remove(&self, _: &Connection) -> rusqlite::Result<()> {
        Ok(())
    }

    fn project(
        &mut self,
        connection: &Connection,
        event: &RecordedEvent,
    ) -> Result<(), ProjectError> {
        let model = Path::new(connection.path().unwrap_or_default());
        let is_there = |file| model.with_file_name(file).exists();
        // Not for ever: a test that fails is to end too.
        let waits = (0..5_000).take_while(|_| is_there("slow"));
        waits.for_each(|_| std::thread::sleep(Duration::from_millis(2)));
        if is_there("poison") && event.event_type.as_ref() == "account_paid" {
            return Err(ProjectError::Other("no payments".to_owned()));
        }
        Ok(())
    }
}

fn projections() -> Vec<Box<dyn Projection>> {
    let mut all = account::projections();
    all.push(Box::new(Moody { revision: 1 }));
    all
}

fn changed() -> Vec<Box<dyn Projection>> {
    let mut all = account::projections();
    all.push(Box::new(Moody { revision: 2 }));
    all
}

async fn acquired(
    dir: &TempDir,
    projections: fn() -> Vec<Box<dyn Projection>>,
    epoch: u64,
) -> Division {
    let store = StoreConfig::new("test");
    let division = Division::closed("account", store, projections, Live::default());
    let paths = Paths::new(dir.path(), dir.path());
    division.acquire(&paths, epoch).await.unwrap();
    division
}

fn say(dir: &TempDir, word: &str) {
    std::fs::write(dir.path().join("sqlite").join(word), "").unwrap();
}

fn unsay(dir: &TempDir, word: &str) {
    std::fs::remove_file(dir.path().join("sqlite").join(word)).unwrap();
}

fn named(names: &[&'static str]) -> Consistency {
    Consistency::projections(names.iter().copied())
}

async fn opened(division: &Division, consistency: Consistency) -> Done {
    let body: OpenAccount = serde_json::from_value(json!({"owner": "Ada"})).unwrap();
    let command = Command::new(body).consistency(consistency);
    division
        .dispatch_new::<Account, _, _>(command, open)
        .await
        .unwrap()
}

async fn paid(
    division: &Division,
    id: &str,
    consistency: Consistency,
) -> Result<Done, DispatchError> {
    let body: Pay = serde_json::from_value(json!({"amount": "1"})).unwrap();
    let command = Command::new(body).consistency(consistency);
    division.dispatch::<Account, _, _>(id, command, pay).await
}

/// How many accounts the read model shows.
async fn shown(division: &Division) -> u64 {
    let count = |model: &Connection| account::ACCOUNTS.count(model, &[]);
    division.query(count).await.unwrap()
}

#[test]
fn a_command_waits_for_what_it_names_and_for_all_without_a_word() {
    let dir = TempDir::new().unwrap();
    run(async {
        let division = acquired(&dir, projections, 1).await;
        let done = opened(&division, Consistency::default()).await;
        assert!(done.visible);
        assert_eq!(shown(&division).await, 1);
        for consistency in [named(&["moody", "accounts"]), named(&["moody"]), named(&[])] {
            assert!(opened(&division, consistency).await.visible);
        }
        division.release().await;
    });
}

#[test]
fn what_takes_too_long_has_happened_all_the_same() {
    let dir = TempDir::new().unwrap();
    run(async {
        let division = acquired(&dir, projections, 1).await;
        say(&dir, "slow");
        for consistency in [
            Consistency::Eventual,
            Consistency::Strong,
            named(&["moody"]),
        ] {
            let done = opened(&division, consistency.clone()).await;
            assert!(!done.visible, "{consistency:?}");
            assert!(done.position.is_some() && !done.replayed);
        }
        unsay(&dir, "slow");
        assert!(opened(&division, Consistency::Strong).await.visible);
        assert_eq!(shown(&division).await, 4);
        division.release().await;
    });
}

#[test]
fn what_was_parked_is_not_visible_to_who_waits_for_it() {
    let dir = TempDir::new().unwrap();
    run(async {
        let division = acquired(&dir, projections, 1).await;
        let one = opened(&division, Consistency::Strong).await.id;
        let other = opened(&division, Consistency::Strong).await.id;
        say(&dir, "poison");
        let first = paid(&division, &one, Consistency::Strong).await.unwrap();
        assert!(!first.visible);
        unsay(&dir, "poison");
        // The next of the same account is held, and those of another one are not.
        for (id, consistency, visible) in [
            (&one, Consistency::Strong, false),
            (&one, named(&["accounts"]), true),
            (&one, named(&["accounts", "moody"]), false),
            (&other, Consistency::Strong, true),
        ] {
            let done = paid(&division, id, consistency.clone()).await.unwrap();
            assert_eq!(done.visible, visible, "{consistency:?}");
        }
        let retry = StoreTask::Retry { projection: None };
        operate(&division, &retry).await.unwrap().unwrap();
        assert!(
            paid(&division, &one, Consistency::Strong)
                .await
                .unwrap()
                .visible
        );
        division.release().await;
    });
}

#[test]
fn a_command_that_is_sent_again_is_answered_by_what_is_visible_now() {
    let dir = TempDir::new().unwrap();
    run(async {
        let division = acquired(&dir, projections, 1).await;
        let id = opened(&division, Consistency::Strong).await.id;
        say(&dir, "poison");
        let sent = || async {
            let body: Pay = serde_json::from_value(json!({"amount": "1"})).unwrap();
            let command = Command {
                id: Uuid::from_u128(7),
                may_repeat: true,
                ..Command::new(body)
            };
            division
                .dispatch::<Account, _, _>(&id, command, pay)
                .await
                .unwrap()
        };
        let first = sent().await;
        assert_eq!((first.visible, first.replayed), (false, false));
        let again = sent().await;
        assert_eq!((again.visible, again.replayed), (false, true));
        unsay(&dir, "poison");
        let retry = StoreTask::Retry { projection: None };
        operate(&division, &retry).await.unwrap().unwrap();
        let again = sent().await;
        assert_eq!((again.visible, again.replayed), (true, true));
        division.release().await;
    });
}

#[test]
fn who_names_what_is_not_there_writes_nothing() {
    let dir = TempDir::new().unwrap();
    run(async {
        let division = acquired(&dir, projections, 1).await;
        let id = opened(&division, Consistency::Strong).await;
        let refused = paid(&division, &id.id, named(&["accounts", "acounts"])).await;
        assert_eq!(
            refused.unwrap_err().to_string(),
            "there is no projection `acounts` to wait for: there are `accounts`, `moody`, and the words `strong` and `eventual`"
        );
        assert_eq!(
            *division.store().get().unwrap().head().borrow(),
            id.position
        );
        division.release().await;
    });
}

#[test]
fn rows_that_are_built_anew_do_not_show_it_yet() {
    let dir = TempDir::new().unwrap();
    run(async {
        let division = acquired(&dir, projections, 1).await;
        // More than one page, so that the build waits and not the loop.
        let noise = vec![NewEvent::json("noise", 1, &1).unwrap(); 1000];
        for _ in 0..3 {
            let (stream, expected) = (StreamId::new("noise"), ExpectedVersion::Any);
            division
                .store()
                .append(stream, expected, noise.clone())
                .await
                .unwrap();
        }
        assert!(opened(&division, Consistency::Strong).await.visible);
        division.release().await;
        say(&dir, "slow");
        let division = acquired(&dir, changed, 2).await;
        assert!(opened(&division, named(&["accounts"])).await.visible);
        assert!(!opened(&division, Consistency::Strong).await.visible);
        assert_eq!(shown(&division).await, 3, "what is followed was waited for");
        unsay(&dir, "slow");
        let mut progress = division.projector().unwrap().progress();
        let built = |progress: &crate::projector::Progress| {
            progress.projections.iter().all(|one| !one.is_frozen)
        };
        progress.wait_for(built).await.unwrap();
        assert!(opened(&division, Consistency::Strong).await.visible);
        division.release().await;
    });
}

struct MoodyAccounts;

impl OneDivision for MoodyAccounts {
    fn division() -> DivisionSpec {
        Accounts::division().projections(projections)
    }
}

async fn sent(plugin: &Running, consistency: Option<&[u8]>) -> (u16, Value) {
    let mut request =
        Request::post("/api/accounts/open").header("content-type", "application/json");
    if let Some(consistency) = consistency {
        request = request.header("hecate-consistency", consistency);
    }
    let request = request.body(Body::from(r#"{"owner": "Ada"}"#)).unwrap();
    let response = plugin.respond(request).await;
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[test]
fn a_request_says_it_with_a_header() {
    let dir = TempDir::new().unwrap();
    let config = StartConfig {
        data_dir: dir.path().to_owned(),
        bundle_dir: dir.path().to_owned(),
    };
    run(async {
        let plugin = Running::start::<Around<MoodyAccounts>>(&config)
            .await
            .unwrap();
        plugin.acquire(&Paths::of(&config), 1).await.unwrap();
        let (status, body) = sent(&plugin, None).await;
        assert_eq!((status, body.get("visible")), (201, None));
        say(&dir, "slow");
        let visible = async |said: &[u8]| {
            let (status, body) = sent(&plugin, Some(said)).await;
            assert_eq!(status, 201, "{body}");
            body.get("visible").cloned()
        };
        assert_eq!(visible(b"eventual").await, Some(false.into()));
        assert_eq!(visible(b"strong").await, Some(false.into()));
        unsay(&dir, "slow");
        assert_eq!(visible(b"accounts , moody").await, None);
        for (bad, message) in [
            (
                &b"evntual"[..],
                "there is no projection `evntual` to wait for: there are `accounts`, `moody`, and the words `strong` and `eventual`",
            ),
            (
                b"accounts,",
                "`Hecate-Consistency` must be `eventual`, `strong`, or names of projections with commas between",
            ),
            (
                b"",
                "`Hecate-Consistency` must be `eventual`, `strong`, or names of projections with commas between",
            ),
            (
                b"\xff",
                "`Hecate-Consistency` must be `eventual`, `strong`, or names of projections with commas between",
            ),
        ] {
            let (status, body) = sent(&plugin, Some(bad)).await;
            assert_eq!(
                (status, &body["code"]),
                (400, &json!("unknown_consistency"))
            );
            assert_eq!(body["error"], message);
        }
        let division = plugin.division("account").unwrap();
        assert_eq!(shown(&division).await, 4, "who was refused wrote nothing");
        plugin.release().await;
    });
}
