//! The one thread that writes: group commit.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{CachedStatement, Connection, OptionalExtension};
use tokio::sync::{mpsc, oneshot, watch};

use super::read::Names;
use super::{lines, read};
use crate::api::chain;
use crate::store::{
    AppendError, AppendRequest, CareError, Metadata, Position, ReadError, Receipt, Snapshot,
    StreamId, StreamVersion, StreamWrite,
};
use crate::telemetry::CommitTelemetry;

/// Most appends in one transaction.
const BATCH: usize = 512;
/// A batch is closed once its payloads reach this size.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Streams whose version is kept in memory; all are forgotten when there are more.
const KNOWN_STREAMS: usize = 100_000;
/// How `data` and `meta` are encoded: JSON text.
const CODEC: i64 = 1;

type Answer = Result<Receipt, AppendError>;

pub(super) enum Message {
    Append {
        request: AppendRequest,
        reply: oneshot::Sender<Answer>,
    },
    Snapshot(Snapshot),
    Import {
        from: PathBuf,
        reply: oneshot::Sender<Result<u64, CareError>>,
    },
    Close {
        reply: oneshot::Sender<()>,
    },
}

/// A stream as the writer knows it. Only this thread changes it, so knowing it once is enough.
#[derive(Debug, Clone, Copy)]
struct Known {
    id: i64,
    version: u64,
}

pub(super) struct Writer {
    connection: Connection,
    epoch: u64,
    head: watch::Sender<Option<Position>>,
    streams: HashMap<StreamId, Known>,
    types: HashMap<String, i64>,
    names: Names,
    telemetry: CommitTelemetry,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        epoch: u64,
        head: watch::Sender<Option<Position>>,
        telemetry: CommitTelemetry,
    ) -> Self {
        Self {
            connection,
            epoch,
            head,
            streams: HashMap::new(),
            types: HashMap::new(),
            names: Names::default(),
            telemetry,
        }
    }

    /// Works until it is told to close or nobody can ask any more.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Message>) {
        let mut requests = Vec::with_capacity(BATCH);
        let mut replies = Vec::with_capacity(BATCH);
        let mut snapshots = Vec::new();
        let (mut closing, mut importing) = (None, None);
        while closing.is_none() {
            let mut next = queue.blocking_recv();
            if next.is_none() {
                return;
            }
            let mut bytes = 0;
            while let Some(message) = next {
                match message {
                    Message::Append { request, reply } => {
                        bytes += payload_bytes(&request);
                        requests.push(request);
                        replies.push(reply);
                    }
                    Message::Snapshot(snapshot) => snapshots.push(snapshot),
                    Message::Import { from, reply } => {
                        importing = Some((from, reply));
                        break;
                    }
                    Message::Close { reply } => {
                        closing = Some(reply);
                        break;
                    }
                }
                next = if requests.len() < BATCH && bytes < BATCH_BYTES {
                    queue.try_recv().ok()
                } else {
                    None
                };
            }
            let answers = self.carry_out(&requests);
            requests.clear();
            for (reply, answer) in replies.drain(..).zip(answers) {
                // A caller that gave up does not want the answer.
                _ = reply.send(answer);
            }
            if !snapshots.is_empty()
                && let Err(error) = self.keep(snapshots.drain(..))
            {
                tracing::warn!(error = %chain(&error), "snapshots were not kept");
            }
            if let Some((from, reply)) = importing.take() {
                // Nor does this one.
                _ = reply.send(self.import(&from));
            }
        }
        drop(queue);
        drop(self.connection);
        if let Some(reply) = closing {
            _ = reply.send(());
        }
    }

    /// Carries out all requests in one transaction: each succeeds or fails by itself, unless the database fails.
    fn carry_out(&mut self, requests: &[AppendRequest]) -> Vec<Answer> {
        if requests.is_empty() {
            return Vec::new();
        }
        if self.streams.len() > KNOWN_STREAMS {
            self.streams.clear();
        }
        let begun = Instant::now();
        match self.transaction(requests) {
            Ok(answers) => {
                self.telemetry.committed(begun);
                let last = answers
                    .iter()
                    .flatten()
                    .filter(|receipt| !receipt.replayed)
                    .filter_map(|receipt| receipt.last);
                if let Some(last) = last.max() {
                    self.head.send_replace(Some(last));
                }
                answers
            }
            Err(Failure::Fenced) => requests.iter().map(|_| Err(AppendError::Fenced)).collect(),
            Err(Failure::Sqlite(error)) => {
                // What was learnt in the transaction is not true any more.
                self.streams.clear();
                self.types.clear();
                let error = Arc::new(error);
                requests
                    .iter()
                    .map(|_| Err(AppendError::Storage(error.clone())))
                    .collect()
            }
        }
    }

    /// Writes snapshots, behind the answers, and without waiting for the disk: the next commit of events does that.
    fn keep(&mut self, snapshots: impl Iterator<Item = Snapshot>) -> rusqlite::Result<()> {
        let synchronous: i64 = self
            .connection
            .pragma_query_value(None, "synchronous", |row| row.get(0))?;
        self.connection
            .pragma_update(None, "synchronous", "NORMAL")?;
        let kept = self.replace_snapshots(snapshots);
        self.connection
            .pragma_update(None, "synchronous", synchronous)?;
        kept
    }

    fn replace_snapshots(
        &mut self,
        snapshots: impl Iterator<Item = Snapshot>,
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        // Like events, they are another's to write when the epoch has passed.
        if read::epoch(&transaction)? == self.epoch {
            let sql = "INSERT OR REPLACE INTO snapshot (stream, version, fingerprint, body) \
                       SELECT id, ?2, ?3, ?4 FROM stream WHERE name = ?1 AND version >= ?2";
            let mut replace = transaction.prepare_cached(sql)?;
            for snapshot in snapshots {
                replace.execute((
                    snapshot.stream.as_str(),
                    snapshot.version.get().cast_signed(),
                    snapshot.fingerprint.cast_signed(),
                    snapshot.body,
                ))?;
            }
        }
        transaction.commit()
    }

    /// Takes an export in, all of it or nothing.
    fn import(&mut self, from: &Path) -> Result<u64, CareError> {
        let transaction = self.connection.transaction()?;
        if read::epoch(&transaction)? != self.epoch {
            return Err(ReadError::Fenced.into());
        }
        let (events, last) = lines::import(&transaction, from)?;
        transaction.commit()?;
        self.streams.clear();
        self.types.clear();
        self.head.send_replace(last);
        Ok(events)
    }

    fn transaction(&mut self, requests: &[AppendRequest]) -> Result<Vec<Answer>, Failure> {
        self.connection
            .prepare_cached("BEGIN IMMEDIATE")?
            .execute(())?;
        let done = self.in_transaction(requests).and_then(|answers| {
            self.connection.prepare_cached("COMMIT")?.execute(())?;
            Ok(answers)
        });
        if done.is_err() && !self.connection.is_autocommit() {
            // The first failure is the one to report.
            _ = self.connection.execute_batch("ROLLBACK");
        }
        done
    }

    fn in_transaction(&mut self, requests: &[AppendRequest]) -> Result<Vec<Answer>, Failure> {
        if read::epoch(&self.connection)? != self.epoch {
            return Err(Failure::Fenced);
        }
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_micros() as i64);
        let connection = &self.connection;
        let (streams, types, names) = (&mut self.streams, &mut self.types, &mut self.names);
        let mut inserts = Inserts::prepare(connection)?;
        let append = |request: &AppendRequest| {
            if inserts.seen.exists([request.id.0.as_bytes()])? {
                return Ok(replay(connection, names, request)?);
            }
            append(connection, streams, types, &mut inserts, request, now)
        };
        requests.iter().map(append).collect()
    }
}

enum Failure {
    Fenced,
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// The statements that every append uses.
struct Inserts<'c> {
    seen: CachedStatement<'c>,
    event: CachedStatement<'c>,
    stream: CachedStatement<'c>,
    reply: CachedStatement<'c>,
    version: CachedStatement<'c>,
}

impl<'c> Inserts<'c> {
    fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            seen: connection.prepare_cached(
                "SELECT 1 FROM event WHERE event_id = ?1 UNION ALL SELECT 1 FROM reply WHERE append_id = ?1",
            )?,
            event: connection.prepare_cached(
                "INSERT INTO event (stream, version, event_id, type, revision, recorded_at, codec, data, meta) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?,
            stream: connection.prepare_cached("INSERT INTO stream (name, version) VALUES (?1, ?2)")?,
            reply: connection.prepare_cached("INSERT INTO reply (append_id, body) VALUES (?1, ?2)")?,
            version: connection.prepare_cached("UPDATE stream SET version = ?2 WHERE id = ?1")?,
        })
    }
}

/// Appends one request. Everything that can be refused is refused before the first insert.
fn append(
    connection: &Connection,
    streams: &mut HashMap<StreamId, Known>,
    types: &mut HashMap<String, i64>,
    inserts: &mut Inserts<'_>,
    request: &AppendRequest,
    now: i64,
) -> Result<Answer, Failure> {
    let mut targets: Vec<(&StreamWrite, Option<Known>)> = Vec::with_capacity(request.writes.len());
    for write in &request.writes {
        let earlier = targets
            .iter()
            .filter(|(earlier, _)| earlier.stream == write.stream);
        let more: u64 = earlier
            .map(|(earlier, _)| earlier.events.len() as u64)
            .sum();
        let known = known_stream(connection, streams, &write.stream)?;
        let actual = StreamVersion::new(known.map_or(0, |known| known.version) + more);
        if !write.expected.allows(actual) {
            let (stream, expected) = (write.stream.clone(), write.expected);
            return Ok(Err(AppendError::WrongExpectedVersion {
                stream,
                expected,
                actual,
            }));
        }
        targets.push((write, known));
    }
    let (mut first, mut last, mut versions, mut nth) =
        (None, None, Vec::with_capacity(targets.len()), 0);
    for (write, _) in targets {
        if write.events.is_empty() {
            continue;
        }
        let known = streams.get(&write.stream).copied();
        let version = known.map_or(0, |known| known.version) + write.events.len() as u64;
        let id = match known {
            Some(known) => {
                inserts.version.execute((known.id, version.cast_signed()))?;
                known.id
            }
            None => inserts
                .stream
                .insert((write.stream.as_str(), version.cast_signed()))?,
        };
        streams.insert(write.stream.clone(), Known { id, version });
        for (index, event) in write.events.iter().enumerate() {
            let kind = type_id(connection, types, &event.event_type)?;
            let place = version - write.events.len() as u64 + index as u64 + 1;
            let meta = encode_metadata(&event.metadata);
            let event_id = request.id.event_id(nth);
            nth += 1;
            let position = inserts.event.insert((
                id,
                place.cast_signed(),
                event_id.as_bytes(),
                kind,
                event.revision,
                now,
                CODEC,
                &event.data,
                meta,
            ))?;
            last = Position::new(position.cast_unsigned());
            first = first.or(last);
        }
        versions.extend(StreamVersion::new(version));
    }
    if let Some(reply) = &request.reply {
        inserts.reply.execute((request.id.0.as_bytes(), reply))?;
    }
    Ok(Ok(Receipt {
        first,
        last,
        versions,
        replayed: false,
    }))
}

/// The first answer again, if the same was written under this id.
fn replay(
    connection: &Connection,
    names: &mut Names,
    request: &AppendRequest,
) -> rusqlite::Result<Answer> {
    let recorded = read::append(connection, names, request.id)?.unwrap_or_default();
    Ok(recorded.receipt(request))
}

fn known_stream(
    connection: &Connection,
    streams: &mut HashMap<StreamId, Known>,
    stream: &StreamId,
) -> rusqlite::Result<Option<Known>> {
    if let Some(known) = streams.get(stream) {
        return Ok(Some(*known));
    }
    let mut find = connection.prepare_cached("SELECT id, version FROM stream WHERE name = ?1")?;
    let found = find
        .query_row([stream.as_str()], |row| {
            Ok(Known {
                id: row.get(0)?,
                version: row.get::<_, i64>(1)?.cast_unsigned(),
            })
        })
        .optional()?;
    if let Some(found) = found {
        streams.insert(stream.clone(), found);
    }
    Ok(found)
}

fn type_id(
    connection: &Connection,
    types: &mut HashMap<String, i64>,
    name: &str,
) -> rusqlite::Result<i64> {
    if let Some(id) = types.get(name) {
        return Ok(*id);
    }
    connection
        .prepare_cached("INSERT INTO event_type (name) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([name])?;
    let id = connection
        .prepare_cached("SELECT id FROM event_type WHERE name = ?1")?
        .query_row([name], |row| row.get(0))?;
    types.insert(name.to_owned(), id);
    Ok(id)
}

fn encode_metadata(metadata: &Metadata) -> Vec<u8> {
    // Plain fields only: this cannot fail.
    serde_json::to_vec(metadata).unwrap_or_else(|_| b"{}".to_vec())
}

fn payload_bytes(request: &AppendRequest) -> usize {
    request
        .writes
        .iter()
        .flat_map(|write| &write.events)
        .map(|event| event.data.len())
        .sum()
}
