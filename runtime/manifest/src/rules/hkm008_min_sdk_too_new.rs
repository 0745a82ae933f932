use super::document::Document;
use super::{Context, Finding, Rule, Severity};
use crate::{MinSdk, check_min_sdk};

pub(super) static RULE: Rule = Rule {
    code: "HKM008",
    severity: Severity::Error,
    title: "`min_sdk_version` is newer than the SDK in use",
    explanation: "The plugin says that it needs a newer SDK than the one it is built with, and a daemon of that \
        version refuses it. Versions are ordered as semver has it: `1.0.0-rc.1` is older than `1.0.0`.",
    wrong: r#"{
  "min_sdk_version": "99.0.0"
}"#,
    right: r#"{
  "min_sdk_version": "0.1.0"
}"#,
};

pub(super) fn check(manifest: &Document<'_>, context: &Context<'_>, found: &mut Vec<Finding>) {
    let (Some(min), Some(sdk)) = (manifest.text_field("min_sdk_version"), context.sdk) else {
        return;
    };
    let MinSdk::TooNew { min: needed, have } = check_min_sdk(Some(&min.value), sdk) else {
        return;
    };
    let message = format!("`min_sdk_version` is `{needed}`, and the SDK in use is `{have}`");
    let help = format!(
        "use SDK `{needed}` or newer (`cargo update hecate-sdk`), or write `{have}` if the plugin runs on it"
    );
    found.push(manifest.finding(&RULE, min, message).with_help(help));
}
