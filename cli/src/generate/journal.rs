//! The journal of a project: what a run was about to do, so that a killed run is completed by the next command.
//!
//! `.hecate/journal/pending.json` is there from before the first change until after the last one. Finished runs are
//! kept as `{number}.json`, for taking them back. Whoever writes holds `lock`, so two commands at once write one after the
//! other, and neither completes what the other is still doing.
#![expect(clippy::disallowed_methods, reason = "writes and reads its own files")]

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::apply::{check_place, failed, put_in_place, read, remove_empty_dirs, write_drafts};
use super::plan::{Plan, Step};
use crate::error::CliError;
use crate::project::RelPath;

/// Where it lies in a project.
pub(super) const DIR: &str = ".hecate/journal";
const PENDING: &str = "pending.json";
const LOCK: &str = "lock";
/// Finished runs that are kept.
const KEPT: usize = 50;

/// A run, as it is written down.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    version: u32,
    command: String,
    /// The run that this one takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undoes: Option<u64>,
    steps: Vec<EntryStep>,
}

/// What a run is, beside its changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunOf<'a> {
    /// The command line that asks for it, without prompts.
    pub(crate) command: &'a str,
    /// The run that it takes back, if that is what it does.
    pub(crate) undoes: Option<u64>,
}

/// A run that was finished.
#[derive(Debug, Clone)]
pub(crate) struct PastRun {
    /// Its number: later runs have greater ones.
    pub(crate) number: u64,
    /// The command line that asked for it.
    pub(crate) command: String,
    /// The run that it took back.
    pub(crate) undoes: Option<u64>,
    /// What it changed.
    pub(crate) plan: Plan,
}

#[derive(Debug, Serialize, Deserialize)]
struct EntryStep {
    path: String,
    before: Option<Contents>,
    after: Option<Contents>,
}

/// Text where it is text, so that the journal can be read.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Contents {
    Text(String),
    Bytes(Vec<u8>),
}

/// The right to write into a project, until it is dropped.
pub(super) struct Journal {
    dir: PathBuf,
    _lock: File,
}

impl Journal {
    /// Waits until nobody else writes into the project at `root`.
    pub(super) fn lock(root: &Path) -> io::Result<Self> {
        let dir = root.join(DIR);
        fs::create_dir_all(&dir)?;
        let lock = File::options()
            .create(true)
            .append(true)
            .open(dir.join(LOCK))?;
        lock.lock()?;
        Ok(Self { dir, _lock: lock })
    }

    /// Whether a run was killed and not completed yet.
    pub(super) fn is_pending(&self) -> bool {
        self.dir.join(PENDING).exists()
    }

    /// Writes down what is about to be done, and waits until that is on the disk.
    pub(super) fn begin(&self, plan: &Plan, run: RunOf<'_>) -> io::Result<()> {
        let steps = plan.steps.iter().map(EntryStep::of).collect();
        let entry = Entry {
            version: 1,
            command: run.command.to_owned(),
            undoes: run.undoes,
            steps,
        };
        let text = serde_json::to_vec(&entry)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
        file.write_all(&text)?;
        file.as_file().sync_all()?;
        file.persist(self.dir.join(PENDING))
            .map_err(|error| error.error)?;
        File::open(&self.dir)?.sync_all()
    }

    /// The run is done: it becomes history.
    pub(super) fn end(&self) {
        let mut numbers = numbers(&self.dir);
        let next = numbers.last().map_or(1, |last| last + 1);
        let finished = |number: u64| self.dir.join(format!("{number}.json"));
        // History is a convenience: a run that was done is done without it.
        _ = fs::rename(self.dir.join(PENDING), finished(next));
        numbers.push(next);
        for old in numbers.iter().rev().skip(KEPT) {
            _ = fs::remove_file(finished(*old));
        }
    }

    /// The run has changed nothing and will not.
    pub(super) fn give_up(&self) {
        // If it cannot be removed, the next command completes the run or says what stands against it.
        _ = fs::remove_file(self.dir.join(PENDING));
    }
}

/// Completes a run that was killed. Gives its command, if there was one.
pub(crate) fn recover(root: &Path) -> Result<Option<String>, CliError> {
    check_place(root, DIR)?;
    let path = root.join(DIR).join(PENDING);
    if !path.exists() {
        return Ok(None);
    }
    let journal = Journal::lock(root)
        .map_err(|error| CliError::because(format!("failed to lock `{DIR}`"), error))?;
    // Read behind the lock: who was writing may have finished meanwhile.
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => {
            return Err(CliError::because(
                format!("failed to read `{}`", path.display()),
                error,
            ));
        }
    };
    let shown = format!("{DIR}/{PENDING}");
    let entry: Entry = serde_json::from_slice(&text).map_err(|error| {
        CliError::because(
            format!("an interrupted run cannot be completed: `{shown}` cannot be read"),
            error,
        )
        .hint(format!(
            "look at the project's files, then remove `{shown}`"
        ))
    })?;
    let steps = entry
        .steps
        .into_iter()
        .map(EntryStep::into_step)
        .collect::<Result<Vec<_>, _>>()?;
    let mut missing = Vec::new();
    for step in &steps {
        let now = read(root, step)?;
        if now == step.after {
            continue;
        }
        if now != step.before {
            return Err(CliError::cannot(format!(
                "an interrupted run cannot be completed: `{}` was changed since",
                step.path
            ))
            .hint(format!(
                "the run was `{}`; `{shown}` holds what it would have written",
                entry.command
            ))
            .hint(format!("to leave everything as it is, remove `{shown}`")));
        }
        missing.push(step.clone());
    }
    let rest = Plan { steps: missing };
    write_drafts(root, &rest).map_err(|(step, error)| {
        failed(&format!("`{}`", step.path), error).hint(format!(
            "an interrupted run, `{}`, waits to be completed",
            entry.command
        ))
    })?;
    put_in_place(root, &rest)?;
    // It may have been killed behind the last file and before the last directory.
    remove_empty_dirs(root, &Plan { steps });
    journal.end();
    Ok(Some(entry.command))
}

/// The runs that are remembered, the oldest first. What cannot be read is passed over: it is history.
pub(crate) fn history(root: &Path) -> Vec<PastRun> {
    let dir = root.join(DIR);
    let read = |number: u64| {
        let text = fs::read(dir.join(format!("{number}.json"))).ok()?;
        let entry: Entry = serde_json::from_slice(&text).ok()?;
        let steps = entry.steps.into_iter().map(EntryStep::into_step);
        Some(PastRun {
            number,
            command: entry.command,
            undoes: entry.undoes,
            plan: Plan {
                steps: steps.collect::<Result<_, _>>().ok()?,
            },
        })
    };
    numbers(&dir).into_iter().filter_map(read).collect()
}

fn numbers(dir: &Path) -> Vec<u64> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let number = |entry: fs::DirEntry| {
        entry
            .file_name()
            .to_str()?
            .strip_suffix(".json")?
            .parse()
            .ok()
    };
    let mut numbers: Vec<u64> = entries.filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

impl EntryStep {
    fn of(step: &Step) -> Self {
        let contents = |bytes: &Option<Vec<u8>>| {
            bytes
                .as_ref()
                .map(|bytes| match String::from_utf8(bytes.clone()) {
                    Ok(text) => Contents::Text(text),
                    Err(error) => Contents::Bytes(error.into_bytes()),
                })
        };
        Self {
            path: step.path.to_string(),
            before: contents(&step.before),
            after: contents(&step.after),
        }
    }

    fn into_step(self) -> Result<Step, CliError> {
        let bytes = |contents: Option<Contents>| {
            contents.map(|contents| match contents {
                Contents::Text(text) => text.into_bytes(),
                Contents::Bytes(bytes) => bytes,
            })
        };
        let path = RelPath::new(self.path).map_err(|error| {
            CliError::because(
                "an interrupted run names a file outside of the project",
                error,
            )
            .hint(format!(
                "nothing was written; `{DIR}/{PENDING}` is not of `hecate`'s making: remove it"
            ))
        })?;
        Ok(Step {
            path,
            before: bytes(self.before),
            after: bytes(self.after),
        })
    }
}
