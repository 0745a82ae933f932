//! Where the limiter's buckets are: at most so many, under fingerprints of their keys.
//!
//! governor keeps one number for each key, the time at which its bucket will be full again. A key whose time has come is
//! like one that was never seen, so forgetting it gives nothing away. Times are found again by a queue that lags behind on
//! purpose: a request only writes the new time into the table, and the queue learns of it when it looks for room.

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BinaryHeap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::nanos::Nanos;
use governor::state::StateStore;
use tokio::time::Instant;

/// A clock whose first reading, which is the limiter's start, is zero: so the limiter's times and the table's are the
/// same numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct SinceStart(Arc<OnceLock<Instant>>);

impl Clock for SinceStart {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        // tokio's clock, so that tests can turn it.
        let now = Instant::now();
        let start = *self.0.get_or_init(|| now);
        now.duration_since(start).into()
    }
}

/// The buckets.
pub(super) struct Buckets {
    clock: SinceStart,
    /// How long before it is full a bucket has something in it: what all but one of its requests take to come back.
    slack: Nanos,
    table: Mutex<Table>,
}

struct Table {
    capacity: usize,
    /// When each bucket is full again, by fingerprint.
    full_at: HashMap<u64, u64, BuildHasherDefault<Fingerprint>>,
    /// The same as of when the queue last looked; one entry for each bucket, never later than the truth.
    queue: BinaryHeap<Reverse<(u64, u64)>>,
}

impl Buckets {
    pub(super) fn new(clock: SinceStart, capacity: usize, slack: Duration) -> Self {
        Self {
            clock,
            slack: slack.into(),
            table: Mutex::new(Table {
                capacity,
                full_at: HashMap::default(),
                queue: BinaryHeap::new(),
            }),
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(table.full_at.len(), table.queue.len());
        table.full_at.len()
    }
}

impl StateStore for Buckets {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(full_at) = table.full_at.get_mut(key) {
            let (outcome, next) = measure(Some((*full_at).into()))?;
            *full_at = next.as_u64();
            return Ok(outcome);
        }
        if let Err(first_full_at) = table.make_room(&self.clock) {
            // The newcomer is measured by a bucket that is empty until there is room. The limiter's own reading of the
            // clock is older than the one that found no room, so its answer is no, with the right time to wait.
            let empty = Nanos::from(first_full_at) + self.slack;
            return measure(Some(empty)).map(|(outcome, _)| outcome);
        }
        let (outcome, next) = measure(None)?;
        table.full_at.insert(*key, next.as_u64());
        table.queue.push(Reverse((next.as_u64(), *key)));
        Ok(outcome)
    }
}

impl Table {
    /// Makes room for one more bucket: forgets the one that has been full the longest, if there are too many.
    ///
    /// # Errors
    ///
    /// When the first one will be full, if none is.
    fn make_room(&mut self, clock: &SinceStart) -> Result<(), u64> {
        if self.full_at.len() < self.capacity {
            return Ok(());
        }
        let now = clock.now().as_u64();
        while let Some(mut first) = self.queue.peek_mut() {
            let Reverse((known, key)) = *first;
            let full_at = self.full_at.get(&key).copied().unwrap_or(known);
            if full_at > known {
                // Used since the queue last looked: it waits its turn again.
                *first = Reverse((full_at, key));
            } else if full_at > now {
                return Err(full_at);
            } else {
                PeekMut::pop(first);
                self.full_at.remove(&key);
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Passes on what is a hash already.
#[derive(Debug, Default)]
struct Fingerprint(u64);

impl Hasher for Fingerprint {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, fingerprint: u64) {
        self.0 = fingerprint;
    }
}
