//! The one thread that writes: group commit.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::keeper::Keeper;
use super::log::{Answer, Inserts, Log, replace};
use super::place::Place;
use super::{lines, read};
use crate::api::chain;
use crate::fault;
use crate::store::{AppendError, AppendRequest, CareError, Position, ReadError, Snapshot};
use crate::telemetry::CommitTelemetry;

/// Most appends in one transaction.
const BATCH: usize = 512;
/// A batch is closed once its payloads reach this size.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

pub(super) enum Message {
    Append(Waiting),
    Snapshot(Snapshot),
    Import {
        from: PathBuf,
        reply: oneshot::Sender<Result<u64, CareError>>,
    },
    Close,
}

/// An append that waits for its answer.
pub(super) struct Waiting {
    pub(super) request: AppendRequest,
    /// The request goes back with its answer, to be freed where it was made: here it would cost all others time.
    pub(super) reply: oneshot::Sender<(Answer, AppendRequest)>,
}

/// What one transaction holds.
#[derive(Default)]
struct Batch {
    waiting: Vec<Waiting>,
    /// As many as wait, when the batch is closed.
    answers: Vec<Answer>,
    bytes: usize,
    /// The last position that was given.
    last: Option<Position>,
    /// To be written when the batch is answered.
    snapshots: Vec<Snapshot>,
    /// What came behind the batch, and is not part of it.
    next: Option<Message>,
}

pub(super) struct Writer {
    // Stopped first, so that the writer's connection is the last one: that removes the write-ahead log.
    keeper: Keeper,
    connection: Connection,
    place: Place,
    epoch: u64,
    head: watch::Sender<Option<Position>>,
    log: Log,
    telemetry: CommitTelemetry,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        keeper: Keeper,
        place: Place,
        epoch: u64,
        head: watch::Sender<Option<Position>>,
        telemetry: CommitTelemetry,
    ) -> rusqlite::Result<Self> {
        Ok(Self {
            keeper,
            log: Log::of(&connection)?,
            connection,
            place,
            epoch,
            head,
            telemetry,
        })
    }

    /// Works until it is told to close or nobody can ask any more.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Message>) {
        let mut batch = Batch::default();
        while let Some(message) = batch.next.take().or_else(|| queue.blocking_recv()) {
            match message {
                Message::Append(first) => self.write(first, &mut batch, &mut queue),
                Message::Snapshot(snapshot) => batch.snapshots.push(snapshot),
                // Nobody waits for the answer if it cannot be sent.
                Message::Import { from, reply } => _ = reply.send(self.import(&from)),
                Message::Close => return,
            }
            if !batch.snapshots.is_empty() {
                self.keep(&mut batch.snapshots);
            }
        }
    }

    /// Carries out an append, and with it in one transaction all that wait and all that come while it is being filled:
    /// each succeeds or fails by itself, unless the database fails.
    fn write(&mut self, first: Waiting, batch: &mut Batch, queue: &mut mpsc::Receiver<Message>) {
        let begun = Instant::now();
        self.log.shrink();
        batch.waiting.push(first);
        (batch.bytes, batch.last) = (0, None);
        match self.transaction(batch, queue) {
            Ok(()) => {
                self.telemetry.committed(begun);
                if batch.last.is_some() {
                    self.head.send_replace(batch.last);
                }
            }
            Err(failure) => {
                let error = match failure {
                    Failure::Fenced => None,
                    Failure::Sqlite(error) => Some(Arc::new(error)),
                };
                self.log.forget();
                let failed = || {
                    Err(error
                        .clone()
                        .map_or(AppendError::Fenced, AppendError::Storage))
                };
                batch.answers.clear();
                batch.answers.resize_with(batch.waiting.len(), failed);
            }
        }
        for (waiting, answer) in batch.waiting.drain(..).zip(batch.answers.drain(..)) {
            fault::point("append.between_answers");
            // A caller that gave up does not want the answer.
            _ = waiting.reply.send((answer, waiting.request));
        }
        self.keeper.committed(&self.connection);
    }

    fn transaction(
        &mut self,
        batch: &mut Batch,
        queue: &mut mpsc::Receiver<Message>,
    ) -> Result<(), Failure> {
        self.place.check()?;
        fault::point("append.before_begin");
        self.connection
            .prepare_cached("BEGIN IMMEDIATE")?
            .execute(())?;
        fault::point("append.after_begin");
        let done = self.fill(batch, queue).and_then(|()| {
            fault::point("append.before_commit");
            self.connection.prepare_cached("COMMIT")?.execute(())?;
            fault::point("append.after_commit");
            Ok(())
        });
        if done.is_err() && !self.connection.is_autocommit() {
            // The first failure is the one to report.
            _ = self.connection.execute_batch("ROLLBACK");
        }
        done
    }

    fn fill(
        &mut self,
        batch: &mut Batch,
        queue: &mut mpsc::Receiver<Message>,
    ) -> Result<(), Failure> {
        let connection = &self.connection;
        if read::epoch(connection)? != self.epoch {
            return Err(Failure::Fenced);
        }
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_micros() as i64);
        let mut inserts = Inserts::prepare(connection)?;
        while let Some(Waiting { request, .. }) = batch.waiting.get(batch.answers.len()) {
            let answer = self.log.append(connection, &mut inserts, request, now)?;
            if let Ok(receipt) = &answer
                && !receipt.replayed
            {
                batch.last = receipt.last.or(batch.last);
                batch.bytes += payload_bytes(request);
            }
            batch.answers.push(answer);
            if batch.waiting.len() >= BATCH || batch.bytes >= BATCH_BYTES {
                return Ok(());
            }
            while batch.waiting.len() == batch.answers.len() {
                match queue.try_recv() {
                    Ok(Message::Append(next)) => batch.waiting.push(next),
                    Ok(Message::Snapshot(snapshot)) => batch.snapshots.push(snapshot),
                    Ok(other) => {
                        batch.next = Some(other);
                        return Ok(());
                    }
                    Err(_) => return Ok(()),
                }
            }
        }
        Ok(())
    }

    /// Takes an export in, all of it or nothing.
    fn import(&mut self, from: &Path) -> Result<u64, CareError> {
        self.place.check()?;
        let transaction = self.connection.transaction()?;
        if read::epoch(&transaction)? != self.epoch {
            return Err(ReadError::Fenced.into());
        }
        let (events, last) = lines::import(&transaction, from)?;
        let log = Log::of(&transaction)?;
        transaction.commit()?;
        self.log = log;
        self.head.send_replace(last);
        self.keeper.committed(&self.connection);
        Ok(events)
    }

    /// Writes snapshots, behind the answers, and without waiting for the disk: the next commit of events does that.
    fn keep(&mut self, snapshots: &mut Vec<Snapshot>) {
        let kept = without_waiting(&mut self.connection, |connection| {
            let transaction = connection.transaction()?;
            // Like events, they are another's to write when the epoch has passed.
            if read::epoch(&transaction)? == self.epoch {
                replace(&transaction, snapshots.drain(..))?;
            }
            transaction.commit()
        });
        snapshots.clear();
        if let Err(error) = kept {
            tracing::warn!(error = %chain(&error), "snapshots were not kept");
        }
        self.keeper.committed(&self.connection);
    }
}

/// Lets `write` commit without waiting for the disk.
fn without_waiting(
    connection: &mut Connection,
    write: impl FnOnce(&mut Connection) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let usual: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    let written = write(connection);
    connection.pragma_update(None, "synchronous", usual)?;
    written
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

fn payload_bytes(request: &AppendRequest) -> usize {
    let events = request.writes.iter().flat_map(|write| &write.events);
    let events: usize = events.map(|event| event.data.len()).sum();
    events + request.reply.as_ref().map_or(0, Vec::len)
}
