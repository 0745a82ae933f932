use std::sync::{Arc, Mutex};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::{Times, after, beginning_at, count};
use crate::scheduler::ticks::{Clock, Moment, Plan, Ticks};
use crate::scheduler::{ScheduleError, Scheduler};

/// The first `times` of a plan from `begin` on, as clocks in the zone show them.
fn times(expression: &str, zone: &str, begin: &str, times: usize) -> Vec<String> {
    let begin: Timestamp = begin.parse().unwrap();
    let clock: Clock = Arc::new(move || begin);
    let plan = Plan::cron(expression, zone, begin).unwrap();
    let mut ticks = plan.ticks(Moment::now(&clock));
    let zone = TimeZone::get(zone).unwrap();
    let next = |_| {
        let Ticks::Cron {
            due: Some(wall), ..
        } = &ticks
        else {
            return "over".to_owned();
        };
        let at = Moment {
            instant: Instant::now(),
            wall: *wall,
        };
        let shown = at
            .wall
            .to_zoned(zone.clone())
            .strftime("%F %T %z")
            .to_string();
        assert_eq!(ticks.pass(at), 1);
        shown
    };
    (0..times).map(next).collect()
}

#[test]
fn working_days_are_those_of_the_zone() {
    // A Friday, half past eight in Brussels; in UTC it is the hour before.
    assert_eq!(
        times(
            "0 9 * * MON-FRI",
            "Europe/Brussels",
            "2026-11-20T07:30:00Z",
            3
        ),
        [
            "2026-11-20 09:00:00 +0100",
            "2026-11-23 09:00:00 +0100",
            "2026-11-24 09:00:00 +0100"
        ]
    );
    // In Tokyo it is Friday afternoon already.
    assert_eq!(
        times("0 9 * * 1-5", "Asia/Tokyo", "2026-11-20T07:30:00Z", 1),
        ["2026-11-23 09:00:00 +0900"]
    );
    assert_eq!(
        times("*/20 30 23 L * *", "UTC", "2026-11-20T07:30:00Z", 2),
        ["2026-11-30 23:30:00 +0000", "2026-11-30 23:30:20 +0000"]
    );
}

#[test]
fn a_time_that_is_left_out_runs_behind_the_gap() {
    // On 2026-03-29 clocks in Brussels go from 02:00 to 03:00.
    assert_eq!(
        times("30 2 * * *", "Europe/Brussels", "2026-03-27T12:00:00Z", 3),
        [
            "2026-03-28 02:30:00 +0100",
            "2026-03-29 03:00:00 +0200",
            "2026-03-30 02:30:00 +0200"
        ]
    );
}

#[test]
fn a_time_that_comes_twice_runs_once() {
    // On 2026-10-25 clocks in Brussels go from 03:00 back to 02:00.
    assert_eq!(
        times("30 2 * * *", "Europe/Brussels", "2026-10-24T12:00:00Z", 2),
        ["2026-10-25 02:30:00 +0200", "2026-10-26 02:30:00 +0100"]
    );
    // What follows real time goes on through both.
    assert_eq!(
        times("*/30 * * * *", "Europe/Brussels", "2026-10-25T00:10:00Z", 4),
        [
            "2026-10-25 02:30:00 +0200",
            "2026-10-25 02:00:00 +0100",
            "2026-10-25 02:30:00 +0100",
            "2026-10-25 03:00:00 +0100",
        ]
    );
}

#[test]
fn malformed_expressions_are_refused_by_type() {
    let scheduler = Scheduler::new();
    let cron =
        |expression: &str, zone: &str| scheduler.cron(expression, zone, "x", async || {}).err();
    for expression in [
        "",
        " ",
        "x",
        "* * * *",
        "* * * * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "0 0 0 * *",
        "0 0 32 * *",
        "0 0 * 13 *",
        "0 0 * * 8",
        "*/0 * * * *",
        "5-1 * * * *",
        "0 9 * * MON-",
        "@never",
        "0 9 * * 😀",
        "1-2-3 * * * *",
        "1,,2 * * * *",
        ", * * * *",
        "* 1, * * *",
        &"1,".repeat(200),
    ] {
        let error = cron(expression, "UTC");
        assert!(
            matches!(error, Some(ScheduleError::Expression { .. })),
            "`{expression}`: {error:?}"
        );
    }
    assert_eq!(
        cron("x", "UTC").unwrap().to_string(),
        "`x` is not a cron expression: Invalid pattern: Pattern must have between 5 and 7 fields"
    );
    for zone in [
        "",
        "Middle/Earth",
        "../../etc/passwd",
        "/etc/passwd",
        "Europe/Brussels\0",
    ] {
        assert_eq!(
            cron("0 9 * * *", zone),
            Some(ScheduleError::Zone {
                zone: zone.to_owned()
            })
        );
    }
    assert!(scheduler.jobs().is_empty());
}

#[test]
fn what_never_comes_due_is_refused_by_type() {
    let scheduler = Scheduler::new();
    for expression in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 0 1 1 * 2025"] {
        let error = scheduler.cron(expression, "UTC", "x", async || {}).err();
        let expression = expression.to_owned();
        assert_eq!(error, Some(ScheduleError::NeverDue { expression }));
    }
    // Seldom is not never.
    assert_eq!(
        times("0 0 29 2 *", "UTC", "2026-11-20T00:00:00Z", 2),
        ["2028-02-29 00:00:00 +0000", "2032-02-29 00:00:00 +0000"]
    );
}

#[tokio::test(start_paused = true)]
async fn jobs_run_when_the_clock_says_so() {
    let (scheduler, runs) = (beginning_at("2026-11-20T07:30:00Z"), Times::default());
    scheduler
        .cron("0 9 * * MON-FRI", "Europe/Brussels", "nine", runs.job())
        .unwrap();
    scheduler.start();
    after(30.0 * 60.0 - 0.01).await;
    assert_eq!(runs.get(), 0);
    after(0.02).await;
    assert_eq!(runs.get(), 1);
    after(6.0 * 24.0 * 3600.0).await;
    assert_eq!(runs.get(), 5, "Friday, then Monday to Thursday");
    assert_eq!(count("job_skipped_total", "nine"), 0.0);
}

#[tokio::test(start_paused = true)]
async fn the_last_time_is_the_last() {
    let (scheduler, runs) = (beginning_at("2026-12-31T23:58:30Z"), Times::default());
    let job = scheduler
        .cron("0 * * * * * 2026", "UTC", "last", runs.job())
        .unwrap();
    scheduler.start();
    after(3600.0).await;
    assert_eq!(runs.get(), 1);
    assert!(!job.is_cancelled());
    scheduler.stop().await;
}

/// A time of day that goes on with tokio's clock and can be set.
#[derive(Clone)]
struct Settable(Arc<Mutex<(Timestamp, Instant)>>);

impl Settable {
    fn at(begin: &str) -> Self {
        Self(Arc::new(Mutex::new((
            begin.parse().unwrap(),
            Instant::now(),
        ))))
    }

    fn now(&self) -> Timestamp {
        let (begin, since) = *self.0.lock().unwrap();
        begin + SignedDuration::try_from(since.elapsed()).unwrap()
    }

    fn set(&self, to: &str) {
        *self.0.lock().unwrap() = (to.parse().unwrap(), Instant::now());
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_slept_runs_once_late() {
    let (clock, runs) = (Settable::at("2026-11-20T08:00:30Z"), Times::default());
    let of_day = clock.clone();
    let scheduler = Scheduler::with_clock(Arc::new(move || of_day.now()));
    scheduler
        .cron("* * * * *", "UTC", "slept", runs.job())
        .unwrap();
    scheduler.start();
    after(31.0).await;
    assert_eq!(runs.get(), 1, "at 08:01");
    clock.set("2026-11-20T11:30:05Z");
    after(10.0).await;
    assert_eq!(runs.get(), 2, "once, for more than two hundred");
    after(60.0).await;
    assert_eq!(runs.get(), 3, "and then at every minute again");
    assert_eq!(count("job_skipped_total", "slept"), 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_runs_nothing_twice() {
    let (clock, runs) = (Settable::at("2026-11-20T08:59:59.5Z"), Times::default());
    let of_day = clock.clone();
    let scheduler = Scheduler::with_clock(Arc::new(move || of_day.now()));
    scheduler
        .cron("0 9 * * *", "UTC", "set_back", runs.job())
        .unwrap();
    scheduler.start();
    after(1.0).await;
    assert_eq!(runs.get(), 1);
    clock.set("2026-11-20T08:50:00Z");
    after(1200.0).await;
    assert_eq!(runs.get(), 1);
    after(24.0 * 3600.0).await;
    assert_eq!(runs.get(), 2);
}
