//! Read-only connections, lent to blocking threads.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

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
    idle: Mutex<Vec<C>>,
    permits: Arc<Semaphore>,
}

impl<C: From<Connection> + Send + 'static> Pool<C> {
    /// At most `size` connections to `path`, which must exist when the first is made.
    pub(crate) fn new(path: &Path, size: usize) -> Self {
        let permits = Arc::new(Semaphore::new(size));
        Self {
            shared: Arc::new(Shared {
                path: path.to_owned(),
                size,
                idle: Mutex::new(Vec::new()),
                permits,
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
            let permit = shared
                .permits
                .clone()
                .acquire_owned()
                .await
                .map_err(|_| ReadError::Fenced)?;
            let work = move || {
                // The permit goes back when the connection is idle again: `close` waits for that.
                let _permit = permit;
                let mut connection = shared.take()?;
                let outcome = read(&mut connection);
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

impl<C: From<Connection>> Shared<C> {
    fn take(&self) -> Result<C, ReadError> {
        if let Some(connection) = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
        {
            return Ok(connection);
        }
        let connection = connect(&self.path, Access::Read).map_err(|error| match error {
            OpenError::Storage { source, .. } => ReadError::from(source),
            _ => ReadError::Fenced,
        })?;
        Ok(connection.into())
    }
}
