use jsonc_parser::ast::Value;

use super::document::Document;
use super::{Context, Finding, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    code: "HKM016",
    severity: Severity::Warning,
    title: "`min_daemon_version` is not a version",
    explanation: "`min_daemon_version`, at the top level or in `appstore`, counts the Erlang daemon's versions. It \
        is kept and reported, and never enforced here; what counts here is `min_sdk_version`. Upstream's daemon \
        cannot read a text that is not a version.",
    wrong: r#"{
  "min_daemon_version": "0.14"
}"#,
    right: r#"{
  "min_daemon_version": "0.14.0"
}"#,
};

pub(super) fn check(manifest: &Document<'_>, _: &Context<'_>, found: &mut Vec<Finding>) {
    let top = manifest.text_field("min_daemon_version");
    let store = manifest
        .field("appstore")
        .and_then(Value::as_object)
        .and_then(|appstore| appstore.get("min_daemon_version"))
        .and_then(|field| field.value.as_string_lit());
    for version in top.into_iter().chain(store) {
        found.extend(manifest.unless_version(&RULE, "min_daemon_version", version));
    }
}
