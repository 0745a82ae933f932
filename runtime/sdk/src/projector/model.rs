//! The read model as its one writer sees it: rows, checkpoints and dead letters, all in one transaction.
//!
//! Checkpoints are moved in memory only when their transaction has been committed, and read again when one may not
//! have been.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use super::checkpoint::{self, move_checkpoint, record, recorded};
use super::followed::{Batch, Faults, Followed, Outcome, caught, is_storage_fault};
use super::letters::{self, DeadLetter, Place, Scope};
use super::progress::{Progress, ProjectionProgress};
use crate::api::chain;
use crate::fault;
use crate::projection::Projection;
use crate::store::{Access, Durability, OpenError, Position, RecordedEvent, connect};

/// Most events in one transaction, and how near to the store's last event is near.
pub(super) const BATCH: usize = 1000;

pub(super) struct Model {
    pub(super) connection: Connection,
    pub(super) followed: Vec<Followed>,
    /// What was read, for a store that no projection follows.
    reached: Option<Position>,
}

/// What a page of letters came to.
pub(super) struct Retried {
    /// Letters that are gone.
    pub(super) taken: u64,
    /// The last key that failed again.
    pub(super) failed: Option<String>,
}

impl Model {
    /// Opens the read model at `path`. The store is at `head`.
    ///
    /// What `projections` have rows of other code or of another history for is left as it is, and frozen.
    pub(super) fn open(
        path: &Path,
        projections: Vec<Box<dyn Projection>>,
        head: Option<Position>,
    ) -> Result<Self, OpenError> {
        let prepare = |connection: &Connection| {
            let prepare = |projection| prepare(connection, projection, head);
            projections.into_iter().map(prepare).collect()
        };
        Self::connect(path, head, prepare)
    }

    /// Opens the file in which `projection` is built beside its running rows, to go on with what is there or from the
    /// first event on. The store is at `head`.
    pub(super) fn open_beside(
        path: &Path,
        projection: Box<dyn Projection>,
        head: Option<Position>,
    ) -> Result<Self, OpenError> {
        Self::connect(path, head, |connection| {
            let known = recorded(connection, projection.name())?;
            caught(|| projection.ensure(connection))?;
            let checkpoint = known.and_then(|(_, checkpoint)| checkpoint);
            record(connection, projection.as_ref(), checkpoint)?;
            Ok(vec![Followed::new(
                projection, checkpoint, false, connection,
            )?])
        })
    }

    fn connect(
        path: &Path,
        head: Option<Position>,
        prepare: impl FnOnce(&Connection) -> rusqlite::Result<Vec<Followed>>,
    ) -> Result<Self, OpenError> {
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir).map_err(|source| OpenError::Files {
                path: dir.to_owned(),
                source,
            })?;
        }
        // Derived data: after a power cut rows and checkpoints are both a little older, and it catches up.
        let mut connection = connect(path, Access::Write(Durability::ProcessSafe))?;
        let prepared = prepare_in(&mut connection, prepare);
        let followed = prepared.map_err(|source| OpenError::Storage {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            connection,
            followed,
            reached: head,
        })
    }

    /// What every projection whose rows are kept up has taken in or parked.
    pub(super) fn applied(&self) -> Option<Position> {
        let live = self.followed.iter().filter(|one| !one.is_frozen);
        live.map(|followed| followed.checkpoint)
            .min()
            .unwrap_or(self.reached)
    }

    pub(super) fn progress(&self) -> Progress {
        let one = |followed: &Followed| ProjectionProgress {
            name: followed.name.clone(),
            checkpoint: followed.checkpoint,
            parked: followed.parked,
            reason: followed.reason.clone(),
            is_frozen: followed.is_frozen,
            rebuild: None,
        };
        Progress {
            reached: self.reached,
            projections: self.followed.iter().map(one).collect(),
            is_stuck: false,
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
            if followed.is_frozen || followed.checkpoint >= Some(scanned_to) {
                continue;
            }
            let behind = followed.checkpoint;
            for event in events.iter().filter(|event| behind < Some(event.position)) {
                fault::point("projection.between_events");
                if !followed.offer(&transaction, nth, event, faults)? {
                    return Ok(false);
                }
            }
            move_checkpoint(&transaction, &followed.name, behind, scanned_to)?;
        }
        fault::point("projection.before_commit");
        transaction.commit()?;
        fault::point("projection.after_commit");
        for followed in self.followed.iter_mut().filter(|one| !one.is_frozen) {
            followed.checkpoint = followed.checkpoint.max(Some(scanned_to));
        }
        for followed in &mut self.followed {
            followed.committed(&self.connection)?;
        }
        Ok(true)
    }

    /// Reads again what the file says, for when it is not known whether a transaction was committed.
    pub(super) fn recall(&mut self) {
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

    pub(super) fn is_frozen(&self, nth: usize) -> bool {
        self.followed[nth].is_frozen
    }

    /// The projections whose letters may be tried again: new rows will try those of the frozen ones.
    pub(super) fn with_letters(&self) -> Vec<usize> {
        let with = self.followed.iter().enumerate();
        with.filter(|(_, followed)| followed.parked > 0 && !followed.is_frozen)
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

fn prepare_in(
    connection: &mut Connection,
    prepare: impl FnOnce(&Connection) -> rusqlite::Result<Vec<Followed>>,
) -> rusqlite::Result<Vec<Followed>> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(checkpoint::TABLE)?;
    transaction.execute_batch(letters::TABLE)?;
    let followed = prepare(&transaction)?;
    fault::point("projection.before_format");
    transaction.commit()?;
    Ok(followed)
}

/// Brings what `projection` has to what its code needs, without touching rows that are not this code's.
fn prepare(
    connection: &Connection,
    projection: Box<dyn Projection>,
    head: Option<Position>,
) -> rusqlite::Result<Followed> {
    let known = recorded(connection, projection.name())?;
    let why = match known {
        // Where there is little to take in, that is done in place. Nobody has read these rows yet.
        None if number(head) <= BATCH as u64 => None,
        None => Some("the projection is new"),
        Some((revision, _)) if revision != projection.revision() => {
            Some("the projection has changed")
        }
        Some((_, checkpoint)) if checkpoint > head => {
            Some("the projection has events that its store does not have")
        }
        Some(_) => None,
    };
    let checkpoint = known.and_then(|(_, checkpoint)| checkpoint);
    let Some(why) = why else {
        caught(|| projection.ensure(connection))?;
        record(connection, projection.as_ref(), checkpoint)?;
        return Followed::new(projection, checkpoint, false, connection);
    };
    let name = projection.name();
    tracing::info!(
        projection = name,
        why,
        "rows are built anew, beside those that serve"
    );
    // New queries may ask for columns that old rows lack, and get them empty. Tables of another shape stay as they are.
    tolerated(connection, name, || projection.ensure(connection))?;
    Followed::new(projection, checkpoint, true, connection)
}

/// Does `work` or nothing: an error of the disk is one, another is only told.
pub(super) fn tolerated(
    connection: &Connection,
    projection: &str,
    work: impl FnOnce() -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    connection.execute_batch("SAVEPOINT tolerated")?;
    match caught(work) {
        Ok(()) => {}
        Err(error) if is_storage_fault(&error) => return Err(error),
        Err(error) => {
            tracing::warn!(projection, error = %chain(&error), "old tables stay as they are");
            connection.execute_batch("ROLLBACK TO tolerated")?;
        }
    }
    connection.execute_batch("RELEASE tolerated")
}

pub(super) fn number(position: Option<Position>) -> u64 {
    position.map_or(0, Position::get)
}
