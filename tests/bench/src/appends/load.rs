//! Tasks that append, each again as soon as it is answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::runtime::Builder;

use crate::stats::percentile;

/// The payload of every event.
pub(super) const PAYLOAD: &[u8] = br#"{"order_id":"01932d1c-5ee3-7c3c-9d5c-1b6b5b8e2f10","customer":"Ada Lovelace","total":"129.90","currency":"EUR","note":"leave it at the door","lines":[{"article":"lamp","count":2},{"article":"bulb","count":4}]}"#;
/// How long the tasks run before they are counted, and how long they are counted.
const WARM_UP: Duration = Duration::from_millis(300);
pub(super) const MEASURED: Duration = Duration::from_millis(1500);

/// Appends that a stream gets before its task begins another: about what happens to an order.
pub(super) const APPENDS_PER_STREAM: usize = 10;

/// Appends events to streams, one append of a stream at a time.
pub(super) trait Appender: Send + Sync + 'static {
    /// Where a stream stands.
    type Stream: Send;

    /// A stream that is not there yet.
    fn stream(&self) -> Self::Stream;

    /// Appends `events` events; resolves when they are on the disk.
    fn append(
        &self,
        stream: &mut Self::Stream,
        events: usize,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Closes the file.
    fn close(&self) -> impl Future<Output = ()> + Send;
}

/// How many tasks, and how many events in each append.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) tasks: usize,
    pub(super) events: usize,
}

/// What was appended while it was counted.
#[derive(Debug)]
pub(super) struct Appended {
    events: usize,
    /// Half of the appends took no longer.
    pub(super) p50: Duration,
    /// One in a hundred took longer.
    pub(super) p99: Duration,
}

impl Appended {
    pub(super) fn per_second(&self) -> f64 {
        self.events as f64 / MEASURED.as_secs_f64()
    }
}

impl Load {
    /// Lets the tasks append on a runtime like that of a plugin.
    pub(super) fn run<A: Appender>(self, appender: A) -> Result<Appended> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let appender = Arc::new(appender);
        let begin = Instant::now() + WARM_UP;
        let tasks = (0..self.tasks).map(|_| {
            let appender = appender.clone();
            runtime.spawn(async move { self.task(appender.as_ref(), begin).await })
        });
        let tasks: Vec<_> = tasks.collect();
        let mut taken = Vec::new();
        runtime.block_on(async {
            for task in tasks {
                taken.extend(task.await??);
            }
            appender.close().await;
            anyhow::Ok(())
        })?;
        taken.sort();
        Ok(Appended {
            events: taken.len() * self.events,
            p50: percentile(&taken, 0.5),
            p99: percentile(&taken, 0.99),
        })
    }

    /// Appends until the time is over; gives what each append took that ended in the time that counts.
    async fn task<A: Appender>(self, appender: &A, begin: Instant) -> Result<Vec<Duration>> {
        let mut taken = Vec::new();
        loop {
            let mut stream = appender.stream();
            for _ in 0..APPENDS_PER_STREAM {
                let begun = Instant::now();
                appender.append(&mut stream, self.events).await?;
                let ended = Instant::now();
                if ended > begin + MEASURED {
                    return Ok(taken);
                }
                if ended > begin {
                    taken.push(ended - begun);
                }
            }
        }
    }
}
