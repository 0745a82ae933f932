//! What becomes of a command.

use crate::aggregate::{DecodeError, Rejection};
use crate::store::{AppendError, Position, ReadError, StreamVersion};
use crate::validate::Invalid;

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Done {
    /// Id of the thing.
    pub id: String,
    /// Its version behind the command.
    pub version: Option<StreamVersion>,
    /// Position of the last event; `None` if the decision was that nothing happens.
    pub position: Option<Position>,
    /// Whether the read models that were waited for show all of it. Of [`Eventual`](super::Consistency::Eventual): whether all do already.
    pub visible: bool,
    /// Whether this is the answer to an earlier sending of the same command.
    pub replayed: bool,
}

/// Why a command was not carried out. Nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DispatchError {
    /// The decision was no.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The store refused the events, after the decision was made anew a few times if it had moved on.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The thing could not be loaded.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// One of its events is not known to this version.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// An event could not be written as JSON.
    #[error("an event cannot be written as JSON")]
    Encode(#[source] serde_json::Error),
    /// The body of a command that was dispatched by its name is not right.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The command is to wait for a projection that the division does not have.
    #[error(
        "there is no projection `{name}` to wait for: there are {known}, and the words `strong` and `eventual`"
    )]
    UnknownProjection {
        /// Its name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// There is no division or command of this name.
    #[error("there is no {kind} `{name}` here: there are {known}")]
    Unknown {
        /// `division` or `command`.
        kind: &'static str,
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
}

impl DispatchError {
    pub(crate) fn unknown(kind: &'static str, name: &str, known: &[&str]) -> Self {
        let known: Vec<_> = known.iter().map(|known| format!("`{known}`")).collect();
        Self::Unknown {
            kind,
            name: name.to_owned(),
            known: if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            },
        }
    }

    /// Whether the answer is final, however often the command is sent: then as a rejection. Everything else may pass.
    pub(crate) fn into_rejection(self) -> Result<Rejection, Self> {
        match self {
            Self::Rejected(rejection) => Ok(rejection),
            Self::Invalid(invalid) => Ok(Rejection::rule("invalid", invalid.to_string())),
            Self::Append(
                error @ (AppendError::IdempotencyMismatch { .. }
                | AppendError::TooLarge { .. }
                | AppendError::TooMany { .. }
                | AppendError::StreamName { .. }),
            ) => Ok(Rejection::rule("refused", error.to_string())),
            Self::Encode(error) => Ok(Rejection::rule("refused", error.to_string())),
            other => Err(other),
        }
    }
}
