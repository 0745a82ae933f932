//! `hecate gen division`: a bounded context with its first desks.

use super::generator::{Generator, spoken};
use super::words::{name, subject, taken};
use crate::carry_out::CarryOutArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::generate::{NewDivision, parse_fields, parse_flags};
use crate::names::{Closeness, check_thing, near, plural};
use crate::prompts::Prompts;

/// Make a division: a bounded context with its first desks
#[derive(Debug, clap::Args)]
pub(super) struct DivisionArgs {
    /// What it is about, as one thing: `order`, `kanban_card`
    subject: Option<String>,
    /// Fields of its first command: `note:string`, `total:decimal?`, `kind:enum:small,large`
    #[arg(value_name = "FIELD:TYPE")]
    fields: Vec<String>,
    /// Status bits beside those of its events, which desks set and clear: `open,shelved`
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    flags: Vec<String>,
    #[command(flatten)]
    how: CarryOutArgs,
}

pub(super) fn run(mut args: DivisionArgs, cx: &Context) -> Result<(), CliError> {
    let generator = Generator::open(cx)?;
    let asked = args.subject.is_none();
    if asked {
        let prompts = Prompts::of(
            cx,
            "`hecate gen division` needs a SUBJECT",
            "hecate gen division order total:decimal",
        )?;
        let subject = prompts.division_subject(&generator.divisions())?;
        if args.fields.is_empty() {
            args.fields = prompts.fields(&name(&subject)?)?;
        }
        if args.flags.is_empty() {
            args.flags = prompts.flags()?;
        }
        args.subject = Some(subject);
    }
    let subject = subject(args.subject.as_deref().unwrap_or_default())?;
    check_thing(&subject).map_err(|error| taken(&error))?;
    let fields = parse_fields(&subject, &args.fields)?;
    let flags = parse_flags(&args.flags)?;
    let divisions = generator.divisions();
    if let Some(near) = near(&divisions, &subject).filter(|_| !divisions.contains(&subject))
        && near.closeness == Closeness::Spelling
    {
        cx.printer().warn(&format!(
            "there is a division `{}`: is `{subject}` another thing, or a slip?",
            near.name
        ));
    }
    let options = match args.flags.as_slice() {
        [] => Vec::new(),
        flags => vec![format!("--flags {}", flags.join(","))],
    };
    let command = spoken(
        "hecate gen division",
        &[subject.snake()],
        &args.fields,
        &options,
    );
    let plural = plural(&subject);
    let done = format!(
        "made the division {subject}: POST /{plural}/initiate, POST /{plural}/{{id}}/archive, GET /{plural}/{{id}}, GET /{plural}"
    );
    generator.carry_out(
        &NewDivision {
            subject,
            fields,
            flags,
        },
        args.how,
        command,
        &done,
        asked,
    )
}
