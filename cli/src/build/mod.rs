//! From a project to a bundle: frontend, library, files, signature.

mod compile;
mod files;
mod frontend;

use std::path::PathBuf;

use hecate_daemon::admission::{self, TARGET, Trust};
use hecate_manifest::bundle::{BundleInfo, Compression, MANIFEST, Profile, file_name, pack};
use hecate_manifest::keys::{HomeKey, KeyError};
use hecate_manifest::rules::Severity;
use semver::Version;

use crate::check::check_project;
use crate::context::Context;
use crate::error::{CliError, without_path};
use crate::progress::Phase;
use crate::project::Project;
use crate::tools;

use compile::compile;

/// A bundle, packed and signed, not yet written.
pub(crate) struct Built {
    /// `{name}-{version}-{target}.tar.zst`.
    pub(crate) file_name: String,
    /// Its bytes.
    pub(crate) packed: Vec<u8>,
    /// What it says of itself.
    pub(crate) info: BundleInfo,
}

/// Builds the project's bundle. Nothing is written but below build directories.
pub(crate) fn build(project: &Project, profile: Profile, cx: &Context) -> Result<Built, CliError> {
    tools::check_toolchain(project.root())?;
    refuse_findings(project, cx)?;
    let manifest = project.manifest()?;
    frontend::build(project, cx)?;
    let compiled = compile(project, profile, cx)?;

    let phase = Phase::begin(cx.printer(), "pack");
    let library = crate::project::file_bytes(&compiled.library)?;
    let verdict = admission::verdict_of(&library)
        .map_err(|error| CliError::because("the library that was built cannot be loaded", error))?;
    let mut contents = files::collect(project, profile)?;
    contents.insert(
        MANIFEST.to_owned(),
        project.manifest_text().as_bytes().to_vec(),
    );
    let library_path = format!("lib/{}", library_name(&compiled.library));
    contents.insert(library_path.clone(), library);
    let (commit, dirty) = source_state(project);
    let info = BundleInfo {
        format: BundleInfo::FORMAT,
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        target: tools::host_target()?,
        sdk: Version::parse(&verdict.note.sdk)
            .map_err(|error| CliError::because("the library names no SDK version", error))?,
        abi: verdict.note.abi,
        rustc: verdict.note.rustc,
        commit,
        dirty,
        profile,
        library: library_path,
        files: std::collections::BTreeMap::new(),
    };
    let key = HomeKey::generate_or_load(&cx.home().keys()).map_err(unusable_key)?;
    let compression = if profile == Profile::Release {
        Compression::Small
    } else {
        Compression::Fast
    };
    let packed = pack(&contents, &info, Some(&key), compression)
        .map_err(|error| CliError::because("the bundle cannot be packed", error))?;
    // What an installation would refuse is said here.
    let admitted = admission::admit(packed.as_slice(), cx.home(), Trust::Signed)
        .map_err(|error| CliError::because("the bundle would not be installed", error))?;
    let info = admitted.bundle.info;
    phase.done(&format!(
        "{} files, {} KiB",
        info.files.len(),
        packed.len() / 1024
    ));
    Ok(Built {
        file_name: file_name(&info.name, &info.version, TARGET),
        packed,
        info,
    })
}

/// The home's own key cannot be had.
fn unusable_key(error: KeyError) -> CliError {
    let error = match error {
        KeyError::Write { path, source } => KeyError::Write {
            path,
            source: without_path(source),
        },
        error => error,
    };
    let shown = CliError::cannot("the key of this home cannot be used");
    let shown = match &error {
        KeyError::Read { source, .. } | KeyError::Write { source, .. } => shown.way_out_of(source),
        KeyError::Open { path, .. } => shown.hint(format!("`chmod 600 {}`", path.display())),
        KeyError::Format { path, .. } => shown.hint(format!(
            "take `{}` from a backup, or move it away: then a new key is made, and homes that trust the old one must be told",
            path.display()
        )),
        _ => shown,
    };
    shown.caused_by(error)
}

/// What `hecate check` finds wrong is not bundled.
fn refuse_findings(project: &Project, cx: &Context) -> Result<(), CliError> {
    let findings = check_project(project, cx)?;
    let mut errors = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error);
    let Some(first) = errors.next() else {
        return Ok(());
    };
    let place = first.span.map_or_else(
        || first.file.clone(),
        |span| format!("{}:{}", first.file, span.line),
    );
    let error = CliError::cannot(format!("{place}: {} ({})", first.message, first.rule.code));
    let more = errors.count();
    Err(match more {
        0 => error.hint("`hecate check` shows it in its place"),
        _ => error.hint(format!(
            "and {more} more: `hecate check` shows them all in their places"
        )),
    })
}

/// Where bundles are written unless told otherwise: below the directory that git ignores already.
pub(crate) fn bundle_dir(project: &Project) -> PathBuf {
    project.root().join("target/bundle")
}

fn library_name(path: &std::path::Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// The commit of the source, and whether the source differs from it.
fn source_state(project: &Project) -> (Option<String>, bool) {
    let commit =
        tools::git(project.root(), &["rev-parse", "HEAD"]).map(|commit| commit.trim().to_owned());
    let changed = tools::git(project.root(), &["status", "--porcelain", "--", "."]);
    (
        commit.clone(),
        commit.is_none() || changed.is_none_or(|changed| !changed.trim().is_empty()),
    )
}
