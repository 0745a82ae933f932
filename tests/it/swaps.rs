//! Reloads and upgrades under load, and plugins that misbehave: nothing that was acknowledged is lost.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use http::Method;
use insta::assert_snapshot;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use crate::support::{Daemon, Sandbox, get, moody, post, send};

const API: &str = "/plugin/it-moody/api";
const RELOADS: usize = 50;
const WRITERS: usize = 4;

fn install(sandbox: &Sandbox) {
    let bundle = moody().display();
    let _installed = sandbox
        .hecate(&format!("install {bundle} --allow-unsigned"))
        .ok();
}

#[test]
fn fifty_reloads_under_appends_lose_nothing() {
    let sandbox = Sandbox::new();
    let daemon = Daemon::start(&sandbox);
    install(&sandbox);
    let port = daemon.port;
    let (over, positions) = (AtomicBool::new(false), mpsc::channel());
    let mut acknowledged = thread::scope(|scope| {
        let ends = Ends(&over);
        for _ in 0..WRITERS {
            let (over, acknowledge) = (&over, positions.0.clone());
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    let answer = post(port, &format!("{API}/counts"), &json!({}));
                    // Held too long is an honest answer; anything else is a fault.
                    match answer.status.as_u16() {
                        201 => acknowledge
                            .send(answer.json()["position"].as_u64().unwrap())
                            .unwrap(),
                        503 => assert_eq!(answer.json()["code"], "plugin_starting"),
                        _ => panic!("{answer:?}"),
                    }
                }
            });
        }
        // Another process reads all the while, as a backup program would.
        let file = sandbox
            .home()
            .join("plugins/it-moody/data/events/counts.db");
        let over = &over;
        scope.spawn(move || {
            let mut last = 0;
            while !over.load(Ordering::SeqCst) {
                let count = stored(&file).len();
                assert!(count >= last, "{count} events, where there were {last}");
                last = count;
            }
        });
        for _ in 0..RELOADS {
            let _reloaded = sandbox.hecate("reload it-moody").ok();
        }
        drop(ends);
        drop(positions.0);
        positions.1.iter().collect::<Vec<u64>>()
    });
    acknowledged.sort_unstable();
    assert!(acknowledged.len() > RELOADS, "appends went on meanwhile");
    let file = sandbox
        .home()
        .join("plugins/it-moody/data/events/counts.db");
    assert_eq!(
        stored(&file),
        acknowledged,
        "all that was acknowledged is there, once"
    );
    let count = get(port, &format!("{API}/counts")).json();
    assert_eq!(count["count"], acknowledged.len());
}

/// Sets its flag however the test ends: the threads that look at it would go on for ever.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The positions in an event store, read by somebody else than the plugin.
fn stored(file: &std::path::Path) -> Vec<u64> {
    let store = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    store.busy_timeout(Duration::from_secs(5)).unwrap();
    let mut statement = store
        .prepare("SELECT position FROM event ORDER BY position")
        .unwrap();
    let positions = statement.query_map((), |row| row.get::<_, i64>(0)).unwrap();
    positions.map(|position| position.unwrap() as u64).collect()
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let sandbox = Sandbox::new();
    let daemon = Daemon::start(&sandbox);
    install(&sandbox);
    for _ in 0..10 {
        assert_eq!(
            post(daemon.port, &format!("{API}/counts"), &json!({})).status,
            201
        );
    }
    daemon.kill();
    let again = Daemon::start(&sandbox);
    let count = get(again.port, &format!("{API}/counts")).json();
    assert_eq!(count["count"], 10);
}

#[test]
fn a_plugin_whose_init_fails_is_not_loaded() {
    let sandbox = Sandbox::new();
    let daemon = Daemon::start(&sandbox);
    let no = sandbox.write("home/plugins/it-moody/data/files/no", "");
    let bundle = moody().display();
    let refused = sandbox.hecate(&format!("install {bundle} --allow-unsigned"));
    assert_snapshot!(refused, @"
    exit 1
    error: `[CHECKOUT]/target/tmp/moody/it-moody/target/bundle/it-moody-0.1.0-x86_64-unknown-linux-gnu.tar.zst` is not installed
      cause: `it-moody` did not start: the file `no` says no
    ");
    let closed = get(daemon.port, &format!("{API}/counts"));
    assert_eq!(
        (closed.status.as_u16(), &closed.json()["code"]),
        (503, &json!("plugin_not_running"))
    );

    fs::remove_file(&no).unwrap();
    install(&sandbox);
    assert_eq!(
        post(daemon.port, &format!("{API}/counts"), &json!({})).status,
        201
    );
    // It served; what fails now is the newer generation, and the one before it serves on.
    fs::write(&no, "").unwrap();
    assert_snapshot!(sandbox.hecate("reload it-moody"), @"
    exit 1
    error: `it-moody` did not start: the file `no` says no
    ");
    let count = get(daemon.port, &format!("{API}/counts")).json();
    assert_eq!(count["count"], 1);
    assert_eq!(
        post(daemon.port, &format!("{API}/counts"), &json!({})).status,
        201
    );
    let state = &get(daemon.port, "/api/plugins").json()["plugins"][0]["state"];
    assert_eq!(state, "rolled_back");
}

#[test]
fn a_panic_is_an_answer_and_a_blocked_plugin_blocks_itself_alone() {
    let sandbox = Sandbox::new();
    let daemon = Daemon::start(&sandbox);
    install(&sandbox);
    let port = daemon.port;
    let panicked = get(port, &format!("{API}/panic"));
    assert_eq!(
        (panicked.status.as_u16(), &panicked.json()["code"]),
        (500, &json!("plugin_panicked"))
    );
    assert_eq!(
        get(port, &format!("{API}/counts")).status,
        200,
        "it serves on"
    );

    let blocked = thread::spawn(move || get(port, &format!("{API}/blocks")).status);
    thread::sleep(Duration::from_millis(200));
    let begun = Instant::now();
    let health = get(port, "/health").json();
    assert_eq!(health["plugins"]["it-moody"]["health"], "unknown");
    assert_eq!(get(port, "/api/plugins").status, 200);
    // Not a measurement: a daemon that waited for the plugin would take the whole second.
    assert!(
        begun.elapsed() < Duration::from_millis(780),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(blocked.join().unwrap(), 200);
    let log = sandbox.hecate("logs it-moody").ok().stdout;
    assert!(log.contains("told to"), "{log}");
}

#[test]
fn changes_are_told_as_they_happen() {
    let sandbox = Sandbox::new();
    let daemon = Daemon::start(&sandbox);
    let port = daemon.port;
    let listening = thread::spawn(move || listen(port, "ready"));
    thread::sleep(Duration::from_millis(200));
    install(&sandbox);
    let states: Vec<_> = listening.join().unwrap();
    assert_eq!(states, ["installed", "verified", "starting", "ready"]);
    assert_eq!(daemon.stop(), 0);
}

/// The states that `/api/events` tells, until one is `last`.
fn listen(port: u16, last: &str) -> Vec<String> {
    use std::io::{BufRead, BufReader, Write};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    write!(
        stream,
        "GET /api/events HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n"
    )
    .unwrap();
    let mut states = Vec::new();
    for line in BufReader::new(stream).lines() {
        let line = line.unwrap();
        let Some(data) = line.strip_prefix("data:") else {
            continue;
        };
        let change: Value = serde_json::from_str(data).unwrap();
        states.push(change["state"].as_str().unwrap().to_owned());
        if states.last().is_some_and(|state| state == last) {
            break;
        }
    }
    states
}

#[test]
fn an_answer_that_takes_long_does_not_hold_a_swap_for_ever() {
    let sandbox = Sandbox::new();
    let daemon = Daemon::start(&sandbox);
    install(&sandbox);
    let port = daemon.port;
    let blocked = thread::spawn(move || {
        send(port, Method::GET, &format!("{API}/blocks"), &[], "")
            .unwrap()
            .status
            .as_u16()
    });
    thread::sleep(Duration::from_millis(100));
    // One second is within the two that the old generation has to finish.
    let _reloaded = sandbox.hecate("reload it-moody").ok();
    assert_eq!(blocked.join().unwrap(), 200, "what was begun is answered");
}
