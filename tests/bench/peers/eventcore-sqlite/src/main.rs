//! The load on `eventcore-sqlite`: one connection that its tasks lock in turn, a transaction for each append.

#[path = "../../../src/appends/load.rs"]
mod load;
#[path = "../../peer.rs"]
mod peer;
#[expect(dead_code, reason = "the load needs its percentiles only")]
#[path = "../../../src/stats.rs"]
mod stats;

use std::path::Path;

use anyhow::Result;
use eventcore_sqlite::SqliteEventStore;
use eventcore_sqlite::rusqlite::Connection;
use eventcore_types::{Event, EventStore, StreamId, StreamVersion, StreamWrites};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::load::{Appender, PAYLOAD};
use crate::peer::Settings;

fn main() -> Result<()> {
    peer::run(open)
}

/// Its own way to open a file leaves `synchronous` as SQLite was compiled; for a connection of its user's making it
/// leaves everything to the user.
async fn open(file: &Path, _: &[String]) -> Result<(Peer, Settings)> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let settings = Settings {
        synchronous: connection.pragma_query_value(None, "synchronous", |row| row.get(0))?,
        journal_mode: connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?,
    };
    let store = SqliteEventStore::from_connection(connection);
    store.migrate().await?;
    Ok((Peer(store), settings))
}

struct Peer(SqliteEventStore);

/// An event of the load. Its stream is a field of it, as long as the one in the payload.
#[derive(Clone, Serialize, Deserialize)]
struct OrderConfirmed {
    order_id: StreamId,
    customer: String,
    total: String,
    currency: String,
    note: String,
    lines: Vec<Line>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Line {
    article: String,
    count: u32,
}

impl Event for OrderConfirmed {
    fn stream_id(&self) -> &StreamId {
        &self.order_id
    }

    fn event_type_name() -> &'static str {
        "order_confirmed"
    }
}

/// An event to append copies of, and the version that the task saw last.
struct Stream {
    event: OrderConfirmed,
    version: usize,
}

impl Appender for Peer {
    type Stream = Stream;

    fn stream(&self) -> Result<Stream> {
        let mut event: OrderConfirmed = serde_json::from_slice(PAYLOAD)?;
        event.order_id = StreamId::try_new(Uuid::now_v7().to_string())?;
        Ok(Stream { event, version: 0 })
    }

    async fn append(&self, stream: &mut Stream, events: usize) -> Result<()> {
        let expected = StreamVersion::new(stream.version);
        let id = stream.event.order_id.clone();
        let mut writes = StreamWrites::new().register_stream(id, expected)?;
        for _ in 0..events {
            writes = writes.append(stream.event.clone())?;
        }
        self.0.append_events(writes).await?;
        stream.version += events;
        Ok(())
    }

    async fn close(&self) {}
}
