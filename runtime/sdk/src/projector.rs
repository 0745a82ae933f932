//! Follows a store: one loop that catches up and then waits, for all projections of a division and for its listeners.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use metrics::Histogram;
use rusqlite::{Connection, OptionalExtension};
use tokio::sync::watch;

use crate::api::chain;
use crate::projection::{ProjectError, Projection};
use crate::store::{
    Access, Durability, EventStore, OpenError, Position, Query, ReadError, RecordedEvent, connect,
};
use crate::telemetry::{ProjectionTelemetry, projection_seconds};

/// Most events in one transaction.
const BATCH: usize = 1000;

/// How far the projections of a division are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// All running projections have taken this in.
    pub(crate) applied: Option<Position>,
    /// Projections that stopped at an event that they cannot take in, and why.
    pub(crate) halted: Vec<(String, String)>,
}

/// A running projector. Dropping it without [`Projector::stop`] leaves the loop to its end at the next event.
pub(crate) struct Projector {
    progress: watch::Receiver<Progress>,
    stop: watch::Sender<bool>,
    task: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

/// Called behind each commit with the events that it took in.
pub(crate) type OnApplied = Arc<dyn Fn(&[RecordedEvent]) + Send + Sync>;

impl Projector {
    /// Opens the read model of `division` at `path`, brings `projections` to their revisions, and starts to follow
    /// `store`.
    pub(crate) async fn start(
        division: &'static str,
        store: Arc<dyn EventStore>,
        path: PathBuf,
        projections: Vec<Box<dyn Projection>>,
        on_applied: OnApplied,
    ) -> Result<Self, OpenError> {
        let file = path.clone();
        let head = *store.head().borrow();
        let open = move || Model::open(division, &path, projections, head);
        let model = tokio::task::spawn_blocking(open)
            .await
            .unwrap_or(Err(OpenError::InUse { path: file }))?;
        let (stop, stopping) = watch::channel(false);
        let (progress_sender, progress) = watch::channel(model.progress());
        let follow = follow(store, model, on_applied, progress_sender, stopping);
        Ok(Self {
            progress,
            stop,
            task: Mutex::new(Some(tokio::spawn(follow))),
        })
    }

    pub(crate) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// Ends the loop behind the batch it is at, and closes the read model's connection.
    pub(crate) async fn stop(&self) {
        self.stop.send_replace(true);
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(task) = task {
            _ = task.await;
        }
    }
}

async fn follow(
    store: Arc<dyn EventStore>,
    mut model: Model,
    on_applied: OnApplied,
    progress: watch::Sender<Progress>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut head = store.head();
    let mut reached = model.applied();
    while !*stopping.borrow() {
        let last = *head.borrow_and_update();
        model.tell(last);
        if last <= reached {
            tokio::select! {
                _ = stopping.changed() => return,
                changed = head.changed() => if changed.is_err() { return },
            }
            continue;
        }
        let page = match store.read_all(reached, Query::all(), BATCH).await {
            Ok(page) => page,
            Err(ReadError::Fenced) => return,
            Err(error) => {
                tracing::error!(error = %chain(&error), "a projection cannot read its store; trying again");
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                continue;
            }
        };
        let Some(scanned_to) = page.scanned_to else {
            continue;
        };
        let applied = tokio::task::spawn_blocking(move || {
            let outcome = model.apply(&page.events, scanned_to);
            (model, page.events, outcome)
        })
        .await;
        // The closure catches the panics of projections; what is left is a runtime that shuts down.
        let Ok((back, events, outcome)) = applied else {
            return;
        };
        model = back;
        if let Err(error) = outcome {
            tracing::error!(error = %chain(&error), "the read model cannot be written; trying again");
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            continue;
        }
        reached = Some(scanned_to);
        model.tell(last.max(reached));
        progress.send_replace(model.progress());
        on_applied(&events);
    }
}

/// The read model as its one writer sees it.
struct Model {
    connection: Connection,
    projections: Vec<Followed>,
    /// What was read, for a store that no projection follows.
    reached: Option<Position>,
    seconds: Histogram,
}

struct Followed {
    projection: Box<dyn Projection>,
    checkpoint: Option<Position>,
    halted: Option<String>,
    /// Events of the transaction that is open.
    taken: u64,
    telemetry: ProjectionTelemetry,
}

impl Model {
    fn open(
        division: &str,
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
        let projections = prepare(division, &mut connection, projections).map_err(failed)?;
        Ok(Self {
            connection,
            projections,
            reached: head,
            seconds: projection_seconds(division),
        })
    }

    /// What every running projection has taken in.
    fn applied(&self) -> Option<Position> {
        let running = self
            .projections
            .iter()
            .filter(|followed| followed.halted.is_none());
        running
            .map(|followed| followed.checkpoint)
            .min()
            .unwrap_or(self.reached)
    }

    fn progress(&self) -> Progress {
        let halted = self.projections.iter().filter_map(|followed| {
            let reason = followed.halted.clone()?;
            Some((followed.projection.name().to_owned(), reason))
        });
        Progress {
            applied: self.applied(),
            halted: halted.collect(),
        }
    }

    /// Tells the metrics where the projections are, when the store is at `head`.
    fn tell(&self, head: Option<Position>) {
        for followed in &self.projections {
            let halted = followed.halted.is_some();
            followed.telemetry.is_at(followed.checkpoint, head, halted);
        }
    }

    /// Takes `events` in, all in one transaction; if one of them fails, one by one, so that only its projection halts.
    fn apply(&mut self, events: &[RecordedEvent], scanned_to: Position) -> rusqlite::Result<()> {
        let Self {
            connection,
            projections,
            reached,
            seconds,
        } = self;
        *reached = Some(scanned_to);
        let begun = Instant::now();
        if try_batch(connection, projections, events, scanned_to)?.is_none() {
            seconds.record(begun.elapsed());
            return Ok(());
        }
        for event in events {
            while let Some((nth, reason)) = try_batch(
                connection,
                projections,
                std::slice::from_ref(event),
                event.position,
            )? {
                let followed = &mut projections[nth];
                let (projection, kind) = (followed.projection.name(), event.versioned_type());
                tracing::error!(
                    projection,
                    event = kind,
                    position = event.position.get(),
                    reason,
                    "a projection stopped"
                );
                followed.halted = Some(format!(
                    "stopped at event {} ({kind}): {reason}",
                    event.position
                ));
            }
        }
        seconds.record(begun.elapsed());
        Ok(())
    }
}

/// Writes rows and checkpoints of all running projections, or nothing; gives the one that failed, and why.
fn try_batch(
    connection: &mut Connection,
    projections: &mut [Followed],
    events: &[RecordedEvent],
    scanned_to: Position,
) -> rusqlite::Result<Option<(usize, String)>> {
    let transaction = connection.transaction()?;
    for (nth, followed) in projections.iter_mut().enumerate() {
        followed.taken = 0;
        if followed.halted.is_some() || followed.checkpoint >= Some(scanned_to) {
            continue;
        }
        for event in events
            .iter()
            .filter(|event| followed.checkpoint < Some(event.position))
        {
            let project = || followed.projection.project(&transaction, event);
            match catch_unwind(AssertUnwindSafe(project)) {
                Ok(Ok(())) => followed.taken += 1,
                Ok(Err(ProjectError::Storage(error))) if is_storage_fault(&error) => {
                    return Err(error);
                }
                Ok(Err(error)) => return Ok(Some((nth, chain(&error)))),
                Err(_) => return Ok(Some((nth, "it panicked".to_owned()))),
            }
        }
        save_checkpoint(&transaction, followed.projection.as_ref(), scanned_to)?;
    }
    transaction.commit()?;
    for followed in projections
        .iter_mut()
        .filter(|followed| followed.halted.is_none())
    {
        followed.checkpoint = followed.checkpoint.max(Some(scanned_to));
        followed.telemetry.took(followed.taken);
    }
    Ok(None)
}

/// Whether the disk is at fault rather than the event: then it is tried again.
fn is_storage_fault(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{CannotOpen, DatabaseBusy, DiskFull, ReadOnly, SystemIoFailure};
    matches!(
        error.sqlite_error_code(),
        Some(CannotOpen | DatabaseBusy | DiskFull | ReadOnly | SystemIoFailure)
    )
}

fn prepare(
    division: &str,
    connection: &mut Connection,
    projections: Vec<Box<dyn Projection>>,
) -> rusqlite::Result<Vec<Followed>> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS projection (
           name TEXT PRIMARY KEY, revision INTEGER NOT NULL, position INTEGER NOT NULL
         ) STRICT, WITHOUT ROWID",
    )?;
    let mut followed = Vec::new();
    for projection in projections {
        let sql = "SELECT revision, position FROM projection WHERE name = ?1";
        let known: Option<(i64, i64)> = transaction
            .query_row(sql, [projection.name()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let mut checkpoint =
            known.and_then(|(_, position)| Position::new(position.cast_unsigned()));
        if known.is_some_and(|(revision, _)| revision.cast_unsigned() != projection.revision()) {
            tracing::info!(
                projection = projection.name(),
                "the projection has changed: it is built anew"
            );
            projection.remove(&transaction)?;
            checkpoint = None;
        }
        projection.ensure(&transaction)?;
        let position = checkpoint.map_or(0, |position| position.get().cast_signed());
        let sql = "INSERT INTO projection (name, revision, position) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, position = excluded.position";
        transaction.execute(
            sql,
            (
                projection.name(),
                projection.revision().cast_signed(),
                position,
            ),
        )?;
        followed.push(Followed {
            telemetry: ProjectionTelemetry::new(division, projection.name()),
            projection,
            checkpoint,
            halted: None,
            taken: 0,
        });
    }
    transaction.commit()?;
    Ok(followed)
}

fn save_checkpoint(
    connection: &Connection,
    projection: &dyn Projection,
    at: Position,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE projection SET position = ?2 WHERE name = ?1")?
        .execute((projection.name(), at.get().cast_signed()))?;
    Ok(())
}
