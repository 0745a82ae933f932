//! Whether a store of ten million events costs more to use than one of ten thousand.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use hecate_sdk::futures_util::future::try_join_all;
use hecate_sdk::store::Store;
use tempfile::TempDir;

use super::{division, filled, on_runtime, order};
use crate::progress;
use crate::report::{Bar, Report, micros, ratio, thousands};
use crate::stats::Spread;

pub(super) const SMALL: usize = 10_000;
pub(super) const LARGE: usize = 10_000_000;
/// Tasks that append at the same time.
const TASKS: usize = 64;
const MEASURED: Duration = Duration::from_millis(1500);

/// What one store did in one round.
struct Used {
    appends: f64,
    load: f64,
}

/// The rows of both stores, `rounds` times in turn.
pub(super) fn compare(rounds: usize, report: &mut Report) -> Result<()> {
    let (small, large) = (made(SMALL)?, made(LARGE)?);
    let mut used = Vec::with_capacity(rounds);
    for round in 0..rounds {
        progress(format!(
            "using both stores, round {} of {rounds}",
            round + 1
        ));
        let few = || once(small.path(), SMALL);
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
    let times = of(|(few, many)| few.appends / many.appends);
    let cells = vec![
        "64 tasks × 1 event, to orders as drawn".to_owned(),
        thousands(of(|(few, _)| few.appends).median),
        thousands(of(|(_, many)| many.appends).median),
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
        let until = Instant::now() + MEASURED;
        let tasks = (0..TASKS).map(|task| {
            let store = division.store().clone();
            tokio::spawn(append(store, orders, task, until))
        });
        let mut appends = 0;
        for appended in try_join_all(tasks).await? {
            appends += appended?;
        }
        plugin.stop().await;
        let appends = appends as f64 / MEASURED.as_secs_f64();
        Ok(Used { appends, load })
    })
}

/// Appends to orders as drawn until the time is over; gives how often.
async fn append(store: Store, orders: usize, task: usize, until: Instant) -> Result<usize> {
    let mut appended = 0;
    // Each task begins elsewhere among the same orders.
    for id in division::drawn(orders).skip(task * 10_000) {
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
