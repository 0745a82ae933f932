//! Names and limits of a bundle.

use semver::Version;

use super::error::LimitError;
use crate::PluginName;

/// The plugin's manifest.
pub const MANIFEST: &str = "manifest.json";
/// [`super::BundleInfo`]: what the bundle holds and how it was built.
pub const INFO: &str = "bundle.json";
/// A minisign signature over the bytes of [`INFO`]. Not in every bundle.
pub const SIGNATURE: &str = "bundle.json.minisig";
/// Directory of the library.
pub const LIBRARIES: &str = "lib/";
/// Directory of the frontend, with its precompressed variants.
pub const STATIC_FILES: &str = "priv/static/";

/// The bundle's own file name, `{name}-{version}-{target}.tar.zst`; `target` is a triple as rustc writes it.
pub fn file_name(name: &PluginName, version: &Version, target: &str) -> String {
    format!("{name}-{version}-{target}.tar.zst")
}

/// How large a bundle may be. The same numbers hold for writing and for reading.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Size of the file: 64 MiB.
    pub packed_bytes: u64,
    /// Size of the archive in it, headers included: 256 MiB.
    pub unpacked_bytes: u64,
    /// Files in it, [`INFO`] and [`SIGNATURE`] included: 4,096.
    pub files: usize,
    /// How often the packed size may go into the unpacked one: 100. Up to [`Self::SMALL_BYTES`] anything goes.
    pub ratio: u64,
    /// Size of [`MANIFEST`], [`INFO`] and [`SIGNATURE`] each, which are parsed: 4 MiB.
    pub parsed_bytes: u64,
}

impl Limits {
    /// Unpacked size up to which the ratio does not matter: 1 MiB.
    pub const SMALL_BYTES: u64 = MIB;

    /// Whether a file of this size may be parsed, if it is one that is.
    pub(super) fn check_parsed(&self, path: &str, bytes: u64) -> Result<(), LimitError> {
        let is_parsed = matches!(path, MANIFEST | INFO | SIGNATURE);
        if is_parsed && bytes > self.parsed_bytes {
            return Err(LimitError::Parsed {
                path: path.to_owned(),
                limit: self.parsed_bytes,
            });
        }
        Ok(())
    }

    /// How much may come out of a bundle of `packed_bytes`.
    pub(super) fn unpacked_bytes_from(&self, packed_bytes: u64) -> u64 {
        packed_bytes
            .saturating_mul(self.ratio)
            .max(Self::SMALL_BYTES)
            .min(self.unpacked_bytes)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            packed_bytes: 64 * MIB,
            unpacked_bytes: 256 * MIB,
            files: 4096,
            ratio: 100,
            parsed_bytes: 4 * MIB,
        }
    }
}

const MIB: u64 = 1024 * 1024;
