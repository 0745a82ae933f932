//! Follows a store: one loop that catches up and then waits, for all projections of a division.
//!
//! `follow` is that loop, `asked` what operators ask of it, `model` what it writes to: rows, checkpoints and dead letters, in one transaction. `followed`
//! decides what becomes of an event, `letters` keeps those that could not be taken in.
//!
//! When a projection's code has changed, or an operator asks, `rebuild` makes its rows anew in a file of its own
//! (`beside`), while the old ones serve; when they are near the store's last event, the loop puts them in place
//! (`switch`). What others see of all this is in `progress`.

mod asked;
mod beside;
mod checkpoint;
mod follow;
mod followed;
mod handle;
mod letters;
mod model;
mod pause;
mod progress;
mod rebuild;
mod switch;

pub(crate) use beside::forget;
pub(crate) use handle::{OperateError, Projector};
pub(crate) use letters::{DeadLetter, are_parked, list, parked};
pub(crate) use progress::{Progress, ProjectionProgress};
