//! Where projections are, as a read model's file says it.

use rusqlite::{Connection, OptionalExtension};

use crate::projection::Projection;
use crate::store::Position;

/// Makes the table: of which revision a projection's rows are, and the position up to which they say what happened.
pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS projection (
   name TEXT PRIMARY KEY, revision INTEGER NOT NULL, position INTEGER NOT NULL
 ) STRICT, WITHOUT ROWID";

/// Revision and checkpoint as the file has them.
pub(super) fn recorded(
    connection: &Connection,
    name: &str,
) -> rusqlite::Result<Option<(u64, Option<Position>)>> {
    let sql = "SELECT revision, position FROM projection WHERE name = ?1";
    connection
        .query_row(sql, [name], |row| {
            let (revision, position): (i64, i64) = (row.get(0)?, row.get(1)?);
            let position = Position::new(position.cast_unsigned());
            Ok((revision.cast_unsigned(), position))
        })
        .optional()
}

/// Writes down of which revision the rows are, and where they are.
pub(super) fn record(
    connection: &Connection,
    projection: &dyn Projection,
    checkpoint: Option<Position>,
) -> rusqlite::Result<()> {
    let position = checkpoint.map_or(0, |position| position.get().cast_signed());
    let sql = "INSERT INTO projection (name, revision, position) VALUES (?1, ?2, ?3) \
               ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, position = excluded.position";
    let revision = projection.revision().cast_signed();
    connection.execute(sql, (projection.name(), revision, position))?;
    Ok(())
}

/// Refuses to move it from anywhere else than where it is thought to be, so that no event is taken in twice or left out
/// if it is not known whether the last transaction was committed.
pub(super) fn move_checkpoint(
    connection: &Connection,
    name: &str,
    from: Option<Position>,
    to: Position,
) -> rusqlite::Result<()> {
    let sql = "UPDATE projection SET position = ?2 WHERE name = ?1 AND position = ?3";
    let from = from.map_or(0, |from| from.get().cast_signed());
    let moved = connection
        .prepare_cached(sql)?
        .execute((name, to.get().cast_signed(), from))?;
    if moved == 1 {
        Ok(())
    } else {
        Err(rusqlite::Error::StatementChangedRows(moved))
    }
}
