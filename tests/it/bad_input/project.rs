//! Places that are taken, projects that are none, and files in them that are not what they should be.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use insta::assert_snapshot;

use super::{refused, typed, with_orders};
use crate::support::{Project, Run, Sandbox};

const ORDER: &str = "divisions/order/src/guide_order_lifecycle/initiate_order";

#[test]
fn a_plugin_is_made_where_nothing_is() {
    let sandbox = Sandbox::new();
    sandbox.write("full/mine.txt", "mine");
    sandbox.write("file", "mine");
    symlink("/nowhere", sandbox.path("dangling")).unwrap();
    let lines = [
        "new plugin full",
        "new plugin file",
        "new plugin fresh --dir full",
        "new plugin fresh --dir file/below",
        "new plugin dangling",
        "new plugin fresh --sdk path:/nowhere",
        "new plugin fresh --sdk nowhere",
    ];
    assert_snapshot!(refused(&sandbox, "", &lines), @"
    $ hecate new plugin full
    exit 1
    error: `[ROOT]/full` is there already
    hint: take another name, another place with `--dir DIR`, or move it away

    $ hecate new plugin file
    exit 1
    error: `[ROOT]/file` is there already
    hint: take another name, another place with `--dir DIR`, or move it away

    $ hecate new plugin fresh --dir full
    exit 1
    error: `[ROOT]/full` is there already
    hint: take another name, another place with `--dir DIR`, or move it away

    $ hecate new plugin fresh --dir file/below
    exit 1
    error: failed to write `[ROOT]/file`
      cause: File exists (os error 17)
    hint: a file stands where a directory is needed: move it away, or take another place

    $ hecate new plugin dangling
    exit 1
    error: failed to write `[ROOT]/dangling`
      cause: Not a directory (os error 20)
    hint: a file stands where a directory is needed: move it away, or take another place
    hint: nothing was made

    $ hecate new plugin fresh --sdk path:/nowhere
    exit 1
    error: `/nowhere` holds no `hecate-sdk`
    hint: name the checkout of Hecate, or its `runtime/sdk`: `--sdk path:DIR`

    $ hecate new plugin fresh --sdk nowhere
    exit 2
    error: invalid value 'nowhere' for '--sdk <SOURCE>': `nowhere` is not `path:DIR`, `git:URL#REV` or `registry`

    For more information, try '--help'.
    ");
}

#[test]
fn an_empty_directory_is_nobodys() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("it-empty")).unwrap();
    let _ = sandbox.hecate("new plugin it-empty").ok();
    assert!(sandbox.path("it-empty/manifest.json").is_file());
}

#[test]
fn every_verb_of_a_project_says_that_there_is_none() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("empty")).unwrap();
    let lines = [
        "gen division order",
        "gen desk cmd confirm order",
        "check",
        "check nothing.json",
        "bundle",
        "dev",
        "check --project /nowhere",
    ];
    assert_snapshot!(refused(&sandbox, "empty", &lines), @"
    $ hecate gen division order
    exit 1
    error: there is no plugin in `[ROOT]/empty`
    hint: make one with `hecate new plugin NAME`, or name its directory with `--project DIR`

    $ hecate gen desk cmd confirm order
    exit 1
    error: there is no plugin in `[ROOT]/empty`
    hint: make one with `hecate new plugin NAME`, or name its directory with `--project DIR`

    $ hecate check
    exit 1
    error: there is no plugin in `[ROOT]/empty`
    hint: make one with `hecate new plugin NAME`, or name its directory with `--project DIR`

    $ hecate check nothing.json
    exit 1
    error: there is no `nothing.json`
    hint: name a plugin's directory, or a manifest to be checked alone

    $ hecate bundle
    exit 1
    error: there is no plugin in `[ROOT]/empty`
    hint: make one with `hecate new plugin NAME`, or name its directory with `--project DIR`

    $ hecate dev
    exit 1
    error: there is no plugin in `[ROOT]/empty`
    hint: make one with `hecate new plugin NAME`, or name its directory with `--project DIR`

    $ hecate check --project /nowhere
    exit 1
    error: there is no plugin in `/nowhere`
    hint: make one with `hecate new plugin NAME`, or name its directory with `--project DIR`
    ");
}

#[test]
fn a_project_that_has_lost_a_file_is_told_which() {
    let sandbox = Sandbox::new();
    let plugin = with_orders(&sandbox, "it-lost");
    let lose = |file: &str, lines: &[&str]| {
        let kept = plugin.read(file);
        fs::remove_file(plugin.path(file)).unwrap();
        let session = refused(&sandbox, &plugin.name, lines);
        plugin.write(file, &kept);
        format!("# without {file}\n\n{session}")
    };
    let session = [
        lose("manifest.json", &["check", "gen division invoice"]),
        lose("Cargo.toml", &["check", "gen division invoice"]),
        lose("hecate.lock", &["gen division order note:string"]),
        lose("divisions/order/Cargo.toml", &["check"]),
    ];
    assert_snapshot!(session.concat(), @r#"
    # without manifest.json

    $ hecate check
    exit 1
    error: there is no `manifest.json` in `[ROOT]/it-lost`
    hint: every plugin has one: take it from your last commit (`git checkout manifest.json`)

    $ hecate gen division invoice
    exit 1
    error: there is no `manifest.json` in `[ROOT]/it-lost`
    hint: every plugin has one: take it from your last commit (`git checkout manifest.json`)

    # without Cargo.toml

    $ hecate check
    exit 1
    error: there is no `Cargo.toml` in `[ROOT]/it-lost`
    hint: every plugin has one: take it from your last commit (`git checkout Cargo.toml`)

    $ hecate gen division invoice
    exit 1
    error: there is no `Cargo.toml` in `[ROOT]/it-lost`
    hint: every plugin has one: take it from your last commit (`git checkout Cargo.toml`)

    # without hecate.lock

    $ hecate gen division order note:string
    exit 1
    error: `divisions/order` is there already, and not in `hecate.lock`
    hint: it was not made by `hecate`, or the record is lost; remove the folder or take another name

    # without divisions/order/Cargo.toml

    $ hecate check
    exit 1
    error[HKS007]: the plugin depends on `divisions/order`, which holds no package
      --> Cargo.toml:26:26
       |
    26 | it-lost-order = { path = "divisions/order" }
       |                          ^^^^^^^^^^^^^^^^
       |
       = help: bring the folder back from your last commit, or take the line out of `[dependencies]`

    error[HKG001]: `src/divisions.rs` is out of date: it follows from the folders beside it
    --> src/divisions.rs
     = help: `hecate check --fix` writes it anew

    2 errors
    note: cargo cannot resolve the project offline, so `min_sdk_version` is compared with `Cargo.lock` alone
    "#);
}

#[test]
fn files_that_are_not_what_they_should_be_are_shown_where_they_are_not() {
    let sandbox = Sandbox::new();
    let plugin = with_orders(&sandbox, "it-broken");
    let spoil = |file: &str, contents: &[u8], lines: &[&str]| {
        let kept = fs::read(plugin.path(file)).ok();
        fs::write(plugin.path(file), contents).unwrap();
        let session = refused(&sandbox, &plugin.name, lines);
        match kept {
            Some(kept) => fs::write(plugin.path(file), kept).unwrap(),
            None => fs::remove_file(plugin.path(file)).unwrap(),
        }
        let contents = String::from_utf8_lossy(contents);
        format!("# {file}: {contents:?}\n\n{session}")
    };
    let made = ["check", "gen division invoice", "bundle"];
    let session = [
        spoil("Cargo.toml", b"[package\n", &made),
        spoil(
            "Cargo.toml",
            b"\xff\xfe",
            &["check", "gen division invoice"],
        ),
        spoil("Cargo.lock", b"[[package\n", &made),
        spoil("hecate.lock", b"version = 1\nmine = 2\n", &made),
        spoil("hecate.lock", b"version = 9\n", &["gen division invoice"]),
        spoil(
            "hecate.toml",
            b"[frontend]\nbuidl = \"make\"\n",
            &["check", "bundle"],
        ),
        spoil(
            "hecate.toml",
            b"[frontend]\nbuild = \"false\"\n",
            &["bundle"],
        ),
        spoil(
            "hecate.toml",
            b"[frontend]\nbuild = \"true\"\ndir = \"web\"\n",
            &["bundle"],
        ),
    ];
    assert_snapshot!(session.concat(), @r#"
    # Cargo.toml: "[package\n"

    $ hecate check
    exit 1
    error[HKS008]: `Cargo.toml` cannot be read: unclosed table, expected `]`
     --> Cargo.toml:1:9
      |
    1 | [package
      |         ^
      |
      = help: mend it, or take it from your last commit

    1 error
    note: cargo cannot resolve the project offline, so `min_sdk_version` is compared with `Cargo.lock` alone

    $ hecate gen division invoice
    exit 1
    error: `Cargo.toml`, line 1: unclosed table, expected `]`
    hint: mend it first

    $ hecate bundle
    exit 1
    note: cargo cannot resolve the project offline, so `min_sdk_version` is compared with `Cargo.lock` alone
    error: Cargo.toml:1: `Cargo.toml` cannot be read: unclosed table, expected `]` (HKS008)
    hint: `hecate check` shows it in its place

    # Cargo.toml: "��"

    $ hecate check
    exit 1
    error[HKS008]: `Cargo.toml` is not UTF-8 text
    --> Cargo.toml
     = help: mend it, or take it from your last commit

    1 error
    note: cargo cannot resolve the project offline, so `min_sdk_version` is compared with `Cargo.lock` alone

    $ hecate gen division invoice
    exit 1
    error: `Cargo.toml` is not UTF-8 text
    hint: save it as UTF-8, or take it from your last commit

    # Cargo.lock: "[[package\n"

    $ hecate check
    exit 1
    error[HKS008]: `Cargo.lock` cannot be read: unclosed array table, expected `]]`
     --> Cargo.lock:1:10
      |
    1 | [[package
      |          ^
      |
      = help: `hecate` and cargo keep it: take it from your last commit

    1 error
    note: cargo cannot resolve the project offline, so `min_sdk_version` is compared with `Cargo.lock` alone

    $ hecate gen division invoice
    exit 1
    error: `Cargo.lock`, line 1: unclosed array table, expected `]]`
    hint: mend it first

    $ hecate bundle
    exit 1
    note: cargo cannot resolve the project offline, so `min_sdk_version` is compared with `Cargo.lock` alone
    error: Cargo.lock:1: `Cargo.lock` cannot be read: unclosed array table, expected `]]` (HKS008)
    hint: `hecate check` shows it in its place

    # hecate.lock: "version = 1\nmine = 2\n"

    $ hecate check
    exit 1
    error[HKS008]: `hecate.lock` cannot be read: unknown field `mine`, expected `version` or `artifact`
     --> hecate.lock:2:1
      |
    2 | mine = 2
      | ^^^^
      |
      = help: `hecate` and cargo keep it: take it from your last commit

    1 error

    $ hecate gen division invoice
    exit 1
    error: `hecate.lock`, line 2: unknown field `mine`, expected `version` or `artifact`
    hint: it is written by `hecate` alone: take it from your last commit (`git checkout hecate.lock`)

    $ hecate bundle
    exit 1
    error: hecate.lock:2: `hecate.lock` cannot be read: unknown field `mine`, expected `version` or `artifact` (HKS008)
    hint: `hecate check` shows it in its place

    # hecate.lock: "version = 9\n"

    $ hecate gen division invoice
    exit 1
    error: `hecate.lock` has version 9, this `hecate` knows 1
    hint: update `hecate`

    # hecate.toml: "[frontend]\nbuidl = \"make\"\n"

    $ hecate check
    exit 1
    error[HKS008]: `hecate.toml` cannot be read: unknown field `buidl`, expected `build` or `dir`
     --> hecate.toml:2:1
      |
    2 | buidl = "make"
      | ^^^^^
      |
      = help: it may hold `[frontend]` with `build = "…"` and `dir = "…"`, and `[check]` with `allow = [{ code = "…", path = "…", reason = "…" }]`

    1 error

    $ hecate bundle
    exit 1
    error: hecate.toml:2: `hecate.toml` cannot be read: unknown field `buidl`, expected `build` or `dir` (HKS008)
    hint: `hecate check` shows it in its place

    # hecate.toml: "[frontend]\nbuild = \"false\"\n"

    $ hecate bundle
    exit 1
    error: the frontend's build `false` failed (exit status: 1)
    hint: its own messages are above; the command stands in `hecate.toml`

    # hecate.toml: "[frontend]\nbuild = \"true\"\ndir = \"web\"\n"

    $ hecate bundle
    exit 1
    error: `hecate.toml` builds the frontend in `web`, which is not there
    hint: make that directory, or mend `dir` in `hecate.toml`
    "#);
}

#[test]
fn a_source_that_is_not_rust_is_shown_with_its_line() {
    let sandbox = Sandbox::new();
    let plugin = with_orders(&sandbox, "it-rust");
    let handle = plugin.path(ORDER).join("handle.rs");
    let kept = fs::read(&handle).unwrap();
    fs::write(&handle, "pub fn handle() {\n    let x = ;\n}\n").unwrap();
    let lines = [
        "check",
        "check --fix",
        "gen desk cmd confirm order",
        "bundle",
    ];
    let mut session = refused(&sandbox, &plugin.name, &lines);
    fs::write(&handle, "pub fn handle() {\n").unwrap();
    session += &refused(&sandbox, &plugin.name, &["check"]);
    fs::write(&handle, b"// \xff\n").unwrap();
    session += &refused(
        &sandbox,
        &plugin.name,
        &["check", "gen desk cmd confirm order"],
    );
    fs::write(&handle, kept).unwrap();
    // A folder that is named as no desk is.
    sandbox.write(plugin.path(ORDER).join("../Confirm-Order/handle.rs"), "");
    session += &refused(
        &sandbox,
        &plugin.name,
        &["check", "gen desk cmd ship order"],
    );
    assert_snapshot!(session, @"
    $ hecate check
    exit 1
    error[HKS001]: not Rust: expected an expression
     --> divisions/order/src/guide_order_lifecycle/initiate_order/handle.rs:2:13
      |
    2 |     let x = ;
      |             ^

    1 error

    $ hecate check --fix
    exit 1
    error: `divisions/order/src/guide_order_lifecycle/initiate_order/handle.rs`, line 2: not Rust: expected an expression
    hint: mend it first: what is generated follows from it

    $ hecate gen desk cmd confirm order
    exit 1
    error: `divisions/order/src/guide_order_lifecycle/initiate_order/handle.rs`, line 2: not Rust: expected an expression
    hint: mend it first: what is generated follows from it

    $ hecate bundle
    exit 1
    error: divisions/order/src/guide_order_lifecycle/initiate_order/handle.rs:2: not Rust: expected an expression (HKS001)
    hint: `hecate check` shows it in its place

    $ hecate check
    exit 1
    error[HKS001]: not Rust: a bracket or a quote has no counterpart, or a character is none of Rust's
     --> divisions/order/src/guide_order_lifecycle/initiate_order/handle.rs:1:17
      |
    1 | pub fn handle() {
      |                 ^

    1 error

    $ hecate check
    exit 1
    error[HKS001]: the file is not UTF-8 text
    --> divisions/order/src/guide_order_lifecycle/initiate_order/handle.rs

    1 error

    $ hecate gen desk cmd confirm order
    exit 1
    error: `divisions/order/src/guide_order_lifecycle/initiate_order/handle.rs` is not UTF-8 text
    hint: save it as UTF-8, or take it from your last commit

    $ hecate check
    exit 1
    error[HKG001]: `divisions/order/src/guide_order_lifecycle/Confirm-Order` is not named as a desk is: `Confirm-Order` is not a name: `C` may not stand in it, only `a` to `z`, `0` to `9` and `_`
    --> divisions
     = help: call the folder `confirm_order`

    1 error

    $ hecate gen desk cmd ship order
    exit 1
    error: `divisions/order/src/guide_order_lifecycle/Confirm-Order` is not named as a desk is
      cause: `Confirm-Order` is not a name: `C` may not stand in it, only `a` to `z`, `0` to `9` and `_`
    hint: call the folder `confirm_order`
    ");
}

#[test]
fn links_are_not_followed() {
    let sandbox = Sandbox::new();
    let plugin = with_orders(&sandbox, "it-links");
    let outside = sandbox.write("outside/secret.rs", "fn secret() {}\n");
    let link = plugin.path("divisions/order/src/secret.rs");
    symlink(&outside, &link).unwrap();
    let lines = ["check", "gen desk cmd confirm order", "bundle"];
    let mut session = refused(&sandbox, &plugin.name, &lines);
    fs::remove_file(&link).unwrap();

    let (cargo, elsewhere) = (
        plugin.path("Cargo.toml"),
        sandbox.path("outside/Cargo.toml"),
    );
    fs::rename(&cargo, &elsewhere).unwrap();
    symlink(&elsewhere, &cargo).unwrap();
    session += &refused(&sandbox, &plugin.name, &["gen division invoice"]);
    fs::remove_file(&cargo).unwrap();
    fs::rename(&elsewhere, &cargo).unwrap();

    // What is about to be done is written down first, and must not be written anywhere else.
    fs::remove_dir_all(plugin.path(".hecate")).unwrap();
    symlink(sandbox.path("outside"), plugin.path(".hecate")).unwrap();
    session += &refused(&sandbox, &plugin.name, &["gen desk cmd confirm order"]);
    fs::remove_file(plugin.path(".hecate")).unwrap();
    plugin.write(".hecate", "mine");
    session += &refused(&sandbox, &plugin.name, &["gen desk cmd confirm order"]);
    assert_snapshot!(session, @"
    $ hecate check
    exit 1
    error: `[ROOT]/it-links/divisions/order/src/secret.rs` is a symbolic link
    hint: put the file itself there: a link may point outside of the project

    $ hecate gen desk cmd confirm order
    exit 1
    error: `[ROOT]/it-links/divisions/order/src/secret.rs` is a symbolic link
    hint: put the file itself there: a link may point outside of the project

    $ hecate bundle
    exit 1
    error: `[ROOT]/it-links/divisions/order/src/secret.rs` is a symbolic link
    hint: put the file itself there: a link may point outside of the project

    $ hecate gen division invoice
    exit 1
    error: `[ROOT]/it-links/Cargo.toml` is a symbolic link, so `Cargo.toml` may lie outside of the project
    hint: nothing was written; replace the link by the file or directory itself

    $ hecate gen desk cmd confirm order
    exit 1
    error: `[ROOT]/it-links/.hecate` is a symbolic link, so `.hecate/journal` may lie outside of the project
    hint: nothing was written; replace the link by the file or directory itself

    $ hecate gen desk cmd confirm order
    exit 1
    error: failed to write the journal `.hecate/journal`
      cause: Not a directory (os error 20)
    hint: a file stands where a directory is needed: move it away, or take another place
    hint: nothing was changed
    ");
}

/// Between the plan and the first write, somebody saves a file that the plan is about. That moment is caught with a
/// rustfmt that does it: it is run in between.
#[test]
fn a_file_that_changes_behind_the_plan_stops_it() {
    let sandbox = Sandbox::new();
    let plugin = with_orders(&sandbox, "it-behind");
    let saved = plugin.path("Cargo.toml");
    let script = format!(
        "#!/bin/sh\necho '# mine' >> '{}'\nexec cat\n",
        saved.display()
    );
    let rustfmt = sandbox.write("bin/rustfmt", script);
    fs::set_permissions(&rustfmt, fs::Permissions::from_mode(0o755)).unwrap();

    let mut before = plugin.tree();
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", sandbox.path("bin").display());
    let mut command = sandbox.command_in(&plugin.name, &["gen", "division", "invoice"]);
    let run = Run::of(command.env("PATH", path), &sandbox);
    assert_snapshot!(run, @"
    exit 1
    error: `Cargo.toml` changed while the command was running
    hint: nothing was written; run the command again
    ");

    let mut after = plugin.tree();
    let mine = String::from_utf8(after.remove("Cargo.toml").unwrap()).unwrap();
    assert!(mine.ends_with("# mine\n"), "{mine}");
    before.remove("Cargo.toml");
    assert_eq!(after, before, "nothing else has changed");
    let _ = plugin.hecate("gen division invoice").ok();
}

/// What an interrupted run has left is completed by the next command, whichever it is; or said to be nothing that can
/// be.
#[test]
fn a_journal_that_is_not_ours_is_not_followed() {
    let sandbox = Sandbox::new();
    let plugin = with_orders(&sandbox, "it-journal");
    let pending = plugin.path(".hecate/journal/pending.json");
    let step = |path: &str| {
        format!(
            r#"{{"version":1,"command":"hecate gen division x","steps":[{{"path":"{path}","before":null,"after":{{"text":"evil"}}}}]}}"#
        )
    };
    let mut session = String::new();
    for journal in [step("../../evil"), step("src/lib.rs")] {
        fs::write(&pending, &journal).unwrap();
        session += &refused(&sandbox, &plugin.name, &["check"]);
    }
    fs::write(&pending, "junk").unwrap();
    let lines = ["check", "gen desk cmd confirm order", "bundle"];
    session += &refused(&sandbox, &plugin.name, &lines);
    assert_snapshot!(session, @"
    $ hecate check
    exit 1
    error: an interrupted run names a file outside of the project
      cause: `../../evil` is not a path inside the project
    hint: nothing was written; `.hecate/journal/pending.json` is not of `hecate`'s making: remove it

    $ hecate check
    exit 1
    error: an interrupted run cannot be completed: `src/lib.rs` was changed since
    hint: the run was `hecate gen division x`; `.hecate/journal/pending.json` holds what it would have written
    hint: to leave everything as it is, remove `.hecate/journal/pending.json`

    $ hecate check
    exit 1
    error: an interrupted run cannot be completed: `.hecate/journal/pending.json` cannot be read
      cause: expected value at line 1 column 1
    hint: look at the project's files, then remove `.hecate/journal/pending.json`

    $ hecate gen desk cmd confirm order
    exit 1
    error: an interrupted run cannot be completed: `.hecate/journal/pending.json` cannot be read
      cause: expected value at line 1 column 1
    hint: look at the project's files, then remove `.hecate/journal/pending.json`

    $ hecate bundle
    exit 1
    error: an interrupted run cannot be completed: `.hecate/journal/pending.json` cannot be read
      cause: expected value at line 1 column 1
    hint: look at the project's files, then remove `.hecate/journal/pending.json`
    ");

    fs::write(&pending, step("src/extra.rs")).unwrap();
    let checked = typed(&sandbox, &plugin.name, "check").ok();
    assert_snapshot!(checked, @"
    exit 0
    no findings
    completed an interrupted run: hecate gen division x
    ");
    assert_eq!(plugin.read("src/extra.rs"), "evil");
    assert!(!pending.exists());
}

/// A project is found from any directory in it.
#[test]
fn a_project_is_found_from_inside() {
    let sandbox = Sandbox::new();
    let plugin = with_orders(&sandbox, "it-inside");
    let _ = sandbox
        .hecate_in(
            format!("{}/{ORDER}", plugin.name),
            "gen desk cmd confirm order",
        )
        .ok();
    assert!(
        plugin
            .path("divisions/order/src/guide_order_lifecycle/confirm_order")
            .is_dir()
    );
    let other = Project::new(&sandbox, "it-other");
    let _ = other
        .hecate(&format!(
            "gen desk cmd ship order --project ../{}",
            plugin.name
        ))
        .ok();
    assert!(
        plugin
            .path("divisions/order/src/guide_order_lifecycle/ship_order")
            .is_dir()
    );
}
