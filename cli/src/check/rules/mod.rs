//! The rules for a project's source: one file each, with its text and its check. Codes are never used again.

mod hke001_not_a_bit;
mod hke002_bit_used_twice;
mod hkg001_owned_is_stale;
mod hkn001_crud_verb;
mod hkn002_birth_event;
mod hks001_not_rust;
mod hks002_no_event;
mod hks003_no_handler;
mod hks004_no_route;
mod hks005_table_twice;
mod hks006_no_library;
mod hks007_not_depended_on;
mod hks008_unreadable;
mod hks010_horizontal_folder;

use hecate_manifest::rules::{Finding, Rule};

use super::Subject;

type Check = fn(&Subject<'_>, &mut Vec<Finding>);

static CHECKS: [(&Rule, Check); 14] = [
    (&hke001_not_a_bit::RULE, hke001_not_a_bit::check),
    (&hke002_bit_used_twice::RULE, hke002_bit_used_twice::check),
    (&hkg001_owned_is_stale::RULE, hkg001_owned_is_stale::check),
    (&hkn001_crud_verb::RULE, hkn001_crud_verb::check),
    (&hkn002_birth_event::RULE, hkn002_birth_event::check),
    (&hks001_not_rust::RULE, hks001_not_rust::check),
    (&hks002_no_event::RULE, hks002_no_event::check),
    (&hks003_no_handler::RULE, hks003_no_handler::check),
    (&hks004_no_route::RULE, hks004_no_route::check),
    (&hks005_table_twice::RULE, hks005_table_twice::check),
    (&hks006_no_library::RULE, hks006_no_library::check),
    (&hks007_not_depended_on::RULE, hks007_not_depended_on::check),
    (&hks008_unreadable::RULE, hks008_unreadable::check),
    (
        &hks010_horizontal_folder::RULE,
        hks010_horizontal_folder::check,
    ),
];

/// The rules, in the order of their codes.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    CHECKS.iter().map(|(rule, _)| *rule)
}

/// All findings of all rules.
pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (_, check) in &CHECKS {
        check(subject, &mut findings);
    }
    findings
}
