//! Read-only connections, and the blocking threads that read with them.
//!
//! A read does not get a thread of its own: waking one up costs more than most reads do. It joins a queue, and a thread
//! that has read takes the next from there. Another thread begins as long as there are fewer than connections, so a
//! long read does not hold the short ones up.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::{Notify, oneshot};

use super::{Access, connect};
use crate::store::{OpenError, ReadError};

/// A few connections to one file, or what is made of them. Made when needed, kept until closed.
#[derive(Debug)]
pub(crate) struct Pool<C = Connection> {
    shared: Arc<Shared<C>>,
}

impl<C> Clone for Pool<C> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
        }
    }
}

#[derive(Debug)]
struct Shared<C> {
    path: PathBuf,
    size: usize,
    state: Mutex<State<C>>,
    /// Told when no thread reads any more.
    rested: Notify,
}

struct State<C> {
    idle: Vec<C>,
    waiting: VecDeque<Read<C>>,
    /// Threads that read, or are about to.
    reading: usize,
    is_closed: bool,
}

/// One read with its answer: given a connection, or why there is none.
type Read<C> = Box<dyn FnOnce(Result<&mut C, ReadError>) + Send>;

impl<C> std::fmt::Debug for State<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("idle", &self.idle.len())
            .field("waiting", &self.waiting.len())
            .field("reading", &self.reading)
            .field("is_closed", &self.is_closed)
            .finish()
    }
}

impl<C: From<Connection> + Send + 'static> Pool<C> {
    /// At most `size` connections to `path`, which must exist when the first is made.
    pub(crate) fn new(path: &Path, size: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                path: path.to_owned(),
                size,
                state: Mutex::new(State {
                    idle: Vec::new(),
                    waiting: VecDeque::new(),
                    reading: 0,
                    is_closed: false,
                }),
                rested: Notify::new(),
            }),
        }
    }

    /// Runs `read` with a connection, on a thread that may block.
    pub(crate) fn with<T, F>(
        &self,
        read: F,
    ) -> impl Future<Output = Result<T, ReadError>> + Send + use<T, F, C>
    where
        T: Send + 'static,
        F: FnOnce(&mut C) -> rusqlite::Result<T> + Send + 'static,
    {
        let shared = self.shared.clone();
        async move {
            let (reply, answer) = oneshot::channel();
            let read = move |connection: Result<&mut C, ReadError>| {
                // Who has given up while it waited needs nothing read.
                if !reply.is_closed() {
                    let outcome = connection.and_then(|connection| Ok(read(connection)?));
                    _ = reply.send(outcome);
                }
            };
            if shared.queue(Box::new(read))? {
                let thread = Thread {
                    shared: Some(shared),
                };
                tokio::task::spawn_blocking(move || thread.read());
            }
            // Without an answer it panicked, or the runtime ends.
            answer.await.unwrap_or(Err(ReadError::Fenced))
        }
    }

    /// Waits for the reads that were asked for, and closes all connections. Later reads answer `Fenced`.
    pub(crate) async fn close(&self) {
        loop {
            // Made before it looks, so that it hears of what happens afterwards.
            let rested = self.shared.rested.notified();
            {
                let mut state = self.shared.lock();
                state.is_closed = true;
                if state.reading == 0 {
                    state.idle.clear();
                    return;
                }
            }
            rested.await;
        }
    }
}

impl<C> Shared<C> {
    fn lock(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a read wait its turn; says whether that needs one thread more.
    fn queue(&self, read: Read<C>) -> Result<bool, ReadError> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(ReadError::Fenced);
        }
        state.waiting.push_back(read);
        let more = state.reading < self.size;
        state.reading += usize::from(more);
        Ok(more)
    }

    /// Counts a thread out.
    fn end(&self, state: &mut State<C>) {
        state.reading -= 1;
        if state.reading == 0 {
            self.rested.notify_waiters();
        }
    }
}

/// A thread that reads, counted in `reading` until nothing waits any more.
struct Thread<C> {
    /// `None` when it has been counted out.
    shared: Option<Arc<Shared<C>>>,
}

impl<C: From<Connection>> Thread<C> {
    fn read(mut self) {
        let mut connection = None;
        while let Some(read) = self.next(&mut connection) {
            let Some(shared) = &self.shared else { return };
            let usable = match connection.take().map_or_else(|| shared.take(), Ok) {
                Ok(usable) => connection.insert(usable),
                Err(error) => {
                    read(Err(error));
                    continue;
                }
            };
            // The panic hook has told what the panic was; the connection may be in the middle of something.
            if catch_unwind(AssertUnwindSafe(|| read(Ok(usable)))).is_err() {
                connection = None;
            }
        }
    }

    /// The read that has waited longest. If none waits, puts the connection back and counts this thread out.
    fn next(&mut self, connection: &mut Option<C>) -> Option<Read<C>> {
        let shared = self.shared.as_ref()?;
        let mut state = shared.lock();
        let next = state.waiting.pop_front();
        if next.is_none() {
            // All under one lock: what is asked for from now on does not count on this thread.
            state.idle.extend(connection.take());
            shared.end(&mut state);
            drop(state);
            self.shared = None;
        }
        next
    }
}

impl<C> Drop for Thread<C> {
    /// If it was not counted out it has not begun, because the runtime ends. With the last one goes what waits.
    fn drop(&mut self) {
        let Some(shared) = self.shared.take() else {
            return;
        };
        let mut state = shared.lock();
        shared.end(&mut state);
        let waiting = match state.reading {
            0 => std::mem::take(&mut state.waiting),
            _ => VecDeque::new(),
        };
        drop(state);
        drop(waiting);
    }
}

impl<C: From<Connection>> Shared<C> {
    /// A connection that is idle, or a new one.
    fn take(&self) -> Result<C, ReadError> {
        if let Some(connection) = self.lock().idle.pop() {
            return Ok(connection);
        }
        let connection = connect(&self.path, Access::Read).map_err(|error| match error {
            OpenError::Storage { source, .. } => ReadError::from(source),
            _ => ReadError::Fenced,
        })?;
        Ok(connection.into())
    }
}

#[cfg(test)]
mod tests;
