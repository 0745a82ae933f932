//! Tasks that append, each again as soon as it is answered. This file is compiled into the programs of the peers too.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::runtime::Builder;

use crate::stats::percentile;

/// The payload of every event.
pub(crate) const PAYLOAD: &[u8] = br#"{"order_id":"01932d1c-5ee3-7c3c-9d5c-1b6b5b8e2f10","customer":"Ada Lovelace","total":"129.90","currency":"EUR","note":"leave it at the door","lines":[{"article":"lamp","count":2},{"article":"bulb","count":4}]}"#;
/// How long the tasks run before they are counted.
const WARM_UP: Duration = Duration::from_millis(300);

/// Appends that a stream gets before its task begins another: about what happens to an order.
pub(crate) const APPENDS_PER_STREAM: usize = 10;

/// Appends events to streams, one append of a stream at a time.
pub(crate) trait Appender: Send + Sync + 'static {
    /// Where a stream stands.
    type Stream: Send;

    /// A stream that is not there yet.
    fn stream(&self) -> Result<Self::Stream>;

    /// Appends `events` events; resolves when they are on the disk.
    fn append(
        &self,
        stream: &mut Self::Stream,
        events: usize,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Closes the file.
    fn close(&self) -> impl Future<Output = ()> + Send;
}

/// How many tasks, how many events in each append, and how long they are counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) tasks: usize,
    pub(crate) events: usize,
    pub(crate) measured: Duration,
}

/// What was appended while it was counted.
#[derive(Debug)]
pub(crate) struct Appended {
    pub(crate) events: usize,
    /// Half of the appends took no longer.
    pub(crate) p50: Duration,
    /// One in a hundred took longer.
    pub(crate) p99: Duration,
}

impl Load {
    /// Lets the tasks append to what `open` gives, all on a runtime like that of a plugin.
    pub(crate) fn run<A: Appender>(
        self,
        open: impl Future<Output = Result<A>>,
    ) -> Result<Appended> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let appender = Arc::new(runtime.block_on(open)?);
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
            let mut stream = appender.stream()?;
            for _ in 0..APPENDS_PER_STREAM {
                let begun = Instant::now();
                appender.append(&mut stream, self.events).await?;
                let ended = Instant::now();
                if ended > begin + self.measured {
                    return Ok(taken);
                }
                if ended > begin {
                    taken.push(ended - begun);
                }
            }
        }
    }
}
