use super::document::Document;
use super::{Context, Finding, Rule, Severity};
use crate::PluginName;

pub(super) static RULE: Rule = Rule {
    code: "HKM003",
    severity: Severity::Error,
    title: "the name cannot be a plugin's name",
    explanation: "`name` is technical: the route `/plugin/{name}/`, a directory, and part of package names. It \
        consists of words of lowercase letters and digits, the first one starting with a letter, joined by \
        single hyphens, and has at most 64 characters. What people read is `display_name`.",
    wrong: r#"{
  "name": "My Plugin"
}"#,
    right: r#"{
  "name": "my-plugin",
  "display_name": "My Plugin"
}"#,
};

pub(super) fn check(manifest: &Document<'_>, _: &Context<'_>, found: &mut Vec<Finding>) {
    let Some(name) = manifest.text_field("name") else {
        return;
    };
    let Err(error) = PluginName::parse(&name.value) else {
        return;
    };
    let finding = manifest.finding(&RULE, name, error.to_string());
    found.push(match error.suggestion {
        Some(suggestion) => finding.with_help(format!(
            "write `{suggestion}`; `display_name` may hold any text"
        )),
        None => finding,
    });
}
