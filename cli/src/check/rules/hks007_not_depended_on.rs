use hecate_manifest::rules::{Finding, Rule, Severity};

use super::super::Subject;

pub(super) static RULE: Rule = Rule {
    code: "HKS007",
    severity: Severity::Error,
    title: "the plugin's dependencies are not its divisions",
    explanation: "Each division is a package of its own, and the plugin's package must name it among its \
        dependencies: else the list of divisions does not compile. Nor does it with a dependency on a division that \
        is not there.",
    wrong: "divisions/order/Cargo.toml   # and nothing in the plugin's `[dependencies]`",
    right: "[dependencies]\nmy-plugin-order = { path = \"divisions/order\" }",
};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let cargo = subject.view.text("Cargo.toml").ok().flatten();
    // A file that cannot be read is another rule's.
    let Some(Ok(document)) = cargo.map(str::parse::<toml_edit::DocumentMut>) else {
        return;
    };
    let dependencies = document
        .get("dependencies")
        .and_then(toml_edit::Item::as_table_like);
    let paths = dependencies
        .into_iter()
        .flat_map(|table| table.iter())
        .filter_map(|(_, item)| item.get("path")?.as_str());
    let paths: Vec<&str> = paths.collect();
    for path in paths.iter().filter(|path| path.starts_with("divisions/")) {
        let path = path.trim_end_matches('/');
        if !subject.view.has(&format!("{path}/Cargo.toml")) {
            let message = format!("the plugin depends on `{path}`, which holds no package");
            let finding = Finding::new(
                &RULE,
                "Cargo.toml",
                subject.find("Cargo.toml", &format!("\"{path}")),
                message,
            );
            found.push(finding.with_help(
                "bring the folder back from your last commit, or take the line out of `[dependencies]`",
            ));
        }
    }
    for tree in &subject.divisions {
        let dir = format!("divisions/{}", tree.subject);
        if !paths.iter().any(|path| path.trim_end_matches('/') == dir) {
            let message = format!(
                "the plugin does not depend on the division `{}`",
                tree.subject
            );
            let help = format!("`{{package}} = {{ path = \"{dir}\" }}` below `[dependencies]`");
            found.push(
                Finding::new(
                    &RULE,
                    "Cargo.toml",
                    subject.find("Cargo.toml", "[dependencies]"),
                    message,
                )
                .with_help(help),
            );
        }
    }
}
