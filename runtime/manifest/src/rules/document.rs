//! A manifest's syntax tree, as the rules see it.

use jsonc_parser::ast::{Object, StringLit, Value};
use jsonc_parser::common::{Range, Ranged};

use semver::Version;

use super::finding::Places;
use super::{Finding, Fix, Rule, Span};
use crate::suggest_version;

/// A manifest that is JSON and an object.
pub(super) struct Document<'a> {
    pub(super) file: &'a str,
    pub(super) places: Places<'a>,
    pub(super) root: Object<'a>,
}

impl<'a> Document<'a> {
    /// The value of a field of the manifest.
    pub(super) fn field(&self, name: &str) -> Option<&Value<'a>> {
        self.root.get(name).map(|field| &field.value)
    }

    /// The value of a field, if it is a string. Rules about a text say nothing of other types: HKM005 does.
    pub(super) fn text_field(&self, name: &str) -> Option<&StringLit<'a>> {
        self.field(name)?.as_string_lit()
    }

    /// A place that stands for the whole manifest: its opening brace.
    pub(super) fn start(&self) -> Range {
        opening_brace(&self.root)
    }

    pub(super) fn finding(
        &self,
        rule: &'static Rule,
        at: &impl Ranged,
        message: impl Into<String>,
    ) -> Finding {
        Finding::new(rule, self.file, Some(self.span(at)), message)
    }

    /// A finding if the value of `field` is not a semantic version, with the one that it probably stands for.
    pub(super) fn unless_version(
        &self,
        rule: &'static Rule,
        field: &str,
        value: &StringLit<'a>,
    ) -> Option<Finding> {
        let error = Version::parse(&value.value).err()?;
        let text = value.value.escape_debug();
        let message = format!("`{field}` is `{text}`, which is not a semantic version: {error}");
        let finding = self.finding(rule, value, message);
        Some(match suggest_version(&value.value) {
            Some(suggestion) => {
                let help = format!("write `{suggestion}`");
                let text = format!("\"{suggestion}\"");
                // Whoever wrote it may have meant another one.
                let fix = Fix::unsafe_one(help.as_str(), value.start()..value.end(), text);
                finding.with_help(help).with_fix(fix)
            }
            None => finding.with_help("write three numbers, as in `0.1.0`"),
        })
    }

    pub(super) fn span(&self, at: &impl Ranged) -> Span {
        self.places.span(at.start()..at.end())
    }
}

/// A place that stands for a whole object.
pub(super) fn opening_brace(object: &Object<'_>) -> Range {
    let start = object.range.start;
    Range::new(start, start + 1)
}
