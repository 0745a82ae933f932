//! A bank and a club: every account that is opened at the bank is told of and given a bonus by a process manager, and the
//! club opens one for it, too.
//!
//! Lines: `sent {owner}`, then `done {owner}`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hecate_manifest::exchange::FactsAsk;
use serde_json::json;

use super::harness::{READY, Scenario, Work, Wreck, say};
use crate::division::DivisionSpec;
use crate::integration::Integrations;
use crate::plugin::{InitError, Plugin, PluginContext};
use crate::testing::{Bus, OneDivision, TestPlugin, settle};
use crate::tests::account::Accounts;
use crate::tests::messages::{OpenToo, TellOpenings, WelcomeBonus};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "neighbours",
    work: |work| Box::pin(self::work(work)),
    check: |wreck| Box::pin(check(wreck)),
};

/// Accounts that one process opens, if nobody kills it.
const ACCOUNTS: u64 = 25;
/// More than there can be on one ground.
const ALL: usize = 100_000;

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
            .process::<WelcomeBonus>()
    }
}

struct Club;

impl Plugin for Club {
    fn manifest() -> &'static str {
        r#"{"name": "club", "version": "0.1.0", "plugin_type": "in_vm"}"#
    }

    async fn init(_: PluginContext) -> Result<Self, InitError> {
        Ok(Self)
    }

    fn divisions() -> Vec<DivisionSpec> {
        vec![Accounts::division()]
    }

    fn integrations() -> Integrations {
        Integrations::new().listener::<OpenToo>()
    }
}

async fn start(dir: &Path) -> (Bus, TestPlugin, TestPlugin) {
    let bus = Bus::new();
    let bank = TestPlugin::start_in::<Bank>(&dir.join("bank")).await;
    let club = TestPlugin::start_in::<Club>(&dir.join("club")).await;
    bank.join(&bus);
    club.join(&bus);
    (bus, bank, club)
}

async fn work(mut work: Work) {
    let (bus, bank, club) = start(&work.dir).await;
    say(READY);
    for _ in 0..ACCOUNTS {
        let owner = format!("{:016x}", work.random.next());
        say(&format!("sent {owner}"));
        let opened = bank.post("/accounts/open", json!({"owner": owner})).await;
        assert_eq!(opened.status, 201, "{opened:?}");
        say(&format!("done {owner}"));
    }
    settle(&bus, &[&bank, &club]).await;
    bank.stop().await;
    club.stop().await;
}

async fn check(wreck: &mut Wreck) {
    let said = |word: &str| -> BTreeSet<String> {
        let lines = wreck.said.iter();
        lines
            .filter_map(|line| Some(line.strip_prefix(word)?.to_owned()))
            .collect()
    };
    let (sent, done) = (said("sent "), said("done "));
    let (bus, bank, club) = start(&wreck.dir).await;
    settle(&bus, &[&bank, &club]).await;

    let opened = accounts(&bank).await;
    assert!(
        done.iter().all(|owner| opened.contains_key(owner)),
        "one that was answered is lost"
    );
    assert!(
        opened.keys().all(|owner| sent.contains(owner)),
        "one was never asked for"
    );
    for (owner, versions) in &opened {
        assert_eq!(
            versions,
            &[2],
            "`{owner}` is opened once, and has one bonus"
        );
    }
    let heard = accounts(&club).await;
    let once: BTreeMap<_, _> = opened
        .keys()
        .map(|owner| (owner.clone(), vec![1]))
        .collect();
    assert_eq!(heard, once, "the club has opened one for each");

    let ask = FactsAsk {
        filter: ">".to_owned(),
        after: 0,
        limit: ALL,
        wait_ms: 0,
    };
    let told = bank.running.messages().facts(ask).await.unwrap().facts;
    let sequences: Vec<_> = told.iter().map(|fact| fact.sequence).collect();
    assert_eq!(
        sequences,
        (1..=opened.len() as u64).collect::<Vec<_>>(),
        "facts without holes"
    );
    assert!(bank.running.health().details.is_empty() && club.running.health().details.is_empty());
    bank.stop().await;
    club.stop().await;
}

/// Versions of all accounts, by owner.
async fn accounts(plugin: &TestPlugin) -> BTreeMap<String, Vec<u64>> {
    let mut accounts: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut after = String::new();
    loop {
        let page = plugin
            .get(&format!("/accounts?limit=200{after}"))
            .await
            .json;
        for row in page["items"].as_array().unwrap() {
            let owner = row["owner"].as_str().unwrap().to_owned();
            accounts
                .entry(owner)
                .or_default()
                .push(row["version"].as_u64().unwrap());
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return accounts,
        }
    }
}
