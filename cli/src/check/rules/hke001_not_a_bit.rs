use hecate_manifest::rules::{Finding, Rule, Severity};

use super::super::Subject;

pub(super) static RULE: Rule = Rule {
    code: "HKE001",
    severity: Severity::Error,
    title: "a status bit is not a power of two",
    explanation: "The status of a thing is a set of bits, and `SETS` of an event says which bit the event sets. A \
        number that is no power of two sets several bits at once, so that the status says things that have not \
        happened. An event that sets nothing has `SETS` 0.",
    wrong: "const SETS: u64 = 3;",
    right: "const SETS: u64 = 4;",
};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for tree in &subject.divisions {
        for event in tree
            .events()
            .filter(|event| event.sets != 0 && !event.sets.is_power_of_two())
        {
            let file = tree.event_path(event);
            let message = format!(
                "`{}` sets {}, which is not a power of two",
                event.versioned, event.sets
            );
            let span = subject.find(&file, "const SETS");
            found.push(
                Finding::new(&RULE, file, span, message)
                    .with_help("use a bit that no event has, or 0 for none"),
            );
        }
        for flag in tree.flags.iter().filter(|flag| !flag.bit.is_power_of_two()) {
            let file = tree.flags_path();
            let message = format!(
                "`{}` is {}, which is not a power of two",
                flag.constant, flag.bit
            );
            let span = subject.find(&file, &format!("const {}", flag.constant));
            found.push(
                Finding::new(&RULE, file, span, message)
                    .with_help("use a bit that no event and no other flag has"),
            );
        }
    }
}
