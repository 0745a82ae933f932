//! `hecate gen …`: grows a plugin slice by slice. One file for each thing that can be made.

mod cmd;
mod delivery;
mod division;
mod generator;
mod prj;
mod qry;
mod words;

use crate::carry_out::CarryOutArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::prompts::{Prompts, Wanted};

pub(crate) use cmd::CmdArgs;
use delivery::DeliveryArgs;
use division::DivisionArgs;
pub(crate) use prj::PrjArgs;
pub(crate) use qry::QryArgs;
pub(crate) use words::{name, subject};

/// Grow the plugin: a division, a desk
#[derive(Debug, clap::Args)]
pub(crate) struct GenArgs {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    verify: VerifyArgs,
}

/// Whether what is generated is compiled at once.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct VerifyArgs {
    /// Do not look whether what was written compiles
    #[arg(long, global = true, env = "HECATE_NO_VERIFY", hide_env_values = true)]
    #[arg(value_parser = clap::builder::FalseyValueParser::new())]
    no_verify: bool,
}

impl VerifyArgs {
    /// The context in which it is, or is not.
    pub(crate) fn within(self, cx: &Context) -> Context {
        cx.clone().verifying(!self.no_verify)
    }
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Division(DivisionArgs),
    Desk(DeskArgs),
    Delivery(DeliveryArgs),
}

/// Make a desk: one command, one projection or one query
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
struct DeskArgs {
    #[command(subcommand)]
    kind: Option<DeskKind>,
    #[command(flatten)]
    how: CarryOutArgs,
}

#[derive(Debug, clap::Subcommand)]
enum DeskKind {
    Cmd(CmdArgs),
    Prj(PrjArgs),
    Qry(QryArgs),
}

pub(crate) fn run(args: GenArgs, cx: &Context) -> Result<(), CliError> {
    let cx = &args.verify.within(cx);
    match args.what {
        What::Division(args) => division::run(args, cx),
        What::Desk(DeskArgs { kind, how }) => desk(kind, how, cx),
        What::Delivery(args) => delivery::run(args, cx),
    }
}

fn desk(kind: Option<DeskKind>, how: CarryOutArgs, cx: &Context) -> Result<(), CliError> {
    let kind = match kind {
        Some(kind) => kind,
        None => {
            let missing = "`hecate gen desk` needs a kind (cmd, prj or qry) and what goes with it";
            let example = "hecate gen desk cmd confirm order note:string";
            match Prompts::of(cx, missing, example)?.desk_kind()? {
                Wanted::Command => DeskKind::Cmd(CmdArgs {
                    how,
                    ..CmdArgs::default()
                }),
                Wanted::Projection => DeskKind::Prj(PrjArgs {
                    how,
                    ..PrjArgs::default()
                }),
                Wanted::Query => DeskKind::Qry(QryArgs {
                    how,
                    ..QryArgs::default()
                }),
            }
        }
    };
    match kind {
        DeskKind::Cmd(args) => cmd::run(args, cx),
        DeskKind::Prj(args) => prj::run(args, cx),
        DeskKind::Qry(args) => qry::run(args, cx),
    }
}
