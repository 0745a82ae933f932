//! Looking after the database: counts, verification, a copy. All of it reads, beside the writer.

use std::fs::{self, File};
use std::path::Path;

use rusqlite::Connection;
use serde_json::{Map, Value, json};

use super::read;
use crate::store::CareError;

/// Faults of one kind that are listed.
const LISTED: usize = 10;

/// What there is: events by type, streams, bytes, and the numbers of the file.
pub(super) fn stats(connection: &Connection, path: &Path) -> Result<Value, CareError> {
    let count = |sql: &str| connection.query_row(sql, (), |row| row.get::<_, i64>(0));
    let meta = |key: &str| {
        let sql = "SELECT value FROM meta WHERE key = ?1";
        connection.query_row(sql, [key], |row| row.get::<_, i64>(0))
    };
    let sql = "SELECT event_type.name, event.revision, count(*) FROM event \
               JOIN event_type ON event_type.id = event.type GROUP BY 1, 2 ORDER BY 1, 2";
    let mut types = Map::new();
    let mut rows = connection.prepare(sql)?;
    let mut rows = rows.query(())?;
    while let Some(row) = rows.next()? {
        let (name, revision): (String, u32) = (row.get(0)?, row.get(1)?);
        types.insert(format!("{name}_v{revision}"), row.get::<_, i64>(2)?.into());
    }
    let bytes = |suffix: &str| {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        fs::metadata(file).map_or(0, |metadata| metadata.len())
    };
    Ok(json!({
        "events": count("SELECT count(*) FROM event")?,
        "streams": count("SELECT count(*) FROM stream")?,
        "replies": count("SELECT count(*) FROM reply")?,
        "snapshots": count("SELECT count(*) FROM snapshot")?,
        "last_position": read::last_position(connection)?.map(|position| position.get()),
        "types": types,
        "bytes": bytes(""),
        "wal_bytes": bytes("-wal"),
        "epoch": meta("epoch")?,
        "format": count("PRAGMA user_version")?,
        "sqlite": rusqlite::version(),
    }))
}

/// Reads every page and every event, and says what does not fit.
pub(super) fn verify(connection: &Connection) -> Result<Value, CareError> {
    let mut faults = Vec::new();
    let mut look = |what: &str, sql: &str| -> rusqlite::Result<()> {
        let mut rows = connection.prepare(sql)?;
        let rows = rows.query_map((), |row| row.get::<_, String>(0))?;
        for row in rows.take(LISTED) {
            faults.push(format!("{what}: {}", row?));
        }
        Ok(())
    };
    look(
        "the file",
        "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    )?;
    look(
        "a reference to what is not there",
        "SELECT \"table\" || ' ' || coalesce(rowid, '') FROM pragma_foreign_key_check",
    )?;
    look(
        "a stream with a hole",
        "SELECT name || ' has ' || count(*) || ' events, the last at version ' || max(event.version) \
         FROM event JOIN stream ON stream.id = event.stream GROUP BY event.stream \
         HAVING min(event.version) <> 1 OR max(event.version) <> count(*)",
    )?;
    look(
        "events missing at the end",
        "SELECT 'position ' || seq || ' was given, the last event has ' || coalesce(max(position), 0) \
         FROM sqlite_sequence JOIN event WHERE name = 'event' HAVING coalesce(max(position), 0) < seq",
    )?;
    look(
        "a payload that is not JSON",
        "SELECT 'event ' || position FROM event WHERE NOT json_valid(CAST(data AS TEXT)) \
           OR NOT json_valid(CAST(meta AS TEXT))",
    )?;
    look(
        "a reply that is not JSON",
        "SELECT 'append ' || hex(append_id) FROM reply WHERE NOT json_valid(CAST(body AS TEXT))",
    )?;
    let events =
        connection.query_row("SELECT count(*) FROM event", (), |row| row.get::<_, i64>(0))?;
    Ok(json!({"events": events, "sound": faults.is_empty(), "faults": faults}))
}

/// Writes a copy as of now; writers go on meanwhile.
pub(super) fn backup(connection: &Connection, to: &Path) -> Result<Value, CareError> {
    let failed = |source| CareError::File {
        path: to.to_owned(),
        source,
    };
    let dir = to.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir).map_err(failed)?;
    let draft = tempfile::tempdir_in(dir).map_err(failed)?;
    let copy = draft.path().join("copy.db");
    connection.execute("VACUUM INTO ?1", [copy.to_string_lossy()])?;
    File::open(&copy)
        .and_then(|file| file.sync_all())
        .map_err(failed)?;
    fs::rename(&copy, to).map_err(failed)?;
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(failed)?;
    let bytes = fs::metadata(to).map_err(failed)?.len();
    Ok(json!({"path": to, "bytes": bytes}))
}
