//! What `hecate check` says about a manifest. One file per rule: its text and its check.
//!
//! The rules do no I/O and print nothing. They are told what they cannot see by [`Context`], and answer with
//! [`Finding`]s, which other linters of the project use as well.

mod context;
mod document;
mod fields;
mod finding;
mod hkm001_json;
mod hkm002_required;
mod hkm003_name;
mod hkm004_version;
mod hkm005_type;
mod hkm006_min_sdk_missing;
mod hkm007_min_sdk_malformed;
mod hkm008_min_sdk_too_new;
mod hkm009_tag;
mod hkm010_cargo_version;
mod hkm011_unknown_field;
mod hkm012_foreign_field;
mod hkm013_not_loadable;
mod hkm014_permission;
mod hkm015_duplicate_key;
mod hkm016_min_daemon_version;
mod hkm017_native_capability;
mod hkm018_trust_level;
mod hkm019_icon;
mod nearest;

use document::Document;

pub use context::{CargoVersion, Context, Scope};
pub use finding::{Edit, Finding, Fix, Rule, Severity, Span};
pub use nearest::nearest;

type Check = fn(&Document<'_>, &Context<'_>, &mut Vec<Finding>);

/// The rules, in the order of their codes. HKM001 comes before: without it there is nothing to check.
static CHECKS: [(&Rule, Check); 18] = [
    (&hkm002_required::RULE, hkm002_required::check),
    (&hkm003_name::RULE, hkm003_name::check),
    (&hkm004_version::RULE, hkm004_version::check),
    (&hkm005_type::RULE, hkm005_type::check),
    (&hkm006_min_sdk_missing::RULE, hkm006_min_sdk_missing::check),
    (
        &hkm007_min_sdk_malformed::RULE,
        hkm007_min_sdk_malformed::check,
    ),
    (&hkm008_min_sdk_too_new::RULE, hkm008_min_sdk_too_new::check),
    (&hkm009_tag::RULE, hkm009_tag::check),
    (&hkm010_cargo_version::RULE, hkm010_cargo_version::check),
    (&hkm011_unknown_field::RULE, hkm011_unknown_field::check),
    (&hkm012_foreign_field::RULE, hkm012_foreign_field::check),
    (&hkm013_not_loadable::RULE, hkm013_not_loadable::check),
    (&hkm014_permission::RULE, hkm014_permission::check),
    (&hkm015_duplicate_key::RULE, hkm015_duplicate_key::check),
    (
        &hkm016_min_daemon_version::RULE,
        hkm016_min_daemon_version::check,
    ),
    (
        &hkm017_native_capability::RULE,
        hkm017_native_capability::check,
    ),
    (&hkm018_trust_level::RULE, hkm018_trust_level::check),
    (&hkm019_icon::RULE, hkm019_icon::check),
];

/// A JSON Schema of the manifest, for editors. It says what the rules say of single fields, as far as a schema can.
pub const MANIFEST_SCHEMA: &str = include_str!("manifest.schema.json");

/// Every rule for manifests, in the order of the codes.
pub fn manifest_rules() -> impl Iterator<Item = &'static Rule> {
    let checked = CHECKS.iter().map(|(rule, _)| *rule);
    std::iter::once(&hkm001_json::RULE).chain(checked)
}

/// All findings in the manifest `text`, in the order of their places; `file` is only passed on.
///
/// A text that is not a JSON object has one finding, HKM001, and nothing else is looked at. A text without
/// errors can be read by [`crate::Manifest::parse`].
pub fn check_manifest(file: &str, text: &str, context: &Context<'_>) -> Vec<Finding> {
    let manifest = match hkm001_json::parse(file, text) {
        Ok(manifest) => manifest,
        Err(finding) => return vec![finding],
    };
    let mut findings = Vec::new();
    for (_, check) in &CHECKS {
        check(&manifest, context, &mut findings);
    }
    findings.sort_by_key(|finding| (finding.span, finding.rule.code));
    findings
}

#[cfg(test)]
mod tests;
