use super::document::Document;
use super::{Context, Finding, Rule, Severity};
use crate::SDK_VERSION;

pub(super) static RULE: Rule = Rule {
    code: "HKM006",
    severity: Severity::Error,
    title: "`min_sdk_version` is missing",
    explanation: "`min_sdk_version` is the oldest SDK that the plugin runs on. A daemon that is older refuses \
        the plugin by name and number; without the field it finds out only when the plugin fails. Upstream's \
        manifests do not have it, so a manifest that is checked alone gets a warning, and a project an error.",
    wrong: r#"{
  "name": "my-plugin"
}"#,
    right: r#"{
  "name": "my-plugin",
  "min_sdk_version": "0.1.0"
}"#,
};

pub(super) fn check(manifest: &Document<'_>, context: &Context<'_>, found: &mut Vec<Finding>) {
    if manifest.field("min_sdk_version").is_some() {
        return;
    }
    let sdk = context.sdk.map(ToString::to_string);
    let sdk = sdk.as_deref().unwrap_or(SDK_VERSION);
    let finding = manifest
        .finding(&RULE, &manifest.start(), "`min_sdk_version` is missing")
        .with_severity(context.scope.severity())
        .with_help(format!(
            "add `\"min_sdk_version\": \"{sdk}\"`, the SDK in use, which is safe; an older one lets more daemons run \
             the plugin"
        ));
    found.push(finding);
}
