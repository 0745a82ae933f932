//! Where the files of an open database lie.
//!
//! Whoever moves them away, or puts a backup in their place, leaves the writer with files that lie in no directory any
//! more. SQLite goes on writing to those, and what it is told to keep is gone with the process. So the writer looks before
//! each transaction.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::ffi;

/// The files as they were when they were opened.
pub(super) struct Place {
    files: [(PathBuf, Option<Identity>); 2],
}

/// Device and number of a file.
type Identity = (u64, u64);

impl Place {
    /// The database at `path` and its log, which must be open.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let known = |path: PathBuf| -> io::Result<_> {
            let identity = identity(&path)?;
            Ok((path, identity))
        };
        Ok(Self {
            files: [known(path.to_owned())?, known(log_of(path))?],
        })
    }

    /// Says so if other files lie there, or none.
    pub(super) fn check(&self) -> rusqlite::Result<()> {
        for (path, opened) in &self.files {
            let there = identity(path).unwrap_or_default();
            if there.is_none() || there != *opened {
                let told = format!(
                    "`{}` was taken away or replaced while it was open: put it back, or reload the plugin",
                    path.display()
                );
                let code = ffi::Error::new(ffi::SQLITE_CANTOPEN);
                return Err(rusqlite::Error::SqliteFailure(code, Some(told)));
            }
        }
        Ok(())
    }
}

/// The write-ahead log of the database at `path`.
pub(super) fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

fn identity(path: &Path) -> io::Result<Option<Identity>> {
    match std::fs::symlink_metadata(path) {
        Ok(found) => Ok(Some((found.dev(), found.ino()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
