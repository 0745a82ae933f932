//! What a plugin compiles when it asks for nothing more, and that everything more is known where it is measured.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{MetadataCommand, Package};

use crate::support::{Sandbox, checkout};

/// Optional crates that axum brings anyway; `rand` in another version.
const THERE_ANYWAY: [&str; 3] = ["mime", "percent-encoding", "rand"];
/// Other ways to do TLS than the one that is chosen: each is a large C library, and two would be two.
const OTHER_TLS: [&str; 4] = ["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl-sys"];

fn package(manifest: &str) -> Package {
    let mut command = MetadataCommand::new();
    command.manifest_path(checkout().join(manifest)).no_deps();
    let metadata = command.exec().unwrap();
    let mut packages = metadata.packages.into_iter();
    packages
        .find(|package| package.manifest_path.ends_with(manifest))
        .unwrap()
}

/// Names of the crates that a plugin compiles with these features of the SDK.
fn crates(features: &str) -> BTreeSet<String> {
    let sandbox = Sandbox::new();
    let tree = sandbox
        .program("cargo")
        .current_dir(checkout())
        .args(["tree", "--package", "hecate-sdk", "--locked", "--edges"])
        .args(["normal,build", "--prefix", "none", "--format", "{p}"])
        .args(["--features", features])
        .output()
        .unwrap();
    assert!(
        tree.status.success(),
        "{}",
        String::from_utf8_lossy(&tree.stderr)
    );
    let tree = String::from_utf8(tree.stdout).unwrap();
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}

#[test]
fn a_plugin_compiles_only_what_it_asks_for() {
    let sdk = package("runtime/sdk/Cargo.toml");
    assert_eq!(sdk.features.get("default"), Some(&Vec::new()));
    let optional: BTreeSet<_> = sdk
        .dependencies
        .iter()
        .filter(|dependency| dependency.optional)
        .map(|dependency| dependency.name.clone())
        .collect();
    let least = crates("default");
    assert!(
        least.contains("axum") && least.contains("rusqlite"),
        "{least:?}"
    );
    let both: Vec<_> = least.intersection(&optional).collect();
    assert_eq!(both, THERE_ANYWAY);

    let all: Vec<_> = sdk.features.keys().map(String::as_str).collect();
    let most = crates(&all.join(","));
    let unused: Vec<_> = optional.difference(&most).collect();
    assert!(unused.is_empty(), "no feature asks for {unused:?}");
    let other: Vec<_> = OTHER_TLS
        .iter()
        .filter(|name| most.contains(**name))
        .collect();
    assert!(other.is_empty(), "{other:?}");
}

#[test]
fn every_feature_is_measured_and_documented() {
    let sdk = package("runtime/sdk/Cargo.toml");
    let names: BTreeSet<_> = sdk
        .features
        .into_keys()
        .filter(|name| name != "default")
        .collect();
    let fixture = package("tests/fixtures/features/Cargo.toml").features;
    let forwarded = names
        .iter()
        .map(|name| (name.clone(), vec![format!("hecate-sdk/{name}")]));
    assert_eq!(fixture, forwarded.collect::<BTreeMap<_, _>>());
    let page = std::fs::read_to_string(checkout().join("runtime/sdk/src/lib.rs")).unwrap();
    for name in names {
        assert!(
            page.contains(&format!("//! | `{name}` |")),
            "`{name}` is not on the front page"
        );
    }
}
