//! The queries of the event store.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, Rows};
use uuid::Uuid;

use crate::store::{
    AppendId, EventPage, Metadata, Position, Query, Recorded, RecordedEvent, Snapshot, StreamId,
    StreamVersion,
};

const COLUMNS: &str =
    "position, stream, version, event_id, type, revision, recorded_at, data, meta";
/// Stream names that a connection knows; all are forgotten when there are more.
const KNOWN_STREAMS: usize = 2048;

/// Events that are made room for at once.
const PAGE: usize = 1000;

/// A connection that reads, with the names that it has met.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) connection: Connection,
    pub(super) names: Names,
}

impl From<Connection> for Reader {
    fn from(connection: Connection) -> Self {
        Self {
            connection,
            names: Names::default(),
        }
    }
}

/// What the numbers of streams and types stand for. They never change, so they are looked up once, and events of one
/// stream share its name.
#[derive(Debug, Default)]
pub(super) struct Names {
    streams: HashMap<i64, StreamId>,
    types: HashMap<i64, Arc<str>>,
    /// The one that was asked for last: most often that of the next event too.
    stream: Option<(i64, StreamId)>,
    event_type: Option<(i64, Arc<str>)>,
}

impl Names {
    fn stream(&mut self, connection: &Connection, id: i64) -> rusqlite::Result<StreamId> {
        if let Some((_, name)) = self.stream.as_ref().filter(|(last, _)| *last == id) {
            return Ok(name.clone());
        }
        if self.streams.len() >= KNOWN_STREAMS && !self.streams.contains_key(&id) {
            self.streams.clear();
        }
        let name = match self.streams.entry(id) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(new) => {
                let name = name(connection, "SELECT name FROM stream WHERE id = ?1", id)?;
                new.insert(StreamId::new(name)).clone()
            }
        };
        self.stream = Some((id, name.clone()));
        Ok(name)
    }

    fn event_type(&mut self, connection: &Connection, id: i64) -> rusqlite::Result<Arc<str>> {
        if let Some((_, name)) = self.event_type.as_ref().filter(|(last, _)| *last == id) {
            return Ok(name.clone());
        }
        let name = match self.types.entry(id) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(new) => {
                let name = name(connection, "SELECT name FROM event_type WHERE id = ?1", id)?;
                new.insert(name).clone()
            }
        };
        self.event_type = Some((id, name.clone()));
        Ok(name)
    }
}

fn name(connection: &Connection, sql: &str, id: i64) -> rusqlite::Result<Arc<str>> {
    connection
        .prepare_cached(sql)?
        .query_row([id], |row| Ok(Arc::from(row.get_ref(0)?.as_str()?)))
}

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
    names: &mut Names,
    stream: &StreamId,
    after: Option<StreamVersion>,
    limit: usize,
) -> rusqlite::Result<Vec<RecordedEvent>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM event WHERE stream = (SELECT id FROM stream WHERE name = ?1) \
         AND version > ?2 ORDER BY version LIMIT ?3"
    );
    let after = after.map_or(0, |after| number(after.get()));
    let most = number(limit as u64);
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query((stream.as_str(), after, most))?;
    events(connection, names, rows, Vec::new())
}

pub(super) fn all(
    connection: &Connection,
    names: &mut Names,
    after: Option<Position>,
    query: &Query,
    limit: usize,
) -> rusqlite::Result<EventPage> {
    let mut page = EventPage {
        events: Vec::new(),
        scanned_to: after,
    };
    if limit == 0 {
        return Ok(page);
    }
    let sql = format!("SELECT {COLUMNS} FROM event WHERE position > ?1 ORDER BY position LIMIT ?2");
    let from = after.map_or(0, |after| number(after.get()));
    let most = number(query.scanned(limit) as u64);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((from, most))?;
    if query.is_all() {
        // Most pages of all events are full.
        let room = Vec::with_capacity(limit.min(PAGE));
        page.events = events(connection, names, rows, room)?;
        let last = page.events.last().map(|event| event.position);
        page.scanned_to = last.or(after);
        return Ok(page);
    }
    // What a number stands for fits or does not fit however often it comes.
    let (mut streams, mut types) = (HashMap::new(), HashMap::new());
    while let Some(row) = rows.next()? {
        page.scanned_to = Position::new(row.get::<_, i64>(0)?.cast_unsigned());
        let (stream, kind): (i64, i64) = (row.get(1)?, row.get(4)?);
        let fits = match types.get(&kind) {
            Some(fits) => *fits,
            None => {
                let fits = query.takes_type(&names.event_type(connection, kind)?);
                *types.entry(kind).or_insert(fits)
            }
        };
        if !fits {
            continue;
        }
        let fits = match streams.get(&stream) {
            Some(fits) => *fits,
            None => {
                let fits = query.takes_stream(names.stream(connection, stream)?.as_str());
                *streams.entry(stream).or_insert(fits)
            }
        };
        if fits {
            page.events.push(event(connection, names, row)?);
            if page.events.len() == limit {
                break;
            }
        }
    }
    Ok(page)
}

/// A number of a caller's, which may be greater than any that is stored.
fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What was stored under this id: the event of that id and those that follow it without a hole, and the reply.
pub(super) fn append(
    connection: &Connection,
    names: &mut Names,
    id: AppendId,
) -> rusqlite::Result<Option<Recorded>> {
    let sql = format!("SELECT {COLUMNS} FROM event WHERE event_id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut recorded = Recorded::default();
    loop {
        let next = id.event_id(recorded.events.len());
        let mut rows = statement.query([next.as_bytes()])?;
        let Some(row) = rows.next()? else { break };
        recorded.events.push(event(connection, names, row)?);
    }
    recorded.reply = connection
        .prepare_cached("SELECT body FROM reply WHERE append_id = ?1")?
        .query_row([id.0.as_bytes()], |row| row.get(0))
        .optional()?;
    let happened = !recorded.events.is_empty() || recorded.reply.is_some();
    Ok(happened.then_some(recorded))
}

/// The snapshot of a stream, if it is not of more events than the stream has.
pub(super) fn snapshot(
    connection: &Connection,
    stream: StreamId,
) -> rusqlite::Result<Option<Snapshot>> {
    let sql = "SELECT snapshot.version, fingerprint, body FROM stream JOIN snapshot ON snapshot.stream = stream.id \
               JOIN event ON event.stream = stream.id AND event.version = snapshot.version WHERE stream.name = ?1";
    let found = connection
        .prepare_cached(sql)?
        .query_row([stream.as_str()], |row| {
            let version = row.get::<_, i64>(0)?.cast_unsigned();
            let fingerprint = row.get::<_, i64>(1)?.cast_unsigned();
            Ok((version, fingerprint, row.get(2)?))
        })
        .optional()?;
    Ok(found.and_then(|(version, fingerprint, body)| {
        Some(Snapshot {
            stream,
            version: StreamVersion::new(version)?,
            fingerprint,
            body,
        })
    }))
}

fn events(
    connection: &Connection,
    names: &mut Names,
    mut rows: Rows<'_>,
    mut events: Vec<RecordedEvent>,
) -> rusqlite::Result<Vec<RecordedEvent>> {
    while let Some(row) = rows.next()? {
        events.push(event(connection, names, row)?);
    }
    Ok(events)
}

fn event(
    connection: &Connection,
    names: &mut Names,
    row: &Row<'_>,
) -> rusqlite::Result<RecordedEvent> {
    let number = |index: usize| row.get::<_, i64>(index).map(i64::cast_unsigned);
    let id = row.get_ref(3)?.as_blob()?;
    let meta = row.get_ref(8)?.as_blob()?;
    Ok(RecordedEvent {
        position: Position::new(number(0)?).ok_or_else(|| damaged(0))?,
        stream: names.stream(connection, row.get(1)?)?,
        version: StreamVersion::new(number(2)?).ok_or_else(|| damaged(2))?,
        event_id: Uuid::from_slice(id).map_err(|_| damaged(3))?,
        event_type: names.event_type(connection, row.get(4)?)?,
        revision: row.get(5)?,
        recorded_at: row.get(6)?,
        data: row.get_ref(7)?.as_blob()?.to_vec(),
        metadata: metadata(meta).map_err(|_| damaged(8))?,
    })
}

/// The column with this number holds what no writer of events puts there.
fn damaged(column: usize) -> rusqlite::Error {
    let kind = if matches!(column, 3 | 8) {
        Type::Blob
    } else {
        Type::Integer
    };
    rusqlite::Error::InvalidColumnType(column, "event".to_owned(), kind)
}

fn metadata(meta: &[u8]) -> serde_json::Result<Metadata> {
    if meta == b"{}" {
        return Ok(Metadata::default());
    }
    serde_json::from_slice(meta)
}
