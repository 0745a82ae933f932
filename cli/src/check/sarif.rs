//! Findings as SARIF 2.1.0, which code hosts and editors read.
//!
//! All rules stand in the log, found or not, so that a viewer can explain a result without asking us. Columns are
//! counted in characters, as everywhere in Hecate.

use std::collections::BTreeMap;
use std::fmt::Write;

use hecate_manifest::rules::{Edit, Finding, Fix, Rule, Severity, Span};
use serde_json::{Value, json};

use super::fingerprint;

/// Where the schema is published.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// One log with one run; `rules` are all there are, `texts` the files that the findings are in.
pub(super) fn log(
    rules: &[&Rule],
    findings: &[Finding],
    texts: &BTreeMap<String, String>,
) -> Value {
    let results = findings.iter().map(|finding| {
        let text = texts.get(&finding.file).map(String::as_str);
        result(rules, finding, text)
    });
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "hecate check",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

fn descriptor(rule: &Rule) -> Value {
    let help = format!(
        "{}\n\nwrong:\n\n{}\n\nright:\n\n{}",
        rule.explanation, rule.wrong, rule.right
    );
    let markdown = format!(
        "{}\n\nwrong:\n\n```\n{}\n```\n\nright:\n\n```\n{}\n```",
        rule.explanation, rule.wrong, rule.right
    );
    json!({
        "id": rule.code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.explanation},
        "help": {"text": help, "markdown": markdown},
        "defaultConfiguration": {"level": level(rule.severity)},
    })
}

fn result(rules: &[&Rule], finding: &Finding, text: Option<&str>) -> Value {
    let mut message = finding.message.clone();
    if let Some(help) = &finding.help {
        // Writing to a string does not fail.
        _ = write!(message, "\nhelp: {help}");
    }
    let mut place = json!({"artifactLocation": artifact(&finding.file)});
    if let Some(span) = finding.span {
        place["region"] = region(span);
    }
    let mut result = json!({
        "ruleId": finding.rule.code,
        "level": level(finding.severity),
        "message": {"text": message},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"hecate/v1": fingerprint(finding)},
    });
    if let Some(index) = rules.iter().position(|rule| rule.code == finding.rule.code) {
        result["ruleIndex"] = json!(index);
    }
    if let Some((fix, text)) = finding.fix.as_deref().zip(text) {
        result["fixes"] = json!([fix_of(fix, &finding.file, text)]);
    }
    result
}

fn fix_of(fix: &Fix, file: &str, text: &str) -> Value {
    let replacements = fix.edits.iter().map(|edit| {
        json!({
            "deletedRegion": deleted(edit, text),
            "insertedContent": {"text": edit.text},
        })
    });
    json!({
        "description": {"text": fix.title},
        "artifactChanges": [{
            "artifactLocation": artifact(file),
            "replacements": replacements.collect::<Vec<_>>(),
        }],
        "properties": {"safe": fix.safe},
    })
}

/// What an edit takes away, which may be of several lines, or nothing.
fn deleted(edit: &Edit, text: &str) -> Value {
    let (start, end) = (
        Span::of(text, edit.start..edit.start),
        Span::of(text, edit.end..edit.end),
    );
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    })
}

fn region(span: Span) -> Value {
    json!({
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.line,
        "endColumn": span.column.saturating_add(span.len),
    })
}

/// A file below the project, as a relative reference: what has a meaning of its own there is escaped.
fn artifact(file: &str) -> Value {
    let mut uri = String::new();
    for byte in file.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            _ => _ = write!(uri, "%{byte:02X}"),
        }
    }
    json!({"uri": uri})
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

#[cfg(test)]
mod tests {
    use hecate_manifest::rules::{Context, check_manifest};
    use serde_json::Value;

    use super::super::all_rules;
    use super::*;

    /// The schema of OASIS, as it is in the crate `serde-sarif` 0.8.0.
    const SCHEMA: &str = include_str!("../../../tests/fixtures/sarif/sarif-schema-2.1.0.json");

    const MANIFEST: &str =
        "{\n  \"name\": \"ünnamed\",\n  \"version\": \"1.2\",\n  \"licence\": \"MIT\"\n}\n";

    fn of(file: &str, text: &str) -> Value {
        let findings = check_manifest(file, text, &Context::default());
        assert!(!findings.is_empty());
        let texts = BTreeMap::from([(file.to_owned(), text.to_owned())]);
        log(&all_rules(), &findings, &texts)
    }

    fn faults(log: &Value) -> Vec<String> {
        // The published schema closes a bracket that nothing opened, in the pattern of a language that we do not give.
        let schema = SCHEMA.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$");
        let schema: Value = serde_json::from_str(&schema).unwrap();
        let schema = jsonschema::validator_for(&schema).unwrap();
        let faults = schema.iter_errors(log).map(|error| error.to_string());
        faults.collect()
    }

    #[test]
    fn a_log_keeps_to_the_schema() {
        let no_findings = log(&all_rules(), &[], &BTreeMap::new());
        for log in [
            of("manifest.json", MANIFEST),
            of("ä b.json", ""),
            no_findings,
        ] {
            assert_eq!(faults(&log), [""; 0], "{log:#}");
        }
    }

    #[test]
    fn the_schema_finds_what_is_wrong_with_a_log() {
        let mut log = of("manifest.json", MANIFEST);
        log["runs"][0]["results"][0]["level"] = json!("fatal");
        assert_eq!(faults(&log).len(), 1);
    }

    #[test]
    fn a_result_says_its_rule_and_its_place_and_its_fix() {
        let log = of("manifest.json", MANIFEST);
        let run = &log["runs"][0];
        let results = run["results"].as_array().unwrap();
        let version = results.iter().find(|it| it["ruleId"] == "HKM004").unwrap();
        let index = usize::try_from(version["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], "HKM004");
        assert_eq!(
            version["locations"][0]["physicalLocation"]["region"],
            json!({"startLine": 3, "startColumn": 14, "endLine": 3, "endColumn": 19})
        );
        let fix = &version["fixes"][0];
        assert_eq!(fix["properties"]["safe"], false);
        assert_eq!(
            fix["artifactChanges"][0]["replacements"][0],
            json!({
                "deletedRegion": {"startLine": 3, "startColumn": 14, "endLine": 3, "endColumn": 19},
                "insertedContent": {"text": "\"1.2.0\""},
            })
        );
    }

    #[test]
    fn a_file_is_named_by_a_reference() {
        assert_eq!(artifact("a b/ö#%.rs")["uri"], "a%20b/%C3%B6%23%25.rs");
    }
}
