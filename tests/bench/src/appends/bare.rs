//! The bare loop: a thread that drains a channel and inserts what it finds in one transaction. No versions are
//! checked, no ids are looked up, nobody is fenced: what the same rows cost at least.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::load::{Appender, PAYLOAD};

/// As in the store: most appends in one transaction, and most that wait.
const BATCH: usize = 512;
const QUEUE: usize = 1024;

const TABLE: &str = "CREATE TABLE event (
  position    INTEGER PRIMARY KEY AUTOINCREMENT,
  stream      INTEGER NOT NULL,
  version     INTEGER NOT NULL,
  event_id    BLOB NOT NULL UNIQUE,
  type        INTEGER NOT NULL,
  revision    INTEGER NOT NULL,
  recorded_at INTEGER NOT NULL,
  codec       INTEGER NOT NULL,
  data        BLOB NOT NULL,
  meta        BLOB NOT NULL,
  UNIQUE (stream, version)
) STRICT";
const INSERT: &str = "INSERT INTO event (stream, version, event_id, type, revision, recorded_at, codec, data, meta) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

/// Opens a file at `path` and starts its thread.
pub(super) fn open(path: &Path) -> Result<Bare> {
    let connection = Connection::open(path)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    ensure!(mode == "wal", "the journal mode is {mode}");
    connection.pragma_update(None, "synchronous", 2)?;
    connection.execute_batch(TABLE)?;
    let (jobs, queue) = mpsc::channel(QUEUE);
    let thread = std::thread::spawn(move || write(&connection, queue));
    Ok(Bare {
        jobs: Mutex::new(Some(jobs)),
        thread: Mutex::new(Some(thread)),
        streams: AtomicI64::new(1),
    })
}

pub(super) struct Bare {
    jobs: Mutex<Option<mpsc::Sender<Append>>>,
    thread: Mutex<Option<JoinHandle<Result<()>>>>,
    /// Number of the next stream.
    streams: AtomicI64,
}

struct Append {
    stream: i64,
    /// Version of the first event.
    version: i64,
    id: Uuid,
    events: Vec<Vec<u8>>,
    /// Gets the position of the last event.
    reply: oneshot::Sender<i64>,
}

/// A stream's number, the version of its next event, and the way to the thread.
pub(super) struct Stream {
    number: i64,
    next: i64,
    jobs: Option<mpsc::Sender<Append>>,
}

impl Appender for Bare {
    type Stream = Stream;

    fn stream(&self) -> Result<Stream> {
        Ok(Stream {
            number: self.streams.fetch_add(1, Ordering::Relaxed),
            next: 1,
            jobs: lock(&self.jobs).clone(),
        })
    }

    async fn append(&self, stream: &mut Stream, events: usize) -> Result<()> {
        let jobs = stream.jobs.as_ref().context("the file is closed")?;
        let (reply, done) = oneshot::channel();
        let append = Append {
            stream: stream.number,
            version: stream.next,
            id: Uuid::now_v7(),
            events: vec![PAYLOAD.to_vec(); events],
            reply,
        };
        jobs.send(append).await.ok().context("the thread ended")?;
        done.await?;
        stream.next += events as i64;
        Ok(())
    }

    async fn close(&self) {
        drop(lock(&self.jobs).take());
        if let Some(thread) = lock(&self.thread).take() {
            // What went wrong in it has failed an append.
            _ = thread.join();
        }
    }
}

fn write(connection: &Connection, mut queue: mpsc::Receiver<Append>) -> Result<()> {
    let mut begin = connection.prepare("BEGIN IMMEDIATE")?;
    let mut commit = connection.prepare("COMMIT")?;
    let mut insert = connection.prepare(INSERT)?;
    let mut replies = Vec::with_capacity(BATCH);
    while let Some(first) = queue.blocking_recv() {
        begin.execute(())?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)?
            .as_micros()
            .cast_signed() as i64;
        let mut next = Some(first);
        while let Some(append) = next {
            let mut position = 0;
            for (nth, data) in append.events.iter().enumerate() {
                let id = Uuid::from_u128(append.id.as_u128() + nth as u128);
                let version = append.version + nth as i64;
                let (kind, revision, codec, meta) = (1, 1, 1, b"{}");
                position = insert.insert((
                    append.stream,
                    version,
                    id.as_bytes(),
                    kind,
                    revision,
                    now,
                    codec,
                    data,
                    meta,
                ))?;
            }
            replies.push((append.reply, position));
            next = (replies.len() < BATCH)
                .then(|| queue.try_recv().ok())
                .flatten();
        }
        commit.execute(())?;
        for (reply, position) in replies.drain(..) {
            // A task that has ended does not want it.
            _ = reply.send(position);
        }
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
