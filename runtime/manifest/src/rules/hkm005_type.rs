use super::document::Document;
use super::fields::{Fault, problems};
use super::{Context, Finding, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    code: "HKM005",
    severity: Severity::Error,
    title: "a field of the wrong type",
    explanation: "The fields that are known here have fixed types; a manifest with another one is refused as a \
        whole. A field that does not apply is left out: `null` is a value of the wrong type as well.",
    wrong: r#"{
  "permissions": "net:dns"
}"#,
    right: r#"{
  "permissions": ["net:dns"]
}"#,
};

pub(super) fn check(manifest: &Document<'_>, _: &Context<'_>, found: &mut Vec<Finding>) {
    for problem in problems(&manifest.root) {
        let Fault::Type {
            expected,
            found: actual,
        } = problem.fault
        else {
            continue;
        };
        let message = format!("`{}` must be {expected}, and is {actual}", problem.path);
        found.push(manifest.finding(&RULE, &problem.at, message));
    }
}
