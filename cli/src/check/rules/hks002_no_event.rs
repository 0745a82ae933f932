use hecate_manifest::rules::{Finding, Rule, Severity};

use super::super::Subject;

pub(super) static RULE: Rule = Rule {
    code: "HKS002",
    severity: Severity::Error,
    title: "a command leads to no event",
    explanation: "A command that is accepted leaves an event, or nothing has happened. A desk's event is a file \
        `{event}_v{n}.rs` in its folder, with a type that implements `Event`. A folder without one is a slice that was \
        begun and not finished.",
    wrong: "confirm_order/\n  confirm_order_v1.rs",
    right: "confirm_order/\n  confirm_order_v1.rs\n  order_confirmed_v1.rs",
};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for tree in &subject.divisions {
        for desk in tree.commands.iter().filter(|desk| desk.events.is_empty()) {
            let file = tree.desk_path(&tree.departments.cmd, &desk.folder);
            let message = format!("the desk `{}` has no event", desk.folder.name);
            let help = "add a file `{event}_v1.rs` with a type that implements `Event`, or remove the folder";
            found.push(Finding::new(&RULE, file, None, message).with_help(help));
        }
    }
}
