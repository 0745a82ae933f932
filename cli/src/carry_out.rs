//! What happens to a plan: listed, shown, checked or applied. The same for every verb that writes.

use serde_json::{Value, json};

use crate::context::Context;
use crate::error::{CHANGES, CliError};
use crate::generate::{self, Plan, RunOf};
use crate::project::Project;
use crate::verify::verify;

/// How to carry a plan out.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct CarryOutArgs {
    /// List what would change, and change nothing
    #[arg(long, conflicts_with_all = ["diff", "check"])]
    pub(crate) dry_run: bool,
    /// Show what would change as a diff, and change nothing
    #[arg(long, conflicts_with = "check")]
    pub(crate) diff: bool,
    /// Exit with 3 if anything would change, and change nothing
    #[arg(long)]
    pub(crate) check: bool,
    /// Ask nothing
    #[arg(short, long)]
    pub(crate) yes: bool,
}

impl CarryOutArgs {
    /// Whether the plan is only looked at.
    pub(crate) const fn is_preview(self) -> bool {
        self.dry_run || self.diff || self.check
    }
}

/// What is said about a plan.
pub(crate) struct Told<'a> {
    /// The command that asks for it, without prompts.
    pub(crate) command: String,
    /// What was done, when it was done.
    pub(crate) done: &'a str,
    /// The run that it takes back, if that is what it does.
    pub(crate) undoes: Option<u64>,
}

/// Lists, shows, checks or applies `plan` in the project.
pub(crate) fn carry_out(
    cx: &Context,
    project: &Project,
    plan: &Plan,
    how: CarryOutArgs,
    told: &Told<'_>,
) -> Result<(), CliError> {
    if how.is_preview() {
        return preview(cx, plan, how);
    }
    let run = RunOf {
        command: &told.command,
        undoes: told.undoes,
    };
    generate::apply(project.root(), plan, run)?;
    if plan.is_empty() || !cx.verifies() {
        tell(cx, plan, told);
        return Ok(());
    }
    list(cx, plan);
    let verified = verify(cx, project, plan);
    let mut value = done(plan, told);
    value["verified"] = verified.to_json();
    cx.printer().json("plan", value);
    verified.into_result(cx)?;
    cx.printer().result(told.done);
    Ok(())
}

/// Shows a plan without carrying it out.
pub(crate) fn preview(cx: &Context, plan: &Plan, how: CarryOutArgs) -> Result<(), CliError> {
    let mut value = plan.to_json(how.diff);
    value["applied"] = json!(false);
    cx.printer().json("plan", value);
    if how.diff {
        cx.printer().result(generate::diff(plan).trim_end());
    } else {
        list(cx, plan);
    }
    if how.check && !plan.is_empty() {
        return Err(CliError::new(
            CHANGES,
            format!("{} would change", files(plan.steps.len())),
        ));
    }
    Ok(())
}

/// Says what was done.
pub(crate) fn tell(cx: &Context, plan: &Plan, told: &Told<'_>) {
    cx.printer().json("plan", done(plan, told));
    if plan.is_empty() {
        cx.printer().result("nothing to do: it is there already");
        return;
    }
    list(cx, plan);
    cx.printer().result(told.done);
}

/// A plan that was carried out, for programs.
fn done(plan: &Plan, told: &Told<'_>) -> Value {
    let mut value = plan.to_json(false);
    value["applied"] = json!(true);
    value["command"] = json!(told.command);
    value
}

fn list(cx: &Context, plan: &Plan) {
    if plan.is_empty() {
        cx.printer().result("nothing to do");
    }
    for step in &plan.steps {
        cx.printer()
            .result(&format!("{:>8} {}", step.word(), step.path));
    }
}

fn files(count: usize) -> String {
    if count == 1 {
        "1 file".to_owned()
    } else {
        format!("{count} files")
    }
}
