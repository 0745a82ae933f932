//! Why a bundle is refused, by its reader or by its writer.

use std::io;

use semver::Version;

use super::info::InfoError;
use super::path::PathError;
use crate::{ManifestError, PluginName};

/// A bundle that is not opened. Nothing of it has been used, and nothing was written anywhere.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The file cannot be read.
    #[error("failed to read the bundle")]
    Read(#[source] io::Error),
    /// Larger than a bundle may be, in one of several ways.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// Not zstd, not tar, or damaged.
    #[error("the bundle is damaged, or not a bundle")]
    Archive(#[source] io::Error),
    /// Ends too early.
    #[error("the bundle is cut off")]
    Truncated,
    /// Goes on where it should end.
    #[error("there is more in the file after the bundle's end")]
    TrailingData,
    /// A symbolic or hard link.
    #[error("`{}` is a link", path.escape_debug())]
    Link {
        /// The entry.
        path: String,
    },
    /// A device or a pipe.
    #[error("`{}` is a device", path.escape_debug())]
    Device {
        /// The entry.
        path: String,
    },
    /// A directory: a bundle holds files alone, whose paths say it all.
    #[error("`{}` is a directory", path.escape_debug())]
    Directory {
        /// The entry.
        path: String,
    },
    /// An entry that changes the meaning of another one: long names, PAX headers, sparse files.
    #[error("`{}` is an extended header", path.escape_debug())]
    ExtendedHeader {
        /// The entry.
        path: String,
    },
    /// A file with a header of another kind of tar.
    #[error("the header of `{}` is not a ustar header", path.escape_debug())]
    NotUstar {
        /// The entry.
        path: String,
    },
    /// A path that no bundle may hold.
    #[error(transparent)]
    Path(#[from] PathError),
    /// `manifest.json` or `bundle.json` is not there.
    #[error("the bundle has no `{path}`")]
    Missing {
        /// The file.
        path: &'static str,
    },
    /// A file that is to be text is not UTF-8.
    #[error("`{path}` is not UTF-8")]
    NotText {
        /// The file.
        path: &'static str,
    },
    /// `bundle.json` cannot be read.
    #[error(transparent)]
    Info(#[from] InfoError),
    /// A file that `bundle.json` does not list.
    #[error("`{path}` is not listed in `bundle.json`")]
    Unlisted {
        /// The file.
        path: String,
    },
    /// A file that `bundle.json` lists is not there.
    #[error("`{}` is listed in `bundle.json`, and is not in the bundle", path.escape_debug())]
    Absent {
        /// The file.
        path: String,
    },
    /// A file of another size than listed.
    #[error("`{path}` has {found} bytes, and {listed} are listed in `bundle.json`")]
    Size {
        /// The file.
        path: String,
        /// What `bundle.json` says.
        listed: u64,
        /// What it is.
        found: u64,
    },
    /// A file with other contents than listed.
    #[error("the contents of `{path}` are not those listed in `bundle.json`")]
    Hash {
        /// The file.
        path: String,
    },
    /// `manifest.json` cannot be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Manifest, library and `bundle.json` do not belong together.
    #[error(transparent)]
    Consistency(#[from] ConsistencyError),
}

/// A bundle that is not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// A path that no bundle may hold.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A file that packing makes itself.
    #[error("`{path}` is made by packing, and cannot be given")]
    Made {
        /// The file.
        path: &'static str,
    },
    /// `manifest.json` is not there.
    #[error("the bundle has no `manifest.json`")]
    NoManifest,
    /// `manifest.json` is not UTF-8.
    #[error("`manifest.json` is not UTF-8")]
    NotText,
    /// `manifest.json` cannot be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Manifest, library and description do not belong together.
    #[error(transparent)]
    Consistency(#[from] ConsistencyError),
    /// Larger than a bundle may be, in one of several ways.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The compressor failed.
    #[error("failed to compress the bundle")]
    Compress(#[source] io::Error),
}

/// A bundle that is larger than [`super::Limits`] allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// The file is larger than [`super::Limits::packed_bytes`].
    #[error("the bundle is larger than {}", size(*limit))]
    Packed {
        /// The limit, in bytes.
        limit: u64,
    },
    /// What it holds is larger than [`super::Limits::unpacked_bytes`].
    #[error("the bundle holds more than {}", size(*limit))]
    Unpacked {
        /// The limit, in bytes.
        limit: u64,
    },
    /// Compressed further than [`super::Limits::ratio`], as is done to exhaust a reader.
    #[error("the bundle unpacks to more than {limit} times its size")]
    Ratio {
        /// The limit.
        limit: u64,
    },
    /// More files than [`super::Limits::files`].
    #[error("the bundle holds more than {limit} files")]
    Files {
        /// The limit.
        limit: usize,
    },
    /// A file that would be parsed is larger than [`super::Limits::parsed_bytes`].
    #[error("`{path}` is larger than {}", size(*limit))]
    Parsed {
        /// The file.
        path: String,
        /// The limit, in bytes.
        limit: u64,
    },
}

/// Manifest, library and `bundle.json` that do not belong together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConsistencyError {
    /// The library that `bundle.json` names is not a file of `lib/`.
    #[error("the bundle has no library `{}`", path.escape_debug())]
    NoLibrary {
        /// Where it should be.
        path: String,
    },
    /// Two names.
    #[error("`name` is `{manifest}` in `manifest.json`, and `{info}` in `bundle.json`")]
    Name {
        /// What the manifest says.
        manifest: PluginName,
        /// What `bundle.json` says.
        info: PluginName,
    },
    /// Two versions.
    #[error("`version` is `{manifest}` in `manifest.json`, and `{info}` in `bundle.json`")]
    Version {
        /// What the manifest says.
        manifest: Version,
        /// What `bundle.json` says.
        info: Version,
    },
}

fn size(bytes: u64) -> String {
    const MIB: u64 = 1024 * 1024;
    if bytes.is_multiple_of(MIB) {
        format!("{} MiB", bytes / MIB)
    } else {
        format!("{bytes} bytes")
    }
}
