//! The only code that reads a project's files.
#![expect(clippy::disallowed_methods, reason = "this is where files are read")]

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::error::CliError;

/// Whether there is a file at `path`.
pub(crate) fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// Whether there is a directory at `path`.
pub(crate) fn is_dir(path: &Path) -> bool {
    path.is_dir()
}

/// The bytes of a file.
pub(crate) fn file_bytes(path: &Path) -> Result<Vec<u8>, CliError> {
    fs::read(path)
        .map_err(|error| CliError::because(format!("failed to read `{}`", path.display()), error))
}

/// The text of a file.
pub(crate) fn file_text(path: &Path) -> Result<String, CliError> {
    String::from_utf8(file_bytes(path)?).map_err(|_| CliError::not_text(path.display()))
}

/// The names in a directory.
pub(crate) fn list_names(dir: &Path) -> Result<Vec<String>, CliError> {
    let failed = |error| CliError::because(format!("failed to list `{}`", dir.display()), error);
    let entries = fs::read_dir(dir).map_err(failed)?;
    entries
        .map(|entry| {
            entry
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .map_err(failed)
        })
        .collect()
}

/// A fingerprint of the files at and below `paths`: it changes whenever one of them does. What builds leave behind is
/// not looked at.
pub(crate) fn fingerprint(root: &Path, paths: &[String]) -> u64 {
    let mut hasher = DefaultHasher::new();
    let skipped = ["target", "node_modules", ".git", ".hecate"];
    for path in paths {
        let walk = WalkDir::new(root.join(path))
            .sort_by_file_name()
            .into_iter();
        let wanted =
            |entry: &walkdir::DirEntry| !skipped.iter().any(|name| entry.file_name() == *name);
        // A file that goes away meanwhile changes the next fingerprint.
        for entry in walk
            .filter_entry(wanted)
            .flatten()
            .filter(|entry| entry.file_type().is_file())
        {
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            (entry.path(), metadata.len(), metadata.modified().ok()).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// All files below `dir`, in order, with paths relative to it; none if there is no such directory. Symbolic links
/// are not followed, and are an error: what they point to may be anywhere.
pub(crate) fn list_files(dir: &Path) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    if !dir.is_dir() {
        return Ok(files);
    }
    for entry in WalkDir::new(dir).sort_by_file_name() {
        let entry = entry.map_err(|error| {
            CliError::because(format!("failed to list `{}`", dir.display()), error)
        })?;
        if entry.file_type().is_symlink() {
            return Err(CliError::cannot(format!(
                "`{}` is a symbolic link",
                entry.path().display()
            ))
            .hint("put the file itself there: a link may point outside of the project"));
        }
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(dir).unwrap_or(entry.path());
            files.push(path.to_owned());
        }
    }
    Ok(files)
}
