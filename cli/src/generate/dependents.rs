//! Who depends on something that is to go: files that are the user's and name it.

use std::collections::{BTreeMap, BTreeSet};

use super::lock::Lock;
use super::recorded::{is_owned, shown};
use super::tree::{CommandDesk, DivisionTree, ProjectionDesk};
use crate::names::plural;
use crate::project::View;

/// Names that are gone with a command: its event types, its parts by path, its sample.
pub(super) fn names_of_command(tree: &DivisionTree, desk: &CommandDesk) -> BTreeSet<String> {
    let name = &desk.folder.name;
    let mut names = BTreeSet::from([
        format!("{}::{name}", tree.departments.cmd),
        format!("samples::{name}"),
        format!("\"{name}\""),
    ]);
    names.extend(desk.events.iter().map(|event| event.type_name.clone()));
    if tree
        .archive()
        .is_some_and(|archive| archive.folder == desk.folder)
    {
        names.extend(["must_not_be_archived", "samples::archived"].map(str::to_owned));
    }
    // A column goes with the last desk that writes it; queries name it as text.
    for (column, _) in &desk.columns {
        let others = tree
            .commands
            .iter()
            .filter(|other| other.folder != desk.folder);
        let mut columns = others.flat_map(|other| &other.columns);
        if !columns.any(|(other, _)| other == column) {
            names.insert(format!("\"{column}\""));
        }
    }
    names
}

/// Names that are gone with a projection: its module, and its table.
pub(super) fn names_of_projection(tree: &DivisionTree, desk: &ProjectionDesk) -> BTreeSet<String> {
    let mut names = BTreeSet::from([format!("{}::{}", tree.departments.prj, desk.folder.name)]);
    names.extend(desk.table_const.clone());
    names
}

/// Names that are gone with a source of any other kind: the types that it declares for others.
pub(super) fn names_of_source(text: &str) -> BTreeSet<String> {
    let declared = text.lines().filter_map(|line| {
        let rest = line.strip_prefix("pub ")?;
        let rest = ["struct ", "enum ", "trait "]
            .iter()
            .find_map(|word| rest.strip_prefix(word))?;
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        Some(rest[..end.unwrap_or(rest.len())].to_owned())
    });
    declared.filter(|name| !name.is_empty()).collect()
}

/// Names that are gone with a division: its crate, and its departments.
pub(super) fn names_of_division(tree: &DivisionTree, crate_name: &str) -> BTreeSet<String> {
    let subject = &tree.subject;
    BTreeSet::from([
        crate_name.to_owned(),
        crate_name.replace('_', "-"),
        format!("guide_{subject}_lifecycle"),
        format!("project_{}", plural(subject)),
    ])
}

/// The files within `scope` that name one of `names`, with the first of them; neither owned ones nor those of `gone`.
pub(super) fn dependents(
    view: &View,
    scope: impl Fn(&str) -> bool,
    gone: &BTreeSet<&str>,
    names: &BTreeSet<String>,
) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (path, contents) in view.iter() {
        let path = path.as_str();
        if gone.contains(path) || is_owned(contents) || !scope(path) {
            continue;
        }
        let Ok(text) = std::str::from_utf8(contents) else {
            continue;
        };
        let mut named = names.iter().filter(|name| has_word(text, name));
        // A column says less about what is needed than a type or a module.
        if let Some(name) = named
            .clone()
            .find(|name| !name.starts_with('"'))
            .or(named.next())
        {
            found.insert(path.to_owned(), name.trim_matches('"').to_owned());
        }
    }
    found
}

/// Whether `word` stands in `text` as a whole.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// Whose file it is: `projection order/order_confirmed`, or the file itself where nothing recorded has it.
pub(super) fn owner(lock: &Lock, path: &str) -> Option<String> {
    let has = |artifact: &&super::lock::Artifact| artifact.files.contains_key(path);
    lock.artifacts().find(has).map(shown)
}

#[cfg(test)]
mod tests {
    use super::has_word;

    #[test]
    fn a_word_is_found_as_a_whole() {
        assert!(has_word(
            "use crate::a::confirm_order::handle;",
            "a::confirm_order"
        ));
        assert!(has_word(
            "OrderEvent::OrderConfirmedV1(_)",
            "OrderConfirmedV1"
        ));
        assert!(!has_word("unconfirm_order confirm_orders", "confirm_order"));
    }
}
