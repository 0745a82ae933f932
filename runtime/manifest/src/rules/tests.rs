use semver::Version;
use serde_json::json;

use super::*;

mod agreement;
mod corpus;
mod each;
mod schema;

/// Breaks no rule in a project. The tests change one line of it.
const FINE: &str = r#"{
  "name": "my-plugin",
  "version": "0.1.0",
  "min_sdk_version": "0.1.0",
  "plugin_type": "in_vm",
  "description": "Keeps orders",
  "license": "Apache-2.0",
  "repository": "https://example.org/my-plugin",
  "icon": "icon.svg",
  "tag": "my-plugin",
  "trust_level": "untrusted",
  "permissions": ["net:dns"],
  "native_capabilities": {"theme": true},
  "min_daemon_version": "0.14.0"
}
"#;

/// Line of `FINE` on which a field stands.
fn line_of(field: &str) -> u32 {
    let lines = FINE.lines().position(|line| line.contains(field));
    u32::try_from(lines.unwrap()).unwrap() + 1
}

/// `FINE` with another value for a field, or with the field added as line 2.
fn with(field: &str, value: &str) -> String {
    let is_field = |line: &&str| line.trim_start().starts_with(&format!("\"{field}\""));
    match FINE.lines().find(is_field) {
        Some(line) => {
            let comma = if line.ends_with(',') { "," } else { "" };
            FINE.replace(line, &format!("  \"{field}\": {value}{comma}"))
        }
        None => FINE.replacen("{\n", &format!("{{\n  \"{field}\": {value},\n"), 1),
    }
}

fn without(field: &str) -> String {
    FINE.lines()
        .filter(|line| !line.contains(&format!("\"{field}\"")))
        .map(|line| format!("{line}\n"))
        .collect()
}

fn sdk() -> Version {
    Version::new(0, 2, 0)
}

/// Findings in a project with SDK 0.2.0, package version 0.1.0 and the file `priv/static/icon.svg`.
fn in_project(text: &str) -> Vec<Finding> {
    let context = Context {
        scope: Scope::Project,
        sdk: Some(&sdk()),
        cargo: Some(CargoVersion {
            version: "0.1.0",
            file: "Cargo.toml",
        }),
        files: Some(&|path| path == "priv/static/icon.svg"),
    };
    check_manifest("manifest.json", text, &context)
}

fn alone(text: &str) -> Vec<Finding> {
    check_manifest("manifest.json", text, &Context::default())
}

/// `HKM003 error 2:11`
fn places(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|finding| {
            let Span { line, column, .. } = finding.span.unwrap();
            let severity = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            format!("{} {severity} {line}:{column}", finding.rule.code)
        })
        .collect()
}

/// Expects that each value breaks the one rule, at the value.
fn breaks(place: &str, field: &str, values: &[&str]) {
    for value in values {
        let findings = in_project(&with(field, value));
        assert_eq!(places(&findings), [place], "{field}: {value}");
    }
}

/// Expects that no value breaks any rule.
fn holds(field: &str, values: &[&str]) {
    for value in values {
        let findings = in_project(&with(field, value));
        assert_eq!(places(&findings), [""; 0], "{field}: {value}");
    }
}

fn help(findings: &[Finding]) -> &str {
    findings[0].help.as_deref().unwrap()
}

#[test]
fn a_manifest_in_order_has_no_findings() {
    assert_eq!(places(&in_project(FINE)), [""; 0]);
    assert_eq!(places(&alone(FINE)), [""; 0]);
}

#[test]
fn all_findings_come_in_one_run_in_the_order_of_their_places() {
    let text = r#"{
  "version": "1",
  "name": "My",
  "tag": "my", "tag": "x-y",
  "permissions": [1, "a"]
}"#;
    assert_eq!(
        places(&in_project(text)),
        [
            "HKM002 warning 1:1",
            "HKM002 warning 1:1",
            "HKM002 warning 1:1",
            "HKM006 error 1:1",
            "HKM013 error 1:1",
            "HKM004 error 2:14",
            "HKM003 error 3:11",
            "HKM009 error 4:10",
            "HKM015 error 4:16",
            "HKM005 error 5:19",
            "HKM014 warning 5:22",
        ]
    );
}

#[test]
fn codes_are_in_order_and_every_rule_explains_itself() {
    let rules: Vec<_> = manifest_rules().collect();
    for (index, rule) in rules.iter().enumerate() {
        assert_eq!(rule.code, format!("HKM{:03}", index + 1));
        assert!(rule.explanation.ends_with('.') && !rule.explanation.contains("  "));
        assert!(!rule.title.ends_with('.'));
        let breaks = |text| {
            let findings = in_project(text);
            findings.iter().any(|finding| finding.rule == *rule)
        };
        assert!(breaks(rule.wrong), "{} wrong", rule.code);
        assert!(!breaks(rule.right), "{} right", rule.code);
    }
    assert_eq!(rules.len(), 19);
}

#[test]
fn the_json_of_a_finding_is_stable() {
    let finding = in_project(&with("name", r#""My Plugin""#)).remove(0);
    assert_eq!(
        serde_json::to_value(&finding).unwrap(),
        json!({
            "code": "HKM003",
            "severity": "error",
            "file": "manifest.json",
            "line": 2,
            "column": 11,
            "message": finding.message,
            "help": "write `my-plugin`; `display_name` may hold any text",
            "fix": null,
        })
    );
    let nowhere = Finding::new(finding.rule, "a", None, "b").with_severity(Severity::Warning);
    assert_eq!(
        serde_json::to_string(&nowhere).unwrap(),
        r#"{"code":"HKM003","severity":"warning","file":"a","line":null,"column":null,"message":"b","help":null,"fix":null}"#
    );
}

/// On one line, as a hostile bundle may have it: with a place that is found by reading all that is before it, this test
/// takes minutes.
#[test]
fn ten_thousand_findings_are_found_in_their_places() {
    let mut text = String::from("{");
    let mut columns = Vec::new();
    for nth in 0..10_000 {
        columns.push(text.chars().count() as u32 + 1);
        text.push_str(&format!("\"größe{nth}\":{nth},"));
    }
    text.push_str("\"name\":\"a\",\"version\":\"0.1.0\",\"plugin_type\":\"in_vm\"}");
    let unknown: Vec<_> = alone(&text)
        .into_iter()
        .filter(|finding| finding.rule.code == "HKM011")
        .filter_map(|finding| finding.span)
        .collect();
    let found: Vec<_> = unknown.iter().map(|span| span.column).collect();
    assert_eq!(found, columns);
    assert!(unknown.iter().all(|span| span.line == 1 && span.len >= 8));
}

#[test]
fn spans_count_characters() {
    let text = "aé💬b\r\ncd\n";
    let span = |bytes| {
        let Span { line, column, len } = Span::of(text, bytes);
        (line, column, len)
    };
    assert_eq!(span(0..1), (1, 1, 1));
    assert_eq!(span(3..8), (1, 3, 2));
    assert_eq!(span(7..11), (1, 4, 1), "only the first line's part");
    assert_eq!(span(10..12), (2, 1, 2));
    assert_eq!(span(13..13), (3, 1, 1), "after the last newline");
    assert_eq!(span(2..2), (1, 2, 1), "inside a character");
    assert_eq!(span(99..120), (3, 1, 1), "beyond the end");
}

#[test]
fn nearest_finds_slips_and_no_more() {
    let known = ["display_name", "description", "tag", "icon"];
    let table = [
        ("displayName", Some("display_name")),
        ("DESCRIPTION", Some("description")),
        ("descritpion", Some("description")),
        ("tags", Some("tag")),
        ("xy", None),
        ("", None),
        ("homepage", None),
    ];
    for (word, expected) in table {
        assert_eq!(nearest(word, known), expected, "{word}");
    }
    assert_eq!(nearest(&"display_name".repeat(100_000), known), None);
}
