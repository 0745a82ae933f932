//! `hecate gen desk qry`: a desk that answers a question.

use super::generator::{Generator, in_division, spoken};
use super::words::{name, subject};
use crate::carry_out::CarryOutArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::generate::{NewQuery, QueryKind};
use crate::names::plural;
use crate::prompts::Prompts;

/// Make a desk that answers a question: `hecate gen desk qry by-field order note`
#[derive(Debug, Default, clap::Args)]
pub(crate) struct QryArgs {
    /// What is asked
    #[arg(value_enum)]
    pub(crate) kind: Option<QueryKind>,
    /// About what: `order`
    pub(crate) subject: Option<String>,
    /// The columns that it is about
    #[arg(value_name = "FIELD")]
    pub(crate) fields: Vec<String>,
    /// The division that it belongs to [default: the one of its subject]
    #[arg(long, value_name = "D")]
    pub(crate) division: Option<String>,
    #[command(flatten)]
    pub(crate) how: CarryOutArgs,
}

pub(super) fn run(mut args: QryArgs, cx: &Context) -> Result<(), CliError> {
    let generator = Generator::open(cx)?;
    let asked = args.kind.is_none() || args.subject.is_none();
    if asked {
        let missing = match args.kind {
            None => {
                "`hecate gen desk qry` needs a kind (by-id, by-field, page, search or count) and a SUBJECT"
            }
            Some(_) => "`hecate gen desk qry` needs a SUBJECT",
        };
        let example = "hecate gen desk qry by-field order note";
        Prompts::of(cx, missing, example)?.query(&mut args, &generator.tables()?)?;
    }
    let kind = args.kind.unwrap_or(QueryKind::Page);
    let subject = subject(args.subject.as_deref().unwrap_or_default())?;
    let fields = args
        .fields
        .iter()
        .map(|field| name(field))
        .collect::<Result<Vec<_>, _>>()?;
    let division = match &args.division {
        Some(division) => name(division)?,
        None => generator.division_of_table(&subject)?,
    };
    let options = in_division(args.division.as_deref());
    let command = spoken(
        "hecate gen desk qry",
        &[kind.word(), subject.snake()],
        &args.fields,
        &options,
    );
    let done = format!("made the query {} of {}", kind.word(), plural(&subject));
    let request = NewQuery {
        kind,
        subject,
        fields,
        division,
    };
    generator.carry_out(&request, args.how, command, &done, asked)
}
