use super::document::Document;
use super::{Context, Finding, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    code: "HKM004",
    severity: Severity::Error,
    title: "the version is not a semantic version",
    explanation: "`version` names the bundle and decides which of two is newer, so it has to be three numbers, \
        and perhaps a pre-release, as semver.org has it: `1.4.0`, `1.4.0-rc.1`.",
    wrong: r#"{
  "version": "1.4"
}"#,
    right: r#"{
  "version": "1.4.0"
}"#,
};

pub(super) fn check(manifest: &Document<'_>, _: &Context<'_>, found: &mut Vec<Finding>) {
    if let Some(version) = manifest.text_field("version") {
        found.extend(manifest.unless_version(&RULE, "version", version));
    }
}
