use hecate_manifest::rules::{Finding, Rule, Severity};

use super::super::Subject;
use crate::names::{Name, crud_event, crud_verb};

pub(super) static RULE: Rule = Rule {
    code: "HKN001",
    severity: Severity::Warning,
    title: "a command says nothing about the business",
    explanation: "`create`, `update` and `delete` are what a database does. A command says what somebody wants, an \
        event what happened: `register`, `correct`, `withdraw`. Who reads the events later learns nothing from an \
        `order_updated`.",
    wrong: "update_order, order_updated_v1",
    right: "correct_address, address_corrected_v1",
};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for tree in &subject.divisions {
        for desk in &tree.commands {
            let file = tree.desk_path(&tree.departments.cmd, &desk.folder);
            let verb = desk
                .folder
                .name
                .words()
                .next()
                .and_then(|verb| Name::parse(verb).ok());
            let of_events = desk
                .events
                .iter()
                .find_map(|event| crud_event(event.versioned.name()));
            if let Some(crud) = verb.and_then(|verb| crud_verb(&verb)).or(of_events) {
                found.push(Finding::new(
                    &RULE,
                    file,
                    None,
                    format!("`{}`: {crud}", desk.folder.name),
                ));
            }
        }
    }
}
