//! Writing an opened bundle out.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::layout::{INFO, SIGNATURE};
use super::open::Bundle;

/// A file of a bundle that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write `{}`", path.display())]
pub struct UnpackError {
    /// The file or directory.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

impl Bundle {
    /// Writes all files, `bundle.json` and its signature among them, below a new `directory`, whose parent must
    /// exist. Syncs nothing: who needs the files after a crash syncs them.
    ///
    /// # Errors
    ///
    /// [`UnpackError`] with the path that could not be written; `directory` itself if it is there already. What
    /// was written before stays, so give a directory that can be thrown away.
    pub fn unpack(&self, directory: &Path) -> Result<(), UnpackError> {
        fs::create_dir(directory).map_err(|source| UnpackError {
            path: directory.to_owned(),
            source,
        })?;
        write_new(directory, INFO, self.info_text.as_bytes())?;
        if let Some(signature) = &self.signature {
            write_new(directory, SIGNATURE, signature.as_bytes())?;
        }
        for (path, contents) in &self.files {
            write_new(directory, path, contents)?;
        }
        Ok(())
    }
}

/// `path` is one that a bundle may hold, so it stays below `directory`.
fn write_new(directory: &Path, path: &str, contents: &[u8]) -> Result<(), UnpackError> {
    let path = directory.join(path);
    let write = || {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        File::create_new(&path)?.write_all(contents)
    };
    write().map_err(|source| UnpackError {
        path: path.clone(),
        source,
    })
}
