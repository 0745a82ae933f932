use hecate_manifest::rules::{Finding, Rule, Severity};
use hecate_templates::Catalog;

use super::super::Subject;
use crate::generate::{Formatter, refresh};
use crate::tools;

pub(super) static RULE: Rule = Rule {
    code: "HKG001",
    severity: Severity::Error,
    title: "a generated list is out of date",
    explanation: "Files that begin with `@generated` follow from the folders of the desks: which modules there are, \
        which events, which columns, which routes. After a desk was added, moved, edited or removed by hand they must \
        be written anew, or the desk is not part of the plugin. They are never edited by hand.",
    wrong: "divisions/order/src/guide_order_lifecycle/ship_order/   # not in mod.rs",
    right: "hecate check --fix   # or any `hecate gen`, which does the same",
};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(plugin) = &subject.plugin else {
        return;
    };
    // While a file cannot be read, nothing follows from it.
    if !subject.faults.is_empty() {
        return;
    }
    match refresh(
        subject.view,
        plugin,
        &Catalog::builtin(),
        Formatter::new(tools::rustfmt),
    ) {
        Ok(plan) => {
            for step in plan.steps {
                let what = if step.before.is_some() {
                    "is out of date"
                } else {
                    "is missing"
                };
                let message = format!(
                    "`{}` {what}: it follows from the folders beside it",
                    step.path
                );
                let finding = Finding::new(&RULE, step.path.to_string(), None, message);
                found.push(finding.with_help("`hecate check --fix` writes it anew"));
            }
        }
        Err(error) => {
            let finding = Finding::new(&RULE, "divisions", None, error.to_string());
            let help = error.hints().first().cloned();
            found.push(match help {
                Some(help) => finding.with_help(help),
                None => finding,
            });
        }
    }
}
