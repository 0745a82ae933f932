//! The plugin that we are in: read from its directory, never written here.

mod read;
mod rel_path;
mod sdk_source;
mod settings;
mod view;

use std::path::{Path, PathBuf};

use hecate_manifest::Manifest;

use crate::context::Context;
use crate::error::CliError;

pub(crate) use read::{
    file_bytes, file_text, fingerprint, is_dir, is_file, list_files, list_names,
};
pub(crate) use rel_path::RelPath;
pub(crate) use sdk_source::{SdkSource, default_sdk, is_sdk, local_patch};
pub(crate) use settings::{Allow, Settings};
pub(crate) use view::View;

/// Name of the manifest, which marks a plugin's directory.
pub(crate) const MANIFEST: &str = "manifest.json";
/// What says on this machine where the SDK is.
pub(crate) const LOCAL_CONFIG: &str = ".cargo/config.toml";
/// Name of the optional settings.
pub(crate) const SETTINGS: &str = "hecate.toml";

/// A plugin's directory.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    root: PathBuf,
    manifest_text: String,
}

impl Project {
    /// The plugin of the context's directory: that directory, or the nearest above it with a manifest and a Cargo.toml.
    pub(crate) fn find(cx: &Context) -> Result<Self, CliError> {
        let root = cx
            .dir()
            .ancestors()
            .find(|dir| is_file(&dir.join(MANIFEST)) && is_file(&dir.join("Cargo.toml")));
        let Some(root) = root else {
            return Err(no_plugin(cx.dir()));
        };
        let manifest_text = file_text(&root.join(MANIFEST))?;
        Ok(Self {
            root: root.to_owned(),
            manifest_text,
        })
    }

    /// Its directory.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The text of its manifest.
    pub(crate) fn manifest_text(&self) -> &str {
        &self.manifest_text
    }

    /// Its manifest.
    pub(crate) fn manifest(&self) -> Result<Manifest, CliError> {
        Manifest::parse(&self.manifest_text).map_err(|error| {
            CliError::because("`manifest.json` cannot be used", error)
                .hint("`hecate check` shows everything that is wrong with it, with lines")
        })
    }

    /// The files that a plan may look at or change.
    pub(crate) fn view(&self) -> Result<View, CliError> {
        let files = [
            MANIFEST,
            SETTINGS,
            "Cargo.toml",
            "Cargo.lock",
            "hecate.lock",
            "build.rs",
            "CHANGELOG.md",
            LOCAL_CONFIG,
            // What tells which frontend there is.
            "frontend/src/Page.svelte",
            "frontend/src/Page.tsx",
            "priv/static/screens.js",
            ".github/workflows/ci.yml",
            ".github/workflows/release.yml",
        ];
        let dirs = [
            ".hecate/removed",
            "src",
            "divisions",
            "contracts",
            "delivery",
            "frontend/src/generated",
            "frontend/src/screens",
            "priv/static/screens",
            "priv/static/types",
        ];
        View::read(&self.root, &files, &dirs)
    }

    /// Its settings.
    pub(crate) fn settings(&self) -> Result<Settings, CliError> {
        let path = self.root.join(SETTINGS);
        if !is_file(&path) {
            return Ok(Settings::default());
        }
        Settings::parse(&file_text(&path)?)
    }
}

/// Neither `dir` nor one above it is a plugin's directory. One that was is told from one that never has been.
fn no_plugin(dir: &Path) -> CliError {
    let has = |file: &str| is_file(&dir.join(file));
    let lost = match (has(MANIFEST), has("Cargo.toml")) {
        (true, false) => Some("Cargo.toml"),
        (false, true) if has("hecate.lock") => Some(MANIFEST),
        _ => None,
    };
    match lost {
        Some(file) => CliError::cannot(format!("there is no `{file}` in `{}`", dir.display()))
            .hint(format!(
                "every plugin has one: take it from your last commit (`git checkout {file}`)"
            )),
        None => CliError::cannot(format!("there is no plugin in `{}`", dir.display())).hint(
            "make one with `hecate new plugin NAME`, or name its directory with `--project DIR`",
        ),
    }
}
