//! Findings as they are shown: to people, to programs, to GitHub, to code hosts.

use std::collections::BTreeMap;
use std::fmt::Write;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use hecate_manifest::rules::{Finding, Severity};
use serde_json::json;

use super::{all_rules, sarif};
use crate::context::Context;

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people: each finding with its place in the text
    #[default]
    Text,
    /// For programs
    Json,
    /// Annotations of GitHub Actions
    Github,
    /// SARIF 2.1.0, for code hosts and editors
    Sarif,
}

/// More findings than anybody reads: the first ones are shown, and how many more there are.
const SHOWN: usize = 200;

/// Prints the findings; `texts` has the files that they are in.
pub(crate) fn print(
    cx: &Context,
    findings: &[Finding],
    texts: &BTreeMap<String, String>,
    format: Format,
) {
    let (errors, warnings) = count(findings);
    match format {
        Format::Json => {}
        Format::Sarif => {
            let log = sarif::log(&all_rules(), findings, texts);
            cx.printer().result(&log.to_string());
        }
        Format::Github => findings
            .iter()
            .for_each(|finding| cx.printer().result(&github(finding))),
        Format::Text => {
            for finding in findings.iter().take(SHOWN) {
                let text = texts.get(&finding.file).map(String::as_str);
                cx.printer()
                    .result(&(snippet(finding, text, cx.printer().has_colours()) + "\n"));
            }
            if findings.len() > SHOWN {
                let more = findings.len() - SHOWN;
                cx.printer()
                    .result(&format!("and {more} more: `--format json` has them all\n"));
            }
            cx.printer().result(&summary(errors, warnings));
        }
    }
    cx.printer().json(
        "check",
        json!({"findings": findings, "errors": errors, "warnings": warnings}),
    );
}

/// How many errors and warnings there are.
pub(crate) fn count(findings: &[Finding]) -> (usize, usize) {
    let errors = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .count();
    (errors, findings.len() - errors)
}

fn summary(errors: usize, warnings: usize) -> String {
    let many = |count: usize, word: &str| {
        if count == 1 {
            format!("1 {word}")
        } else {
            format!("{count} {word}s")
        }
    };
    match (errors, warnings) {
        (0, 0) => "no findings".to_owned(),
        (0, _) => many(warnings, "warning"),
        (_, 0) => many(errors, "error"),
        _ => format!("{}, {}", many(errors, "error"), many(warnings, "warning")),
    }
}

fn snippet(finding: &Finding, text: Option<&str>, colours: bool) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(&finding.message).id(finding.rule.code));
    let place = finding
        .span
        .zip(text)
        .and_then(|(span, text)| Some((span, row(text, span.line)?)));
    group = match place {
        // One line is all that is shown, and all that need be looked through.
        Some((span, row)) => group.element(
            Snippet::source(row)
                .line_start(span.line as usize)
                .path(finding.file.as_str())
                .annotation(AnnotationKind::Primary.span(bytes(row, span.column, span.len))),
        ),
        None => group.element(annotate_snippets::Origin::path(finding.file.as_str())),
    };
    if let Some(help) = &finding.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if colours {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    renderer.render(&[group])
}

/// A line, from 1.
fn row(text: &str, line: u32) -> Option<&str> {
    text.split('\n').nth(line as usize - 1)
}

/// The bytes in a line of a place that is given in characters, from 1.
fn bytes(row: &str, column: u32, len: u32) -> std::ops::Range<usize> {
    let at = |nth: u32| {
        row.char_indices()
            .nth(nth as usize)
            .map_or(row.len(), |(at, _)| at)
    };
    at(column - 1)..at(column - 1 + len)
}

/// `::error file=…,line=…,col=…,title=…::message`
fn github(finding: &Finding) -> String {
    let kind = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut line = format!("::{kind} file={}", property(&finding.file));
    if let Some(span) = finding.span {
        // Writing to a string does not fail.
        _ = write!(line, ",line={},col={}", span.line, span.column);
    }
    let help = finding
        .help
        .as_ref()
        .map(|help| format!("\nhelp: {help}"))
        .unwrap_or_default();
    format!(
        "{line},title={}::{}",
        finding.rule.code,
        data(&format!("{}{help}", finding.message))
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{bytes, data, property, row};

    #[test]
    fn places_are_found_by_characters() {
        let text = "ab\nçd \"x\"\n";
        let second = row(text, 2).unwrap();
        assert_eq!(&second[bytes(second, 4, 3)], "\"x\"");
        let first = row(text, 1).unwrap();
        assert_eq!(&first[bytes(first, 1, 9)], "ab", "no further than the line");
        assert_eq!(row(text, 9), None);
    }

    #[test]
    fn github_gets_its_escapes() {
        assert_eq!(data("50%\nmore"), "50%25%0Amore");
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
    }
}
