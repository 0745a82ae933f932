//! The record that every linter of the project reports in. How it is shown is the business of those who show it.

use std::ops::Range;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// A rule, with all that is said about it when somebody asks. Codes are never used again for another rule.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// `HKM003`: a prefix for the linter and a number.
    pub code: &'static str,
    /// How grave a finding is, unless the finding says otherwise.
    pub severity: Severity,
    /// The fault, in a few words.
    pub title: &'static str,
    /// Why it is one, and what follows from it.
    pub explanation: &'static str,
    /// An example that breaks the rule.
    pub wrong: &'static str,
    /// The same example, put right.
    pub right: &'static str,
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It will not work. Makes a check fail.
    Error,
    /// It works, though perhaps not as meant.
    Warning,
}

/// A place on one line of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Length in characters, at least 1.
    pub len: u32,
}

impl Span {
    /// Where the `bytes` of `text` are. Of several lines it is the first one's part.
    ///
    /// A range that is out of bounds or splits a character is moved to the nearest place before it that is not.
    pub fn of(text: &str, bytes: Range<usize>) -> Self {
        let start = text.floor_char_boundary(bytes.start);
        let end = text.floor_char_boundary(bytes.end.max(start));
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let first_line = text[start..end].lines().next().unwrap_or_default();
        Self {
            line: count(text[..line_start].matches('\n')) + 1,
            column: count(text[line_start..start].chars()) + 1,
            len: count(first_line.chars()).max(1),
        }
    }
}

/// One place where a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How grave it is here.
    pub severity: Severity,
    /// The file, as the caller named it.
    pub file: String,
    /// Where in the file; nothing if it concerns the file as a whole.
    pub span: Option<Span>,
    /// What is wrong here.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Finding {
    /// A finding as grave as its rule, without help.
    pub fn new(
        rule: &'static Rule,
        file: impl Into<String>,
        span: Option<Span>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            rule,
            severity: rule.severity,
            file: file.into(),
            span,
            message: message.into(),
            help: None,
        }
    }

    /// The same, saying what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same, of another gravity than its rule's.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }
}

/// `{"code", "severity", "file", "line", "column", "message", "help"}`, with null for what there is not. Fields
/// may be added, never changed.
impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Finding", 7)?;
        fields.serialize_field("code", self.rule.code)?;
        fields.serialize_field("severity", &self.severity)?;
        fields.serialize_field("file", &self.file)?;
        fields.serialize_field("line", &self.span.map(|span| span.line))?;
        fields.serialize_field("column", &self.span.map(|span| span.column))?;
        fields.serialize_field("message", &self.message)?;
        fields.serialize_field("help", &self.help)?;
        fields.end()
    }
}

fn count(things: impl Iterator) -> u32 {
    u32::try_from(things.count()).unwrap_or(u32::MAX)
}
