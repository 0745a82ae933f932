//! Jobs: work that comes again, at intervals or by the calendar.
//!
//! ```
//! use std::time::Duration;
//!
//! use hecate_sdk::plugin::{InitError, Plugin, PluginContext};
//! use hecate_sdk::testing::{TestPlugin, run};
//! # static RUNS: hecate_sdk::tokio::sync::Notify = hecate_sdk::tokio::sync::Notify::const_new();
//!
//! struct MyPlugin;
//!
//! async fn remind() {
//!     // …
//! #   RUNS.notify_one();
//! }
//!
//! async fn tidy_up(limit: usize) -> std::io::Result<()> {
//!     // An error is logged and counted; the next run comes all the same.
//! #   assert_eq!(limit, 100);
//!     Ok(())
//! }
//!
//! impl Plugin for MyPlugin {
//!     fn manifest() -> &'static str {
//!         r#"{"name": "my-plugin", "version": "0.1.0", "plugin_type": "in_vm"}"#
//!     }
//!
//!     async fn init(context: PluginContext) -> Result<Self, InitError> {
//!         let scheduler = context.scheduler();
//!         scheduler.every(Duration::from_millis(5), "remind", remind)?;
//!         scheduler.cron("0 9 * * MON-FRI", "Europe/Brussels", "tidy_up", || tidy_up(100))?;
//!         Ok(Self)
//!     }
//! }
//!
//! run(async {
//!     let _plugin = TestPlugin::start::<MyPlugin>().await;
//! #   RUNS.notified().await;
//! });
//! ```
//!
//! # What holds
//!
//! - Jobs begin when the plugin's stores have opened, and end before they close: what runs then is waited for, for a
//!   second, and dropped at its next `await` if that is not enough. A swap or a restart begins them anew.
//! - Runs of a job never overlap. What comes due during a run is skipped, counted and said.
//! - An interval counts from the moment at which the jobs began, not from the end of a run: it does not drift. The first
//!   run comes one interval after the beginning.
//! - What came due while the machine slept or the process stood still is run once, late.
//! - A job that panics or fails is logged and counted; its next run comes all the same.
//! - [`Job::cancel`] works from anywhere, in the job itself too. Dropping a [`Job`] cancels nothing.
//!
//! # Cron
//!
//! Five fields (minute, hour, day of month, month, day of week), or six with seconds in front; names of months and days;
//! ranges, steps and lists; `L`, `W` and `#`. If day of month and day of week are both given, either may match. An
//! expression that is none, or that never comes due, is an error when the job is made.
//!
//! The zone is a name of the IANA database, or `UTC`; its rules are those of the system's zone information. Where clocks
//! are put forward, a job whose time is left out that day runs as soon as the gap has passed; where they are put back, a
//! job at a fixed time runs once, at the first of the two. Jobs with `*` or steps in their hours or minutes follow real
//! time. A clock that somebody sets back is waited out: nothing runs twice.
//!
//! # Metrics
//!
//! | name | what |
//! |---|---|
//! | `job_runs_total{job}` | runs that have begun |
//! | `job_failed_total{job}` | runs that ended with an error, with a panic, or because the plugin stopped |
//! | `job_skipped_total{job}` | times that came due during a run |
//! | `job_seconds{job}` | how long runs took |
//!
//! # Absent on purpose
//!
//! Jobs are not durable: what must not be missed across a restart belongs into a process manager, whose timers are stored.
//! There is no local time zone: a plugin runs with a clean environment, so a zone is always named. To test a job, call its
//! function.

mod error;
mod job;
mod looper;
#[cfg(test)]
mod tests;
mod ticks;

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use self::error::ScheduleError;
use self::job::{Definition, Work};
pub use self::job::{Job, Outcome};
use self::ticks::{Clock, Plan};

/// Jobs of a plugin at most.
const MAX_JOBS: usize = 1000;
/// Characters of a job's name at most.
const MAX_NAME: usize = 100;

/// Where jobs are made: [`PluginContext::scheduler`](crate::plugin::PluginContext::scheduler). Cheap to clone.
#[derive(Clone)]
pub struct Scheduler {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    jobs: Vec<Arc<Definition>>,
    session: Option<Session>,
}

/// From one opening of the stores to their closing.
struct Session {
    handle: Handle,
    stop: watch::Sender<bool>,
    loops: JoinSet<()>,
}

impl Session {
    fn spawn(&mut self, job: Arc<Definition>, clock: Clock) {
        // Those of cancelled jobs have ended: they need not be kept.
        while self.loops.try_join_next().is_some() {}
        let follow = looper::follow(job, clock, self.stop.subscribe());
        self.loops.spawn_on(follow, &self.handle);
    }
}

impl Scheduler {
    pub(crate) fn new() -> Self {
        Self::with_clock(Arc::new(Timestamp::now))
    }

    /// A scheduler that takes the time of day from `clock`. Intervals and waiting are tokio's.
    fn with_clock(clock: Clock) -> Self {
        Self {
            shared: Arc::new(Shared {
                clock,
                state: Mutex::default(),
            }),
        }
    }

    /// Runs `work` every `period`, for the first time one period after the jobs begin.
    ///
    /// `name` is unique among the plugin's jobs. It is a label of the metrics, so ids do not belong into it.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] if the period is shorter than a millisecond or longer than ten years, or the name cannot be taken.
    pub fn every<F, R>(&self, period: Duration, name: &str, work: F) -> Result<Job, ScheduleError>
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output: Outcome> + Send + 'static,
    {
        self.add(Plan::every(period)?, name, job::work(work))
    }

    /// Runs `work` when the cron `expression` comes due in the time zone `zone`: `"0 9 * * MON-FRI"`, `"Europe/Brussels"`.
    ///
    /// `name` is unique among the plugin's jobs. It is a label of the metrics, so ids do not belong into it.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] if the expression is malformed or never comes due again, the zone is not known to the system, or
    /// the name cannot be taken.
    pub fn cron<F, R>(
        &self,
        expression: &str,
        zone: &str,
        name: &str,
        work: F,
    ) -> Result<Job, ScheduleError>
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output: Outcome> + Send + 'static,
    {
        let plan = Plan::cron(expression, zone, (self.shared.clock)())?;
        self.add(plan, name, job::work(work))
    }

    /// The jobs that are not cancelled, in the order in which they were made.
    pub fn jobs(&self) -> Vec<Job> {
        let state = self.shared.lock();
        let job = |job: &Arc<Definition>| Job::new(job.clone(), Arc::downgrade(&self.shared));
        state.jobs.iter().map(job).collect()
    }

    fn add(&self, plan: Plan, name: &str, work: Work) -> Result<Job, ScheduleError> {
        if !(1..=MAX_NAME).contains(&name.chars().count()) {
            return Err(ScheduleError::Name {
                name: name.to_owned(),
            });
        }
        let mut state = self.shared.lock();
        if state.jobs.iter().any(|job| job.name() == name) {
            return Err(ScheduleError::NameTaken {
                name: name.to_owned(),
            });
        }
        if state.jobs.len() >= MAX_JOBS {
            return Err(ScheduleError::TooMany);
        }
        let job = Arc::new(Definition::new(name, plan, work));
        state.jobs.push(job.clone());
        if let Some(session) = &mut state.session {
            session.spawn(job.clone(), self.shared.clock.clone());
        }
        Ok(Job::new(job, Arc::downgrade(&self.shared)))
    }

    /// Begins all jobs. They run on the runtime that calls this. Begun already: nothing happens.
    pub(crate) fn start(&self) {
        let mut state = self.shared.lock();
        if state.session.is_some() {
            return;
        }
        let mut session = Session {
            handle: Handle::current(),
            stop: watch::Sender::new(false),
            loops: JoinSet::new(),
        };
        for job in &state.jobs {
            session.spawn(job.clone(), self.shared.clock.clone());
        }
        state.session = Some(session);
    }

    /// Ends all jobs: no run begins any more, and those that go on are waited for, as long as [`looper::STOP_WITHIN`].
    pub(crate) async fn stop(&self) {
        let Some(mut session) = self.shared.lock().session.take() else {
            return;
        };
        session.stop.send_replace(true);
        while session.loops.join_next().await.is_some() {}
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(this: &Weak<Self>, job: &Arc<Definition>) {
        let Some(shared) = this.upgrade() else { return };
        let mut state = shared.lock();
        let known = state.jobs.iter().position(|known| Arc::ptr_eq(known, job));
        let forgotten = known.map(|known| state.jobs.remove(known));
        // What the job holds may cancel others when it is dropped.
        drop(state);
        drop(forgotten);
    }
}
