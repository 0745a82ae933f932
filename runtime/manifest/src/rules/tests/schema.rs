//! The schema knows the fields that the rules know.

use serde_json::Value;

use super::fields::{FIELDS, Field, Shape};
use super::*;

#[test]
fn the_schema_has_the_fields_and_their_types() {
    let schema: Value = serde_json::from_str(MANIFEST_SCHEMA).unwrap();
    assert_same(&schema, &FIELDS);

    let words = |list: &[&str]| json!(list);
    let properties = &schema["properties"];
    let capabilities = properties["native_capabilities"]["properties"].as_object();
    let known = hkm017_native_capability::KNOWN;
    assert_eq!(sorted(capabilities.unwrap().keys()), sorted(known));
    let levels = &properties["trust_level"]["examples"];
    assert_eq!(*levels, words(&hkm018_trust_level::KNOWN));
    let examples = properties["permissions"]["items"]["examples"]
        .as_array()
        .unwrap();
    assert_eq!(examples.len(), crate::PERMISSION_FORMS.len());
    for example in examples {
        assert!(crate::Permission::parse(example.as_str().unwrap()).is_known());
    }
}

fn sorted<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> Vec<String> {
    let mut words: Vec<_> = words
        .into_iter()
        .map(|word| word.as_ref().to_owned())
        .collect();
    words.sort_unstable();
    words
}

fn assert_same(schema: &Value, fields: &[Field]) {
    let properties = schema["properties"].as_object().unwrap();
    let names = fields.iter().map(|field| field.name);
    assert_eq!(sorted(properties.keys()), sorted(names));

    let required: Vec<_> = fields.iter().filter(|field| field.required).collect();
    let required: Vec<_> = required.iter().map(|field| field.name).collect();
    let listed = schema.get("required").cloned().unwrap_or(json!([]));
    assert_eq!(listed, json!(required));

    for field in fields {
        let property = &properties[field.name];
        let name = field.name;
        let is_version = property["$ref"] == "#/$defs/version";
        match field.shape {
            Shape::Any => assert_eq!(property["type"], Value::Null, "{name}"),
            Shape::Text => assert!(is_version || property["type"] == "string", "{name}"),
            Shape::Flag => assert_eq!(property["type"], "boolean", "{name}"),
            Shape::Texts => {
                assert_eq!(property["type"], "array", "{name}");
                assert_eq!(property["items"]["type"], "string", "{name}");
            }
            Shape::Object(fields) => {
                assert_eq!(property["type"], "object", "{name}");
                if !fields.is_empty() {
                    assert_same(property, fields);
                }
            }
            Shape::Objects(fields) => {
                assert_eq!(property["type"], "array", "{name}");
                assert_same(&property["items"], fields);
            }
        }
    }
}
