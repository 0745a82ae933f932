//! Read-only connections, lent to blocking threads.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{Access, connect};
use crate::store::{OpenError, ReadError};

/// A few connections to one file. Made when needed, kept until closed.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    size: usize,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Pool {
    /// At most `size` connections to `path`, which must exist when the first is made.
    pub(crate) fn new(path: &Path, size: usize) -> Self {
        let permits = Arc::new(Semaphore::new(size));
        Self {
            shared: Arc::new(Shared {
                path: path.to_owned(),
                size,
                idle: Mutex::default(),
                permits,
            }),
        }
    }

    /// Runs `read` with a connection, on a thread that may block.
    pub(crate) fn with<T, F>(
        &self,
        read: F,
    ) -> impl Future<Output = Result<T, ReadError>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let shared = self.shared.clone();
        async move {
            let permit = shared
                .permits
                .clone()
                .acquire_owned()
                .await
                .map_err(|_| ReadError::Fenced)?;
            let work = move || {
                // The permit goes back when the connection is idle again: `close` waits for that.
                let _permit = permit;
                let connection = shared.take()?;
                let outcome = read(&connection);
                shared
                    .idle
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(connection);
                Ok(outcome?)
            };
            tokio::task::spawn_blocking(work)
                .await
                .unwrap_or(Err(ReadError::Fenced))
        }
    }

    /// Waits for the reads that run, and closes all connections. Later reads answer `Fenced`.
    pub(crate) async fn close(&self) {
        let shared = &self.shared;
        let all = shared.permits.acquire_many(shared.size as u32).await;
        shared.permits.close();
        drop(all);
        shared
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl Shared {
    fn take(&self) -> Result<Connection, ReadError> {
        if let Some(connection) = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
        {
            return Ok(connection);
        }
        connect(&self.path, Access::Read).map_err(|error| match error {
            OpenError::Storage { source, .. } => ReadError::from(source),
            _ => ReadError::Fenced,
        })
    }
}
