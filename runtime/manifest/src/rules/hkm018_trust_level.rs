use super::document::Document;
use super::{Context, Finding, Rule, Severity, nearest};
use crate::TrustLevel;

pub(super) static RULE: Rule = Rule {
    code: "HKM018",
    severity: Severity::Warning,
    title: "an unknown trust level",
    explanation: "`trust_level` is `core`, `trusted` or `untrusted`: how far the author asks to be trusted. Any \
        other word is kept and means `untrusted`. In the end the operator decides.",
    wrong: r#"{
  "trust_level": "high"
}"#,
    right: r#"{
  "trust_level": "trusted"
}"#,
};

pub(super) const KNOWN: [&str; 3] = ["core", "trusted", "untrusted"];

pub(super) fn check(manifest: &Document<'_>, _: &Context<'_>, found: &mut Vec<Finding>) {
    let Some(level) = manifest.text_field("trust_level") else {
        return;
    };
    if !matches!(TrustLevel::parse(&level.value), TrustLevel::Other(_)) {
        return;
    }
    let text = level.value.escape_debug();
    let message = format!("`{text}` is not a trust level: it means `untrusted`");
    let finding = manifest.finding(&RULE, level, message);
    found.push(finding.with_help(match nearest(&level.value, KNOWN) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("the known ones are `{}`", KNOWN.join("`, `")),
    }));
}
