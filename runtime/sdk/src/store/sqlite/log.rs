//! What is written to the log: one append after the other, in a transaction that somebody else begins and ends.

use std::collections::HashMap;

use rusqlite::{CachedStatement, Connection, OptionalExtension};

use super::read::{self, Names};
use super::unseen::Unseen;
use crate::fault;
use crate::store::{
    AppendError, AppendRequest, Metadata, Position, Receipt, Snapshot, StreamId, StreamVersion,
};

/// Streams whose version is kept in memory; all are forgotten when there are more.
const KNOWN_STREAMS: usize = 100_000;
/// How `data` and `meta` are encoded: JSON text.
const CODEC: i64 = 1;

/// What an append comes to.
pub(super) type Answer = Result<Receipt, AppendError>;

/// A stream as the writer knows it. Only one thread changes it, so knowing it once is enough.
#[derive(Debug, Clone, Copy)]
struct Known {
    id: i64,
    version: u64,
}

/// What the writer knows of the log, so that it need not ask.
#[derive(Debug)]
pub(super) struct Log {
    streams: HashMap<StreamId, Known>,
    types: HashMap<String, i64>,
    names: Names,
    unseen: Unseen,
    /// The metadata that is being written.
    metadata: Vec<u8>,
}

impl Log {
    pub(super) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            streams: HashMap::new(),
            types: HashMap::new(),
            names: Names::default(),
            unseen: Unseen::of(connection)?,
            metadata: Vec::new(),
        })
    }

    /// Forgets what a transaction has taught that was taken back. (The ids that it took count as used still, and are
    /// looked up.)
    pub(super) fn forget(&mut self) {
        self.streams.clear();
        self.types.clear();
    }

    /// Appends one request. Everything that can be refused is refused before the first insert.
    ///
    /// # Errors
    ///
    /// If the database fails: then the transaction must be taken back, and [`Log::forget`] called.
    pub(super) fn append(
        &mut self,
        connection: &Connection,
        inserts: &mut Inserts<'_>,
        request: &AppendRequest,
        now: i64,
    ) -> rusqlite::Result<Answer> {
        let (from, to) = request.id.span();
        if !self.unseen.has(from, to) && inserts.have(request)? {
            let recorded = read::append(connection, &mut self.names, request.id)?;
            return Ok(recorded.unwrap_or_default().receipt(request));
        }
        if let Some(refused) = self.refuse(connection, request)? {
            return Ok(Err(refused));
        }
        let mut receipt = Receipt {
            first: None,
            last: None,
            versions: Vec::with_capacity(request.writes.len()),
            replayed: false,
        };
        let mut nth = 0;
        for write in request
            .writes
            .iter()
            .filter(|write| !write.events.is_empty())
        {
            let more = write.events.len() as u64;
            let known = match self.streams.get_mut(&write.stream) {
                Some(known) => {
                    known.version += more;
                    *known
                }
                None => {
                    let id = inserts.stream.insert([write.stream.as_str()])?;
                    let known = Known { id, version: more };
                    self.streams.insert(write.stream.clone(), known);
                    known
                }
            };
            let mut version = known.version - more;
            for event in &write.events {
                version += 1;
                let kind = self.type_id(connection, &event.event_type)?;
                let metadata = encode(&event.metadata, &mut self.metadata);
                fault::point("append.between_inserts");
                let position = inserts.event.insert((
                    known.id,
                    version.cast_signed(),
                    request.id.event_id(nth).as_bytes(),
                    kind,
                    event.revision,
                    now,
                    CODEC,
                    event.data.as_slice(),
                    metadata,
                ))?;
                nth += 1;
                receipt.last = Position::new(position.cast_unsigned());
                receipt.first = receipt.first.or(receipt.last);
            }
            receipt.versions.extend(StreamVersion::new(known.version));
        }
        if let Some(reply) = &request.reply {
            inserts.reply.execute((request.id.0.as_bytes(), reply))?;
        }
        self.unseen.take(from, to);
        Ok(Ok(receipt))
    }

    /// Why the streams are not as the request expects them.
    fn refuse(
        &mut self,
        connection: &Connection,
        request: &AppendRequest,
    ) -> rusqlite::Result<Option<AppendError>> {
        for (index, write) in request.writes.iter().enumerate() {
            let earlier = request.writes[..index]
                .iter()
                .filter(|earlier| earlier.stream == write.stream);
            let more: u64 = earlier.map(|earlier| earlier.events.len() as u64).sum();
            let actual = StreamVersion::new(self.version(connection, &write.stream)? + more);
            if !write.expected.allows(actual) {
                return Ok(Some(AppendError::WrongExpectedVersion {
                    stream: write.stream.clone(),
                    expected: write.expected,
                    actual,
                }));
            }
        }
        Ok(None)
    }

    /// How many events the stream has. Known afterwards, if it exists.
    fn version(&mut self, connection: &Connection, stream: &StreamId) -> rusqlite::Result<u64> {
        if let Some(known) = self.streams.get(stream) {
            return Ok(known.version);
        }
        let mut find = connection.prepare_cached(
            "SELECT id, (SELECT coalesce(max(version), 0) FROM event WHERE stream = stream.id) \
             FROM stream WHERE name = ?1",
        )?;
        let found = find
            .query_row([stream.as_str()], |row| {
                Ok(Known {
                    id: row.get(0)?,
                    version: row.get::<_, i64>(1)?.cast_unsigned(),
                })
            })
            .optional()?;
        let Some(found) = found else { return Ok(0) };
        self.streams.insert(stream.clone(), found);
        Ok(found.version)
    }

    /// Makes room for what will be learnt, between two transactions.
    pub(super) fn shrink(&mut self) {
        if self.streams.len() > KNOWN_STREAMS {
            self.streams.clear();
        }
    }

    fn type_id(&mut self, connection: &Connection, name: &str) -> rusqlite::Result<i64> {
        if let Some(id) = self.types.get(name) {
            return Ok(*id);
        }
        connection
            .prepare_cached("INSERT INTO event_type (name) VALUES (?1) ON CONFLICT DO NOTHING")?
            .execute([name])?;
        let id = connection
            .prepare_cached("SELECT id FROM event_type WHERE name = ?1")?
            .query_row([name], |row| row.get(0))?;
        self.types.insert(name.to_owned(), id);
        Ok(id)
    }
}

/// The statements that every append uses.
pub(super) struct Inserts<'c> {
    seen: CachedStatement<'c>,
    event: CachedStatement<'c>,
    stream: CachedStatement<'c>,
    reply: CachedStatement<'c>,
}

impl<'c> Inserts<'c> {
    pub(super) fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            seen: connection.prepare_cached(
                "SELECT 1 FROM event WHERE event_id = ?1 UNION ALL SELECT 1 FROM reply WHERE append_id = ?1",
            )?,
            event: connection.prepare_cached(
                "INSERT INTO event (stream, version, event_id, type, revision, recorded_at, codec, data, meta) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?,
            stream: connection.prepare_cached("INSERT INTO stream (name) VALUES (?1)")?,
            reply: connection
                .prepare_cached("INSERT INTO reply (append_id, body) VALUES (?1, ?2)")?,
        })
    }

    /// Whether one of the ids of its events was used: for an append, or inside of one. An append without events takes the
    /// id of its reply.
    fn have(&mut self, request: &AppendRequest) -> rusqlite::Result<bool> {
        for nth in 0..request.events().max(1) {
            if self.seen.exists([request.id.event_id(nth).as_bytes()])? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Puts snapshots in the place of earlier ones. Those of streams that are not that long are left out.
pub(super) fn replace(
    connection: &Connection,
    snapshots: impl Iterator<Item = Snapshot>,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO snapshot (stream, version, fingerprint, body) \
               SELECT id, ?2, ?3, ?4 FROM stream JOIN event ON event.stream = id \
               WHERE name = ?1 AND event.version = ?2";
    let mut replace = connection.prepare_cached(sql)?;
    for snapshot in snapshots {
        replace.execute((
            snapshot.stream.as_str(),
            snapshot.version.get().cast_signed(),
            snapshot.fingerprint.cast_signed(),
            snapshot.body,
        ))?;
    }
    Ok(())
}

/// Metadata as JSON, in `buffer`.
fn encode<'b>(metadata: &Metadata, buffer: &'b mut Vec<u8>) -> &'b [u8] {
    buffer.clear();
    // Plain fields only, into memory: this cannot fail.
    if *metadata == Metadata::default() || serde_json::to_writer(&mut *buffer, metadata).is_err() {
        return b"{}";
    }
    buffer
}
