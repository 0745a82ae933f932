//! The generated tests really test: what somebody breaks in the generated source makes one of the desk's own tests fail.

use crate::kinds::with_every_kind;
use crate::support::{Project, Sandbox};

/// One thing that is broken: in which desk, in which file, what by what.
struct Mutation {
    desk: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
}

const fn broken(
    desk: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
) -> Mutation {
    Mutation {
        desk,
        file,
        from,
        to,
    }
}

const CMD: &str = "guide_order_lifecycle";
const PRJ: &str = "project_orders";
const QRY: &str = "query_orders";

/// In each round one mutation of each kind: a field dropped, a wrong column written or asked, a guard skipped. Desks of
/// one round do not need each other, so each failure is the desk's own.
const ROUNDS: [(&str, &[(&str, Mutation)]); 3] = [
    (
        "a field is dropped",
        &[
            (
                CMD,
                broken(
                    "shelve_order",
                    "handle.rs",
                    "place_2: command.place_2.clone(),",
                    "place_2: String::new(),",
                ),
            ),
            (
                PRJ,
                broken(
                    "order_lifecycle_to_shelves",
                    "projection.rs",
                    "OrderEvent::ShelfFilledV1(event) => {",
                    "OrderEvent::ShelfFilledV1(event) if event.place_2.is_empty() => {",
                ),
            ),
            (
                CMD,
                broken(
                    "confirm_order",
                    "columns.rs",
                    "row.set(\"note\", &event.note);",
                    "",
                ),
            ),
            (
                CMD,
                broken(
                    "import_order",
                    "handle.rs",
                    "source: command.source,",
                    "source: String::new(),",
                ),
            ),
            (
                PRJ,
                broken(
                    "order_imported",
                    "projection.rs",
                    "row.set(\"source\", &event.source);",
                    "",
                ),
            ),
            (
                QRY,
                broken(
                    "get_orders_by_text",
                    "route.rs",
                    ".with(FIELD, &value)?",
                    "",
                ),
            ),
            (
                QRY,
                broken(
                    "count_orders",
                    "route.rs",
                    "json!({\"count\": count})",
                    "json!({\"kount\": count})",
                ),
            ),
            (
                CMD,
                broken(
                    "join_order",
                    "player_joined_v2.rs",
                    "seat: self.seat,",
                    "seat: 0,",
                ),
            ),
            (
                QRY,
                broken("search_orders", "route.rs", "\"text\"", "\"kind\""),
            ),
            (
                QRY,
                broken(
                    "get_order_by_id",
                    "route.rs",
                    "row.map(Answer)",
                    "row.map(|_| Answer(Default::default()))",
                ),
            ),
        ],
    ),
    (
        "a wrong column is written, or asked",
        &[
            (
                CMD,
                broken(
                    "open_order",
                    "order_opened_v1.rs",
                    "flags::SHELVED | flags::CONCLUDED",
                    "flags::SHELVED",
                ),
            ),
            (
                QRY,
                broken(
                    "get_shelves_page",
                    "route.rs",
                    "&[\"size\"]",
                    "&[\"place_2\"]",
                ),
            ),
            (
                CMD,
                broken(
                    "confirm_order",
                    "columns.rs",
                    "row.set(\"note\", &event.note);",
                    "row.set(\"text\", &event.note);",
                ),
            ),
            (
                CMD,
                broken(
                    "join_order",
                    "state.rs",
                    "self.seat = Some(event.seat)",
                    "self.seat = Some(event.seat + 1)",
                ),
            ),
            (
                PRJ,
                broken(
                    "order_imported",
                    "projection.rs",
                    "row.set(\"source\",",
                    "row.set(\"origin\",",
                ),
            ),
            (
                QRY,
                broken("get_orders_by_kind", "route.rs", "= \"kind\"", "= \"text\""),
            ),
            (
                QRY,
                broken(
                    "count_orders",
                    "route.rs",
                    "ORDERS.count(model, &filters)",
                    "ORDERS.count(model, &[])",
                ),
            ),
            (
                QRY,
                broken(
                    "get_order_by_id",
                    "route.rs",
                    ".by_key(model, &key)",
                    ".by_key(model, \"other\")",
                ),
            ),
        ],
    ),
    (
        "a guard is skipped",
        &[
            (
                CMD,
                broken("sign_order", "handle.rs", "state.must_exist()?;", ""),
            ),
            (
                QRY,
                broken(
                    "get_shelves_page",
                    "route.rs",
                    "params.page(&SHELVES, FILTERS)?",
                    "params.page(&SHELVES, &[\"version\"])?",
                ),
            ),
            (
                CMD,
                broken(
                    "confirm_order",
                    "handle.rs",
                    "state.must_not_be_archived()?;",
                    "",
                ),
            ),
            (
                CMD,
                broken("take_order", "handle.rs", "state.must_exist()?;", ""),
            ),
            (
                CMD,
                broken("import_order", "handle.rs", "state.must_be_new()?;", ""),
            ),
            (
                PRJ,
                broken(
                    "order_imported",
                    "projection.rs",
                    "if let OrderEvent::OrderImportedV1(event)",
                    "row.touch();\n    if let OrderEvent::OrderImportedV1(event)",
                ),
            ),
            (
                QRY,
                broken(
                    "get_orders_by_text",
                    "route.rs",
                    ".page(&ORDERS, &[])?",
                    ".page(&ORDERS, &[\"version\"])?",
                ),
            ),
            (
                QRY,
                broken(
                    "get_order_by_id",
                    "route.rs",
                    "ApiError::not_found(\"order\", &id)",
                    "ApiError::not_found(\"x\", &id)",
                ),
            ),
        ],
    ),
];

#[test]
fn whatever_is_broken_in_generated_source_fails_a_test_of_its_desk() {
    let sandbox = Sandbox::new();
    let plugin = with_every_kind(&sandbox, "it-mutants");
    // One more, whose one event has a field and is not all that the division has.
    let _made = plugin
        .hecate("gen desk prj order_imported --table imports")
        .ok();
    for (what, mutations) in ROUNDS {
        let originals: Vec<_> = mutations
            .iter()
            .map(|(department, mutation)| mutate(&plugin, department, mutation))
            .collect();
        let tested = plugin.cargo("test --package it-mutants-order --locked --no-fail-fast");
        assert_eq!(tested.code, 101, "{what}: {tested}");
        assert!(
            tested.stdout.contains("test result: FAILED"),
            "{what} does not compile: {tested}"
        );
        for (department, mutation) in mutations {
            let module = format!("test {department}::{}::tests::", mutation.desk);
            let failed = tested
                .stdout
                .lines()
                .any(|line| line.starts_with(&module) && line.ends_with("FAILED"));
            assert!(
                failed,
                "{what}: nobody notices `{}` in {}/{}: {tested}",
                mutation.to, mutation.desk, mutation.file
            );
        }
        for (path, text) in originals {
            plugin.write(&path, &text);
        }
    }
}

/// Breaks one file; gives it as it was.
fn mutate(plugin: &Project<'_>, department: &str, mutation: &Mutation) -> (String, String) {
    let path = format!(
        "divisions/order/src/{department}/{}/{}",
        mutation.desk, mutation.file
    );
    let original = plugin.read(&path);
    plugin.edit(&path, mutation.from, mutation.to);
    (path, original)
}
