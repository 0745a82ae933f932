//! The loop of one job: waits until it is due, runs it, and ends it with the plugin.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::job::Definition;
use super::ticks::{Clock, Moment};

/// How long a run may go on when the plugin stops: half of what the host gives it to let go of its stores.
pub(super) const STOP_WITHIN: Duration = Duration::from_secs(1);
/// How long a run that was told to end may take to get to its next `await`.
const DROP_WITHIN: Duration = Duration::from_millis(100);

/// Follows the plan of `job` until it is cancelled or `stopping` says so.
pub(super) async fn follow(
    job: Arc<Definition>,
    clock: Clock,
    mut stopping: watch::Receiver<bool>,
) {
    let mut cancelled = job.cancelled.subscribe();
    let mut ticks = job.plan.ticks(Moment::now(&clock));
    let mut running: Option<JoinHandle<Moment>> = None;
    let mut told = false;
    loop {
        tokio::select! {
            biased;
            () = said(&mut stopping) => break,
            () = said(&mut cancelled) => break,
            ended = end_of(&mut running) => {
                running = None;
                // What came due meanwhile is skipped, though this loop may not have been woken up for it.
                let due = ended.map_or(0, |ended| ticks.pass(ended));
                skip(&job, due, &mut told);
            }
            () = ticks.wait(&clock) => {
                let due = ticks.pass(Moment::now(&clock));
                if running.is_some() {
                    skip(&job, due, &mut told);
                } else if due > 0 {
                    told = false;
                    running = Some(tokio::spawn(run(job.clone(), clock.clone())));
                }
                if ticks.is_over() {
                    tracing::info!(job = job.name(), "the job has come due for the last time");
                }
            }
        }
    }
    if let Some(running) = running {
        let overdue = async {
            said(&mut stopping).await;
            sleep(STOP_WITHIN).await;
        };
        finish(&job, running, overdue).await;
    }
}

/// Counts what came due during a run, and says so once for each run.
fn skip(job: &Definition, due: u64, told: &mut bool) {
    if due == 0 {
        return;
    }
    job.metrics.skipped.increment(due);
    if !*told {
        *told = true;
        tracing::warn!(
            job = job.name(),
            "a job came due before its last run had ended: that is skipped"
        );
    }
}

/// One run. Gives the moment at which it ended, however it did.
async fn run(job: Arc<Definition>, clock: Clock) -> Moment {
    job.metrics.runs.increment(1);
    let begun = Moment::now(&clock);
    let mut work = None;
    let failure = poll_fn(|cx| {
        let poll = AssertUnwindSafe(|| work.get_or_insert_with(|| (job.work)()).as_mut().poll(cx));
        match catch_unwind(poll) {
            Ok(polled) => polled,
            Err(panic) => Poll::Ready(Some(format!("it panicked: {}", message(panic.as_ref())))),
        }
    })
    .await;
    let ended = Moment::now(&clock);
    let seconds = ended.instant.saturating_duration_since(begun.instant);
    job.metrics.seconds.record(seconds.as_secs_f64());
    if let Some(error) = failure {
        job.metrics.failed.increment(1);
        tracing::error!(job = job.name(), error, "a job failed");
    }
    ended
}

/// Waits for the last run; drops it when it is `overdue`.
async fn finish(
    job: &Definition,
    mut running: JoinHandle<Moment>,
    overdue: impl Future<Output = ()>,
) {
    tokio::select! {
        biased;
        // What it came to is counted and logged already.
        _ = &mut running => return,
        () = overdue => {}
    }
    running.abort();
    let dropped = timeout(DROP_WITHIN, running).await.is_ok();
    job.metrics.failed.increment(1);
    if dropped {
        tracing::warn!(
            job = job.name(),
            "the plugin stops, so a job was ended in the middle of its work"
        );
    } else {
        tracing::error!(
            job = job.name(),
            "the plugin stops, but a job does not: it blocks its thread, where `spawn_blocking` should"
        );
    }
}

/// When the run that goes on ended; never if there is none. `None` if it ended with its runtime.
async fn end_of(running: &mut Option<JoinHandle<Moment>>) -> Option<Moment> {
    match running {
        Some(running) => running.await.ok(),
        None => std::future::pending().await,
    }
}

/// Waits until it is said. Who could say it being gone says it too.
async fn said(flag: &mut watch::Receiver<bool>) {
    _ = flag.wait_for(|said| *said).await;
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}
