use hecate_manifest::rules::{Finding, Rule, Severity};

use super::super::Subject;

pub(super) static RULE: Rule = Rule {
    code: "HKS004",
    severity: Severity::Warning,
    title: "nothing can ask for a command",
    explanation: "A desk's `route.rs` says where its command is asked for. Without one, only other code of the plugin \
        can, a process manager for instance. If nothing does, the desk is dead.",
    wrong: "confirm_order/   # without route.rs",
    right: "confirm_order/\n  route.rs   # POST /orders/{id}/confirm",
};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for tree in &subject.divisions {
        for desk in tree.commands.iter().filter(|desk| desk.route.is_none()) {
            let file = tree.desk_path(&tree.departments.cmd, &desk.folder);
            let message = format!("the desk `{}` has no route", desk.folder.name);
            found.push(Finding::new(&RULE, file, None, message));
        }
    }
}
