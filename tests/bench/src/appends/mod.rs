//! Durable appends through the SDK's store, beside a bare loop that does as little as can be durable.
//!
//! Both get the same events from the same tasks on a runtime of the shape that a plugin has (one worker), and both
//! answer when the commit is on the disk. The store checks versions, epochs and repeated ids on the way; the loop
//! ([`bare`]) only inserts.

mod bare;
pub(crate) mod load;
pub(crate) mod through_store;

use std::time::Duration;

use anyhow::Result;

use self::load::{Appended, Load};
use crate::fdatasync::{self, Fdatasync};
use crate::report::{Bar, Report, ratio, short, thousands};
use crate::stats::Spread;
use crate::{machine, progress};

/// Tasks that append at the same time.
const TASKS: usize = 64;

/// How long they are counted.
const MEASURED: Duration = Duration::from_millis(1500);

const ONES: Load = Load {
    tasks: TASKS,
    events: 1,
    measured: MEASURED,
};
const TENS: Load = Load {
    tasks: TASKS,
    events: 10,
    measured: MEASURED,
};
const ALONE: Load = Load {
    tasks: 1,
    events: 1,
    measured: MEASURED,
};

/// How often the disk is asked in each round what a commit costs it.
const SYNCS: usize = 500;

/// One round: everything once, next to each other.
struct Round {
    disk: Fdatasync,
    ones: Pair,
    tens: Pair,
    alone: Pair,
}

struct Pair {
    store: Appended,
    bare: Appended,
}

impl Pair {
    /// Runs both; which goes first changes with `round`.
    fn run(load: Load, round: usize) -> Result<Self> {
        let dir = machine::disk_dir()?;
        let store = dir.path().join("store.db");
        let through_store = || load.run(async { through_store::open(&store) });
        let file = dir.path().join("bare.db");
        let bare = || load.run(async { bare::open(&file) });
        if round.is_multiple_of(2) {
            let store = through_store()?;
            let bare = bare()?;
            Ok(Self { store, bare })
        } else {
            let bare = bare()?;
            let store = through_store()?;
            Ok(Self { store, bare })
        }
    }

    fn of_store(&self) -> f64 {
        per_second(&self.store)
    }

    fn of_bare(&self) -> f64 {
        per_second(&self.bare)
    }
}

fn per_second(appended: &Appended) -> f64 {
    appended.events as f64 / MEASURED.as_secs_f64()
}

/// The benchmark.
pub(crate) fn run(rounds: usize) -> Result<Report> {
    let dir = machine::disk_dir()?;
    let mut done = Vec::with_capacity(rounds);
    for round in 0..rounds {
        progress(format!("appending, round {} of {rounds}", round + 1));
        done.push(Round {
            disk: Fdatasync::measure(dir.path(), SYNCS)?,
            ones: Pair::run(ONES, round)?,
            tens: Pair::run(TENS, round)?,
            alone: Pair::run(ALONE, round)?,
        });
    }

    let how = format!(
        "`SqliteStore` (WAL, `synchronous=FULL`) beside a bare rusqlite loop (one thread drains a channel, one \
         transaction for each batch, one table with the columns and indexes of the store's events, prepared insert). \
         A task appends to a stream of its own, expecting the version it saw last, begins another stream after {} \
         appends, and appends again when it is answered; an event has {} bytes of JSON. {rounds} adjacent pairs of {:.1} s on fresh files, the order changing; medians \
         [lowest–highest].",
        load::APPENDS_PER_STREAM,
        load::PAYLOAD.len(),
        MEASURED.as_secs_f64(),
    );
    let mut report = Report::new("Durable appends", how, &COLUMNS);
    let aim = Bar::RatioAtLeast(0.8, 0.8);
    compare(&mut report, "64 tasks × 1 event", aim, || {
        done.iter().map(|round| &round.ones)
    });
    compare(&mut report, "64 tasks × 10 events", aim, || {
        done.iter().map(|round| &round.tens)
    });
    compare(&mut report, "1 task × 1 event", Bar::None, || {
        done.iter().map(|round| &round.alone)
    });

    let gain = |of: fn(&Pair) -> f64| -> Spread {
        Spread::of(done.iter().map(|round| of(&round.ones) / of(&round.alone)))
    };
    let (store, bare) = (gain(Pair::of_store), gain(Pair::of_bare));
    let what = "64 tasks × 1 event over 1 task × 1 event";
    let cells = [
        what,
        &format!("×{}", ratio(store)),
        "",
        &format!("×{}", ratio(bare)),
        "",
        "",
    ];
    report.row(
        cells.map(str::to_owned).to_vec(),
        store.median,
        Bar::RatioAtLeast(20.0, 20.0),
    );

    let disks: Vec<_> = done.iter().map(|round| round.disk).collect();
    if fdatasync::is_fast(&disks) {
        let ones = Spread::of(done.iter().map(|round| round.ones.of_store())).median;
        let tens = Spread::of(done.iter().map(|round| round.tens.of_store())).median;
        for (what, speed, bar) in [("1 event", ones, 30e3), ("10 events", tens, 90e3)] {
            let cells = [
                &format!("the speed itself, 64 tasks × {what}"),
                &*thousands(speed),
                "",
                "",
                "",
                "",
            ];
            report.row(
                cells.map(str::to_owned).to_vec(),
                speed,
                Bar::SpeedAtLeast(bar),
            );
        }
    }
    report.note(format!(
        "`fdatasync` on the same file system, {SYNCS} times before each round: {}.",
        fdatasync::summary(&disks)
    ));
    Ok(report)
}

const COLUMNS: [&str; 6] = [
    "appends",
    "store, events",
    "store p50, p99",
    "bare, events",
    "bare p50, p99",
    "ratio",
];

/// Adds the row that says how the pairs of one load stand to each other.
fn compare<'r, I>(report: &mut Report, what: &str, bar: Bar, pairs: impl Fn() -> I)
where
    I: Iterator<Item = &'r Pair>,
{
    let ratios = Spread::of(pairs().map(|pair| pair.of_store() / pair.of_bare()));
    let cells = vec![
        what.to_owned(),
        thousands(Spread::of(pairs().map(Pair::of_store)).median),
        times(pairs().map(|pair| &pair.store)),
        thousands(Spread::of(pairs().map(Pair::of_bare)).median),
        times(pairs().map(|pair| &pair.bare)),
        ratio(ratios),
    ];
    report.row(cells, ratios.median, bar);
}

/// The medians of the rounds' medians and of their slowest hundredth.
fn times<'a>(appended: impl Iterator<Item = &'a Appended>) -> String {
    let (p50, p99): (Vec<_>, Vec<_>) = appended
        .map(|appended| (appended.p50.as_secs_f64(), appended.p99.as_secs_f64()))
        .unzip();
    let of = |values| {
        short(std::time::Duration::from_secs_f64(
            Spread::of(values).median,
        ))
    };
    format!("{}, {}", of(p50), of(p99))
}
