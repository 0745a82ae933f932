//! `hecate rename KIND OLD NEW`: gives a desk another name.

use hecate_templates::Catalog;

use super::remove::DIRTY;
use crate::carry_out::{CarryOutArgs, Told, carry_out};
use crate::commands::r#gen::{Generator, VerifyArgs, name};
use crate::context::Context;
use crate::error::{CONFLICT, CliError};
use crate::generate::{Formatter, Renaming, rename};
use crate::tools;

/// Give a desk another name: `hecate rename desk confirm_order approve_order`
///
/// Folder, code and route follow, in everybody's files too. What is stored keeps its name: a command its event and status
/// bit, a projection its table. Where an edit and the new name meet, markers are left, and the exit code is 4.
#[derive(Debug, clap::Args)]
pub(crate) struct RenameArgs {
    /// What it is: `desk`, `command`, `projection`, `query`
    #[arg(value_name = "KIND")]
    kind: String,
    /// Its name now; where several divisions have it, with its division: `order/confirm_order`
    #[arg(value_name = "OLD")]
    old: String,
    /// Its name from now on
    #[arg(value_name = "NEW")]
    new: String,
    #[command(flatten)]
    verify: VerifyArgs,
    #[command(flatten)]
    how: CarryOutArgs,
}

pub(crate) fn run(args: &RenameArgs, cx: &Context) -> Result<(), CliError> {
    let RenameArgs {
        kind,
        old,
        new,
        how,
        ..
    } = args;
    let generator = Generator::open(cx)?;
    let (project, view) = generator.parts();
    let is_dirty = !how.is_preview() && tools::is_dirty(project.root());
    let renaming = Renaming {
        kind: kind.clone(),
        old: old.clone(),
        new: name(new)?,
    };
    let renamed = rename(
        &renaming,
        view,
        &Catalog::builtin(),
        Formatter::new(tools::rustfmt),
    )?;
    let told = Told {
        command: format!("hecate rename {kind} {old} {new}"),
        done: &format!("renamed {kind} {old} to {new}"),
        undoes: None,
    };
    // What conflicts cannot compile.
    let cx = &if renamed.conflicts.is_empty() {
        args.verify.within(cx)
    } else {
        cx.clone()
    };
    carry_out(cx, project, &renamed.plan, *how, &told)?;
    if is_dirty {
        cx.printer().note(DIRTY);
    }
    if renamed.conflicts.is_empty() {
        return Ok(());
    }
    let files: Vec<_> = renamed
        .conflicts
        .iter()
        .map(|path| format!("`{path}`"))
        .collect();
    Err(CliError::new(
        CONFLICT,
        format!("an edit and the new name meet in {}", files.join(", ")),
    )
    .hint("settle what stands between `<<<<<<<` and `>>>>>>>`, or take it back with `hecate undo`"))
}
