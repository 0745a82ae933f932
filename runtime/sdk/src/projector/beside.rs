//! The files in which projections are built anew, beside the read model: where they lie, and which are still wanted.
//!
//! A file is the read model of one projection, with the revision and the checkpoint of its rows. So a build goes on
//! after a crash, and a file of other code, or of events that are no longer there, is known and removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::checkpoint::recorded;
use crate::fingerprint::fingerprint;
use crate::projection::Projection;
use crate::store::{Access, Durability, OpenError, Position, connect};

/// The file for `projection` beside the read model at `model`.
pub(super) fn path(model: &Path, projection: &str) -> PathBuf {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let name = if projection.len() <= 64 && projection.chars().all(plain) {
        projection.to_owned()
    } else {
        // A hyphen, so that it is no plain name.
        format!("-{:016x}", fingerprint(projection.as_bytes()))
    };
    let mut path = model.as_os_str().to_owned();
    path.push(format!("{MARK}{name}.db"));
    path.into()
}

/// Stands between the name of a read model and that of a projection.
const MARK: &str = ".rebuild-";

/// Removes the file and what SQLite keeps beside it. None there: nothing happens.
pub(super) fn remove(path: &Path) -> Result<(), OpenError> {
    // The database itself first: SQLite forgets what it finds beside a new one, but an old one without its log would be
    // taken for a whole one.
    for suffix in ["", "-journal", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        match fs::remove_file(&file) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                let path = file.into();
                return Err(OpenError::Files { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Removes the read model at `model` and every file beside it.
pub(crate) fn forget(model: &Path) -> Result<(), OpenError> {
    sweep(model, &[])?;
    remove(model)
}

/// Removes the files beside `model` that are of none of `projections`.
pub(super) fn sweep(model: &Path, projections: &[&str]) -> Result<(), OpenError> {
    let (Some(dir), Some(name)) = (model.parent(), model.file_name()) else {
        return Ok(());
    };
    let failed = |source| OpenError::Files {
        path: dir.to_owned(),
        source,
    };
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed)?,
    };
    let wanted: Vec<_> = projections.iter().map(|one| path(model, one)).collect();
    let ours = format!("{}{MARK}", name.to_string_lossy());
    for entry in entries {
        let found = entry.map_err(failed)?.path();
        let file = found.file_name().unwrap_or_default().to_string_lossy();
        let is_database = file.starts_with(&ours) && file.ends_with(".db");
        if is_database && !wanted.contains(&found) {
            remove(&found)?;
        }
    }
    Ok(())
}

/// Whether the file at `path` is a build of `projection` as it is now, that can go on in a store that is at `head`.
pub(super) fn goes_on(path: &Path, projection: &dyn Projection, head: Option<Position>) -> bool {
    if !path.exists() {
        return false;
    }
    let Ok(connection) = connect(path, Access::Write(Durability::ProcessSafe)) else {
        return false;
    };
    matches!(recorded(&connection, projection.name()), Ok(Some((revision, checkpoint)))
        if revision == projection.revision() && checkpoint <= head)
}
