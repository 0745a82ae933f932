//! What can go wrong with a store: one enum for each operation.

use std::path::PathBuf;
use std::sync::Arc;

use super::{
    AppendId, ExpectedVersion, MAX_APPEND_EVENTS, MAX_EVENT_BYTES, StreamId, StreamVersion,
};

/// Why an append did not happen. In every case nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The stream is not at the expected version.
    #[error("stream `{stream}` is at {}, not {}", show(*actual), show_expected(*expected))]
    WrongExpectedVersion {
        /// The stream.
        stream: StreamId,
        /// What the caller expected.
        expected: ExpectedVersion,
        /// What it is at.
        actual: Option<StreamVersion>,
    },
    /// The same id was used for other events, or for another reply without any.
    #[error("append `{}` was used for something else before", id.0)]
    IdempotencyMismatch {
        /// The id.
        id: AppendId,
    },
    /// An append needs an event or a reply.
    #[error("an append needs at least one event, or a reply to remember")]
    Empty,
    /// More than [`MAX_APPEND_EVENTS`].
    #[error("{events} events in one append, at most {MAX_APPEND_EVENTS} are allowed")]
    TooMany {
        /// How many.
        events: usize,
    },
    /// More than [`MAX_EVENT_BYTES`].
    #[error("an event `{event_type}` of {bytes} bytes, at most {MAX_EVENT_BYTES} are allowed")]
    TooLarge {
        /// Its type.
        event_type: String,
        /// Its size.
        bytes: usize,
    },
    /// A reply of more than [`MAX_EVENT_BYTES`].
    #[error("a reply of {bytes} bytes, at most {MAX_EVENT_BYTES} are allowed")]
    ReplyTooLarge {
        /// Its size.
        bytes: usize,
    },
    /// A stream's name is empty or too long.
    #[error("a stream name of {bytes} bytes, 1 to 256 are allowed")]
    StreamName {
        /// Its length.
        bytes: usize,
    },
    /// Another generation of the plugin writes now, or the store is not open.
    #[error("the store is fenced: another generation of this plugin writes to it, or it is closed")]
    Fenced,
    /// The database refused.
    #[error("the database refused the append")]
    Storage(#[source] Arc<rusqlite::Error>),
}

fn show(version: Option<StreamVersion>) -> String {
    version.map_or_else(
        || "no event".to_owned(),
        |version| format!("version {version}"),
    )
}

fn show_expected(expected: ExpectedVersion) -> String {
    match expected {
        ExpectedVersion::Any => "any version".to_owned(),
        ExpectedVersion::NoStream => "no event".to_owned(),
        ExpectedVersion::StreamExists => "any event".to_owned(),
        ExpectedVersion::Exact(version) => format!("version {version}"),
    }
}

/// Why a read failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The store is closed, for a swap for instance.
    #[error("the store is closed: another generation of this plugin has it")]
    Fenced,
    /// The database refused.
    #[error("the database refused the read")]
    Storage(#[source] Arc<rusqlite::Error>),
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Storage(Arc::new(error))
    }
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A directory or the lock file could not be made.
    #[error("failed to make `{path}`")]
    Files {
        /// What.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Somebody else has it open: two SQLite libraries on one file lose commits.
    #[error("the store `{path}` is open in another process or generation")]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// The SQLite linked is one that can lose commits.
    #[error(
        "SQLite {linked} is linked, at least {needed} is needed (earlier ones can lose commits in WAL mode)"
    )]
    SqliteTooOld {
        /// What is linked.
        linked: &'static str,
        /// What is needed.
        needed: &'static str,
    },
    /// The database was written by an SDK whose form this one cannot read.
    #[error(
        "`{path}` needs an SDK that reads store format {needed}, this one reads up to {known}: update the SDK"
    )]
    TooNew {
        /// The database.
        path: PathBuf,
        /// The least format number that its reader must know.
        needed: u32,
        /// The greatest that this SDK knows.
        known: u32,
    },
    /// The epoch asked for is older than the one that the database holds.
    #[error("`{path}` is at epoch {actual}, so epoch {asked} may not write to it")]
    Fenced {
        /// The database.
        path: PathBuf,
        /// The epoch asked for.
        asked: u64,
        /// The epoch of the database.
        actual: u64,
    },
    /// A setting did not take.
    #[error("`{path}` refused the setting {setting}: it is {actual}")]
    Setting {
        /// The database.
        path: PathBuf,
        /// The setting.
        setting: &'static str,
        /// What it is instead.
        actual: String,
    },
    /// The database refused.
    #[error("failed to open `{path}`")]
    Storage {
        /// The database.
        path: PathBuf,
        /// Why not.
        source: rusqlite::Error,
    },
}
