//! Disks that are full, or that nobody may write: nothing is lost, nothing is half-written, and all goes on when there
//! is space again.

use std::fs;
use std::os::unix::fs::symlink;
use std::thread;
use std::time::{Duration, Instant};

use hecate_daemon::admission::TARGET;
use http::Method;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{
    Answer, Daemon, Run, Sandbox, SmallDisk, Specimen, get, post, send, target_dir, tree,
};

const MIB: u64 = 1024 * 1024;

/// Runs `hecate` on the disk, in `dir` below the sandbox's root.
fn on(disk: &SmallDisk, sandbox: &Sandbox, dir: &str, line: &str) -> Run {
    let words: Vec<_> = line.split_whitespace().collect();
    Run::of(&mut disk.enter(&sandbox.command_in(dir, &words)), sandbox)
}

/// The disk is full at the first write, at the last one, and at every one between: nothing has changed, until there is
/// enough for all of it.
#[test]
fn a_disk_that_fills_up_while_generating_leaves_everything_as_it_was() {
    let sandbox = Sandbox::new();
    let disk = SmallDisk::mount(&sandbox.path("small"), 4 * MIB);
    let plugin = on(&disk, &sandbox, "small", "new plugin it-full").ok();
    assert!(plugin.stdout.contains("made the plugin"), "{plugin}");
    let project = "small/it-full";
    // The working directory is looked up inside, where it is.
    let typed = |line: &str| on(&disk, &sandbox, "", &format!("{line} --project {project}"));
    let _ = typed("gen division order note:string").ok();
    let before = tree(&disk.seen("it-full"));

    disk.fill(0);
    assert_snapshot!(typed("gen desk cmd confirm order remark:string"), @"
    exit 1
    error: failed to write the journal `.hecate/journal`
      cause: no storage space
    hint: the disk is full: free some space and run the command again
    hint: nothing was changed
    ");
    assert!(
        tree(&disk.seen("it-full")) == before,
        "something has changed"
    );

    let mut left = 0;
    loop {
        left += 16 * 1024;
        disk.fill(left);
        let run = typed("gen desk cmd confirm order remark:string");
        if run.code == 0 {
            break;
        }
        assert_eq!(run.code, 1, "{left} bytes left: {run}");
        assert!(run.stderr.contains("hint: the disk is full"), "{run}");
        assert!(
            tree(&disk.seen("it-full")) == before,
            "{left} bytes left: something has changed"
        );
    }
    assert!(
        left > 64 * 1024,
        "a desk and its journal fit into {left} bytes"
    );
    let checked = typed("check").ok();
    assert_eq!(checked.stdout.trim(), "no findings", "{checked}");
}

#[test]
fn a_disk_that_is_full_takes_no_new_plugin() {
    let sandbox = Sandbox::new();
    let disk = SmallDisk::mount(&sandbox.path("small"), MIB);
    disk.fill(20 * 1024);
    let before = tree(&disk.seen(""));
    assert_snapshot!(on(&disk, &sandbox, "", "new plugin it-full-new --dir small/it-full-new"), @"
    exit 1
    error: failed to write `Cargo.lock`
      cause: No space left on device (os error 28)
    hint: the disk is full: free some space and run the command again
    hint: nothing was made
    ");
    assert!(tree(&disk.seen("")) == before, "something was left");
    let entries: Vec<_> = fs::read_dir(disk.seen("")).unwrap().collect();
    assert_eq!(entries.len(), 1, "the ballast alone: {entries:?}");
}

#[test]
fn a_disk_that_nobody_may_write_is_said_to_be() {
    let sandbox = Sandbox::new();
    let disk = SmallDisk::mount(&sandbox.path("small"), 4 * MIB);
    let _ = on(&disk, &sandbox, "small", "new plugin it-read-only").ok();
    let typed = |line: &str| {
        on(
            &disk,
            &sandbox,
            "",
            &format!("{line} --project small/it-read-only"),
        )
    };
    let _ = typed("gen division order note:string").ok();
    let before = tree(&disk.seen(""));
    disk.make_read_only();
    let session = [
        typed("gen desk cmd confirm order").code(1).to_string(),
        typed("check").ok().to_string(),
        on(&disk, &sandbox, "small", "new plugin other")
            .code(1)
            .to_string(),
        on(&disk, &sandbox, "", "serve --home small/home")
            .code(1)
            .to_string(),
    ];
    assert_snapshot!(session.join("\n\n"), @"
    exit 1
    error: failed to write the journal `.hecate/journal`
      cause: Read-only file system (os error 30)
    hint: the file system is read-only: work in a place that can be written
    hint: nothing was changed

    exit 0
    no findings

    exit 1
    error: failed to write in `[ROOT]/small`
      cause: read-only filesystem or storage medium
    hint: the file system is read-only: work in a place that can be written

    exit 1
    error: failed to make `[ROOT]/small/home`
      cause: Read-only file system (os error 30)
    hint: the file system is read-only: work in a place that can be written
    ");
    assert!(tree(&disk.seen("")) == before, "something has changed");
}

#[test]
fn a_bundle_that_does_not_fit_is_not_there() {
    let sandbox = Sandbox::new();
    let disk = SmallDisk::mount(&sandbox.path("small"), MIB);
    let plugin = Specimen::project();
    let root = plugin.path("").display().to_string();
    let bundle = |home: &str, out: &str| {
        let out = sandbox.path(out).display().to_string();
        let words = format!("bundle --debug --out {out} --project {root} --home {home}");
        on(&disk, &sandbox, "", &words)
    };
    let run = bundle("home", "small/out").code(1);
    assert_snapshot!(run.to_string().replace(TARGET, "[TARGET]"), @"
    exit 1
    error: failed to write `[ROOT]/small/out/it-specimen-0.1.0-[TARGET].tar.zst`
      cause: no storage space
    hint: the disk is full: free some space and run the command again
    ");
    let out: Vec<_> = fs::read_dir(disk.seen("out")).unwrap().collect();
    assert!(out.is_empty(), "{out:?}");

    // A home without room for a key.
    let cache = disk.seen("full/cache");
    fs::create_dir_all(&cache).unwrap();
    symlink(target_dir(), cache.join("build")).unwrap();
    disk.fill(0);
    let run = bundle("small/full", "out").code(1);
    assert_snapshot!(run, @"
    exit 1
    error: the key of this home cannot be used
      cause: failed to write `[ROOT]/small/full/keys/home.key`
      cause: no storage space
    hint: the disk is full: free some space and run the command again
    ");
    assert!(!disk.seen("full/keys/home.key").exists());
    assert!(!sandbox.path("out").exists());
}

/// A daemon whose home is on the disk, with the specimen installed.
fn serving(disk: &SmallDisk, sandbox: &Sandbox) -> (Daemon, Vec<u8>) {
    let home = disk.seen("home");
    let serve = sandbox.command_in("", &["serve", "--home", "small/home"]);
    let daemon = Daemon::of(sandbox, disk.enter(&serve));
    let built = Specimen::built();
    sandbox.write("first.tar.zst", built.signed(&home));
    let later = built.of_version("0.2.0").signed(&home);
    let _ = on(disk, sandbox, "", "install first.tar.zst --home small/home").ok();
    (daemon, later)
}

/// Installs as the launcher's page does.
fn install_over_http(port: u16, token: &str, packed: Vec<u8>) -> Answer {
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str())];
    send(port, Method::POST, "/api/plugins", &headers, packed).unwrap()
}

const API: &str = "/plugin/it-specimen/api/orders";

#[test]
fn a_full_disk_takes_no_new_version_and_keeps_the_old_one() {
    let sandbox = Sandbox::new();
    let disk = SmallDisk::mount(&sandbox.path("small"), 64 * MIB);
    let (daemon, later) = serving(&disk, &sandbox);
    sandbox.write("later.tar.zst", later);
    let typed = |line: &str| on(&disk, &sandbox, "", &format!("{line} --home small/home"));
    let born = post(
        daemon.port,
        &format!("{API}/initiate"),
        &json!({"note": "first"}),
    );
    assert_eq!(born.status, 201, "{born:?}");
    let listed = typed("ps --json").ok().json();
    let before = tree(&disk.seen("home/plugins/it-specimen/versions"));

    disk.fill(MIB);
    assert_snapshot!(typed("install later.tar.zst").code(1), @"
    exit 1
    error: `later.tar.zst` is not installed
      cause: failed to write `[ROOT]/small/home/plugins/it-specimen/versions`: No space left on device (os error 28); free some space and try again
    ");
    let token = fs::read_to_string(disk.seen("home/run/token")).unwrap();
    let packed = fs::read(sandbox.path("later.tar.zst")).unwrap();
    let answer = install_over_http(daemon.port, &token, packed);
    assert_eq!(answer.status, 507);
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.json()["code"], "disk_full");

    assert_eq!(typed("ps --json").ok().json(), listed);
    assert!(
        tree(&disk.seen("home/plugins/it-specimen/versions")) == before,
        "something was left"
    );

    // There is no room to write down that the plugin has begun anew: it goes on as it was.
    disk.fill(0);
    assert_snapshot!(typed("reload it-specimen").code(1), @"
    exit 1
    error: failed to write `[ROOT]/small/home/plugins/it-specimen/plugin.json`: No space left on device (os error 28); free some space and try again
    ");
    let orders = get(daemon.port, API).json();
    assert_eq!(orders["items"][0]["note"], "first", "{orders}");

    disk.free();
    let again = post(
        daemon.port,
        &format!("{API}/initiate"),
        &json!({"note": "second"}),
    );
    assert_eq!(again.status, 201, "{again:?}");
    let _ = typed("install later.tar.zst").ok();
    let orders = get(daemon.port, API).json();
    assert_eq!(orders["items"].as_array().unwrap().len(), 2, "{orders}");
    let plugins = typed("ps --json").ok().json();
    assert_eq!(plugins["plugins"][0]["version"], "0.2.0");
    assert_eq!(daemon.stop(), 0);
}

/// What was answered with 201 is there for ever, what was not is not there at all.
#[test]
fn a_full_disk_refuses_commands_and_loses_none() {
    let sandbox = Sandbox::new();
    let disk = SmallDisk::mount(&sandbox.path("small"), 64 * MIB);
    let (daemon, _) = serving(&disk, &sandbox);
    let order = |nth: usize| json!({"note": format!("{nth} {}", "x".repeat(20_000))});
    let initiate = |nth: usize| post(daemon.port, &format!("{API}/initiate"), &order(nth));

    disk.fill(MIB);
    let mut accepted = Vec::new();
    // A log that was written once is written over from its beginning, so that some still find room.
    let refusal = loop {
        let answer = initiate(accepted.len());
        if answer.status != 201 {
            break answer;
        }
        accepted.push(answer.json()["order_id"].as_str().unwrap().to_owned());
        assert!(accepted.len() < 2_000, "the disk does not fill up");
    };
    assert!(!accepted.is_empty());
    assert_eq!(refusal.status, 507, "{refusal:?}");
    assert_snapshot!(refusal.text(), @r#"{"ok":false,"error":"the disk is full; nothing was written: free some space and send it again","code":"disk_full"}"#);

    disk.free();
    for (nth, id) in accepted.iter().enumerate() {
        // The last rows had no room beside their events: they are written as soon as there is some.
        let note = wait_for(|| get(daemon.port, &format!("{API}/{id}")).json()["note"].take());
        assert!(note == order(nth)["note"], "the order {nth} is another one");
    }
    let answer = initiate(accepted.len());
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(daemon.stop(), 0);

    let serve = sandbox.command_in("", &["serve", "--home", "small/home"]);
    let again = Daemon::of(&sandbox, disk.enter(&serve));
    let mut count = 0;
    let mut after = String::new();
    loop {
        let page = get(again.port, &format!("{API}?limit=100{after}")).json();
        count += page["items"].as_array().unwrap().len();
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(
        count,
        accepted.len() + 1,
        "every accepted one, and none that was refused"
    );
}

/// What is there in the end: a read model follows its events, and nobody says how fast.
fn wait_for(read: impl Fn() -> Value) -> Value {
    let begun = Instant::now();
    loop {
        let value = read();
        if !value.is_null() || begun.elapsed() > Duration::from_secs(30) {
            return value;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// That the disk of these tests is small, and nobody else's.
#[test]
fn a_small_disk_is_full_where_it_should_be() {
    let sandbox = Sandbox::new();
    let disk = SmallDisk::mount(&sandbox.path("small"), MIB);
    fs::write(disk.seen("file"), "inside").unwrap();
    assert!(
        !sandbox.path("small/file").exists(),
        "it is seen from inside alone"
    );
    disk.fill(8192);
    let mut write = sandbox.program("sh");
    write.args([
        "-c",
        "head -c 8192 /dev/zero > small/more && echo more > small/even",
    ]);
    let run = Run::of(&mut disk.enter(&write), &sandbox);
    assert_ne!(run.code, 0);
    assert_eq!(fs::metadata(disk.seen("more")).unwrap().len(), 8192);
}
