use jsonc_parser::ast::Value;

use super::document::Document;
use super::{Context, Finding, Rule, Severity};
use crate::{PERMISSION_FORMS, Permission};

pub(super) static RULE: Rule = Rule {
    code: "HKM014",
    severity: Severity::Warning,
    title: "an unknown permission",
    explanation: "What a plugin may do is what its manifest asks for and the operator grants. A permission that is \
        not one of the known forms is kept and never granted: the plugin runs without it. The forms are \
        `net:tcp:PORT`, `net:dns`, `net:listen:PORT`, `process:NAME`, `fs:read:PATH`, `facts:publish:TOPIC`, \
        `facts:subscribe:TOPIC` and `hope:call:NAME`; ports are 1 to 65535, paths are absolute.",
    wrong: r#"{
  "permissions": ["read:mesh_status"]
}"#,
    right: r#"{
  "permissions": ["facts:subscribe:mesh.status"]
}"#,
};

pub(super) fn check(manifest: &Document<'_>, _: &Context<'_>, found: &mut Vec<Finding>) {
    let Some(permissions) = manifest.field("permissions").and_then(Value::as_array) else {
        return;
    };
    for permission in permissions.elements.iter().filter_map(Value::as_string_lit) {
        if Permission::parse(&permission.value).is_known() {
            continue;
        }
        let text = permission.value.escape_debug();
        let message = format!("`{text}` is not a permission known here: it is never granted");
        let finding = manifest.finding(&RULE, permission, message);
        found.push(finding.with_help(match form_like(&permission.value) {
            Some(form) => format!("the form is `{form}`"),
            None => format!("the known ones are {}", all_forms()),
        }));
    }
}

/// The form that starts as `text` does.
fn form_like(text: &str) -> Option<&'static str> {
    PERMISSION_FORMS.into_iter().find(|form| {
        let kind = form.trim_end_matches(|c: char| c.is_ascii_uppercase());
        text.starts_with(kind.trim_end_matches(':'))
    })
}

fn all_forms() -> String {
    PERMISSION_FORMS.map(|form| format!("`{form}`")).join(", ")
}
