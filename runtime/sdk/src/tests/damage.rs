//! Files that are damaged, disks that are full, and events from the future: typed answers, and nothing acknowledged lost.

mod disk;
mod events;
mod files;

use std::path::Path;
use std::sync::Arc;

use crate::store::{
    AppendRequest, EventStore, ExpectedVersion, NewEvent, OpenError, RecordedEvent, SqliteOptions,
    SqliteStore, StreamId,
};

type Store = Arc<dyn EventStore>;

fn open(path: &Path) -> Result<Store, OpenError> {
    Ok(Arc::new(SqliteStore::open(
        path,
        SqliteOptions::in_epoch(1),
    )?))
}

/// An append of one event with `bytes` of text.
fn request(stream: &str, bytes: usize) -> AppendRequest {
    let event = NewEvent::json("happened", 1, &"x".repeat(bytes)).unwrap();
    AppendRequest::new(StreamId::new(stream), ExpectedVersion::Any, vec![event])
}

async fn all(store: &Store) -> Vec<RecordedEvent> {
    store
        .read_all(None, crate::store::Query::all(), 100_000)
        .await
        .unwrap()
        .events
}
