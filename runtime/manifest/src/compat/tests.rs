use super::*;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

#[test]
fn min_sdk_against_the_sdk_there_is() {
    let satisfied = || MinSdk::Satisfied;
    let too_new = |min: &str, have: &str| MinSdk::TooNew {
        min: version(min),
        have: version(have),
    };
    let malformed = |text: &str, suggestion: Option<&str>| MinSdk::Malformed {
        text: text.to_owned(),
        suggestion: suggestion.map(version),
    };
    let table = [
        ("0.1.0", "0.2.0", satisfied()),
        ("0.2.0", "0.2.0", satisfied()),
        ("0.3.0", "0.2.0", too_new("0.3.0", "0.2.0")),
        ("0.10.0", "0.9.0", too_new("0.10.0", "0.9.0")),
        ("1.0.0-rc.1", "1.0.0", satisfied()),
        ("1.0.0", "1.0.0-rc.1", too_new("1.0.0", "1.0.0-rc.1")),
        ("1.0.0-rc.2", "1.0.0-rc.10", satisfied()),
        ("0.2.0+build.9", "0.2.0", satisfied()),
        ("0.1", "0.2.0", malformed("0.1", Some("0.1.0"))),
        ("latest", "0.2.0", malformed("latest", None)),
        ("", "0.2.0", malformed("", None)),
    ];
    for (min, have, expected) in table {
        assert_eq!(check_min_sdk(Some(min), &version(have)), expected, "{min}");
    }
    assert_eq!(check_min_sdk(None, &version("0.2.0")), MinSdk::Missing);
}

#[test]
fn suggestions_for_what_people_write() {
    let table = [
        ("1", Some("1.0.0")),
        ("v0.1.2", Some("0.1.2")),
        ("~> 0.5", Some("0.5.0")),
        (">= 1.2.3", Some("1.2.3")),
        (" 0.1.0 ", Some("0.1.0")),
        ("01.2.3", Some("1.2.3")),
        ("1.0-rc.1", Some("1.0.0-rc.1")),
        ("1.2.3.4", None),
        ("1.x", None),
        ("-1.0.0", None),
        ("", None),
    ];
    for (text, expected) in table {
        let suggested = suggest_version(text).map(|version| version.to_string());
        assert_eq!(suggested.as_deref(), expected, "{text}");
    }
}

#[test]
fn the_version_of_the_sdk_is_one() {
    assert_eq!(sdk_version().to_string(), SDK_VERSION);
}

#[test]
fn a_refusal_names_both_numbers() {
    let verdict = check_min_sdk(Some("0.3.0"), &version("0.2.0"));
    assert_eq!(
        verdict.to_string(),
        "the plugin needs SDK `0.3.0` or newer, and this is `0.2.0`"
    );
}
