//! Looking after a store: what there is to ask, and what can go wrong.

use std::path::PathBuf;

use super::ReadError;

/// What can be done with a store while it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Care {
    /// Counts what is in it.
    Stats,
    /// Reads all of it and looks for damage.
    Verify,
    /// Writes a copy that can be opened as it is.
    Backup {
        /// The copy; whatever is there is replaced when the new one is whole.
        to: PathBuf,
    },
    /// Writes every event and every reply as a line of JSON, with ids and positions.
    Export {
        /// The file; whatever is there is replaced when the new one is whole.
        to: PathBuf,
    },
    /// Takes what was exported into a store that is empty, with ids and positions.
    Import {
        /// The file.
        from: PathBuf,
    },
}

/// Why a store could not be looked after. In every case it is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CareError {
    /// A store of this kind has nothing to look after.
    #[error("a store of this kind cannot be looked after: it is not on disk")]
    Unsupported,
    /// The store is closed, or the database refused.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file could not be written or read.
    #[error("failed to use `{path}`")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// An event whose payload is not JSON cannot be exported.
    #[error(
        "the payload of event {position} is not JSON: `hecate store verify` shows what is damaged"
    )]
    NotJson {
        /// Its position.
        position: u64,
    },
    /// A reply that is not JSON cannot be exported.
    #[error("the reply to append `{append}` is not JSON")]
    ReplyNotJson {
        /// The append's id.
        append: uuid::Uuid,
    },
    /// Only an empty store takes events with their positions.
    #[error("the store has {events} events: only an empty one takes an import")]
    NotEmpty {
        /// How many it has.
        events: u64,
    },
    /// A line is not an exported event, or does not follow from those before it.
    #[error("line {line} cannot be taken in: {reason}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

impl From<rusqlite::Error> for CareError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Read(error.into())
    }
}
