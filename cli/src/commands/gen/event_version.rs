//! `hecate gen event-version`: a new revision of an event.

use super::generator::{Generator, in_division, spoken};
use super::words::{misnamed_event, name};
use crate::carry_out::CarryOutArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::generate::{NewRevision, parse_fields};
use crate::names::Versioned;
use crate::prompts::Prompts;

/// Make a new revision of an event: `hecate gen event-version order_confirmed currency:string`
///
/// What is stored stays as it was written, and is read as the new revision says: its upcaster is a file of yours.
#[derive(Debug, Default, clap::Args)]
pub(super) struct EventVersionArgs {
    /// The event, with or without the revision that there is
    event: Option<String>,
    /// Fields that it has beside those that it had: `currency:string`, `due:date?`
    #[arg(value_name = "FIELD:TYPE")]
    fields: Vec<String>,
    /// The division that it belongs to [default: the only one that has it]
    #[arg(long, value_name = "D")]
    division: Option<String>,
    #[command(flatten)]
    how: CarryOutArgs,
}

pub(super) fn run(mut args: EventVersionArgs, cx: &Context) -> Result<(), CliError> {
    let generator = Generator::open(cx)?;
    let asked = args.event.is_none();
    if asked {
        let example = "hecate gen event-version order_confirmed currency:string";
        let prompts = Prompts::of(cx, "`hecate gen event-version` needs an EVENT", example)?;
        let event = prompts.event(&generator.events()?)?;
        args.fields = prompts.fields(&name(&event)?)?;
        args.event = Some(event);
    }
    let given = args.event.unwrap_or_default();
    let (event, revision) = Versioned::split(&given).map_err(misnamed_event)?;
    let division = match &args.division {
        Some(division) => name(division)?,
        None => generator.division_of(&[(event.clone(), revision)])?,
    };
    let fields = parse_fields(&division, &args.fields)?;
    let options = in_division(args.division.as_deref());
    let command = spoken(
        "hecate gen event-version",
        &[&given],
        &args.fields,
        &options,
    );
    let done = format!(
        "made a new revision of {event}: say in its file what old events would have said, and in `handle.rs` what new ones say"
    );
    let request = NewRevision {
        event,
        revision,
        fields,
        division,
    };
    generator.carry_out(&request, args.how, command, &done, asked)
}
