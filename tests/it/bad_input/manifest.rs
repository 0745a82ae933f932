//! Manifests that are missing what they need, or are none.

use std::fs;

use insta::assert_snapshot;

use super::{refused, with_orders};
use crate::support::Sandbox;

#[test]
fn a_manifest_that_cannot_be_read_is_shown_where_it_cannot() {
    let sandbox = Sandbox::new();
    let plugin = with_orders(&sandbox, "it-unread");
    let good = plugin.read("manifest.json");
    let name = r#""name": "it-unread""#;
    let faults: [(&str, Vec<u8>); 9] = [
        ("nothing", Vec::new()),
        ("half of one", good.as_bytes()[..60].to_vec()),
        ("a list", b"[]\n".to_vec()),
        (
            "a number for a name",
            good.replace(name, r#""name": 7"#).into(),
        ),
        ("no name", good.replace(&format!("  {name},\n"), "").into()),
        (
            "a name that is none",
            good.replace(name, r#""name": "It Unread""#).into(),
        ),
        (
            "two names",
            good.replace(name, &format!(r#"{name}, "name": "other""#))
                .into(),
        ),
        (
            "a byte order mark",
            [b"\xef\xbb\xbf", good.as_bytes()].concat(),
        ),
        ("no UTF-8", b"{\"name\": \"\xff\xfe\"}".to_vec()),
    ];
    let mut session = String::new();
    for (what, manifest) in faults {
        fs::write(plugin.path("manifest.json"), manifest).unwrap();
        session += &format!("# {what}\n\n");
        session += &refused(&sandbox, &plugin.name, &["check", "bundle"]);
        // A key that stands twice has a meaning for who reads it, if another for everybody.
        if what != "two names" {
            session += &refused(&sandbox, &plugin.name, &["gen desk cmd confirm order"]);
        }
    }
    assert_snapshot!(session, @r#"
    # nothing

    $ hecate check
    exit 1
    error[HKM001]: the file is empty
     --> manifest.json:1:1
      |
    1 |
      | ^
      |
      = help: take it from your last commit; `hecate explain HKM001` shows the least of one

    1 error

    $ hecate bundle
    exit 1
    error: manifest.json:1: the file is empty (HKM001)
    hint: `hecate check` shows it in its place

    $ hecate gen desk cmd confirm order
    exit 1
    error: `manifest.json` cannot be used
      cause: the manifest is not valid JSON
      cause: EOF while parsing a value at line 1 column 0
    hint: `hecate check` shows what is wrong with it

    # half of one

    $ hecate check
    exit 1
    error[HKM001]: expected value after colon in object property
     --> manifest.json:3:11
      |
    3 |   "name": 
      |           ^

    1 error

    $ hecate bundle
    exit 1
    error: manifest.json:3: expected value after colon in object property (HKM001)
    hint: `hecate check` shows it in its place

    $ hecate gen desk cmd confirm order
    exit 1
    error: `manifest.json` cannot be used
      cause: the manifest is not valid JSON
      cause: EOF while parsing a value at line 3 column 10
    hint: `hecate check` shows what is wrong with it

    # a list

    $ hecate check
    exit 1
    error[HKM001]: the manifest must be an object
     --> manifest.json:1:1
      |
    1 | []
      | ^
      |
      = help: begin with `{`; `hecate explain HKM001` shows the least of one

    1 error

    $ hecate bundle
    exit 1
    error: manifest.json:1: the manifest must be an object (HKM001)
    hint: `hecate check` shows it in its place

    $ hecate gen desk cmd confirm order
    exit 1
    error: `manifest.json` cannot be used
      cause: the manifest must be an object, and is a list
    hint: `hecate check` shows what is wrong with it

    # a number for a name

    $ hecate check
    exit 1
    error[HKM005]: `name` must be a string, and is a number
     --> manifest.json:3:11
      |
    3 |   "name": 7,
      |           ^

    1 error

    $ hecate bundle
    exit 1
    error: manifest.json:3: `name` must be a string, and is a number (HKM005)
    hint: `hecate check` shows it in its place

    $ hecate gen desk cmd confirm order
    exit 1
    error: `manifest.json` cannot be used
      cause: `name` must be a string, and is a number
    hint: `hecate check` shows what is wrong with it

    # no name

    $ hecate check
    exit 1
    error[HKM002]: `name` is missing
     --> manifest.json:1:1
      |
    1 | {
      | ^

    1 error

    $ hecate bundle
    exit 1
    error: manifest.json:1: `name` is missing (HKM002)
    hint: `hecate check` shows it in its place

    $ hecate gen desk cmd confirm order
    exit 1
    error: `manifest.json` cannot be used
      cause: the manifest has no `name`
    hint: `hecate check` shows what is wrong with it

    # a name that is none

    $ hecate check
    exit 1
    error[HKM003]: `It Unread` is not a plugin name: it starts with `I`, and must start with a lowercase letter
     --> manifest.json:3:11
      |
    3 |   "name": "It Unread",
      |           ^^^^^^^^^^^
      |
      = help: write `it-unread`; `display_name` may hold any text

    1 error

    $ hecate bundle
    exit 1
    error: manifest.json:3: `It Unread` is not a plugin name: it starts with `I`, and must start with a lowercase letter (HKM003)
    hint: `hecate check` shows it in its place

    $ hecate gen desk cmd confirm order
    exit 1
    error: `manifest.json` cannot be used
      cause: the manifest's `name` cannot be used
      cause: `It Unread` is not a plugin name: it starts with `I`, and must start with a lowercase letter
    hint: `hecate check` shows what is wrong with it

    # two names

    $ hecate check
    exit 1
    error[HKM015]: `name` stands twice, first on line 3
     --> manifest.json:3:24
      |
    3 |   "name": "it-unread", "name": "other",
      |                        ^^^^^^
      |
      = help: remove one of the two

    error[HKG001]: `src/divisions.rs` is out of date: it follows from the folders beside it
    --> src/divisions.rs
     = help: `hecate check --fix` writes it anew

    2 errors

    $ hecate bundle
    exit 1
    error: manifest.json:3: `name` stands twice, first on line 3 (HKM015)
    hint: and 1 more: `hecate check` shows them all in their places

    # a byte order mark

    $ hecate check
    exit 1
    error[HKM001]: the file begins with a byte order mark, which JSON does not have
     --> manifest.json:1:1
      |
    1 | ﻿{
      | ^
      |
      = help: save it as UTF-8 without one

    1 error

    $ hecate bundle
    exit 1
    error: manifest.json:1: the file begins with a byte order mark, which JSON does not have (HKM001)
    hint: `hecate check` shows it in its place

    $ hecate gen desk cmd confirm order
    exit 1
    error: `manifest.json` cannot be used
      cause: the manifest is not valid JSON
      cause: expected value at line 1 column 1
    hint: `hecate check` shows what is wrong with it

    # no UTF-8

    $ hecate check
    exit 1
    error: `[ROOT]/it-unread/manifest.json` is not UTF-8 text
    hint: save it as UTF-8, or take it from your last commit

    $ hecate bundle
    exit 1
    error: `[ROOT]/it-unread/manifest.json` is not UTF-8 text
    hint: save it as UTF-8, or take it from your last commit

    $ hecate gen desk cmd confirm order
    exit 1
    error: `[ROOT]/it-unread/manifest.json` is not UTF-8 text
    hint: save it as UTF-8, or take it from your last commit
    "#);
}

/// More than anybody writes by hand: the answer is short, and comes before somebody loses patience.
#[test]
fn a_manifest_that_is_huge_or_deep_is_no_harder_to_refuse() {
    let sandbox = Sandbox::new();
    let deep = format!("{{\"x\": {}{}}}", "[".repeat(200_000), "]".repeat(200_000));
    sandbox.write("deep.json", deep);
    sandbox.write("junk.json", "x".repeat(1024 * 1024));
    sandbox.write("bytes.json", vec![0xff; 1024 * 1024]);
    let lines = ["check deep.json", "check junk.json", "check bytes.json"];
    let session = refused(&sandbox, "", &lines);
    assert!(session.len() < 4096, "{} bytes are said", session.len());
    assert_snapshot!(session, @"
    $ hecate check deep.json
    exit 1
    error[HKM001]: maximum nesting depth exceeded
     --> deep.json:1:517
      |
    1 | ...[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[...
      |                                                                    ^^

    1 error

    $ hecate check junk.json
    exit 1
    error[HKM001]: unexpected word
     --> junk.json:1:1
      |
    1 | xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^...^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 error

    $ hecate check bytes.json
    exit 1
    error: `[ROOT]/bytes.json` is not UTF-8 text
    hint: save it as UTF-8, or take it from your last commit
    ");

    let fields: String = (0..5_000).map(|nth| format!("\"x{nth}\": 0,")).collect();
    let many = format!(r#"{{{fields}"name": "many", "version": "1.0"}}"#);
    sandbox.write("many.json", many);
    let run = sandbox.hecate("check many.json").code(1);
    let end: Vec<_> = run.stdout.lines().rev().take(3).collect();
    assert_eq!(
        end,
        [
            "1 error, 5002 warnings",
            "",
            "and 4803 more: `--format json` has them all"
        ]
    );
}
