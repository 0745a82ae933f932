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
        Places::of(text).span(bytes)
    }
}

/// Tells places of one text, each without reading all that is before it: a manifest that somebody else made may be
/// large, and have a finding in every word of it.
pub(super) struct Places<'a> {
    text: &'a str,
    /// Byte, line and column of a character every [`STEP`] bytes or so.
    marks: Vec<(usize, u32, u32)>,
}

/// Bytes between two marks, if no character lies across.
const STEP: usize = 1024;

impl<'a> Places<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let mut marks = vec![(0, 1, 1)];
        let (mut line, mut column, mut next) = (1, 1, STEP);
        for (at, character) in text.char_indices() {
            if at >= next {
                marks.push((at, line, column));
                next = at + STEP;
            }
            (line, column) = after(character, line, column);
        }
        Self { text, marks }
    }

    /// As [`Span::of`].
    pub(super) fn span(&self, bytes: Range<usize>) -> Span {
        let start = self.text.floor_char_boundary(bytes.start);
        let end = self.text.floor_char_boundary(bytes.end.max(start));
        let nth = self.marks.partition_point(|(at, _, _)| *at <= start);
        // The first mark is at 0: there is always one before.
        let (from, mut line, mut column) = self.marks[nth - 1];
        for character in self.text[from..start].chars() {
            (line, column) = after(character, line, column);
        }
        let first_line = self.text[start..end].lines().next().unwrap_or_default();
        let len = u32::try_from(first_line.chars().count()).unwrap_or(u32::MAX);
        Span {
            line,
            column,
            len: len.max(1),
        }
    }
}

/// Line and column of the character after this one.
const fn after(character: char, line: u32, column: u32) -> (u32, u32) {
    if character == '\n' {
        (line + 1, 1)
    } else {
        (line, column + 1)
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
    /// The change that does it, where that is known.
    pub fix: Option<Box<Fix>>,
}

/// A change of a finding's file that mends what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What it does: ``write `0.1.0` ``.
    pub title: String,
    /// Whether it cannot change what was meant. Others are made only if asked for.
    pub safe: bool,
    /// What is replaced, in the order of the places, none in another.
    pub edits: Vec<Edit>,
}

/// Bytes of a file, and the text that takes their place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// The first byte that goes.
    pub start: usize,
    /// The first one after it that stays.
    pub end: usize,
    /// What comes instead.
    pub text: String,
}

impl Fix {
    /// A fix that replaces one place and cannot change what was meant.
    pub fn safe(title: impl Into<String>, bytes: Range<usize>, text: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            safe: true,
            edits: vec![Edit {
                start: bytes.start,
                end: bytes.end,
                text: text.into(),
            }],
        }
    }

    /// The same, of one that somebody should look at.
    pub fn unsafe_one(
        title: impl Into<String>,
        bytes: Range<usize>,
        text: impl Into<String>,
    ) -> Self {
        Self {
            safe: false,
            ..Self::safe(title, bytes, text)
        }
    }
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
            fix: None,
        }
    }

    /// The same, with the change that mends it.
    #[must_use]
    pub fn with_fix(mut self, fix: Fix) -> Self {
        self.fix = Some(Box::new(fix));
        self
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

/// `{"code", "severity", "file", "line", "column", "message", "help", "fix"}`, with null for what there is
/// not. Fields may be added, never changed.
impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Finding", 8)?;
        fields.serialize_field("code", self.rule.code)?;
        fields.serialize_field("severity", &self.severity)?;
        fields.serialize_field("file", &self.file)?;
        fields.serialize_field("line", &self.span.map(|span| span.line))?;
        fields.serialize_field("column", &self.span.map(|span| span.column))?;
        fields.serialize_field("message", &self.message)?;
        fields.serialize_field("help", &self.help)?;
        fields.serialize_field("fix", &self.fix)?;
        fields.end()
    }
}
