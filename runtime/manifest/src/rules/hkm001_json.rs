use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::document::Document;
use super::finding::Places;
use super::{Finding, Rule, Severity, Span};

pub(super) static RULE: Rule = Rule {
    code: "HKM001",
    severity: Severity::Error,
    title: "not a JSON object",
    explanation: "The manifest is read by the daemon, by the plugin itself and by tools of others, so it is \
        plain JSON, as RFC 8259 has it: no comments, no trailing commas, double quotes. Nothing else in the \
        file is checked until it can be read.",
    wrong: r#"{
  "name": "my-plugin", // what it is called
  "version": "0.1.0",
}"#,
    right: r#"{
  "name": "my-plugin",
  "version": "0.1.0"
}"#,
};

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

pub(super) fn parse<'a>(file: &'a str, text: &'a str) -> Result<Document<'a>, Finding> {
    let finding = |span, message: String| Finding::new(&RULE, file, Some(span), message);
    if text.starts_with('\u{feff}') {
        let message = "the file begins with a byte order mark, which JSON does not have".to_owned();
        return Err(
            finding(Span::of(text, 0..0), message).with_help("save it as UTF-8 without one")
        );
    }
    let parsed = parse_to_ast(text, &CollectOptions::default(), &STRICT).map_err(|error| {
        let range = error.range();
        let what = uncapitalized(&error.kind().to_string());
        finding(Span::of(text, range.start..range.end), what)
    })?;
    let Some(value) = parsed.value else {
        return Err(
            finding(Span::of(text, 0..0), "the file is empty".into()).with_help(
                "take it from your last commit; `hecate explain HKM001` shows the least of one",
            ),
        );
    };
    // The daemon reads with serde_json, whose word is the last: it refuses raw control characters in strings
    // and numbers that no `f64` can hold.
    serde_json::from_str::<serde_json::Value>(text).map_err(|error| {
        let at = offset_of(text, error.line(), error.column());
        finding(Span::of(text, at..at), describe(&error))
    })?;
    match value {
        Value::Object(root) => Ok(Document {
            file,
            places: Places::of(text),
            root,
        }),
        other => {
            let start = other.start();
            let message = "the manifest must be an object".to_owned();
            Err(finding(Span::of(text, start..start + 1), message)
                .with_help("begin with `{`; `hecate explain HKM001` shows the least of one"))
        }
    }
}

/// Byte offset of a place as serde_json gives it: a line from 1, and the number of bytes read of it.
fn offset_of(text: &str, line: usize, bytes_read: usize) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    before + bytes_read.saturating_sub(1)
}

/// What serde_json says, without the place.
fn describe(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.split_once(" at line ") {
        Some((what, _)) => what.to_owned(),
        None => message,
    }
}

fn uncapitalized(message: &str) -> String {
    let mut characters = message.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}
