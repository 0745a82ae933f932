//! What the disk itself takes for a commit: every durable figure is read beside this one.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::machine;
use crate::report::{Bar, Report, short};
use crate::stats::{Spread, percentile};

/// What is written before each: one page with its head, as the write-ahead log has it.
const BYTES: usize = 4096 + 24;
/// How many times the benchmark does it in each round.
const TIMES: usize = 2000;
/// How long it goes on at most.
const LIMIT: Duration = Duration::from_secs(2);

/// How slow a disk may be for the bars on the speed of durable things to hold.
const FAST: Duration = Duration::from_micros(1500);

/// How long a write and an `fdatasync` take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fdatasync {
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    slowest: Duration,
}

impl Fdatasync {
    /// Measures in `dir`, `times` times.
    pub(crate) fn measure(dir: &Path, times: usize) -> Result<Self> {
        let (mut probe, begun) = (Probe::open(dir)?, Instant::now());
        let mut taken = Vec::with_capacity(times);
        while taken.len() < times && begun.elapsed() < LIMIT {
            taken.push(probe.once()?);
        }
        probe.remove()?;
        taken.sort();
        Ok(Self {
            p50: percentile(&taken, 0.5),
            p99: percentile(&taken, 0.99),
            slowest: percentile(&taken, 1.0),
        })
    }
}

/// One file that is written to and made durable, as often as it is asked to.
pub(crate) struct Probe {
    path: PathBuf,
    file: File,
}

impl Probe {
    /// In `dir`, where nothing else may be called `fdatasync`.
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let path = dir.join("fdatasync");
        let file = File::create(&path)?;
        Ok(Self { path, file })
    }

    /// How long one write and its `fdatasync` take.
    pub(crate) fn once(&mut self) -> Result<Duration> {
        let begun = Instant::now();
        self.file.write_all(&[0x5a; BYTES])?;
        self.file.sync_data()?;
        Ok(begun.elapsed())
    }

    pub(crate) fn remove(self) -> Result<()> {
        Ok(std::fs::remove_file(self.path)?)
    }
}

/// What all of `measured` say together, in words.
pub(crate) fn summary(measured: &[Fdatasync]) -> String {
    let of = |part: fn(&Fdatasync) -> Duration| {
        let spread = Spread::of(measured.iter().map(|one| part(one).as_secs_f64()));
        let [low, median, high] = [spread.low, spread.median, spread.high]
            .map(|time| short(Duration::from_secs_f64(time)));
        format!("{median} [{low}–{high}]")
    };
    format!("p50 {}, p99 {}", of(|one| one.p50), of(|one| one.p99))
}

/// Whether the disk is one that the bars on the speed of durable things are for.
pub(crate) fn is_fast(measured: &[Fdatasync]) -> bool {
    Spread::of(measured.iter().map(|one| one.p50.as_secs_f64())).median <= FAST.as_secs_f64()
}

/// The benchmark.
pub(crate) fn run(rounds: usize) -> Result<Report> {
    let dir = machine::disk_dir()?;
    let how = format!(
        "{BYTES} bytes appended and `fdatasync`, one after the other, up to {TIMES} times."
    );
    let mut report = Report::new("fdatasync", how, &["round", "p50", "p99", "slowest"]);
    for round in 1..=rounds {
        let Fdatasync { p50, p99, slowest } = Fdatasync::measure(dir.path(), TIMES)?;
        let cells = vec![round.to_string(), short(p50), short(p99), short(slowest)];
        report.row(cells, p50.as_secs_f64(), Bar::None);
    }
    Ok(report)
}
