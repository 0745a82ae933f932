use jsonc_parser::common::Ranged;

use super::document::Document;
use super::fields::FIELDS;
use super::{Context, Finding, Fix, Rule, Severity, hkm012_foreign_field, nearest};

pub(super) static RULE: Rule = Rule {
    code: "HKM011",
    severity: Severity::Warning,
    title: "an unknown field",
    explanation: "The field is kept, and nothing reads it. Most often it is a known one with a slip in its name, \
        whose value is then silently missing.",
    wrong: r#"{
  "display-name": "My Plugin"
}"#,
    right: r#"{
  "display_name": "My Plugin"
}"#,
};

pub(super) fn check(manifest: &Document<'_>, _: &Context<'_>, found: &mut Vec<Finding>) {
    let known = || FIELDS.iter().map(|field| field.name);
    for field in &manifest.root.properties {
        let name = field.name.as_str();
        if known().any(|known| known == name) || hkm012_foreign_field::is_foreign(name) {
            continue;
        }
        let message = format!("nothing reads the field `{}`", name.escape_debug());
        let finding = manifest.finding(&RULE, &field.name, message);
        found.push(match nearest(name, known()) {
            Some(known) => {
                let finding = finding.with_help(format!("did you mean `{known}`?"));
                // Two of a kind would be another fault.
                if manifest.field(known).is_some() {
                    finding
                } else {
                    let bytes = field.name.start()..field.name.end();
                    let title = format!("call it `{known}`");
                    finding.with_fix(Fix::unsafe_one(title, bytes, format!("\"{known}\"")))
                }
            }
            None => finding,
        });
    }
}
