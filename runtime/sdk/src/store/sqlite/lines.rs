//! Events as lines of JSON: out of a store, and into an empty one, with ids and positions as they were.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

use super::read;
use crate::store::{CareError, Position, RecordedEvent};

/// Events read at a time.
const PAGE: usize = 1000;

/// One event. Payload and metadata stand as they are stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    position: u64,
    stream: String,
    version: u64,
    id: Uuid,
    #[serde(rename = "type")]
    event_type: String,
    revision: u32,
    /// Microseconds since 1970-01-01 UTC.
    recorded_at: i64,
    #[serde(borrow)]
    data: &'a RawValue,
    metadata: Value,
}

/// Writes all events, in the order of their positions.
pub(super) fn export(connection: &Connection, to: &Path) -> Result<Value, CareError> {
    let failed = |source| CareError::File {
        path: to.to_owned(),
        source,
    };
    let dir = to.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir).map_err(failed)?;
    let mut draft = tempfile::NamedTempFile::new_in(dir).map_err(failed)?;
    let mut out = BufWriter::new(&mut draft);
    // Up to here: what is appended meanwhile is not waited for.
    let head = read::last_position(connection)?;
    let (mut after, mut events) = (None, 0_u64);
    while after < head {
        let mut page = read::all(connection, after, PAGE)?;
        page.events.retain(|event| Some(event.position) <= head);
        for event in &page.events {
            let line = line(event)?;
            out.write_all(line.as_bytes()).map_err(failed)?;
            out.write_all(b"\n").map_err(failed)?;
        }
        if page.events.is_empty() {
            // Only in a damaged file: an event whose stream or type is gone.
            break;
        }
        events += page.events.len() as u64;
        after = page.scanned_to;
    }
    out.flush().map_err(failed)?;
    drop(out);
    draft.as_file().sync_all().map_err(failed)?;
    draft.persist(to).map_err(|error| failed(error.error))?;
    Ok(json!({"path": to, "events": events}))
}

fn line(event: &RecordedEvent) -> Result<String, CareError> {
    let not_json = |_| CareError::NotJson {
        position: event.position.get(),
    };
    let data: &RawValue = serde_json::from_slice(&event.data).map_err(not_json)?;
    // White space between tokens may be a line break, which would be the end of the line.
    let compact;
    let data = if data.get().contains(['\n', '\r']) {
        let value: Value = serde_json::from_str(data.get()).map_err(not_json)?;
        compact = serde_json::value::to_raw_value(&value).map_err(not_json)?;
        &*compact
    } else {
        data
    };
    let line = Line {
        position: event.position.get(),
        stream: event.stream.as_str().to_owned(),
        version: event.version.get(),
        id: event.event_id,
        event_type: event.event_type.to_string(),
        revision: event.revision,
        recorded_at: event.recorded_at,
        data,
        metadata: serde_json::to_value(&event.metadata).map_err(not_json)?,
    };
    serde_json::to_string(&line).map_err(not_json)
}

/// Takes all events of a file in. Runs in the writer's transaction: whatever is wrong with a line takes all back.
pub(super) fn import(
    connection: &Connection,
    from: &Path,
) -> Result<(u64, Option<Position>), CareError> {
    let failed = |source| CareError::File {
        path: from.to_owned(),
        source,
    };
    let there =
        connection.query_row("SELECT count(*) FROM event", (), |row| row.get::<_, i64>(0))?;
    if there > 0 {
        return Err(CareError::NotEmpty {
            events: there.cast_unsigned(),
        });
    }
    let mut insert = connection.prepare(
        "INSERT INTO event (position, stream, version, event_id, type, revision, recorded_at, codec, data, meta) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?9)",
    )?;
    let mut streams: HashMap<String, (i64, u64)> = HashMap::new();
    let mut types: HashMap<String, i64> = HashMap::new();
    let (mut last, mut events) = (0, 0);
    for (number, text) in (1..).zip(BufReader::new(File::open(from).map_err(failed)?).lines()) {
        let wrong = |reason: String| CareError::Line {
            line: number,
            reason,
        };
        let text = text.map_err(failed)?;
        let line: Line<'_> =
            serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if line.position <= last {
            return Err(wrong(format!(
                "position {} does not follow {last}",
                line.position
            )));
        }
        last = line.position;
        let known = streams.get(&line.stream).copied();
        let (stream, version) = match known {
            Some(known) => known,
            None => {
                connection.execute(
                    "INSERT INTO stream (name, version) VALUES (?1, 0)",
                    [&line.stream],
                )?;
                (connection.last_insert_rowid(), 0)
            }
        };
        if line.version != version + 1 {
            return Err(wrong(format!(
                "version {} of `{}` does not follow {version}",
                line.version, line.stream
            )));
        }
        streams.insert(line.stream, (stream, line.version));
        let kind = match types.get(&line.event_type) {
            Some(kind) => *kind,
            None => {
                connection.execute(
                    "INSERT INTO event_type (name) VALUES (?1)",
                    [&line.event_type],
                )?;
                let kind = connection.last_insert_rowid();
                types.insert(line.event_type.clone(), kind);
                kind
            }
        };
        let inserted = insert.execute((
            line.position.cast_signed(),
            stream,
            line.version.cast_signed(),
            line.id.as_bytes(),
            kind,
            line.revision,
            line.recorded_at,
            line.data.get().as_bytes(),
            line.metadata.to_string().as_bytes(),
        ));
        inserted.map_err(|error| wrong(error.to_string()))?;
        events += 1;
    }
    let mut update = connection.prepare("UPDATE stream SET version = ?2 WHERE id = ?1")?;
    for (stream, version) in streams.into_values() {
        update.execute((stream, version.cast_signed()))?;
    }
    Ok((events, Position::new(last)))
}
