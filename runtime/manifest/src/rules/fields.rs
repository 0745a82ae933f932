//! The fields of a manifest and their types, and a walk that compares a manifest with them.

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::{Range, Ranged};

use super::document::opening_brace;

/// A field that is known here.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) required: bool,
}

pub(super) enum Shape {
    Any,
    Text,
    Flag,
    Texts,
    Object(&'static [Field]),
    Objects(&'static [Field]),
}

/// A difference between a manifest and the fields.
pub(super) struct Problem {
    /// As in `file_types[0].label`.
    pub(super) path: String,
    pub(super) at: Range,
    pub(super) fault: Fault,
}

pub(super) enum Fault {
    /// A required field is not there.
    Missing,
    /// The value is of another type.
    Type {
        expected: &'static str,
        found: &'static str,
    },
}

/// What `Manifest::parse` reads, and `$schema`, which is for editors.
pub(super) static FIELDS: [Field; 19] = [
    optional("$schema", Shape::Any),
    required("name", Shape::Text),
    required("version", Shape::Text),
    optional("min_sdk_version", Shape::Text),
    optional("plugin_type", Shape::Text),
    optional("display_name", Shape::Text),
    optional("description", Shape::Text),
    optional("author", Shape::Text),
    optional("license", Shape::Text),
    optional("repository", Shape::Text),
    optional("icon", Shape::Text),
    optional("tag", Shape::Text),
    optional("spa_fallback", Shape::Flag),
    optional("trust_level", Shape::Text),
    optional("permissions", Shape::Texts),
    optional("native_capabilities", Shape::Object(&[])),
    optional("min_daemon_version", Shape::Text),
    optional("file_types", Shape::Objects(&FILE_TYPE)),
    optional("appstore", Shape::Object(&APPSTORE)),
];

static FILE_TYPE: [Field; 5] = [
    required("type", Shape::Text),
    optional("label", Shape::Text),
    optional("icon", Shape::Text),
    optional("can_create", Shape::Flag),
    optional("import_extensions", Shape::Texts),
];

static APPSTORE: [Field; 1] = [optional("min_daemon_version", Shape::Text)];

const fn required(name: &'static str, shape: Shape) -> Field {
    let required = true;
    Field {
        name,
        shape,
        required,
    }
}

const fn optional(name: &'static str, shape: Shape) -> Field {
    let required = false;
    Field {
        name,
        shape,
        required,
    }
}

/// All differences between `manifest` and [`FIELDS`].
pub(super) fn problems(manifest: &Object<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    compare_object(manifest, &FIELDS, "", &mut problems);
    problems
}

fn compare_object(
    object: &Object<'_>,
    fields: &[Field],
    prefix: &str,
    problems: &mut Vec<Problem>,
) {
    for field in fields {
        let path = format!("{prefix}{}", field.name);
        match object.get(field.name) {
            Some(found) => compare(&found.value, &field.shape, path, problems),
            None if field.required => problems.push(Problem {
                path,
                at: opening_brace(object),
                fault: Fault::Missing,
            }),
            None => {}
        }
    }
}

fn compare(value: &Value<'_>, shape: &Shape, path: String, problems: &mut Vec<Problem>) {
    let expected = match (shape, value) {
        (Shape::Any, _)
        | (Shape::Text, Value::StringLit(_))
        | (Shape::Flag, Value::BooleanLit(_)) => return,
        (Shape::Object(fields), Value::Object(object)) => {
            return compare_object(object, fields, &format!("{path}."), problems);
        }
        (Shape::Texts, Value::Array(list)) => {
            return compare_items(&list.elements, &Shape::Text, &path, problems);
        }
        (Shape::Objects(fields), Value::Array(list)) => {
            return compare_items(&list.elements, &Shape::Object(fields), &path, problems);
        }
        (Shape::Text, _) => "a string",
        (Shape::Flag, _) => "true or false",
        (Shape::Texts, _) => "a list of strings",
        (Shape::Objects(_), _) => "a list of objects",
        (Shape::Object(_), _) => "an object",
    };
    let found = kind(value);
    problems.push(Problem {
        path,
        at: value.range(),
        fault: Fault::Type { expected, found },
    });
}

fn compare_items(items: &[Value<'_>], shape: &Shape, path: &str, problems: &mut Vec<Problem>) {
    for (index, item) in items.iter().enumerate() {
        compare(item, shape, format!("{path}[{index}]"), problems);
    }
}

fn kind(value: &Value<'_>) -> &'static str {
    match value {
        Value::NullKeyword(_) => "null",
        Value::BooleanLit(_) => "a boolean",
        Value::NumberLit(_) => "a number",
        Value::StringLit(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
