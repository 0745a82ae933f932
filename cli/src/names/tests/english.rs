//! Participles and plurals against lists checked by hand, and the tables behind them.

use std::collections::BTreeSet;

use super::super::table::{self, lines, rows};
use super::super::*;
use super::{DESKS, PAST_PARTICIPLES, PLURALS, name};

#[test]
fn past_participles_are_those_checked_by_hand() {
    let checked: Vec<[&str; 2]> = rows(PAST_PARTICIPLES).collect();
    assert!(checked.len() >= 1000);
    let wrong: Vec<String> = checked
        .iter()
        .map(|[verb, expected]| (past(&name(verb)), expected))
        .filter(|(got, expected)| got != *expected)
        .map(|(got, expected)| format!("{got}, not {expected}"))
        .collect();
    assert_eq!(wrong, [""; 0]);
    let known: BTreeSet<&str> = checked.iter().map(|[verb, _]| *verb).collect();
    for [verb, _, _] in rows(DESKS) {
        assert!(known.contains(verb), "{verb}");
    }
}

#[test]
fn a_prefix_changes_neither_the_participle_nor_the_doubling() {
    for (base, participle) in [
        ("draw", "drawn"),
        ("plan", "planned"),
        ("write", "written"),
        ("wrap", "wrapped"),
    ] {
        for prefix in ["re", "un", "over", "mis", "pre", "out"] {
            assert_eq!(
                past(&name(&format!("{prefix}{base}"))),
                *format!("{prefix}{participle}")
            );
        }
    }
}

#[test]
fn plurals_are_those_checked_by_hand() {
    let mut wrong = Vec::new();
    for [singular_form, plural_form] in rows(PLURALS) {
        let plural_name = plural(&name(singular_form));
        if plural_name != plural_form || plural(&plural_name) != plural_name {
            wrong.push(format!(
                "{singular_form}: {plural_name}, {}",
                plural(&plural_name)
            ));
        }
        if let Some(singular) = singular(&plural_name) {
            assert_eq!(plural(&singular), plural_name);
            assert_ne!(singular, plural_name);
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn singulars_are_hints() {
    assert_eq!(singular(&name("orders")), Some(name("order")));
    assert_eq!(singular(&name("lenses")), Some(name("lens")));
    assert_eq!(
        singular(&name("bills_of_materials")),
        Some(name("bill_of_materials"))
    );
    for whole in ["order", "metadata", "status", "lens", "analysis"] {
        assert_eq!(singular(&name(whole)), None, "{whole}");
    }
}

#[test]
fn data_files_are_sorted_well_formed_and_without_repetition() {
    for (file, columns) in [
        (table::COMPOUNDS, 1),
        (table::DOUBLED_VERBS, 1),
        (table::IRREGULAR_VERBS, 2),
        (table::PHRASAL_VERBS, 1),
        (table::PLURALS, 2),
        (table::RESERVED_WORDS, 3),
        (table::VERB_MODIFIERS, 1),
        (DESKS, 3),
        (PAST_PARTICIPLES, 2),
        (PLURALS, 2),
    ] {
        // One line for each key; a real desk is one of several of its verb.
        let key = |line: &'static str| match file {
            DESKS => line,
            _ => line.split('\t').next().unwrap(),
        };
        let keys: Vec<&str> = lines(file).map(key).collect();
        assert!(keys.is_sorted_by(|one, other| one < other), "{}", keys[0]);
        for line in lines(file) {
            let cells: Vec<&str> = line.split('\t').collect();
            assert!(cells.len() <= columns && !cells.contains(&""), "{line}");
            assert!(line.trim() == line && line.is_ascii(), "{line}");
        }
    }
}

#[test]
fn no_line_of_the_irregular_verbs_is_idle() {
    let idle: Vec<&str> = rows(table::IRREGULAR_VERBS)
        .filter(|[verb, participle]| super::super::past::by_rule(verb) == *participle)
        .map(|[verb, _]| verb)
        .collect();
    assert_eq!(idle, [""; 0]);
}
