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

#[test]
fn a_killed_run_leaves_the_old_tree_or_the_new_one() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-killed");
    let _made = plugin.hecate("gen division order customer:string").ok();
    let gen_desk = ["gen", "desk", "cmd", "confirm", "order", "note:string"];
    let old = sources(&plugin);
    let _made = plugin.hecate(&gen_desk.join(" ")).ok();
    let new = sources(&plugin);
    assert_ne!(old, new);
    let mut completed = 0;
    for (call, step) in CALLS {
        for nth in (1..).step_by(step) {
            put_back(&plugin, &old);
            let killed = killed_at(&sandbox, call, nth, &gen_desk);
            if killed.code == 0 {
                assert!(nth > 1, "{call} is one that matters: {killed}");
                break;
            }
            let next = plugin.hecate("check");
            assert_eq!(next.code, 0, "{call} {nth}: {next}");
            let now = sources(&plugin);
            assert!(
                now == old || now == new,
                "{call} {nth} left a mixture: {next}"
            );
            completed += usize::from(next.stderr.contains("completed an interrupted run"));
        }
    }
    // The journal was needed, and not once: most of the run is behind it.
    assert!(completed > 10, "{completed} runs were completed");
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

/// The tree without the journal, which is where a killed run is written down.
fn sources(plugin: &Project<'_>) -> BTreeMap<String, Vec<u8>> {
    let mut tree = plugin.tree();
    tree.retain(|path, _| !path.starts_with(".hecate/journal"));
    tree
}

fn put_back(plugin: &Project<'_>, old: &BTreeMap<String, Vec<u8>>) {
    for path in sources(plugin)
        .keys()
        .filter(|path| !old.contains_key(*path))
    {
        std::fs::remove_file(plugin.path(path)).unwrap();
    }
    for (path, contents) in old {
        std::fs::write(plugin.path(path), contents).unwrap();
    }
}
