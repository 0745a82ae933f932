//! `hecate gen desk cmd`: command, decision, event, state, columns, route and tests, in one folder.

use serde::Serialize;

use super::Draft;
use crate::error::CliError;
use crate::generate::contexts::{DivisionCx, EnumCx, EventCx, FieldCx, fields, imports};
use crate::generate::fields::{FieldSpec, FieldType};
use crate::generate::request::Request;
use crate::generate::tree::DivisionTree;
use crate::names::{Desk, DeskError, EventError, Name, Overrides, Versioned};

/// Greatest status bit: JSON numbers are exact up to 2^53.
const LAST_BIT: u32 = 52;

#[derive(Serialize)]
struct CommandCx {
    division: DivisionCx,
    desk: DeskCx,
    event: EventCx,
    fields: Vec<FieldCx>,
    enums: Vec<EnumCx>,
    imports: Vec<&'static str>,
    /// Whether the division has a desk that puts things away, so that others look whether it has.
    archivable: bool,
}

#[derive(Serialize)]
struct DeskCx {
    snake: String,
    sentence: String,
    /// `confirm_order_v1`
    command: String,
    /// `ConfirmOrderV1`
    command_type: String,
    route: String,
    /// The route as a format string with `id` in it.
    route_format: String,
    birth: bool,
}

/// `hecate gen desk cmd`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewCommand {
    pub(crate) verb: Name,
    pub(crate) subject: Name,
    pub(crate) fields: Vec<FieldSpec>,
    pub(crate) division: Name,
    pub(crate) birth: bool,
    pub(crate) overrides: Overrides,
}

impl Request for NewCommand {
    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), CliError> {
        let known = crate::generate::divisions_in(draft.view());
        let desk = desk_of(&self.verb, &self.subject, &known)?;
        let tree = draft.division(&self.division)?;
        let subject = &self.division;
        let name = desk.name();
        let place = format!("divisions/{subject}/src/{}/{name}", tree.departments.cmd);
        let event = desk
            .event(&self.overrides)
            .map_err(|error| event_error(error, &desk))?;
        let record = format!("{subject}/{name}");
        // A desk that initiates is a birth, said or not.
        let birth = self.birth || (desk.verb().snake() == "initiate" && desk.subject() == subject);
        let answers = answers(self, &event, &desk, birth);
        if draft.is_there("command", &record, &place, &answers)? {
            draft.touch_division(subject);
            return Ok(());
        }
        if let Some(taken) = tree.event(event.name(), None) {
            return Err(CliError::cannot(format!(
                "the event `{}` exists already, in the desk `{}`",
                event.name(),
                taken.desk
            ))
            .hint("give the desk another verb, or the event another name with `--event`"));
        }
        check_columns(&tree, &self.fields)?;
        let (fields, enums) = fields(&self.fields, event.name());
        let route = route(&desk, subject, birth);
        let archive = format!("archive_{subject}");
        let context = CommandCx {
            division: DivisionCx::new(&draft.plugin()?, &tree),
            event: EventCx::new(subject, &name, &event, next_bit(draft, &tree)?),
            desk: DeskCx {
                sentence: name.title(),
                command: desk.command().to_string(),
                command_type: desk.command().type_name(),
                route_format: route.clone(),
                route,
                birth,
                snake: name.snake().to_owned(),
            },
            fields,
            enums,
            imports: imports(&self.fields),
            archivable: tree.archive().is_some() || name.snake() == archive,
        };
        draft.seed("command", &record, answers, &context)?;
        draft.touch_division(subject);
        Ok(())
    }
}

/// Verb and subject as the desk that they name.
pub(crate) fn desk_of(verb: &Name, subject: &Name, known: &[Name]) -> Result<Desk, CliError> {
    Desk::new(verb, subject, known).map_err(|error| {
        let no_subject = matches!(error, DeskError::NoSubject { .. });
        let shown = CliError::usage(format!("`{verb} {subject}` names no desk: {error}"));
        if no_subject {
            return shown.hint("name what it is about too: `hecate gen desk cmd confirm order`");
        }
        shown.hint("a desk is named by a verb and a subject: `confirm` and `order`")
    })
}

fn event_error(error: EventError, desk: &Desk) -> CliError {
    CliError::because(
        format!("the desk `{}` has no good name for its event", desk.name()),
        error,
    )
    .hint("name the event with `--event`, or its past tense with `--past`")
}

/// What decides what is generated, in the command line's words.
fn answers(request: &NewCommand, event: &Versioned, desk: &Desk, birth: bool) -> Vec<String> {
    let mut answers: Vec<_> = request.fields.iter().map(FieldSpec::to_string).collect();
    if birth {
        answers.push("--birth".to_owned());
    }
    let usual = desk.event(&crate::names::Overrides::default());
    if usual.map_or(true, |usual| usual != *event) {
        answers.push(format!("--event={}", event.name()));
    }
    answers
}

fn route(desk: &Desk, division: &Name, birth: bool) -> String {
    let plural = crate::names::plural(division);
    // A desk about something else than its division needs its whole name to be told apart.
    let step = if desk.subject() == division {
        desk.verb().clone()
    } else {
        desk.name()
    };
    if birth {
        format!("/{plural}/{step}")
    } else {
        format!("/{plural}/{{id}}/{step}")
    }
}

/// The next status bit that no event has and none had.
fn next_bit(draft: &Draft<'_>, tree: &DivisionTree) -> Result<u64, CliError> {
    let retired = retired_bits(draft)?;
    let taken = tree
        .events()
        .fold(retired, |taken, event| taken | event.sets);
    let free = (0..=LAST_BIT)
        .map(|bit| 1 << bit)
        .find(|bit| taken & bit == 0);
    free.ok_or_else(|| {
        CliError::cannot(format!(
            "all {} status bits of the division `{}` are taken",
            LAST_BIT + 1,
            tree.subject
        ))
        .hint(
            "a division with so many steps is several: make another one with `hecate gen division`",
        )
    })
}

/// Bits of events that are gone: `contracts/flags.toml` lists them, and only grows.
fn retired_bits(draft: &Draft<'_>) -> Result<u64, CliError> {
    let Some(text) = draft.view().text("contracts/flags.toml")? else {
        return Ok(0);
    };
    let document: toml_edit::DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| {
            CliError::because("`contracts/flags.toml` cannot be read", error)
        })?;
    let bits = document
        .get("retired")
        .and_then(toml_edit::Item::as_array)
        .into_iter()
        .flatten();
    Ok(bits
        .filter_map(toml_edit::Value::as_integer)
        .fold(0, |all, bit| all | bit.cast_unsigned()))
}

/// A column may be written by several desks, if they agree on its type.
fn check_columns(tree: &DivisionTree, fields: &[FieldSpec]) -> Result<(), CliError> {
    let columns = tree.columns();
    for field in fields {
        let Some((kind, desk)) = columns.get(field.name.snake()) else {
            continue;
        };
        if **kind != field.kind {
            let name = &field.name;
            return Err(CliError::cannot(format!(
                "the field `{name}` would be {}, but the desk `{}` writes a column `{name}` of type {kind}",
                spoken(&field.kind),
                desk.folder.name
            ))
            .hint(format!("use `{name}:{kind}` to write the same column, or another name")));
        }
    }
    Ok(())
}

fn spoken(kind: &FieldType) -> String {
    format!("of type {kind}")
}
