//! The one file that a plugin is installed from: a zstd-compressed tar archive with a list of its contents.
//!
//! [`pack`] writes it, the same bytes for the same contents. [`Bundle::open`] reads it, from anybody: what it
//! returns holds exactly the files that `bundle.json` lists, each of the size and hash given there, at a path
//! that can be written below any directory. Whose signature is needed is for the caller to decide, with
//! [`Bundle::signer`].
//!
//! The archive has one form, the one that [`pack`] writes: plain ustar headers with files alone, one zstd frame,
//! and nothing after it. What other tools may put into an archive (links, devices, directories, extended headers)
//! is refused, not skipped, so that no two readers can differ about what a bundle holds.
//!
//! What is absent on purpose: whether the library fits this daemon is read from the library, and installing is the
//! daemon's.

mod archive;
mod error;
mod info;
mod layout;
mod open;
mod pack;
mod path;
mod unpack;

pub use error::{BundleError, ConsistencyError, LimitError, PackError};
pub use info::{BundleInfo, FileInfo, InfoError, Profile};
pub use layout::{INFO, LIBRARIES, Limits, MANIFEST, SIGNATURE, STATIC_FILES, file_name};
pub use open::Bundle;
pub use pack::{Compression, pack};
pub use path::PathError;
pub use unpack::UnpackError;

#[cfg(test)]
mod tests;
