//! `hecate gen desk prj`: a table of its own, made from one or several events.

use serde::Serialize;

use super::{Draft, known_event};
use crate::error::CliError;
use crate::generate::contexts::{DivisionCx, EventCx, FieldCx, fields};
use crate::generate::fields::FieldSpec;
use crate::generate::request::Request;
use crate::generate::tree::{DivisionTree, EventFile};
use crate::names::{self, Name, plural};

#[derive(Serialize)]
struct ProjectionCx {
    division: DivisionCx,
    desk: DeskCx,
    table: TableCx,
    events: Vec<EventCx>,
    fields: Vec<FieldCx>,
    /// Whether the events are all that the division has.
    exhaustive: bool,
    /// An event that the table does not take, if there is one.
    spared: Option<EventCx>,
}

#[derive(Serialize)]
struct DeskCx {
    snake: String,
}

#[derive(Serialize)]
struct TableCx {
    name: String,
    const_name: String,
}

/// `hecate gen desk prj`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewProjection {
    /// Events, with a revision or the newest.
    pub(crate) events: Vec<(Name, Option<u32>)>,
    pub(crate) table: Name,
    pub(crate) division: Name,
}

impl Request for NewProjection {
    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), CliError> {
        let subject = &self.division;
        let tree = draft.division(subject)?;
        let events = self
            .events
            .iter()
            .map(|(name, revision)| event(&tree, name, *revision));
        let events: Vec<&EventFile> = events.collect::<Result<_, _>>()?;
        if let Some(twice) = (1..events.len()).find(|nth| events[..*nth].contains(&events[*nth])) {
            return Err(CliError::usage(format!(
                "the event `{}` is given twice",
                events[twice].versioned
            ))
            .hint("name each event once"));
        }
        let Some(first) = events.first() else {
            return Err(CliError::usage("a projection needs at least one event"));
        };
        let table = &self.table;
        let name = match events.as_slice() {
            [one] => one.versioned.name().clone(),
            _ => composite(&format!("{subject}_lifecycle_to_{table}"))?,
        };
        let place = format!("divisions/{subject}/src/{}/{name}", tree.departments.prj);
        let mut answers: Vec<_> = events
            .iter()
            .map(|event| event.versioned.to_string())
            .collect();
        answers.push(format!("--table={table}"));
        let record = format!("{subject}/{name}");
        if draft.is_there("projection", &record, &place, &answers)? {
            draft.touch_division(subject);
            return Ok(());
        }
        check_table(&tree, table)?;
        let columns = columns(&events)?;
        let spared = tree
            .events()
            .find(|event| !event.is_told_as_next && !events.contains(event))
            .map(|event| EventCx::of(subject, event));
        let context = ProjectionCx {
            division: DivisionCx::new(&draft.plugin()?, &tree),
            desk: DeskCx {
                snake: name.snake().to_owned(),
            },
            table: TableCx {
                name: table.snake().to_owned(),
                const_name: table.snake().to_ascii_uppercase(),
            },
            fields: fields(&columns, first.versioned.name()).0,
            exhaustive: spared.is_none(),
            spared,
            events: events
                .iter()
                .map(|event| EventCx::of(subject, event))
                .collect(),
        };
        draft.seed("projection", &record, answers, &context)?;
        draft.touch_division(subject);
        Ok(())
    }
}

fn event<'t>(
    tree: &'t DivisionTree,
    name: &Name,
    revision: Option<u32>,
) -> Result<&'t EventFile, CliError> {
    let event = known_event(tree, name, revision)?;
    if event.is_told_as_next {
        let error = format!("`{}` is told as a newer revision", event.versioned);
        return Err(CliError::cannot(error).hint(format!("take the newest: `{name}`")));
    }
    Ok(event)
}

/// Two projections on one table would race each other.
fn check_table(tree: &DivisionTree, table: &Name) -> Result<(), CliError> {
    names::check_table(table).map_err(|error| {
        CliError::usage(error.to_string())
            .hint(format!("call it `{}`, for instance", error.suggestion()))
    })?;
    let own = plural(&tree.subject);
    if own == plural(table) {
        return Err(CliError::cannot(if own == *table {
            format!("`{table}` is the division's own table, which every desk's columns go into")
        } else {
            format!("`{table}` cannot be told from the division's own table, `{own}`")
        })
        .hint("give the projection a table of its own, such as `--table confirmed_orders`"));
    }
    // A table is asked about by its singular, so that singular and plural are one.
    let same = |known: &&str| Name::parse(known).is_ok_and(|known| plural(&known) == plural(table));
    let taken = tree
        .projections
        .iter()
        .find_map(|desk| Some((desk, desk.table.as_deref().filter(same)?)));
    match taken {
        Some((desk, known)) => Err(CliError::cannot(format!(
            "the desk `{}` writes the table `{known}` already",
            desk.folder.name
        ))
        .hint(
            "one projection for all events of a table: name them together, or take another table",
        )),
        None => Ok(()),
    }
}

/// The fields of all events, each once.
fn columns(events: &[&EventFile]) -> Result<Vec<FieldSpec>, CliError> {
    let mut columns: Vec<FieldSpec> = Vec::new();
    for field in events.iter().flat_map(|event| &event.fields) {
        match columns.iter().find(|known| known.name == field.name) {
            None => columns.push(field.clone()),
            Some(known) if known.kind == field.kind => {}
            Some(known) => {
                return Err(CliError::cannot(format!(
                    "the events disagree on the type of `{}`: {} and {}",
                    field.name, known.kind, field.kind
                ))
                .hint("give each of them a projection of its own"));
            }
        }
    }
    Ok(columns)
}

fn composite(name: &str) -> Result<Name, CliError> {
    Name::parse_composite(name)
        .map_err(|error| CliError::because(format!("`{name}` is no name for a desk"), error))
}
