//! Bundles: the same sources give the same bytes, wherever they lie, and a project moves.

use std::fs;
use std::path::Path;

use crate::support::{Project, Sandbox};

#[test]
fn the_same_sources_give_the_same_bytes_in_any_directory() {
    let sandbox = Sandbox::new();
    let one = Project::new(&sandbox, "it-same");
    let _made = one.hecate("gen division order customer:string").ok();
    let commit = |dir: &Path| {
        for args in [
            &["init", "-q"][..],
            &["add", "."],
            &["commit", "-qm", "all"],
        ] {
            let mut git = sandbox.program("git");
            git.current_dir(dir).args(args);
            for (name, value) in [
                ("NAME", "It"),
                ("EMAIL", "it@example.org"),
                ("DATE", "2026-01-01T00:00:00Z"),
            ] {
                git.env(format!("GIT_AUTHOR_{name}"), value)
                    .env(format!("GIT_COMMITTER_{name}"), value);
            }
            assert!(git.status().unwrap().success(), "git {args:?}");
        }
    };
    commit(&one.path(""));
    let other = Project::copied(&sandbox, &one.path(""), "elsewhere/deep down");
    let bundle = |project: &Project<'_>| {
        let run = project.hecate("bundle --json").ok().json();
        assert_eq!(run["info"]["dirty"], false, "{run}");
        let path = run["path"]
            .as_str()
            .unwrap()
            .replace("[ROOT]", &sandbox.root().display().to_string());
        (
            fs::read(&path).unwrap(),
            Path::new(&path).file_name().unwrap().to_owned(),
        )
    };
    let (first, name) = bundle(&one);
    assert_eq!(
        name,
        format!(
            "it-same-0.1.0-{}-unknown-linux-gnu.tar.zst",
            std::env::consts::ARCH
        )
        .as_str()
    );
    let (second, _) = bundle(&other);
    assert!(
        first == second,
        "{} and {} bytes",
        first.len(),
        second.len()
    );

    // No path of this machine is inside.
    let unpacked = sandbox.path("unpacked");
    fs::create_dir(&unpacked).unwrap();
    let mut tar = sandbox.program("tar");
    tar.current_dir(&unpacked)
        .args(["--zstd", "-xf"])
        .arg(one.path("target/bundle").join(&name));
    assert!(tar.status().unwrap().success());
    let library = fs::read(unpacked.join("lib/libit_same.so")).unwrap();
    for secret in [
        sandbox.root().display().to_string(),
        std::env::home_dir().unwrap().display().to_string() + "/.cargo",
    ] {
        assert!(
            !contains(&library, secret.as_bytes()),
            "{secret} is in the library"
        );
    }
    for file in [
        "manifest.json",
        "bundle.json",
        "priv/static/component.js.br",
        "priv/static/component.js.gz",
    ] {
        assert!(unpacked.join(file).is_file(), "{file}");
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_project_that_was_copied_builds_and_one_whose_sdk_moved_says_so() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-copied");
    let copy = Project::copied(&sandbox, &plugin.path(""), "elsewhere");
    let _built = copy.bundle();

    copy.write(
        ".cargo/config.toml",
        "[patch.crates-io]\nhecate-sdk = { path = \"/nowhere/runtime/sdk\" }\n",
    );
    insta::assert_snapshot!(copy.hecate("bundle"), @"
    exit 1
    error: the checkout that this project's SDK comes from has moved: `/nowhere/runtime/sdk` is not there
    hint: `hecate doctor --fix` names the checkout of this `hecate`; another one: `hecate doctor --fix --sdk path:DIR`
    ");
    let _fixed = copy.hecate("doctor --fix").ok();
    let _built = copy.bundle();
}

#[test]
fn a_frontend_with_a_build_of_its_own_is_built() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-frontend");
    plugin.write("hecate.toml", "[frontend]\nbuild = \"mkdir -p ../priv/static && echo built > ../priv/static/built.txt\"\ndir = \"web\"\n");
    fs::create_dir(plugin.path("web")).unwrap();
    let _built = plugin.bundle();
    assert_eq!(plugin.read("priv/static/built.txt"), "built\n");

    plugin.edit(
        "hecate.toml",
        "echo built > ../priv/static/built.txt",
        "exit 7",
    );
    insta::assert_snapshot!(plugin.hecate("bundle --debug"), @"
    exit 1
    error: the frontend's build `mkdir -p ../priv/static && exit 7` failed (exit status: 7)
    hint: its own messages are above; the command stands in `hecate.toml`
    ");
}
