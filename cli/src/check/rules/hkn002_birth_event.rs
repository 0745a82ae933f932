use hecate_manifest::rules::{Finding, Rule, Severity};

use super::super::Subject;

pub(super) static RULE: Rule = Rule {
    code: "HKN002",
    severity: Severity::Warning,
    title: "a division begins with another event than `…_initiated`",
    explanation: "The first event of a stream is its birth, and by custom it is called `{subject}_initiated`: then \
        every reader of events, in every plugin, knows a beginning when it sees one. A division may have other births \
        beside it.",
    wrong: "divisions/order: only `order_imported_v1` brings an order into being",
    right: "divisions/order: `order_initiated_v1`, and `order_imported_v1` beside it",
};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for tree in &subject.divisions {
        let births: Vec<_> = tree.commands.iter().filter(|desk| desk.is_birth).collect();
        let usual = format!("{}_initiated", tree.subject);
        let has_usual = births
            .iter()
            .flat_map(|desk| &desk.events)
            .any(|event| event.versioned.name().snake() == usual);
        if let Some(first) = births.first()
            && !has_usual
        {
            let file = tree.desk_path(&tree.departments.cmd, &first.folder);
            let message = format!(
                "the division `{}` has no birth event `{usual}`",
                tree.subject
            );
            let help = format!("`hecate gen desk cmd initiate {}`", tree.subject);
            found.push(Finding::new(&RULE, file, None, message).with_help(help));
        }
    }
}
