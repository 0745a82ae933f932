//! Whether a store of ten million events costs more to use than one of ten thousand.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use hecate_sdk::futures_util::future::try_join_all;
use hecate_sdk::store::Store;
use tempfile::TempDir;
use uuid::Uuid;

use super::{division, filled, on_runtime, order};
use crate::progress;
use crate::report::{Bar, Report, micros, ratio, thousands};
use crate::stats::Spread;

pub(super) const SMALL: usize = 10_000;
pub(super) const LARGE: usize = 10_000_000;
/// Tasks that append at the same time.
const TASKS: usize = 64;
/// Appends that a new order gets.
const PER_ORDER: usize = 10;
const MEASURED: Duration = Duration::from_millis(1500);

/// What one store did in one round.
struct Used {
    /// Appends a second, to new orders.
    fresh: f64,
    /// Appends a second, to orders as drawn from all.
    drawn: f64,
    /// What one append to an order as drawn takes, in microseconds.
    alone: f64,
    load: f64,
}

/// The rows of both stores, `rounds` times in turn.
pub(super) fn compare(rounds: usize, report: &mut Report) -> Result<()> {
    let large = made(LARGE)?;
    let mut used = Vec::with_capacity(rounds);
    for round in 0..rounds {
        progress(format!(
            "using both stores, round {} of {rounds}",
            round + 1
        ));
        // Made anew: what is appended to its few orders makes them long.
        let few = || once(made(SMALL)?.path(), SMALL);
        let many = || once(large.path(), LARGE);
        used.push(if round.is_multiple_of(2) {
            let few = few()?;
            (few, many()?)
        } else {
            let many = many()?;
            (few()?, many)
        });
    }
    let of = |of: fn(&(Used, Used)) -> f64| Spread::of(used.iter().map(of));
    let times = of(|(few, many)| few.fresh / many.fresh);
    let cells = vec![
        "64 tasks × 1 event, to new orders".to_owned(),
        thousands(of(|(few, _)| few.fresh).median),
        thousands(of(|(_, many)| many.fresh).median),
        format!("×{}", ratio(times)),
    ];
    report.row(cells, times.median, Bar::RatioAtMost(1.5));
    let times = of(|(few, many)| many.alone / few.alone);
    let cells = vec![
        "one task × 1 event, to orders as drawn from all, p50".to_owned(),
        micros(of(|(few, _)| few.alone)),
        micros(of(|(_, many)| many.alone)),
        format!("×{}", ratio(times)),
    ];
    report.row(cells, times.median, Bar::RatioAtMost(1.5));
    let times = of(|(few, many)| few.drawn / many.drawn);
    let cells = vec![
        "64 tasks × 1 event, to orders as drawn from all".to_owned(),
        thousands(of(|(few, _)| few.drawn).median),
        thousands(of(|(_, many)| many.drawn).median),
        format!("×{}", ratio(times)),
    ];
    report.row(cells, times.median, Bar::RatioAtMost(1.5));
    let times = of(|(few, many)| many.load / few.load);
    let cells = vec![
        "loading an order of 100 events, p50".to_owned(),
        micros(of(|(few, _)| few.load)),
        micros(of(|(_, many)| many.load)),
        format!("×{}", ratio(times)),
    ];
    report.row(cells, times.median, Bar::RatioAtMost(1.5));
    Ok(())
}

fn made(events: usize) -> Result<TempDir> {
    progress(format!("making a store of {events} events"));
    let dir = crate::machine::disk_dir()?;
    let (path, begun) = (dir.path().to_owned(), Instant::now());
    on_runtime(async move { filled::fill(&path, events).await })?;
    let bytes = std::fs::metadata(filled::path(dir.path()))?.len();
    progress(format!(
        "{} MB in {} s",
        bytes / 1_000_000,
        begun.elapsed().as_secs()
    ));
    Ok(dir)
}

fn once(dir: &Path, events: usize) -> Result<Used> {
    warm(&filled::path(dir))?;
    let (dir, orders) = (dir.to_owned(), events / filled::EVENTS);
    on_runtime(async move {
        let (plugin, division) = division::start::<false>(&dir).await?;
        let load = division::load(&division, orders).await?;
        let fresh = appends(division.store(), |_| {
            let fresh = std::iter::repeat_with(Uuid::now_v7);
            fresh.flat_map(|id| std::iter::repeat_n(id, PER_ORDER))
        });
        let fresh = fresh.await?;
        let alone = division::appends(division.store(), division::drawn(orders)).await?;
        // Each task begins elsewhere among the same orders.
        let drawn = appends(division.store(), move |task| {
            division::drawn(orders).skip(task * 10_000)
        });
        let drawn = drawn.await?;
        plugin.stop().await;
        Ok(Used {
            fresh,
            drawn,
            alone,
            load,
        })
    })
}

/// Appends a second that all tasks make together, each to its own `orders`.
async fn appends<I>(store: &Store, orders: impl Fn(usize) -> I) -> Result<f64>
where
    I: Iterator<Item = Uuid> + Send + 'static,
{
    let until = Instant::now() + MEASURED;
    let tasks = (0..TASKS).map(|task| tokio::spawn(append(store.clone(), orders(task), until)));
    let mut appends = 0;
    for appended in try_join_all(tasks).await? {
        appends += appended?;
    }
    Ok(appends as f64 / MEASURED.as_secs_f64())
}

/// Appends until the time is over; gives how often.
async fn append(
    store: Store,
    orders: impl Iterator<Item = Uuid> + Send,
    until: Instant,
) -> Result<usize> {
    let mut appended = 0;
    for id in orders {
        store.append_request(order::lines(id, 1)?).await?;
        if Instant::now() > until {
            break;
        }
        appended += 1;
    }
    Ok(appended)
}

/// Reads the file, so that the system has it in memory as far as that goes.
fn warm(path: &Path) -> Result<()> {
    let (mut file, mut buffer) = (File::open(path)?, vec![0; 1 << 20]);
    while file.read(&mut buffer)? > 0 {}
    Ok(())
}
