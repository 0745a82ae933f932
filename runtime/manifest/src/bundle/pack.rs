//! Writing a bundle.

use std::collections::BTreeMap;

use super::archive;
use super::error::{LimitError, PackError};
use super::info::{BundleInfo, FileInfo};
use super::layout::{INFO, Limits, MANIFEST, SIGNATURE};
use super::path::Paths;
use crate::Manifest;
use crate::keys::HomeKey;

/// How much time packing may take. Measured with a library of 5 MB on one core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// 15 ms, and 10 to 20 % larger: for bundles that are opened once, on the same machine.
    Fast,
    /// 200 ms. Another 10 % could be had for seven times that.
    #[default]
    Small,
}

impl Compression {
    const fn level(self) -> i32 {
        match self {
            Self::Fast => 1,
            Self::Small => 12,
        }
    }
}

/// Packs `files` (the manifest, the library, the frontend) with a `bundle.json` made from `info`, signed if there
/// is a `key`. Of `info`, format and files are filled in here, whatever they hold.
///
/// Equal arguments give equal bytes: entries are in the order of their paths, with nothing of the file system in
/// their headers, and the signature is deterministic.
///
/// # Errors
///
/// [`PackError`] for what [`super::Bundle::open`] would refuse, so that no bundle is made that cannot be opened.
pub fn pack(
    files: &BTreeMap<String, Vec<u8>>,
    info: &BundleInfo,
    key: Option<&HomeKey>,
    compression: Compression,
) -> Result<Vec<u8>, PackError> {
    if let Some(path) = [INFO, SIGNATURE]
        .into_iter()
        .find(|path| files.contains_key(*path))
    {
        return Err(PackError::Made { path });
    }
    let manifest = files.get(MANIFEST).ok_or(PackError::NoManifest)?;
    let manifest = str::from_utf8(manifest).map_err(|_| PackError::NotText)?;
    info.check(&Manifest::parse(manifest)?, files)?;

    let info = describe(info.clone(), files).to_text();
    let signature = key.map(|key| key.sign(info.as_bytes()));
    let mut contents: BTreeMap<&str, &[u8]> = files
        .iter()
        .map(|(path, contents)| (path.as_str(), contents.as_slice()))
        .collect();
    contents.insert(INFO, info.as_bytes());
    if let Some(signature) = &signature {
        contents.insert(SIGNATURE, signature.as_bytes());
    }

    let limits = Limits::default();
    let unpacked_bytes = check_contents(&contents, &limits)?;
    let entries = contents
        .into_iter()
        .map(|(path, contents)| Ok((archive::header(path, contents)?, contents)))
        .collect::<Result<Vec<_>, PackError>>()?;
    let packed = archive::write(entries, compression.level()).map_err(PackError::Compress)?;
    check_packed(packed.len() as u64, unpacked_bytes, &limits)?;
    Ok(packed)
}

fn describe(mut info: BundleInfo, files: &BTreeMap<String, Vec<u8>>) -> BundleInfo {
    info.format = BundleInfo::FORMAT;
    info.files = files
        .iter()
        .map(|(path, contents)| (path.clone(), FileInfo::of(contents)))
        .collect();
    info
}

/// Size in bytes of the archive that will hold `contents`, if it may.
fn check_contents(contents: &BTreeMap<&str, &[u8]>, limits: &Limits) -> Result<u64, PackError> {
    let mut paths = Paths::default();
    for (path, contents) in contents {
        paths.add(path)?;
        limits.check_parsed(path, contents.len() as u64)?;
    }
    if contents.len() > limits.files {
        return Err(LimitError::Files {
            limit: limits.files,
        }
        .into());
    }
    let unpacked_bytes = archive::size(contents.values().copied());
    if unpacked_bytes > limits.unpacked_bytes {
        let limit = limits.unpacked_bytes;
        return Err(LimitError::Unpacked { limit }.into());
    }
    Ok(unpacked_bytes)
}

fn check_packed(packed_bytes: u64, unpacked_bytes: u64, limits: &Limits) -> Result<(), LimitError> {
    if packed_bytes > limits.packed_bytes {
        let limit = limits.packed_bytes;
        return Err(LimitError::Packed { limit });
    }
    if unpacked_bytes > limits.unpacked_bytes_from(packed_bytes) {
        let limit = limits.ratio;
        return Err(LimitError::Ratio { limit });
    }
    Ok(())
}
