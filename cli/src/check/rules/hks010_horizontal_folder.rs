use std::collections::BTreeSet;

use hecate_manifest::rules::{Finding, Rule, Severity};

use super::super::Subject;

pub(super) static RULE: Rule = Rule {
    code: "HKS010",
    severity: Severity::Warning,
    title: "a folder is named after a technique",
    explanation: "A folder says what the plugin does: a desk has all that its command needs. `utils`, `services` or \
        `handlers` say how something is made, collect what belongs to no one, and every change touches them. Only the \
        whole name counts: `initiate_delivery_manager` is a desk whose subject is a delivery manager.",
    wrong: "divisions/order/src/handlers/confirm_order.rs",
    right: "divisions/order/src/guide_order_lifecycle/confirm_order/handle.rs",
};

const TECHNIQUES: [&str; 8] = [
    "common",
    "handlers",
    "helpers",
    "listeners",
    "managers",
    "services",
    "shared",
    "utils",
];

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let paths = subject.view.iter().map(|(path, _)| path.as_str());
    for (folder, name) in horizontal(paths) {
        let message = format!("`{name}` says how something is made, not what it does");
        let help = "move each file to the desk that needs it, or to the root of its division";
        found.push(Finding::new(&RULE, folder, None, message).with_help(help));
    }
}

/// The folders of Rust sources that are named so, each once, with its name.
fn horizontal<'a>(paths: impl Iterator<Item = &'a str>) -> BTreeSet<(&'a str, &'a str)> {
    let mut folders = BTreeSet::new();
    for path in paths.filter(|path| path.ends_with(".rs")) {
        let Some(start) = (path.starts_with("src/").then_some(4))
            .or_else(|| path.find("/src/").map(|at| at + "/src/".len()))
        else {
            continue;
        };
        for (at, _) in path[start..].match_indices('/') {
            let folder = &path[..start + at];
            let name = folder.rsplit('/').next().unwrap_or(folder);
            if TECHNIQUES.contains(&name) {
                folders.insert((folder, name));
            }
        }
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(paths: &[&'static str]) -> Vec<&'static str> {
        let found = horizontal(paths.iter().copied());
        found.into_iter().map(|(folder, _)| folder).collect()
    }

    #[test]
    fn a_folder_named_after_a_technique_is_found_once() {
        let paths = [
            "divisions/order/src/handlers/confirm.rs",
            "divisions/order/src/handlers/ship.rs",
            "src/utils/deep/text.rs",
        ];
        assert_eq!(
            folders(&paths),
            ["divisions/order/src/handlers", "src/utils"]
        );
    }

    #[test]
    fn desks_subjects_and_files_that_only_sound_so_are_not() {
        let paths = [
            "divisions/delivery_manager/src/guide_delivery_manager_lifecycle/initiate_delivery_manager/handle.rs",
            "divisions/services/src/guide_services_lifecycle/mod.rs",
            "src/utils.rs",
            "src/api_utils/mod.rs",
            "contracts/src/shared/sample.json",
        ];
        assert_eq!(folders(&paths), [""; 0]);
    }
}
