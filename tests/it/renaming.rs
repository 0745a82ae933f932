//! A desk gets another name: its folder, its code and whoever speaks of it follow, and what is stored does not.

use insta::assert_snapshot;

use crate::support::{Project, Sandbox};

const CONFIRM: &str = "divisions/order/src/guide_order_lifecycle/confirm_order";
const APPROVE: &str = "divisions/order/src/guide_order_lifecycle/approve_order";

/// Whether the plugin is formatted, clean and passes its tests.
fn is_sound(plugin: &Project<'_>) {
    assert_eq!(plugin.hecate("check").ok().stdout.trim(), "no findings");
    let _formatted = plugin.cargo("fmt --all --check").ok();
    let _clean = plugin
        .cargo("clippy --workspace --all-targets --locked --quiet -- -D warnings")
        .ok();
    let _tested = plugin.cargo("test --workspace --locked --quiet").ok();
}

#[test]
fn what_is_renamed_and_what_remains_compiles_and_passes_its_tests() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-renamed");
    for command in [
        "gen division order customer:string",
        "gen division invoice total:decimal",
        "gen desk cmd confirm order note:string kind:enum:small,large",
        "gen desk cmd ship order carrier:string",
        "gen desk prj order_confirmed --table confirmed_orders",
        "gen desk qry page confirmed_order",
        "gen desk qry by-field order note",
        "gen desk qry count order",
    ] {
        let _made = plugin.hecate(command).ok();
    }
    let made = plugin.sources();
    // Somebody's own line, in which the desk is named.
    plugin.edit(
        &format!("{CONFIRM}/handle.rs"),
        "    state.must_exist()?;\n",
        "    // `ConfirmOrderV1` is for orders that exist.\n    state.must_exist()?;\n",
    );
    let _renamed = plugin
        .hecate("rename desk confirm_order approve_order")
        .ok();
    assert!(!plugin.path(CONFIRM).exists());
    let handle = plugin.read(&format!("{APPROVE}/handle.rs"));
    assert!(
        handle.contains("    // `ApproveOrderV1` is for orders that exist.\n"),
        "{handle}"
    );
    let event = format!("{CONFIRM}/order_confirmed_v1.rs");
    assert_eq!(
        plugin
            .read(&format!("{APPROVE}/order_confirmed_v1.rs"))
            .as_bytes(),
        made[&event],
        "the event is stored, with its name and its bit"
    );
    let _renamed = plugin
        .hecate("rename prj order_confirmed order_approvals")
        .ok();
    let _renamed = plugin
        .hecate("rename qry get_confirmed_orders_page list_approvals")
        .ok();
    assert_eq!(
        plugin
            .read(&format!("{APPROVE}/order_confirmed_v1.rs"))
            .as_bytes(),
        made[&event],
        "a projection that is called as its event is leaves it alone"
    );
    let projection =
        plugin.read("divisions/order/src/project_orders/order_approvals/projection.rs");
    assert!(projection.contains("Table::new(\"confirmed_orders\""));

    let _removed = plugin.hecate("remove qry count_orders").ok();
    let _removed = plugin.hecate("remove cmd ship_order").ok();
    let _removed = plugin.hecate("remove division invoice").ok();
    is_sound(&plugin);

    // Asked for under the new name, it is there.
    plugin.edit(
        &format!("{APPROVE}/handle.rs"),
        "    // `ApproveOrderV1` is for orders that exist.\n",
        "",
    );
    let again = plugin
        .hecate(
            "gen desk cmd approve order note:string kind:enum:small,large --event order_confirmed",
        )
        .ok();
    assert!(again.stdout.starts_with("nothing to do"), "{again}");
}

#[test]
fn there_and_back_is_where_it_was_and_a_preview_is_what_is_done() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-renamed-back");
    for command in [
        "gen division order customer:string",
        "gen desk cmd confirm order note:string",
        "gen desk prj order_confirmed --table confirmed_orders",
        "gen desk qry by-field order note",
    ] {
        let _made = plugin.hecate(command).ok();
    }
    let before = plugin.sources();
    let rename = "rename command confirm_order approve_order";
    let listed = plugin.hecate(&format!("{rename} --dry-run")).ok();
    let _differs = plugin.hecate(&format!("{rename} --check")).code(3);
    assert!(plugin.sources() == before, "previews change nothing");
    let renamed = plugin.hecate(rename).ok();
    assert!(renamed.stdout.starts_with(&listed.stdout), "{renamed}");
    let after = plugin.sources();
    let _back = plugin.hecate("rename cmd approve_order confirm_order").ok();
    assert!(plugin.sources() == before, "there and back");
    let _undone = plugin.hecate("undo").ok();
    assert!(plugin.sources() == after);
    let _undone = plugin.hecate("undo").ok();
    assert!(plugin.sources() == before, "taken back");
}

#[test]
fn an_edit_that_meets_the_new_name_is_marked() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-renamed-conflict");
    let _made = plugin.hecate("gen division order").ok();
    let _made = plugin.hecate("gen desk cmd confirm order").ok();
    plugin.edit(
        &format!("{CONFIRM}/confirm_order_v1.rs"),
        "/// Confirm order.\n",
        "/// The customer is sure.\n",
    );
    let before = plugin.sources();
    let renamed = plugin
        .hecate("rename desk confirm_order approve_order")
        .code(4);
    let expected = format!("an edit and the new name meet in `{APPROVE}/approve_order_v1.rs`");
    assert!(renamed.stderr.contains(&expected), "{renamed}");
    let marked = plugin.read(&format!("{APPROVE}/approve_order_v1.rs"));
    assert!(
        marked.contains(
            "<<<<<<< ours\n/// The customer is sure.\n||||||| original\n/// Confirm order.\n=======\n/// Approve order.\n>>>>>>> theirs\n"
        ),
        "{marked}"
    );
    let half = plugin
        .hecate("rename desk approve_order accept_order")
        .code(1);
    assert!(
        half.stderr.contains("a merge was left unfinished"),
        "{half}"
    );
    let _undone = plugin.hecate("undo").ok();
    assert!(plugin.sources() == before);
}

#[test]
fn what_cannot_be_renamed_says_why() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-not-renamed");
    let _made = plugin.hecate("gen division order note:string").ok();
    let _made = plugin.hecate("gen desk cmd confirm order").ok();
    let _made = plugin.hecate("gen desk qry by-field order note").ok();
    let before = plugin.sources();
    let session = [
        "rename division order purchase",
        "rename desk archive_order shelve_order",
        "rename qry get_orders_by_note find_orders",
        "rename desk confirm_oder approve_order",
        "rename desk confirm_order initiate_order",
        "rename desk confirm_order approve",
        "rename desk confirm_order Approve_order",
        "rename deks confirm_order approve_order",
    ]
    .map(|line| plugin.hecate(line).to_string());
    assert_snapshot!(session.join("\n\n"), @"
    exit 1
    error: the division `order` has given its name to what is stored: its events, their ids and its store
    hint: stored names stay for ever: make a division of the new name, and a listener or process manager that carries over what it needs

    exit 1
    error: the command `order/archive_order` is known by its name: others look whether what they change was archived
    hint: make a desk of another name beside it

    exit 1
    error: the query-by-field `order/get_orders_by_note` is called after the columns that it asks for, which get their index from its name
    hint: remove it, and make the one that you need: `hecate remove query get_orders_by_note`

    exit 1
    error: `hecate.lock` knows no desk `confirm_oder`
    hint: did you mean `confirm_order`?

    exit 1
    error: `divisions/order/src/guide_order_lifecycle/initiate_order` is there already
    hint: take another name; nothing was changed

    exit 2
    error: `approve` names no desk: `approve` is one word, and a desk is named by a verb and a subject
    hint: a desk is named by a verb and a subject: `confirm_order`

    exit 2
    error: `Approve_order` is not a name: `A` may not stand in it, only `a` to `z`, `0` to `9` and `_`
    hint: did you mean `approve_order`?

    exit 2
    error: `deks` is no kind of thing that `hecate gen` makes
    hint: did you mean `desk`?
    ");
    assert!(plugin.sources() == before);
    let same = plugin
        .hecate("rename desk confirm_order confirm_order")
        .ok();
    assert!(same.stdout.starts_with("nothing to do"), "{same}");
}
