//! Questions, answered in a pseudo-terminal as somebody would.

use std::process::Stdio;

use rexpect::session::{PtySession, spawn_command};

use crate::support::{Project, Sandbox};

const PATIENCE_MS: u64 = 20_000;
const DOWN: &str = "\u{1b}[B";

fn on_terminal(sandbox: &Sandbox, dir: &str, args: &[&str]) -> PtySession {
    let mut command = sandbox.command_in(dir, args);
    command.env("TERM", "xterm").stdin(Stdio::inherit());
    spawn_command(command, Some(PATIENCE_MS)).unwrap()
}

/// Answers `question` with `keys` and Enter.
#[track_caller]
fn answer(session: &mut PtySession, question: &str, keys: &str) {
    session.exp_string(question).unwrap();
    session.send(keys).unwrap();
    session.send("\r").unwrap();
    session.flush().unwrap();
}

#[test]
fn a_desk_is_asked_for_step_by_step() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-asked");
    let _made = plugin.hecate("gen division order customer:string").ok();
    let _made = plugin.hecate("gen division invoice").ok();
    let mut session = on_terminal(&sandbox, "it-asked", &["gen", "desk"]);
    answer(&mut session, "What kind of desk", "");
    session.exp_string("Verb (confirm)").unwrap();
    session.send("confirm").unwrap();
    session.flush().unwrap();
    // Event and route are there while it is being typed.
    session.exp_string("confirmed").unwrap();
    session.send("\r").unwrap();
    session.flush().unwrap();
    // The divisions, in order: invoice, order.
    answer(&mut session, "Subject", DOWN);
    session.exp_string("order_confirmed_v1").unwrap();
    session.exp_string("/orders/{id}/confirm").unwrap();
    answer(&mut session, "A field", "note:strng");
    // What is not right is said, and asked again.
    session.exp_string("did you mean").unwrap();
    for _ in 0.."note:strng".len() {
        session.send("\u{7f}").unwrap();
    }
    session.send("note:string\r").unwrap();
    session.flush().unwrap();
    answer(&mut session, "A field", "");
    // The usual one is there already, and is taken by Enter.
    answer(&mut session, "Events", "");
    answer(&mut session, "Route", "/health");
    session.exp_string("has no `{id}`").unwrap();
    for _ in 0.."/health".len() {
        session.send("\u{7f}").unwrap();
    }
    session.send("/till/{id}/confirm\r").unwrap();
    session.flush().unwrap();
    session
        .exp_string("create divisions/order/src/guide_order_lifecycle/confirm_order/handle.rs")
        .unwrap();
    answer(&mut session, "Do it?", "y");
    session
        .exp_string("the same without questions: hecate gen desk cmd confirm order note:string --route /till/{id}/confirm")
        .unwrap();
    session.exp_eof().unwrap();

    let again = "gen desk cmd confirm order note:string --route /till/{id}/confirm";
    let again = plugin.hecate(again).ok();
    assert!(again.stdout.starts_with("nothing to do"), "{again}");
}

#[test]
fn who_says_no_changes_nothing() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-declined");
    let before = plugin.tree();
    let mut session = on_terminal(&sandbox, "it-declined", &["gen", "division"]);
    answer(&mut session, "What is the division about", "order");
    answer(&mut session, "A field", "");
    answer(&mut session, "Status flags", "open,archived");
    session.exp_string("that bit comes by itself").unwrap();
    for _ in 0.."open,archived".len() {
        session.send("\u{7f}").unwrap();
    }
    session.send("open,shelved\r").unwrap();
    session.flush().unwrap();
    answer(&mut session, "Do it?", "n");
    session.exp_string("nothing was changed").unwrap();
    session.exp_eof().unwrap();
    assert_eq!(plugin.tree(), before);
}

#[test]
fn a_plugin_is_asked_for_by_name() {
    let sandbox = Sandbox::new();
    let mut session = on_terminal(&sandbox, "", &["new", "plugin"]);
    answer(&mut session, "Name of the plugin", "it-named");
    session
        .exp_string("the same without questions: hecate new plugin it-named")
        .unwrap();
    session.exp_eof().unwrap();
    assert!(sandbox.path("it-named/manifest.json").is_file());
}

#[test]
fn projections_and_queries_are_asked_for_too() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-asked-more");
    let _made = plugin.hecate("gen division order customer:string").ok();
    let mut session = on_terminal(&sandbox, "it-asked-more", &["gen", "desk"]);
    answer(&mut session, "What kind of desk", DOWN);
    // Events, in the order of desks: archived, initiated.
    answer(&mut session, "Events", &format!("{DOWN} "));
    answer(&mut session, "Table", "customers");
    answer(&mut session, "Do it?", "");
    session
        .exp_string("the same without questions: hecate gen desk prj order_initiated")
        .unwrap();
    session.exp_eof().unwrap();

    let mut session = on_terminal(&sandbox, "it-asked-more", &["gen", "desk", "qry"]);
    answer(&mut session, "What is asked", DOWN);
    answer(&mut session, "About what", "");
    answer(&mut session, "Column", "customer");
    answer(&mut session, "Do it?", "");
    session
        .exp_string("the same without questions: hecate gen desk qry by-field")
        .unwrap();
    session.exp_eof().unwrap();
    let checked = plugin.hecate("check").ok();
    assert_eq!(checked.stdout.trim(), "no findings");
}
