//! Requests as JSON: what editors and programs send instead of a command line.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Project, Run, Sandbox};

/// `hecate gen --from -` with this on its standard input.
fn sent(sandbox: &Sandbox, plugin: &Project<'_>, request: &str) -> Run {
    let mut command = sandbox.command_in(&plugin.name, &["gen", "--from", "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(request.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_request_makes_what_its_command_line_makes() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-requests");
    let division = json!({"what": "division", "subject": "order", "fields": ["customer:string"], "flags": ["open"]});
    let _made = sent(&sandbox, &plugin, &division.to_string()).ok();
    let line = plugin
        .hecate("gen division order customer:string --flags open")
        .ok();
    assert!(line.stdout.starts_with("nothing to do"), "{line}");

    let desk = json!({"what": "desk cmd", "verb": "open", "subject": "order", "sets": "open", "event": ["order_opened"]});
    plugin.write("request.json", &desk.to_string());
    let looked_at = plugin.hecate("gen --from request.json --json").ok().json();
    assert_eq!(
        looked_at["command"],
        "hecate gen desk cmd open order --event order_opened --sets open"
    );
    let line = plugin.hecate("gen desk cmd open order --sets open").ok();
    assert!(line.stdout.starts_with("nothing to do"), "{line}");
}

#[test]
fn every_kind_has_a_schema_that_a_request_without_more_fits() {
    let sandbox = Sandbox::new();
    let schema = sandbox.hecate("schema gen --json").ok().json();
    let kinds = schema["schema"]["oneOf"].as_array().unwrap();
    assert!(kinds.len() >= 5, "{schema}");
    let plain: Value =
        serde_json::from_str(&sandbox.hecate("schema gen desk qry").ok().stdout).unwrap();
    assert!(
        kinds
            .iter()
            .any(|kind| kind["properties"] == plain["properties"])
    );
    for kind in kinds {
        let properties = kind["properties"].as_object().unwrap();
        for name in kind["required"].as_array().unwrap() {
            assert!(properties.contains_key(name.as_str().unwrap()), "{kind}");
        }
        assert_eq!(kind["additionalProperties"], false);
    }
    let wrong = sandbox.hecate("schema gen dsk").code(2);
    assert!(wrong.stderr.contains("`desk`"), "{wrong}");
}

#[test]
fn what_is_wrong_with_a_request_is_said_and_changes_nothing() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-requests-bad");
    let _made = plugin.hecate("gen division order").ok();
    let before = plugin.tree();
    for (request, code, said) in [
        ("", 1, "is not JSON"),
        ("{", 1, "is not JSON"),
        ("[]", 2, "a request is a JSON object"),
        (r#"{"what": "desk"}"#, 2, "is several things"),
        (r#"{"what": "bump"}"#, 2, "knows no `bump`"),
        (
            r#"{"what": "desk cmd", "subject": "order"}"#,
            2,
            "not `verb` before it",
        ),
        (
            r#"{"what": "desk cmd", "verb": "pay", "subject": "order", "filds": []}"#,
            2,
            "has no `filds`",
        ),
        (
            r#"{"what": "desk cmd", "verb": "pay", "subject": "order", "fields": ["x:blob"]}"#,
            2,
            "unknown type `blob`",
        ),
        (
            r#"{"what": "desk cmd", "verb": "pay", "subject": "order", "route": "/health"}"#,
            2,
            "has no `{id}`",
        ),
        (
            r#"{"what": "desk qry", "kind": "pages", "subject": "order"}"#,
            2,
            "by-id",
        ),
        (
            r#"{"what": "desk cmd", "verb": "--yes", "subject": "order"}"#,
            2,
            "--yes",
        ),
        (
            r#"{"what": "division", "subject": "../../etc"}"#,
            2,
            "is not a name",
        ),
    ] {
        let refused = sent(&sandbox, &plugin, request).code(code);
        assert!(refused.stderr.contains(said), "{request}: {refused}");
        assert!(refused.stderr.contains("hint: "), "{request}: {refused}");
    }
    let both = plugin.hecate("gen --from x.json division invoice").code(2);
    assert!(both.stderr.contains("leave one of the two out"), "{both}");
    let missing = plugin.hecate("gen --from x.json").code(1);
    assert!(missing.stderr.contains("x.json"), "{missing}");
    let nothing = plugin.hecate("gen").code(2);
    assert!(
        nothing.stderr.contains("needs to know what to make"),
        "{nothing}"
    );
    assert_eq!(plugin.tree(), before);
}
