use std::collections::BTreeMap;

use hecate_manifest::rules::{Finding, Rule, Severity};

use super::super::Subject;
use crate::names::plural;

pub(super) static RULE: Rule = Rule {
    code: "HKS005",
    severity: Severity::Error,
    title: "two projections write one table",
    explanation: "Two projections on one table race: the second may run before the first has made the row. One \
        projection takes all events that a table is made of.",
    wrong: "order_confirmed/projection.rs and order_shipped/projection.rs, both `Table::new(\"shipments\", …)`",
    right: "order_lifecycle_to_shipments/projection.rs",
};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for tree in &subject.divisions {
        let own = plural(&tree.subject).snake().to_owned();
        let mut tables = BTreeMap::from([(own, "the division itself".to_owned())]);
        for desk in &tree.projections {
            let Some(table) = desk.table.clone() else {
                continue;
            };
            let name = format!("`{}`", desk.folder.name);
            if let Some(first) = tables.get(&table) {
                let file = format!(
                    "{}/projection.rs",
                    tree.desk_path(&tree.departments.prj, &desk.folder)
                );
                let message = format!("{name} writes the table `{table}`, and so does {first}");
                let span = subject.find(&file, &format!("\"{table}\""));
                let help =
                    "make one projection of both: `hecate gen desk prj EVENT EVENT --table TABLE`";
                found.push(Finding::new(&RULE, file, span, message).with_help(help));
            } else {
                tables.insert(table, name);
            }
        }
    }
}
