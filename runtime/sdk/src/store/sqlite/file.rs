//! What holds for every database of a plugin: one opener at a time, formats that only expand, epochs that only rise.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::read::epoch;
use crate::fault;
use crate::store::OpenError;

/// The lock of a database, let go when it is dropped.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that is being started at this moment has a copy of the descriptor.
        _ = self.0.unlock();
    }
}

/// Takes `{path}.lock`, which is held as long as the database is open, and makes the directory.
pub(crate) fn lock(path: &Path) -> Result<Lock, OpenError> {
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let lock_path = PathBuf::from(lock_path);
    let failed = |source| OpenError::Files {
        path: lock_path.clone(),
        source,
    };
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(|source| OpenError::Files {
            path: dir.to_owned(),
            source,
        })?;
    }
    let file = File::options()
        .create(true)
        .append(true)
        .open(&lock_path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Brings the file to the format that the last step of `ladder` makes, in one transaction, or refuses it: a file that a
/// newer SDK wrote says in `min_reader` how much its reader must know, and is left as it is if that is enough.
pub(crate) fn migrate(
    connection: &mut Connection,
    path: &Path,
    ladder: &[&str],
) -> Result<(), OpenError> {
    let failed = |source| OpenError::Storage {
        path: path.to_owned(),
        source,
    };
    let transaction = connection.transaction().map_err(failed)?;
    let format: u32 = transaction
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(failed)?;
    let known = ladder.len() as u32;
    if format > 0 {
        let sql = "SELECT value FROM meta WHERE key = 'min_reader'";
        let needed: u32 = transaction
            .query_row(sql, (), |row| row.get(0))
            .map_err(failed)?;
        if needed > known {
            return Err(OpenError::TooNew {
                path: path.to_owned(),
                needed,
                known,
            });
        }
    }
    for step in ladder.iter().skip(format as usize) {
        transaction.execute_batch(step).map_err(failed)?;
    }
    if format < known {
        transaction
            .pragma_update(None, "user_version", known)
            .map_err(failed)?;
        fault::point("open.before_format");
    }
    transaction.commit().map_err(failed)?;
    fault::point("open.after_format");
    Ok(())
}

/// Makes `asked` the epoch of the file: writers of an older one are fenced from here on.
pub(crate) fn raise_epoch(
    connection: &mut Connection,
    path: &Path,
    asked: u64,
) -> Result<(), OpenError> {
    let failed = |source| OpenError::Storage {
        path: path.to_owned(),
        source,
    };
    let transaction = connection.transaction().map_err(failed)?;
    let actual = epoch(&transaction).map_err(failed)?;
    if actual > asked {
        return Err(OpenError::Fenced {
            path: path.to_owned(),
            asked,
            actual,
        });
    }
    if actual < asked {
        let sql = "UPDATE meta SET value = ?1 WHERE key = 'epoch'";
        transaction
            .execute(sql, [asked.cast_signed()])
            .map_err(failed)?;
    }
    fault::point("open.before_epoch");
    transaction.commit().map_err(failed)?;
    fault::point("open.after_epoch");
    Ok(())
}
