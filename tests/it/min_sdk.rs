//! `min_sdk_version`: what `check`, `bundle` and `install` say to each kind of it.

use std::fmt::Write;

use hecate_manifest::SDK_VERSION;
use insta::assert_snapshot;

use crate::support::{Daemon, Project, Run, Sandbox, Specimen};

/// The line of the manifest, `None` for none at all, and what it is an example of. The SDK is 0.1.0.
const CASES: [(&str, Option<&str>); 11] = [
    ("older", Some("0.0.9")),
    ("equal", Some("0.1.0")),
    ("newer patch", Some("0.1.1")),
    ("newer", Some("2.0.0")),
    ("pre-release of it, which is older", Some("0.1.0-rc.1")),
    (
        "pre-release of the next, which is newer",
        Some("0.1.1-alpha.1"),
    ),
    (
        "with build metadata, which does not count",
        Some("0.1.0+linux"),
    ),
    ("two numbers", Some("0.1")),
    ("a requirement", Some("^0.1.0")),
    ("no version", Some("latest")),
    ("missing", None),
];

const WRITTEN: &str = "\n  \"min_sdk_version\": \"0.1.0\",";

fn line(min: Option<&str>) -> String {
    min.map(|min| format!("\n  \"min_sdk_version\": \"{min}\","))
        .unwrap_or_default()
}

/// What a run comes to, in one line: the exit code, and what is the matter.
fn told(run: &Run) -> String {
    let find = |word: &str| {
        let mut said = run.stdout.lines().chain(run.stderr.lines()).map(str::trim);
        said.find(|line| line.starts_with(word))
    };
    let about = ["cause", "error", "warning"].into_iter().find_map(find);
    format!("{}  {}", run.code, about.unwrap_or("fine"))
}

#[test]
fn check_says_what_is_the_matter() {
    assert_eq!(SDK_VERSION, "0.1.0", "the cases are about this one");
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-min-sdk");
    let kept = plugin.read("manifest.json");
    let mut table = String::new();
    for (what, min) in CASES {
        plugin.edit("manifest.json", WRITTEN, &line(min));
        let project = plugin.hecate("check");
        let alone = plugin.hecate("check manifest.json");
        plugin.write("manifest.json", &kept);
        writeln!(
            table,
            "{what}\n  project {}\n  alone   {}",
            told(&project),
            told(&alone)
        )
        .unwrap();
    }
    assert_snapshot!(table, @"
    older
      project 0  fine
      alone   0  fine
    equal
      project 0  fine
      alone   0  fine
    newer patch
      project 1  error[HKM008]: `min_sdk_version` is `0.1.1`, and the SDK in use is `0.1.0`
      alone   0  fine
    newer
      project 1  error[HKM008]: `min_sdk_version` is `2.0.0`, and the SDK in use is `0.1.0`
      alone   0  fine
    pre-release of it, which is older
      project 0  fine
      alone   0  fine
    pre-release of the next, which is newer
      project 1  error[HKM008]: `min_sdk_version` is `0.1.1-alpha.1`, and the SDK in use is `0.1.0`
      alone   0  fine
    with build metadata, which does not count
      project 0  fine
      alone   0  fine
    two numbers
      project 1  error[HKM007]: `min_sdk_version` is `0.1`, which is not a semantic version: unexpected end of input while parsing minor version number
      alone   1  error[HKM007]: `min_sdk_version` is `0.1`, which is not a semantic version: unexpected end of input while parsing minor version number
    a requirement
      project 1  error[HKM007]: `min_sdk_version` is `^0.1.0`, which is not a semantic version: unexpected character '^' while parsing major version number
      alone   1  error[HKM007]: `min_sdk_version` is `^0.1.0`, which is not a semantic version: unexpected character '^' while parsing major version number
    no version
      project 1  error[HKM007]: `min_sdk_version` is `latest`, which is not a semantic version: unexpected character 'l' while parsing major version number
      alone   1  error[HKM007]: `min_sdk_version` is `latest`, which is not a semantic version: unexpected character 'l' while parsing major version number
    missing
      project 1  error[HKM006]: `min_sdk_version` is missing
      alone   0  warning[HKM006]: `min_sdk_version` is missing
    ");
}

/// What cannot be is refused before anything is compiled.
#[test]
fn bundle_refuses_what_no_host_of_its_sdk_would_take() {
    let plugin = Specimen::project();
    let kept = plugin.read("manifest.json");
    let mut table = String::new();
    for (what, min) in CASES {
        plugin.edit("manifest.json", WRITTEN, &line(min));
        let run = plugin.hecate("bundle --debug --out bundles");
        plugin.write("manifest.json", &kept);
        writeln!(table, "{what}\n  {}", told(&run)).unwrap();
    }
    assert_snapshot!(table, @"
    older
      0  fine
    equal
      0  fine
    newer patch
      1  error: manifest.json:5: `min_sdk_version` is `0.1.1`, and the SDK in use is `0.1.0` (HKM008)
    newer
      1  error: manifest.json:5: `min_sdk_version` is `2.0.0`, and the SDK in use is `0.1.0` (HKM008)
    pre-release of it, which is older
      0  fine
    pre-release of the next, which is newer
      1  error: manifest.json:5: `min_sdk_version` is `0.1.1-alpha.1`, and the SDK in use is `0.1.0` (HKM008)
    with build metadata, which does not count
      0  fine
    two numbers
      1  error: manifest.json:5: `min_sdk_version` is `0.1`, which is not a semantic version: unexpected end of input while parsing minor version number (HKM007)
    a requirement
      1  error: manifest.json:5: `min_sdk_version` is `^0.1.0`, which is not a semantic version: unexpected character '^' while parsing major version number (HKM007)
    no version
      1  error: manifest.json:5: `min_sdk_version` is `latest`, which is not a semantic version: unexpected character 'l' while parsing major version number (HKM007)
    missing
      1  error: manifest.json:1: `min_sdk_version` is missing (HKM006)
    ");
}

/// What others have built is refused by the same rules; one that does not say is warned of, not refused.
#[test]
fn install_refuses_what_this_host_is_too_old_for() {
    let sandbox = Sandbox::new();
    let _daemon = Daemon::start(&sandbox);
    let built = Specimen::built();
    let mut table = String::new();
    for (what, min) in CASES {
        let specimen = built.clone().with_manifest(WRITTEN, &line(min));
        sandbox.write("case.tar.zst", specimen.signed(&sandbox.home()));
        let run = sandbox.hecate("install case.tar.zst");
        writeln!(table, "{what}\n  {}", told(&run)).unwrap();
    }
    assert_snapshot!(table, @"
    older
      0  fine
    equal
      0  fine
    newer patch
      1  cause: the plugin needs SDK 0.1.1, this host has 0.1.0: update Hecate, or lower `min_sdk_version` and rebuild
    newer
      1  cause: the plugin needs SDK 2.0.0, this host has 0.1.0: update Hecate, or lower `min_sdk_version` and rebuild
    pre-release of it, which is older
      0  fine
    pre-release of the next, which is newer
      1  cause: the plugin needs SDK 0.1.1-alpha.1, this host has 0.1.0: update Hecate, or lower `min_sdk_version` and rebuild
    with build metadata, which does not count
      0  fine
    two numbers
      1  cause: the manifest is not right: `min_sdk_version` is `0.1`, which is not a semantic version: unexpected end of input while parsing minor version number (HKM007); mend it (`hecate check` shows where) and bundle anew
    a requirement
      1  cause: the manifest is not right: `min_sdk_version` is `^0.1.0`, which is not a semantic version: unexpected character '^' while parsing major version number (HKM007); mend it (`hecate check` shows where) and bundle anew
    no version
      1  cause: the manifest is not right: `min_sdk_version` is `latest`, which is not a semantic version: unexpected character 'l' while parsing major version number (HKM007); mend it (`hecate check` shows where) and bundle anew
    missing
      0  fine
    ");
}
