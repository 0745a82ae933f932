//! Two plugins that tell and ask each other through the daemon, while it and they end and begin again.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Daemon, Project, Sandbox, get, post};

const SHOP: &str = "/plugin/it-shop/api";
const BOOKS: &str = "/plugin/it-books/api";

/// The bundles of the shop and of the books.
fn neighbours() -> &'static [PathBuf; 2] {
    static NEIGHBOURS: LazyLock<[PathBuf; 2]> = LazyLock::new(|| {
        let sandbox = Sandbox::lasting("neighbours");
        let shop = Project::new(&sandbox, "it-shop");
        let _made = shop.hecate("gen division order customer:string").ok();
        let _made = shop.hecate("gen desk cmd confirm order note:string").ok();
        shop.write("src/lib.rs", include_str!("../fixtures/shop.rs"));
        permit(&shop, r#"["facts:publish:it-shop.order_confirmed"]"#);
        let books = Project::new(&sandbox, "it-books");
        let _made = books
            .hecate("gen division entry reference:string note:string")
            .ok();
        books.write("src/lib.rs", include_str!("../fixtures/books.rs"));
        permit(
            &books,
            r#"["facts:subscribe:it-shop.>", "hope:call:it-shop.place_order"]"#,
        );
        [shop.bundle(), books.bundle()]
    });
    &NEIGHBOURS
}

fn permit(project: &Project<'_>, permissions: &str) {
    let to = format!(r#""permissions": {permissions}"#);
    project.edit("manifest.json", r#""permissions": []"#, &to);
}

fn install(sandbox: &Sandbox, bundle: &Path) {
    let _installed = sandbox
        .hecate(&format!("install {} --allow-unsigned", bundle.display()))
        .ok();
}

/// Asks until the answer is as it should be.
fn until(what: &str, is: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        sleep(Duration::from_millis(20));
    }
}

fn confirm(port: u16, note: &str) {
    let placed = post(
        port,
        &format!("{SHOP}/orders/initiate"),
        &json!({"customer": "ann"}),
    );
    let id = placed.json()["order_id"].as_str().unwrap().to_owned();
    let confirmed = post(
        port,
        &format!("{SHOP}/orders/{id}/confirm"),
        &json!({"note": note}),
    );
    assert_eq!(confirmed.status, 201, "{confirmed:?}");
}

/// Notes of all entries, in order.
fn notes(port: u16) -> Vec<String> {
    let entries = get(port, &format!("{BOOKS}/entries?limit=200"));
    if entries.status != 200 {
        return Vec::new();
    }
    let items = entries.json()["items"].as_array().unwrap().clone();
    let mut notes: Vec<_> = items
        .iter()
        .map(|entry| entry["note"].as_str().unwrap().to_owned())
        .collect();
    notes.sort_unstable();
    notes
}

#[test]
fn every_fact_has_one_effect_whoever_ends_in_between() {
    let sandbox = Sandbox::new();
    let [shop, books] = neighbours();
    let daemon = Daemon::start(&sandbox);
    install(&sandbox, shop);
    // Told before anybody listens.
    confirm(daemon.port, "01");
    install(&sandbox, books);
    until("the first is heard", || notes(daemon.port) == ["01"]);
    confirm(daemon.port, "02");
    let _reloaded = sandbox.hecate("reload it-books").ok();
    confirm(daemon.port, "03");
    let _reloaded = sandbox.hecate("reload it-shop").ok();
    confirm(daemon.port, "04");
    // As a power cut ends it, with facts on their way.
    for note in ["05", "06", "07", "08"] {
        confirm(daemon.port, note);
    }
    daemon.kill();
    let daemon = Daemon::start(&sandbox);
    until("the shop serves", || {
        get(daemon.port, &format!("{SHOP}/orders")).status == 200
    });
    confirm(daemon.port, "09");
    let all = ["01", "02", "03", "04", "05", "06", "07", "08", "09"];
    until("all are heard", || notes(daemon.port).len() >= all.len());
    sleep(Duration::from_millis(200));
    assert_eq!(notes(daemon.port), all, "each once");
    let routes = get(daemon.port, "/api/facts").json();
    let route = &routes["routes"][0];
    assert_eq!(
        (&route["emitter"], &route["listener"], &route["behind"]),
        (&json!("it-shop"), &json!("keep_entries"), &json!(0))
    );
    let metrics = get(daemon.port, "/metrics").text();
    let behind =
        r#"hecate_facts_behind{emitter="it-shop",plugin="it-books",listener="keep_entries"} 0"#;
    assert!(metrics.contains(behind), "{metrics}");
}

#[test]
fn a_process_manager_goes_on_where_the_daemon_ended() {
    let sandbox = Sandbox::new();
    let [_, books] = neighbours();
    let daemon = Daemon::start(&sandbox);
    install(&sandbox, books);
    let entered = post(
        daemon.port,
        &format!("{BOOKS}/entries/initiate"),
        &json!({"reference": "r", "note": "void"}),
    );
    let path = format!(
        "{BOOKS}/entries/{}",
        entered.json()["entry_id"].as_str().unwrap()
    );
    daemon.kill();
    // The timer falls due while nothing runs.
    sleep(Duration::from_millis(400));
    let daemon = Daemon::start(&sandbox);
    until("the entry is archived", || {
        let entry = get(daemon.port, &path);
        entry.status == 200 && entry.json()["version"] == 2
    });
}

#[test]
fn a_hope_is_answered_once_across_a_restart() {
    let sandbox = Sandbox::new();
    let [shop, books] = neighbours();
    let daemon = Daemon::start(&sandbox);
    install(&sandbox, books);
    install(&sandbox, shop);
    let ask = |daemon: &Daemon| -> Value {
        let body = json!({"id": "0190a0a0-0000-7000-8000-000000000001", "customer": "books"});
        let answer = post(daemon.port, &format!("{BOOKS}/restock"), &body);
        answer.json()["order_id"].clone()
    };
    let first = ask(&daemon);
    assert!(first.is_string(), "{first:?}");
    daemon.kill();
    let daemon = Daemon::start(&sandbox);
    until("both serve", || {
        get(daemon.port, &format!("{SHOP}/orders")).status == 200
            && get(daemon.port, &format!("{BOOKS}/entries")).status == 200
    });
    assert_eq!(ask(&daemon), first);
    let orders = get(daemon.port, &format!("{SHOP}/orders")).json();
    assert_eq!(orders["items"].as_array().unwrap().len(), 1);
}

#[test]
fn what_the_manifest_does_not_ask_for_is_a_reason_not_to_start() {
    let sandbox = Sandbox::new();
    let shop = Project::new(&sandbox, "it-shop-denied");
    let _made = shop.hecate("gen division order customer:string").ok();
    let _made = shop.hecate("gen desk cmd confirm order note:string").ok();
    let source =
        include_str!("../fixtures/shop.rs").replace("it_shop_order", "it_shop_denied_order");
    shop.write("src/lib.rs", &source);
    let _daemon = Daemon::start(&sandbox);
    let bundle = shop.bundle();
    let refused = sandbox.hecate(&format!("install {} --allow-unsigned", bundle.display()));
    assert_snapshot!(refused.code(1), @"
    exit 1
    error: `[ROOT]/it-shop-denied/target/bundle/it-shop-denied-0.1.0-x86_64-unknown-linux-gnu.tar.zst` is not installed
      cause: `it-shop-denied` did not start: its manifest must ask for what it exchanges with other plugins: add facts:publish:it-shop.order_confirmed to its `permissions`
    ");
}
