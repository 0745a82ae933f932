//! `hecate gen desk qry`: an answer from a table.

use serde::Serialize;

use super::Draft;
use crate::error::CliError;
use crate::generate::contexts::{DivisionCx, SourceCx, bad_text, falling, other_text, words};
use crate::generate::fields::FieldType;
use crate::generate::request::Request;
use crate::generate::route::check_free;
use crate::generate::tree::{CommandDesk, DivisionTree};
use crate::names::{Name, near, plural};

#[derive(Serialize)]
struct QueryCx {
    division: DivisionCx,
    desk: DeskCx,
    table: TableCx,
    /// The column of a `by-field`.
    field: Option<FieldRef>,
    fields: Vec<FieldRef>,
    /// The desk whose command makes a row for the tests.
    source: Option<SourceCx>,
}

#[derive(Serialize)]
struct DeskCx {
    snake: String,
    route: String,
    route_format: String,
    /// The route without its parameter.
    base: String,
}

#[derive(Serialize)]
struct TableCx {
    path: String,
    const_name: String,
    /// What a row is, for messages.
    thing: String,
    /// Whether it is the division's own.
    is_main: bool,
}

#[derive(Serialize)]
struct FieldRef {
    name: String,
    words: String,
    other_text: String,
    bad_text: &'static str,
    /// Two of its values in Rust, the greater one first; the sample is `sample`.
    falling: String,
    source: Option<SourceCx>,
}

/// A column that can be asked for.
struct Column<'t> {
    name: String,
    kind: FieldType,
    /// The desk whose command fills it.
    desk: Option<&'t CommandDesk>,
}

/// A table that can be asked.
struct Table<'t> {
    cx: TableCx,
    columns: Vec<Column<'t>>,
    source: Option<&'t CommandDesk>,
}

/// `hecate gen desk qry`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewQuery {
    pub(crate) kind: QueryKind,
    pub(crate) subject: Name,
    pub(crate) fields: Vec<Name>,
    pub(crate) division: Name,
}

/// What a query desk answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum QueryKind {
    /// One row, by its id
    ById,
    /// The rows with one value in a column
    ByField,
    /// Rows, page by page
    Page,
    /// The rows that contain a text
    Search,
    /// The number of rows
    Count,
}

impl QueryKind {
    /// As it is given on the command line.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::ById => "by-id",
            Self::ByField => "by-field",
            Self::Page => "page",
            Self::Search => "search",
            Self::Count => "count",
        }
    }
}

impl Request for NewQuery {
    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), CliError> {
        let tree = draft.division(&self.division)?;
        let table = table(&tree, &self.subject)?;
        let kind = self.kind;
        let (name, base) = name(self)?;
        let place = format!(
            "divisions/{}/src/{}/{name}",
            self.division, tree.departments.qry
        );
        let answers: Vec<_> = self
            .fields
            .iter()
            .map(|field| field.snake().to_owned())
            .collect();
        let record = format!("{}/{name}", self.division);
        let template = format!("query-{}", kind.word());
        if draft.is_there(&template, &record, &place, &answers)? {
            draft.touch_division(&self.division);
            return Ok(());
        }
        let chosen = chosen(self, &table)?;
        let route = match kind {
            QueryKind::ById => format!("{base}/{{id}}"),
            QueryKind::ByField => format!("{base}/{{value}}"),
            QueryKind::Page => base.clone(),
            QueryKind::Search => format!("{base}/search"),
            QueryKind::Count => format!("{base}/count"),
        };
        check_free(draft.view(), "GET", &route, &place)?;
        let source = match chosen.first() {
            Some(column) if kind == QueryKind::ByField => column.desk,
            _ => table.source,
        };
        let field_ref = |column: &&Column<'_>| FieldRef {
            words: column.name.replace('_', " "),
            name: column.name.clone(),
            other_text: other_text(&column.kind),
            bad_text: bad_text(&column.kind),
            falling: falling(&column.kind, "sample"),
            source: column.desk.and_then(SourceCx::of),
        };
        let context = QueryCx {
            division: DivisionCx::new(&draft.plugin()?, &tree),
            desk: DeskCx {
                snake: name.snake().to_owned(),
                route_format: route.clone(),
                route,
                base,
            },
            field: chosen.first().map(field_ref),
            fields: chosen.iter().map(field_ref).collect(),
            source: source.and_then(SourceCx::of),
            table: table.cx,
        };
        draft.seed(&template, &record, answers, &context)?;
        draft.touch_division(&self.division);
        Ok(())
    }
}

/// The table that is asked about: the division's own, or that of a projection.
fn table<'t>(tree: &'t DivisionTree, subject: &Name) -> Result<Table<'t>, CliError> {
    let wanted = plural(subject);
    let prj = &tree.departments.prj;
    let const_name = wanted.snake().to_ascii_uppercase();
    let thing = subject.snake().to_owned();
    if wanted == plural(&tree.subject) {
        let columns = tree
            .columns()
            .into_iter()
            .map(|(name, (kind, desk))| Column {
                name: name.to_owned(),
                kind: kind.clone(),
                desk: Some(desk).filter(|desk| fills(desk, name)),
            });
        return Ok(Table {
            columns: columns.collect(),
            cx: TableCx {
                path: format!("{prj}::{const_name}"),
                const_name,
                thing,
                is_main: true,
            },
            source: tree.birth(),
        });
    }
    for desk in &tree.projections {
        let is_wanted = |name: &str| Name::parse(name).is_ok_and(|name| plural(&name) == wanted);
        if !desk.table.as_deref().is_some_and(is_wanted) {
            continue;
        }
        let const_name = desk.table_const.clone().unwrap_or(const_name);
        let feeds = |command: &&CommandDesk| {
            command
                .events
                .iter()
                .any(|event| desk.events.contains(&event.module))
        };
        let source = tree.commands.iter().find(feeds);
        let of_column = |name: &str| {
            let has = |command: &&CommandDesk| {
                let events = command
                    .events
                    .iter()
                    .filter(|event| desk.events.contains(&event.module));
                events
                    .flat_map(|event| &event.fields)
                    .any(|field| field.name.snake() == name)
            };
            tree.commands.iter().find(has)
        };
        let columns = desk.columns.iter().map(|(name, kind)| Column {
            name: name.clone(),
            kind: kind.clone(),
            desk: of_column(name).filter(|desk| fills(desk, name)),
        });
        return Ok(Table {
            columns: columns.collect(),
            cx: TableCx {
                path: format!("{prj}::{}::projection::{const_name}", desk.folder.name),
                const_name,
                thing,
                is_main: false,
            },
            source,
        });
    }
    let mut known: Vec<String> = vec![plural(&tree.subject).snake().to_owned()];
    known.extend(
        tree.projections
            .iter()
            .filter_map(|desk| desk.table.clone()),
    );
    Err(CliError::cannot(format!("the division `{}` has no table `{wanted}`", tree.subject)).hint(format!(
        "it has {}; ask about one of them by its singular, or make a table with `hecate gen desk prj`",
        known.iter().map(|table| format!("`{table}`")).collect::<Vec<_>>().join(", ")
    )))
}

/// Whether the desk's command says what goes into the column. A new revision of its event may have more than that.
fn fills(desk: &CommandDesk, column: &str) -> bool {
    let fields = desk.fields.as_deref().unwrap_or_default();
    fields.iter().any(|field| field.name.snake() == column)
}

/// The desk's name, and the path that its route begins with.
fn name(request: &NewQuery) -> Result<(Name, String), CliError> {
    let (subject, plural) = (&request.subject, plural(&request.subject));
    let (name, base) = match request.kind {
        QueryKind::ById => (format!("get_{subject}_by_id"), format!("/{plural}")),
        QueryKind::Page => (format!("get_{plural}_page"), format!("/{plural}")),
        QueryKind::Search => (format!("search_{plural}"), format!("/{plural}")),
        QueryKind::Count => (format!("count_{plural}"), format!("/{plural}")),
        QueryKind::ByField => {
            let [field] = request.fields.as_slice() else {
                return Err(
                    CliError::usage("a query by field needs exactly one field").hint(format!(
                        "for instance: `hecate gen desk qry by-field {subject} note`"
                    )),
                );
            };
            (
                format!("get_{plural}_by_{field}"),
                format!("/{plural}/by-{field}"),
            )
        }
    };
    let name = Name::parse_composite(&name)
        .map_err(|error| CliError::because(format!("`{name}` is no name for a desk"), error))?;
    Ok((name, base))
}

/// The columns that the query is about.
fn chosen<'c, 't>(
    request: &NewQuery,
    table: &'c Table<'t>,
) -> Result<Vec<&'c Column<'t>>, CliError> {
    let text = |column: &&Column<'_>| column.kind == FieldType::String;
    if matches!(request.kind, QueryKind::ById | QueryKind::Count) && !request.fields.is_empty() {
        return Err(CliError::usage(format!(
            "a query `{}` takes no fields",
            request.kind.word()
        )));
    }
    if request.kind == QueryKind::Search && request.fields.is_empty() {
        let all: Vec<_> = table.columns.iter().filter(text).collect();
        if all.is_empty() {
            return Err(
                CliError::cannot("there is no column with text to search in")
                    .hint("give a desk a field of type `string` first"),
            );
        }
        return Ok(all);
    }
    let mut chosen = Vec::new();
    for field in &request.fields {
        let column = table
            .columns
            .iter()
            .find(|column| column.name == field.snake());
        let column = column.ok_or_else(|| unknown_column(field, table))?;
        if request.kind == QueryKind::Search && !text(&column) {
            return Err(CliError::cannot(format!(
                "`{field}` is of type {}, and only text can be searched",
                column.kind
            )));
        }
        chosen.push(column);
    }
    Ok(chosen)
}

fn unknown_column(field: &Name, table: &Table<'_>) -> CliError {
    let error = CliError::cannot(format!(
        "there is no column `{}` to ask for",
        words(field).replace(' ', "_")
    ));
    let known: Vec<Name> = table
        .columns
        .iter()
        .filter_map(|column| Name::parse(&column.name).ok())
        .collect();
    if known.is_empty() {
        return error.hint("the table has no columns of its own yet: give a desk fields first");
    }
    match near(&known, field) {
        Some(near) => error.hint(format!("did you mean `{}`?", near.name)),
        None => {
            let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
            error.hint(format!("the table's columns are {}", known.join(", ")))
        }
    }
}
