use super::document::Document;
use super::{Context, Finding, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    code: "HKM007",
    severity: Severity::Error,
    title: "`min_sdk_version` is not a version",
    explanation: "`min_sdk_version` is one version, the oldest that will do, and not a range: three numbers, and \
        perhaps a pre-release. A daemon cannot compare anything else with its own, and refuses the plugin.",
    wrong: r#"{
  "min_sdk_version": "~> 0.1"
}"#,
    right: r#"{
  "min_sdk_version": "0.1.0"
}"#,
};

pub(super) fn check(manifest: &Document<'_>, _: &Context<'_>, found: &mut Vec<Finding>) {
    if let Some(min) = manifest.text_field("min_sdk_version") {
        found.extend(manifest.unless_version(&RULE, "min_sdk_version", min));
    }
}
