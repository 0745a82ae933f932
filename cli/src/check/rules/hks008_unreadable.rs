use hecate_manifest::rules::{Finding, Rule, Severity, Span};

use super::super::Subject;
use crate::generate::{LOCK, Lock};
use crate::project::{SETTINGS, Settings};

pub(super) static RULE: Rule = Rule {
    code: "HKS008",
    severity: Severity::Error,
    title: "one of the project's own files cannot be read",
    explanation: "`Cargo.toml`, `Cargo.lock`, `hecate.toml` and `hecate.lock` are TOML, and the last two hold what \
        `hecate` knows and nothing else. While one of them cannot be read, nothing can be generated or bundled.",
    wrong: "[frontend]\nbuild = npm run build",
    right: "[frontend]\nbuild = \"npm run build\"",
};

/// Where something is wrong with a text, in bytes, and what.
type Fault = (Option<std::ops::Range<usize>>, String);

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let any = |text: &str| {
        text.parse()
            .map(|_: toml_edit::DocumentMut| ())
            .map_err(fault)
    };
    let settings = |text: &str| Settings::read(text).map(drop).map_err(of_fields);
    let lock = |text: &str| Lock::read(text).map(drop).map_err(of_fields);
    let commit = "`hecate` and cargo keep it: take it from your last commit";
    file(
        subject,
        found,
        "Cargo.toml",
        any,
        "mend it, or take it from your last commit",
    );
    file(subject, found, "Cargo.lock", any, commit);
    file(subject, found, SETTINGS, settings, Settings::HELP);
    file(subject, found, LOCK, lock, commit);
}

fn file(
    subject: &Subject<'_>,
    found: &mut Vec<Finding>,
    name: &str,
    read: impl Fn(&str) -> Result<(), Fault>,
    help: &str,
) {
    let finding = |span, message: String| Finding::new(&RULE, name, span, message).with_help(help);
    match subject.view.text(name) {
        Err(error) => found.push(finding(None, error.message().to_owned())),
        Ok(None) => {}
        Ok(Some(text)) => {
            if let Err((at, what)) = read(text) {
                let span = at.map(|bytes| Span::of(text, bytes));
                found.push(finding(span, format!("`{name}` cannot be read: {what}")));
            }
        }
    }
}

fn fault(error: toml_edit::TomlError) -> Fault {
    (error.span(), error.message().to_owned())
}

fn of_fields(error: toml_edit::de::Error) -> Fault {
    (error.span(), error.message().to_owned())
}
