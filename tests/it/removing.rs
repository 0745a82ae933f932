//! What was generated is taken away again: nothing that others need, and nothing that somebody has written, unasked.

use insta::assert_snapshot;

use crate::support::{Project, Sandbox};

const DESK: &str = "divisions/order/src/guide_order_lifecycle/confirm_order";

/// A plugin with a division, a command that two others build on, and those two.
fn with_desks<'s>(sandbox: &'s Sandbox, name: &str) -> Project<'s> {
    let plugin = Project::new(sandbox, name);
    for command in [
        "gen division order customer:string",
        "gen desk cmd confirm order note:string",
        "gen desk prj order_confirmed --table confirmed_orders",
        "gen desk qry by-field order note",
    ] {
        let _made = plugin.hecate(command).ok();
    }
    plugin
}

#[test]
fn what_others_need_stays_and_they_are_named() {
    let sandbox = Sandbox::new();
    let plugin = with_desks(&sandbox, "it-needed");
    let before = plugin.sources();
    assert_snapshot!(plugin.hecate("remove desk confirm_order"), @"
    exit 1
    error: the command `order/confirm_order` cannot go: projection `order/order_confirmed`, query-by-field `order/get_orders_by_note` depend on it
    hint: `divisions/order/src/project_orders/order_confirmed/projection.rs` names `OrderConfirmedV1`
    hint: `divisions/order/src/query_orders/get_orders_by_note/route.rs` names `note`
    hint: remove those first, or change them so that they do without
    ");
    assert_snapshot!(plugin.hecate("remove cmd initiate_order"), @"
    exit 1
    error: the command `order/initiate_order` is the only desk that brings something into being
    hint: make another one first, or remove the whole division: `hecate remove division order`
    ");
    let archive = plugin.hecate("remove command order/archive_order").code(1);
    assert!(
        archive.stderr.contains("command `order/confirm_order`"),
        "{archive}"
    );
    assert_snapshot!(plugin.hecate("remove comand confirm_order"), @"
    exit 2
    error: `comand` is no kind of thing that `hecate gen` makes
    hint: did you mean `command`?
    ");
    assert_snapshot!(plugin.hecate("remove command confirm_oder"), @"
    exit 1
    error: `hecate.lock` knows no command `confirm_oder`
    hint: did you mean `confirm_order`?
    ");
    assert_snapshot!(plugin.hecate("remove plugin it-needed"), @"
    exit 1
    error: a plugin is not removed from itself
    hint: remove its directory; `hecate uninstall` takes it out of the daemon
    ");
    assert!(plugin.sources() == before, "nothing was changed");
}

#[test]
fn what_goes_leaves_nothing_but_its_bits_and_comes_back() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-removed");
    let new = plugin.sources();
    let _made = plugin.hecate("gen division order customer:string").ok();
    let division = plugin.sources();
    let _made = plugin.hecate("gen desk cmd confirm order note:string").ok();
    let with_desk = plugin.sources();

    let listed = plugin.hecate("remove desk confirm_order --dry-run").ok();
    let _differs = plugin.hecate("remove desk confirm_order --check").code(3);
    assert!(plugin.sources() == with_desk, "previews change nothing");
    let removed = plugin.hecate("remove desk confirm_order").ok();
    assert!(removed.stdout.starts_with(&listed.stdout), "{removed}");
    assert!(!plugin.path(DESK).exists(), "not even its folder is left");
    let mut left = plugin.sources();
    let bits = left.remove("contracts/flags.toml").unwrap();
    assert!(left == division, "everything else is as before it was made");
    assert_snapshot!(String::from_utf8(bits).unwrap(), @"
    # Status bits of what was removed, by division and event. They are never given again: lines are added here, and none is
    # taken away.

    [order]
    order_confirmed = [4]
    ");
    assert_eq!(plugin.hecate("check").ok().stdout.trim(), "no findings");

    let _undone = plugin.hecate("undo").ok();
    assert!(plugin.sources() == with_desk, "it is all there again");
    let _removed = plugin.hecate("remove command order/confirm_order").ok();
    let _made = plugin.hecate("gen desk cmd confirm order note:string").ok();
    let event = plugin.read(&format!("{DESK}/order_confirmed_v1.rs"));
    assert!(
        event.contains("const SETS: u64 = 8;"),
        "4 is not given again"
    );

    let _removed = plugin.hecate("remove division order").ok();
    let mut left = plugin.sources();
    let _bits = left.remove("contracts/flags.toml").unwrap();
    for (path, contents) in &new {
        // An empty list of divisions is there from the beginning.
        assert!(left.get(path) == Some(contents), "{path} is as it was");
    }
    assert!(left.keys().eq(new.keys()), "no file is left");
    assert_eq!(plugin.hecate("check").ok().stdout.trim(), "no findings");
}

#[test]
fn what_was_edited_goes_or_is_kept_as_one_says() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-edited");
    let _made = plugin.hecate("gen division order").ok();
    let _made = plugin.hecate("gen desk cmd confirm order note:string").ok();
    let handle = format!("{DESK}/handle.rs");
    plugin.edit(
        &handle,
        "    state.must_exist()?;\n",
        "    // Mine.\n    state.must_exist()?;\n",
    );
    plugin.write(&format!("{DESK}/words.rs"), "//! Mine alone.\n");
    let edited = plugin.read(&handle);
    assert_snapshot!(plugin.hecate("remove desk confirm_order"), @"
    exit 1
    error: the command `order/confirm_order` is not as it was generated: `divisions/order/src/guide_order_lifecycle/confirm_order/handle.rs`, `divisions/order/src/guide_order_lifecycle/confirm_order/words.rs` were edited or added since
    hint: `--edited keep` moves them to `.hecate/removed`, `--edited remove` removes them too; `--diff` shows what would go
    ");
    let kept = plugin
        .hecate("remove desk confirm_order --edited keep")
        .ok();
    let place = format!(".hecate/removed/{handle}");
    assert!(kept.stdout.contains(&format!("create {place}")), "{kept}");
    assert_eq!(plugin.read(&place), edited);
    // Nothing was ever committed here, which is allowed, and said.
    assert!(
        kept.stderr.contains("changes that are not committed"),
        "{kept}"
    );
    assert!(!plugin.path(DESK).exists());
    let _undone = plugin.hecate("undo").ok();
    assert_eq!(plugin.read(&handle), edited);
    assert!(!plugin.path(".hecate/removed").exists());
    let _removed = plugin
        .hecate("remove desk confirm_order --edited remove")
        .ok();
    assert!(!plugin.path(DESK).exists() && !plugin.path(".hecate/removed").exists());
}

#[test]
fn what_is_in_no_state_to_be_removed_is_named() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-removed-badly");
    let _made = plugin.hecate("gen division order").ok();
    let _made = plugin.hecate("gen desk cmd confirm order").ok();
    let handle = format!("{DESK}/handle.rs");
    let whole = plugin.read(&handle);
    plugin.write(
        &handle,
        &format!("<<<<<<< HEAD\n{whole}=======\n>>>>>>> other\n"),
    );
    let half = plugin.sources();
    assert_snapshot!(plugin.hecate("remove desk confirm_order --edited remove"), @"
    exit 1
    error: `divisions/order/src/guide_order_lifecycle/confirm_order/handle.rs`, line 1: a merge was left unfinished here
    hint: keep one of the two sides, or both, and remove the lines with `<<<<<<<`, `=======` and `>>>>>>>`
    ");
    assert!(plugin.sources() == half);
    plugin.write(&handle, &whole);

    let mut permissions = std::fs::metadata(plugin.path(&handle))
        .unwrap()
        .permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(plugin.path(&handle), permissions.clone()).unwrap();
    let before = plugin.sources();
    assert_snapshot!(plugin.hecate("remove desk confirm_order"), @"
    exit 1
    error: `divisions/order/src/guide_order_lifecycle/confirm_order/handle.rs` is read-only, and would be removed
    hint: nothing was changed; if it may go, make it writable: `chmod u+w divisions/order/src/guide_order_lifecycle/confirm_order/handle.rs`
    ");
    assert!(plugin.sources() == before);
    #[expect(
        clippy::permissions_set_readonly_false,
        reason = "a file of the test's own"
    )]
    permissions.set_readonly(false);
    std::fs::set_permissions(plugin.path(&handle), permissions).unwrap();

    let lock = plugin.read("hecate.lock");
    plugin.write(
        "hecate.lock",
        &lock.replace("kind = \"command\"", "sort = \"command\""),
    );
    let refused = plugin.hecate("remove desk confirm_order").code(1);
    assert!(refused.stderr.contains("`hecate.lock`, line "), "{refused}");
    // The record alone is lost: nobody knows what was generated.
    let (before, rest) = lock
        .split_once("[[artifact]]\nkind = \"command\"\nname = \"order/confirm_order\"")
        .unwrap();
    let rest = rest
        .split_once("\n[[artifact]]")
        .map_or("", |(_, rest)| rest);
    plugin.write("hecate.lock", &format!("{before}[[artifact]]{rest}"));
    let refused = plugin.hecate("remove desk confirm_order").code(1);
    assert!(
        refused
            .stderr
            .contains("`hecate.lock` knows no desk `confirm_order`"),
        "{refused}"
    );
    // The files alone are gone: the record goes.
    plugin.write("hecate.lock", &lock);
    std::fs::remove_dir_all(plugin.path(DESK)).unwrap();
    let removed = plugin.hecate("remove desk confirm_order").ok();
    assert!(removed.stdout.contains("change hecate.lock"), "{removed}");
    assert_eq!(plugin.hecate("check").ok().stdout.trim(), "no findings");
}

#[test]
fn a_revision_and_an_integration_go_as_desks_do() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-removed-others");
    let _made = plugin.hecate("gen division order note:string").ok();
    let _made = plugin
        .hecate("gen event-version order_initiated carrier:string?")
        .ok();
    let needed = plugin
        .hecate("remove event-version order_initiated_v2")
        .code(1);
    assert!(
        needed
            .stderr
            .contains("command `order/initiate_order` depends on it"),
        "{needed}"
    );
    let before = plugin.sources();
    let _made = plugin
        .hecate("gen integration emitter order_initiated --fact it-removed-others.order_placed")
        .ok();
    let needed = plugin.hecate("remove division order").code(1);
    assert!(
        needed.stderr.contains("emitter `tell_order_placed`"),
        "{needed}"
    );
    let removed = plugin.hecate("remove integration tell_order_placed").ok();
    assert!(
        removed.stderr.contains(
            "still asks for the permission `facts:publish:it-removed-others.order_placed`"
        ),
        "{removed}"
    );
    let mut left = plugin.sources();
    left.insert("manifest.json".to_owned(), before["manifest.json"].clone());
    for path in left.keys().chain(before.keys()) {
        assert!(left.get(path) == before.get(path), "{path} is as it was");
    }
}
