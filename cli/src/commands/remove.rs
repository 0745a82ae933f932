//! `hecate remove KIND NAME`: takes away what was generated.

use hecate_templates::Catalog;

use crate::carry_out::CarryOutArgs;
use crate::commands::r#gen::{Generator, VerifyArgs};
use crate::context::Context;
use crate::error::CliError;
use crate::generate::{self, Edited, Removal};
use crate::tools;

/// Take away what was generated: `hecate remove desk confirm_order`, `hecate remove division order`
///
/// What depends on it is named, and keeps it there. Stores keep what has happened: an event that is stored can no longer be
/// read when its desk is gone, and its status bit is never given again (`contracts/flags.toml`).
#[derive(Debug, clap::Args)]
pub(crate) struct RemoveArgs {
    /// What it is: `desk`, `command`, `projection`, `query`, `division`, `integration`, or another kind that `hecate.lock` has
    #[arg(value_name = "KIND")]
    kind: String,
    /// Its name; where several divisions have it, with its division: `order/confirm_order`
    #[arg(value_name = "NAME")]
    name: String,
    /// What becomes of files that were edited since [default: refuse, and name them]
    #[arg(long, value_enum)]
    edited: Option<Edited>,
    #[command(flatten)]
    verify: VerifyArgs,
    #[command(flatten)]
    how: CarryOutArgs,
}

/// Said where the last commit is not what there was before.
pub(crate) const DIRTY: &str = "there were changes that are not committed: `hecate undo` brings them back, a checkout would not";

pub(crate) fn run(args: &RemoveArgs, cx: &Context) -> Result<(), CliError> {
    let cx = &args.verify.within(cx);
    let generator = Generator::open(cx)?;
    let is_dirty = !args.how.is_preview() && tools::is_dirty(generator.root());
    let RemoveArgs { kind, name, .. } = args;
    let mut command = format!("hecate remove {kind} {name}");
    match args.edited {
        Some(Edited::Remove) => command.push_str(" --edited remove"),
        Some(Edited::Keep) => command.push_str(" --edited keep"),
        None => {}
    }
    let request = Removal {
        kind: kind.clone(),
        name: name.clone(),
        edited: args.edited,
    };
    let done = format!("removed {kind} {name}");
    let (_, view) = generator.parts();
    let catalog = Catalog::builtin();
    let leftovers = generate::leftovers(view, &catalog.kinds(), kind, name)?;
    generator.carry_out(&request, args.how, command, &done, false)?;
    for permission in leftovers {
        cx.printer().note(&format!(
            "`manifest.json` still asks for the permission `{permission}`: take it out if nothing else needs it"
        ));
    }
    if is_dirty {
        cx.printer().note(DIRTY);
    }
    Ok(())
}
