//! `hecate gen …`: grows a plugin slice by slice. One file for each thing that can be made.

mod cmd;
mod delivery;
mod division;
mod event_version;
mod generator;
mod integration;
mod prj;
mod qry;
mod words;

use std::path::{Path, PathBuf};

use clap::Parser;

use crate::carry_out::CarryOutArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::project::file_text;
use crate::prompts::{Prompts, Wanted};
use crate::{Cli, Command, requests};

pub(crate) use cmd::CmdArgs;
use delivery::DeliveryArgs;
use division::DivisionArgs;
use event_version::EventVersionArgs;
pub(crate) use generator::Generator;
use integration::IntegrationArgs;
pub(crate) use prj::PrjArgs;
pub(crate) use qry::QryArgs;
pub(crate) use words::{name, overridden, subject};

/// Grow the plugin: a division, a desk, an integration, its delivery
#[derive(Debug, clap::Args)]
#[command(subcommand_required = false)]
pub(crate) struct GenArgs {
    #[command(subcommand)]
    what: Option<What>,
    /// Take the request from a file, or `-` for standard input: JSON, of which `hecate schema gen` has the schema
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
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
    EventVersion(EventVersionArgs),
    Integration(IntegrationArgs),
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
    let what = match (args.what, args.from) {
        (Some(what), None) => what,
        (Some(_), Some(_)) => {
            return Err(CliError::usage(
                "`--from` has the whole request, and something is named beside it",
            )
            .hint("leave one of the two out"));
        }
        (None, Some(from)) => return requested(&from, cx),
        (None, None) => {
            return Err(CliError::usage("`hecate gen` needs to know what to make")
                .hint("for instance `hecate gen division order`; `hecate gen --help` lists what there is"));
        }
    };
    make(what, cx)
}

fn make(what: What, cx: &Context) -> Result<(), CliError> {
    match what {
        What::Division(args) => division::run(args, cx),
        What::Desk(DeskArgs { kind, how }) => desk(kind, how, cx),
        What::EventVersion(args) => event_version::run(args, cx),
        What::Integration(args) => integration::run(args, cx),
        What::Delivery(args) => delivery::run(args, cx),
    }
}

/// What a request in a file asks for.
fn requested(from: &Path, cx: &Context) -> Result<(), CliError> {
    let text = if from == Path::new("-") {
        std::io::read_to_string(std::io::stdin())
            .map_err(|error| CliError::because("failed to read the request", error))?
    } else {
        file_text(&cx.dir().join(from))?
    };
    let request = serde_json::from_str(&text).map_err(|error| {
        CliError::because(
            format!("the request in `{}` is not JSON", from.display()),
            error,
        )
        .hint("`hecate schema gen` prints what a request may hold")
    })?;
    let arguments = requests::arguments(&request)?;
    let cli = Cli::try_parse_from(arguments).map_err(|error| {
        let said = error.to_string();
        let said: Vec<_> = said
            .lines()
            .map(str::trim)
            .take_while(|line| !line.is_empty())
            .collect();
        CliError::usage(said.join(" ").trim_start_matches("error: ").to_owned())
            .hint("`hecate schema gen` prints what a request may hold")
    })?;
    let Command::Gen(GenArgs {
        what: Some(what), ..
    }) = cli.command
    else {
        return Err(CliError::bug("a request is of another verb"));
    };
    make(what, cx)
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
