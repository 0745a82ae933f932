//! When a job comes due: the plan as it was given, and the times that follow from it.
//!
//! Intervals are of the monotonic clock, which nobody sets. Cron is of the time of day, which may jump: so it is looked at
//! again every few seconds while it is waited for.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use croner::Cron;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::{Instant, sleep, sleep_until};

use super::ScheduleError;

/// Where the time of day comes from.
pub(super) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The time of day is looked at again after this long: so much later than due is a run behind a machine's sleep.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
const MIN_PERIOD: Duration = Duration::from_millis(1);
const MAX_PERIOD: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);
/// Longest cron expression, in bytes. Real ones have a few dozen.
const MAX_EXPRESSION: usize = 256;
/// Times of a cron plan that are counted one by one when they are passed over; further ones are not counted.
const MAX_COUNTED: u64 = 1000;

/// A moment on both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) instant: Instant,
    pub(super) wall: Timestamp,
}

impl Moment {
    pub(super) fn now(clock: &Clock) -> Self {
        Self {
            instant: Instant::now(),
            wall: clock(),
        }
    }
}

/// When a job comes due.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    Every(Duration),
    Cron { cron: Box<Cron>, zone: TimeZone },
}

impl Plan {
    pub(super) fn every(period: Duration) -> Result<Self, ScheduleError> {
        if (MIN_PERIOD..=MAX_PERIOD).contains(&period) {
            Ok(Self::Every(period))
        } else {
            Err(ScheduleError::Period { period })
        }
    }

    pub(super) fn cron(
        expression: &str,
        zone: &str,
        now: Timestamp,
    ) -> Result<Self, ScheduleError> {
        let malformed = |reason: String| ScheduleError::Expression {
            expression: expression.chars().take(MAX_EXPRESSION).collect(),
            reason,
        };
        if expression.len() > MAX_EXPRESSION {
            return Err(malformed(format!(
                "it is longer than {MAX_EXPRESSION} bytes"
            )));
        }
        // croner takes an empty item for nothing, and may then look for minutes for what matches nothing.
        if expression
            .split_whitespace()
            .flat_map(|field| field.split(','))
            .any(str::is_empty)
        {
            return Err(malformed("a list has an empty item".to_owned()));
        }
        let cron = Cron::from_str(expression)
            .map_err(|error| malformed(error.to_string().trim_end_matches('.').to_owned()))?;
        let zone = TimeZone::get(zone).map_err(|_| ScheduleError::Zone {
            zone: zone.to_owned(),
        })?;
        if next(&cron, &zone, now).is_none() {
            return Err(ScheduleError::NeverDue {
                expression: expression.to_owned(),
            });
        }
        Ok(Self::Cron {
            cron: Box::new(cron),
            zone,
        })
    }

    /// The times that come due from `begin` on.
    pub(super) fn ticks(&self, begin: Moment) -> Ticks {
        match self {
            Self::Every(period) => Ticks::Every {
                begin: begin.instant,
                period: *period,
                nth: 1,
            },
            Self::Cron { cron, zone } => Ticks::Cron {
                due: next(cron, zone, begin.wall),
                cron: cron.clone(),
                zone: zone.clone(),
            },
        }
    }
}

/// The times at which a job comes due, from the next one on.
#[derive(Debug)]
pub(super) enum Ticks {
    /// Each is computed from the beginning, so that nothing adds up.
    Every {
        begin: Instant,
        period: Duration,
        nth: u64,
    },
    /// `due` is `None` once the last one has passed.
    Cron {
        cron: Box<Cron>,
        zone: TimeZone,
        due: Option<Timestamp>,
    },
}

impl Ticks {
    /// Waits until the next one is due; for ever if there is none.
    pub(super) async fn wait(&self, clock: &Clock) {
        match self {
            Self::Every { begin, period, nth } => match nth_after(*begin, *period, *nth) {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            },
            Self::Cron { due: None, .. } => std::future::pending().await,
            Self::Cron { due: Some(due), .. } => {
                while let Ok(left) = Duration::try_from(due.duration_since(clock()))
                    && !left.is_zero()
                {
                    sleep(left.min(LOOK_AGAIN)).await;
                }
            }
        }
    }

    /// Goes on to the first one behind `until`, and says how many that passes over.
    pub(super) fn pass(&mut self, until: Moment) -> u64 {
        match self {
            Self::Every { begin, period, nth } => {
                let elapsed = until.instant.saturating_duration_since(*begin);
                let due = u64::try_from(elapsed.as_nanos() / period.as_nanos()).unwrap_or(u64::MAX);
                let passed = (due + 1).saturating_sub(*nth);
                *nth += passed;
                passed
            }
            Self::Cron { cron, zone, due } => {
                let mut passed = 0;
                while let Some(at) = due.filter(|due| *due <= until.wall) {
                    passed += 1;
                    let from = if passed < MAX_COUNTED { at } else { until.wall };
                    *due = next(cron, zone, from);
                }
                passed
            }
        }
    }

    /// Whether none will come any more.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self, Self::Cron { due: None, .. })
    }
}

/// The first time behind `after` that `cron` names. What the search refuses never comes.
fn next(cron: &Cron, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let after = after.to_zoned(zone.clone());
    let next = cron.find_next_occurrence(&after, false).ok()?;
    Some(next.timestamp())
}

fn nth_after(begin: Instant, period: Duration, nth: u64) -> Option<Instant> {
    let nanos = period.as_nanos().checked_mul(u128::from(nth))?;
    let second = Duration::from_secs(1).as_nanos();
    let whole = u64::try_from(nanos / second).ok()?;
    begin.checked_add(Duration::new(whole, (nanos % second) as u32))
}
