//! Keeps the write-ahead log at its size: a thread beside the writer copies what is committed into the database.
//!
//! SQLite would do that in a commit, for which everybody then waits. So it is done here, on another connection, while the
//! writer goes on: some megabytes at a time, and all of it when the writer has rested for a moment. Under a load that
//! never rests the log would grow for ever, because it begins anew only when all of it has been copied. So when it has
//! become long the writer copies the rest, and lets it begin anew, between two transactions.
//!
//! A log that begins anew keeps its [room](super::room): it is cut only where it has become longer than that.

use std::cell::Cell;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::{Access, Durability, connect, room};
use crate::api::chain;
use crate::store::OpenError;

/// Pages (of 4 KiB) that the log gets before they are copied. (Tests have less to write.)
const COPY: u32 = if cfg!(test) { 64 } else { 1024 };
/// Pages from which on the writer makes the log begin anew.
const RESTART: u32 = 2 * COPY;
/// Bytes of the log that are there before they are needed: a frame for each page until it begins anew, and for a last
/// transaction of usual size.
const ROOM: u64 = (RESTART as u64 + 64) * (4096 + 24);
/// How long the writer rests before the log is emptied.
const REST: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 1000 });
/// How long the writer waits for those who read in the log when it is to begin anew.
const READERS: Duration = Duration::from_millis(10);

thread_local! {
    /// Pages in the log behind this thread's last commit.
    static LOGGED: Cell<u32> = const { Cell::new(0) };
}

/// The writer's end of the keeper; when it is dropped the thread has ended.
pub(super) struct Keeper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// Pages in the log.
    logged: u32,
    /// How many of them are in the database too.
    copied: u32,
    /// Pages from which on the writer makes the log begin anew. More for a while after that did not succeed.
    restart: u32,
    /// When the writer committed last; `None` if nothing is in the log.
    committed: Option<Instant>,
    closing: bool,
}

impl State {
    /// Whether there is so much to copy that it is worth it.
    const fn is_long(&self) -> bool {
        self.logged >= self.copied + COPY
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a checkpoint did.
#[derive(Debug, Clone, Copy)]
struct Checkpoint {
    /// Whether it did not do all of it.
    busy: bool,
    /// Pages in the log; `None` if another checkpoint is under way.
    logged: Option<u32>,
}

impl Keeper {
    /// Starts to keep the log of `writer`, which is the one that writes to the file at `path`, on a thread named
    /// after `name`.
    pub(super) fn start(
        writer: &Connection,
        path: &Path,
        name: &str,
        durability: Durability,
    ) -> Result<Self, OpenError> {
        // In place of SQLite's own checkpoints.
        writer.wal_hook(Some(|_, pages| {
            LOGGED.set(pages.unsigned_abs());
            Ok(())
        }));
        let connection = connect(path, Access::Write(durability))?;
        // It never waits: whoever is in its way is more important.
        let waits = connection.busy_timeout(Duration::ZERO);
        waits.map_err(|source| OpenError::Storage {
            path: path.to_owned(),
            source,
        })?;
        let room = room::make(path, ROOM);
        let state = State {
            logged: 0,
            copied: 0,
            restart: RESTART,
            // What an earlier writer has left behind is copied too.
            committed: Some(Instant::now()),
            closing: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let (keeps, file) = (shared.clone(), path.to_owned());
        let thread = std::thread::Builder::new()
            .name(format!("wal-{name}"))
            .spawn(move || {
                // So that the first commit need not wait for it.
                if let Some(room) = room {
                    _ = room.sync_data();
                }
                keep(&connection, &file, &keeps);
            })
            .map_err(|source| OpenError::Files {
                path: path.to_owned(),
                source,
            })?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// The writer's thread has committed on `writer`, and has answered those who waited for it.
    pub(super) fn committed(&self, writer: &Connection) {
        let logged = LOGGED.get();
        let mut state = self.shared.lock();
        if logged < state.logged {
            // It has begun anew.
            (state.copied, state.restart) = (0, RESTART);
        }
        let wakes =
            state.committed.is_none() || (!state.is_long() && logged >= state.copied + COPY);
        state.logged = logged;
        state.committed = Some(Instant::now());
        let restarts = logged >= state.restart;
        drop(state);
        if restarts {
            self.restart(writer, logged);
        } else if wakes {
            self.shared.changed.notify_one();
        }
    }

    /// Copies the rest, so that the next transaction begins the log anew. Tried again later where somebody reads in it.
    fn restart(&self, writer: &Connection, logged: u32) {
        let tried = restart(writer);
        let mut state = self.shared.lock();
        match &tried {
            // The next commit tells that it has happened.
            Ok(Checkpoint { busy: false, .. }) => state.copied = logged,
            // The keeper is at it, and soon done.
            Ok(Checkpoint { logged: None, .. }) => state.restart = logged + COPY / 16,
            Ok(Checkpoint { .. }) | Err(_) => {
                (state.copied, state.restart) = (logged, logged + 2 * COPY);
            }
        }
        drop(state);
        tell(&tried);
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic of it has been told by the panic hook.
            _ = thread.join();
        }
    }
}

fn restart(writer: &Connection) -> rusqlite::Result<Checkpoint> {
    let usual: u32 = writer.pragma_query_value(None, "busy_timeout", |row| row.get(0))?;
    writer.busy_timeout(READERS)?;
    let done = checkpoint(writer, "PRAGMA wal_checkpoint(RESTART)");
    writer.busy_timeout(Duration::from_millis(usual.into()))?;
    done
}

fn keep(connection: &Connection, path: &Path, shared: &Shared) {
    let mut state = shared.lock();
    while !state.closing {
        let rested = state.committed.map(|at| at.elapsed());
        // Beyond the point where the writer copies itself it is left to that: they would be in each other's way.
        if state.is_long() && state.logged < state.restart {
            let logged = state.logged;
            drop(state);
            let done = checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)");
            state = shared.lock();
            // Even if it did not get that far: what is in its way stays there for a while.
            state.copied = if state.logged < logged { 0 } else { logged };
            tell(&done);
        } else if let Some(rested) = rested {
            if rested < REST {
                let wait = shared.changed.wait_timeout(state, REST - rested);
                state = wait.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            let at = state.committed;
            drop(state);
            let done = empty(connection, path);
            state = shared.lock();
            if state.committed == at {
                state.committed = match &done {
                    Ok(Checkpoint { busy: false, .. }) => {
                        (state.logged, state.copied) = (0, 0);
                        None
                    }
                    // Somebody reads in it: in a while again.
                    Ok(_) => Some(Instant::now()),
                    // A full disk, for instance: when there is more.
                    Err(_) => None,
                };
            }
            tell(&done);
        } else {
            let wait = shared.changed.wait(state);
            state = wait.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Copies all of the log, so that it begins anew with the next commit; one that is too long is cut before.
fn empty(connection: &Connection, path: &Path) -> rusqlite::Result<Checkpoint> {
    if room::bytes(path) <= ROOM {
        return checkpoint(connection, "PRAGMA wal_checkpoint(RESTART)");
    }
    let done = checkpoint(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
    // Nobody writes while this has the lock. Where somebody has it, room is made by those who write.
    if connection.execute_batch("BEGIN IMMEDIATE").is_ok() {
        room::make(path, ROOM);
        connection.execute_batch("ROLLBACK")?;
    }
    done
}

fn tell(done: &rusqlite::Result<Checkpoint>) {
    if let Err(error) = done {
        tracing::warn!(error = %chain(error), "the write-ahead log cannot be copied");
    }
}

fn checkpoint(connection: &Connection, sql: &str) -> rusqlite::Result<Checkpoint> {
    connection.prepare_cached(sql)?.query_row((), |row| {
        Ok(Checkpoint {
            busy: row.get(0)?,
            logged: u32::try_from(row.get::<_, i64>(1)?).ok(),
        })
    })
}
