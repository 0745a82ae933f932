//! A projection alone: what it makes of events.

use rusqlite::Connection;
use serde_json::Value;
use uuid::Uuid;

use super::ID;
use crate::aggregate::EventSet;
use crate::projection::{Projection, TableProjection};
use crate::store::{Position, RecordedEvent, StreamId, StreamVersion};

/// What `projection` makes of `events` of one thing of `kind`: its row, or `null` if it gets none. No store is needed.
///
/// # Panics
///
/// If an event cannot be stored or projected.
pub fn project<E: EventSet>(
    mut projection: TableProjection<E>,
    kind: &str,
    events: impl IntoIterator<Item = E>,
) -> Value {
    let model = Connection::open_in_memory().unwrap_or_else(|error| panic!("no database: {error}"));
    projection
        .ensure(&model)
        .unwrap_or_else(|error| panic!("the table cannot be made: {error}"));
    for (number, event) in (1..).zip(events) {
        let stored = event
            .encode()
            .unwrap_or_else(|error| panic!("the event cannot be stored: {error}"));
        let (Some(position), Some(version)) = (Position::new(number), StreamVersion::new(number))
        else {
            continue;
        };
        let recorded = RecordedEvent {
            position,
            stream: StreamId::of(kind, ID),
            version,
            event_id: Uuid::from_u128(number.into()),
            event_type: stored.event_type.as_ref().into(),
            revision: stored.revision,
            recorded_at: 0,
            data: stored.data,
            metadata: stored.metadata,
        };
        let projected = projection.project(&model, &recorded);
        projected.unwrap_or_else(|error| panic!("event {number} cannot be projected: {error}"));
    }
    let row = projection.table().by_key(&model, ID);
    row.unwrap_or_else(|error| panic!("{error}"))
        .map_or(Value::Null, Value::Object)
}
