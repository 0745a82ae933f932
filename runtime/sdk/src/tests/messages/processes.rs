//! Process managers: of one plugin alone.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::testing::{Bus, run, settle};

struct Bonuses;

impl Plugin for Bonuses {
    fn manifest() -> &'static str {
        r#"{"name": "bonuses", "version": "0.1.0", "plugin_type": "in_vm"}"#
    }

    async fn init(_: PluginContext) -> Result<Self, InitError> {
        Ok(Self)
    }

    fn divisions() -> Vec<DivisionSpec> {
        vec![Accounts::division()]
    }

    fn integrations() -> Integrations {
        Integrations::new()
            .process::<WelcomeBonus>()
            .requester::<OpenPlease>()
            .responder::<OpenForOthers>()
    }
}

async fn start() -> (Bus, TestPlugin) {
    let (bus, plugin) = (Bus::new(), TestPlugin::start::<Bonuses>().await);
    plugin.join(&bus);
    (bus, plugin)
}

/// What an instance remembers; nothing if there is none.
async fn remembered(plugin: &TestPlugin, instance: &str) -> Option<Bonus> {
    let path = plugin.paths.messages();
    let connection =
        rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
            .unwrap();
    let sql = "SELECT state FROM process WHERE instance = ?1";
    let state: Vec<u8> = connection
        .query_row(sql, [instance], |row| row.get(0))
        .ok()?;
    Some(serde_json::from_slice(&state).unwrap())
}

async fn until(what: impl AsyncFn() -> bool) {
    for _ in 0..1000 {
        if what().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it has not come to pass");
}

#[test]
fn what_follows_from_an_event_happens_once() {
    run(async {
        let (bus, mut plugin) = start().await;
        let ann = open(&plugin, "ann").await;
        settle(&bus, &[&plugin]).await;
        assert_eq!(last_paid(&plugin, &ann).await, "10");
        plugin.reopen().await;
        settle(&bus, &[&plugin]).await;
        let row = plugin.row("account", &ACCOUNTS, &ann).await;
        assert_eq!(row["version"], 2, "opened, and paid into once");
        assert_eq!(remembered(&plugin, &ann).await.unwrap().paid, 1);
    });
}

#[test]
fn a_timer_is_called_once_and_survives_a_restart() {
    run(async {
        let (_bus, mut plugin) = start().await;
        let later = open(&plugin, "later").await;
        let cancelled = open(&plugin, "cancelled").await;
        plugin.reopen().await;
        assert_eq!(last_paid(&plugin, &later).await, Value::Null, "not yet");
        until(async || last_paid(&plugin, &later).await == "5").await;
        plugin.reopen().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(plugin.row("account", &ACCOUNTS, &later).await["version"], 2);
        assert_eq!(last_paid(&plugin, &cancelled).await, Value::Null);
    });
}

#[test]
fn a_rejected_command_is_told_to_its_process_manager() {
    run(async {
        let (bus, plugin) = start().await;
        let wrong = open(&plugin, "wrong").await;
        settle(&bus, &[&plugin]).await;
        assert_eq!(
            remembered(&plugin, &wrong)
                .await
                .unwrap()
                .rejected
                .as_deref(),
            Some("pay_account invalid")
        );
        assert_eq!(last_paid(&plugin, &wrong).await, "1", "it made up for it");
    });
}

#[test]
fn a_hope_of_a_process_manager_is_answered_to_it() {
    run(async {
        let (bus, plugin) = start().await;
        open(&plugin, "asks").await;
        settle(&bus, &[&plugin]).await;
        let guests = plugin.get("/accounts/of/guest").await;
        let guest = guests.json["items"][0]["account_id"]
            .as_str()
            .unwrap()
            .to_owned();
        until(async || plugin.row("account", &ACCOUNTS, &guest).await["version"] == 3).await;
        // 10 for being opened, and 7 for having been asked for, in either order.
    });
}

#[test]
fn an_instance_that_ends_is_forgotten() {
    run(async {
        let (bus, plugin) = start().await;
        let ann = open(&plugin, "ann").await;
        settle(&bus, &[&plugin]).await;
        for _ in 0..2 {
            plugin
                .post(&format!("/accounts/{ann}/pay"), json!({"amount": "2"}))
                .await;
        }
        settle(&bus, &[&plugin]).await;
        assert!(remembered(&plugin, &ann).await.is_none());
    });
}

#[test]
fn an_event_that_cannot_be_taken_in_holds_its_own_instance_alone() {
    run(async {
        let (bus, mut plugin) = start().await;
        let moody = open(&plugin, "moody process").await;
        let ann = open(&plugin, "ann").await;
        plugin
            .post(&format!("/accounts/{moody}/pay"), json!({"amount": "2"}))
            .await;
        settle(&bus, &[&plugin]).await;
        assert_eq!(last_paid(&plugin, &ann).await, "10");
        assert!(
            remembered(&plugin, &moody).await.is_none(),
            "the payment waits behind the opening"
        );
        let health = plugin.running.health();
        let parked = &health.details["process manager welcome_bonus"];
        assert!(parked.contains("2 events are parked"), "{parked}");
        MOODY_PROCESS.store(false, Ordering::SeqCst);
        plugin.reopen().await;
        settle(&bus, &[&plugin]).await;
        assert_eq!(remembered(&plugin, &moody).await.unwrap().paid, 2);
        assert_eq!(last_paid(&plugin, &moody).await, "10");
        assert!(plugin.running.health().details.is_empty());
    });
}
