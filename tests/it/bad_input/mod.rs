//! Whatever a user gets wrong: the code, the thing, the way out, and nothing half-written.

mod bundles;
mod daemon;
mod disk;
mod manifest;
mod names;
mod project;
mod toolchain;

use std::path::Path;

use crate::support::{Project, Run, Sandbox, tree};

/// Types commands in `dir` and shows them as they look on a terminal. None of them may change anything in the
/// projects or in the home.
#[track_caller]
fn refused(sandbox: &Sandbox, dir: impl AsRef<Path>, lines: &[&str]) -> String {
    let before = tree(sandbox.root());
    let mut session = String::new();
    for line in lines {
        let run = typed(sandbox, &dir, line);
        assert_ne!(run.code, 0, "{line}: {run}");
        let changed = tree(sandbox.root()) != before;
        assert!(!changed, "`{line}` has changed something: {run}");
        session.push_str(&format!("$ hecate {line}\n{run}\n\n"));
    }
    session
}

/// Runs `hecate` with the words of `line`, as a shell would: a word in single quotes may be empty or hold blanks.
fn typed(sandbox: &Sandbox, dir: impl AsRef<Path>, line: &str) -> Run {
    let mut words: Vec<String> = Vec::new();
    for (nth, part) in line.split('\'').enumerate() {
        if nth % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Run::of(&mut sandbox.command_in(dir, &words), sandbox)
}

/// A plugin with one division, whose orders have a note.
fn with_orders<'s>(sandbox: &'s Sandbox, name: &str) -> Project<'s> {
    let plugin = Project::new(sandbox, name);
    let _ = plugin.hecate("gen division order note:string").ok();
    plugin
}
