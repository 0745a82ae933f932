//! `hecate gen integration`: what the plugin tells others, hears from them, asks and answers, and what follows from what.

use hecate_manifest::{Topic, TopicFilter};

use super::generator::{Generator, spoken};
use super::words::{misnamed_event, name};
use crate::carry_out::CarryOutArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::generate::{
    NewEmitter, NewListener, NewProcessManager, NewRequester, NewResponder, parse_fields,
};
use crate::names::{Name, Versioned};
use crate::prompts::Prompts;

/// Make what reaches beyond one division: an emitter, a listener, a process manager, a requester, a responder
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct IntegrationArgs {
    #[command(subcommand)]
    kind: Option<IntegrationKind>,
    #[command(flatten)]
    how: CarryOutArgs,
}

#[derive(Debug, clap::Subcommand)]
enum IntegrationKind {
    Emitter(EmitterArgs),
    Listener(ListenerArgs),
    ProcessManager(ProcessArgs),
    Requester(RequesterArgs),
    Responder(ResponderArgs),
}

/// Tell others of an event: `hecate gen integration emitter order_confirmed --fact my-shop.order_confirmed`
#[derive(Debug, Default, clap::Args)]
struct EmitterArgs {
    /// The event, with or without its revision
    event: Option<String>,
    /// The topic of the fact: the name of this plugin, and what happened
    #[arg(long, value_name = "TOPIC")]
    fact: Option<String>,
    /// The division whose event it is [default: the only one that has it]
    #[arg(long, value_name = "D")]
    division: Option<String>,
    #[command(flatten)]
    how: CarryOutArgs,
}

/// Turn a fact of another plugin into a command: `hecate gen integration listener shop.order_confirmed --command book_entry`
#[derive(Debug, Default, clap::Args)]
struct ListenerArgs {
    /// The topic, or a filter: `shop.order_confirmed`, `shop.*`, `shop.>`
    topic: Option<String>,
    /// The command that follows
    #[arg(long, value_name = "COMMAND")]
    command: Option<String>,
    /// The division whose command it is [default: the only one that has it]
    #[arg(long, value_name = "D")]
    division: Option<String>,
    #[command(flatten)]
    how: CarryOutArgs,
}

/// Let an event lead to a command: `hecate gen integration process-manager order_confirmed --command initiate_parcel`
#[derive(Debug, Default, clap::Args)]
struct ProcessArgs {
    /// The event, with or without its revision
    event: Option<String>,
    /// The command that follows, of this or of another division
    #[arg(long, value_name = "COMMAND")]
    command: Option<String>,
    /// The division whose command it is [default: the only one that has it]
    #[arg(long, value_name = "D")]
    division: Option<String>,
    /// A field of the command that the event does not say, and its value
    #[arg(long, value_name = "FIELD=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    how: CarryOutArgs,
}

/// Ask something of another plugin: `hecate gen integration requester shop.place_order customer:string`
#[derive(Debug, Default, clap::Args)]
struct RequesterArgs {
    /// The hope: the name of the plugin that answers it, and what is asked
    hope: Option<String>,
    /// What is asked, as fields: `customer:string`
    #[arg(value_name = "FIELD")]
    fields: Vec<String>,
    #[command(flatten)]
    how: CarryOutArgs,
}

/// Answer a hope of another plugin: `hecate gen integration responder my-shop.place_order --command initiate_order`
#[derive(Debug, Default, clap::Args)]
struct ResponderArgs {
    /// The hope: the name of this plugin, and what is asked
    hope: Option<String>,
    /// The command that it leads to
    #[arg(long, value_name = "COMMAND")]
    command: Option<String>,
    /// The division whose command it is [default: the only one that has it]
    #[arg(long, value_name = "D")]
    division: Option<String>,
    #[command(flatten)]
    how: CarryOutArgs,
}

pub(super) fn run(args: IntegrationArgs, cx: &Context) -> Result<(), CliError> {
    let kind = match args.kind {
        Some(kind) => kind,
        None => {
            let missing = "`hecate gen integration` needs a kind (emitter, listener, process-manager, requester or responder) and what goes with it";
            let example =
                "hecate gen integration listener shop.order_confirmed --command book_entry";
            let kinds = [
                "emitter: tell others of an event",
                "listener: let a fact of another plugin lead to a command",
                "process-manager: let an event lead to a command",
                "requester: ask something of another plugin",
                "responder: answer what another plugin asks",
            ];
            let how = args.how;
            match Prompts::of(cx, missing, example)?.pick("What kind of integration", &kinds)? {
                0 => IntegrationKind::Emitter(EmitterArgs {
                    how,
                    ..EmitterArgs::default()
                }),
                1 => IntegrationKind::Listener(ListenerArgs {
                    how,
                    ..ListenerArgs::default()
                }),
                2 => IntegrationKind::ProcessManager(ProcessArgs {
                    how,
                    ..ProcessArgs::default()
                }),
                3 => IntegrationKind::Requester(RequesterArgs {
                    how,
                    ..RequesterArgs::default()
                }),
                _ => IntegrationKind::Responder(ResponderArgs {
                    how,
                    ..ResponderArgs::default()
                }),
            }
        }
    };
    match kind {
        IntegrationKind::Emitter(args) => emitter(args, cx),
        IntegrationKind::Listener(args) => listener(args, cx),
        IntegrationKind::ProcessManager(args) => process_manager(args, cx),
        IntegrationKind::Requester(args) => requester(args, cx),
        IntegrationKind::Responder(args) => responder(args, cx),
    }
}

fn emitter(mut args: EmitterArgs, cx: &Context) -> Result<(), CliError> {
    let generator = Generator::open(cx)?;
    let asked = args.event.is_none() || args.fact.is_none();
    if asked {
        let missing = missing(
            "emitter",
            &[
                ("an EVENT", args.event.is_none()),
                ("a `--fact TOPIC`", args.fact.is_none()),
            ],
        );
        let example =
            "hecate gen integration emitter order_confirmed --fact my-shop.order_confirmed";
        let prompts = Prompts::of(cx, &missing, example)?;
        let event = pick_event(&prompts, &generator, &mut args.event)?;
        if args.fact.is_none() {
            let usual = format!("{}.{event}", generator.plugin()?);
            args.fact = Some(prompts.usual("Topic of the fact", &usual, |text| {
                Topic::parse(text)
                    .map(drop)
                    .map_err(|error| CliError::usage(error.to_string()))
            })?);
        }
    }
    let text = args.event.unwrap_or_default();
    let request = NewEmitter {
        event: Versioned::split(&text).map_err(misnamed_event)?,
        topic: args.fact.unwrap_or_default(),
        division: args.division.as_deref().map(name).transpose()?,
    };
    let command = said(
        "emitter",
        &text,
        &[
            ("fact", Some(&request.topic)),
            ("division", args.division.as_ref()),
        ],
    );
    let done = format!(
        "made the emitter; every {text} is told on {}",
        request.topic
    );
    generator.carry_out(&request, args.how, command, &done, asked)
}

fn listener(mut args: ListenerArgs, cx: &Context) -> Result<(), CliError> {
    let generator = Generator::open(cx)?;
    let asked = args.topic.is_none() || args.command.is_none();
    if asked {
        let missing = missing(
            "listener",
            &[
                ("a TOPIC", args.topic.is_none()),
                ("a `--command COMMAND`", args.command.is_none()),
            ],
        );
        let example = "hecate gen integration listener shop.order_confirmed --command book_entry";
        let prompts = Prompts::of(cx, &missing, example)?;
        if args.topic.is_none() {
            args.topic = Some(prompts.wanted("Topic (shop.order_confirmed)", |text| {
                TopicFilter::parse(text)
                    .map(drop)
                    .map_err(|error| CliError::usage(error.to_string()))
            })?);
        }
        pick_command(&prompts, &generator, &mut args.command)?;
    }
    let request = NewListener {
        filter: args.topic.unwrap_or_default(),
        command: name(args.command.as_deref().unwrap_or_default())?,
        division: args.division.as_deref().map(name).transpose()?,
    };
    let command = said(
        "listener",
        &request.filter,
        &[
            ("command", args.command.as_ref()),
            ("division", args.division.as_ref()),
        ],
    );
    let done = format!(
        "made the listener; every fact on {} leads to {}",
        request.filter, request.command
    );
    generator.carry_out(&request, args.how, command, &done, asked)
}

fn process_manager(mut args: ProcessArgs, cx: &Context) -> Result<(), CliError> {
    let generator = Generator::open(cx)?;
    let asked = args.event.is_none() || args.command.is_none();
    if asked {
        let missing = missing(
            "process-manager",
            &[
                ("an EVENT", args.event.is_none()),
                ("a `--command COMMAND`", args.command.is_none()),
            ],
        );
        let example =
            "hecate gen integration process-manager order_confirmed --command initiate_parcel";
        let prompts = Prompts::of(cx, &missing, example)?;
        pick_event(&prompts, &generator, &mut args.event)?;
        pick_command(&prompts, &generator, &mut args.command)?;
    }
    let event = args.event.unwrap_or_default();
    let request = NewProcessManager {
        event: Versioned::split(&event).map_err(misnamed_event)?,
        command: name(args.command.as_deref().unwrap_or_default())?,
        division: args.division.as_deref().map(name).transpose()?,
        set: args
            .set
            .iter()
            .map(|text| setting(text))
            .collect::<Result<_, _>>()?,
    };
    let quoted: Vec<_> = args
        .set
        .iter()
        .map(|text| format!("'{}'", text.replace('\'', "'\\''")))
        .collect();
    let mut options = vec![
        ("command", args.command.as_ref()),
        ("division", args.division.as_ref()),
    ];
    options.extend(quoted.iter().map(|text| ("set", Some(text))));
    let command = said("process-manager", &event, &options);
    let done = format!(
        "made the process manager; every {event} leads to {}",
        request.command
    );
    generator.carry_out(&request, args.how, command, &done, asked)
}

fn requester(mut args: RequesterArgs, cx: &Context) -> Result<(), CliError> {
    let generator = Generator::open(cx)?;
    let asked = args.hope.is_none();
    if asked {
        let missing = missing("requester", &[("a HOPE", true)]);
        let example = "hecate gen integration requester shop.place_order customer:string";
        let prompts = Prompts::of(cx, &missing, example)?;
        args.hope = Some(prompts.wanted("Hope (shop.place_order)", is_hope)?);
        args.fields = prompts.fields(&name("hope")?)?;
    }
    let hope = args.hope.unwrap_or_default();
    let request = NewRequester {
        fields: parse_fields(&name("hope")?, &args.fields)?,
        hope: hope.clone(),
    };
    let command = spoken(
        "hecate gen integration",
        &["requester", &hope],
        &args.fields,
        &[],
    );
    let done = format!("made the requester; `Hopes::ask` and `Effect::ask` send {hope}");
    generator.carry_out(&request, args.how, command, &done, asked)
}

fn responder(mut args: ResponderArgs, cx: &Context) -> Result<(), CliError> {
    let generator = Generator::open(cx)?;
    let asked = args.hope.is_none() || args.command.is_none();
    if asked {
        let missing = missing(
            "responder",
            &[
                ("a HOPE", args.hope.is_none()),
                ("a `--command COMMAND`", args.command.is_none()),
            ],
        );
        let example =
            "hecate gen integration responder my-shop.place_order --command initiate_order";
        let prompts = Prompts::of(cx, &missing, example)?;
        pick_command(&prompts, &generator, &mut args.command)?;
        if args.hope.is_none() {
            let command = args.command.clone().unwrap_or_default();
            let usual = format!("{}.{command}", generator.plugin()?);
            args.hope = Some(prompts.usual("Hope", &usual, is_hope)?);
        }
    }
    let request = NewResponder {
        hope: args.hope.unwrap_or_default(),
        command: name(args.command.as_deref().unwrap_or_default())?,
        division: args.division.as_deref().map(name).transpose()?,
    };
    let options = [
        ("command", args.command.as_ref()),
        ("division", args.division.as_ref()),
    ];
    let command = said("responder", &request.hope, &options);
    let done = format!(
        "made the responder; {} leads to {}",
        request.hope, request.command
    );
    generator.carry_out(&request, args.how, command, &done, asked)
}

fn is_hope(text: &str) -> Result<(), CliError> {
    Topic::parse(text)
        .map(drop)
        .map_err(|error| CliError::usage(error.to_string()))
}

/// `note=not paid`
fn setting(text: &str) -> Result<(Name, String), CliError> {
    let (field, value) = text.split_once('=').ok_or_else(|| {
        CliError::usage(format!("`--set {text}` has no value")).hint("give it as `--set note=paid`")
    })?;
    Ok((name(field.trim())?, value.to_owned()))
}

/// What an incomplete command line lacks.
fn missing(kind: &str, parts: &[(&str, bool)]) -> String {
    let parts: Vec<_> = parts
        .iter()
        .filter(|(_, is_missing)| *is_missing)
        .map(|(part, _)| *part)
        .collect();
    format!(
        "`hecate gen integration {kind}` needs {}",
        parts.join(" and ")
    )
}

/// The whole command line.
fn said(kind: &str, about: &str, options: &[(&str, Option<&String>)]) -> String {
    let options: Vec<_> = options
        .iter()
        .filter_map(|(option, value)| Some(format!("--{option} {}", value.as_ref()?)))
        .collect();
    // A shell would take `*` and `>` for its own.
    let about = match about.contains(['*', '>']) {
        true => format!("'{about}'"),
        false => about.to_owned(),
    };
    spoken("hecate gen integration", &[kind, &about], &[], &options)
}

/// Asks for an event where none is given, and gives its name.
fn pick_event(
    prompts: &Prompts,
    generator: &Generator<'_>,
    event: &mut Option<String>,
) -> Result<String, CliError> {
    if let Some(given) = event {
        let (name, _) = Versioned::split(given).map_err(misnamed_event)?;
        return Ok(name.snake().to_owned());
    }
    let events = generator.events()?;
    let names: Vec<_> = events
        .iter()
        .map(|(_, event)| event.name().snake().to_owned())
        .collect();
    let nth = prompts.one_of("Event", &names, "there are no events yet")?;
    *event = Some(names[nth].clone());
    Ok(names[nth].clone())
}

/// Asks for a command where none is given.
fn pick_command(
    prompts: &Prompts,
    generator: &Generator<'_>,
    command: &mut Option<String>,
) -> Result<(), CliError> {
    if command.is_none() {
        let names = generator.commands()?;
        let nth = prompts.one_of("Command", &names, "there are no commands yet")?;
        *command = Some(names[nth].clone());
    }
    Ok(())
}
