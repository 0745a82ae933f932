//! One projection that is followed: what becomes of each event that is offered to it.
//!
//! A batch is first taken in as a whole. If an event fails, nothing of the batch is kept, and it is taken in again
//! with a savepoint around each event: what fails twice is parked, and the rest goes on.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rusqlite::Connection;

use super::letters;
use crate::api::chain;
use crate::projection::{ProjectError, Projection};
use crate::store::{Position, RecordedEvent};

/// How often an event is tried before it is parked.
const TRIES: u32 = 2;

/// A projection and where it is.
pub(super) struct Followed {
    pub(super) name: Arc<str>,
    pub(super) projection: Box<dyn Projection>,
    pub(super) checkpoint: Option<Position>,
    /// Its rows are of other code, or of another history: they stay as they are until new ones take their place.
    pub(super) is_frozen: bool,
    pub(super) parked: u64,
    pub(super) reason: Option<Arc<str>>,
    pub(super) batch: Batch,
}

/// What the transaction that is open does for one projection.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) taken: u64,
    held: u64,
    parked: Vec<(Position, String, String)>,
}

/// What became of one event.
pub(super) enum Outcome {
    Taken,
    /// It failed, and what it wrote can be taken back by itself.
    Failed(String),
    /// It ended the transaction, and all that was in it.
    Broke(String),
}

/// What is known to go wrong in a batch, by projection and position: how often it was tried, and what broke the
/// transaction, so that it is not tried again.
#[derive(Default)]
pub(super) struct Faults {
    tries: HashMap<(usize, Position), u32>,
    broke: HashMap<(usize, Position), String>,
}

impl Faults {
    fn is_empty(&self) -> bool {
        self.tries.is_empty() && self.broke.is_empty()
    }
}

impl Followed {
    pub(super) fn new(
        projection: Box<dyn Projection>,
        checkpoint: Option<Position>,
        is_frozen: bool,
        connection: &Connection,
    ) -> rusqlite::Result<Self> {
        let mut followed = Self {
            name: projection.name().into(),
            projection,
            checkpoint,
            is_frozen,
            parked: 0,
            reason: None,
            batch: Batch::default(),
        };
        followed.count(connection)?;
        Ok(followed)
    }

    /// Takes `event` in, parks it or holds it. False if the transaction cannot go on: then there is a fault more.
    pub(super) fn offer(
        &mut self,
        transaction: &Connection,
        nth: usize,
        event: &RecordedEvent,
        faults: &mut Faults,
    ) -> rusqlite::Result<bool> {
        if self.parked > 0 || !self.batch.parked.is_empty() {
            let key = self.key(event);
            if letters::has(transaction, &self.name, &key)? {
                letters::hold(transaction, &self.name, &key, event)?;
                self.batch.held += 1;
                return Ok(true);
            }
        }
        let place = (nth, event.position);
        let careful = !faults.is_empty();
        let mut tries = faults.tries.get(&place).copied().unwrap_or_default();
        let reason = loop {
            if let Some(reason) = faults.broke.get(&place) {
                break reason.clone();
            }
            let outcome = if careful {
                self.guarded(transaction, event)?
            } else {
                self.project(transaction, event)?
            };
            match outcome {
                Outcome::Taken => {
                    self.batch.taken += 1;
                    return Ok(true);
                }
                Outcome::Failed(reason) => {
                    tries += 1;
                    if !careful {
                        faults.tries.insert(place, tries);
                        return Ok(false);
                    }
                    if tries >= TRIES {
                        break reason;
                    }
                }
                Outcome::Broke(reason) => {
                    faults.tries.insert(place, tries + 1);
                    faults.broke.insert(place, reason);
                    return Ok(false);
                }
            }
        };
        let key = self.key(event);
        letters::park(transaction, &self.name, &key, event, &reason, tries)?;
        let kind = event.versioned_type();
        self.batch.parked.push((event.position, kind, reason));
        Ok(true)
    }

    /// Projects with a savepoint around it, so that a failure leaves nothing behind.
    pub(super) fn guarded(
        &mut self,
        transaction: &Connection,
        event: &RecordedEvent,
    ) -> rusqlite::Result<Outcome> {
        let run = |sql| transaction.prepare_cached(sql)?.execute(());
        run("SAVEPOINT one_event")?;
        let outcome = self.project(transaction, event)?;
        match outcome {
            Outcome::Broke(_) => {}
            Outcome::Taken => _ = run("RELEASE one_event")?,
            Outcome::Failed(_) => {
                run("ROLLBACK TO one_event")?;
                run("RELEASE one_event")?;
            }
        }
        Ok(outcome)
    }

    /// An error is the disk's; everything else is the event's.
    fn project(
        &mut self,
        transaction: &Connection,
        event: &RecordedEvent,
    ) -> rusqlite::Result<Outcome> {
        let project = || self.projection.project(transaction, event);
        let reason = match catch_unwind(AssertUnwindSafe(project)) {
            Ok(Ok(())) => None,
            Ok(Err(ProjectError::Storage(error))) if is_storage_fault(&error) => return Err(error),
            Ok(Err(error)) => Some(chain(&error)),
            Err(panic) => Some(said(panic.as_ref())),
        };
        if transaction.is_autocommit() {
            let own = || "it ended the transaction that its rows are written in".to_owned();
            return Ok(Outcome::Broke(reason.unwrap_or_else(own)));
        }
        Ok(reason.map_or(Outcome::Taken, Outcome::Failed))
    }

    fn key(&self, event: &RecordedEvent) -> String {
        let key = || self.projection.key(event);
        catch_unwind(AssertUnwindSafe(key)).unwrap_or_else(|_| event.stream.as_str().to_owned())
    }

    /// Tells what the committed transaction parked, and counts it.
    pub(super) fn committed(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let projection = &*self.name;
        for (position, event, reason) in &self.batch.parked {
            let position = position.get();
            tracing::error!(projection, event, position, reason, "an event is parked");
        }
        if self.batch.held > 0 {
            tracing::warn!(
                projection,
                events = self.batch.held,
                "events are held behind parked ones"
            );
        }
        if self.batch.held > 0 || !self.batch.parked.is_empty() {
            self.count(connection)?;
        }
        Ok(())
    }

    /// Counts its letters.
    pub(super) fn count(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.parked = letters::count(connection, &self.name)?;
        self.reason = letters::first(connection, &self.name)?.map(|letter| {
            let reason = letter.reason.unwrap_or_else(|| "not tried yet".to_owned());
            format!(
                "event {} ({}) of `{}`: {reason}",
                letter.position, letter.event, letter.key
            )
            .into()
        });
        Ok(())
    }
}

/// Makes or removes tables: what panics there is an error as well.
pub(super) fn caught(work: impl FnOnce() -> rusqlite::Result<()>) -> rusqlite::Result<()> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let abort = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT);
        let said = said(panic.as_ref());
        Err(rusqlite::Error::SqliteFailure(abort, Some(said)))
    })
}

/// What a panic said.
fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    match text.or_else(|| panic.downcast_ref::<&str>().copied()) {
        Some(text) => format!("it panicked: {text}"),
        None => "it panicked".to_owned(),
    }
}

/// Whether the disk is at fault rather than the event: then it is tried again.
pub(super) fn is_storage_fault(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseCorrupt, DiskFull, NotADatabase, OutOfMemory, ReadOnly,
        SystemIoFailure,
    };
    matches!(
        error.sqlite_error_code(),
        Some(
            CannotOpen
                | DatabaseBusy
                | DatabaseCorrupt
                | DiskFull
                | NotADatabase
                | OutOfMemory
                | ReadOnly
                | SystemIoFailure
        )
    )
}
