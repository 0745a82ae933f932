//! `hecate store`: operators look after a plugin's stores while it serves, through the plugin.

use std::fs;

use insta::assert_snapshot;
use rusqlite::Connection;
use serde_json::json;

use crate::serving::serving;
use crate::support::{Sandbox, get, post};

const API: &str = "/plugin/it-orders/api";

#[test]
fn events_leave_one_home_and_arrive_in_another() {
    let sandbox = Sandbox::new();
    let daemon = serving(&sandbox);
    for customer in ["Ada", "Grace"] {
        let body = json!({"customer": customer, "total": "1.50"});
        assert_eq!(
            post(daemon.port, &format!("{API}/orders/initiate"), &body).status,
            201
        );
    }
    let orders = get(daemon.port, &format!("{API}/orders")).json();
    let stats = sandbox.hecate("store stats it-orders").ok();
    assert!(
        stats.stdout.starts_with("order: 2 events in 2 streams, "),
        "{stats}"
    );
    assert_snapshot!(sandbox.hecate("store verify it-orders"), @"
    exit 0
    order: 2 events, sound
    ");
    assert_snapshot!(sandbox.hecate("store export it-orders --out saved"), @"
    exit 0
    order: [ROOT]/saved/order.jsonl
    ");
    assert_snapshot!(sandbox.hecate("store backup it-orders --out saved"), @"
    exit 0
    order: [ROOT]/saved/order.db
    ");
    let saved = sandbox.path("saved");
    let copy = Connection::open(saved.join("order.db")).unwrap();
    let events: i64 = copy
        .query_row("SELECT count(*) FROM event", (), |row| row.get(0))
        .unwrap();
    assert_eq!(events, 2);

    let other = Sandbox::new();
    let elsewhere = serving(&other);
    fs::copy(saved.join("order.jsonl"), other.path("order.jsonl")).unwrap();
    assert_snapshot!(other.hecate("store import it-orders order.jsonl --store order"), @"
    exit 0
    order: 2 events taken in
    ");
    // The read models follow by themselves.
    let mut there = get(elsewhere.port, &format!("{API}/orders")).json();
    for _ in 0..100 {
        if there == orders {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        there = get(elsewhere.port, &format!("{API}/orders")).json();
    }
    assert_eq!(there, orders);
    assert_snapshot!(other.hecate("store import it-orders order.jsonl --store order"), @"
    exit 1
    error: `order`: the store has 2 events: only an empty one takes an import
    ");
    assert_snapshot!(other.hecate("store import it-orders order.jsonl"), @"
    exit 2
    error: `hecate store import` needs `--store STORE`
    hint: a file holds the events of one store: `hecate store stats NAME` lists them
    ");
    assert_snapshot!(other.hecate("store stats it-orders --store ordr"), @"
    exit 1
    error: there is no store `ordr`: there are `order`
    ");
    assert_snapshot!(other.hecate("store stats nobody"), @"
    exit 1
    error: there is no plugin `nobody` here: `hecate ps` lists those that are
    ");
}

#[test]
fn rows_are_replayed_and_events_that_cannot_be_taken_in_are_looked_after() {
    let sandbox = Sandbox::new();
    let daemon = serving(&sandbox);
    for customer in ["Ada", "Grace"] {
        let body = json!({"customer": customer, "total": "1.50"});
        assert_eq!(
            post(daemon.port, &format!("{API}/orders/initiate"), &body).status,
            201
        );
    }
    assert_snapshot!(sandbox.hecate("store replay it-orders"), @"
    exit 0
    order: `orders` has been replayed
    order: `confirmed_orders` has been replayed
    ");
    assert_snapshot!(sandbox.hecate("store replay it-orders --projection orders --detach"), @"
    exit 0
    order: `orders` is being replayed
    `hecate store stats it-orders` shows how far it is
    ");
    assert_snapshot!(sandbox.hecate("store replay it-orders --projection oders"), @"
    exit 1
    error: there is no projection `oders`: there are `orders`, `confirmed_orders`
    ");
    assert_snapshot!(sandbox.hecate("store dead-letters it-orders"), @"
    exit 0
    order: nothing is parked
    ");
    let export = sandbox.hecate("store export it-orders --out saved").ok();
    let exported = fs::read_to_string(sandbox.path("saved/order.jsonl")).unwrap();
    assert!(exported.contains("order_initiated"), "{export}");

    // What another version of the plugin wrote.
    let other = Sandbox::new();
    let elsewhere = serving(&other);
    let unknown = exported.replacen("order_initiated", "order_exploded", 1);
    fs::write(other.path("order.jsonl"), unknown).unwrap();
    let _imported = other
        .hecate("store import it-orders order.jsonl --store order")
        .ok();
    let mut listed = other.hecate("store dead-letters it-orders").ok();
    for _ in 0..100 {
        if listed.stdout.contains("order_exploded") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        listed = other.hecate("store dead-letters it-orders").ok();
    }
    let lines: Vec<_> = listed.stdout.lines().collect();
    assert_eq!((lines.len(), lines[0]), (3, "order: 2 parked"), "{listed}");
    for (line, projection) in lines[1..].iter().zip(["orders", "confirmed_orders"]) {
        let parts: Vec<_> = line.split("  ").filter(|part| !part.is_empty()).collect();
        assert_eq!(
            parts[..3],
            [" 1", projection, "order_exploded_v1"],
            "{listed}"
        );
        assert!(
            parts[3].starts_with("order-") && parts[4].starts_with("2 tries: "),
            "{listed}"
        );
    }
    let health = get(elsewhere.port, &format!("{API}/health")).json();
    assert_eq!(health["status"], "degraded");
    let stats = other.hecate("store stats it-orders").ok();
    assert!(
        stats.stdout.contains("2  is where `orders` is, 1 parked"),
        "{stats}"
    );
    assert_snapshot!(other.hecate("store retry it-orders"), @"
    exit 0
    order: `orders` took 0 in, 1 still parked
    order: `confirmed_orders` took 0 in, 1 still parked
    ");
    assert_snapshot!(other.hecate("store discard it-orders orders 2"), @"
    exit 1
    error: `order`: `orders` has no parked event at position 2: parked are those at 1
    ");
    assert_snapshot!(other.hecate("store discard it-orders oders 1"), @"
    exit 1
    error: there is no projection `oders`: there are `orders`, `confirmed_orders`
    ");
    assert_snapshot!(other.hecate("store discard it-orders orders 1"), @"
    exit 0
    order: `orders` goes on without event 1
    ");
    assert_snapshot!(other.hecate("store discard it-orders confirmed_orders 1"), @"
    exit 0
    order: `confirmed_orders` goes on without event 1
    ");
    assert_snapshot!(other.hecate("store dead-letters it-orders --json"), @r#"
    exit 0
    {"version":1,"kind":"stores","stores":{"order":{"parked":0,"letters":[]}}}
    "#);
    let health = get(elsewhere.port, &format!("{API}/health")).json();
    assert_eq!(health["status"], "ok");
    let orders = get(elsewhere.port, &format!("{API}/orders")).json();
    assert_eq!(orders["items"].as_array().unwrap().len(), 1);
}
