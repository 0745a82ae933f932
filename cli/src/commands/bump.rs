//! `hecate bump VERSION`.

use hecate_templates::Catalog;

use crate::carry_out::{CarryOutArgs, Told, carry_out};
use crate::context::Context;
use crate::error::CliError;
use crate::generate::{self, Bump, BumpTo, Formatter};
use crate::tools;

/// Raise the version: in manifest, Cargo.toml, Cargo.lock and CHANGELOG.md at once
#[derive(Debug, clap::Args)]
pub(crate) struct BumpArgs {
    /// A version (`1.2.0`), or the part of it that rises: `major`, `minor`, `patch`
    #[arg(value_name = "VERSION")]
    to: BumpTo,
    #[command(flatten)]
    how: CarryOutArgs,
}

pub(crate) fn run(args: &BumpArgs, cx: &Context) -> Result<(), CliError> {
    let project = generate::open(cx)?;
    let request = Bump {
        to: args.to.clone(),
        date: cx.today(),
    };
    let formatter = Formatter::new(tools::rustfmt);
    let plan = generate::plan(&request, &project.view()?, &Catalog::builtin(), formatter)?;
    let version = match &args.to {
        BumpTo::Version(version) => version.to_string(),
        BumpTo::Major => "major".to_owned(),
        BumpTo::Minor => "minor".to_owned(),
        BumpTo::Patch => "patch".to_owned(),
    };
    let told = Told {
        command: format!("hecate bump {version}"),
        done: "raised the version; say in CHANGELOG.md what it brings",
        undoes: None,
    };
    carry_out(cx, &project, &plan, args.how, &told)
}
