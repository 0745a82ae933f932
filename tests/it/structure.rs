//! The shape of the house: which crate may know which, and how much the thin one may hold.

use std::collections::BTreeSet;
use std::fs;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use walkdir::WalkDir;

use crate::support::checkout;

/// Who knows whom, in normal and build dependencies.
const ARROWS: [(&str, &[&str]); 9] = [
    ("hecate-abi", &[]),
    ("hecate-bus", &["hecate-manifest"]),
    (
        "hecate-cli",
        &["hecate-daemon", "hecate-manifest", "hecate-templates"],
    ),
    (
        "hecate-daemon",
        &["hecate-bus", "hecate-manifest", "hecate-runtime"],
    ),
    ("hecate-isolation", &[]),
    ("hecate-manifest", &[]),
    ("hecate-runtime", &["hecate-abi", "hecate-manifest"]),
    (
        "hecate-sdk",
        &["hecate-abi", "hecate-bus", "hecate-manifest"],
    ),
    ("hecate-templates", &[]),
];

/// What the runtime is made of. Whoever adds to this list makes the thin crate thicker.
const RUNTIME_NEEDS: [&str; 17] = [
    // The hash of a page's own script, for the policy that lets it run.
    "base64",
    "bytes",
    "http",
    "http-body",
    "http-body-util",
    "hyper",
    "hyper-util",
    "libc",
    "libloading",
    "object",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "tokio",
    "tower",
    "tower-http",
];

/// Lines of the runtime's sources, tests and comments included.
const RUNTIME_LINES: usize = 2_000;

#[test]
fn crates_know_only_whom_they_may() {
    let metadata = workspace();
    for (name, knows) in ARROWS {
        let ours: BTreeSet<_> = dependencies(package(&metadata, name))
            .filter(|dependency| dependency.starts_with("hecate-"))
            .collect();
        assert_eq!(ours, BTreeSet::from_iter(knows.iter().copied()), "{name}");
    }
    // What benches and fixtures are made of may know everybody; nobody may know them.
    let known: BTreeSet<_> = ARROWS.iter().map(|(name, _)| *name).collect();
    for package in metadata.workspace_packages() {
        let is_test = package.manifest_path.as_str().contains("/tests/");
        assert!(
            is_test || known.contains(package.name.as_str()),
            "`{}` has no place in the house",
            package.name
        );
    }
}

#[test]
fn the_runtime_is_thin() {
    let metadata = workspace();
    let others: BTreeSet<_> = dependencies(package(&metadata, "hecate-runtime"))
        .filter(|dependency| !dependency.starts_with("hecate-"))
        .collect();
    assert_eq!(others, BTreeSet::from_iter(RUNTIME_NEEDS));

    let sources = WalkDir::new(checkout().join("runtime/src"));
    let lines: usize = sources
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| fs::read_to_string(entry.path()).unwrap().lines().count())
        .sum();
    assert!(lines <= RUNTIME_LINES, "{lines} lines");
}

#[test]
fn only_plugins_carry_sqlite() {
    let metadata = workspace();
    for name in [
        "hecate-daemon",
        "hecate-runtime",
        "hecate-manifest",
        "hecate-abi",
    ] {
        let all = reachable(&metadata, name);
        assert!(!all.contains("libsqlite3-sys"), "{name} links SQLite");
    }
    assert!(reachable(&metadata, "hecate-sdk").contains("libsqlite3-sys"));
}

#[test]
fn what_a_manifest_is_compared_with_is_the_sdks_own_version() {
    let metadata = workspace();
    let sdk = package(&metadata, "hecate-sdk").version.to_string();
    assert_eq!(hecate_manifest::SDK_VERSION, sdk);
}

fn workspace() -> Metadata {
    let mut command = MetadataCommand::new();
    command.manifest_path(checkout().join("Cargo.toml"));
    command
        .other_options(["--offline".to_owned(), "--locked".to_owned()])
        .exec()
        .unwrap()
}

fn package<'m>(metadata: &'m Metadata, name: &str) -> &'m Package {
    let mut members = metadata.workspace_packages().into_iter();
    members
        .find(|package| package.name.as_str() == name)
        .unwrap_or_else(|| panic!("there is no package `{name}`"))
}

/// Names of what a package needs when it is not being tested.
fn dependencies(package: &Package) -> impl Iterator<Item = &str> {
    let needed = package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Development);
    needed.map(|dependency| dependency.name.as_str())
}

/// Names of everything that ends up in a build of `name`, however far away.
fn reachable(metadata: &Metadata, name: &str) -> BTreeSet<String> {
    let graph = metadata.resolve.as_ref().unwrap();
    let mut found = BTreeSet::new();
    let mut open = vec![package(metadata, name).id.clone()];
    while let Some(id) = open.pop() {
        if !found.insert(metadata[&id].name.to_string()) {
            continue;
        }
        let node = graph.nodes.iter().find(|node| node.id == id).unwrap();
        let needed = node.deps.iter().filter(|dependency| {
            let kinds = &dependency.dep_kinds;
            kinds
                .iter()
                .any(|kind| kind.kind != DependencyKind::Development)
        });
        open.extend(needed.map(|dependency| dependency.pkg.clone()));
    }
    found
}
