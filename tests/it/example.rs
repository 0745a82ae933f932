//! The example of the README: a hand-written plugin, as its author finds it.

use std::fs;

use serde_json::json;

use crate::support::{Daemon, Project, Sandbox, checkout, get, post};

#[test]
fn the_quick_start_is_tested_bundled_and_used() {
    let sandbox = Sandbox::new();
    let plugin = Project::copied(
        &sandbox,
        &checkout().join("examples/my-plugin"),
        "my-plugin",
    );
    // Where this machine finds the SDK is not checked in.
    let _fixed = plugin.hecate("doctor --fix").ok();
    let checked = plugin.hecate("check").ok();
    assert_eq!(checked.stdout.trim(), "no findings", "{checked}");
    let _formatted = plugin.cargo("fmt --all --check").ok();
    let _clean = plugin
        .cargo("clippy --workspace --all-targets --locked --quiet -- -D warnings")
        .ok();
    let _tested = plugin.cargo("test --workspace --locked --quiet").ok();
    let bundle = plugin.bundle();

    let daemon = Daemon::start(&sandbox);
    let _installed = sandbox
        .hecate(&format!("install {}", bundle.display()))
        .ok();
    let api = "/plugin/my-plugin/api";
    let added = post(
        daemon.port,
        &format!("{api}/items"),
        &json!({"name": "lamp"}),
    );
    assert_eq!(added.status, 201, "{added:?}");
    let id = added.json()["item_id"].as_str().unwrap().to_owned();
    assert_eq!(
        get(daemon.port, &format!("{api}/items/{id}")).json()["name"],
        "lamp"
    );
    let items = get(daemon.port, &format!("{api}/items")).json();
    assert_eq!(items["items"], json!([{"item_id": id, "name": "lamp"}]));
    let manifest = get(daemon.port, &format!("{api}/manifest")).json();
    assert_eq!(
        manifest["native_capabilities"],
        json!({"notifications": true})
    );
    let page = get(daemon.port, "/plugin/my-plugin/").text();
    assert!(page.contains("<my-plugin"), "{page}");
    let events = sandbox.home().join("plugins/my-plugin/data/events");
    let files: Vec<_> = fs::read_dir(events)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        files.iter().any(|file| file == "items.db"),
        "the store lies in `items`: {files:?}"
    );
}
