//! Owned files: what follows from the directory tree, rewritten each time. A new desk needs no line in anybody's file.

use std::collections::BTreeMap;

use hecate_templates::{Catalog, Rendered};
use serde::Serialize;

use super::contexts::{
    DivisionCx, EventCx, FieldCx, FlagCx, SourceCx, body_sample, fields, package,
};
use super::format::Formatter;
use super::frontend;
use super::integrations;
use super::plan::Plan;
use super::tree::{CommandDesk, DivisionTree, EventFile, Folder, divisions_in, read_division};
use crate::error::CliError;
use crate::names::{Name, plural};
use crate::project::{RelPath, View};

/// Brings every owned file of a project up to date.
pub(crate) fn refresh(
    view: &View,
    plugin: &str,
    catalog: &Catalog,
    formatter: Formatter,
) -> Result<Plan, CliError> {
    let mut wanted = root_files(view, plugin, catalog)?;
    for subject in &divisions_in(view) {
        let tree = read_division(view, subject)?;
        wanted.extend(division_files(&tree, plugin, catalog)?);
        wanted.extend(frontend::types(view, &tree, catalog)?);
    }
    formatter.format(&mut wanted, view)?;
    Ok(Plan::between(view, wanted))
}

/// The owned files of the plugin's own package, and of its frontend.
pub(super) fn root_files(
    view: &View,
    plugin: &str,
    catalog: &Catalog,
) -> Result<BTreeMap<RelPath, Vec<u8>>, CliError> {
    #[derive(Serialize)]
    struct Root {
        divisions: Vec<Crate>,
    }
    #[derive(Serialize)]
    struct Crate {
        crate_name: String,
    }
    let crate_of = |subject: &Name| Crate {
        crate_name: package(plugin, subject).replace('-', "_"),
    };
    let mut files = frontend::screens(view, catalog)?;
    files.extend(integrations::files(view, catalog)?);
    let subjects = divisions_in(view);
    // A plugin without divisions needs no list of them, unless it names one.
    let names_list = view
        .text("src/lib.rs")?
        .is_some_and(|text| text.contains("mod divisions;"));
    if !subjects.is_empty() || names_list || view.has("src/divisions.rs") {
        let divisions = subjects.iter().map(crate_of).collect();
        files.extend(render(catalog, "owned", &Root { divisions })?);
    }
    Ok(files)
}

/// The owned files of one division.
pub(super) fn division_files(
    tree: &DivisionTree,
    plugin: &str,
    catalog: &Catalog,
) -> Result<BTreeMap<RelPath, Vec<u8>>, CliError> {
    let division = DivisionCx::new(plugin, tree);
    let mut files = render(catalog, "owned-division", &composition(tree, &division)?)?;
    for desk in &tree.commands {
        files.extend(render(
            catalog,
            "owned-slice",
            &command_slice(tree, &division, desk),
        )?);
    }
    for desk in &tree.projections {
        let mut slice = Slice::new(&division, &division.prj, &desk.folder);
        slice.desk.is_projection = true;
        slice.desk.indexes = desk
            .table
            .as_deref()
            .and_then(|table| Name::parse(table).ok())
            .map(|table| indexes(tree, plural(&table).snake()))
            .unwrap_or_default();
        let declared = |column: &String| desk.columns.iter().any(|(name, _)| name == column);
        slice.desk.indexes.retain(declared);
        files.extend(render(catalog, "owned-slice", &slice)?);
    }
    for desk in &tree.queries {
        files.extend(render(
            catalog,
            "owned-slice",
            &Slice::new(&division, &division.qry, &desk.folder),
        )?);
    }
    Ok(files)
}

/// Everything of a division that is composed of its desks.
#[derive(Serialize)]
struct Composition<'a> {
    division: &'a DivisionCx,
    commands: Vec<DeskRef>,
    projections: Vec<DeskRef>,
    queries: Vec<DeskRef>,
    /// Everything that can happen, each in its newest revision.
    events: Vec<EventCx>,
    /// Revisions that are told as newer ones.
    older: Vec<EventCx>,
    /// Status bits that are no event's own.
    flags: Vec<FlagCx>,
    /// Type of the event that puts a thing away, if there is one.
    archived: Option<String>,
    /// What brings a sample into being.
    birth: SourceCx,
    births: Vec<EventCx>,
    archives: Vec<EventCx>,
    /// Modules of desks with routes.
    routed: Vec<String>,
    /// Desks in the order of their columns: what a thing is born with comes first.
    column_desks: Vec<String>,
    indexes: Vec<String>,
}

#[derive(Serialize)]
struct DeskRef {
    snake: String,
    /// A body for its command.
    sample: Option<String>,
    /// Whether its command can be dispatched by name.
    named: bool,
    /// Whether it brings something into being.
    birth: bool,
}

fn composition<'a>(
    tree: &DivisionTree,
    division: &'a DivisionCx,
) -> Result<Composition<'a>, CliError> {
    let subject = &tree.subject;
    let desk_ref = |folder: &Folder| DeskRef {
        snake: folder.name.snake().to_owned(),
        sample: None,
        named: false,
        birth: false,
    };
    let command_ref = |desk: &CommandDesk| DeskRef {
        sample: desk
            .fields
            .as_ref()
            .map(|fields| body_sample(fields).to_string()),
        named: desk.folder.has("handle"),
        birth: desk.is_birth,
        ..desk_ref(&desk.folder)
    };
    let first_event = |desk: Option<&CommandDesk>| -> Vec<EventCx> {
        desk.and_then(CommandDesk::first_event)
            .map(|event| EventCx::of(subject, event))
            .into_iter()
            .collect()
    };
    let birth = tree.birth();
    let source = birth.and_then(SourceCx::of).ok_or_else(|| {
        CliError::cannot(format!(
            "the division `{subject}` has no desk that brings {} into being",
            division.a_word
        ))
        .hint(format!(
            "every division needs one: `hecate gen desk cmd initiate {subject} --birth`"
        ))
    })?;
    let mut routed = Vec::new();
    let departments = &tree.departments;
    let all = tree
        .commands
        .iter()
        .map(|desk| (&departments.cmd, &desk.folder));
    let all = all.chain(
        tree.queries
            .iter()
            .map(|desk| (&departments.qry, &desk.folder)),
    );
    for (department, folder) in all.filter(|(_, folder)| folder.has("route")) {
        routed.push(format!("{department}::{}", folder.name));
    }
    let name = |desk: &CommandDesk| desk.folder.name.snake().to_owned();
    let (births, others): (Vec<_>, Vec<_>) = tree.commands.iter().partition(|desk| desk.is_birth);
    let column_desks = births.into_iter().chain(others).map(name).collect();
    let columns = tree.columns();
    let indexes = indexes(tree, &division.plural)
        .into_iter()
        .filter(|column| columns.contains_key(column.as_str()));
    Ok(Composition {
        commands: tree.commands.iter().map(command_ref).collect(),
        projections: tree
            .projections
            .iter()
            .map(|desk| desk_ref(&desk.folder))
            .collect(),
        queries: tree
            .queries
            .iter()
            .map(|desk| desk_ref(&desk.folder))
            .collect(),
        events: tree
            .events()
            .filter(|event| !event.is_told_as_next)
            .map(|event| EventCx::of(subject, event))
            .collect(),
        older: older(tree),
        flags: tree.flags.iter().map(FlagCx::of).collect(),
        archived: tree
            .archive()
            .and_then(CommandDesk::first_event)
            .map(|event| event.type_name.clone()),
        birth: source,
        births: first_event(birth),
        archives: first_event(tree.archive()),
        routed,
        column_desks,
        indexes: indexes.collect(),
        division,
    })
}

/// The revisions that are told as newer ones.
fn older(tree: &DivisionTree) -> Vec<EventCx> {
    let older = tree.events().filter(|event| event.is_told_as_next);
    let told = |event: &EventFile| {
        let newest = tree.event(event.versioned.name(), None)?;
        let mut cx = EventCx::of(&tree.subject, event);
        cx.newest.clone_from(&newest.type_name);
        Some(cx)
    };
    older.filter_map(told).collect()
}

/// The columns that query desks look rows up by: told by the name of a desk, `get_orders_by_note`, or named by a page's
/// filters.
fn indexes(tree: &DivisionTree, rows: &str) -> Vec<String> {
    let by = format!("get_{rows}_by_");
    let page = format!("get_{rows}_page");
    let mut indexes: Vec<String> = Vec::new();
    for desk in &tree.queries {
        let name = desk.folder.name.snake();
        let column = name.strip_prefix(&by).filter(|column| *column != "id");
        let filters = if name == page {
            desk.filters.as_slice()
        } else {
            &[]
        };
        for column in column.into_iter().chain(filters.iter().map(String::as_str)) {
            if !indexes.iter().any(|known| known == column) {
                indexes.push(column.to_owned());
            }
        }
    }
    indexes
}

/// One desk's own module file.
#[derive(Serialize)]
struct Slice<'a> {
    division: &'a DivisionCx,
    department: &'a str,
    desk: SliceDesk,
}

#[derive(Serialize)]
struct SliceDesk {
    snake: String,
    modules: Vec<String>,
    has_tests: bool,
    is_command: bool,
    fields: Vec<FieldCx>,
    events: Vec<String>,
    is_projection: bool,
    indexes: Vec<String>,
}

impl<'a> Slice<'a> {
    fn new(division: &'a DivisionCx, department: &'a str, folder: &Folder) -> Self {
        let desk = SliceDesk {
            snake: folder.name.snake().to_owned(),
            modules: folder.modules.clone(),
            has_tests: folder.has_tests,
            is_command: false,
            fields: Vec::new(),
            events: Vec::new(),
            is_projection: false,
            indexes: Vec::new(),
        };
        Self {
            division,
            department,
            desk,
        }
    }
}

fn command_slice<'a>(
    tree: &DivisionTree,
    division: &'a DivisionCx,
    desk: &CommandDesk,
) -> Slice<'a> {
    let mut slice = Slice::new(division, &division.cmd, &desk.folder);
    slice.desk.is_command = true;
    slice.desk.fields = fields(
        desk.fields.as_deref().unwrap_or_default(),
        &plural(&tree.subject),
    )
    .0;
    slice.desk.events = desk
        .newest_events()
        .map(|event| event.versioned.to_string())
        .collect();
    slice
}

/// Renders a kind into files by path.
pub(super) fn render<C: Serialize>(
    catalog: &Catalog,
    kind: &str,
    context: &C,
) -> Result<BTreeMap<RelPath, Vec<u8>>, CliError> {
    let rendered = catalog
        .render(kind, context)
        .map_err(|error| CliError::bug(format!("a template failed: {error}")).caused_by(error))?;
    let file = |Rendered { path, contents, .. }: Rendered| {
        let path = RelPath::new(path).map_err(|error| {
            CliError::because(format!("the template `{kind}` leaves the project"), error)
        })?;
        Ok((path, contents))
    };
    rendered.into_iter().map(file).collect()
}
