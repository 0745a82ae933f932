//! Facts that were told, and whoever wants to hear them.

use std::time::Duration;

use hecate_manifest::exchange::{Fact, FactsAsk, FactsPage};
use hecate_manifest::{Topic, TopicFilter};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, Row, Transaction, params_from_iter};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::{MessagesError, Open};
use crate::aggregate::named_id;
use crate::integration::EmitterSpec;
use crate::store::RecordedEvent;

/// A page is full once its facts have this many bytes.
const PAGE_BYTES: usize = 1024 * 1024;

/// Which outbox it is, and where it ends.
pub(super) fn identity(connection: &Connection) -> rusqlite::Result<(String, u64)> {
    let sql =
        "SELECT lower(hex(id)), (SELECT coalesce(max(position), 0) FROM outbox) FROM identity";
    connection.query_row(sql, (), |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
    })
}

/// Puts the fact of `event` into the outbox; gives its place.
pub(super) fn tell(
    transaction: &Transaction<'_>,
    emitter: &EmitterSpec,
    event: &RecordedEvent,
    data: &Value,
) -> rusqlite::Result<u64> {
    let sequence: i64 = transaction
        .prepare_cached("SELECT coalesce(max(sequence), 0) + 1 FROM outbox WHERE topic = ?1")?
        .query_row([emitter.topic], |row| row.get(0))?;
    // The same for ever, whenever it is told.
    let id = named_id(
        Some(event.event_id),
        format!("{} {}", emitter.topic, event.event_id).as_bytes(),
    );
    let position = transaction
        .prepare_cached(
            "INSERT INTO outbox (topic, sequence, fact_id, revision, occurred_at, correlation, causation, data) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .insert((
            emitter.topic,
            sequence,
            id.as_bytes(),
            emitter.revision,
            event.recorded_at,
            event.metadata.correlation_id.map(|id| id.into_bytes()),
            event.event_id.as_bytes(),
            data.to_string().as_bytes(),
        ))?;
    Ok(position.cast_unsigned())
}

/// Gives the facts that are asked for; waits for one if there is none.
pub(super) async fn facts(open: &Open, ask: FactsAsk) -> Result<FactsPage, MessagesError> {
    let until = Instant::now() + Duration::from_millis(ask.wait_ms);
    let mut end = open.outbox.subscribe();
    let mut after = ask.after;
    loop {
        // Before it is read: what is told meanwhile is a change.
        end.borrow_and_update();
        let (filter, limit) = (ask.filter.clone(), ask.limit);
        let mut page = open
            .database
            .read(move |connection| read(connection, &filter, after, limit))
            .await?;
        page.outbox.clone_from(&open.identity);
        if !page.facts.is_empty() {
            return Ok(page);
        }
        // Others' facts only: they need not be looked at again while this waits.
        after = page.scanned_to;
        tokio::select! {
            () = open.stopping() => return Err(MessagesError::Fenced),
            changed = timeout_at(until, end.changed()) => if !matches!(changed, Ok(Ok(()))) {
                return Ok(page);
            },
        }
    }
}

fn read(
    connection: &Connection,
    filter: &str,
    after: u64,
    limit: usize,
) -> rusqlite::Result<FactsPage> {
    let (_, head) = identity(connection)?;
    let mut page = FactsPage {
        scanned_to: head.max(after),
        head,
        ..FactsPage::default()
    };
    let filter = TopicFilter::parse(filter).ok().filter(|_| after < head);
    let Some(filter) = filter else {
        return Ok(page);
    };
    let mut topics = connection.prepare_cached("SELECT DISTINCT topic FROM outbox")?;
    let topics = topics.query_map((), |row| row.get::<_, String>(0))?;
    let mut values = Vec::new();
    for topic in topics {
        let topic = topic?;
        if Topic::parse(&topic).is_ok_and(|topic| filter.matches(&topic)) {
            values.push(Sql::Text(topic));
        }
    }
    let places = vec!["?"; values.len()].join(", ");
    let sql = format!(
        "SELECT position, topic, sequence, fact_id, revision, occurred_at, correlation, causation, data FROM outbox \
         WHERE topic IN ({places}) AND position > ? AND position <= ? ORDER BY position LIMIT ?"
    );
    values.extend([after, head, limit as u64].map(|number| Sql::Integer(number.cast_signed())));
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let fact = fact(row)?;
        bytes += row.get_ref(8)?.as_blob()?.len();
        page.scanned_to = fact.position;
        page.facts.push(fact);
        if bytes >= PAGE_BYTES || page.facts.len() == limit {
            return Ok(page);
        }
    }
    page.scanned_to = head;
    Ok(page)
}

fn fact(row: &Row<'_>) -> rusqlite::Result<Fact> {
    let id = |index: usize| {
        row.get::<_, [u8; 16]>(index)
            .map(|bytes| Uuid::from_bytes(bytes).to_string())
    };
    let correlation: Option<[u8; 16]> = row.get(6)?;
    let number = |index: usize| row.get::<_, i64>(index).map(i64::cast_unsigned);
    Ok(Fact {
        position: number(0)?,
        topic: row.get(1)?,
        sequence: number(2)?,
        id: id(3)?,
        revision: row.get(4)?,
        occurred_at: row.get(5)?,
        correlation_id: correlation.map(|bytes| Uuid::from_bytes(bytes).to_string()),
        causation_id: id(7)?,
        data: serde_json::from_slice(row.get_ref(8)?.as_blob()?).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(
                8,
                rusqlite::types::Type::Blob,
                Box::new(error),
            )
        })?,
    })
}
