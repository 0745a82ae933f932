//! Each rule: what breaks it, where, and what does not.

use super::*;
use crate::Manifest;

#[test]
fn hkm001_not_a_json_object() {
    let table = [
        ("", "HKM001 error 1:1", "the file is empty"),
        (" \n", "HKM001 error 1:1", "the file is empty"),
        ("[]", "HKM001 error 1:1", "the manifest must be an object"),
        (
            "{\n  // name\n  \"name\": \"a\"\n}",
            "HKM001 error 2:3",
            "comments are not allowed",
        ),
        (
            "{\n  \"name\": \"é\",\n}",
            "HKM001 error 2:14",
            "trailing commas are not allowed",
        ),
        (
            "{\n  \"name\": \"a\"\n  \"tag\": \"b\"\n}",
            "HKM001 error 2:14",
            "expected comma",
        ),
        (
            "{\n  'name': \"a\"\n}",
            "HKM001 error 2:3",
            "single-quoted strings are not allowed",
        ),
        (
            "{\n  \"name\": \"a\"",
            "HKM001 error 1:1",
            "unterminated object",
        ),
        (
            "{\n  \"é\": \"a\tb\"\n}",
            "HKM001 error 2:10",
            "control character (\\u0000-\\u001F) found while parsing a string",
        ),
        (
            "{\n\n  \"n\": 1e999\n}",
            "HKM001 error 3:12",
            "number out of range",
        ),
        (
            "\u{feff}{}",
            "HKM001 error 1:1",
            "the file begins with a byte order mark, which JSON does not have",
        ),
    ];
    for (text, place, message) in table {
        let findings = in_project(text);
        assert_eq!(places(&findings), [place], "{text:?}");
        assert_eq!(findings[0].message, message, "{text:?}");
    }
}

#[test]
fn hkm001_alone_when_nothing_can_be_read() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(alone(&deep).len(), 1);
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(500), "]".repeat(500));
    assert_eq!(alone(&deep)[0].rule.code, "HKM001");
    assert!(Manifest::parse(&deep).is_err());
}

#[test]
fn hkm002_required_field_is_missing() {
    let missing = |field| places(&in_project(&without(field)));
    assert_eq!(missing("name"), ["HKM002 error 1:1"]);
    assert_eq!(missing("version"), ["HKM002 error 1:1"]);
    for field in ["description", "license", "repository"] {
        assert_eq!(missing(field), ["HKM002 warning 1:1"]);
        assert_eq!(places(&alone(&without(field))), [""; 0]);
    }
    breaks(
        "HKM002 error 2:18",
        "file_types",
        &[r#"[{"label": "Text"}]"#],
    );
    holds("file_types", &[r#"[{"type": "text"}]"#]);
}

#[test]
fn hkm003_name() {
    breaks(
        "HKM003 error 2:11",
        "name",
        &[r#""My Plugin""#, r#""a--b""#, r#""""#, r#""../x""#],
    );
    holds("name", &[r#""irc""#, r#""hecate-app-martha""#]);

    let findings = in_project(&with("name", r#""My Plugin""#));
    assert_eq!(
        findings[0].message,
        "`My Plugin` is not a plugin name: it starts with `M`, and must start with a lowercase letter"
    );
    assert_eq!(
        help(&findings),
        "write `my-plugin`; `display_name` may hold any text"
    );
}

#[test]
fn hkm004_version() {
    let values = [r#""1.0""#, r#""v0.1.0""#, r#""latest""#, r#""""#];
    breaks("HKM004 error 3:14", "version", &values);
    holds("version", &[r#""0.1.0""#]);
    assert_eq!(
        help(&in_project(&with("version", r#""1.0""#))),
        "write `1.0.0`"
    );
}

#[test]
fn hkm005_type_of_every_field() {
    let texts = [
        ("name", 11),
        ("version", 14),
        ("min_sdk_version", 22),
        ("plugin_type", 18),
        ("description", 18),
        ("license", 14),
        ("repository", 17),
        ("icon", 11),
        ("tag", 10),
        ("trust_level", 18),
        ("min_daemon_version", 25),
    ];
    for (field, column) in texts {
        let place = format!("HKM005 error {}:{column}", line_of(field));
        breaks(&place, field, &["7", "null", "true", "[]", "{}"]);
    }
    breaks("HKM005 error 2:19", "display_name", &["7"]);
    breaks("HKM005 error 2:13", "author", &[r#"{"name": "Ada"}"#]);
    breaks(
        "HKM005 error 12:18",
        "permissions",
        &["7", "{}", r#""net:dns""#],
    );
    breaks("HKM005 error 12:30", "permissions", &[r#"["net:dns", 7]"#]);
    breaks("HKM005 error 13:26", "native_capabilities", &["[]", "true"]);
    breaks("HKM005 error 2:15", "appstore", &["[]", r#""free""#]);
    breaks(
        "HKM005 error 2:38",
        "appstore",
        &[r#"{"min_daemon_version": 14}"#],
    );
    breaks("HKM005 error 2:17", "file_types", &["{}"]);
    breaks("HKM005 error 2:18", "file_types", &[r#"["md"]"#]);

    let findings = in_project(&with(
        "file_types",
        r#"[{"type": "a", "can_create": "yes"}]"#,
    ));
    assert_eq!(places(&findings), ["HKM005 error 2:46"]);
    assert_eq!(
        findings[0].message,
        "`file_types[0].can_create` must be true or false, and is a string"
    );
}

#[test]
fn hkm006_min_sdk_missing() {
    let text = without("min_sdk_version");
    assert_eq!(places(&in_project(&text)), ["HKM006 error 1:1"]);
    assert_eq!(places(&alone(&text)), ["HKM006 warning 1:1"]);
    assert!(help(&in_project(&text)).starts_with(r#"add `"min_sdk_version": "0.2.0"`"#));
    holds("min_sdk_version", &[r#""0.1.0""#]);
}

#[test]
fn hkm007_min_sdk_malformed() {
    let values = [r#""0.1""#, r#""~> 0.1""#, r#""""#, r#""new""#];
    breaks("HKM007 error 4:22", "min_sdk_version", &values);
    holds("min_sdk_version", &[r#""0.1.0-rc.1""#]);
    let findings = in_project(&with("min_sdk_version", r#""0.1""#));
    assert_eq!(help(&findings), "write `0.1.0`");
}

#[test]
fn hkm008_min_sdk_too_new() {
    let values = [r#""0.2.1""#, r#""0.10.0""#, r#""1.0.0-rc.1""#];
    breaks("HKM008 error 4:22", "min_sdk_version", &values);
    holds(
        "min_sdk_version",
        &[r#""0.2.0""#, r#""0.2.0-rc.1""#, r#""0.2.0+1""#],
    );
    let findings = in_project(&with("min_sdk_version", r#""0.3.0""#));
    assert_eq!(
        findings[0].message,
        "`min_sdk_version` is `0.3.0`, and the SDK in use is `0.2.0`"
    );
    assert_eq!(
        help(&findings),
        "use SDK `0.3.0` or newer (`cargo update hecate-sdk`), or write `0.2.0` if the plugin runs on it"
    );
    // Without an SDK there is nothing to compare with.
    assert_eq!(
        places(&alone(&with("min_sdk_version", r#""99.0.0""#))),
        [""; 0]
    );
}

#[test]
fn hkm009_tag() {
    let values = [
        r#""orders""#,
        r#""Orders-Studio""#,
        r#""my-Tag""#,
        r#""-orders""#,
        r#""my tag-x""#,
        r#""font-face""#,
        r#""""#,
    ];
    breaks("HKM009 error 10:10", "tag", &values);
    holds("tag", &[r#""irc-studio""#, r#""a-""#, r#""x-é.1_2""#]);
    assert_eq!(places(&in_project(&without("tag"))), [""; 0]);

    let suggestion = |tag: &str| in_project(&with("tag", tag))[0].help.clone();
    assert_eq!(suggestion(r#""Orders""#).unwrap(), "write `orders-studio`");
    assert_eq!(suggestion(r#""MyTag""#).unwrap(), "write `my-tag`");
    assert_eq!(
        suggestion(r#""font-face""#).unwrap(),
        "write `font-face-studio`"
    );
    assert_eq!(suggestion(r#""ш""#), None);
}

#[test]
fn hkm010_cargo_version() {
    breaks(
        "HKM010 error 3:14",
        "version",
        &[r#""0.2.0""#, r#""0.1.0-rc.1""#],
    );
    holds("version", &[r#""0.1.0""#]);
    assert_eq!(places(&alone(&with("version", r#""0.2.0""#))), [""; 0]);
    let findings = in_project(&with("version", r#""0.2.0""#));
    assert_eq!(
        findings[0].message,
        "`version` is `0.2.0`, and `Cargo.toml` says `0.1.0`"
    );
    assert_eq!(
        help(&findings),
        "`hecate bump 0.2.0` or `hecate bump 0.1.0` makes them one"
    );
}

#[test]
fn hkm011_unknown_field() {
    let table = [
        ("displayName", Some("did you mean `display_name`?")),
        ("min-sdk-version", Some("did you mean `min_sdk_version`?")),
        ("permisions", Some("did you mean `permissions`?")),
        ("licence", Some("did you mean `license`?")),
        ("x_anything", None),
        ("", None),
    ];
    for (field, expected) in table {
        let findings = in_project(&with(field, "1"));
        assert_eq!(places(&findings), ["HKM011 warning 2:3"], "{field}");
        assert_eq!(findings[0].help.as_deref(), expected, "{field}");
    }
    holds(
        "$schema",
        &[r#""https://example.org/manifest.schema.json""#],
    );
    holds("author", &[r#""Ada""#]);
    holds("appstore", &[r#"{"anything": 1}"#]);
}

#[test]
fn hkm012_foreign_field() {
    breaks(
        "HKM012 warning 2:3",
        "callback_module",
        &[r#""app_irc""#, "7"],
    );
    let two = with("callback_module", r#""a", "backing_service": "b""#);
    let findings = in_project(&two);
    assert_eq!(places(&findings), ["HKM012 warning 2:3"]);
    assert_eq!(
        findings[0].message,
        "kept, but without meaning here: `callback_module`, `backing_service` of the Erlang platform"
    );
    // Inside `appstore` they are upstream's own business.
    holds("appstore", &[r#"{"plugin_name": "IRC"}"#]);
}

#[test]
fn hkm013_not_loadable() {
    let table = [
        (
            "standalone",
            "not loadable here: this is a standalone station",
        ),
        ("container", "not loadable here: this is a container"),
        (
            "wasm",
            "not loadable here: this is of the unknown type `wasm`",
        ),
    ];
    for (word, message) in table {
        let text = with("plugin_type", &format!("\"{word}\""));
        let findings = in_project(&text);
        assert_eq!(places(&findings), ["HKM013 error 5:18"]);
        assert_eq!(findings[0].message, message);
        assert_eq!(places(&alone(&text)), ["HKM013 warning 5:18"]);
    }
    let absent = alone(&without("plugin_type"));
    assert_eq!(places(&absent), ["HKM013 warning 1:1"]);
    assert_eq!(
        absent[0].message,
        "not loadable here: this is a container, as there is no `plugin_type`"
    );
    let service = alone(&with("service_type", r#""container_daemon""#));
    assert_eq!(
        places(&service),
        ["HKM012 warning 2:3", "HKM013 warning 2:19"]
    );
    holds("plugin_type", &[r#""in_vm""#]);
}

#[test]
fn hkm014_permission() {
    let unknown = r#"["net:dns", "read:mesh_status"]"#;
    breaks("HKM014 warning 12:30", "permissions", &[unknown]);
    holds("permissions", &["[]", r#"["net:tcp:443", "process:git"]"#]);

    let helps = [
        (r#"["net:tcp:99999"]"#, "the form is `net:tcp:PORT`"),
        (r#"["fs:read:data"]"#, "the form is `fs:read:PATH`"),
        (r#"["hope:call"]"#, "the form is `hope:call:NAME`"),
    ];
    for (value, expected) in helps {
        assert_eq!(help(&in_project(&with("permissions", value))), expected);
    }
    let findings = in_project(&with("permissions", unknown));
    assert_eq!(
        findings[0].message,
        "`read:mesh_status` is not a permission known here: it is never granted"
    );
    assert!(help(&findings).starts_with("the known ones are `net:tcp:PORT`, `net:dns`"));
}

#[test]
fn hkm015_duplicate_key() {
    let text = FINE.replace("{\n", "{\n  \"name\": \"other\",\n");
    let findings = in_project(&text);
    assert_eq!(places(&findings), ["HKM015 error 3:3"]);
    assert_eq!(findings[0].message, "`name` stands twice, first on line 2");

    breaks(
        "HKM015 error 2:28",
        "appstore",
        &[r#"{"org": "a", "org": "b"}"#],
    );
    breaks(
        "HKM015 error 2:32",
        "file_types",
        &[r#"[{"type": "a", "\u0074ype": "b"}]"#],
    );
    holds("file_types", &[r#"[{"type": "a"}, {"type": "b"}]"#]);
}

#[test]
fn hkm016_min_daemon_version() {
    let values = [r#""0.14""#, r#""new""#];
    breaks("HKM016 warning 14:25", "min_daemon_version", &values);
    breaks(
        "HKM016 warning 2:38",
        "appstore",
        &[r#"{"min_daemon_version": "0.14"}"#],
    );
    // Upstream's numbering: never compared.
    holds("min_daemon_version", &[r#""99.0.0""#]);
    holds("appstore", &[r#"{"min_daemon_version": "99.0.0"}"#]);
}

#[test]
fn hkm017_native_capability() {
    let values = [r#"{"camera": true}"#, r#"{"file_picker": true}"#];
    breaks("HKM017 warning 13:27", "native_capabilities", &values);
    holds(
        "native_capabilities",
        &[
            "{}",
            r#"{"file-picker": {"multiple": true}, "clipboard": false}"#,
        ],
    );
    let findings = in_project(&with("native_capabilities", values[1]));
    assert_eq!(help(&findings), "did you mean `file-picker`?");
}

#[test]
fn hkm018_trust_level() {
    breaks(
        "HKM018 warning 11:18",
        "trust_level",
        &[r#""high""#, r#""Core""#],
    );
    holds(
        "trust_level",
        &[r#""core""#, r#""trusted""#, r#""untrusted""#],
    );
    let findings = in_project(&with("trust_level", r#""Core""#));
    assert_eq!(help(&findings), "did you mean `core`?");
}

#[test]
fn hkm019_icon() {
    let missing = [
        r#""logo.svg""#,
        r#""img/logo.PNG""#,
        r#""/etc/icon.svg""#,
        r#""../priv/static/icon.svg""#,
    ];
    breaks("HKM019 warning 9:11", "icon", &missing);
    let fine = [
        r#""icon.svg""#,
        r#""priv/static/icon.svg""#,
        r#""dog2""#,
        r#""💬""#,
        r#""gamepad-2""#,
        r#""https://example.org/icon.svg""#,
    ];
    holds("icon", &fine);
    assert_eq!(places(&alone(&with("icon", r#""logo.svg""#))), [""; 0]);
}
