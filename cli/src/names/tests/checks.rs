//! What is refused, and what is advised.

use super::super::table::{self, rows};
use super::super::*;
use super::{name, names};

#[test]
fn reserved_words_are_refused_where_they_stand_alone() {
    let order = name("order");
    for (field, error, suggestion) in [
        ("type", "`type` is a reserved word of Rust", "kind"),
        ("select", "`select` is a reserved word of SQL", "choice"),
        (
            "class",
            "`class` is a reserved word of TypeScript",
            "category",
        ),
        (
            "default",
            "`default` is a reserved word of TypeScript, SQL",
            "standard",
        ),
        (
            "in",
            "`in` is a reserved word of Rust, TypeScript, SQL",
            "inside",
        ),
        ("table", "`table` is a reserved word of SQL", "order_table"),
        (
            "id",
            "`id` is a field that every row, answer or query has",
            "reference",
        ),
        (
            "order_id",
            "`order_id` is a field that every row, answer or query has",
            "other_order_id",
        ),
        (
            "status",
            "`status` is a field that every row, answer or query has",
            "order_status",
        ),
        (
            "q",
            "`q` is a field that every row, answer or query has",
            "question",
        ),
    ] {
        let refused = check_field(&name(field), &order).unwrap_err();
        assert_eq!(refused.to_string(), error);
        assert_eq!(refused.suggestion(), &suggestion);
    }
    for free in [
        "note",
        "key",
        "number",
        "customer_id",
        "order_type",
        "plan",
        "union_rep",
        "action",
    ] {
        assert_eq!(check_field(&name(free), &order), Ok(()));
    }
    let refused = check_value(&name("self"), &name("kind")).unwrap_err();
    assert_eq!(refused.suggestion(), &"own");
    assert_eq!(check_value(&name("status"), &name("kind")), Ok(()));
    for (plugin, suggestion) in [
        ("match", "match_plugin"),
        ("test", "test_plugin"),
        ("serde_json", "serde_json_plugin"),
    ] {
        assert_eq!(
            check_crate(&name(plugin)).unwrap_err().suggestion(),
            &suggestion
        );
    }
    assert_eq!(check_crate(&name("my_plugin")), Ok(()));
    assert_eq!(check_subject(&name("match")), Ok(()));
    assert_eq!(
        check_subject(&name("engine_v8")).unwrap_err().suggestion(),
        &"engine_8"
    );
    for (table, error, suggestion) in [
        (
            "health",
            "`health` would have the route `/health`, which every plugin has of itself",
            "health_record",
        ),
        (
            "projection",
            "`projection` is a name that read models keep for tables of their own",
            "my_projection",
        ),
        (
            "sqlite_master",
            "`sqlite_master` is a name that read models keep for tables of their own",
            "my_master",
        ),
    ] {
        let refused = check_table(&name(table)).unwrap_err();
        assert_eq!(refused.to_string(), error);
        assert_eq!(refused.suggestion(), &suggestion);
        assert_eq!(check_table(refused.suggestion()), Ok(()));
    }
    for free in ["event", "manifest", "projections", "order", "select"] {
        assert_eq!(check_table(&name(free)), Ok(()), "{free}");
    }
}

#[test]
fn what_is_suggested_for_a_refused_name_is_free() {
    let subject = name("order");
    let taken = [
        "id",
        "status",
        "version",
        "position",
        "ok",
        "error",
        "code",
        "after",
        "limit",
        "sort",
        "q",
        "items",
        "next",
        "event_id",
        "command_id",
    ];
    for word in rows(table::RESERVED_WORDS)
        .map(|[word, _, _]| word)
        .chain(taken)
    {
        let refused = check_field(&name(word), &subject).unwrap_err();
        assert_eq!(
            check_field(refused.suggestion(), &subject),
            Ok(()),
            "{word}"
        );
        assert!(Name::parse(refused.suggestion().snake()).is_ok());
    }
    for word in rows(table::RESERVED_WORDS).map(|[word, _, _]| word) {
        let refused = check_value(&name(word), &name("kind")).unwrap_err();
        assert_eq!(
            check_value(refused.suggestion(), &name("kind")),
            Ok(()),
            "{word}"
        );
    }
}

#[test]
fn verbs_of_databases_are_warned_of() {
    let warning = crud_verb(&name("soft_delete")).unwrap();
    assert_eq!(
        warning.to_string(),
        "`delete` tells of a row; say what happened: `archive`, `withdraw` or `cancel`"
    );
    assert_eq!(
        crud_event(&name("repository_created")).map(|crud| crud.verb),
        Some("create")
    );
    for verb in ["add", "set", "remove", "initiate", "recreate"] {
        assert_eq!(crud_verb(&name(verb)), None);
    }
    assert_eq!(crud_event(&name("software_update_installed")), None);
    for crud in ["create", "update", "delete"].map(|verb| crud_verb(&name(verb)).unwrap()) {
        assert!(
            crud.instead
                .iter()
                .all(|verb| crud_verb(&name(verb)).is_none())
        );
    }
}

#[test]
fn names_that_are_easily_taken_for_another_are_near() {
    let existing = names(&[
        "order",
        "kanban_card",
        "line_1",
        "phase_1",
        "park_card",
        "status",
        "bus",
    ]);
    for (new, expected) in [
        ("orders", Some(("order", Closeness::SameNumber))),
        ("oder", Some(("order", Closeness::Spelling))),
        ("kanabn_card", Some(("kanban_card", Closeness::Spelling))),
        ("kanban_cards", Some(("kanban_card", Closeness::SameNumber))),
        ("line1", Some(("line_1", Closeness::SameType))),
        ("statuses", Some(("status", Closeness::SameNumber))),
        ("order", None),
        ("phase_2", None),
        ("unpark_card", None),
        ("customer", None),
        ("bug", None),
    ] {
        let found = near(&existing, &name(new)).map(|near| (near.name.snake(), near.closeness));
        assert_eq!(found, expected, "{new}");
    }
    // The closest, whatever the order.
    let mut existing = names(&["oder", "orders", "border"]);
    for _ in 0..existing.len() {
        existing.rotate_left(1);
        assert_eq!(near(&existing, &name("order")).unwrap().name, &"orders");
    }
}
