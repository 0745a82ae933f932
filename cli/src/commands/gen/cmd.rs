//! `hecate gen desk cmd`: a desk that takes a command.

use super::generator::{Generator, spoken};
use super::words::{name, overridden, subject};
use crate::carry_out::CarryOutArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::generate::{self, NewCommand, parse_fields};
use crate::names::{Overrides, crud_verb};
use crate::prompts::Prompts;

/// Make a desk that takes a command: `hecate gen desk cmd confirm order note:string`
#[derive(Debug, Default, clap::Args)]
pub(crate) struct CmdArgs {
    /// What is done: `confirm`, `pick_up`
    pub(crate) verb: Option<String>,
    /// What it is done to: `order`
    pub(crate) subject: Option<String>,
    /// Fields: `note:string`, `total:decimal?`, `kind:enum:small,large`
    #[arg(value_name = "FIELD:TYPE")]
    pub(crate) fields: Vec<String>,
    /// The division that it belongs to [default: the one of its subject]
    #[arg(long, value_name = "D")]
    pub(crate) division: Option<String>,
    /// It brings a new thing into being
    #[arg(long)]
    pub(crate) birth: bool,
    /// The verb's past tense, where the usual one is wrong: `taken`
    #[arg(long, value_name = "P")]
    pub(crate) past: Option<String>,
    /// The event's whole name, where the usual one is wrong: `player_joined`
    #[arg(long, value_name = "E")]
    pub(crate) event: Option<String>,
    #[command(flatten)]
    pub(crate) how: CarryOutArgs,
}

pub(super) fn run(mut args: CmdArgs, cx: &Context) -> Result<(), CliError> {
    let generator = Generator::open(cx)?;
    let asked = args.verb.is_none() || args.subject.is_none();
    if asked {
        let missing = match (&args.verb, &args.subject) {
            (None, _) => "`hecate gen desk cmd` needs a VERB and a SUBJECT",
            _ => "`hecate gen desk cmd` needs a SUBJECT",
        };
        let example = "hecate gen desk cmd confirm order note:string";
        Prompts::of(cx, missing, example)?.command(&mut args, &generator.divisions())?;
    }
    let verb = subject(args.verb.as_deref().unwrap_or_default())?;
    let subject = subject(args.subject.as_deref().unwrap_or_default())?;
    if let Some(crud) = crud_verb(&verb) {
        cx.printer().warn(&crud.to_string());
    }
    let overrides =
        Overrides::parse(args.past.as_deref(), args.event.as_deref()).map_err(overridden)?;
    let desk = generate::desk_of(&verb, &subject, &generator.divisions())?;
    let division = match &args.division {
        Some(division) => name(division)?,
        None => desk.subject().clone(),
    };
    let fields = parse_fields(&division, &args.fields)?;
    let mut options = Vec::new();
    if division != *desk.subject() {
        options.push(format!("--division {division}"));
    }
    if args.birth {
        options.push("--birth".to_owned());
    }
    options.extend(args.past.as_ref().map(|past| format!("--past {past}")));
    options.extend(args.event.as_ref().map(|event| format!("--event {event}")));
    let command = spoken(
        "hecate gen desk cmd",
        &[verb.snake(), subject.snake()],
        &args.fields,
        &options,
    );
    let done = format!("made the desk {}", desk.name());
    let request = NewCommand {
        verb,
        subject,
        fields,
        division,
        birth: args.birth,
        overrides,
    };
    generator.carry_out(&request, args.how, command, &done, asked)
}
