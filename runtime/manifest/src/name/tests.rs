use super::*;

#[test]
fn names_that_hold_to_the_rule() {
    for name in ["a", "irc", "my-plugin", "hecate-app-snake-duel", "x1-2-y3"] {
        assert_eq!(PluginName::parse(name).unwrap().as_str(), name);
    }
    assert!(PluginName::parse(&"a".repeat(64)).is_ok());
}

#[test]
fn names_that_do_not_say_why_and_what_would() {
    let table = [
        ("", NameFault::Empty, None),
        ("My Plugin", NameFault::Start('M'), Some("my-plugin")),
        ("myPlugin", NameFault::Character('P'), Some("my-plugin")),
        ("HTTPServer2", NameFault::Start('H'), Some("http-server2")),
        ("my_plugin", NameFault::Character('_'), Some("my-plugin")),
        ("../../etc", NameFault::Start('.'), Some("etc")),
        ("a/b", NameFault::Character('/'), Some("a-b")),
        ("-a", NameFault::Start('-'), Some("a")),
        ("a-", NameFault::Hyphen, Some("a")),
        ("a--b", NameFault::Hyphen, Some("a-b")),
        ("3d-viewer", NameFault::Start('3'), Some("plugin-3d-viewer")),
        ("café", NameFault::Character('é'), None),
        ("шахматы", NameFault::Start('ш'), None),
    ];
    for (name, fault, suggestion) in table {
        let error = PluginName::parse(name).unwrap_err();
        assert_eq!(error.fault, fault, "{name}");
        let suggested = error.suggestion.as_ref().map(PluginName::as_str);
        assert_eq!(suggested, suggestion, "{name}");
    }
}

#[test]
fn a_long_name_is_cut_between_words_where_it_can_be() {
    let long = format!("{}-tail", "a".repeat(63));
    let error = PluginName::parse(&long).unwrap_err();
    assert_eq!(error.fault, NameFault::TooLong(68));
    assert_eq!(error.suggestion.unwrap().as_str(), "a".repeat(63));
}

#[test]
fn the_error_shows_control_characters_escaped() {
    let error = PluginName::parse("a\u{1b}b").unwrap_err();
    assert_eq!(
        error.to_string(),
        r"`a\u{1b}b` is not a plugin name: it holds `\u{1b}`, and may hold only lowercase letters, digits and hyphens"
    );
}

#[test]
fn serde_checks_the_name() {
    assert!(serde_json::from_str::<PluginName>(r#""a-b""#).is_ok());
    let error = serde_json::from_str::<PluginName>(r#""A""#).unwrap_err();
    assert!(error.to_string().starts_with("`A` is not a plugin name"));
}
