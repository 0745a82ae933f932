//! Real manifests of real plugins, as somebody checks them who brings one here.

use std::fs;

use crate::support::{Sandbox, checkout};

/// Each with the findings that are expected of it, and why. None is an error: they are in order where they come from.
///
/// - HKM006: upstream keeps the SDK's version in the code, so that no manifest has a `min_sdk_version`.
/// - HKM013: it is a container (which is what no `plugin_type` means), or a station of its own; neither is loaded here.
/// - HKM012: it has fields of the Erlang platform, such as `callback_module`, which mean nothing to a library.
/// - HKM014: it asks for `read:mesh_status`, which nothing here can grant.
const EXPECTED: [(&str, &[&str]); 10] = [
    (
        "hecate-apps__hecate-app-irc__0.1.0__dcb2557.json",
        &["HKM006", "HKM013", "HKM014"],
    ),
    (
        "hecate-apps__hecate-app-martha__0.7.1__1a81fb7.json",
        &["HKM006", "HKM012"],
    ),
    (
        "hecate-apps__hecate-app-meshview__0.1.0__ed108c5.json",
        &["HKM006", "HKM013", "HKM014"],
    ),
    (
        "hecate-apps__hecate-app-rag__0.2.0__67c5f30.json",
        &["HKM006", "HKM012"],
    ),
    (
        "hecate-apps__hecate-app-scribe__1.1.0__b83b5fe.json",
        &["HKM006", "HKM012"],
    ),
    (
        "hecate-apps__hecate-app-snake-duel__0.3.1__e97b9c9.json",
        &["HKM006", "HKM012"],
    ),
    (
        "hecate-apps__hecate-app-trader__0.2.0__f4c5648.json",
        &["HKM006", "HKM013"],
    ),
    (
        "hecate-apps__hecate-app-weather__0.1.0__index.json",
        &["HKM006", "HKM012", "HKM013"],
    ),
    (
        "hecate-services__hecate-git__0.1.0__6f3f224.json",
        &["HKM006", "HKM012", "HKM013"],
    ),
    (
        "hecate-services__hecate-rag__0.1.0__a813485.json",
        &["HKM006", "HKM012", "HKM013"],
    ),
];

#[test]
fn real_manifests_have_no_errors_and_the_warnings_that_are_due() {
    let sandbox = Sandbox::new();
    let corpus = checkout().join("tests/fixtures/corpus/manifests");
    let mut files: Vec<_> = fs::read_dir(&corpus)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(
        files,
        EXPECTED.map(|(file, _)| file),
        "all of the corpus is expected"
    );
    for (file, expected) in EXPECTED {
        let path = corpus.join(file);
        let checked = sandbox
            .hecate(&format!("check {} --json", path.display()))
            .ok();
        let answer = checked.json();
        assert_eq!(answer["errors"], 0, "{file}: {answer}");
        let findings = answer["findings"].as_array().unwrap();
        let codes: Vec<_> = findings
            .iter()
            .map(|finding| finding["code"].as_str().unwrap())
            .collect();
        assert_eq!(codes, expected, "{file}");
        assert!(
            findings.iter().all(|finding| finding["line"].is_u64()),
            "{file}: {answer}"
        );
    }
}
