use jsonc_parser::common::Ranged;

use super::document::Document;
use super::{Context, Finding, Rule, Severity};
use crate::PluginType;

pub(super) static RULE: Rule = Rule {
    code: "HKM013",
    severity: Severity::Error,
    title: "not a plugin that can be loaded here",
    explanation: "This daemon runs native libraries, `plugin_type` `in_vm`. Upstream also has plugins in \
        containers (which is what no `plugin_type` means), standalone stations, and services of a realm: their \
        manifests are understood, and the daemon refuses to load them. Checked alone such a manifest gets a \
        warning; in a project it is an error.",
    wrong: r#"{
  "plugin_type": "standalone"
}"#,
    right: r#"{
  "plugin_type": "in_vm"
}"#,
};

pub(super) fn check(manifest: &Document<'_>, context: &Context<'_>, found: &mut Vec<Finding>) {
    let field = manifest.field("plugin_type");
    let (at, what) = if let Some(service) = manifest.root.get("service_type") {
        (service.value.range(), "a service of a realm".to_owned())
    } else if let Some(field) = field {
        // Another type than a string is HKM005's.
        let Some(word) = field.as_string_lit() else {
            return;
        };
        let what = match PluginType::parse(&word.value) {
            PluginType::InVm => return,
            PluginType::Standalone => "a standalone station".to_owned(),
            PluginType::Container => "a container".to_owned(),
            PluginType::Other(word) => format!("of the unknown type `{}`", word.escape_debug()),
        };
        (word.range, what)
    } else {
        let what = "a container, as there is no `plugin_type`".to_owned();
        (manifest.start(), what)
    };
    let finding = manifest
        .finding(&RULE, &at, format!("not loadable here: this is {what}"))
        .with_severity(context.scope.severity())
        .with_help("a plugin for this daemon has `\"plugin_type\": \"in_vm\"`");
    found.push(finding);
}
