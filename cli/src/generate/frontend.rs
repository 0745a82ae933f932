//! What a frontend knows of its plugin: the list of its own screens, and the types of each division in TypeScript.

use std::collections::BTreeMap;

use hecate_templates::Catalog;
use serde::Serialize;

use super::fields::{FieldSpec, FieldType};
use super::owned::render;
use super::tree::DivisionTree;
use crate::error::CliError;
use crate::names::{Name, plural};
use crate::project::{RelPath, View};

/// A frontend that is there: told by its first file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) kind: &'static str,
    /// The file that tells it.
    sign: &'static str,
    /// The owned list of screens.
    list: &'static str,
    /// Where the screens lie.
    pub(crate) screens: &'static str,
    /// The same, as the list imports them.
    import: &'static str,
    /// What screens end in.
    pub(crate) extension: &'static str,
    /// Where the types lie, and what they end in.
    types: (&'static str, &'static str),
}

const PLACES: [Place; 3] = [
    Place {
        kind: "svelte",
        sign: "frontend/src/Page.svelte",
        list: "frontend/src/generated/screens.ts",
        screens: "frontend/src/screens",
        import: "../screens",
        extension: ".svelte",
        types: ("frontend/src/generated", ".ts"),
    },
    Place {
        kind: "react",
        sign: "frontend/src/Page.tsx",
        list: "frontend/src/generated/screens.ts",
        screens: "frontend/src/screens",
        import: "../screens",
        extension: ".tsx",
        types: ("frontend/src/generated", ".ts"),
    },
    Place {
        kind: "vanilla",
        sign: "priv/static/screens.js",
        list: "priv/static/screens.js",
        screens: "priv/static/screens",
        import: "./screens",
        extension: ".js",
        types: ("priv/static/types", ".d.ts"),
    },
];

/// The frontend of the project, if it is one that follows its plugin.
pub(crate) fn place(view: &View) -> Option<Place> {
    PLACES.into_iter().find(|place| view.has(place.sign))
}

#[derive(Serialize)]
struct Root {
    frontend: List,
}

#[derive(Serialize)]
struct List {
    kind: &'static str,
    screens: &'static str,
    list: Vec<Screen>,
}

#[derive(Serialize)]
struct Screen {
    name: String,
    type_name: String,
    path: String,
}

/// The list of screens, from the files that there are.
pub(super) fn screens(
    view: &View,
    catalog: &Catalog,
) -> Result<BTreeMap<RelPath, Vec<u8>>, CliError> {
    let Some(place) = place(view) else {
        return Ok(BTreeMap::new());
    };
    let list = view.below(place.screens).filter_map(|(path, _)| {
        let stem = path.strip_suffix(place.extension)?;
        let name = heck::ToSnakeCase::to_snake_case(stem);
        // TypeScript resolves its own modules without their extension.
        let file = if place.kind == "react" { stem } else { path };
        Some(Screen {
            type_name: heck::ToUpperCamelCase::to_upper_camel_case(name.as_str()),
            path: format!("{}/{file}", place.import),
            name,
        })
    });
    let frontend = List {
        kind: place.kind,
        screens: place.list,
        list: list.collect(),
    };
    render(catalog, "owned-frontend", &Root { frontend })
}

#[derive(Serialize)]
struct Types {
    types: String,
    division: String,
    type_name: String,
    shapes: Vec<Shape>,
    events: Vec<EventRef>,
}

/// One interface.
#[derive(Serialize)]
struct Shape {
    name: String,
    about: String,
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Property {
    name: String,
    type_name: String,
    /// Whether it may be left out.
    optional: bool,
    nullable: bool,
}

#[derive(Serialize)]
struct EventRef {
    name: String,
    type_name: String,
}

/// The types of one division: commands, events, rows.
pub(super) fn types(
    view: &View,
    tree: &DivisionTree,
    catalog: &Catalog,
) -> Result<BTreeMap<RelPath, Vec<u8>>, CliError> {
    let Some(place) = place(view) else {
        return Ok(BTreeMap::new());
    };
    let subject = &tree.subject;
    let id = format!("{subject}_id");
    let mut shapes = Vec::new();
    for desk in &tree.commands {
        let Some(fields) = &desk.fields else {
            continue;
        };
        let name = &desk.folder.name;
        shapes.push(Shape {
            name: format!("{}V1", name.type_name()),
            about: format!("What the desk `{name}` takes."),
            properties: fields.iter().map(property).collect(),
        });
    }
    for event in tree.events() {
        let fields = event.fields.iter().map(property);
        shapes.push(Shape {
            name: event.type_name.clone(),
            about: format!("What the event `{}` holds.", event.versioned),
            properties: std::iter::once(required(&id, "string"))
                .chain(fields)
                .collect(),
        });
    }
    let columns = tree.columns().into_iter();
    let columns: Vec<_> = columns
        .map(|(name, (kind, _))| column(name, kind))
        .collect();
    shapes.push(row(
        &subject.type_name(),
        plural(subject).snake(),
        &id,
        columns,
    ));
    for desk in &tree.projections {
        let Some(table) = desk
            .table
            .as_deref()
            .and_then(|table| Name::parse(table).ok())
        else {
            continue;
        };
        let columns = desk.columns.iter();
        let columns = columns.map(|(name, kind)| column(name, kind)).collect();
        shapes.push(row(&table.type_name(), table.snake(), &id, columns));
    }
    let events = tree.events().map(|event| EventRef {
        name: event.versioned.to_string(),
        type_name: event.type_name.clone(),
    });
    let (dir, extension) = place.types;
    let context = Types {
        types: format!("{dir}/{subject}{extension}"),
        division: subject.snake().to_owned(),
        type_name: subject.type_name(),
        events: events.collect(),
        shapes,
    };
    render(catalog, "owned-types", &context)
}

fn row(type_name: &str, table: &str, id: &str, columns: Vec<Property>) -> Shape {
    let own = [
        required(id, "string"),
        required("version", "number"),
        required("status", "number"),
    ];
    Shape {
        name: format!("{type_name}Row"),
        about: format!("A row of the table `{table}`."),
        properties: own.into_iter().chain(columns).collect(),
    }
}

fn required(name: &str, type_name: &str) -> Property {
    Property {
        name: name.to_owned(),
        type_name: type_name.to_owned(),
        optional: false,
        nullable: false,
    }
}

fn property(field: &FieldSpec) -> Property {
    Property {
        optional: field.optional,
        nullable: field.optional,
        ..required(field.name.snake(), &type_of(&field.kind))
    }
}

/// Columns are filled by whoever comes by: until then they are null.
fn column(name: &str, kind: &FieldType) -> Property {
    Property {
        nullable: true,
        ..required(name, &type_of(kind))
    }
}

/// As JSON has it: what is exact or has a form is a string.
fn type_of(kind: &FieldType) -> String {
    match kind {
        FieldType::Int | FieldType::Float => "number".to_owned(),
        FieldType::Bool => "boolean".to_owned(),
        FieldType::Json => "unknown".to_owned(),
        FieldType::Enum(words) => {
            let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
            words.join(" | ")
        }
        _ => "string".to_owned(),
    }
}
