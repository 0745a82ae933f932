//! Behind `gen`, whether what was written compiles.

use crate::support::{Project, Run, Sandbox, target_dir};

/// `hecate` as somebody types it who has not switched the check off.
fn verified(sandbox: &Sandbox, plugin: &Project<'_>, line: &str) -> Run {
    let words: Vec<_> = line.split_whitespace().collect();
    let mut command = sandbox.command_in(&plugin.name, &words);
    command
        .env_remove("HECATE_NO_VERIFY")
        .env("CARGO_TARGET_DIR", target_dir());
    Run::of(&mut command, sandbox)
}

#[test]
fn what_is_generated_is_compiled_and_what_fails_stays_and_is_said() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-verified");
    let made = verified(&sandbox, &plugin, "gen division order note:string --json").ok();
    assert_eq!(
        made.json()["verified"],
        serde_json::json!({"ok": true}),
        "{made}"
    );
    // Nothing to do, nothing to compile.
    let again = verified(&sandbox, &plugin, "gen division order note:string --json").ok();
    assert_eq!(again.json()["verified"], serde_json::Value::Null, "{again}");
    let looked_at = verified(
        &sandbox,
        &plugin,
        "gen desk cmd ship order --dry-run --json",
    )
    .ok();
    assert_eq!(looked_at.json()["applied"], false);

    // What somebody broke before keeps nothing from being generated.
    let handle = "divisions/order/src/guide_order_lifecycle/archive_order/handle.rs";
    plugin.edit(
        handle,
        "state.must_exist()?;",
        "state.must_exist_no_more()?;",
    );
    let failed = verified(&sandbox, &plugin, "gen desk cmd confirm order").code(5);
    assert!(failed.stderr.contains("must_exist_no_more"), "{failed}");
    assert!(
        failed.stderr.contains("hint: the files stay")
            && failed.stdout.contains("create divisions/order"),
        "{failed}"
    );
    assert!(!failed.stdout.contains("made the desk"), "{failed}");
    let there = plugin.hecate("gen desk cmd confirm order").ok();
    assert!(there.stdout.starts_with("nothing to do"), "{there}");

    let failed = verified(&sandbox, &plugin, "gen desk cmd ship order --json").code(5);
    let said = &failed.json()["verified"];
    assert_eq!(said["ok"], false);
    assert!(
        said["said"]
            .as_str()
            .unwrap()
            .contains("must_exist_no_more"),
        "{failed}"
    );

    let skipped = verified(&sandbox, &plugin, "gen desk cmd pay order --no-verify").ok();
    assert!(
        skipped.stdout.ends_with("made the desk pay_order\n"),
        "{skipped}"
    );
    let undone = plugin.hecate("undo --yes").ok();
    assert!(undone.stdout.contains("remove"), "{undone}");
}

#[test]
fn without_cargo_it_is_said_that_nothing_was_compiled() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-unverified");
    let mut command = sandbox.command_in(&plugin.name, &["gen", "division", "order"]);
    command
        .env_remove("HECATE_NO_VERIFY")
        .env_remove("CARGO")
        .env("PATH", sandbox.path("nothing"));
    let made = Run::of(&mut command, &sandbox).ok();
    assert!(
        made.stderr.contains("warning: cargo cannot be run"),
        "{made}"
    );
    assert!(made.stdout.contains("made the division order"), "{made}");
}
