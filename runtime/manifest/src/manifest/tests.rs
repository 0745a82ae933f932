use std::error::Error;
use std::path::Path;

use super::*;
use crate::Permission;

const FULL: &str = r#"{
  "$schema": "https://example.org/manifest.schema.json",
  "name": "hecate-scribe",
  "version": "1.1.0",
  "min_sdk_version": "0.1.0",
  "plugin_type": "in_vm",
  "display_name": "Scribe",
  "description": "Document editor",
  "author": "Ada",
  "license": "Apache-2.0",
  "repository": "https://example.org/scribe",
  "icon": "page_facing_up",
  "tag": "scribe-studio",
  "trust_level": "untrusted",
  "permissions": ["net:tcp:443", "read:mesh_status"],
  "native_capabilities": {"notifications": true, "file-picker": {"multiple": false}},
  "min_daemon_version": "0.15.0",
  "file_types": [{"type": "scribe", "label": "Document", "can_create": true, "import_extensions": [".md"]}],
  "appstore": {"org": "hecate-apps", "min_daemon_version": "0.14.0"},
  "callback_module": "app_scribe"
}"#;

#[test]
fn every_field_is_read() {
    let manifest = Manifest::parse(FULL).unwrap();
    assert_eq!(manifest.name.as_str(), "hecate-scribe");
    assert_eq!(manifest.version.to_string(), "1.1.0");
    assert_eq!(manifest.min_sdk_version.as_deref(), Some("0.1.0"));
    assert_eq!(manifest.plugin_type, PluginType::InVm);
    assert_eq!(manifest.title(), "Scribe");
    assert_eq!(manifest.description.as_deref(), Some("Document editor"));
    assert_eq!(manifest.author.as_deref(), Some("Ada"));
    assert_eq!(manifest.license.as_deref(), Some("Apache-2.0"));
    assert_eq!(
        manifest.repository.as_deref(),
        Some("https://example.org/scribe")
    );
    assert_eq!(manifest.icon.as_deref(), Some("page_facing_up"));
    assert_eq!(manifest.tag.as_deref(), Some("scribe-studio"));
    assert_eq!(manifest.trust_level, Some(TrustLevel::Untrusted));
    assert_eq!(
        manifest.permissions,
        [
            Permission::Connect(443),
            Permission::Unknown("read:mesh_status".into())
        ]
    );
    assert_eq!(manifest.native_capabilities["notifications"], true);
    assert_eq!(
        manifest.native_capabilities["file-picker"]["multiple"],
        false
    );
    assert_eq!(manifest.min_daemon_version.as_deref(), Some("0.15.0"));
    let [file_type] = &manifest.file_types[..] else {
        panic!("one file type");
    };
    assert_eq!(file_type.kind, "scribe");
    assert_eq!(file_type.label.as_deref(), Some("Document"));
    assert!(file_type.can_create);
    assert_eq!(file_type.import_extensions, [".md"]);
    assert_eq!(manifest.appstore.unwrap()["org"], "hecate-apps");
    let extra: Vec<_> = manifest.extra.keys().collect();
    assert_eq!(extra, ["$schema", "callback_module"]);
}

#[test]
fn what_is_not_said_has_a_meaning() {
    let manifest = Manifest::parse(r#"{"name": "irc", "version": "0.1.0"}"#).unwrap();
    assert_eq!(manifest.title(), "irc");
    assert_eq!(manifest.plugin_type, PluginType::Container);
    assert!(!manifest.plugin_type.is_loadable());
    assert!(manifest.permissions.is_empty());
    assert_eq!(manifest.min_daemon_version, None);

    let blank = r#"{"name": "irc", "version": "0.1.0", "display_name": " "}"#;
    assert_eq!(Manifest::parse(blank).unwrap().title(), "irc");
}

#[test]
fn min_daemon_version_is_found_in_either_place() {
    let manifest = |fields: &str| {
        let text = format!(r#"{{"name": "irc", "version": "0.1.0", {fields}}}"#);
        Manifest::parse(&text).map(|manifest| manifest.min_daemon_version)
    };
    let top = r#""min_daemon_version": "0.15.0""#;
    let store = r#""appstore": {"min_daemon_version": "0.14.0"}"#;
    assert_eq!(manifest(top).unwrap().unwrap(), "0.15.0");
    assert_eq!(manifest(store).unwrap().unwrap(), "0.14.0");
    assert_eq!(
        manifest(&format!("{store}, {top}")).unwrap().unwrap(),
        "0.15.0"
    );
}

#[test]
fn words_display_as_they_were_read() {
    for word in ["in_vm", "standalone", "container", "wasm"] {
        let plugin_type = PluginType::parse(word);
        assert_eq!(plugin_type.to_string(), word);
        assert_eq!(plugin_type.is_loadable(), word == "in_vm");
    }
    for word in ["core", "trusted", "untrusted", "divine"] {
        assert_eq!(TrustLevel::parse(word).to_string(), word);
    }
}

#[test]
fn errors_name_the_path_and_what_is_expected() {
    let with = |field: &str| format!(r#"{{"name": "irc", "version": "0.1.0", {field}}}"#);
    let table = [
        (
            "[]".to_owned(),
            "the manifest must be an object, and is a list",
        ),
        ("{}".to_owned(), "the manifest has no `name`"),
        (
            r#"{"name": "irc"}"#.to_owned(),
            "the manifest has no `version`",
        ),
        (
            r#"{"name": 7, "version": "0.1.0"}"#.to_owned(),
            "`name` must be a string, and is a number",
        ),
        (
            r#"{"name": "irc", "version": "1.0"}"#.to_owned(),
            "the manifest's `version` is `1.0`, which is not a semantic version",
        ),
        (
            with(r#""icon": null"#),
            "`icon` must be a string, and is null",
        ),
        (
            with(r#""permissions": "net:dns""#),
            "`permissions` must be a list, and is a string",
        ),
        (
            with(r#""permissions": ["net:dns", 7]"#),
            "`permissions[1]` must be a string, and is a number",
        ),
        (
            with(r#""native_capabilities": ["theme"]"#),
            "`native_capabilities` must be an object, and is a list",
        ),
        (
            with(r#""file_types": [{}]"#),
            "the manifest has no `file_types[0].type`",
        ),
        (
            with(r#""file_types": ["md"]"#),
            "`file_types[0]` must be an object, and is a string",
        ),
        (
            with(r#""file_types": [{"type": "md", "can_create": "yes"}]"#),
            "`file_types[0].can_create` must be true or false, and is a string",
        ),
        (
            with(r#""appstore": {"min_daemon_version": 14}"#),
            "`appstore.min_daemon_version` must be a string, and is a number",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(Manifest::parse(&text).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_fault_further_down_is_the_source() {
    let error = Manifest::parse("{\n  \"name\": }").unwrap_err();
    assert_eq!(error.to_string(), "the manifest is not valid JSON");
    assert!(
        error
            .source()
            .unwrap()
            .to_string()
            .contains("line 2 column 11")
    );

    let error = Manifest::parse(r#"{"name": "My Plugin", "version": "0.1.0"}"#).unwrap_err();
    assert_eq!(error.to_string(), "the manifest's `name` cannot be used");
    let source = error.source().unwrap().to_string();
    assert!(source.starts_with("`My Plugin` is not a plugin name"));
}

#[test]
fn upstreams_manifests_are_read() {
    let corpus = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/corpus/manifests"
    );
    let mut titles = Vec::new();
    for file in Path::new(corpus).read_dir().unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let manifest = Manifest::parse(&text).unwrap();
        titles.push(format!("{} {}", manifest.title(), manifest.plugin_type));
    }
    titles.sort();
    assert_eq!(
        titles,
        [
            "Git container",
            "Martha in_vm",
            "RAG container",
            "RAG in_vm",
            "Scribe in_vm",
            "Snake Duel in_vm",
            "Weather standalone",
            "irc container",
            "meshview container",
            "trader container",
        ]
    );
}
