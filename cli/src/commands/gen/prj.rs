//! `hecate gen desk prj`: a desk that keeps a table.

use super::generator::{Generator, spoken};
use super::words::{misnamed_event, name, singular_of};
use crate::carry_out::CarryOutArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::generate::NewProjection;
use crate::names::Versioned;
use crate::prompts::Prompts;

/// Make a desk that keeps a table of its own: `hecate gen desk prj order_confirmed --table confirmed_orders`
#[derive(Debug, Default, clap::Args)]
pub(crate) struct PrjArgs {
    /// The events, with or without their revision
    #[arg(value_name = "EVENT")]
    pub(crate) events: Vec<String>,
    /// The table
    #[arg(long, value_name = "TABLE")]
    pub(crate) table: Option<String>,
    /// The division whose events they are [default: the only one that has them]
    #[arg(long, value_name = "D")]
    pub(crate) division: Option<String>,
    #[command(flatten)]
    pub(crate) how: CarryOutArgs,
}

pub(super) fn run(mut args: PrjArgs, cx: &Context) -> Result<(), CliError> {
    let generator = Generator::open(cx)?;
    let asked = args.events.is_empty() || args.table.is_none();
    if asked {
        let missing = match args.events.is_empty() {
            true => "`hecate gen desk prj` needs an EVENT and a `--table TABLE`",
            false => "`hecate gen desk prj` needs a `--table TABLE`",
        };
        let example = "hecate gen desk prj order_initiated --table births";
        Prompts::of(cx, missing, example)?.projection(&mut args, &generator.events()?)?;
    }
    let events = args
        .events
        .iter()
        .map(|event| Versioned::split(event).map_err(misnamed_event));
    let events = events.collect::<Result<Vec<_>, _>>()?;
    let table = name(args.table.as_deref().unwrap_or_default())?;
    let division = match &args.division {
        Some(division) => name(division)?,
        None => generator.division_of(&events)?,
    };
    let mut options = vec![format!("--table {table}")];
    options.extend(
        args.division
            .as_ref()
            .map(|division| format!("--division {division}")),
    );
    let command = spoken("hecate gen desk prj", &[], &args.events, &options);
    let done = format!(
        "made the table {table}; ask it with `hecate gen desk qry page {}`",
        singular_of(&table)
    );
    let request = NewProjection {
        events,
        table,
        division,
    };
    generator.carry_out(&request, args.how, command, &done, asked)
}
