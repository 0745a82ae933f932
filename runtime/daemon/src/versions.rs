//! Installed versions: bundles unpacked below their digest, written once, never changed.

use std::path::{Path, PathBuf};
use std::{fs, io};

use hecate_manifest::bundle::{Bundle, BundleInfo, FileInfo, INFO, SIGNATURE};
use serde::{Deserialize, Serialize};

use crate::home::{PluginHome, make_private_dir, sync_dir, sync_tree, write_durably};

/// Which version of a plugin runs; `plugin.json` in its home.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Record {
    /// Digest of the version that runs.
    pub active: Option<String>,
    /// Digest of the one before it.
    #[serde(default)]
    pub previous: Option<String>,
    /// Epoch of its stores: rises with each change of writer.
    pub epoch: u64,
}

/// Why an installed version could not be written or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VersionError {
    /// The system refused.
    #[error("failed to write `{}`: {source}{}", path.display(), way_out(source))]
    Write {
        /// What.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("failed to read `{}`", path.display())]
    Read {
        /// What.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is not what was installed.
    #[error("`{}` is not what was installed: {reason}; install the plugin again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// What is the matter.
        reason: String,
    },
}

impl VersionError {
    /// Whether there is no room for what was to be written.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Write { source, .. } if is_full(source))
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

fn way_out(error: &io::Error) -> &'static str {
    if is_full(error) {
        "; free some space and try again"
    } else {
        ""
    }
}

/// Writes `bundle` below its digest, so that a crash leaves all of it or nothing. There already: checked and kept.
///
/// # Errors
///
/// [`VersionError`]; what was written is taken away again.
pub(crate) fn place(home: &PluginHome, bundle: &Bundle) -> Result<PathBuf, VersionError> {
    let versions = home.versions();
    make_private_dir(&versions).map_err(|source| VersionError::Write {
        path: versions.clone(),
        source,
    })?;
    place_in(&versions, bundle)
}

/// The same below any directory.
pub(crate) fn place_in(versions: &Path, bundle: &Bundle) -> Result<PathBuf, VersionError> {
    let place = versions.join(&bundle.digest);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| VersionError::Write { path, source }
    };
    if place.exists() {
        if verify(&place).is_ok() {
            return Ok(place);
        }
        // Changed since: what is running from it stays mapped, the files are made anew.
        fs::remove_dir_all(&place).map_err(failed(&place))?;
    }
    let draft = tempfile::Builder::new()
        .prefix(".draft-")
        .tempdir_in(versions)
        .map_err(failed(versions))?;
    let files = draft.path().join("files");
    // The draft's own name means nothing to anybody: what is named is where it lies.
    bundle
        .unpack(&files)
        .map_err(|error| failed(versions)(error.source))?;
    sync_tree(&files).map_err(failed(versions))?;
    fs::rename(&files, &place).map_err(failed(&place))?;
    sync_dir(versions).map_err(failed(versions))?;
    Ok(place)
}

/// Reads the `bundle.json` of an installed version and compares every file with it.
///
/// # Errors
///
/// [`VersionError::Changed`] at the first file that was changed, added or removed.
pub(crate) fn verify(place: &Path) -> Result<BundleInfo, VersionError> {
    let path = place.join(INFO);
    let text = fs::read_to_string(&path).map_err(|source| VersionError::Read {
        path: path.clone(),
        source,
    })?;
    let info = BundleInfo::parse(&text).map_err(|error| VersionError::Changed {
        path: path.clone(),
        reason: error.to_string(),
    })?;
    for (name, listed) in &info.files {
        let path = place.join(name);
        let contents = fs::read(&path).map_err(|source| VersionError::Read {
            path: path.clone(),
            source,
        })?;
        if FileInfo::of(&contents) != *listed {
            return Err(VersionError::Changed {
                path,
                reason: "its contents have changed".to_owned(),
            });
        }
    }
    for path in files_below(place).map_err(|source| VersionError::Read {
        path: place.to_owned(),
        source,
    })? {
        let name = path
            .strip_prefix(place)
            .ok()
            .and_then(Path::to_str)
            .unwrap_or_default();
        if name != INFO && name != SIGNATURE && !info.files.contains_key(name) {
            return Err(VersionError::Changed {
                path,
                reason: "it was not in the bundle".to_owned(),
            });
        }
    }
    Ok(info)
}

/// Reads the record; a plugin without one has never run.
///
/// # Errors
///
/// [`VersionError`] if it is there and cannot be read.
pub(crate) fn read_record(home: &PluginHome) -> Result<Record, VersionError> {
    let path = home.record();
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Record::default()),
        Err(source) => return Err(VersionError::Read { path, source }),
        Ok(text) => text,
    };
    serde_json::from_str(&text).map_err(|error| VersionError::Changed {
        path,
        reason: error.to_string(),
    })
}

/// Writes the record, so that a crash leaves the old one or the new.
///
/// # Errors
///
/// [`VersionError::Write`]; the old one is still there.
pub(crate) fn write_record(home: &PluginHome, record: &Record) -> Result<(), VersionError> {
    let path = home.record();
    let failed = |source| VersionError::Write {
        path: path.clone(),
        source,
    };
    make_private_dir(home.root()).map_err(failed)?;
    let text = serde_json::to_vec_pretty(record).map_err(|error| failed(error.into()))?;
    write_durably(&path, &text).map_err(failed)
}

/// Removes the versions that are neither of `keep`, and what an interrupted installation left.
pub(crate) fn clean(home: &PluginHome, keep: &[&str]) {
    let Ok(entries) = fs::read_dir(home.versions()) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !keep.iter().any(|kept| name == **kept) {
            // Left for the next time if it cannot be removed now.
            _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn files_below(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files.extend(files_below(&entry.path())?);
        } else {
            files.push(entry.path());
        }
    }
    Ok(files)
}
