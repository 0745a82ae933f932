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
