//! Names, their cases and revisions, and what is no name.

use std::collections::BTreeMap;

use super::super::*;
use super::{desk, name};

#[test]
fn a_name_has_every_case() {
    for (snake, kebab, type_name, title) in [
        ("order", "order", "Order", "Order"),
        ("kanban_card", "kanban-card", "KanbanCard", "Kanban card"),
        ("api_key", "api-key", "ApiKey", "Api key"),
        ("x1_y2", "x1-y2", "X1Y2", "X1 y2"),
        ("v1_2", "v1-2", "V1_2", "V1 2"),
        ("line_2", "line-2", "Line2", "Line 2"),
    ] {
        let name = Name::parse(snake).unwrap();
        assert_eq!(name.snake(), snake);
        assert_eq!(name.kebab(), kebab);
        assert_eq!(name.type_name(), type_name);
        assert_eq!(name.title(), title);
        assert_eq!(Name::parse_kebab(kebab), Ok(name.clone()));
        assert_eq!(name.words().collect::<Vec<_>>().join("_"), snake);
    }
}

#[test]
fn what_is_no_name_is_told_with_what_was_meant() {
    let length = "a".repeat(65);
    for (text, fault, suggestion) in [
        ("", "it is empty", None),
        (
            "Kanban Card",
            "`K` may not stand in it, only `a` to `z`, `0` to `9` and `_`",
            Some("kanban_card"),
        ),
        (
            "kanban-card",
            "`-` may not stand in it, only `a` to `z`, `0` to `9` and `_`",
            Some("kanban_card"),
        ),
        (
            "KanbanCard",
            "`K` may not stand in it, only `a` to `z`, `0` to `9` and `_`",
            Some("kanban_card"),
        ),
        (
            "APIKey",
            "`A` may not stand in it, only `a` to `z`, `0` to `9` and `_`",
            Some("api_key"),
        ),
        (
            "2fast",
            "it starts with `2`, not with a letter from `a` to `z`",
            Some("two_fast"),
        ),
        (
            "404_page",
            "it starts with `4`, not with a letter from `a` to `z`",
            Some("page_404"),
        ),
        (
            "2024",
            "it starts with `2`, not with a letter from `a` to `z`",
            None,
        ),
        (
            "_order",
            "a `_` stands only between two words, and alone",
            Some("order"),
        ),
        (
            "order_",
            "a `_` stands only between two words, and alone",
            Some("order"),
        ),
        (
            "order__line",
            "a `_` stands only between two words, and alone",
            Some("order_line"),
        ),
        (
            "größe",
            "`ö` may not stand in it, only `a` to `z`, `0` to `9` and `_`",
            None,
        ),
        (
            "../etc",
            "`.` may not stand in it, only `a` to `z`, `0` to `9` and `_`",
            Some("etc"),
        ),
        (&length, "it has 65 characters, and 64 is the most", None),
    ] {
        let error = Name::parse(text).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("`{text}` is not a name: {fault}")
        );
        assert_eq!(error.suggestion, suggestion.map(name), "{text}");
    }
    assert_eq!(
        Name::parse_kebab("my_plugin")
            .unwrap_err()
            .suggestion
            .unwrap()
            .kebab(),
        "my-plugin"
    );
    assert!(Name::parse_composite(&"a".repeat(192)).is_ok());
    assert!(Name::parse_composite(&"a".repeat(193)).is_err());
}

/// Every text of up to five of these characters, which stand for all there are.
#[test]
fn a_text_is_a_name_if_its_shape_says_so_and_else_the_suggestion_is_one() {
    let mut texts = vec![String::new()];
    for length in 0..5 {
        let longer: Vec<String> = texts
            .iter()
            .filter(|text| text.len() == length)
            .flat_map(|text| ["a", "z", "7", "_", "B", "-"].map(|c| format!("{text}{c}")))
            .collect();
        texts.extend(longer);
    }
    for text in texts {
        let well_formed = text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.split('_').all(|word| {
                !word.is_empty()
                    && word
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
            });
        match Name::parse(&text) {
            Ok(name) => {
                assert!(well_formed, "{text}");
                assert_eq!(name.to_string(), text);
                let type_name = name.type_name();
                assert!(
                    type_name.starts_with(|c: char| c.is_ascii_uppercase()),
                    "{type_name}"
                );
            }
            Err(error) => {
                assert!(!well_formed, "{text}");
                let suggestion = error.suggestion.map(|name| name.to_string());
                assert!(
                    suggestion.is_none_or(|text| Name::parse(&text).is_ok()),
                    "{text}"
                );
            }
        }
    }
}

#[test]
fn types_differ_where_names_do_but_before_digits() {
    let words = ["a", "ab", "b1", "2", "3c"];
    let mut seen = BTreeMap::new();
    for first in ["a", "ab", "b1"] {
        for second in words {
            for third in words {
                let name = name(&format!("{first}_{second}_{third}"));
                if let Some(other) = seen.insert(name.type_name(), name.clone()) {
                    assert_eq!(
                        near([&other], &name).map(|near| near.closeness),
                        Some(Closeness::SameType),
                    );
                }
            }
        }
    }
    assert!(seen.contains_key("B1_2_3c"));
    assert!(seen.contains_key("AAbB1"));
}

#[test]
fn revisions_are_read_and_written() {
    assert_eq!(
        Versioned::split("order_confirmed"),
        Ok((name("order_confirmed"), None))
    );
    assert_eq!(
        Versioned::split("order_confirmed_v12"),
        Ok((name("order_confirmed"), Some(12)))
    );
    assert_eq!(Versioned::split("v1"), Ok((name("v1"), None)));
    assert_eq!(Versioned::split("order_v"), Ok((name("order_v"), None)));

    let event = Versioned::parse("order_confirmed").unwrap();
    assert_eq!(event.to_string(), "order_confirmed_v1");
    assert_eq!(event.type_name(), "OrderConfirmedV1");
    let next = event.next().unwrap();
    assert_eq!((next.name(), next.revision()), (event.name(), 2));
    assert_eq!(
        Versioned::parse("order_confirmed_v9999").unwrap().next(),
        None
    );
    assert_eq!(
        desk("initiate", "order").command().type_name(),
        "InitiateOrderV1"
    );

    for (text, suggestion) in [
        ("order_confirmed_v0", Some("order_confirmed_v1")),
        ("order_confirmed_v01", Some("order_confirmed_v1")),
        ("order_confirmed_v10000", None),
        ("order_confirmed_v99999999999", None),
    ] {
        let Err(VersionedError::Revision {
            input,
            suggestion: got,
        }) = Versioned::parse(text)
        else {
            panic!("{text} is no revision");
        };
        assert_eq!(
            (input.as_str(), got.map(|got| got.to_string()).as_deref()),
            (text, suggestion)
        );
    }
}
