use hecate_manifest::rules::{Finding, Rule, Severity};

use super::super::Subject;

pub(super) static RULE: Rule = Rule {
    code: "HKS003",
    severity: Severity::Error,
    title: "a command has no decision",
    explanation: "Each desk that takes a command decides in its own `handle.rs`, and remembers in its own `state.rs`, \
        and writes its own columns in `columns.rs`: the files that compose the division name all three. A folder \
        without them is a slice that was begun and not finished.",
    wrong: "confirm_order/\n  confirm_order_v1.rs\n  order_confirmed_v1.rs",
    right: "confirm_order/\n  confirm_order_v1.rs\n  order_confirmed_v1.rs\n  handle.rs\n  state.rs\n  columns.rs",
};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for tree in &subject.divisions {
        for desk in &tree.commands {
            let file = tree.desk_path(&tree.departments.cmd, &desk.folder);
            let command = format!("{}_v1", desk.folder.name);
            for module in [command.as_str(), "handle", "state", "columns"] {
                if !desk.folder.has(module) {
                    let message = format!("the desk `{}` has no `{module}.rs`", desk.folder.name);
                    found.push(Finding::new(&RULE, file.as_str(), None, message));
                }
            }
        }
    }
}
