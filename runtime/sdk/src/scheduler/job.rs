//! A job: what it does, what is known of it, and the handle on it.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Weak};

use tokio::sync::watch;

use super::Shared;
use super::ticks::Plan;
use crate::metrics::{Counter, Histogram, counter_with, histogram_with};
use crate::store::BoxFuture;

/// What a run comes to: nothing, or an error that is logged and counted.
pub trait Outcome {
    /// Why it failed, with its causes; `None` if it did not.
    fn failure(self) -> Option<String>;
}

impl Outcome for () {
    fn failure(self) -> Option<String> {
        None
    }
}

impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> Outcome for Result<(), E> {
    fn failure(self) -> Option<String> {
        Some(crate::api::chain(self.err()?.into().as_ref()))
    }
}

/// One run: `Some` says why it failed.
pub(super) type Work = Box<dyn Fn() -> BoxFuture<'static, Option<String>> + Send + Sync>;

pub(super) fn work<F, R>(work: F) -> Work
where
    F: Fn() -> R + Send + Sync + 'static,
    R: Future<Output: Outcome> + Send + 'static,
{
    Box::new(move || {
        let run = work();
        Box::pin(async move { run.await.failure() })
    })
}

/// A job as it was made.
pub(super) struct Definition {
    name: String,
    pub(super) plan: Plan,
    pub(super) work: Work,
    pub(super) cancelled: watch::Sender<bool>,
    pub(super) metrics: Metrics,
}

/// What a job counts.
pub(super) struct Metrics {
    pub(super) runs: Counter,
    pub(super) failed: Counter,
    pub(super) skipped: Counter,
    pub(super) seconds: Histogram,
}

impl Definition {
    pub(super) fn new(name: &str, plan: Plan, work: Work) -> Self {
        let job = [("job", name)];
        Self {
            name: name.to_owned(),
            plan,
            work,
            cancelled: watch::Sender::new(false),
            metrics: Metrics {
                runs: counter_with("job_runs_total", &job),
                failed: counter_with("job_failed_total", &job),
                skipped: counter_with("job_skipped_total", &job),
                seconds: histogram_with("job_seconds", &job),
            },
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// A handle on a job. Cheap to clone; dropping it leaves the job alone.
#[derive(Clone)]
pub struct Job {
    definition: Arc<Definition>,
    scheduler: Weak<Shared>,
}

impl Job {
    pub(super) const fn new(definition: Arc<Definition>, scheduler: Weak<Shared>) -> Self {
        Self {
            definition,
            scheduler,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.definition.name()
    }

    /// Ends it: no run begins any more, and its name is free. A run that goes on goes on to its end.
    ///
    /// From any task or thread, and from the job itself. Cancelled already: nothing happens.
    pub fn cancel(&self) {
        self.definition.cancelled.send_replace(true);
        Shared::forget(&self.scheduler, &self.definition);
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        *self.definition.cancelled.borrow()
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("name", &self.name())
            .field("cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}
