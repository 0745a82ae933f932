//! `hecate gen desk cmd`: a desk that takes a command.

use super::generator::{Generator, spoken};
use super::words::{name, overridden, subject};
use crate::carry_out::CarryOutArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::generate::{self, Extras, NewCommand, parse_fields};
use crate::names::{Name, Overrides, crud_verb};
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
    /// The event's whole name, where the usual one is wrong: `player_joined`; given several times, all of them happen
    #[arg(long = "event", value_name = "E")]
    pub(crate) events: Vec<String>,
    /// Its path below the plugin's `api`, instead of the usual one: `/imports`, `/desk/{id}/sign`
    #[arg(long, value_name = "PATH")]
    pub(crate) route: Option<String>,
    /// The division's flag that its event sets, instead of a bit of its own
    #[arg(long, value_name = "FLAG")]
    pub(crate) sets: Option<String>,
    /// The division's flags that its event clears
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) clears: Vec<String>,
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
    let overrides = Overrides::parse(
        args.past.as_deref(),
        args.events.first().map(String::as_str),
    )
    .map_err(overridden)?;
    let extras = extras(&args)?;
    let desk = generate::desk_of(&verb, &subject, &generator.divisions())?;
    let division = match &args.division {
        Some(division) => name(division)?,
        None => desk.subject().clone(),
    };
    let fields = parse_fields(&division, &args.fields)?;
    generator.warn_of_slips(&division, &desk, &fields);
    let mut options = Vec::new();
    if division != *desk.subject() {
        options.push(format!("--division {division}"));
    }
    if args.birth {
        options.push("--birth".to_owned());
    }
    options.extend(args.past.as_ref().map(|past| format!("--past {past}")));
    options.extend(args.events.iter().map(|event| format!("--event {event}")));
    options.extend(args.route.as_ref().map(|route| format!("--route {route}")));
    options.extend(args.sets.as_ref().map(|flag| format!("--sets {flag}")));
    if !args.clears.is_empty() {
        options.push(format!("--clears {}", args.clears.join(",")));
    }
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
        extras,
    };
    generator.carry_out(&request, args.how, command, &done, asked)
}

fn extras(args: &CmdArgs) -> Result<Extras, CliError> {
    let further = args.events.iter().skip(1).map(|event| {
        let overrides = Overrides::parse(None, Some(event)).map_err(overridden)?;
        overrides
            .event
            .ok_or_else(|| CliError::bug("an event without a name"))
    });
    let mut clears: Vec<Name> = Vec::new();
    for flag in &args.clears {
        let flag = name(flag)?;
        if !clears.contains(&flag) {
            clears.push(flag);
        }
    }
    Ok(Extras {
        further: further.collect::<Result<_, _>>()?,
        route: args.route.as_deref().map(str::parse).transpose()?,
        sets: args.sets.as_deref().map(name).transpose()?,
        clears,
        kept: Vec::new(),
    })
}
