//! What `gen integration` makes: formatted, clean and tested, with tests that fail when it is broken; and two generated
//! plugins that tell, hear, ask and answer each other through a daemon that ends in between.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::kinds::FIELDS;
use crate::support::{Daemon, Project, Sandbox, get, post};

const TILL: &str = "/plugin/it-till/api";
const STORE: &str = "/plugin/it-store/api";

/// The plugin that tells and answers.
const OF_TILL: [&str; 4] = [
    "gen integration emitter order_confirmed --fact it-till.order_confirmed",
    "gen integration emitter part_initiated --fact it-till.part_initiated",
    "gen integration responder it-till.place_order --command initiate_order",
    "gen integration responder it-till.confirm --command confirm_order",
];

/// The plugin that hears and asks, and in which one thing leads to another.
const OF_STORE: [&str; 4] = [
    "gen integration listener it-till.order_confirmed --command initiate_entry",
    "gen integration listener it-till.part_initiated --command initiate_part",
    "gen integration process-manager entry_initiated --command initiate_shelf --set size=small",
    "gen integration requester it-till.place_order customer:string",
];

/// In which folder what is replaced by what.
type Broken = (&'static str, &'static str, &'static str);

fn made<'s>(sandbox: &'s Sandbox, name: &str, before: &[&str], parts: &[&str]) -> Project<'s> {
    let plugin = Project::new(sandbox, name);
    let part = format!("gen division part {FIELDS}");
    let _made = plugin.hecate(&part).ok();
    for line in before.iter().chain(parts) {
        let _made = plugin.hecate(line).ok();
    }
    for line in parts {
        let again = plugin.hecate(line).ok();
        assert!(again.stdout.starts_with("nothing to do"), "{line}: {again}");
    }
    plugin
}

/// Formatted, clean and tested; and every one of `mutations` is noticed by the tests beside it.
fn is_sound(plugin: &Project<'_>, mutations: &[Broken]) {
    let checked = plugin.hecate("check").ok();
    assert_eq!(checked.stdout.trim(), "no findings", "{checked}");
    let _formatted = plugin.cargo("fmt --all --check").ok();
    let _clean = plugin
        .cargo("clippy --all-targets --locked --quiet -- -D warnings")
        .ok();
    let _tested = plugin.cargo("test --locked --quiet").ok();
    for (folder, from, to) in mutations {
        plugin.edit(&format!("src/{folder}/mod.rs"), from, to);
    }
    let tested = plugin.cargo("test --locked --lib --no-fail-fast");
    for (folder, from, to) in mutations {
        let tests = format!("test {}::tests::", folder.replace('/', "::"));
        let noticed = tested.stdout.lines();
        let mut noticed = noticed.filter(|line| line.starts_with(&tests));
        assert!(
            noticed.any(|line| line.ends_with("FAILED")),
            "{folder}: {from} → {to} is not noticed\n{tested}"
        );
        plugin.edit(&format!("src/{folder}/mod.rs"), to, from);
    }
}

fn until(what: &str, is: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        sleep(Duration::from_millis(20));
    }
}

fn rows(port: u16, path: &str, field: &str) -> Vec<String> {
    let rows = get(port, &format!("{path}?limit=200"));
    let rows = if rows.status == 200 {
        rows.json()["items"].as_array().unwrap().clone()
    } else {
        Vec::new()
    };
    let texts = rows
        .iter()
        .map(|row| row[field].as_str().unwrap().to_owned());
    let mut texts: Vec<_> = texts.collect();
    texts.sort_unstable();
    texts
}

fn confirm(port: u16, note: &str) {
    let path = format!("{TILL}/orders/initiate");
    let placed = post(port, &path, &json!({"customer": "ann"}));
    let id = placed.json()["order_id"].as_str().unwrap().to_owned();
    let path = format!("{TILL}/orders/{id}/confirm");
    let confirmed = post(port, &path, &json!({"note": note}));
    assert_eq!(confirmed.status, 201, "{confirmed:?}");
}

/// A route that asks, as the plugin's author would add it.
fn with_a_route_that_asks(store: &Project<'_>) {
    let lib = "src/lib.rs";
    store.edit(
        lib,
        "pub struct ItStore;",
        "pub struct ItStore(hecate_sdk::integration::Hopes);",
    );
    store.edit(lib, "(_context:", "(context:");
    store.edit(lib, "Ok(Self)", "Ok(Self(context.hopes().clone()))");
    let route = r#"
        use hecate_sdk::integration::Ask;
        use integrations::ask_it_till_place_order::ItTillPlaceOrderHope;
        let hopes = self.0.clone();
        let ask = move || async move {
            let hope = ItTillPlaceOrderHope { customer: "store".to_owned() };
            let id = hecate_sdk::uuid::Uuid::from_u128(0x0190_a0a0_0000_7000_8000_0000_0000_0001);
            match hopes.ask(&hope, Ask::with_id(id)).await {
                Ok(placed) => placed.id,
                Err(error) => format!("error: {error}"),
            }
        };
        Router::new().route("/restock", hecate_sdk::axum::routing::post(ask))"#;
    store.edit(lib, "        Router::new()", route);
}

#[test]
fn generated_plugins_tell_hear_ask_and_answer_each_effect_once_across_a_restart() {
    let sandbox = Sandbox::new();
    let till = made(
        &sandbox,
        "it-till",
        &[
            "gen division order customer:string",
            "gen desk cmd confirm order note:string",
        ],
        &OF_TILL,
    );
    is_sound(
        &till,
        &[
            (
                "integrations/tell_order_confirmed",
                "note: event.note.clone()",
                "note: String::new()",
            ),
            (
                "integrations/tell_part_initiated",
                "it-till.part_initiated\";",
                "it-till.part\";",
            ),
            (
                "integrations/answer_place_order",
                "\"customer\": hope.customer",
                "\"customer\": \"x\"",
            ),
            (
                "integrations/answer_confirm",
                ".to(hope.order_id)",
                ".to(\"x\")",
            ),
        ],
    );
    let store = made(
        &sandbox,
        "it-store",
        &[
            "gen division entry order_id:string note:string",
            "gen division shelf note:string size:enum:small,large",
        ],
        &OF_STORE,
    );
    is_sound(
        &store,
        &[
            (
                "integrations/initiate_entry_on_it_till_order_confirmed",
                "\"note\": fact.note",
                "\"note\": \"x\"",
            ),
            (
                "integrations/initiate_part_on_it_till_part_initiated",
                "\"it-till.part_initiated\"",
                "\"it-till.part\"",
            ),
            (
                "integrations/ask_it_till_place_order",
                "\"it-till.place_order\"",
                "\"it-till.place\"",
            ),
            (
                "processes/initiate_shelf_on_entry_initiated",
                "\"note\": event.note",
                "\"note\": \"x\"",
            ),
        ],
    );
    let listed = store.hecate("list").ok().stdout;
    for line in [
        "listener  initiate_entry_on_it_till_order_confirmed  it-till.order_confirmed → initiate_entry",
        "process-manager  initiate_shelf_on_entry_initiated  entry_initiated → initiate_shelf",
    ] {
        assert!(listed.contains(line), "{listed}");
    }
    with_a_route_that_asks(&store);

    let daemon = Daemon::start(&sandbox);
    let install = |plugin: &Project<'_>| {
        let line = format!("install {} --allow-unsigned", plugin.bundle().display());
        let _installed = sandbox.hecate(&line).ok();
    };
    install(&till);
    confirm(daemon.port, "01");
    install(&store);
    let notes =
        |daemon: &Daemon, rows_of: &str| rows(daemon.port, &format!("{STORE}/{rows_of}"), "note");
    until("the first is on a shelf", || {
        notes(&daemon, "shelves") == ["01"]
    });
    let ask = |daemon: &Daemon| post(daemon.port, &format!("{STORE}/restock"), &json!({})).text();
    let placed = ask(&daemon);
    confirm(daemon.port, "02");
    daemon.kill();

    let daemon = Daemon::start(&sandbox);
    let serves = |path: &str| get(daemon.port, path).status == 200;
    until("both serve", || {
        serves(&format!("{TILL}/orders")) && serves(&format!("{STORE}/entries"))
    });
    confirm(daemon.port, "03");
    assert_eq!(ask(&daemon), placed, "asked again, it is the same order");
    let all = ["01", "02", "03"];
    until("all are on shelves", || {
        notes(&daemon, "shelves").len() >= all.len()
    });
    sleep(Duration::from_millis(200));
    assert_eq!(notes(&daemon, "entries"), all, "each once");
    assert_eq!(notes(&daemon, "shelves"), all, "each once");
    let customers = rows(daemon.port, &format!("{TILL}/orders"), "customer");
    assert_eq!(customers, ["ann", "ann", "ann", "store"]);
}
