//! Machines that lack a program, or have an old one.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use insta::assert_snapshot;

use super::with_orders;
use crate::support::{Run, Sandbox, tree};

/// A directory with these of the machine's programs, to be all that is on the path.
fn programs(sandbox: &Sandbox, names: &[&str]) -> PathBuf {
    let dir = sandbox.path("bin");
    fs::create_dir_all(&dir).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    for name in names {
        let mut places = std::env::split_paths(&path).map(|dir| dir.join(name));
        let found = places.find(|place| place.is_file());
        let found = found.unwrap_or_else(|| panic!("there is no `{name}` here"));
        symlink(found, dir.join(name)).unwrap();
    }
    dir
}

/// A program that says `text`, whatever it is asked.
fn program_that_says(sandbox: &Sandbox, name: &str, text: &str) -> PathBuf {
    let path = sandbox.write(
        format!("fake/{name}"),
        format!("#!/bin/sh\necho '{text}'\n"),
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn without_a_c_compiler_nothing_is_bundled() {
    let sandbox = Sandbox::new();
    let plugin = with_orders(&sandbox, "it-compiler");
    let path = programs(&sandbox, &["cargo", "rustc", "rustfmt", "git", "sh"]);
    let before = tree(sandbox.root());
    let mut bundle = sandbox.command_in(&plugin.name, &["bundle"]);
    assert_snapshot!(Run::of(bundle.env("PATH", &path), &sandbox), @"
    exit 1
    error: there is no C compiler `cc`, and SQLite is compiled from C
    hint: install one (Debian: `apt-get install gcc libc6-dev`), or name yours in the variable `CC`
    ");
    let mut bundle = sandbox.command_in(&plugin.name, &["bundle"]);
    assert_snapshot!(Run::of(bundle.env("CC", "my-own-cc"), &sandbox), @"
    exit 1
    error: there is no C compiler `my-own-cc`, and SQLite is compiled from C
    hint: install one (Debian: `apt-get install gcc libc6-dev`), or name yours in the variable `CC`
    ");
    let mut doctor = sandbox.command_in(&plugin.name, &["doctor"]);
    assert_snapshot!(Run::of(doctor.env("PATH", &path), &sandbox), @"
    exit 1
    wrong  toolchain: there is no C compiler `cc`, and SQLite is compiled from C
           hint: install one (Debian: `apt-get install gcc libc6-dev`), or name yours in the variable `CC`
       ok  rustfmt: generated code is formatted
       ok  daemon: none runs for `[ROOT]/home`
       ok  sdk: comes from `[CHECKOUT]/runtime/sdk`
    ");
    assert!(tree(sandbox.root()) == before, "nothing has changed");
}

#[test]
fn a_cargo_that_is_old_or_none_is_said_to_be() {
    let sandbox = Sandbox::new();
    let plugin = with_orders(&sandbox, "it-old-cargo");
    let old = program_that_says(&sandbox, "cargo", "cargo 1.70.0 (ec8a8a0ca 2023-04-25)");
    let other = program_that_says(&sandbox, "freight", "freight, the ship planner");
    let before = tree(sandbox.root());
    let with_cargo = |cargo: PathBuf| {
        let mut bundle = sandbox.command_in(&plugin.name, &["bundle"]);
        Run::of(bundle.env("CARGO", cargo), &sandbox)
    };
    assert_snapshot!(with_cargo(old.clone()), @"
    exit 1
    error: cargo is 1.70.0, at least 1.95.0 is needed
    hint: update with `rustup update stable`, and use that toolchain here
    ");
    assert_snapshot!(with_cargo(other), @"
    exit 1
    error: cargo does not say its version: `freight, the ship planner`
    hint: is it Rust's cargo?
    ");
    assert_snapshot!(with_cargo("/nowhere/cargo".into()), @"
    exit 1
    error: cargo cannot be run
      cause: No such file or directory (os error 2)
    hint: install Rust: https://rustup.rs
    ");

    // The one that is found on the path is asked too.
    let mut on_path = sandbox.command_in(&plugin.name, &["bundle"]);
    on_path.env("PATH", old.parent().unwrap());
    let _ = Run::of(&mut on_path, &sandbox).code(1);
    assert!(tree(sandbox.root()) == before, "nothing has changed");
}

#[test]
fn without_rustfmt_and_git_all_the_rest_works() {
    let sandbox = Sandbox::new();
    let formatted = with_orders(&sandbox, "it-formatted");
    let path = programs(&sandbox, &["cargo", "rustc", "cc", "sh"]);
    let bare = |dir: &str, line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let mut command = sandbox.command_in(dir, &words);
        Run::of(command.env("PATH", &path), &sandbox)
    };
    // What was formatted elsewhere is not out of date here.
    let checked = bare(&formatted.name, "check").ok();
    assert_eq!(checked.stdout.trim(), "no findings", "{checked}");

    let _ = bare("", "new plugin it-bare").ok();
    assert!(!sandbox.path("it-bare/.git").exists());
    assert!(
        fs::read_to_string(sandbox.path("it-bare/manifest.json"))
            .unwrap()
            .contains(r#""author": "unknown""#)
    );
    let _ = bare("it-bare", "gen division order note:string").ok();
    let _ = bare("it-bare", "gen desk cmd confirm order remark:string?").ok();
    let checked = bare("it-bare", "check").ok();
    assert_eq!(checked.stdout.trim(), "no findings", "{checked}");
    assert_snapshot!(bare("it-bare", "doctor"), @"
    exit 1
       ok  toolchain: cargo and a C compiler are there
    wrong  rustfmt: there is no rustfmt, so generated code keeps the layout of its templates
           hint: install it: `rustup component add rustfmt`
       ok  daemon: none runs for `[ROOT]/home`
       ok  sdk: comes from `[CHECKOUT]/runtime/sdk`
    ");
}
