//! The plugin's `messages.db`: opened and closed with the stores, written by one generation at a time.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Transaction};

use crate::fault;
use crate::store::{
    Access, Durability, Lock, OpenError, connect, epoch, lock, migrate, raise_epoch,
};

/// What makes each format of the file from the one before it; each only expands.
const LADDER: &[&str] = &[include_str!("sql/0001_messages.sql")];

/// An open database. Cheap to clone.
#[derive(Clone)]
pub(super) struct Database {
    shared: Arc<Shared>,
}

struct Shared {
    /// With the lock that is held as long as it is open, whoever still holds a reference.
    connection: Mutex<Option<(Connection, Lock)>>,
    epoch: u64,
}

/// Why something could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MessagesError {
    /// Another generation of the plugin has the database now, or it is closed.
    #[error("another generation of the plugin writes now")]
    Fenced,
    /// SQLite refused. Nothing was written.
    #[error("the plugin's messages cannot be written")]
    Storage(#[from] rusqlite::Error),
}

impl Database {
    /// Opens the database at `path` as its writer in `epoch`; makes it if it is not there.
    pub(super) fn open(path: &Path, epoch: u64) -> Result<Self, OpenError> {
        let lock = lock(path)?;
        let mut connection = connect(path, Access::Write(Durability::PowerSafe))?;
        migrate(&mut connection, path, LADDER)?;
        raise_epoch(&mut connection, path, epoch)?;
        Ok(Self {
            shared: Arc::new(Shared {
                connection: Mutex::new(Some((connection, lock))),
                epoch,
            }),
        })
    }

    /// Runs `work` in a write transaction, on a thread that may block: all of it is on the disk then, or nothing.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, MessagesError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let shared = self.shared.clone();
        let write = move || {
            let mut connection = shared
                .connection
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let (connection, _) = connection.as_mut().ok_or(MessagesError::Fenced)?;
            let transaction = connection.transaction()?;
            if epoch(&transaction)? != shared.epoch {
                return Err(MessagesError::Fenced);
            }
            let done = work(&transaction)?;
            fault::point("messages.before_commit");
            transaction.commit()?;
            fault::point("messages.after_commit");
            Ok(done)
        };
        tokio::task::spawn_blocking(write)
            .await
            .unwrap_or(Err(MessagesError::Fenced))
    }

    /// Runs `work`, which only reads, on a thread that may block.
    pub(super) async fn read<T, F>(&self, work: F) -> Result<T, MessagesError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let shared = self.shared.clone();
        let read = move || {
            let connection = shared
                .connection
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let (connection, _) = connection.as_ref().ok_or(MessagesError::Fenced)?;
            Ok(work(connection)?)
        };
        tokio::task::spawn_blocking(read)
            .await
            .unwrap_or(Err(MessagesError::Fenced))
    }

    /// Closes it behind whatever runs. Later calls answer `Fenced`.
    pub(super) async fn close(&self) {
        let shared = self.shared.clone();
        let close = move || {
            drop(
                shared
                    .connection
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take(),
            )
        };
        // It only fails when the runtime ends, which closes it too.
        _ = tokio::task::spawn_blocking(close).await;
    }
}
