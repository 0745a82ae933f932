//! What else a store is asked: all events once more, one thing's events, the rows of a projection, a notice; and
//! whether ten million events make it slow.
//!
//! Where a figure depends on the disk, `fdatasync` is measured beside it; where it does not, a loop on rusqlite does
//! the same in turn with it, with nothing around.

mod division;
mod filled;
mod large;
mod order;
mod replay;

use anyhow::Result;
use hecate_sdk::store::{EventStore, SqliteOptions, SqliteStore};
use tokio::runtime::Builder;

use crate::fdatasync::{self, Fdatasync};
use crate::report::{Bar, Report, micros, ratio, short, thousands};
use crate::stats::Spread;
use crate::{machine, progress};

/// Events of the store that is replayed and projected.
const EVENTS: usize = 300_000;
/// Orders that they are of.
const ORDERS: usize = EVENTS / filled::EVENTS;
/// How often the disk is asked in each round what a commit costs it.
const SYNCS: usize = 500;

/// One round: everything once.
struct Round {
    disk: Fdatasync,
    raw: f64,
    bare: f64,
    decoded: f64,
    load: f64,
    bare_load: f64,
    projected: f64,
    notices: (f64, f64),
    /// Of one task that appends, and how much more that is than `fdatasync`.
    alone: (f64, f64),
}

/// The benchmark.
pub(crate) fn run(rounds: usize) -> Result<Report> {
    let dir = machine::disk_dir()?;
    let path = dir.path().to_owned();
    progress(format!("making a store of {EVENTS} events"));
    on_runtime(async move { filled::fill(&path, EVENTS).await })?;
    let mut done = Vec::with_capacity(rounds);
    for round in 0..rounds {
        progress(format!("asking a store, round {} of {rounds}", round + 1));
        done.push(once(dir.path(), round)?);
    }
    let how = format!(
        "A store of {EVENTS} events in streams of {}, each of about 210 bytes of JSON, in the memory of the system. \
         Beside it a bare loop on rusqlite: the same rows on the thread that asks. {rounds} rounds, the order in \
         pairs changing; medians [lowest–highest].",
        filled::EVENTS
    );
    let mut report = Report::new("Store", how, &["what", "figure", "bare", "ratio"]);
    let of = |of: fn(&Round) -> f64| Spread::of(done.iter().map(of));

    let raw = of(|round| round.raw);
    let cells = [
        "replay, events as stored",
        &thousands(raw.median),
        &thousands(of(|round| round.bare).median),
        &ratio(of(|round| round.raw / round.bare)),
    ];
    report.row(owned(cells), raw.median, Bar::SpeedAtLeast(1.5e6));
    let decoded = of(|round| round.decoded);
    let cells = ["replay, typed events", &thousands(decoded.median), "", ""];
    report.row(owned(cells), decoded.median, Bar::SpeedAtLeast(300e3));
    let load = of(|round| round.load);
    let cells = [
        "loading a thing of 100 events, p50",
        &micros(load),
        &micros(of(|round| round.bare_load)),
        &ratio(of(|round| round.load / round.bare_load)),
    ];
    report.row(owned(cells), load.median, Bar::MicrosAtMost(300.0));
    let projected = of(|round| round.projected);
    let cells = [
        "projection from the first event on, rows and checkpoints",
        &thousands(projected.median),
        "",
        "",
    ];
    report.row(owned(cells), projected.median, Bar::SpeedAtLeast(150e3));
    let notices = of(|round| round.notices.0);
    let slow = of(|round| round.notices.1).median;
    let cells = [
        "from the answer to an append to its notice, behind the rows; p50, p99",
        &format!("{:.0} µs, {slow:.0} µs", notices.median),
        "",
        "",
    ];
    report.row(owned(cells), notices.median, Bar::MicrosAtMost(1000.0));
    let alone = of(|round| round.alone.0);
    let cells = ["one task × 1 event, p50", &micros(alone), "", ""];
    report.row(owned(cells), alone.median, Bar::None);
    let more = of(|round| round.alone.1);
    let cells = [
        "the same without an `fdatasync` after each, p50",
        &micros(more),
        "",
        "",
    ];
    report.row(owned(cells), more.median, Bar::MicrosAtMost(100.0));
    let disks: Vec<_> = done.iter().map(|round| round.disk).collect();
    report.note(format!(
        "`fdatasync` on the same file system, {SYNCS} times before each round: {}.",
        fdatasync::summary(&disks)
    ));
    Ok(report)
}

/// The benchmark of ten million events.
pub(crate) fn run_large(rounds: usize) -> Result<Report> {
    let disk = Fdatasync::measure(machine::disk_dir()?.path(), SYNCS)?;
    let how = format!(
        "The same division on a store of {} events and on one of {}, in streams of {}, in turn, {rounds} times. Where \
         orders are drawn from all, nearly every append to the large store is one to pages of its own. Medians \
         [lowest–highest].",
        large::SMALL,
        large::LARGE,
        filled::EVENTS
    );
    let mut report = Report::new("Large store", how, &["what", "small", "large", "ratio"]);
    large::compare(rounds, &mut report)?;
    report.note(format!(
        "`fdatasync` on the same file system, {SYNCS} times before: p50 {}, p99 {}.",
        short(disk.p50),
        short(disk.p99)
    ));
    Ok(report)
}

fn once(dir: &std::path::Path, round: usize) -> Result<Round> {
    let disk = Fdatasync::measure(dir, SYNCS)?;
    let path = filled::path(dir);
    let in_turn = |ours: &dyn Fn() -> Result<f64>, bare: &dyn Fn() -> Result<f64>| {
        if round.is_multiple_of(2) {
            let ours = ours()?;
            anyhow::Ok((ours, bare()?))
        } else {
            let bare = bare()?;
            anyhow::Ok((ours()?, bare))
        }
    };
    let replayed = |typed: bool| {
        let path = path.clone();
        on_runtime(async move {
            let store = SqliteStore::open(&path, SqliteOptions::in_epoch(1))?;
            let speed = if typed {
                replay::decoded(&store, EVENTS).await
            } else {
                replay::raw(&store, EVENTS).await
            };
            store.close().await;
            speed
        })
    };
    let (raw, bare) = in_turn(&|| replayed(false), &|| replay::bare(&path, EVENTS))?;
    let decoded = replayed(true)?;
    let loaded = || {
        let dir = dir.to_owned();
        on_runtime(async move {
            let (plugin, division) = division::start::<false>(&dir).await?;
            let load = division::load(&division, ORDERS).await;
            plugin.stop().await;
            load
        })
    };
    let (load, bare_load) = in_turn(&loaded, &|| division::bare_load(&path, ORDERS))?;
    let files = dir.to_owned();
    let projected = on_runtime(async move { division::project(&files, EVENTS).await })?;
    let own = machine::disk_dir()?;
    let files = own.path().to_owned();
    let (half, most) = on_runtime(async move { division::notices(&files).await })?;
    let files = own.path().join("alone");
    let alone = on_runtime(async move { division::alone(&files).await })?;
    Ok(Round {
        disk,
        raw,
        bare,
        decoded,
        load,
        bare_load,
        projected,
        notices: (half.as_secs_f64() * 1e6, most.as_secs_f64() * 1e6),
        alone,
    })
}

/// Runs `work` as a plugin's handlers run: on the one worker of its runtime.
fn on_runtime<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async { tokio::spawn(work).await? })
}

fn owned(cells: [&str; 4]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}
