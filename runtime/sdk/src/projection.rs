//! Projections: events become rows of a read model, each exactly once.
//!
//! A projection's rows and its checkpoint are written in one transaction, so a crash leaves both or neither.
//!
//! Its revision stands beside the checkpoint. When it changes, or when an operator asks (`hecate store replay`), the
//! rows are built anew from the first event on, in a file of their own beside the read model. Until they have caught
//! up, queries are answered with the old rows: those of other code stay as they are, those of the same code are
//! followed on. Then the new rows take their place in one transaction, with the events that they could not take in. A
//! build goes on after a crash; on a full disk it ends and gives its space back.
//!
//! An event that a projection cannot take in is tried twice and then *parked* in the table `dead_letter`, in the same
//! transaction. Later events of the same [key](Projection::key) are held behind it, in order; other keys and other
//! projections go on. Parked events are tried again when the store opens, for new code may know better, and when an
//! operator asks (`hecate store retry`); an operator may also give one up (`hecate store discard`). A full disk or a
//! database that is busy is not an event's fault: then the batch waits, and is taken in as a whole later.
//!
//! [`TableProjection`] is the usual one: a row for each thing. What it makes of events can be seen without a store:
//!
//! ```
//! # use hecate_sdk::aggregate::*;
//! use hecate_sdk::fields::FieldType;
//! # use hecate_sdk::flags::StatusChange;
//! use hecate_sdk::projection::TableProjection;
//! # use hecate_sdk::serde::{Deserialize, Serialize};
//! # use hecate_sdk::store::NewEvent;
//! use hecate_sdk::table::{Column, Table};
//! use hecate_sdk::testing::project;
//! # #[derive(Serialize, Deserialize)]
//! # #[serde(crate = "hecate_sdk::serde")]
//! # struct Paid { cents: i64 }
//! # impl Event for Paid { const NAME: &'static str = "order_paid"; const REVISION: u32 = 1; }
//! # impl EventSet for Paid {
//! #     fn decode(_: &str, _: u32, data: &[u8]) -> Result<Self, DecodeError> { decode_payload(data) }
//! #     fn encode(&self) -> Result<NewEvent, hecate_sdk::serde_json::Error> { encode_payload(self) }
//! #     fn status_change(&self) -> StatusChange { status_change::<Self>() }
//! # }
//!
//! let orders = Table::new("orders", "order_id").columns(&[Column::new("last_paid", FieldType::Int)]);
//! let rows = TableProjection::<Paid>::new("order", &orders, |row, event| {
//!     row.set("last_paid", &event.cents);
//!     Ok(())
//! });
//! let row = project(rows, "order", [Paid { cents: 500 }, Paid { cents: 250 }]);
//! assert_eq!((&row["last_paid"], &row["version"]), (&250.into(), &2.into()));
//! ```

use std::marker::PhantomData;

use rusqlite::Connection;

use crate::aggregate::{DecodeError, EventSet};
use crate::fingerprint::fingerprint;
use crate::store::RecordedEvent;
use crate::table::{RowChange, Table};

/// Turns events into rows.
///
/// Its tables are its own: while rows are built anew, those of other projections are not there to be read.
/// All that it knows should be in its tables: what it keeps in itself is not taken back with a transaction that fails,
/// and is gone when the plugin is reloaded.
pub trait Projection: Send + 'static {
    /// Its name, unique in its division: that of its table.
    fn name(&self) -> &str;

    /// What makes it build its rows anew when it changes.
    fn revision(&self) -> u64;

    /// Makes its tables, or adds what they lack. Also called on the tables of an earlier revision, which serve until they
    /// are replaced: if that fails, they stay as they are.
    ///
    /// # Errors
    ///
    /// SQLite's.
    fn ensure(&self, connection: &Connection) -> rusqlite::Result<()>;

    /// Removes its tables, those of an earlier revision included. What it leaves is emptied if it is still used.
    ///
    /// # Errors
    ///
    /// SQLite's.
    fn remove(&self, connection: &Connection) -> rusqlite::Result<()>;

    /// Writes what `event` means for the rows. Runs in the transaction that also writes the checkpoint.
    ///
    /// # Errors
    ///
    /// [`ProjectError`]: what it wrote for this event is taken back. The event is tried once more, then it is parked.
    /// A panic is an error too.
    fn project(
        &mut self,
        connection: &Connection,
        event: &RecordedEvent,
    ) -> Result<(), ProjectError>;

    /// What `event` must be kept in order with: events of one key are taken in one after the other, and none behind one
    /// that is parked. The stream's name unless said otherwise: a projection whose rows are about something else than
    /// one stream names that.
    fn key(&self, event: &RecordedEvent) -> String {
        event.stream.as_str().to_owned()
    }
}

/// Why an event could not be projected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectError {
    /// The event is not one that this build can read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A column that the table does not declare was set.
    #[error("table `{table}` has no column `{column}`")]
    UnknownColumn {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// SQLite refused.
    #[error("the read model refused")]
    Storage(#[from] rusqlite::Error),
    /// The projection's own reason.
    #[error("{0}")]
    Other(String),
}

/// Says which columns of a row an event of type `E` changes: what a desk's own columns do with the desk's events.
pub trait Project<E> {
    /// Sets the columns that the event changes.
    fn project(row: &mut RowChange, event: &E);
}

/// What any event of a division changes in its thing's row.
pub type ProjectRow<E> = fn(&mut RowChange, &E) -> Result<(), ProjectError>;

/// A projection into one table, one row for each thing.
pub struct TableProjection<E> {
    table: Table,
    kind: &'static str,
    revisions: u64,
    project: ProjectRow<E>,
    events: PhantomData<fn() -> E>,
}

impl<E: EventSet> TableProjection<E> {
    /// Projects the events of streams of `kind` into `table`.
    pub fn new(kind: &'static str, table: &Table, project: ProjectRow<E>) -> Self {
        Self {
            table: table.clone(),
            kind,
            revisions: 0,
            project,
            events: PhantomData,
        }
    }

    /// The table that it writes.
    pub const fn table(&self) -> &Table {
        &self.table
    }

    /// Adds the revision of one desk's `project`: when the desk raises it, the table is built anew.
    #[must_use]
    pub fn revision(mut self, desk: &str, revision: u32) -> Self {
        // The first revision counts nothing, so that a new desk does not rebuild what others made.
        if revision > 1 {
            let named = format!("{desk} {revision}");
            self.revisions = self.revisions.wrapping_add(fingerprint(named.as_bytes()));
        }
        self
    }
}

impl<E: EventSet> Projection for TableProjection<E> {
    fn name(&self) -> &str {
        self.table.name()
    }

    fn revision(&self) -> u64 {
        self.revisions
    }

    fn ensure(&self, connection: &Connection) -> rusqlite::Result<()> {
        self.table.ensure(connection)
    }

    fn remove(&self, connection: &Connection) -> rusqlite::Result<()> {
        self.table.remove(connection)
    }

    fn project(
        &mut self,
        connection: &Connection,
        recorded: &RecordedEvent,
    ) -> Result<(), ProjectError> {
        let Some(id) = recorded.stream.id_of(self.kind) else {
            return Ok(());
        };
        let event = E::decode(&recorded.event_type, recorded.revision, &recorded.data)?;
        let mut row = RowChange::default();
        (self.project)(&mut row, &event)?;
        if row.is_touched() {
            self.table
                .write(connection, id, recorded.version, event.status_change(), row)?;
        }
        Ok(())
    }
}
