//! Follows a store: one loop that catches up and then waits, for all projections of a division.
//!
//! `follow` is that loop, `model` what it writes to: rows, checkpoints and dead letters, in one transaction. `letters`
//! keeps the events that could not be taken in. What others see is in `progress`.

mod follow;
mod handle;
mod letters;
mod model;
mod progress;

pub(crate) use handle::{OperateError, Projector};
pub(crate) use letters::{DeadLetter, are_parked, list, parked};
pub(crate) use progress::{Progress, ProjectionProgress};
