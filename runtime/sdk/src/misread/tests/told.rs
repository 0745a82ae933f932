use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU8;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::body;

/// What is told about a body that is no `T`, by field.
#[track_caller]
fn told<T: DeserializeOwned>(sent: &Value) -> BTreeMap<String, String> {
    let text = sent.to_string();
    assert!(
        serde_json::from_str::<T>(&text).is_err(),
        "nothing is wrong with {text}"
    );
    body::<T>(text.as_bytes()).unwrap().fields
}

fn fields<const N: usize>(fields: [(&str, &str); N]) -> BTreeMap<String, String> {
    fields
        .map(|(field, message)| (field.to_owned(), message.to_owned()))
        .into()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read")]
struct Order {
    customer: String,
    quantity: i64,
    weight: f64,
    gift: bool,
    price: Decimal,
    voucher: Uuid,
    due: Date,
    placed: Timestamp,
    size: Size,
    note: Option<String>,
    #[serde(default)]
    lines: Vec<Line>,
    #[serde(default)]
    place: Option<(f64, f64)>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Size {
    Small,
    ExtraLarge,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read")]
struct Line {
    item: String,
    count: u8,
    price: Decimal,
}

fn order() -> Value {
    json!({
        "customer": "Ada", "quantity": 1, "weight": 1.5, "gift": true, "price": "1.50",
        "voucher": "00000000-0000-7000-8000-000000000001", "due": "2026-11-22", "placed": "2026-11-22T10:00:00Z",
        "size": "small",
    })
}

#[test]
fn every_field_that_is_missing_is_told() {
    let message = "is missing";
    assert_eq!(
        told::<Order>(&json!({})),
        fields([
            ("customer", message),
            ("quantity", message),
            ("weight", message),
            ("gift", message),
            ("price", message),
            ("voucher", message),
            ("due", message),
            ("placed", message),
            ("size", message),
        ])
    );
}

#[test]
fn every_field_of_a_wrong_type_is_told_in_words_for_people() {
    let order = json!({
        "customer": 1, "quantity": "1", "weight": "heavy", "gift": "yes", "price": "1,50", "voucher": "none",
        "due": "2026-13-01", "placed": "yesterday", "size": "huge", "note": 7, "lines": 3, "place": [1.0],
    });
    assert_eq!(
        told::<Order>(&order),
        fields([
            ("customer", "must be text"),
            ("quantity", "must be a whole number"),
            ("weight", "must be a number"),
            ("gift", "must be true or false"),
            ("price", "must be a decimal number"),
            ("voucher", "must be a UUID"),
            ("due", "must be a date like 2026-11-22"),
            ("placed", "must be a time like 2026-11-22T10:00:00Z"),
            ("size", "must be one of small, extra_large"),
            ("note", "must be text"),
            ("lines", "must be a list"),
            ("place", "must be a list of 2"),
        ])
    );
    let nothing = json!({"customer": null, "quantity": 1.5, "size": null, "price": null});
    let told = told::<Order>(&nothing);
    assert_eq!(told["customer"], "must be text");
    assert_eq!(told["quantity"], "must be a whole number");
    assert_eq!(told["size"], "must be one of small, extra_large");
    assert_eq!(told["price"], "must be a decimal number");
}

#[test]
fn what_is_deep_inside_is_told_with_its_path() {
    let mut order = order();
    order["lines"] = json!([
        {"item": "lamp", "count": 1, "price": "2"},
        {"item": "lamp", "count": 256, "price": "2", "colour": "red"},
        {"count": -1, "price": "much"},
        7,
    ]);
    order["more"] = json!({});
    assert_eq!(
        told::<Order>(&order),
        fields([
            ("lines[1].count", "must be a whole number from 0 to 255"),
            (
                "lines[1].colour",
                "is no field here; there are: item, count, price"
            ),
            ("lines[2].item", "is missing"),
            ("lines[2].count", "must be a whole number from 0 to 255"),
            ("lines[2].price", "must be a decimal number"),
            ("lines[3]", "must be an object"),
            (
                "more",
                "is no field here; there are: customer, quantity, weight, gift, price, voucher, due, placed, size, \
                 note, lines, place"
            ),
        ])
    );
}

#[test]
fn what_was_filled_in_here_is_not_told() {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Parcel {
        to: Address,
        from: Address,
        how: How,
    }
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Address {
        street: Street,
        city: String,
    }
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Street {
        name: String,
        number: NonZeroU8,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    #[expect(dead_code, reason = "only read")]
    enum How {
        Drone { height: i64 },
        Post(Street),
    }
    assert_eq!(
        told::<Parcel>(&json!({"from": {"street": {"number": 0}}, "how": {"drone": {}}})),
        fields([
            ("to", "is missing"),
            ("from.street.name", "is missing"),
            ("from.street.number", "must be a whole number other than 0"),
            ("from.city", "is missing"),
            ("how.drone.height", "is missing"),
        ])
    );
}

#[test]
fn a_body_that_is_no_object_is_told_as_a_whole() {
    for sent in [json!([1]), json!("Ada"), json!(null), json!(7)] {
        assert_eq!(
            told::<Order>(&sent),
            fields([("body", "must be a JSON object")])
        );
    }
    assert_eq!(
        told::<Vec<u8>>(&json!({})),
        fields([("body", "must be a list")])
    );
    assert_eq!(
        told::<Vec<i16>>(&json!([1, "2", 99_999])),
        fields([
            ("[1]", "must be a whole number"),
            ("[2]", "must be a whole number from -32768 to 32767")
        ])
    );
}

#[test]
fn a_field_that_is_given_twice_is_told() {
    let text = r#"{"item": "lamp", "item": "bed", "count": "one", "price": 1}"#;
    let told = body::<Line>(text.as_bytes()).unwrap();
    assert_eq!(
        told.fields,
        fields([
            ("item", "is given twice"),
            ("count", "must be a whole number")
        ])
    );
}

#[test]
fn what_a_type_says_itself_is_passed_on_and_cut() {
    #[derive(Debug, Deserialize)]
    #[serde(try_from = "String")]
    struct Word;
    impl TryFrom<String> for Word {
        type Error = String;
        fn try_from(text: String) -> Result<Self, String> {
            if text.contains(' ') {
                Err(format!("`{text}` is not one word"))
            } else {
                Ok(Self)
            }
        }
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Poem {
        title: Word,
        author: String,
    }
    assert_eq!(
        told::<Poem>(&json!({"title": "two words"})),
        fields([
            ("title", "is not right: `two words` is not one word"),
            ("author", "is missing")
        ])
    );
    let long = told::<Poem>(&json!({"title": "é ".repeat(1000)}));
    assert!(
        long["title"].len() < 250 && long["title"].ends_with('…'),
        "{long:?}"
    );
}

#[test]
fn what_serde_says_without_a_place_is_told_all_the_same() {
    #[derive(Debug, Deserialize)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "only read")]
    enum Id {
        Number(u32),
        Text(String),
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Thing {
        id: Id,
        #[serde(flatten)]
        more: More,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct More {
        size: i64,
        by_day: HashMap<u8, i64>,
    }
    let sent = json!({"id": [], "size": 1, "by_day": {"monday": 1}});
    assert_eq!(
        told::<Thing>(&sent)["id"],
        "is not right: data did not match any variant of untagged enum Id"
    );
    let sent = json!({"id": 1, "size": "1", "by_day": {}});
    assert_eq!(
        told::<Thing>(&sent),
        fields([("body", "must be a whole number")])
    );
    assert_eq!(
        told::<More>(&json!({"size": 1, "by_day": {"1": 2, "monday": 1, "2": "x"}})).len(),
        1
    );
}

#[test]
fn ten_thousand_wrong_things_take_no_longer_than_a_few_readings() {
    let lines: Vec<Value> = (0..10_000).map(|number| json!({"item": number})).collect();
    let found = told::<Vec<Line>>(&lines.into());
    assert!((2..=256).contains(&found.len()), "{}", found.len());
    assert_eq!(found["[0].item"], "must be text");

    // Whatever is filled in asks for more of the same.
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Endless {
        next: Box<Self>,
    }
    assert_eq!(
        told::<Endless>(&json!({})),
        fields([("next", "is missing")])
    );
}

#[test]
fn what_is_no_json_further_on_is_no_json() {
    assert!(body::<Line>(br#"{"item": 1, oops"#).is_err());
    assert!(body::<Line>(b"\xff").is_err());
}
