//! Snapshots: a state that need not be folded again. Never the only copy of anything.

use super::{StreamId, StreamVersion};

/// The state of a thing after the first events of its stream, as bytes. Stores keep one for each stream, the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The stream.
    pub stream: StreamId,
    /// How many of its events are in the state.
    pub version: StreamVersion,
    /// Tells the form of the state from others: a reader takes no other than the one that it knows.
    pub fingerprint: u64,
    /// The state, at most [`MAX_EVENT_BYTES`](super::MAX_EVENT_BYTES).
    pub body: Vec<u8>,
}
