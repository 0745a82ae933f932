//! `hecate undo [RUN]`: takes a run back.

use serde_json::json;

use crate::carry_out::{CarryOutArgs, Told, carry_out};
use crate::context::Context;
use crate::error::CliError;
use crate::generate::{self, PastRun, Plan, Step};
use crate::project::{Project, file_bytes, is_file};

/// Take a run back: what it made goes, what it changed is as before
#[derive(Debug, clap::Args)]
pub(crate) struct UndoArgs {
    /// Number of the run, as `--list` shows it [default: the last one that was not taken back]
    run: Option<u64>,
    /// List the runs that can be taken back
    #[arg(long, conflicts_with_all = ["run", "dry_run", "diff", "check"])]
    list: bool,
    #[command(flatten)]
    how: CarryOutArgs,
}

pub(crate) fn run(args: &UndoArgs, cx: &Context) -> Result<(), CliError> {
    let project = generate::open(cx)?;
    let history = generate::history(project.root());
    if args.list {
        list(cx, &history);
        return Ok(());
    }
    let past = choose(&history, args.run)?;
    let edited = edited_since(&project, &past.plan)?;
    if !edited.is_empty() {
        cx.printer().passage(generate::diff(&edited).trim_end());
        return Err(CliError::cannot(format!(
            "run {} cannot be taken back: {} changed since, as the diff shows",
            past.number,
            names(&edited)
        ))
        .hint(
            "take later runs back first, or your own changes; `hecate undo --list` shows the runs",
        ));
    }
    let done = format!("took back run {}: {}", past.number, past.command);
    let told = Told {
        command: format!("hecate undo {}", past.number),
        done: &done,
        undoes: Some(past.number),
    };
    carry_out(cx, &project, &past.plan.inverse(), args.how, &told)
}

/// The run that is meant. Without a number: the last one, passing over those that were taken back, and the taking back.
fn choose(history: &[PastRun], number: Option<u64>) -> Result<&PastRun, CliError> {
    if let Some(number) = number {
        let found = history.iter().find(|past| past.number == number);
        return found.ok_or_else(|| {
            CliError::cannot(format!("there is no run {number}"))
                .hint("`hecate undo --list` shows those that there are")
        });
    }
    let is_undone = |number| is_undone(history, number);
    let last = history
        .iter()
        .rev()
        .find(|past| past.undoes.is_none() && !is_undone(past.number));
    last.ok_or_else(|| {
        CliError::cannot("there is nothing to take back")
            .hint("a new plugin is no run: remove its directory")
    })
}

/// Whether what run `number` did is taken back now: the last word of those that took it back, or took that back, counts.
fn is_undone(history: &[PastRun], number: u64) -> bool {
    let taker = history
        .iter()
        .rev()
        .find(|past| past.undoes == Some(number));
    taker.is_some_and(|taker| !is_undone(history, taker.number))
}

/// What the user has changed in the files of `plan` since it was carried out: from what it wrote to what is there.
fn edited_since(project: &Project, plan: &Plan) -> Result<Plan, CliError> {
    let mut edited = Plan::default();
    for step in &plan.steps {
        let path = step.path.below(project.root());
        let now = if is_file(&path) {
            Some(file_bytes(&path)?)
        } else {
            None
        };
        if now != step.after {
            edited.steps.push(Step {
                path: step.path.clone(),
                before: step.after.clone(),
                after: now,
            });
        }
    }
    Ok(edited)
}

fn names(plan: &Plan) -> String {
    let first = plan.steps.iter().take(3);
    let mut names: Vec<_> = first.map(|step| format!("`{}`", step.path)).collect();
    if plan.steps.len() > 3 {
        names.push(format!("{} more", plan.steps.len() - 3));
    }
    names.join(", ")
}

fn list(cx: &Context, history: &[PastRun]) {
    if history.is_empty() {
        cx.printer().result("no run is remembered");
    }
    for past in history.iter().rev() {
        let files = past.plan.steps.len();
        let undone = if is_undone(history, past.number) {
            "  (taken back)"
        } else {
            ""
        };
        let plural = if files == 1 { "file" } else { "files" };
        cx.printer().result(&format!(
            "{:>4}  {:<60}  {files} {plural}{undone}",
            past.number, past.command
        ));
    }
    let entry = |past: &PastRun| {
        json!({
            "run": past.number,
            "command": past.command,
            "files": past.plan.steps.len(),
            "undone": is_undone(history, past.number),
        })
    };
    cx.printer().json(
        "runs",
        json!({"runs": history.iter().map(entry).collect::<Vec<_>>()}),
    );
}
