//! The read model as its one writer sees it: rows, checkpoints and dead letters, all in one transaction.
//!
//! A batch is first taken in as a whole. If an event fails, nothing of the batch is kept, and it is taken in again
//! with a savepoint around each event: what fails twice is parked, and the rest goes on. Checkpoints are moved in
//! memory only when their transaction has been committed, and read again when one may not have been.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use super::letters::{self, DeadLetter, Place, Scope};
use super::progress::{Progress, ProjectionProgress};
use crate::api::chain;
use crate::projection::{ProjectError, Projection};
use crate::store::{Access, Durability, OpenError, Position, RecordedEvent, connect};

/// How often an event is tried before it is parked.
const TRIES: u32 = 2;

/// The tables that are the projector's own. Derived from events as all else in a read model.
const TABLES: &str = "CREATE TABLE IF NOT EXISTS projection (
   name TEXT PRIMARY KEY, revision INTEGER NOT NULL, position INTEGER NOT NULL
 ) STRICT, WITHOUT ROWID";

pub(super) struct Model {
    connection: Connection,
    followed: Vec<Followed>,
    /// What was read, for a store that no projection follows.
    reached: Option<Position>,
}

/// A projection and where it is.
pub(super) struct Followed {
    name: Arc<str>,
    projection: Box<dyn Projection>,
    checkpoint: Option<Position>,
    parked: u64,
    reason: Option<Arc<str>>,
    batch: Batch,
}

/// What the transaction that is open does for one projection.
#[derive(Default)]
struct Batch {
    taken: u64,
    held: u64,
    parked: Vec<(Position, String, String)>,
}

/// What became of one event.
enum Outcome {
    Taken,
    /// It failed, and what it wrote can be taken back by itself.
    Failed(String),
    /// It ended the transaction, and all that was in it.
    Broke(String),
}

/// What is known to go wrong in a batch, by projection and position: how often it was tried, and what broke the
/// transaction, so that it is not tried again.
#[derive(Default)]
struct Faults {
    tries: HashMap<(usize, Position), u32>,
    broke: HashMap<(usize, Position), String>,
}

impl Faults {
    fn is_empty(&self) -> bool {
        self.tries.is_empty() && self.broke.is_empty()
    }
}

/// What a page of letters came to.
pub(super) struct Retried {
    /// Letters that are gone.
    pub(super) taken: u64,
    /// The last key that failed again.
    pub(super) failed: Option<String>,
}

impl Model {
    /// Opens the read model at `path` and brings `projections` to their revisions. The store is at `head`.
    pub(super) fn open(
        path: &Path,
        projections: Vec<Box<dyn Projection>>,
        head: Option<Position>,
    ) -> Result<Self, OpenError> {
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir).map_err(|source| OpenError::Files {
                path: dir.to_owned(),
                source,
            })?;
        }
        // Derived data: after a power cut rows and checkpoints are both a little older, and it catches up.
        let mut connection = connect(path, Access::Write(Durability::ProcessSafe))?;
        let failed = |source| OpenError::Storage {
            path: path.to_owned(),
            source,
        };
        let followed = prepare(&mut connection, projections).map_err(failed)?;
        Ok(Self {
            connection,
            followed,
            reached: head,
        })
    }

    /// What every projection has taken in or parked.
    pub(super) fn applied(&self) -> Option<Position> {
        let checkpoints = self.followed.iter().map(|followed| followed.checkpoint);
        checkpoints.min().unwrap_or(self.reached)
    }

    pub(super) fn progress(&self) -> Progress {
        let one = |followed: &Followed| ProjectionProgress {
            name: followed.name.clone(),
            checkpoint: followed.checkpoint,
            parked: followed.parked,
            reason: followed.reason.clone(),
        };
        Progress {
            reached: self.reached,
            projections: self.followed.iter().map(one).collect(),
        }
    }

    /// How many events each projection took in with the last batch.
    pub(super) fn taken(&self) -> Vec<u64> {
        let taken = self.followed.iter().map(|followed| followed.batch.taken);
        taken.collect()
    }

    /// Takes `events` in, in one transaction: rows, letters and checkpoints.
    ///
    /// An error is the disk's: nothing was written, and it may be tried again.
    pub(super) fn take_in(
        &mut self,
        events: &[RecordedEvent],
        scanned_to: Position,
    ) -> rusqlite::Result<()> {
        let mut faults = Faults::default();
        loop {
            match self.attempt(events, scanned_to, &mut faults) {
                // Each time around there is one fault more that is known, so this ends.
                Ok(false) => {}
                Ok(true) => {
                    self.reached = Some(scanned_to);
                    return Ok(());
                }
                Err(error) => {
                    self.recall();
                    return Err(error);
                }
            }
        }
    }

    /// Whether it was committed. If not there is a fault more.
    fn attempt(
        &mut self,
        events: &[RecordedEvent],
        scanned_to: Position,
        faults: &mut Faults,
    ) -> rusqlite::Result<bool> {
        let transaction = self.connection.transaction()?;
        for (nth, followed) in self.followed.iter_mut().enumerate() {
            followed.batch = Batch::default();
            if followed.checkpoint >= Some(scanned_to) {
                continue;
            }
            let behind = followed.checkpoint;
            for event in events.iter().filter(|event| behind < Some(event.position)) {
                if !followed.offer(&transaction, nth, event, faults)? {
                    return Ok(false);
                }
            }
            move_checkpoint(&transaction, &followed.name, behind, scanned_to)?;
        }
        transaction.commit()?;
        for followed in &mut self.followed {
            followed.checkpoint = followed.checkpoint.max(Some(scanned_to));
        }
        for followed in &mut self.followed {
            followed.committed(&self.connection)?;
        }
        Ok(true)
    }

    /// Reads again what the file says, for when it is not known whether a transaction was committed.
    fn recall(&mut self) {
        for followed in &mut self.followed {
            // If this fails too, the next move of the checkpoint finds out.
            if let Ok(Some((_, checkpoint))) = recorded(&self.connection, &followed.name) {
                followed.checkpoint = checkpoint;
            }
            _ = followed.count(&self.connection);
        }
    }

    /// The number of the projection `name`.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.followed
            .iter()
            .position(|followed| &*followed.name == name)
    }

    pub(super) fn name(&self, nth: usize) -> Arc<str> {
        self.followed[nth].name.clone()
    }

    /// The projections that have letters.
    pub(super) fn with_letters(&self) -> Vec<usize> {
        let with = self.followed.iter().enumerate();
        with.filter(|(_, followed)| followed.parked > 0)
            .map(|(nth, _)| nth)
            .collect()
    }

    pub(super) fn letters(
        &self,
        nth: usize,
        scope: &Scope,
        limit: usize,
    ) -> rusqlite::Result<Vec<Place>> {
        letters::page(&self.connection, &self.followed[nth].name, scope, limit)
    }

    /// Tries letters again, in the order of [`Model::letters`]. What is taken in is no letter any more; of a key whose
    /// letter fails once more, the rest waits.
    pub(super) fn retry(
        &mut self,
        nth: usize,
        letters: &[(Place, Option<RecordedEvent>)],
    ) -> rusqlite::Result<Retried> {
        let mut broke = HashMap::new();
        loop {
            match self.attempt_letters(nth, letters, &mut broke) {
                Ok(None) => {}
                Ok(Some(retried)) => return Ok(retried),
                Err(error) => {
                    self.recall();
                    return Err(error);
                }
            }
        }
    }

    fn attempt_letters(
        &mut self,
        nth: usize,
        letters: &[(Place, Option<RecordedEvent>)],
        broke: &mut HashMap<Position, String>,
    ) -> rusqlite::Result<Option<Retried>> {
        let followed = &mut self.followed[nth];
        let mut retried = Retried {
            taken: 0,
            failed: None,
        };
        let transaction = self.connection.transaction()?;
        for (place, event) in letters {
            if retried.failed.as_ref() == Some(&place.key) {
                continue;
            }
            let outcome = match (broke.get(&place.position), event) {
                (Some(reason), _) => Outcome::Failed(reason.clone()),
                (None, None) => Outcome::Failed("the event is no longer in the store".to_owned()),
                (None, Some(event)) => followed.guarded(&transaction, event)?,
            };
            match outcome {
                Outcome::Taken => {
                    letters::remove(&transaction, &followed.name, place)?;
                    retried.taken += 1;
                }
                Outcome::Failed(reason) => {
                    letters::failed_again(&transaction, &followed.name, place, &reason)?;
                    retried.failed = Some(place.key.clone());
                }
                Outcome::Broke(reason) => {
                    broke.insert(place.position, reason);
                    return Ok(None);
                }
            }
        }
        transaction.commit()?;
        followed.count(&self.connection)?;
        Ok(Some(retried))
    }

    /// Drops the letter at `position`, if it is the first of its key; gives what there is instead if it is not.
    pub(super) fn discard(
        &mut self,
        nth: usize,
        position: Position,
    ) -> rusqlite::Result<Result<DeadLetter, Option<(DeadLetter, u64)>>> {
        let followed = &mut self.followed[nth];
        let transaction = self.connection.transaction()?;
        let letter = match letters::at(&transaction, &followed.name, position)? {
            Some((letter, first)) if first == letter.position => letter,
            other => return Ok(Err(other)),
        };
        let place = Place {
            key: letter.key.clone(),
            position,
        };
        letters::remove(&transaction, &followed.name, &place)?;
        transaction.commit()?;
        followed.count(&self.connection)?;
        Ok(Ok(letter))
    }
}

impl Followed {
    /// Takes `event` in, parks it or holds it. False if the transaction cannot go on: then there is a fault more.
    fn offer(
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
    fn guarded(
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
    fn committed(&mut self, connection: &Connection) -> rusqlite::Result<()> {
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

    fn count(&mut self, connection: &Connection) -> rusqlite::Result<()> {
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

/// Revision and checkpoint as the file has them.
fn recorded(
    connection: &Connection,
    name: &str,
) -> rusqlite::Result<Option<(u64, Option<Position>)>> {
    let sql = "SELECT revision, position FROM projection WHERE name = ?1";
    connection
        .query_row(sql, [name], |row| {
            let (revision, position): (i64, i64) = (row.get(0)?, row.get(1)?);
            let position = Position::new(position.cast_unsigned());
            Ok((revision.cast_unsigned(), position))
        })
        .optional()
}

fn prepare(
    connection: &mut Connection,
    projections: Vec<Box<dyn Projection>>,
) -> rusqlite::Result<Vec<Followed>> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.execute_batch(letters::TABLE)?;
    let mut all = Vec::new();
    for projection in projections {
        let known = recorded(&transaction, projection.name())?;
        let mut checkpoint = known.and_then(|(_, checkpoint)| checkpoint);
        if known.is_some_and(|(revision, _)| revision != projection.revision()) {
            tracing::info!(
                projection = projection.name(),
                "the projection has changed: it is built anew"
            );
            projection.remove(&transaction)?;
            transaction.execute(
                "DELETE FROM dead_letter WHERE projection = ?1",
                [projection.name()],
            )?;
            checkpoint = None;
        }
        projection.ensure(&transaction)?;
        record(&transaction, projection.as_ref(), checkpoint)?;
        let mut followed = Followed {
            name: projection.name().into(),
            projection,
            checkpoint,
            parked: 0,
            reason: None,
            batch: Batch::default(),
        };
        followed.count(&transaction)?;
        all.push(followed);
    }
    transaction.commit()?;
    Ok(all)
}

/// Writes down of which revision the rows are, and where they are.
fn record(
    connection: &Connection,
    projection: &dyn Projection,
    checkpoint: Option<Position>,
) -> rusqlite::Result<()> {
    let position = checkpoint.map_or(0, |position| position.get().cast_signed());
    let sql = "INSERT INTO projection (name, revision, position) VALUES (?1, ?2, ?3) \
               ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, position = excluded.position";
    let revision = projection.revision().cast_signed();
    connection.execute(sql, (projection.name(), revision, position))?;
    Ok(())
}

/// Refuses to move it from anywhere else than where it is thought to be, so that no event is taken in twice or left out
/// if it is not known whether the last transaction was committed.
fn move_checkpoint(
    connection: &Connection,
    name: &str,
    from: Option<Position>,
    to: Position,
) -> rusqlite::Result<()> {
    let sql = "UPDATE projection SET position = ?2 WHERE name = ?1 AND position = ?3";
    let from = from.map_or(0, |from| from.get().cast_signed());
    let moved = connection
        .prepare_cached(sql)?
        .execute((name, to.get().cast_signed(), from))?;
    if moved == 1 {
        Ok(())
    } else {
        Err(rusqlite::Error::StatementChangedRows(moved))
    }
}
