//! The main line: a plugin is made, grown, checked, bundled, installed and used.

use serde_json::json;

use crate::support::{Daemon, Project, Sandbox, get, post};

#[test]
fn a_plugin_is_made_grown_bundled_installed_and_used() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-line");
    let _ = plugin
        .hecate("gen division order customer:string total:decimal")
        .ok();
    let _ = plugin.hecate("gen desk cmd confirm order note:string").ok();
    let checked = plugin.hecate("check").ok();
    assert_eq!(checked.stdout.trim(), "no findings", "{checked}");
    let bundle = plugin.bundle();

    let daemon = Daemon::start(&sandbox);
    let installed = sandbox
        .hecate(&format!("install {}", bundle.display()))
        .ok();
    assert!(
        installed
            .stdout
            .contains("http://localhost:[PORT]/plugin/it-line/"),
        "{installed}"
    );

    let api = "/plugin/it-line/api";
    let born = post(
        daemon.port,
        &format!("{api}/orders/initiate"),
        &json!({"customer": "Ada", "total": "1.50"}),
    );
    assert_eq!(born.status, 201, "{born:?}");
    let id = born.json()["order_id"].as_str().unwrap().to_owned();
    let confirmed = post(
        daemon.port,
        &format!("{api}/orders/{id}/confirm"),
        &json!({"note": "by telephone"}),
    );
    assert_eq!(confirmed.status, 201, "{confirmed:?}");
    let row = get(daemon.port, &format!("{api}/orders/{id}")).json();
    assert_eq!(row["note"], "by telephone");
    assert_eq!(row["total"], "1.50");
    assert_eq!(daemon.stop(), 0);

    let again = Daemon::start(&sandbox);
    let kept = get(again.port, &format!("{api}/orders/{id}")).json();
    assert_eq!(kept, row, "what was there before the restart");
}
