//! The load on `sqlite-es`, the SQLite repository of `cqrs-es`: a pool of connections, a transaction for each append.

#[path = "../../../src/appends/load.rs"]
mod load;
#[path = "../../peer.rs"]
mod peer;
#[expect(dead_code, reason = "the load needs its percentiles only")]
#[path = "../../../src/stats.rs"]
mod stats;

use std::path::Path;

use anyhow::{Result, bail};
use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::{PersistedEventRepository, SerializedEvent};
use cqrs_es::{Aggregate, DomainEvent};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlite_es::SqliteEventRepository;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Pool, Sqlite};
use uuid::Uuid;

use crate::load::{Appender, PAYLOAD};
use crate::peer::Settings;

/// From the migration that it comes with: the table of its events.
const TABLE: &str = "CREATE TABLE events (
  aggregate_type text                          NOT NULL,
  aggregate_id   text                          NOT NULL,
  sequence       integer CHECK (sequence >= 0) NOT NULL,
  event_type     text                          NOT NULL,
  event_version  text                          NOT NULL,
  payload        text                          NOT NULL,
  metadata       text                          NOT NULL,
  PRIMARY KEY (aggregate_type, aggregate_id, sequence)
) STRICT";

fn main() -> Result<()> {
    peer::run(open)
}

/// As its `default_sqlite_pool`, but for `synchronous`, which is `NORMAL` there, and for the number of connections, which
/// is ten there and the one argument here.
async fn open(file: &Path, args: &[String]) -> Result<(Peer, Settings)> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true);
    let [connections] = args else {
        bail!("the number of connections is missing");
    };
    let pool = SqlitePoolOptions::new().max_connections(connections.parse()?);
    let pool = pool.connect_with(options).await?;
    sqlx::query(TABLE).execute(&pool).await?;
    let settings = Settings {
        synchronous: sqlx::query_scalar("PRAGMA synchronous")
            .fetch_one(&pool)
            .await?,
        journal_mode: sqlx::query_scalar("PRAGMA journal_mode")
            .fetch_one(&pool)
            .await?,
    };
    let peer = Peer {
        repository: SqliteEventRepository::new(pool.clone()),
        payload: serde_json::from_slice(PAYLOAD)?,
        pool,
    };
    Ok((peer, settings))
}

struct Peer {
    repository: SqliteEventRepository,
    payload: Value,
    pool: Pool<Sqlite>,
}

/// The repository asks the aggregate for its name only.
#[derive(Default, Serialize, Deserialize)]
struct Order;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct OrderConfirmed;

impl DomainEvent for OrderConfirmed {
    fn event_type(&self) -> String {
        "order_confirmed".to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Order {
    const TYPE: &'static str = "order";
    type Command = ();
    type Event = OrderConfirmed;
    type Error = std::convert::Infallible;
    type Services = ();

    async fn handle(&mut self, (): (), (): &(), sink: &EventSink<Self>) -> Result<(), Self::Error> {
        sink.write(OrderConfirmed, self).await;
        Ok(())
    }

    fn apply(&mut self, OrderConfirmed: OrderConfirmed) {}
}

/// A stream and the version that its task saw last.
struct Stream {
    id: String,
    version: usize,
}

impl Appender for Peer {
    type Stream = Stream;

    fn stream(&self) -> Result<Stream> {
        Ok(Stream {
            id: Uuid::now_v7().to_string(),
            version: 0,
        })
    }

    async fn append(&self, stream: &mut Stream, events: usize) -> Result<()> {
        let event = |nth: usize| {
            SerializedEvent::new(
                stream.id.clone(),
                stream.version + nth,
                Order::TYPE.to_owned(),
                OrderConfirmed.event_type(),
                OrderConfirmed.event_version(),
                self.payload.clone(),
                Value::Object(serde_json::Map::new()),
            )
        };
        // A version that somebody else has taken breaks the table's key.
        let events: Vec<_> = (1..=events).map(event).collect();
        self.repository.persist::<Order>(&events, None).await?;
        stream.version += events.len();
        Ok(())
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}
