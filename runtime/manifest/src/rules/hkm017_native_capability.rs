use jsonc_parser::ast::Value;

use super::document::Document;
use super::{Context, Finding, Rule, Severity, nearest};

pub(super) static RULE: Rule = Rule {
    code: "HKM017",
    severity: Severity::Warning,
    title: "an unknown native capability",
    explanation: "`native_capabilities` is what the frontend asks of the window it is shown in. Known are \
        `file-picker`, `notifications`, `clipboard`, `open-external` and `theme`; any other is kept and never \
        answered.",
    wrong: r#"{
  "native_capabilities": {"file_picker": true}
}"#,
    right: r#"{
  "native_capabilities": {"file-picker": true}
}"#,
};

pub(super) const KNOWN: [&str; 5] = [
    "file-picker",
    "notifications",
    "clipboard",
    "open-external",
    "theme",
];

pub(super) fn check(manifest: &Document<'_>, _: &Context<'_>, found: &mut Vec<Finding>) {
    let Some(capabilities) = manifest
        .field("native_capabilities")
        .and_then(Value::as_object)
    else {
        return;
    };
    for capability in &capabilities.properties {
        let name = capability.name.as_str();
        if KNOWN.contains(&name) {
            continue;
        }
        let message = format!("`{}` is not a capability known here", name.escape_debug());
        let finding = manifest.finding(&RULE, &capability.name, message);
        found.push(finding.with_help(match nearest(name, KNOWN) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("the known ones are `{}`", KNOWN.join("`, `")),
        }));
    }
}
