//! The reader against serde_json: they take the same values for the same things.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::super::body;
use super::super::reader::Reader;

/// A bit of everything that a type can ask for.
#[derive(Debug, Deserialize, Serialize)]
struct Everything {
    a: Option<String>,
    b: Option<i64>,
    c: Option<u8>,
    d: Option<f64>,
    e: Option<bool>,
    #[serde(default)]
    f: Vec<Option<i8>>,
    g: Option<(u8, String)>,
    h: Option<Word>,
    i: Option<Choice>,
    #[serde(default)]
    j: HashMap<u16, i64>,
    k: Option<Strict>,
    l: Option<Tagged>,
    m: Option<Loose>,
    n: Option<Decimal>,
    o: Option<Uuid>,
    p: Option<Timestamp>,
    q: Option<()>,
    r: Option<Value>,
    s: Option<Wrapped>,
    t: Option<char>,
    u: Option<Box<RawValue>>,
    #[serde(default)]
    v: BTreeMap<Word, u128>,
    w: Option<i128>,
    x: Option<Flat>,
}

#[derive(Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
enum Word {
    A,
    B,
}

#[derive(Debug, Deserialize, Serialize)]
enum Choice {
    #[serde(rename = "a")]
    Unit,
    #[serde(rename = "b")]
    One(i64),
    #[serde(rename = "c")]
    Two(i64, String),
    #[serde(rename = "d")]
    Named { a: i64 },
    #[serde(rename = "e")]
    Empty(),
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    a: i64,
    #[serde(alias = "c")]
    b: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "a")]
enum Tagged {
    #[serde(rename = "a")]
    One { b: i64 },
    #[serde(rename = "b")]
    Other,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged)]
enum Loose {
    Number(i64),
    Thing { a: String },
}

#[derive(Debug, Deserialize, Serialize)]
struct Wrapped(i64);

#[derive(Debug, Deserialize, Serialize)]
struct Flat {
    a: i64,
    #[serde(flatten)]
    rest: Strictless,
}

#[derive(Debug, Deserialize, Serialize)]
struct Strictless {
    b: Option<String>,
    c: Vec<i64>,
}

fn value() -> impl Strategy<Value = Value> {
    let words = [
        "",
        "a",
        "b",
        "c",
        "1",
        "0.5",
        "-1",
        "+1",
        "true",
        "x y",
        "00000000-0000-7000-8000-000000000001",
        "2026-11-22T10:00:00Z",
        "2026-11-22",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2_i64..3).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-2.0..2.0).prop_map(Value::from),
        proptest::sample::select(words.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            fields(inner).prop_map(Value::Object),
        ]
    })
}

fn fields(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let key = prop_oneof!["[a-x]", "[a-d]", "[0-9+-]{1,2}"];
    proptest::collection::vec((key, value), 0..5).prop_map(|fields| fields.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 3000 }))]

    #[test]
    fn the_reader_takes_what_serde_json_takes(fields in fields(value())) {
        let text = Value::Object(fields).to_string();
        let whole: Value = serde_json::from_str(&text).unwrap();
        let serde = serde_json::from_str::<Everything>(&text);
        let ours = Everything::deserialize(Reader::new(&whole));
        match (&serde, &ours) {
            (Ok(serde), Ok(ours)) => {
                prop_assert_eq!(serde_json::to_value(serde).unwrap(), serde_json::to_value(ours).unwrap());
            }
            (Err(_), Err(_)) => {}
            _ => prop_assert!(false, "serde: {serde:?}\nours: {ours:?}"),
        }
    }

    #[test]
    fn what_is_told_ends_names_something_and_is_true(fields in fields(value())) {
        let whole = Value::Object(fields);
        let text = whole.to_string();
        if serde_json::from_str::<Everything>(&text).is_err() {
            let told = body::<Everything>(text.as_bytes()).unwrap();
            prop_assert!(!told.fields.is_empty());
            // Each top-level field that is told is wrong alone too.
            for field in told.fields.keys() {
                let name = field.split(['.', '[']).next().unwrap();
                if let Some(value) = whole.get(name) {
                    let alone = Value::Object(Map::from_iter([(name.to_owned(), value.clone())]));
                    prop_assert!(serde_json::from_value::<Everything>(alone).is_err(), "{field}: {told:?}");
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        _ = body::<Everything>(&bytes);
    }
}
