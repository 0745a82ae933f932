//! Room in the write-ahead log, made before anybody waits for it.
//!
//! A commit that makes its file longer waits for the file system's journal too, which takes about as long as the disk
//! itself. So the log gets zeros behind its end when it is opened, and commits write over them. SQLite reads a log only
//! as far as its frames are valid: zeros are as good as the end of the file.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use super::place::log_of;
use crate::api::chain;

/// Bytes that are written at once.
const CHUNK: usize = 256 * 1024;

/// Makes the log of the database at `path` at least `bytes` long. Nobody may write to it meanwhile. That there is no
/// room on the disk is no failure: commits make their own then, or tell it.
///
/// The file is given back open, so that somebody can wait for the disk before the first commit does.
pub(super) fn make(path: &Path, bytes: u64) -> Option<File> {
    let file = File::options().write(true).open(log_of(path)).ok()?;
    let before = file.metadata().ok()?.len();
    match extend(&file, before, bytes) {
        Ok(()) => Some(file),
        Err(error) => {
            tracing::debug!(error = %chain(&error), "no room was made in the write-ahead log");
            _ = file.set_len(before);
            None
        }
    }
}

/// How long the log of the database at `path` is.
pub(super) fn bytes(path: &Path) -> u64 {
    fs::metadata(log_of(path)).map_or(0, |log| log.len())
}

fn extend(mut file: &File, before: u64, bytes: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(before))?;
    let (zeros, mut missing) = ([0; CHUNK], bytes.saturating_sub(before));
    while missing > 0 {
        let more = missing.min(CHUNK as u64);
        file.write_all(&zeros[..more as usize])?;
        missing -= more;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rusqlite::Connection;
    use tempfile::TempDir;

    use super::{CHUNK, bytes, make};

    #[test]
    fn what_is_in_the_log_stays_and_is_read_and_written_on() {
        let dir = TempDir::new().unwrap();
        let (path, log) = (dir.path().join("a.db"), dir.path().join("a.db-wal"));
        let writer = Connection::open(&path).unwrap();
        writer
            .execute_batch(
                "PRAGMA journal_mode = wal; CREATE TABLE a (n); INSERT INTO a VALUES (1)",
            )
            .unwrap();
        let before = fs::read(&log).unwrap();
        let room = CHUNK as u64 * 3 + 7;
        make(&path, room).unwrap();
        let after = fs::read(&log).unwrap();
        assert_eq!(after.len() as u64, room);
        assert!(after.starts_with(&before));
        assert!(after[before.len()..].iter().all(|byte| *byte == 0));
        let sum = |connection: &Connection| -> i64 {
            let found = connection.query_row("SELECT sum(n) FROM a", (), |row| row.get(0));
            found.unwrap()
        };
        // Who comes new reads the log from its beginning: a copy of the files is what a crash leaves.
        let copy = dir.path().join("b.db");
        fs::copy(&path, &copy).unwrap();
        fs::copy(&log, dir.path().join("b.db-wal")).unwrap();
        assert_eq!(sum(&Connection::open(&copy).unwrap()), 1);
        writer.execute("INSERT INTO a VALUES (2)", ()).unwrap();
        assert_eq!(sum(&writer), 3);
        assert_eq!(bytes(&path), room, "written over");
        make(&path, 1).unwrap();
        assert_eq!(bytes(&path), room, "never made shorter");
    }

    #[test]
    fn a_log_that_is_not_there_is_not_made() {
        let dir = TempDir::new().unwrap();
        assert!(make(&dir.path().join("a.db"), 1).is_none());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
