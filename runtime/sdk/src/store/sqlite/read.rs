//! The queries of the event store.

use std::sync::Arc;

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

use crate::store::{
    AppendId, EventPage, Metadata, Position, RecordedEvent, StreamId, StreamVersion,
};

const COLUMNS: &str = "event.position, stream.name, event.version, event.event_id, event_type.name, event.revision, \
                       event.recorded_at, event.data, event.meta";
const TABLES: &str =
    "event JOIN stream ON stream.id = event.stream JOIN event_type ON event_type.id = event.type";

pub(super) fn last_position(connection: &Connection) -> rusqlite::Result<Option<Position>> {
    let last: Option<i64> =
        connection.query_row("SELECT max(position) FROM event", (), |row| row.get(0))?;
    Ok(last.and_then(|last| Position::new(last.cast_unsigned())))
}

pub(crate) fn epoch(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT value FROM meta WHERE key = 'epoch'";
    Ok(connection
        .prepare_cached(sql)?
        .query_row((), |row| row.get::<_, i64>(0))?
        .cast_unsigned())
}

pub(super) fn stream(
    connection: &Connection,
    stream: &StreamId,
    after: Option<StreamVersion>,
    limit: usize,
) -> rusqlite::Result<Vec<RecordedEvent>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE event.stream = (SELECT id FROM stream WHERE name = ?1) \
         AND event.version > ?2 ORDER BY event.version LIMIT ?3"
    );
    let after = after.map_or(0, |after| after.get().cast_signed());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    connection
        .prepare_cached(&sql)?
        .query_map((stream.as_str(), after, limit), event)?
        .collect()
}

pub(super) fn all(
    connection: &Connection,
    after: Option<Position>,
    limit: usize,
) -> rusqlite::Result<EventPage> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE event.position > ?1 ORDER BY event.position LIMIT ?2"
    );
    let from = after.map_or(0, |after| after.get().cast_signed());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let events: Vec<_> = connection
        .prepare_cached(&sql)?
        .query_map((from, limit), event)?
        .collect::<rusqlite::Result<_>>()?;
    let scanned_to = events.last().map(|event| event.position).or(after);
    Ok(EventPage { events, scanned_to })
}

/// The events of the append with this id: its own id and those that follow it without a hole.
pub(super) fn append(
    connection: &Connection,
    id: AppendId,
) -> rusqlite::Result<Option<Vec<RecordedEvent>>> {
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE event.event_id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut events = Vec::new();
    while let Some(found) = statement
        .query_row([id.event_id(events.len()).as_bytes()], event)
        .optional()?
    {
        events.push(found);
    }
    Ok((!events.is_empty()).then_some(events))
}

fn event(row: &Row<'_>) -> rusqlite::Result<RecordedEvent> {
    let number = |index: usize| row.get::<_, i64>(index).map(i64::cast_unsigned);
    let damaged = |index: usize, kind: Type| {
        rusqlite::Error::InvalidColumnType(index, "event".to_owned(), kind)
    };
    let id: [u8; 16] = row.get(3)?;
    let meta = row.get_ref(8)?.as_blob()?;
    Ok(RecordedEvent {
        position: Position::new(number(0)?).ok_or_else(|| damaged(0, Type::Integer))?,
        stream: StreamId::new(row.get_ref(1)?.as_str()?),
        version: StreamVersion::new(number(2)?).ok_or_else(|| damaged(2, Type::Integer))?,
        event_id: Uuid::from_bytes(id),
        event_type: Arc::from(row.get_ref(4)?.as_str()?),
        revision: row.get(5)?,
        recorded_at: row.get(6)?,
        data: row.get(7)?,
        metadata: metadata(meta).map_err(|_| damaged(8, Type::Blob))?,
    })
}

fn metadata(meta: &[u8]) -> serde_json::Result<Metadata> {
    if meta == b"{}" {
        return Ok(Metadata::default());
    }
    serde_json::from_slice(meta)
}
