use semver::Version;

use super::document::Document;
use super::{CargoVersion, Context, Finding, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    code: "HKM010",
    severity: Severity::Error,
    title: "the version differs from that of the package",
    explanation: "The version stands in `manifest.json` and in the plugin's `Cargo.toml`. If they differ, old \
        code is shipped under a new number, or new code under an old one. `hecate bump` changes both.",
    wrong: r#"{
  "version": "0.2.0"
}"#,
    right: r#"{
  "version": "0.1.0"
}"#,
};

pub(super) fn check(manifest: &Document<'_>, context: &Context<'_>, found: &mut Vec<Finding>) {
    let (Some(version), Some(cargo)) = (manifest.text_field("version"), context.cargo) else {
        return;
    };
    // A text that is no version is HKM004's.
    let Ok(ours) = Version::parse(&version.value) else {
        return;
    };
    let CargoVersion {
        version: theirs,
        file,
    } = cargo;
    if version.value == theirs {
        return;
    }
    let message = format!("`version` is `{ours}`, and `{file}` says `{theirs}`");
    let help = format!("`hecate bump {ours}` or `hecate bump {theirs}` makes them one");
    found.push(manifest.finding(&RULE, version, message).with_help(help));
}
