//! `hecate check`: everything that is wrong with a project, in one run.
//!
//! The rules for manifests are those of `hecate-manifest`, which the daemon goes by as well; [`rules`] has those for the
//! source. All of them report in one record, [`Finding`], and print nothing.

mod allow;
mod mend;
mod render;
mod rules;
mod sarif;
mod sdk;

use std::path::Path;

use hecate_manifest::rules::{
    CargoVersion, Context as ManifestContext, Finding, Rule, Scope, Span, check_manifest,
    manifest_rules,
};

use crate::context::Context;
use crate::error::CliError;
use crate::generate::{
    DivisionTree, SourceFault, divisions_in, hash, read_division, unreadable_sources,
};
use crate::project::{MANIFEST, Project, SETTINGS, Settings, View, file_text, is_file};

pub(crate) use mend::mended;
pub(crate) use render::{Format, count, print};

/// What the rules for a project's source are told.
pub(crate) struct Subject<'a> {
    pub(crate) view: &'a View,
    /// The plugin's technical name, if the manifest has a good one.
    pub(crate) plugin: Option<String>,
    /// The divisions whose source can be read.
    pub(crate) divisions: Vec<DivisionTree>,
    /// Files that are not Rust.
    pub(crate) faults: Vec<SourceFault>,
}

impl Subject<'_> {
    /// The place of a text in a file, if both are there.
    fn find(&self, file: &str, text: &str) -> Option<Span> {
        let contents = self.view.text(file).ok()??;
        let at = contents.find(text)?;
        Some(Span::of(contents, at..at + text.len()))
    }
}

/// Every rule there is, in the order of the codes.
pub(crate) fn all_rules() -> Vec<&'static Rule> {
    let mut rules: Vec<_> = manifest_rules()
        .chain(rules::all())
        .chain([&allow::RULE])
        .collect();
    rules.sort_by_key(|rule| rule.code);
    rules
}

/// What a finding is known by when the lines around it have moved.
fn fingerprint(finding: &Finding) -> String {
    let about = [finding.rule.code, &finding.file, &finding.message];
    hash(about.join("\0").as_bytes())
}

/// All findings in a manifest that stands alone.
pub(crate) fn check_file(path: &Path, shown: &str) -> Result<Vec<Finding>, CliError> {
    Ok(check_manifest(
        shown,
        &file_text(path)?,
        &ManifestContext::default(),
    ))
}

/// All findings in a project, in the order of files and lines.
pub(crate) fn check_project(project: &Project, cx: &Context) -> Result<Vec<Finding>, CliError> {
    let view = project.view()?;
    let sdk = sdk::resolved(project, &view, cx);
    let cargo_version = package_version(&view);
    let exists = |file: &str| {
        let root = project.root();
        is_file(&root.join(file)) || is_file(&root.join("priv/static").join(file))
    };
    let context = ManifestContext {
        scope: Scope::Project,
        sdk: sdk.as_ref(),
        cargo: cargo_version.as_deref().map(|version| CargoVersion {
            version,
            file: "Cargo.toml",
        }),
        files: Some(&exists),
    };
    let mut findings = check_manifest(MANIFEST, project.manifest_text(), &context);
    let subject = subject(&view, project);
    findings.extend(rules::check(&subject));
    sift(&subject, &mut findings, cx);
    findings.sort_by(|one, other| {
        (&one.file, one.span, one.rule.code).cmp(&(&other.file, other.span, other.rule.code))
    });
    Ok(findings)
}

/// Takes out what is allowed, and says how much that is.
fn sift(subject: &Subject<'_>, findings: &mut Vec<Finding>, cx: &Context) {
    let text = subject.view.text(SETTINGS).ok().flatten().unwrap_or("");
    // Settings that cannot be read are a finding of their own.
    let settings = Settings::read(text);
    let blind = findings
        .iter()
        .any(|finding| matches!(finding.rule.code, "HKM001" | "HKS001" | "HKS008"));
    let list = settings.ok().and_then(|settings| settings.check);
    let sources = subject.view.iter().filter_map(|(path, bytes)| {
        let path = path.as_str();
        let has_comments = path.ends_with(".rs") || path == "Cargo.toml";
        has_comments.then_some((path, std::str::from_utf8(bytes).ok()?))
    });
    let list = list.unwrap_or_default().allow;
    let taken = allow::sift(findings, sources, (&list, text), !blind);
    if taken > 0 {
        cx.printer().detail(&format!("{taken} allowed"));
    }
}

fn subject<'a>(view: &'a View, project: &Project) -> Subject<'a> {
    let faults = unreadable_sources(view);
    let names = divisions_in(view);
    // A division with a file that is not Rust is looked at again when that is mended.
    let readable = names.iter().filter(|name| {
        let dir = format!("divisions/{name}/");
        !faults.iter().any(|fault| fault.file.starts_with(&dir))
    });
    Subject {
        view,
        plugin: project
            .manifest()
            .ok()
            .map(|manifest| manifest.name.to_string()),
        divisions: readable
            .filter_map(|name| read_division(view, name).ok())
            .collect(),
        faults,
    }
}

/// Version of the plugin's own package.
fn package_version(view: &View) -> Option<String> {
    let document: toml_edit::DocumentMut = view.text("Cargo.toml").ok()??.parse().ok()?;
    let of = |table: &toml_edit::Item| {
        table
            .get("package")?
            .get("version")?
            .as_str()
            .map(str::to_owned)
    };
    of(document.as_item()).or_else(|| of(document.get("workspace")?))
}
