use hecate_manifest::rules::{Finding, Rule, Severity, Span};

use super::super::Subject;

pub(super) static RULE: Rule = Rule {
    code: "HKS001",
    severity: Severity::Error,
    title: "a desk's file cannot be read as Rust",
    explanation: "What a desk is (its fields, its events, its columns) is read from its files. A file that is not \
        Rust stops that, and the compiler as well. The other rules look at this division when the file is mended.",
    wrong: "pub struct OrderConfirmedV1 { pub note String }",
    right: "pub struct OrderConfirmedV1 { pub note: String }",
};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for fault in &subject.faults {
        let span = fault.line.map(|(line, column)| Span {
            line,
            column,
            len: 1,
        });
        found.push(Finding::new(
            &RULE,
            fault.file.as_str(),
            span,
            fault.message.as_str(),
        ));
    }
}
