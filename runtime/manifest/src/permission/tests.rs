use proptest::prelude::*;

use super::*;

#[test]
fn every_known_form() {
    let table = [
        ("net:tcp:443", Permission::Connect(443)),
        ("net:dns", Permission::Resolve),
        ("net:listen:6667", Permission::Listen(6667)),
        ("process:git", Permission::Run("git".into())),
        (
            "fs:read:/usr/share/zoneinfo",
            Permission::Read("/usr/share/zoneinfo".into()),
        ),
        ("fs:read:/srv/a:b", Permission::Read("/srv/a:b".into())),
        (
            "facts:publish:orders.confirmed",
            Permission::Publish("orders.confirmed".into()),
        ),
        (
            "facts:subscribe:orders:eu",
            Permission::Subscribe("orders:eu".into()),
        ),
        (
            "hope:call:answer_query",
            Permission::Call("answer_query".into()),
        ),
    ];
    for (text, expected) in table {
        assert_eq!(Permission::parse(text), expected);
        assert_eq!(expected.to_string(), text);
        assert!(expected.is_known());
    }
}

#[test]
fn anything_else_is_unknown_and_kept() {
    let texts = [
        "read:mesh_status",
        "",
        "net",
        "net:dns:example.org",
        "net:tcp:0",
        "net:tcp:99999",
        "net:tcp:0443",
        "net:tcp:+443",
        "net:tcp:*",
        "NET:DNS",
        " net:dns",
        "process:",
        "process:/bin/sh",
        "process:..",
        "process:git:push",
        "fs:read:etc/passwd",
        "fs:read:/srv/../etc",
        "fs:read:/srv\0",
        "fs:write:/srv",
        "facts:publish:",
        "facts:publish:two words",
        "hope:call:",
    ];
    for text in texts {
        let permission = Permission::parse(text);
        assert_eq!(permission, Permission::Unknown(text.to_owned()));
        assert!(!permission.is_known());
        assert_eq!(permission.to_string(), text);
    }
}

proptest! {
    #[test]
    fn displays_as_it_was_read(text in r"(net|fs|process|facts|hope)?(:(tcp|dns|listen|read|publish|call))?(:[/.:0-9a-z]{0,6})?") {
        prop_assert_eq!(Permission::parse(&text).to_string(), text);
    }
}
