//! Whatever was generated can be taken back, to the byte, unless somebody has edited it since.

use insta::assert_snapshot;

use crate::support::{Project, Sandbox};

#[test]
fn runs_are_taken_back_one_after_the_other() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-undo");
    let commands = [
        "gen division order customer:string",
        "gen desk cmd confirm order note:string",
        "gen desk prj order_confirmed --table confirmed_orders",
        "gen desk qry by-field order customer",
        "gen division invoice total:decimal",
    ];
    let mut trees = vec![plugin.sources()];
    for command in commands {
        let _made = plugin.hecate(command).ok();
        trees.push(plugin.sources());
    }
    assert_snapshot!(plugin.hecate("undo --list"), @"
    exit 0
       5  hecate gen division invoice total:decimal                     33 files
       4  hecate gen desk qry by-field order customer                   7 files
       3  hecate gen desk prj order_confirmed --table confirmed_orders  6 files
       2  hecate gen desk cmd confirm order note:string                 14 files
       1  hecate gen division order customer:string                     33 files
    ");
    let newest = trees.pop().unwrap();
    for (tree, command) in trees.iter().rev().zip(commands.iter().rev()) {
        let undone = plugin.hecate("undo").ok();
        assert!(
            undone.stdout.contains(&format!("hecate {command}")),
            "{undone}"
        );
        assert!(
            plugin.sources() == *tree,
            "{command} is taken back to the byte"
        );
    }
    assert_snapshot!(plugin.hecate("undo"), @"
    exit 1
    error: there is nothing to take back
    hint: a new plugin is no run: remove its directory
    ");

    // Taking back is a run too, and can be taken back: the newest first, which was the first that was made.
    for number in (6..=10).rev() {
        let _redone = plugin.hecate(&format!("undo {number}")).ok();
    }
    assert!(plugin.sources() == newest, "everything is there again");
    let checked = plugin.hecate("check").ok();
    assert_eq!(checked.stdout.trim(), "no findings");
}

#[test]
fn what_was_edited_since_is_not_taken_back() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-undo-edited");
    let _made = plugin.hecate("gen division order").ok();
    let _made = plugin.hecate("gen desk cmd confirm order note:string").ok();
    let handle = "divisions/order/src/guide_order_lifecycle/confirm_order/handle.rs";
    plugin.edit(
        handle,
        "    state.must_exist()?;\n",
        "    // Mine.\n    state.must_exist()?;\n",
    );
    let before = plugin.tree();
    assert_snapshot!(plugin.hecate("undo"), @"
    exit 1
    --- a/divisions/order/src/guide_order_lifecycle/confirm_order/handle.rs
    +++ b/divisions/order/src/guide_order_lifecycle/confirm_order/handle.rs
    @@ -16,6 +16,7 @@
         command: ConfirmOrderV1,
         cx: &Cx,
     ) -> Result<Vec<OrderEvent>, Rejection> {
    +    // Mine.
         state.must_exist()?;
         state.must_not_be_archived()?;
         let event = OrderConfirmedV1 {
    error: run 2 cannot be taken back: `divisions/order/src/guide_order_lifecycle/confirm_order/handle.rs` changed since, as the diff shows
    hint: take later runs back first, or your own changes; `hecate undo --list` shows the runs
    ");
    // An earlier run cannot go while a later one builds on it.
    let earlier = plugin.hecate("undo 1").code(1);
    assert!(
        earlier.stderr.contains("run 1 cannot be taken back"),
        "{earlier}"
    );
    assert_snapshot!(plugin.hecate("undo 77"), @"
    exit 1
    error: there is no run 77
    hint: `hecate undo --list` shows those that there are
    ");
    assert_eq!(plugin.tree(), before);
}

#[test]
fn a_preview_of_taking_back_changes_nothing() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-undo-preview");
    let _made = plugin.hecate("gen division order").ok();
    let before = plugin.tree();
    let listed = plugin.hecate("undo --dry-run").ok();
    assert!(
        listed.stdout.contains("remove divisions/order/Cargo.toml"),
        "{listed}"
    );
    assert!(listed.stdout.contains("change Cargo.toml"), "{listed}");
    let _differs = plugin.hecate("undo --check").code(3);
    assert_eq!(plugin.tree(), before);
}

#[test]
fn the_plugin_is_listed() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-list");
    assert_snapshot!(plugin.hecate("list"), @"
    exit 0
    there is no division yet: `hecate gen division SUBJECT` makes one
    ");
    for command in [
        "gen division order customer:string",
        "gen desk cmd confirm order note:string",
        "gen desk prj order_confirmed --table confirmed_orders",
        "gen desk qry page confirmed_order",
        "gen division invoice",
    ] {
        let _made = plugin.hecate(command).ok();
    }
    assert_snapshot!(plugin.hecate("list"), @"
    exit 0
    invoice  divisions/invoice
      cmd  archive_invoice    POST /invoices/{id}/archive  → invoice_archived_v1
      cmd  initiate_invoice   POST /invoices/initiate      → invoice_initiated_v1
      qry  get_invoice_by_id  GET /invoices/{id}
      qry  get_invoices_page  GET /invoices
    order  divisions/order
      cmd  archive_order              POST /orders/{id}/archive  → order_archived_v1
      cmd  confirm_order              POST /orders/{id}/confirm  → order_confirmed_v1
      cmd  initiate_order             POST /orders/initiate      → order_initiated_v1
      prj  order_confirmed                                       order_confirmed_v1 → table confirmed_orders
      qry  get_confirmed_orders_page  GET /confirmed_orders
      qry  get_order_by_id            GET /orders/{id}
      qry  get_orders_page            GET /orders
    ");
    let json = plugin.hecate("list --json").ok().json();
    let order = &json["divisions"][1];
    assert_eq!(
        order["commands"][1]["events"][0]["fields"],
        serde_json::json!(["note:string"])
    );
    assert_eq!(
        order["projections"][0]["events"],
        serde_json::json!(["order_confirmed_v1"])
    );
}

#[test]
fn shells_complete_every_verb() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = sandbox.hecate(&format!("completions {shell}")).ok().stdout;
        for verb in ["new", "gen", "undo", "uninstall", "completions"] {
            assert!(script.contains(verb), "{shell}: {verb}");
        }
    }
}

#[test]
fn a_version_rises_everywhere_at_once() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-bump");
    let before = plugin.sources();
    assert_snapshot!(plugin.hecate("bump 0.0.9"), @"
    exit 1
    error: `0.0.9` is older than 0.1.0, the version that the plugin has
    hint: versions only rise: whoever has the newer one would not get the older
    hint: the next one is 0.1.1
    ");
    assert_snapshot!(plugin.hecate("bump newest"), @"
    exit 2
    error: invalid value 'newest' for '<VERSION>': `newest` is neither a version (`1.2.0`: unexpected character 'n' while parsing major version number) nor `major`, `minor` or `patch`

    For more information, try '--help'.
    ");
    let _bumped = plugin.hecate("bump minor").ok();
    assert!(
        plugin
            .read("manifest.json")
            .contains("\"version\": \"0.2.0\"")
    );
    assert!(
        plugin
            .read("Cargo.toml")
            .contains("name = \"it-bump\"\nversion = \"0.2.0\"")
    );
    assert!(
        plugin
            .read("Cargo.lock")
            .contains("name = \"it-bump\"\nversion = \"0.2.0\"")
    );
    assert!(
        plugin
            .read("CHANGELOG.md")
            .starts_with("# Changelog\n\n## Unreleased\n\n## 0.2.0 - 20")
    );
    let checked = plugin.hecate("check").ok();
    assert_eq!(checked.stdout.trim(), "no findings");
    let _locked = plugin
        .cargo("metadata --locked --offline --format-version 1 --quiet")
        .ok();
    let again = plugin.hecate("bump 0.2.0").ok();
    assert!(again.stdout.starts_with("nothing to do"), "{again}");
    let _undone = plugin.hecate("undo").ok();
    assert!(plugin.sources() == before);
}
