//! Appends through the store that plugins have.

use std::path::Path;

use anyhow::Result;
use hecate_sdk::store::{
    AppendRequest, EventStore, ExpectedVersion, Metadata, NewEvent, SqliteOptions, SqliteStore,
    StreamId, StreamVersion,
};
use uuid::Uuid;

use super::load::{Appender, PAYLOAD};

/// Opens a power-safe store at `path`.
pub(crate) fn open(path: &Path) -> Result<ThroughStore> {
    Ok(ThroughStore(SqliteStore::open(
        path,
        SqliteOptions::in_epoch(1),
    )?))
}

pub(crate) struct ThroughStore(SqliteStore);

/// A stream and the version that its task saw last.
pub(crate) struct Stream {
    id: StreamId,
    version: Option<StreamVersion>,
}

impl Appender for ThroughStore {
    type Stream = Stream;

    fn stream(&self) -> Result<Stream> {
        let id = StreamId::of("order", &Uuid::now_v7().to_string());
        Ok(Stream { id, version: None })
    }

    async fn append(&self, stream: &mut Stream, events: usize) -> Result<()> {
        let event = || NewEvent {
            event_type: "order_confirmed".into(),
            revision: 1,
            data: PAYLOAD.to_vec(),
            metadata: Metadata::default(),
        };
        let events = (0..events).map(|_| event()).collect();
        let expected = ExpectedVersion::from_loaded(stream.version);
        let request = AppendRequest::new(stream.id.clone(), expected, events);
        let receipt = self.0.append(request).await?;
        stream.version = receipt.versions.last().copied();
        Ok(())
    }

    async fn close(&self) {
        self.0.close().await;
    }
}
