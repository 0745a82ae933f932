use super::document::Document;
use super::fields::{Fault, problems};
use super::{Context, Finding, Rule, Scope, Severity};

pub(super) static RULE: Rule = Rule {
    code: "HKM002",
    severity: Severity::Error,
    title: "a required field is missing",
    explanation: "Every manifest has a `name` and a `version`: they make the plugin's route, its directory and \
        the name of its bundle. In a project, `description`, `license` and `repository` are expected as well; \
        without them there is a warning.",
    wrong: r#"{
  "name": "my-plugin"
}"#,
    right: r#"{
  "name": "my-plugin",
  "version": "0.1.0",
  "description": "Keeps orders",
  "license": "Apache-2.0",
  "repository": "https://example.org/my-plugin"
}"#,
};

const EXPECTED_IN_A_PROJECT: [&str; 3] = ["description", "license", "repository"];

pub(super) fn check(manifest: &Document<'_>, context: &Context<'_>, found: &mut Vec<Finding>) {
    for problem in problems(&manifest.root) {
        if let Fault::Missing = problem.fault {
            let message = format!("`{}` is missing", problem.path);
            found.push(manifest.finding(&RULE, &problem.at, message));
        }
    }
    if context.scope == Scope::Alone {
        return;
    }
    for name in EXPECTED_IN_A_PROJECT {
        if manifest.field(name).is_none() {
            let message = format!("`{name}` is missing");
            let finding = manifest.finding(&RULE, &manifest.start(), message);
            found.push(finding.with_severity(Severity::Warning));
        }
    }
}
