//! The place of one plugin in the daemon: which generation serves, and the gate that holds requests during a swap and
//! a first start.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use hecate_manifest::PluginName;
use hecate_manifest::control::Sample;
use hecate_runtime::Working;
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::generation::Generation;
use crate::home::PluginHome;
use crate::state::{State, Status};

/// How long a request may wait for a swap or a start.
const HOLD_LIMIT: Duration = Duration::from_secs(2);
/// How many may.
const HOLD_MOST: usize = 256;

/// One plugin.
pub struct Slot {
    /// Its name.
    pub name: PluginName,
    /// Its directory.
    pub home: PluginHome,
    /// Held while its generation is being changed: one change at a time.
    pub(crate) turn: tokio::sync::Mutex<()>,
    current: ArcSwapOption<Generation>,
    draining: Mutex<Option<Arc<Generation>>>,
    gate: Gate,
    status: RwLock<Status>,
    metrics: RwLock<Option<(Timestamp, Vec<Sample>)>>,
}

#[derive(Default)]
struct Gate {
    closed: AtomicBool,
    waiting: AtomicUsize,
    opened: Notify,
}

/// Why a request cannot enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shut {
    /// Nothing serves.
    NotRunning,
    /// A swap or a start takes too long, or too many wait for it.
    Busy,
}

impl Slot {
    pub(crate) fn new(name: PluginName, home: PluginHome) -> Arc<Self> {
        Arc::new(Self {
            name,
            home,
            turn: tokio::sync::Mutex::default(),
            current: ArcSwapOption::empty(),
            draining: Mutex::default(),
            gate: Gate::default(),
            status: RwLock::new(Status::now(State::Installed, None)),
            metrics: RwLock::default(),
        })
    }

    /// The generation that serves, if one does.
    pub fn current(&self) -> Option<Arc<Generation>> {
        self.current.load_full()
    }

    /// Its status.
    pub fn status(&self) -> Status {
        self.status
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Enters with a request: the generation that will answer it, and the guard that counts it.
    ///
    /// While the gate is closed for a swap, or the first generation starts, requests wait here.
    pub(crate) async fn enter(&self) -> Result<(Arc<Generation>, Working), Shut> {
        let mut until = None;
        loop {
            let opened = self.gate.opened.notified();
            let current = self.current();
            if let Some(generation) = &current {
                // Counted first, then looked: who closes the gate sees the count or is seen.
                let working = generation.instance().enter();
                let still = self
                    .current
                    .load()
                    .as_ref()
                    .is_some_and(|now| Arc::ptr_eq(now, generation));
                if still && !self.is_closed() {
                    return Ok((generation.clone(), working));
                }
            } else if !self.is_closed() && !self.status().state.is_coming() {
                return Err(Shut::NotRunning);
            }
            if current.is_some() && !self.is_closed() {
                continue;
            }
            let _waiting = Waiting::of(&self.gate).ok_or(Shut::Busy)?;
            let until = *until.get_or_insert_with(|| Instant::now() + HOLD_LIMIT);
            timeout_at(until, opened).await.map_err(|_| Shut::Busy)?;
        }
    }

    /// Holds requests from now on, until the guard is dropped.
    pub(crate) fn close_gate(&self) -> Closed<'_> {
        self.gate.closed.store(true, Ordering::SeqCst);
        Closed(&self.gate)
    }

    /// Makes `generation` the one that serves; gives the one before it.
    pub(crate) fn flip(&self, generation: Option<Arc<Generation>>) -> Option<Arc<Generation>> {
        self.current.swap(generation)
    }

    /// Remembers the generation that is on its way out; gives the one that was.
    pub(crate) fn set_draining(
        &self,
        generation: Option<Arc<Generation>>,
    ) -> Option<Arc<Generation>> {
        std::mem::replace(&mut *self.draining_lock(), generation)
    }

    /// Forgets `generation` if it is the one on its way out.
    pub(crate) fn drained(&self, generation: &Arc<Generation>) {
        self.draining_lock()
            .take_if(|draining| Arc::ptr_eq(draining, generation));
    }

    /// Sets its status, and lets those who wait for a start look again.
    pub(crate) fn set_status(&self, status: Status) {
        *self.status.write().unwrap_or_else(PoisonError::into_inner) = status;
        self.gate.opened.notify_waiters();
    }

    pub(crate) fn set_metrics(&self, samples: Vec<Sample>) {
        *self.metrics.write().unwrap_or_else(PoisonError::into_inner) =
            Some((Timestamp::now(), samples));
    }

    /// The metrics that the plugin pushed last, and when.
    pub(crate) fn metrics(&self) -> Option<(Timestamp, Vec<Sample>)> {
        self.metrics
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn is_closed(&self) -> bool {
        self.gate.closed.load(Ordering::SeqCst)
    }

    fn draining_lock(&self) -> MutexGuard<'_, Option<Arc<Generation>>> {
        self.draining.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The gate is closed.
pub(crate) struct Closed<'a>(&'a Gate);

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.0.closed.store(false, Ordering::SeqCst);
        self.0.opened.notify_waiters();
    }
}

struct Waiting<'a>(&'a Gate);

impl<'a> Waiting<'a> {
    fn of(gate: &'a Gate) -> Option<Self> {
        let waiting = Self(gate);
        (gate.waiting.fetch_add(1, Ordering::SeqCst) < HOLD_MOST).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}
