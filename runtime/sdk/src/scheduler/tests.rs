mod cron;
mod life;
mod plugin;
mod runs;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};

use super::Scheduler;
use crate::testing::metric;

const SECOND: Duration = Duration::from_secs(1);

/// How often something happened.
#[derive(Clone, Default)]
struct Times(Arc<AtomicUsize>);

impl Times {
    fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// A job that does nothing else.
    fn job(&self) -> impl Fn() -> std::future::Ready<()> + Send + Sync + 'static {
        let times = self.clone();
        move || {
            times.add();
            std::future::ready(())
        }
    }
}

/// A scheduler whose time of day is `begin` now and goes on as tokio's clock does, which tests pause.
fn beginning_at(begin: &str) -> Scheduler {
    let (begin, origin): (Timestamp, _) = (begin.parse().unwrap(), Instant::now());
    Scheduler::with_clock(Arc::new(move || {
        begin + SignedDuration::try_from(origin.elapsed()).unwrap()
    }))
}

/// Sleeps until the clock has gone on by `seconds`; what is due until then happens, without anybody waiting.
async fn after(seconds: f64) {
    sleep(Duration::from_secs_f64(seconds)).await;
}

fn count(name: &str, job: &str) -> f64 {
    metric(name, &[("job", job)]).unwrap_or_default()
}
