use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Query;
use axum::routing::{get, post};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Rules, Valid, Validate, one_of};
use crate::api::{Answer, Command, Json};
use crate::plugin::{InitError, Plugin, PluginContext};
use crate::testing::{Reply, TestPlugin, run};

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Size {
    Small,
    ExtraLarge,
}

#[derive(Debug, Deserialize, garde::Validate)]
struct Order {
    #[garde(length(min = 1, max = 20))]
    customer: String,
    #[garde(skip)]
    size: Size,
    #[garde(custom(one_of(&["red", "green"])))]
    colour: String,
    #[garde(range(min = 0.5, max = 10.0))]
    weight: f64,
    #[garde(inner(length(min = 2)))]
    nick: Option<String>,
    #[garde(dive)]
    lines: Vec<Line>,
    #[garde(inner(inner(range(min = 1, max = 9))))]
    grid: Vec<Vec<i64>>,
    #[garde(range(min = Decimal::ZERO))]
    total: Decimal,
}

#[derive(Debug, Deserialize, garde::Validate)]
#[serde(deny_unknown_fields)]
struct Line {
    #[garde(range(min = 1))]
    count: i64,
    #[garde(inner(length(max = 3)))]
    tags: Vec<String>,
}

#[derive(Debug, Deserialize, garde::Validate)]
#[garde(custom(in_order))]
struct Span {
    #[garde(range(min = 1))]
    from: i64,
    #[garde(skip)]
    to: i64,
}

fn in_order(span: &Span, (): &()) -> garde::Result {
    if span.from <= span.to {
        Ok(())
    } else {
        Err(garde::Error::new("`from` must not be behind `to`"))
    }
}

struct Orders;

impl Plugin for Orders {
    fn manifest() -> &'static str {
        r#"{"name": "orders", "version": "0.1.0", "plugin_type": "in_vm"}"#
    }

    async fn init(_: PluginContext) -> Result<Self, InitError> {
        Ok(Self)
    }

    fn routes(&self) -> Router {
        let order = async |Valid(Json(order)): Valid<Json<Order>>| {
            Answer::of(
                json!({"size": format!("{:?}", order.size), "nick": order.nick, "weight": order.weight}),
            )
        };
        let span = async |Valid(Query(span)): Valid<Query<Span>>| {
            Answer::of(json!({"length": span.to - span.from}))
        };
        let command = async |command: Command<Line>| {
            Answer::of(json!({"count": command.body.count, "tags": command.body.tags}))
        };
        Router::new()
            .route("/orders", post(order))
            .route("/span", get(span))
            .route("/lines", post(command))
    }
}

fn order() -> Value {
    json!({
        "customer": "Ada", "size": "extra_large", "colour": "red", "weight": 2.5, "lines": [], "grid": [], "total": "1.50"
    })
}

async fn ask(plugin: &TestPlugin, changes: Value) -> Reply {
    let mut body = order();
    for (field, value) in changes.as_object().unwrap() {
        body[field] = value.clone();
    }
    plugin.post("/orders", body).await
}

#[track_caller]
fn refused(reply: &Reply, fields: Value) {
    assert_eq!(reply.status, 422, "{reply:?}");
    assert_eq!(reply.json["code"], "invalid");
    assert_eq!(reply.json["fields"], fields);
}

#[test]
fn one_of_holds_for_the_strings_of_json() {
    run(async {
        let plugin = TestPlugin::start::<Orders>().await;
        let fine = ask(&plugin, json!({"colour": "green", "size": "small"})).await;
        assert_eq!(
            (fine.status.as_u16(), &fine.json["size"]),
            (200, &json!("Small"))
        );
        let reply = ask(&plugin, json!({"colour": "blue"})).await;
        refused(&reply, json!({"colour": "must be one of red, green"}));
        let reply = ask(&plugin, json!({"size": "huge"})).await;
        refused(&reply, json!({"size": "must be one of small, extra_large"}));
    });
}

#[test]
fn lists_in_lists_are_looked_at_and_named_by_index() {
    run(async {
        let plugin = TestPlugin::start::<Orders>().await;
        let lines = json!([{"count": 1, "tags": ["a"]}, {"count": 2, "tags": []}]);
        let fine = ask(&plugin, json!({"lines": lines, "grid": [[1, 9], [], [5]]})).await;
        assert_eq!(fine.status, 200, "{fine:?}");
        let lines = json!([{"count": 1, "tags": ["a"]}, {"count": 0, "tags": ["abc", "abcd"]}]);
        let reply = ask(&plugin, json!({"lines": lines, "grid": [[1], [2, 10]]})).await;
        refused(
            &reply,
            json!({
                "grid[1][1]": "greater than 9",
                "lines[1].count": "lower than 1",
                "lines[1].tags[1]": "length is greater than 3",
            }),
        );
        let reply = ask(&plugin, json!({"lines": [{"count": "1", "tags": []}]})).await;
        refused(&reply, json!({"lines[0].count": "must be a whole number"}));
    });
}

#[test]
fn a_whole_number_is_a_number() {
    run(async {
        let plugin = TestPlugin::start::<Orders>().await;
        let fine = ask(&plugin, json!({"weight": 3, "total": 2})).await;
        assert_eq!(
            (fine.status.as_u16(), &fine.json["weight"]),
            (200, &json!(3.0))
        );
        let reply = ask(&plugin, json!({"weight": 11, "total": "-0.01"})).await;
        refused(
            &reply,
            json!({"weight": "greater than 10", "total": "lower than 0"}),
        );
    });
}

#[test]
fn null_is_absent_where_a_field_may_be_absent() {
    run(async {
        let plugin = TestPlugin::start::<Orders>().await;
        for changes in [json!({}), json!({"nick": null})] {
            let fine = ask(&plugin, changes).await;
            assert_eq!(
                (fine.status.as_u16(), &fine.json["nick"]),
                (200, &Value::Null)
            );
        }
        refused(
            &ask(&plugin, json!({"nick": "A"})).await,
            json!({"nick": "length is lower than 2"}),
        );
        let reply = ask(&plugin, json!({"customer": null})).await;
        refused(&reply, json!({"customer": "must be text"}));
    });
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    run(async {
        let plugin = TestPlugin::start::<Orders>().await;
        let reply = ask(
            &plugin,
            json!({"customer": "", "weight": 0.1, "colour": ""}),
        )
        .await;
        assert_eq!(
            reply.json["error"],
            "`colour` must be one of red, green, `customer` length is lower than 1, `weight` lower than 0.5"
        );
        let broken = plugin.post("/orders", json!([1])).await;
        assert_eq!(
            (broken.status.as_u16(), &broken.json["code"]),
            (422, &json!("invalid"))
        );
    });
}

#[test]
fn query_strings_are_checked_too() {
    run(async {
        let plugin = TestPlugin::start::<Orders>().await;
        assert_eq!(plugin.get("/span?from=2&to=5").await.json["length"], 3);
        refused(
            &plugin.get("/span?from=2").await,
            json!({"to": "is missing"}),
        );
        refused(
            &plugin.get("/span?from=x&to=5").await,
            json!({"from": "is not right: invalid digit found in string"}),
        );
        refused(
            &plugin.get("/span?from=1&from=2&to=5").await,
            json!({"from": "is given twice"}),
        );
        // What is wrong with the whole has no field.
        refused(
            &plugin.get("/span?from=0&to=-1").await,
            json!({"query": "`from` must not be behind `to`", "from": "lower than 1"}),
        );
    });
}

#[test]
fn commands_take_derived_rules() {
    run(async {
        let plugin = TestPlugin::start::<Orders>().await;
        let fine = plugin.post("/lines", json!({"count": 1, "tags": []})).await;
        assert_eq!(fine.status, 200, "{fine:?}");
        refused(
            &plugin.post("/lines", json!({"count": 0, "tags": []})).await,
            json!({"count": "lower than 1"}),
        );
        refused(
            &plugin
                .post("/lines", json!({"count": 1, "tags": [], "more": 1}))
                .await,
            json!({"more": "is no field here; there are: count, tags"}),
        );
    });
}

#[test]
fn written_and_derived_rules_end_in_the_same_form() {
    let line = Line {
        count: 0,
        tags: vec!["long".to_owned()],
    };
    let derived = Validate::validate(&line).unwrap_err();
    let written = Rules::new()
        .rule("count", false, "lower than 1")
        .rule("tags[0]", false, "length is greater than 3")
        .rule("count", false, "the first message stays")
        .done();
    assert_eq!(Err(derived.clone()), written);
    let fields = BTreeMap::from([
        ("count".to_owned(), "lower than 1".to_owned()),
        ("tags[0]".to_owned(), "length is greater than 3".to_owned()),
    ]);
    assert_eq!(derived.fields, fields);
}
