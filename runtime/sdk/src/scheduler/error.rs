//! Why a job could not be made.

use std::time::Duration;

/// Why a job could not be made. Nothing was scheduled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// Shorter than a millisecond, or longer than ten years.
    #[error("an interval of {period:?}: it must be from 1 ms to 10 years")]
    Period {
        /// What was given.
        period: Duration,
    },
    /// The text is no cron expression.
    #[error("`{expression}` is not a cron expression: {reason}")]
    Expression {
        /// The text.
        expression: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No day has that time: the 30th of February, or a year that is over.
    #[error("`{expression}` never comes due: no time from now on is one that it names")]
    NeverDue {
        /// The expression.
        expression: String,
    },
    /// The system's zone information has no such zone.
    #[error(
        "the time zone `{zone}` is not known here: give a name like `Europe/Brussels` or `UTC`; if it is one, the \
         system lacks its zone information (Debian's package `tzdata`)"
    )]
    Zone {
        /// The name.
        zone: String,
    },
    /// Empty or too long.
    #[error("a job's name has 1 to 100 characters, `{name}` has not")]
    Name {
        /// The name.
        name: String,
    },
    /// Another job has that name.
    #[error("there is a job `{name}` already: cancel it first, or give this one another name")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// More than a thousand.
    #[error("a plugin has at most 1000 jobs: let one job look for what is due")]
    TooMany,
}
