//! The slices that there are: read from the directory tree, which is the only list of them.

use std::collections::BTreeMap;

use super::fields::{FieldSpec, FieldType};
use super::source::{self, Source};
use crate::error::CliError;
use crate::names::{Name, NameError, Versioned, plural};
use crate::project::View;

/// Module of a division that names its flags.
pub(crate) const FLAGS: &str = "flags";

/// Names of the departments of a division.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Departments {
    pub(crate) cmd: String,
    pub(crate) prj: String,
    pub(crate) qry: String,
}

impl Departments {
    /// Those of the division about `subject`.
    pub(crate) fn of(subject: &Name) -> Self {
        let plural = plural(subject);
        Self {
            cmd: format!("guide_{subject}_lifecycle"),
            prj: format!("project_{plural}"),
            qry: format!("query_{plural}"),
        }
    }
}

/// One division.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DivisionTree {
    pub(crate) subject: Name,
    pub(crate) departments: Departments,
    /// Modules of its crate's root, departments included.
    pub(crate) modules: Vec<String>,
    /// Status bits with a name of their own: those of `flags.rs`.
    pub(crate) flags: Vec<Flag>,
    pub(crate) commands: Vec<CommandDesk>,
    pub(crate) projections: Vec<ProjectionDesk>,
    pub(crate) queries: Vec<QueryDesk>,
}

/// A status bit that is no event's own: events set it and clear it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flag {
    /// Its constant: `SHELVED`.
    pub(crate) constant: String,
    pub(crate) bit: u64,
}

impl Flag {
    /// What it is called: `shelved`.
    pub(crate) fn name(&self) -> Option<Name> {
        Name::parse(&self.constant.to_ascii_lowercase()).ok()
    }
}

/// A desk's folder: its name, and the modules in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folder {
    pub(crate) name: Name,
    /// Without `mod` and `tests`.
    pub(crate) modules: Vec<String>,
    pub(crate) has_tests: bool,
}

impl Folder {
    pub(crate) fn has(&self, module: &str) -> bool {
        self.modules.iter().any(|known| known == module)
    }
}

/// A desk that takes a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandDesk {
    pub(crate) folder: Folder,
    /// Fields of the command, if there is one.
    pub(crate) fields: Option<Vec<FieldSpec>>,
    pub(crate) events: Vec<EventFile>,
    pub(crate) columns: Vec<(String, FieldType)>,
    pub(crate) is_birth: bool,
    /// Its route, if it has one: `/orders/{id}/confirm`.
    pub(crate) route: Option<String>,
}

impl CommandDesk {
    /// What it leads to, each event in its newest revision.
    pub(crate) fn newest_events(&self) -> impl Iterator<Item = &EventFile> {
        self.events.iter().filter(|event| !event.is_told_as_next)
    }

    /// The event that its names and samples are made from.
    pub(crate) fn first_event(&self) -> Option<&EventFile> {
        self.newest_events().next()
    }
}

/// An event in one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventFile {
    pub(crate) desk: Name,
    /// Its file, without extension: `order_confirmed_v1`.
    pub(crate) module: String,
    pub(crate) versioned: Versioned,
    pub(crate) type_name: String,
    pub(crate) fields: Vec<FieldSpec>,
    /// Status bits that it sets.
    pub(crate) sets: u64,
    /// Whether it has an upcaster: then nobody but the store sees it any more.
    pub(crate) is_told_as_next: bool,
}

/// A desk that keeps a table of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProjectionDesk {
    pub(crate) folder: Folder,
    pub(crate) table: Option<String>,
    pub(crate) table_const: Option<String>,
    pub(crate) columns: Vec<(String, FieldType)>,
    /// Modules of the events that its source names.
    pub(crate) events: Vec<String>,
}

/// A desk that answers a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueryDesk {
    pub(crate) folder: Folder,
    /// Its route, if it has one: `/orders/{id}`.
    pub(crate) route: Option<String>,
    /// The columns that a page can be filtered by, if it names them.
    pub(crate) filters: Vec<String>,
}

impl DivisionTree {
    /// Every event, in the order of desks and revisions.
    pub(crate) fn events(&self) -> impl Iterator<Item = &EventFile> {
        self.commands.iter().flat_map(|desk| &desk.events)
    }

    /// The event of this name, in its newest revision or the one that is asked for.
    pub(crate) fn event(&self, name: &Name, revision: Option<u32>) -> Option<&EventFile> {
        let named = self.events().filter(|event| event.versioned.name() == name);
        let wanted = named
            .filter(|event| revision.is_none_or(|revision| event.versioned.revision() == revision));
        wanted.max_by_key(|event| event.versioned.revision())
    }

    /// The desk that brings a new thing into being.
    pub(crate) fn birth(&self) -> Option<&CommandDesk> {
        let usual = format!("initiate_{}", self.subject);
        let births = || self.commands.iter().filter(|desk| desk.is_birth);
        births()
            .find(|desk| desk.folder.name.snake() == usual)
            .or_else(|| births().next())
    }

    /// The desk that puts a thing away.
    pub(crate) fn archive(&self) -> Option<&CommandDesk> {
        let name = format!("archive_{}", self.subject);
        self.commands
            .iter()
            .find(|desk| desk.folder.name.snake() == name && !desk.events.is_empty())
    }

    /// The columns of the division's own table: name, type, and the desk that declares it first.
    pub(crate) fn columns(&self) -> BTreeMap<&str, (&FieldType, &CommandDesk)> {
        let mut columns = BTreeMap::new();
        for desk in &self.commands {
            for (name, kind) in &desk.columns {
                columns.entry(name.as_str()).or_insert((kind, desk));
            }
        }
        columns
    }

    /// The file of the flags, relative to the project.
    pub(crate) fn flags_path(&self) -> String {
        format!("divisions/{}/src/{FLAGS}.rs", self.subject)
    }

    /// A desk's folder, relative to the project.
    pub(crate) fn desk_path(&self, department: &str, folder: &Folder) -> String {
        format!(
            "divisions/{}/src/{department}/{}",
            self.subject, folder.name
        )
    }

    /// An event's file, relative to the project.
    pub(crate) fn event_path(&self, event: &EventFile) -> String {
        format!(
            "divisions/{}/src/{}/{}/{}.rs",
            self.subject, self.departments.cmd, event.desk, event.module
        )
    }

    /// Directory of the division, and of its package.
    pub(crate) fn dir(&self) -> &str {
        self.subject.snake()
    }
}

/// The divisions of a project: names of the folders in `divisions/` that hold a package.
pub(crate) fn divisions_in(view: &View) -> Vec<Name> {
    let folder = |path: &str| {
        path.strip_suffix("/Cargo.toml")
            .filter(|folder| !folder.contains('/'))
            .map(Name::parse)
    };
    view.below("divisions")
        .filter_map(|(path, _)| folder(path)?.ok())
        .collect()
}

/// The files of one desk's folder: module name and text.
type DeskFiles<'a> = Vec<(String, &'a [u8])>;

/// Reads the division about `subject`.
pub(crate) fn read_division(view: &View, subject: &Name) -> Result<DivisionTree, CliError> {
    let departments = Departments::of(subject);
    let src = format!("divisions/{subject}/src");
    let mut modules: Vec<String> = Vec::new();
    let mut flags: Vec<Flag> = Vec::new();
    let mut folders: BTreeMap<(String, String), DeskFiles<'_>> = BTreeMap::new();
    for (path, bytes) in view.below(&src) {
        let parts: Vec<_> = path.split('/').collect();
        match parts.as_slice() {
            [file] => {
                let module = file.strip_suffix(".rs");
                if module == Some(FLAGS) {
                    flags = flags_of(bytes, &format!("{src}/{path}"))?;
                }
                modules.extend(module.map(str::to_owned));
            }
            [dir, .., file] if *file == "mod.rs" || is_department(&departments, dir) => {
                modules.push((*dir).to_owned());
                if let [department, desk, file] = parts.as_slice()
                    && let Some(module) = file.strip_suffix(".rs")
                {
                    let key = ((*department).to_owned(), (*desk).to_owned());
                    folders
                        .entry(key)
                        .or_default()
                        .push((module.to_owned(), bytes));
                }
            }
            _ => {}
        }
    }
    modules.sort_unstable();
    modules.dedup();
    modules.retain(|module| module != "lib" && module != "samples");
    for department in [&departments.cmd, &departments.prj, &departments.qry] {
        if !modules.contains(department) {
            modules.push(department.clone());
        }
    }
    modules.sort_unstable();

    let (mut commands, mut projections, mut queries) = (Vec::new(), Vec::new(), Vec::new());
    for ((department, desk), files) in folders {
        let place = format!("{src}/{department}/{desk}");
        let name = Name::parse_composite(&desk).map_err(|error| misnamed(&place, error))?;
        let folder = Folder {
            name,
            modules: files
                .iter()
                .map(|(module, _)| module.clone())
                .filter(|module| module != "mod" && module != "tests")
                .collect(),
            has_tests: files.iter().any(|(module, _)| module == "tests"),
        };
        if department == departments.cmd {
            commands.push(command_desk(folder, &files, &place, subject)?);
        } else if department == departments.prj {
            projections.push(projection_desk(folder, &files, &place)?);
        } else if department == departments.qry {
            queries.push(query_desk(folder, &files, &place)?);
        }
    }
    Ok(DivisionTree {
        subject: subject.clone(),
        departments,
        modules,
        flags,
        commands,
        projections,
        queries,
    })
}

fn flags_of(bytes: &[u8], path: &str) -> Result<Vec<Flag>, CliError> {
    let source = parse(bytes, path)?;
    let flag = |(constant, bit): &(String, u64)| Flag {
        constant: constant.clone(),
        bit: *bit,
    };
    Ok(source.numbers().iter().map(flag).collect())
}

fn misnamed(place: &str, error: NameError) -> CliError {
    let hint = match &error.suggestion {
        Some(suggestion) => format!("call the folder `{suggestion}`"),
        None => "call the folder after its verb and its subject: `confirm_order`".to_owned(),
    };
    CliError::because(format!("`{place}` is not named as a desk is"), error).hint(hint)
}

fn is_department(departments: &Departments, dir: &str) -> bool {
    [&departments.cmd, &departments.prj, &departments.qry]
        .iter()
        .any(|department| *department == dir)
}

fn command_desk(
    folder: Folder,
    files: &[(String, &[u8])],
    place: &str,
    subject: &Name,
) -> Result<CommandDesk, CliError> {
    let mut sources: BTreeMap<&str, Source> = BTreeMap::new();
    for (module, bytes) in files
        .iter()
        .filter(|(module, _)| module != "mod" && module != "tests")
    {
        sources.insert(module, parse(bytes, &format!("{place}/{module}.rs"))?);
    }
    let enums: BTreeMap<_, _> = sources
        .values()
        .flat_map(|source| source.enums().clone())
        .collect();
    let id = format!("{subject}_id");
    let mut events = Vec::new();
    for (module, source) in &sources {
        let (Some((type_name, sets)), Ok(versioned)) = (source.event(), Versioned::parse(module))
        else {
            continue;
        };
        let is_told_as_next = sources.values().any(|source| source.upcasts(type_name));
        events.push(EventFile {
            is_told_as_next,
            desk: folder.name.clone(),
            module: (*module).to_owned(),
            versioned,
            type_name: type_name.to_owned(),
            fields: source.fields(type_name, &id, &enums),
            sets,
        });
    }
    events.sort_by(|one, other| one.versioned.cmp(&other.versioned));
    let command = Versioned::first(folder.name.clone());
    let fields = sources
        .get(command.to_string().as_str())
        .map(|source| source.fields(&command.type_name(), "", &enums));
    let route = sources.get("route");
    Ok(CommandDesk {
        fields,
        events,
        columns: sources
            .get("columns")
            .map(|source| source.columns().to_vec())
            .unwrap_or_default(),
        is_birth: route.is_some_and(|route| route.call("Desk::birth").is_some()),
        route: route
            .and_then(|route| route.call(".post"))
            .map(str::to_owned),
        folder,
    })
}

fn projection_desk(
    folder: Folder,
    files: &[(String, &[u8])],
    place: &str,
) -> Result<ProjectionDesk, CliError> {
    let Some((_, bytes)) = files.iter().find(|(module, _)| module == "projection") else {
        return Ok(ProjectionDesk {
            folder,
            table: None,
            table_const: None,
            columns: Vec::new(),
            events: Vec::new(),
        });
    };
    let source = parse(bytes, &format!("{place}/projection.rs"))?;
    let text = String::from_utf8_lossy(bytes);
    // Variants of the division's enum: `OrderEvent::OrderConfirmedV1(`.
    let events = text.split("Event::").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric())?;
        Some(heck::ToSnakeCase::to_snake_case(&rest[..end]))
    });
    let mut events: Vec<String> = events.collect();
    events.dedup();
    Ok(ProjectionDesk {
        table: source.call("Table::new").map(str::to_owned),
        table_const: source.table().map(str::to_owned),
        columns: source.columns().to_vec(),
        events,
        folder,
    })
}

fn query_desk(
    folder: Folder,
    files: &[(String, &[u8])],
    place: &str,
) -> Result<QueryDesk, CliError> {
    let source = files.iter().find(|(module, _)| module == "route");
    let source = source.map(|(_, bytes)| parse(bytes, &format!("{place}/route.rs")));
    let source = source.transpose()?;
    let route = source.as_ref().and_then(|source| source.call(".get"));
    Ok(QueryDesk {
        route: route.map(str::to_owned),
        filters: source
            .as_ref()
            .map(|source| source.filters().to_vec())
            .unwrap_or_default(),
        folder,
    })
}

fn parse(bytes: &[u8], path: &str) -> Result<Source, CliError> {
    let text = std::str::from_utf8(bytes).map_err(|_| CliError::not_text(path))?;
    source::read(text).map_err(|error| {
        let at: proc_macro2::LineColumn = error.span().start();
        CliError::cannot(format!(
            "`{path}`, line {}: not Rust: {}",
            at.line,
            source::said(&error)
        ))
        .hint("mend it first: what is generated follows from it")
    })
}

/// A source file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceFault {
    /// The file, relative to the project.
    pub(crate) file: String,
    /// Line and column, from 1.
    pub(crate) line: Option<(u32, u32)>,
    /// What is wrong.
    pub(crate) message: String,
}

/// Every file of a division that is not Rust.
pub(crate) fn unreadable_sources(view: &View) -> Vec<SourceFault> {
    let mut faults = Vec::new();
    for (path, bytes) in view
        .below("divisions")
        .filter(|(path, _)| path.ends_with(".rs"))
    {
        let file = format!("divisions/{path}");
        let Ok(text) = std::str::from_utf8(bytes) else {
            faults.push(SourceFault {
                file,
                line: None,
                message: "the file is not UTF-8 text".to_owned(),
            });
            continue;
        };
        if let Err(error) = source::read(text) {
            let at: proc_macro2::LineColumn = error.span().start();
            let line = Some((at.line as u32, at.column as u32 + 1));
            faults.push(SourceFault {
                file,
                line,
                message: format!("not Rust: {}", source::said(&error)),
            });
        }
    }
    faults
}
