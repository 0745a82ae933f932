use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::{SECOND, Times, after, count};
use crate::scheduler::{ScheduleError, Scheduler};

#[tokio::test(start_paused = true)]
async fn an_interval_does_not_drift_however_long_runs_take() {
    let (scheduler, begun) = (Scheduler::new(), Instant::now());
    let starts = Arc::new(Mutex::new(Vec::new()));
    let seen = starts.clone();
    scheduler
        .every(SECOND, "no_drift", move || {
            let seen = seen.clone();
            async move {
                seen.lock().unwrap().push(begun.elapsed().as_millis());
                after(0.7).await;
            }
        })
        .unwrap();
    scheduler.start();
    after(1000.9).await;
    let starts = starts.lock().unwrap().clone();
    let even: Vec<u128> = (1..=1000).map(|second| second * 1000).collect();
    assert_eq!(starts, even);
    assert_eq!(count("job_runs_total", "no_drift"), 1000.0);
    assert_eq!(count("job_skipped_total", "no_drift"), 0.0);
    assert_eq!(count("job_seconds", "no_drift"), 1000.0);
}

#[tokio::test(start_paused = true)]
async fn runs_do_not_overlap_and_what_is_skipped_is_counted() {
    let (scheduler, going) = (Scheduler::new(), Times::default());
    let now_going = going.clone();
    scheduler
        .every(SECOND, "slow", move || {
            let going = now_going.clone();
            async move {
                going.add();
                let nth = going.get();
                after(3.5).await;
                assert_eq!(going.get(), nth, "another run has begun");
            }
        })
        .unwrap();
    scheduler.start();
    // Runs from 1 to 4.5, from 5 to 8.5 and from 9 on; 2, 3, 4, 6, 7 and 8 are skipped.
    after(9.2).await;
    assert_eq!(count("job_runs_total", "slow"), 3.0);
    assert_eq!(count("job_skipped_total", "slow"), 6.0);
    assert_eq!(count("job_failed_total", "slow"), 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_hangs_is_seen_while_it_hangs() {
    let scheduler = Scheduler::new();
    scheduler
        .every(SECOND, "hangs", std::future::pending::<()>)
        .unwrap();
    scheduler.start();
    after(5.5).await;
    assert_eq!(count("job_runs_total", "hangs"), 1.0);
    assert_eq!(count("job_skipped_total", "hangs"), 4.0);
}

#[tokio::test(start_paused = true)]
async fn what_comes_due_while_a_job_blocks_the_thread_is_skipped() {
    let scheduler = Scheduler::new();
    scheduler
        .every(SECOND, "blocks", async || {
            // As if it had computed for three seconds: nothing else could run meanwhile.
            tokio::time::advance(3 * SECOND).await;
        })
        .unwrap();
    scheduler.start();
    after(1.5).await;
    // It began at 1 and ended at 4; the next one is due at 5.
    after(0.5).await;
    assert_eq!(count("job_runs_total", "blocks"), 1.0);
    assert_eq!(count("job_skipped_total", "blocks"), 3.0);
}

#[tokio::test(start_paused = true)]
async fn panics_and_errors_are_counted_and_the_next_run_comes() {
    let (scheduler, runs) = (Scheduler::new(), Times::default());
    let seen = runs.clone();
    scheduler
        .every(SECOND, "fails", move || {
            let nth = seen.get();
            seen.add();
            assert_ne!(nth, 0, "before there is a future");
            async move {
                tokio::task::yield_now().await;
                assert_ne!(nth, 1, "in the future");
                if nth == 2 {
                    return Err("an error".to_owned());
                }
                Ok(())
            }
        })
        .unwrap();
    scheduler.start();
    after(5.5).await;
    assert_eq!(runs.get(), 5);
    assert_eq!(count("job_runs_total", "fails"), 5.0);
    assert_eq!(count("job_failed_total", "fails"), 3.0);
}

#[test]
fn what_cannot_be_scheduled_is_refused_by_type() {
    let scheduler = Scheduler::new();
    let every = |period, name: &str| scheduler.every(period, name, async || {}).err();
    for period in [Duration::ZERO, Duration::from_micros(999), Duration::MAX] {
        assert_eq!(
            every(period, "period"),
            Some(ScheduleError::Period { period })
        );
    }
    for name in ["", &"x".repeat(101)] {
        let name = name.to_owned();
        assert_eq!(every(SECOND, &name), Some(ScheduleError::Name { name }));
    }
    assert_eq!(every(SECOND, "taken"), None);
    assert_eq!(
        every(SECOND, "taken").unwrap().to_string(),
        "there is a job `taken` already: cancel it first, or give this one another name"
    );
    for nth in 1..1000 {
        assert_eq!(every(SECOND, &format!("many_{nth}")), None);
    }
    assert_eq!(every(SECOND, "one_more"), Some(ScheduleError::TooMany));
    assert_eq!(scheduler.jobs().len(), 1000);
}
