use hecate_manifest::rules::{Finding, Rule, Severity};

use super::super::Subject;

pub(super) static RULE: Rule = Rule {
    code: "HKS006",
    severity: Severity::Error,
    title: "the plugin's package makes no library that can be loaded",
    explanation: "A host loads a shared library with one exported function. For that the package needs the crate type \
        `cdylib` (and `rlib`, so that tests can link it), and `hecate_sdk::export_plugin!` in its `src/lib.rs`; and it \
        may not be built with `panic = \"abort\"`, which would end the host with the plugin.",
    wrong: "[lib]\ncrate-type = [\"rlib\"]",
    right: "[lib]\ncrate-type = [\"cdylib\", \"rlib\"]",
};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let cargo = subject.view.text("Cargo.toml").ok().flatten();
    // A file that cannot be read is another rule's.
    let Some(Ok(document)) = cargo.map(str::parse::<toml_edit::DocumentMut>) else {
        return;
    };
    let types = document
        .get("lib")
        .and_then(|lib| lib.get("crate-type"))
        .and_then(toml_edit::Item::as_array);
    let has = |wanted: &str| {
        types.is_some_and(|types| types.iter().any(|kind| kind.as_str() == Some(wanted)))
    };
    if !has("cdylib") {
        let span = subject.find("Cargo.toml", "crate-type");
        let finding = Finding::new(&RULE, "Cargo.toml", span, "the package is no `cdylib`");
        found.push(finding.with_help("`[lib]` with `crate-type = [\"cdylib\", \"rlib\"]`"));
    }
    let aborts = document
        .get("profile")
        .and_then(toml_edit::Item::as_table_like)
        .is_some_and(|profiles| {
            profiles.iter().any(|(_, profile)| {
                profile.get("panic").and_then(toml_edit::Item::as_str) == Some("abort")
            })
        });
    if aborts {
        let span = subject.find("Cargo.toml", "panic");
        let finding = Finding::new(
            &RULE,
            "Cargo.toml",
            span,
            "`panic = \"abort\"` ends the host with the plugin",
        );
        found.push(finding.with_help("remove the line"));
    }
    if let Ok(Some(lib)) = subject.view.text("src/lib.rs")
        && !lib.contains("export_plugin!")
    {
        let finding = Finding::new(&RULE, "src/lib.rs", None, "nothing exports the plugin");
        found.push(finding.with_help("`hecate_sdk::export_plugin!(MyPlugin);`"));
    }
}
