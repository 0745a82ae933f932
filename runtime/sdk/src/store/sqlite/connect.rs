//! Opens connections with the settings that everything here relies on, and reads the settings back.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::Durability;
use crate::store::OpenError;

/// The first release without the bug that loses commits when two connections share a WAL.
const NEEDED_SQLITE: (i32, &str) = (3_051_003, "3.51.3");
const BUSY: Duration = Duration::from_secs(5);

/// What a connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write(Durability),
}

/// Refuses to work on a SQLite that can lose commits.
pub(super) fn assert_version() -> Result<(), OpenError> {
    if rusqlite::version_number() < NEEDED_SQLITE.0 {
        return Err(OpenError::SqliteTooOld {
            linked: rusqlite::version(),
            needed: NEEDED_SQLITE.1,
        });
    }
    Ok(())
}

/// Opens `path`; for writing, makes it in WAL mode if it is not there.
pub(crate) fn connect(path: &Path, access: Access) -> Result<Connection, OpenError> {
    let failed = |source| OpenError::Storage {
        path: path.to_owned(),
        source,
    };
    let flags = match access {
        Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Access::Write(_) => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    };
    let mut connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    let Access::Write(durability) = access else {
        return Ok(connection);
    };
    // A transaction that reads first and then writes is refused at once where somebody else has the lock for a moment,
    // an outside reader that recovers the WAL for instance; one that asks for the lock first waits for it.
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    let mode = to_wal(&connection).map_err(failed)?;
    if mode != "wal" {
        return Err(OpenError::Setting {
            path: path.to_owned(),
            setting: "journal_mode=wal",
            actual: mode,
        });
    }
    let (setting, wanted) = match durability {
        Durability::PowerSafe => ("synchronous=FULL", 2),
        Durability::ProcessSafe => ("synchronous=NORMAL", 1),
    };
    connection
        .pragma_update(None, "synchronous", wanted)
        .map_err(failed)?;
    let actual: i64 = connection
        .pragma_query_value(None, "synchronous", |row| row.get(0))
        .map_err(failed)?;
    if actual != wanted {
        return Err(OpenError::Setting {
            path: path.to_owned(),
            setting,
            actual: actual.to_string(),
        });
    }
    Ok(connection)
}

/// Turns a file to WAL. SQLite answers "busy" here without asking the busy handler, so this waits itself.
fn to_wal(connection: &Connection) -> rusqlite::Result<String> {
    let until = Instant::now() + BUSY;
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)) {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < until =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            other => return other,
        }
    }
}
