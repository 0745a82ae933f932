//! Builds a projection's rows anew in a file of their own, page by page, until they are near the store's last event.
//!
//! One page at a time is read and taken in for all builds of a division, so that what is live is not starved.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{Semaphore, mpsc, watch};

use super::beside;
use super::followed::is_storage_fault;
use super::model::{BATCH, Model, number};
use super::pause::Pause;
use super::progress::{Progress, Rebuild};
use crate::api::chain;
use crate::fault;
use crate::projection::Projection;
use crate::store::{EventStore, OpenError, Position, Query, ReadError};
use crate::telemetry::RebuildTelemetry;

/// What all builds of a division share.
#[derive(Clone)]
pub(super) struct Site {
    pub(super) division: &'static str,
    pub(super) store: Arc<dyn EventStore>,
    pub(super) model: PathBuf,
    pub(super) projections: fn() -> Vec<Box<dyn Projection>>,
    pub(super) progress: Arc<watch::Sender<Progress>>,
    pub(super) stopping: watch::Receiver<bool>,
    pub(super) turn: Arc<Semaphore>,
    pub(super) built: mpsc::UnboundedSender<Built>,
}

/// Rows that are near the store's last event.
pub(super) struct Built {
    pub(super) nth: usize,
    pub(super) model: Model,
    /// For the next try, if they cannot take their place.
    pub(super) pause: Pause,
}

/// Why a build does not go on.
pub(super) enum Halt {
    /// The store or the runtime has closed.
    Over,
    /// The disk is full. The file is removed: what serves needs the space more.
    Full,
    /// Something that may pass.
    Again(String),
}

/// The build of one projection.
pub(super) struct Build {
    site: Site,
    nth: usize,
    name: Arc<str>,
    telemetry: RebuildTelemetry,
}

impl Site {
    pub(super) fn file(&self, projection: &str) -> PathBuf {
        beside::path(&self.model, projection)
    }

    /// The projection `name` once more: one follows the running rows, one makes the new ones.
    pub(super) fn another(&self, name: &str) -> Option<Box<dyn Projection>> {
        let all = (self.projections)();
        all.into_iter().find(|projection| projection.name() == name)
    }

    /// Says that the projection `nth` is not built anew any more.
    pub(super) fn end(&self, nth: usize) {
        self.progress.send_modify(|progress| {
            if let Some(one) = progress.projections.get_mut(nth) {
                one.rebuild = None;
            }
        });
    }

    /// Changes what is said about the build of the projection `nth`.
    pub(super) fn change(&self, nth: usize, change: impl FnOnce(&mut Rebuild)) {
        self.progress.send_modify(|progress| {
            if let Some(one) = progress.projections.get_mut(nth) {
                change(one.rebuild.get_or_insert_default());
            }
        });
    }
}

/// Opens the file of a build, to go on with it if it is one of this code and this history.
pub(super) fn open(site: &Site, name: &str, head: Option<Position>) -> Result<Model, OpenError> {
    let path = site.file(name);
    let gone = || OpenError::InUse { path: path.clone() };
    let projection = site.another(name).ok_or_else(gone)?;
    if !beside::goes_on(&path, projection.as_ref(), head) {
        beside::remove(&path)?;
    }
    let model = Model::open_beside(&path, projection, head);
    fault::point("rebuild.opened");
    model
}

impl Build {
    pub(super) fn new(site: Site, nth: usize, name: Arc<str>) -> Self {
        Self {
            telemetry: RebuildTelemetry::new(site.division, &name),
            site,
            nth,
            name,
        }
    }

    /// Builds, behind a pause if the last try came to nothing, and hands the rows over.
    pub(super) async fn run(mut self, mut pause: Pause) {
        loop {
            if pause.wait(&mut self.site.stopping).await {
                return;
            }
            match self.go(&mut pause).await {
                Ok(model) => {
                    let nth = self.nth;
                    // If nobody takes it, the store is closing: the file stays.
                    _ = self.site.built.send(Built { nth, model, pause });
                    return;
                }
                Err(Halt::Over) => return,
                Err(Halt::Full) => {
                    self.give_up();
                    return;
                }
                Err(Halt::Again(reason)) => {
                    self.halted(&reason);
                    pause.lengthen();
                }
            }
        }
    }

    async fn go(&mut self, pause: &mut Pause) -> Result<Model, Halt> {
        let begun = Instant::now();
        let mut head = *self.site.store.head().borrow();
        let mut events = 0;
        let (site, name) = (self.site.clone(), self.name.clone());
        let mut model = blocking(move || open(&site, &name, head))
            .await?
            .map_err(|error| halt_of(&error))?;
        loop {
            let at = model.applied();
            self.tell(at, head, begun, events);
            if *self.site.stopping.borrow() || self.site.stopping.has_changed().is_err() {
                return Err(Halt::Over);
            }
            head = *self.site.store.head().borrow();
            if number(head).saturating_sub(number(at)) <= BATCH as u64 {
                return Ok(model);
            }
            let turn = self.site.turn.clone().acquire_owned().await;
            let turn = turn.map_err(|_| Halt::Over)?;
            let page = match self.site.store.read_all(at, Query::all(), BATCH).await {
                Ok(page) => page,
                Err(ReadError::Fenced) => return Err(Halt::Over),
                Err(error) => return Err(Halt::Again(chain(&error))),
            };
            let Some(scanned_to) = page.scanned_to.filter(|to| Some(*to) > at) else {
                return Err(Halt::Again("the store gives no more events".to_owned()));
            };
            let taken = page.events.len() as u64;
            let (back, outcome) = blocking(move || {
                let outcome = model.take_in(&page.events, scanned_to);
                (model, outcome)
            })
            .await?;
            drop(turn);
            model = back;
            outcome.map_err(|error| halt(&error))?;
            pause.forget();
            events += taken;
            self.took(taken);
        }
    }

    fn tell(&self, at: Option<Position>, head: Option<Position>, begun: Instant, events: u64) {
        self.telemetry.is_at(at, head);
        let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let rebuild = Rebuild {
            position: at,
            head,
            events_per_second: (events * 1000).checked_div(millis).unwrap_or_default(),
            ..Rebuild::default()
        };
        self.site.change(self.nth, |known| *known = rebuild);
    }

    /// Says what it waits for.
    pub(super) fn halted(&self, reason: &str) {
        tracing::error!(projection = %self.name, reason, "rows cannot be built anew; trying again");
        self.site
            .change(self.nth, |rebuild| rebuild.stopped = Some(reason.into()));
    }

    /// It has taken in `events` more.
    pub(super) fn took(&self, events: u64) {
        self.telemetry.took(events);
    }

    /// There is nothing that it has to catch up with any more.
    pub(super) fn is_done(&self) {
        self.telemetry.is_at(None, None);
    }

    /// Gives the space back and waits to be asked again, or for the next opening.
    pub(super) fn give_up(&self) {
        tracing::error!(projection = %self.name, "the disk is full: rows are not built anew");
        if let Err(error) = beside::remove(&self.site.file(&self.name)) {
            tracing::error!(projection = %self.name, error = %chain(&error), "a file stays");
        }
        let reason = "the disk is full: free some space and use `hecate store replay`";
        self.site.change(self.nth, |rebuild| {
            rebuild.stopped = Some(reason.into());
            rebuild.is_over = true;
        });
    }
}

/// What an error of SQLite means for a build.
pub(super) fn halt(error: &rusqlite::Error) -> Halt {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) {
        return Halt::Full;
    }
    let kind = if is_storage_fault(error) {
        "the disk"
    } else {
        "the read model"
    };
    Halt::Again(format!("{kind} refused: {}", chain(error)))
}

fn halt_of(error: &OpenError) -> Halt {
    match error {
        OpenError::Storage { source, .. } => halt(source),
        other => Halt::Again(chain(other)),
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Halt> {
    // What projections panic with is caught; what is left is a runtime that shuts down.
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Halt::Over)
}
