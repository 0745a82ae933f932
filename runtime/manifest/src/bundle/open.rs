//! Reading a bundle that anybody may have made.

use std::collections::BTreeMap;
use std::io::Read;

use super::archive::{self, Files};
use super::error::{BundleError, LimitError};
use super::info::{BundleInfo, FileInfo};
use super::layout::{INFO, Limits, MANIFEST, SIGNATURE};
use crate::Manifest;
use crate::keys::{KeyId, PublicKey, VerifyError, verify};

/// An opened bundle, in memory: as complete and as consistent as it says it is. Who says so is another question:
/// see [`Self::signer`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Bundle {
    /// The manifest, read.
    pub manifest: Manifest,
    /// The manifest as it stands in the bundle.
    pub manifest_text: String,
    /// `bundle.json`, read.
    pub info: BundleInfo,
    /// `bundle.json` as it stands in the bundle: what is signed.
    pub info_text: String,
    /// The minisign signature over [`Self::info_text`], as it stands in the bundle. Not looked into yet.
    pub signature: Option<String>,
    /// Every file that `bundle.json` lists, the manifest among them, by path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// BLAKE3 hash of the packed bundle, in lowercase hexadecimal.
    pub digest: String,
}

impl Bundle {
    /// Reads a bundle whole, into memory. Holds at most the packed and the unpacked bytes that `limits` allow.
    ///
    /// # Errors
    ///
    /// The first fault, as [`BundleError`]. What has no error: any bundle that [`super::pack`] has written.
    pub fn open(packed: impl Read, limits: &Limits) -> Result<Self, BundleError> {
        let packed = read_packed(packed, limits)?;
        let digest = blake3::hash(&packed).to_hex().to_string();
        let mut files = archive::read(&packed, limits)?;

        let info_text = text(INFO, take(&mut files, INFO)?)?;
        let signature = files
            .remove(SIGNATURE)
            .map(|signature| text(SIGNATURE, signature))
            .transpose()?;
        let info = BundleInfo::parse(&info_text)?;
        check_files(&info, &files)?;

        let manifest = files
            .get(MANIFEST)
            .ok_or(BundleError::Missing { path: MANIFEST })?;
        let manifest_text = text(MANIFEST, manifest.clone())?;
        let manifest = Manifest::parse(&manifest_text)?;
        info.check(&manifest, &files)?;
        Ok(Self {
            manifest,
            manifest_text,
            info,
            info_text,
            signature,
            files,
            digest,
        })
    }

    /// Which of the `trusted` keys has signed the bundle.
    ///
    /// # Errors
    ///
    /// [`VerifyError`] if it is not signed, by none of them, or not for this content.
    pub fn signer(&self, trusted: &[PublicKey]) -> Result<KeyId, VerifyError> {
        verify(
            self.signature.as_deref(),
            self.info_text.as_bytes(),
            trusted,
        )
    }

    /// The bytes of the library.
    pub fn library(&self) -> &[u8] {
        &self.files[&self.info.library]
    }
}

fn read_packed(packed: impl Read, limits: &Limits) -> Result<Vec<u8>, BundleError> {
    let limit = limits.packed_bytes;
    let mut bytes = Vec::new();
    packed
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(BundleError::Read)?;
    if bytes.len() as u64 > limit {
        return Err(LimitError::Packed { limit }.into());
    }
    Ok(bytes)
}

fn take(files: &mut Files, path: &'static str) -> Result<Vec<u8>, BundleError> {
    files.remove(path).ok_or(BundleError::Missing { path })
}

fn text(path: &'static str, bytes: Vec<u8>) -> Result<String, BundleError> {
    String::from_utf8(bytes).map_err(|_| BundleError::NotText { path })
}

/// The files are those that `info` lists, no more and no less.
fn check_files(info: &BundleInfo, files: &Files) -> Result<(), BundleError> {
    for (path, contents) in files {
        let path = path.clone();
        let Some(listed) = info.files.get(&path) else {
            return Err(BundleError::Unlisted { path });
        };
        let found = FileInfo::of(contents);
        if found.size != listed.size {
            let (listed, found) = (listed.size, found.size);
            return Err(BundleError::Size {
                path,
                listed,
                found,
            });
        }
        if found.blake3 != listed.blake3 {
            return Err(BundleError::Hash { path });
        }
    }
    if let Some(path) = info.files.keys().find(|path| !files.contains_key(*path)) {
        return Err(BundleError::Absent { path: path.clone() });
    }
    Ok(())
}
