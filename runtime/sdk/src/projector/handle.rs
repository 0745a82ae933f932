//! A running projector, as its division holds it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use super::beside;
use super::follow::{Follower, OnApplied};
use super::letters::DeadLetter;
use super::model::Model;
use super::progress::Progress;
use super::rebuild::Site;
use crate::api::chain;
use crate::projection::Projection;
use crate::store::{EventStore, OpenError, Position, ReadError};

/// What operators ask may wait in this number; more make their callers wait.
const ASKS: usize = 16;

/// A running projector. Dropping it without [`Projector::stop`] leaves the loop to its end at the next event.
pub(crate) struct Projector {
    progress: watch::Receiver<Progress>,
    stop: watch::Sender<bool>,
    asks: mpsc::Sender<Ask>,
    task: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

/// What an operator asks of the loop, which alone writes. Where letters are meant, the reply says how many are gone.
pub(super) enum Ask {
    Replay {
        projection: String,
        reply: oneshot::Sender<Result<(), OperateError>>,
    },
    Retry {
        projection: String,
        reply: oneshot::Sender<Result<u64, OperateError>>,
    },
    Discard {
        projection: String,
        position: Position,
        reply: oneshot::Sender<Result<u64, OperateError>>,
    },
}

/// Why what an operator asked was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OperateError {
    #[error("there is no projection `{projection}`")]
    Unknown { projection: String },
    #[error("`{projection}` has no parked event at position {position}: {known}")]
    NoLetter {
        projection: String,
        position: u64,
        /// What it has parked instead.
        known: String,
    },
    #[error(
        "event {position} is held behind event {first} of `{key}`: discard that one first, or find out what it needs"
    )]
    Held {
        position: Position,
        first: u64,
        key: String,
    },
    #[error("`{projection}` is being built anew, and what was parked is tried by that")]
    Rebuilding { projection: String },
    #[error("the store is closed")]
    Closed,
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("the read model refused")]
    Storage(#[source] rusqlite::Error),
}

impl OperateError {
    /// `instead` is the letter at `position` and the first of its key, if there is any.
    pub(super) fn not_first(
        projection: String,
        position: Position,
        instead: Option<(DeadLetter, u64)>,
    ) -> Self {
        match instead {
            None => Self::NoLetter {
                projection,
                position: position.get(),
                known: String::new(),
            },
            Some((letter, first)) => Self::Held {
                position,
                first,
                key: letter.key,
            },
        }
    }
}

impl Projector {
    /// Opens the read model of `division` at `path`, brings its projections to their revisions, and starts to follow
    /// `store`.
    pub(crate) async fn start(
        division: &'static str,
        store: Arc<dyn EventStore>,
        path: PathBuf,
        projections: fn() -> Vec<Box<dyn Projection>>,
        on_applied: OnApplied,
    ) -> Result<Self, OpenError> {
        let file = path.clone();
        let head = *store.head().borrow();
        let open = {
            let path = path.clone();
            move || open(&path, projections(), head)
        };
        let (model, to_build) = tokio::task::spawn_blocking(open)
            .await
            .unwrap_or(Err(OpenError::InUse { path: file }))?;
        let (stop, stopping) = watch::channel(false);
        let (progress_sender, progress) = watch::channel(model.progress());
        let (asks, asked) = mpsc::channel(ASKS);
        let (built, to_finish) = mpsc::unbounded_channel();
        let site = Site {
            division,
            store,
            model: path,
            projections,
            progress: Arc::new(progress_sender),
            stopping,
            turn: Arc::new(Semaphore::new(1)),
            built,
        };
        let follower = Follower::new(site, model, &to_build, on_applied, asked, to_finish);
        Ok(Self {
            progress,
            stop,
            asks,
            task: Mutex::new(Some(tokio::spawn(follower.run()))),
        })
    }

    pub(crate) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// Begins to build the rows of `projection` anew, beside those that serve. Goes on with it if that has begun.
    pub(crate) async fn replay(&self, projection: String) -> Result<(), OperateError> {
        self.ask(|reply| Ask::Replay { projection, reply }).await
    }

    /// Tries the letters of `projection` again; gives how many are gone.
    pub(crate) async fn retry(&self, projection: String) -> Result<u64, OperateError> {
        self.ask(|reply| Ask::Retry { projection, reply }).await
    }

    /// Drops the letter at `position`, the first of its key, and lets the rest of the key go on; gives how many more
    /// are gone by that.
    pub(crate) async fn discard(
        &self,
        projection: String,
        position: Position,
    ) -> Result<u64, OperateError> {
        let ask = |reply| Ask::Discard {
            projection,
            position,
            reply,
        };
        self.ask(ask).await
    }

    async fn ask<T>(
        &self,
        ask: impl FnOnce(oneshot::Sender<Result<T, OperateError>>) -> Ask,
    ) -> Result<T, OperateError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.asks.send(ask(reply)).await;
        sent.map_err(|_| OperateError::Closed)?;
        answer.await.unwrap_or(Err(OperateError::Closed))
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

/// Opens the read model at `path`; gives the projections whose rows are to be built anew too: those that are of other
/// code or another history, and those whose build did not come to its end.
fn open(
    path: &Path,
    projections: Vec<Box<dyn Projection>>,
    head: Option<Position>,
) -> Result<(Model, Vec<usize>), OpenError> {
    let model = Model::open(path, projections, head)?;
    let names: Vec<_> = model.followed.iter().map(|one| one.name.clone()).collect();
    let names: Vec<_> = names.iter().map(|name| &**name).collect();
    // A file that is not wanted and cannot be removed is in nobody's way.
    let tolerate = |removed: Result<(), OpenError>| {
        if let Err(error) = removed {
            tracing::warn!(error = %chain(&error), "a file stays that is not needed");
        }
    };
    tolerate(beside::sweep(path, &names));
    let mut to_build = Vec::new();
    for (nth, followed) in model.followed.iter().enumerate() {
        let file = beside::path(path, &followed.name);
        if followed.is_frozen || beside::goes_on(&file, followed.projection.as_ref(), head) {
            to_build.push(nth);
        } else {
            tolerate(beside::remove(&file));
        }
    }
    Ok((model, to_build))
}
