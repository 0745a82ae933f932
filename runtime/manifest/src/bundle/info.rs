//! `bundle.json`: what a bundle holds and how it was built.

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::error::ConsistencyError;
use super::layout::LIBRARIES;
use crate::{Manifest, PluginName};

/// What is known of a bundle before anything of it is used. Its bytes are what is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleInfo {
    /// Version of the bundle's format: [`Self::FORMAT`]. Fields may be added within one.
    pub format: u32,
    /// The plugin's name, as in the manifest.
    pub name: PluginName,
    /// The plugin's version, as in the manifest.
    pub version: Version,
    /// Target triple of the library, as rustc writes it.
    pub target: String,
    /// Version of the SDK that it was built with.
    pub sdk: Version,
    /// ABI number that it was built with.
    pub abi: u32,
    /// `rustc --version` of the compiler.
    pub rustc: String,
    /// Commit of the source, if it is known.
    #[serde(default)]
    pub commit: Option<String>,
    /// Whether the source differed from that commit.
    pub dirty: bool,
    /// Profile that it was built with.
    pub profile: Profile,
    /// Path of the library in the bundle: `lib/libmy_plugin.so`.
    pub library: String,
    /// Every file but `bundle.json` and its signature, by path. Filled in by [`super::pack`].
    pub files: BTreeMap<String, FileInfo>,
}

/// A file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileInfo {
    /// Size in bytes.
    pub size: u64,
    /// BLAKE3 hash, in lowercase hexadecimal.
    pub blake3: String,
}

/// Cargo's profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// `--release`.
    Release,
    /// Without it.
    Debug,
}

/// A `bundle.json` that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InfoError {
    /// Not JSON, or not with the fields of the format; the source says where.
    #[error("`bundle.json` cannot be read")]
    Json(#[source] serde_json::Error),
    /// Another format.
    #[error("the bundle has format {found}, and this version of Hecate reads format {known}")]
    Format {
        /// What the bundle has.
        found: u32,
        /// What can be read.
        known: u32,
    },
}

impl BundleInfo {
    /// The format that is written, and the only one that is read.
    pub const FORMAT: u32 = 1;

    /// Reads the text of a `bundle.json`. Fields that are not known are ignored.
    ///
    /// # Errors
    ///
    /// - [`InfoError::Format`] if the format is another one, whatever else there is.
    /// - [`InfoError::Json`] if it cannot be read for another reason.
    pub fn parse(text: &str) -> Result<Self, InfoError> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }

        let Format { format } = serde_json::from_str(text).map_err(InfoError::Json)?;
        if format != Self::FORMAT {
            return Err(InfoError::Format {
                found: format,
                known: Self::FORMAT,
            });
        }
        serde_json::from_str(text).map_err(InfoError::Json)
    }

    /// Whether this describes a bundle with that manifest and those files.
    pub(super) fn check(
        &self,
        manifest: &Manifest,
        files: &BTreeMap<String, Vec<u8>>,
    ) -> Result<(), ConsistencyError> {
        if manifest.name != self.name {
            return Err(ConsistencyError::Name {
                manifest: manifest.name.clone(),
                info: self.name.clone(),
            });
        }
        if manifest.version != self.version {
            return Err(ConsistencyError::Version {
                manifest: manifest.version.clone(),
                info: self.version.clone(),
            });
        }
        if !self.library.starts_with(LIBRARIES) || !files.contains_key(&self.library) {
            return Err(ConsistencyError::NoLibrary {
                path: self.library.clone(),
            });
        }
        Ok(())
    }

    /// The text of the `bundle.json`: indented, in a fixed order, the same for equal values.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("strings, numbers and maps with string keys are always JSON");
        text.push('\n');
        text
    }
}

impl FileInfo {
    /// Size and hash of `contents`.
    pub fn of(contents: &[u8]) -> Self {
        Self {
            size: contents.len() as u64,
            blake3: blake3::hash(contents).to_hex().to_string(),
        }
    }
}
