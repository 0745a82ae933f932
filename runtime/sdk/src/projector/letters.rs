//! Dead letters: events that a projection could not take in, and those that wait behind them.
//!
//! An event that fails is *parked*; later events of the same key are *held*, so that the rows of a key never see its
//! events in another order. All of it is rows of the read model: ten thousand held events cost no memory.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::Serialize;

use crate::store::{Position, RecordedEvent};

/// Characters of a reason that are kept.
const REASON: usize = 1000;

/// Makes the table. The first letter of a key is the one that failed; the others of the key are held behind it.
pub(super) const TABLE: &str = "
  CREATE TABLE IF NOT EXISTS dead_letter (
    projection TEXT NOT NULL, key TEXT NOT NULL, position INTEGER NOT NULL, event TEXT NOT NULL,
    held INTEGER NOT NULL, reason TEXT, tries INTEGER NOT NULL, first_tried INTEGER, last_tried INTEGER,
    PRIMARY KEY (projection, key, position)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS dead_letter_by_position ON dead_letter (projection, position);";

/// One event that a projection has not taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct DeadLetter {
    pub(crate) projection: String,
    pub(crate) key: String,
    pub(crate) position: u64,
    /// Type with revision.
    pub(crate) event: String,
    /// Whether it only waits behind one that failed.
    pub(crate) held: bool,
    pub(crate) reason: Option<String>,
    pub(crate) tries: u32,
    /// UTC; none of a letter that is held.
    pub(crate) first_tried: Option<Timestamp>,
    pub(crate) last_tried: Option<Timestamp>,
}

/// Where a letter is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) key: String,
    pub(super) position: Position,
}

/// Which letters of a projection are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    All,
    /// Those of the keys behind this one.
    Behind(String),
    /// Those of this key.
    Only(String),
}

/// Whether `key` has letters, so that what comes for it is held.
pub(super) fn has(connection: &Connection, projection: &str, key: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM dead_letter WHERE projection = ?1 AND key = ?2 LIMIT 1")?
        .exists((projection, key))
}

/// Parks `event`, which failed `tries` times.
pub(super) fn park(
    connection: &Connection,
    projection: &str,
    key: &str,
    event: &RecordedEvent,
    reason: &str,
    tries: u32,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO dead_letter \
                 (projection, key, position, event, held, reason, tries, first_tried, last_tried) \
               VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?7, ?7)";
    connection.prepare_cached(sql)?.execute((
        projection,
        key,
        number(event.position),
        event.versioned_type(),
        shortened(reason),
        tries,
        now(),
    ))?;
    Ok(())
}

/// Holds `event` behind the letters of its key.
pub(super) fn hold(
    connection: &Connection,
    projection: &str,
    key: &str,
    event: &RecordedEvent,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO dead_letter (projection, key, position, event, held, tries) \
               VALUES (?1, ?2, ?3, ?4, 1, 0)";
    connection.prepare_cached(sql)?.execute((
        projection,
        key,
        number(event.position),
        event.versioned_type(),
    ))?;
    Ok(())
}

/// Notes that a letter failed once more.
pub(super) fn failed_again(
    connection: &Connection,
    projection: &str,
    place: &Place,
    reason: &str,
) -> rusqlite::Result<()> {
    let sql = "UPDATE dead_letter SET held = 0, reason = ?4, tries = tries + 1, \
                 first_tried = coalesce(first_tried, ?5), last_tried = ?5 \
               WHERE projection = ?1 AND key = ?2 AND position = ?3";
    let position = number(place.position);
    connection.prepare_cached(sql)?.execute((
        projection,
        &place.key,
        position,
        shortened(reason),
        now(),
    ))?;
    Ok(())
}

/// Removes a letter.
pub(super) fn remove(
    connection: &Connection,
    projection: &str,
    place: &Place,
) -> rusqlite::Result<()> {
    let sql = "DELETE FROM dead_letter WHERE projection = ?1 AND key = ?2 AND position = ?3";
    connection
        .prepare_cached(sql)?
        .execute((projection, &place.key, number(place.position)))?;
    Ok(())
}

/// Up to `limit` letters of `scope`, key by key, each key's in the order of their positions.
pub(super) fn page(
    connection: &Connection,
    projection: &str,
    scope: &Scope,
    limit: usize,
) -> rusqlite::Result<Vec<Place>> {
    let (condition, value) = match scope {
        Scope::All => ("?2 IS NULL", None),
        Scope::Behind(key) => ("key > ?2", Some(key)),
        Scope::Only(key) => ("key = ?2", Some(key)),
    };
    let sql = format!(
        "SELECT key, position FROM dead_letter WHERE projection = ?1 AND {condition} \
         ORDER BY key, position LIMIT {limit}"
    );
    let mut rows = connection.prepare_cached(&sql)?;
    let rows = rows.query_map((projection, value), |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
    })?;
    rows.filter_map(|row| {
        row.map(|(key, position)| {
            let position = Position::new(position.cast_unsigned())?;
            Some(Place { key, position })
        })
        .transpose()
    })
    .collect()
}

/// How many letters `projection` has.
pub(super) fn count(connection: &Connection, projection: &str) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM dead_letter WHERE projection = ?1";
    connection
        .prepare_cached(sql)?
        .query_row([projection], |row| row.get::<_, i64>(0))
        .map(i64::cast_unsigned)
}

/// The first letter of `projection`, which is the first of its key too.
pub(super) fn first(
    connection: &Connection,
    projection: &str,
) -> rusqlite::Result<Option<DeadLetter>> {
    let sql = format!("{SELECT} WHERE projection = ?1 ORDER BY position LIMIT 1");
    connection
        .prepare_cached(&sql)?
        .query_row([projection], letter)
        .optional()
}

/// The letter at `position`, and the position of the first letter of its key.
pub(super) fn at(
    connection: &Connection,
    projection: &str,
    position: Position,
) -> rusqlite::Result<Option<(DeadLetter, u64)>> {
    let sql = format!("{SELECT} WHERE projection = ?1 AND position = ?2");
    let found = connection
        .prepare_cached(&sql)?
        .query_row((projection, number(position)), letter)
        .optional()?;
    let Some(found) = found else {
        return Ok(None);
    };
    let sql = "SELECT min(position) FROM dead_letter WHERE projection = ?1 AND key = ?2";
    let first: i64 = connection
        .prepare_cached(sql)?
        .query_row((projection, &found.key), |row| row.get(0))?;
    Ok(Some((found, first.cast_unsigned())))
}

/// Up to `limit` letters of `projections`, in the order of their positions, those that failed before those that wait.
pub(crate) fn list(
    connection: &Connection,
    projections: &[String],
    limit: usize,
) -> rusqlite::Result<Vec<DeadLetter>> {
    let mut letters = Vec::new();
    for projection in projections {
        let sql = format!(
            "{SELECT} WHERE projection = ?1 ORDER BY held, position LIMIT {}",
            limit - letters.len()
        );
        let mut rows = connection.prepare_cached(&sql)?;
        for found in rows.query_map([projection], letter)? {
            letters.push(found?);
        }
    }
    Ok(letters)
}

/// The positions of up to `limit` letters of `projection` that failed.
pub(crate) fn parked(
    connection: &Connection,
    projection: &str,
    limit: usize,
) -> rusqlite::Result<Vec<u64>> {
    let sql = format!(
        "SELECT position FROM dead_letter WHERE projection = ?1 AND held = 0 ORDER BY position LIMIT {limit}"
    );
    let mut rows = connection.prepare_cached(&sql)?;
    rows.query_map([projection], |row| row.get::<_, i64>(0))?
        .map(|row| row.map(i64::cast_unsigned))
        .collect()
}

/// Whether one of `projections` has a letter from `first` to `last`: whether it lacks a part of one append.
pub(crate) fn are_parked(
    connection: &Connection,
    projections: &[String],
    first: Position,
    last: Position,
) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM dead_letter WHERE projection = ?1 AND position BETWEEN ?2 AND ?3";
    let mut rows = connection.prepare_cached(sql)?;
    for projection in projections {
        if rows.exists((projection, number(first), number(last)))? {
            return Ok(true);
        }
    }
    Ok(false)
}

const SELECT: &str = "SELECT projection, key, position, event, held, reason, tries, first_tried, last_tried \
                      FROM dead_letter";

fn letter(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    let time = |nth| -> rusqlite::Result<Option<Timestamp>> {
        let micros: Option<i64> = row.get(nth)?;
        Ok(micros.and_then(|micros| Timestamp::from_microsecond(micros).ok()))
    };
    Ok(DeadLetter {
        projection: row.get(0)?,
        key: row.get(1)?,
        position: row.get::<_, i64>(2)?.cast_unsigned(),
        event: row.get(3)?,
        held: row.get(4)?,
        reason: row.get(5)?,
        tries: row.get(6)?,
        first_tried: time(7)?,
        last_tried: time(8)?,
    })
}

const fn number(position: Position) -> i64 {
    position.get().cast_signed()
}

fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

fn shortened(reason: &str) -> &str {
    match reason.char_indices().nth(REASON) {
        Some((end, _)) => &reason[..end],
        None => reason,
    }
}
