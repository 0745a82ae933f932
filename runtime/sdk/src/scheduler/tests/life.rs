use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::{SECOND, Times, after, count};
use crate::scheduler::{Job, Scheduler};

#[tokio::test(start_paused = true)]
async fn jobs_begin_when_they_are_told_to_and_end_too() {
    let (scheduler, runs) = (Scheduler::new(), Times::default());
    scheduler
        .every(SECOND, "begin_and_end", runs.job())
        .unwrap();
    after(5.0).await;
    assert_eq!(runs.get(), 0, "not before");
    scheduler.start();
    scheduler.start();
    after(2.5).await;
    assert_eq!(runs.get(), 2, "once, though told twice");
    scheduler.stop().await;
    scheduler.stop().await;
    after(5.0).await;
    assert_eq!(runs.get(), 2, "not behind the end");
    scheduler.start();
    after(1.5).await;
    assert_eq!(runs.get(), 3, "and again behind a swap that failed");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_made_later_begins_at_once() {
    let (scheduler, runs) = (Scheduler::new(), Times::default());
    scheduler.start();
    after(0.5).await;
    let (made, job) = (scheduler.clone(), runs.job());
    // From a thread that knows no runtime.
    std::thread::spawn(move || made.every(SECOND, "later", job).map(|_| ()))
        .join()
        .unwrap()
        .unwrap();
    after(2.5).await;
    assert_eq!(runs.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn cancelling_works_from_anywhere() {
    let (scheduler, runs) = (Scheduler::new(), Times::default());
    let job = scheduler.every(SECOND, "elsewhere", runs.job()).unwrap();
    scheduler.start();
    after(2.5).await;
    let (elsewhere, name) = (job.clone(), job.name().to_owned());
    std::thread::spawn(move || elsewhere.cancel())
        .join()
        .unwrap();
    after(5.0).await;
    assert_eq!(runs.get(), 2);
    assert!(job.is_cancelled() && scheduler.jobs().is_empty());
    job.cancel();
    // Its name is free.
    scheduler.every(SECOND, &name, runs.job()).unwrap();
    after(1.5).await;
    assert_eq!(runs.get(), 3);
    // One that was cancelled before the beginning never begins.
    scheduler.stop().await;
    scheduler.jobs()[0].cancel();
    scheduler.start();
    after(5.0).await;
    assert_eq!(runs.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_job_can_cancel_itself_and_its_run_goes_on_to_its_end() {
    let (scheduler, ends) = (Scheduler::new(), Times::default());
    let (itself, ended) = (Arc::new(OnceLock::<Job>::new()), ends.clone());
    let known = itself.clone();
    let job = scheduler
        .every(SECOND, "itself", move || {
            let (job, ended) = (known.get().cloned(), ended.clone());
            async move {
                job.unwrap().cancel();
                after(3.0).await;
                ended.add();
            }
        })
        .unwrap();
    itself.set(job).unwrap();
    scheduler.start();
    after(10.0).await;
    assert_eq!(ends.get(), 1);
    assert_eq!(count("job_runs_total", "itself"), 1.0);
}

#[tokio::test(start_paused = true)]
async fn stopping_waits_for_the_run_that_goes_on() {
    let (scheduler, ends) = (Scheduler::new(), Times::default());
    let ended = ends.clone();
    let job = scheduler
        .every(SECOND, "waited_for", move || {
            let ended = ended.clone();
            async move {
                after(0.9).await;
                ended.add();
            }
        })
        .unwrap();
    scheduler.start();
    after(1.1).await;
    // Cancelled, but it uses what is about to close.
    job.cancel();
    scheduler.stop().await;
    assert_eq!(ends.get(), 1);
    assert_eq!(count("job_failed_total", "waited_for"), 0.0);
}

/// Tells when it is dropped.
struct Told(Arc<Notify>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test(start_paused = true)]
async fn stopping_waits_no_longer_than_a_second() {
    let (scheduler, dropped) = (Scheduler::new(), Arc::new(Notify::new()));
    let tell = dropped.clone();
    scheduler
        .every(SECOND, "ended", move || {
            let told = Told(tell.clone());
            async move {
                after(3600.0).await;
                drop(told);
            }
        })
        .unwrap();
    scheduler.start();
    after(1.5).await;
    let begun = Instant::now();
    scheduler.stop().await;
    dropped.notified().await;
    // The clock is the test's own: it goes on by what was waited for, and by nothing else.
    assert_eq!(begun.elapsed(), SECOND);
    assert_eq!(count("job_failed_total", "ended"), 1.0);
}

#[test]
fn stopping_does_not_wait_for_a_job_that_blocks_its_thread() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let (begun, go_on) = (
        Arc::new(Notify::new()),
        Arc::new(std::sync::Barrier::new(2)),
    );
    let (begins, barrier) = (begun.clone(), go_on.clone());
    runtime.block_on(async {
        let scheduler = Scheduler::new();
        scheduler
            .every(SECOND / 1000, "blocked", move || {
                let (begins, barrier) = (begins.clone(), barrier.clone());
                async move {
                    begins.notify_one();
                    barrier.wait();
                }
            })
            .unwrap();
        scheduler.start();
        begun.notified().await;
        scheduler.stop().await;
        assert_eq!(count("job_failed_total", "blocked"), 1.0);
    });
    go_on.wait();
}
