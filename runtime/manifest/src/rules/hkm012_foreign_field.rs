use super::document::Document;
use super::{Context, Finding, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    code: "HKM012",
    severity: Severity::Warning,
    title: "fields of the Erlang platform",
    explanation: "Manifests of the Erlang platform have fields for its modules, services and versions. They are \
        understood and kept, so that one manifest can serve both, but nothing here reads them: a callback \
        module, a container image or a station's version means nothing to a native library. There is one \
        finding for all such fields of a manifest.",
    wrong: r#"{
  "callback_module": "app_martha"
}"#,
    right: r#"{
  "plugin_type": "in_vm"
}"#,
};

/// Upstream's fields that have no meaning here, as counted over its manifests.
const FOREIGN: [&str; 14] = [
    "backing_service",
    "callback_module",
    "capabilities",
    "depends_on",
    "image",
    "min_om_version",
    "min_realm_version",
    "min_station_version",
    "plugin_name",
    "ports",
    "runs_on",
    "service_type",
    "tenancy",
    "volumes",
];

pub(super) fn is_foreign(field: &str) -> bool {
    FOREIGN.contains(&field)
}

pub(super) fn check(manifest: &Document<'_>, _: &Context<'_>, found: &mut Vec<Finding>) {
    let foreign: Vec<_> = manifest
        .root
        .properties
        .iter()
        .filter(|field| is_foreign(field.name.as_str()))
        .collect();
    let Some(first) = foreign.first() else {
        return;
    };
    let names: Vec<_> = foreign
        .iter()
        .map(|field| format!("`{}`", field.name.as_str()))
        .collect();
    let message = format!(
        "kept, but without meaning here: {} of the Erlang platform",
        names.join(", ")
    );
    found.push(manifest.finding(&RULE, &first.name, message));
}
