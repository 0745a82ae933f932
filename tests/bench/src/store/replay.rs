//! All events once more: as they are stored, beside a bare loop over the same rows, and through typed events.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};
use hecate_sdk::aggregate::EventSet;
use hecate_sdk::store::{EventStore, Query, RecordedEvent, SqliteStore};
use rusqlite::{Connection, OpenFlags};

use super::order::OrderEvent;

/// Events read at a time, as the projector does.
const PAGE: usize = 1000;

/// Events a second, as stored.
pub(super) async fn raw(store: &SqliteStore, events: usize) -> Result<f64> {
    through_store(store, events, |_| Ok(())).await
}

/// Events a second, each decoded as a projection does it.
pub(super) async fn decoded(store: &SqliteStore, events: usize) -> Result<f64> {
    let decode = |event: &RecordedEvent| {
        let read = OrderEvent::decode(&event.event_type, event.revision, &event.data)?;
        std::hint::black_box(read);
        Ok(())
    };
    through_store(store, events, decode).await
}

async fn through_store(
    store: &SqliteStore,
    events: usize,
    each: impl Fn(&RecordedEvent) -> Result<()>,
) -> Result<f64> {
    let (begun, mut after, mut read) = (Instant::now(), None, 0);
    while read < events {
        let page = store.read_all(after, Query::all(), PAGE).await?;
        ensure!(
            !page.events.is_empty(),
            "the store ends after {read} events"
        );
        page.events.iter().try_for_each(&each)?;
        (after, read) = (page.scanned_to, read + page.events.len());
    }
    Ok(read as f64 / begun.elapsed().as_secs_f64())
}

/// Events a second of a loop on rusqlite that copies every payload and looks no name up.
pub(super) fn bare(path: &Path, events: usize) -> Result<f64> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut page = connection.prepare(
        "SELECT position, stream, version, event_id, type, revision, recorded_at, data, meta FROM event \
         WHERE position > ?1 ORDER BY position LIMIT ?2",
    )?;
    let (begun, mut after, mut read) = (Instant::now(), 0, 0);
    while read < events {
        let mut rows = page.query((after, PAGE as i64))?;
        let mut copied = Vec::with_capacity(PAGE);
        while let Some(row) = rows.next()? {
            after = row.get(0)?;
            let id: [u8; 16] = row.get(3)?;
            let numbers: (i64, i64, i64, i64, i64) = (
                row.get(1)?,
                row.get(2)?,
                row.get(4)?,
                row.get(5)?,
                row.get(6)?,
            );
            let plain = row.get_ref(8)?.as_blob()? == b"{}";
            copied.push((id, numbers, row.get::<_, Vec<u8>>(7)?, plain));
        }
        ensure!(!copied.is_empty(), "the store ends after {read} events");
        read += std::hint::black_box(copied).len();
    }
    Ok(read as f64 / begun.elapsed().as_secs_f64())
}
