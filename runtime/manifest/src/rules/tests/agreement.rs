//! The rules and the reader agree on what a manifest is that can be read.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::{Manifest, ManifestError};

fn small_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i8>().prop_map(Value::from),
        "[a-zA-Z0-9.-]{0,6}".prop_map(Value::from),
        Just(Value::from("0.1.0")),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let keys = prop_oneof!["type", "can_create", "min_daemon_version", "theme"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(keys, inner, 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn a_manifest_is_refused_exactly_if_a_rule_says_so(
        mut manifest in {
            let names = fields::FIELDS.iter().map(|field| field.name).collect::<Vec<_>>();
            prop::collection::btree_map(prop::sample::select(names), small_json(), 0..6)
        },
        is_named in prop::bool::weighted(0.8),
    ) {
        if is_named {
            manifest.insert("name", json!("my-plugin"));
            manifest.insert("version", json!("0.1.0"));
        }
        let text = json!(manifest).to_string();
        let refuses = ["HKM001", "HKM002", "HKM003", "HKM004", "HKM005"];
        let refused = alone(&text)
            .iter()
            .any(|finding| refuses.contains(&finding.rule.code));
        prop_assert_eq!(Manifest::parse(&text).is_err(), refused, "{}", text);
    }

    #[test]
    fn no_text_makes_the_rules_panic(text in r#"[{}\[\]",:a\\u0é\n/*-]{0,40}"#) {
        let refused = alone(&text).iter().any(|finding| finding.severity == Severity::Error);
        let parsed = Manifest::parse(&text);
        prop_assert!(refused || parsed.is_ok());
        let is_json = !matches!(parsed, Err(ManifestError::Json(_) | ManifestError::NotAnObject { .. }));
        let says_json = alone(&text).iter().all(|finding| finding.rule.code != "HKM001");
        prop_assert_eq!(is_json, says_json);
    }
}
