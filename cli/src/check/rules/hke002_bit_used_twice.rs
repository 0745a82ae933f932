use std::collections::BTreeMap;

use hecate_manifest::rules::{Finding, Rule, Severity};

use super::super::Subject;

pub(super) static RULE: Rule = Rule {
    code: "HKE002",
    severity: Severity::Error,
    title: "two events set the same status bit",
    explanation: "A bit of a status means one thing, for ever: it stands in rows and in the minds of those who read \
        them. Two events of a division that set the same bit make it mean two things. Revisions of one event share \
        their bit.",
    wrong: "// in order_confirmed_v1.rs\nconst SETS: u64 = 4;\n// in order_shipped_v1.rs\nconst SETS: u64 = 4;",
    right: "// in order_confirmed_v1.rs\nconst SETS: u64 = 4;\n// in order_shipped_v1.rs\nconst SETS: u64 = 8;",
};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for tree in &subject.divisions {
        let mut bits: BTreeMap<u64, &crate::names::Name> = BTreeMap::new();
        for event in tree.events().filter(|event| event.sets != 0) {
            let name = event.versioned.name();
            let first = bits.entry(event.sets).or_insert(name);
            if *first != name {
                let file = tree.event_path(event);
                let message = format!(
                    "`{name}` sets the bit {}, and so does `{first}`",
                    event.sets
                );
                let taken = tree.events().fold(0, |taken, event| taken | event.sets);
                let free = (0..53).map(|bit| 1_u64 << bit).find(|bit| taken & bit == 0);
                let span = subject.find(&file, "const SETS");
                let finding = Finding::new(&RULE, file, span, message);
                found.push(match free {
                    Some(free) => finding.with_help(format!("{free} is free")),
                    None => finding,
                });
            }
        }
    }
}
