use std::collections::BTreeMap;

use hecate_manifest::rules::{Finding, Rule, Severity};

use super::super::Subject;

pub(super) static RULE: Rule = Rule {
    code: "HKE002",
    severity: Severity::Error,
    title: "a status bit is used twice",
    explanation: "A bit of a status means one thing, for ever: it stands in rows and in the minds of those who read \
        them. Two events of a division that set the same bit make it mean two things. Revisions of one event share \
        their bit; what several events set is a flag with a name of its own, in the division's `flags.rs`.",
    wrong: "// in order_confirmed_v1.rs\nconst SETS: u64 = 4;\n// in order_shipped_v1.rs\nconst SETS: u64 = 4;",
    right: "// in order_confirmed_v1.rs\nconst SETS: u64 = 4;\n// in order_shipped_v1.rs\nconst SETS: u64 = 8;",
};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for tree in &subject.divisions {
        let of_events = tree.events().map(|event| event.sets);
        let taken = of_events.chain(tree.flags.iter().map(|flag| flag.bit));
        let taken = taken.fold(0, |taken, bit| taken | bit);
        let free = (0..53).map(|bit| 1_u64 << bit).find(|bit| taken & bit == 0);
        let mut bits: BTreeMap<u64, &str> = BTreeMap::new();
        let mut look = |bit: u64, name, file: String, at: &str| {
            let first = bits.entry(bit).or_insert(name);
            if *first != name {
                let message = format!("`{name}` sets the bit {bit}, and so does `{first}`");
                let span = subject.find(&file, at);
                let finding = Finding::new(&RULE, file, span, message);
                found.push(match free {
                    Some(free) => finding.with_help(format!("{free} is free")),
                    None => finding,
                });
            }
        };
        for event in tree.events().filter(|event| event.sets != 0) {
            let name = event.versioned.name().snake();
            look(event.sets, name, tree.event_path(event), "const SETS");
        }
        for flag in &tree.flags {
            let at = format!("const {}", flag.constant);
            look(flag.bit, &flag.constant, tree.flags_path(), &at);
        }
    }
}
