use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;

use super::document::Document;
use super::{Context, Finding, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    code: "HKM015",
    severity: Severity::Error,
    title: "a key stands twice in one object",
    explanation: "JSON leaves open which of two equal keys counts, and readers differ: what one tool checks is not \
        what another one runs.",
    wrong: r#"{
  "version": "0.1.0",
  "version": "0.2.0"
}"#,
    right: r#"{
  "version": "0.2.0"
}"#,
};

pub(super) fn check(manifest: &Document<'_>, _: &Context<'_>, found: &mut Vec<Finding>) {
    check_object(&manifest.root, manifest, found);
}

fn check_object(object: &Object<'_>, manifest: &Document<'_>, found: &mut Vec<Finding>) {
    let mut seen = HashMap::new();
    for field in &object.properties {
        match seen.entry(field.name.as_str()) {
            Entry::Vacant(place) => {
                place.insert(field.name.range());
            }
            Entry::Occupied(first) => {
                let name = field.name.as_str().escape_debug();
                let line = manifest.span(first.get()).line;
                let message = format!("`{name}` stands twice, first on line {line}");
                let finding = manifest.finding(&RULE, &field.name, message);
                found.push(finding.with_help("remove one of the two"));
            }
        }
        check_value(&field.value, manifest, found);
    }
}

fn check_value(value: &Value<'_>, manifest: &Document<'_>, found: &mut Vec<Finding>) {
    match value {
        Value::Object(object) => check_object(object, manifest, found),
        Value::Array(list) => {
            for item in &list.elements {
                check_value(item, manifest, found);
            }
        }
        _ => {}
    }
}
