//! Killed at every single write: the next command completes the run or takes it back, never leaving a mixture.

use std::collections::BTreeMap;

use crate::support::{Project, Run, Sandbox};

/// The system calls that a run changes the disk with, and at every how many of them it is killed: most files that are
/// opened are only read.
const CALLS: [(&str, usize); 5] = [
    ("openat", 9),
    ("write", 1),
    ("rename", 1),
    ("fsync", 1),
    ("mkdir", 1),
];

/// The same for runs that take files away: what they share with others was killed at already.
const CALLS_OF_REMOVALS: [(&str, usize); 4] =
    [("unlink", 4), ("rename", 4), ("rmdir", 1), ("fsync", 1)];

#[test]
fn a_killed_run_leaves_the_old_tree_or_the_new_one() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-killed");
    let _made = plugin.hecate("gen division order customer:string").ok();
    kill_at_every_write(
        &sandbox,
        &plugin,
        &["gen", "desk", "cmd", "confirm", "order", "note:string"],
        &CALLS,
    );
    // The desk is there now: what moves it and takes it away is killed too.
    for line in [
        "rename desk confirm_order approve_order",
        "remove desk approve_order",
    ] {
        let words: Vec<_> = line.split_whitespace().collect();
        kill_at_every_write(&sandbox, &plugin, &words, &CALLS_OF_REMOVALS);
    }
    let place = "divisions/order/src/guide_order_lifecycle";
    for gone in ["confirm_order", "approve_order"] {
        let folder = plugin.path(&format!("{place}/{gone}"));
        assert!(!folder.exists(), "no empty folder is left");
    }
}

/// Kills `args` at every write of theirs, and leaves what they come to.
fn kill_at_every_write(
    sandbox: &Sandbox,
    plugin: &Project<'_>,
    args: &[&str],
    calls: &[(&str, usize)],
) {
    let old = plugin.sources();
    let _made = plugin.hecate(&args.join(" ")).ok();
    let new = plugin.sources();
    assert_ne!(old, new);
    let mut completed = 0;
    for &(call, step) in calls {
        for nth in (1..).step_by(step) {
            put_back(plugin, &old);
            let killed = killed_at(sandbox, call, nth, args);
            if killed.code == 0 {
                // What only takes away unlinks, what only adds does not.
                assert!(
                    nth > 1 || call == "unlink",
                    "{call} is one that matters: {killed}"
                );
                break;
            }
            let next = plugin.hecate("check");
            assert_eq!(next.code, 0, "{args:?} {call} {nth}: {next}");
            let now = plugin.sources();
            assert!(
                now == old || now == new,
                "{args:?} {call} {nth} left a mixture: {next}"
            );
            completed += usize::from(next.stderr.contains("completed an interrupted run"));
        }
    }
    // The journal was needed, and not once: most of the run is behind it.
    assert!(completed > 5, "{args:?}: {completed} runs were completed");
}

/// Runs `hecate` until the `nth` time that it makes the system call, and kills it there.
fn killed_at(sandbox: &Sandbox, call: &str, nth: usize, args: &[&str]) -> Run {
    let mut command = sandbox.program("strace");
    command
        .current_dir(sandbox.path("it-killed"))
        .args(["--quiet=all", "--output=/dev/null"])
        .arg(format!("--trace={call}"))
        .arg(format!("--inject={call}:signal=KILL:when={nth}"))
        .arg(env!("CARGO_BIN_EXE_hecate"))
        .args(args);
    Run::of(&mut command, sandbox)
}

fn put_back(plugin: &Project<'_>, old: &BTreeMap<String, Vec<u8>>) {
    for path in plugin
        .sources()
        .keys()
        .filter(|path| !old.contains_key(*path))
    {
        std::fs::remove_file(plugin.path(path)).unwrap();
    }
    for (path, contents) in old {
        let path = plugin.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
    }
}
