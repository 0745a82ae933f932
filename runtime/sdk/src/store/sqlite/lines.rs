//! Events and replies as lines of JSON: out of a store, and into an empty one, with ids and positions as they were.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

use super::read::{self, Names};
use crate::store::{CareError, Position, Query, RecordedEvent};

/// Events or replies read at a time.
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

/// What was answered to an append.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplyLine<'a> {
    append: Uuid,
    #[serde(borrow)]
    reply: &'a RawValue,
}

/// How a line begins that holds a reply.
const REPLY: &str = "{\"append\":";

/// Writes all events, in the order of their positions, and behind them all replies.
pub(super) fn export(
    connection: &Connection,
    names: &mut Names,
    to: &Path,
) -> Result<Value, CareError> {
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
        let mut page = read::all(connection, names, after, &Query::all(), PAGE)?;
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
    write_replies(connection, head, |line| {
        out.write_all(line.as_bytes()).map_err(failed)?;
        out.write_all(b"\n").map_err(failed)
    })?;
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
    let data = one_line(&event.data).map_err(not_json)?;
    let line = Line {
        position: event.position.get(),
        stream: event.stream.as_str().to_owned(),
        version: event.version.get(),
        id: event.event_id,
        event_type: event.event_type.to_string(),
        revision: event.revision,
        recorded_at: event.recorded_at,
        data: &data,
        metadata: serde_json::to_value(&event.metadata).map_err(not_json)?,
    };
    serde_json::to_string(&line).map_err(not_json)
}

/// JSON as it is stored, unless it has line breaks: those would be the end of the line.
fn one_line(stored: &[u8]) -> serde_json::Result<Cow<'_, RawValue>> {
    let raw: &RawValue = serde_json::from_slice(stored)?;
    // Inside of a string a line break is written as `\n`, so these stand between tokens.
    if !raw.get().contains(['\n', '\r']) {
        return Ok(Cow::Borrowed(raw));
    }
    let value: Value = serde_json::from_str(raw.get())?;
    serde_json::value::to_raw_value(&value).map(Cow::Owned)
}

/// Gives the replies as lines, of appends up to `head`: one whose events are not written has not happened.
fn write_replies(
    connection: &Connection,
    head: Option<Position>,
    mut write: impl FnMut(&str) -> Result<(), CareError>,
) -> Result<(), CareError> {
    let head = head.map_or(0, |head| head.get().cast_signed());
    let mut page = connection.prepare(
        "SELECT append_id, body FROM reply LEFT JOIN event ON event.event_id = reply.append_id \
         WHERE append_id > ?1 AND (event.position IS NULL OR event.position <= ?2) ORDER BY append_id LIMIT ?3",
    )?;
    let mut after = Vec::new();
    loop {
        let rows = page.query_map((&after, head, PAGE as i64), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        let rows: Vec<(Uuid16, Vec<u8>)> = rows.collect::<rusqlite::Result<_>>()?;
        for (append, body) in &rows {
            let append = Uuid::from_bytes(*append);
            let not_json = |_| CareError::ReplyNotJson { append };
            let reply = &*one_line(body).map_err(not_json)?;
            let line = serde_json::to_string(&ReplyLine { append, reply }).map_err(not_json)?;
            write(&line)?;
        }
        match rows.last() {
            Some((last, _)) => after = last.to_vec(),
            None => return Ok(()),
        }
    }
}

type Uuid16 = [u8; 16];

/// Takes all events and replies of a file in. Runs in the writer's transaction: whatever is wrong with a line takes all back.
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
    let mut reply = connection.prepare("INSERT INTO reply (append_id, body) VALUES (?1, ?2)")?;
    let mut streams: HashMap<String, (i64, u64)> = HashMap::new();
    let mut types: HashMap<String, i64> = HashMap::new();
    let (mut last, mut events) = (0, 0);
    for (number, text) in (1..).zip(BufReader::new(File::open(from).map_err(failed)?).lines()) {
        let wrong = |reason: String| CareError::Line {
            line: number,
            reason,
        };
        let text = text.map_err(failed)?;
        if text.starts_with(REPLY) {
            let line: ReplyLine<'_> =
                serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
            let row = (line.append.as_bytes(), line.reply.get().as_bytes());
            reply
                .execute(row)
                .map_err(|error| wrong(error.to_string()))?;
            continue;
        }
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
                connection.execute("INSERT INTO stream (name) VALUES (?1)", [&line.stream])?;
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
    Ok((events, Position::new(last)))
}
