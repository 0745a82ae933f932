//! The load of `appends` on our store, beside the same on the event stores that Rust has on SQLite.
//!
//! Each peer is a program below `tests/bench/peers`, in a workspace of its own because it pins an SQLite of its own. It
//! is compiled from the same source of the load, sets `synchronous=FULL` in WAL mode by what its API allows, and says
//! what its connection says of that.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::appends::load::{self, Load};
use crate::appends::through_store;
use crate::checkout;
use crate::fdatasync::{self, Fdatasync};
use crate::report::{Bar, Report, ratio, short, thousands};
use crate::stats::Spread;
use crate::{machine, progress};

/// As the peers have it in their `peer.rs`.
const LOAD: Load = Load {
    tasks: 64,
    events: 1,
    measured: Duration::from_secs(2),
};
/// How often the disk is asked in each round what a commit costs it.
const SYNCS: usize = 500;
/// `PRAGMA synchronous`, when it is `FULL`.
const FULL: i64 = 2;

struct Peer {
    /// Its directory, and the end of its program's name.
    name: &'static str,
    /// With the versions that its `Cargo.toml` pins.
    what: &'static str,
    /// What its program is told besides file and seconds.
    args: &'static [&'static str],
}

const PEERS: [Peer; 3] = [
    Peer {
        name: "sqlite-es",
        what: "`sqlite-es` 0.5.0 (`cqrs-es` 0.5.0), 10 connections, as in its own pool",
        args: &["10"],
    },
    Peer {
        name: "sqlite-es",
        what: "the same, 1 connection",
        args: &["1"],
    },
    Peer {
        name: "eventcore-sqlite",
        what: "`eventcore-sqlite` 2.1.0",
        args: &[],
    },
];

/// What was appended in one run of either side.
#[derive(Debug, Clone, Copy)]
struct Appended {
    per_second: f64,
    p50: Duration,
    p99: Duration,
}

/// What a peer's program prints.
#[derive(Debug, Deserialize)]
struct Said {
    events: usize,
    seconds: f64,
    p50_us: f64,
    p99_us: f64,
    synchronous: i64,
    journal_mode: String,
}

/// Both sides, next to each other.
#[derive(Debug, Clone, Copy)]
struct Pair {
    ours: Appended,
    theirs: Appended,
}

/// The benchmark.
pub(crate) fn run(rounds: usize) -> Result<Report> {
    let programs = PEERS.iter().map(Peer::build).collect::<Result<Vec<_>>>()?;
    let dir = machine::disk_dir()?;
    let mut disks = Vec::with_capacity(rounds);
    let mut pairs: Vec<Vec<Pair>> = PEERS.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        progress(format!(
            "appending beside peers, round {} of {rounds}",
            round + 1
        ));
        disks.push(Fdatasync::measure(dir.path(), SYNCS)?);
        for ((peer, program), pairs) in PEERS.iter().zip(&programs).zip(&mut pairs) {
            pairs.push(Pair::run(round, || peer.run(program))?);
        }
    }

    let how = format!(
        "{} tasks × 1 event of {} bytes of JSON as above, on `SqliteStore` and on the event stores that Rust has on \
         SQLite, each with the SQLite that it pins, all in WAL mode at `synchronous=FULL` (read back), on a runtime \
         with one worker. {rounds} adjacent pairs of {:.1} s on fresh files, the order changing; medians \
         [lowest–highest].",
        LOAD.tasks,
        load::PAYLOAD.len(),
        LOAD.measured.as_secs_f64(),
    );
    let mut report = Report::new("Durable appends beside peers", how, &COLUMNS);
    for (peer, pairs) in PEERS.iter().zip(&pairs) {
        let ours: Vec<_> = pairs.iter().map(|pair| pair.ours).collect();
        let theirs: Vec<_> = pairs.iter().map(|pair| pair.theirs).collect();
        let ratios = pairs
            .iter()
            .map(|pair| pair.ours.per_second / pair.theirs.per_second);
        let ratios = Spread::of(ratios);
        let cells = vec![
            peer.what.to_owned(),
            speed(&ours),
            times(&ours),
            speed(&theirs),
            times(&theirs),
            ratio(ratios),
        ];
        report.row(cells, ratios.median, Bar::RatioAtLeast(5.0, 5.0));
    }
    report.note(format!(
        "`fdatasync` on the same file system, {SYNCS} times before each round: {}.",
        fdatasync::summary(&disks)
    ));
    Ok(report)
}

const COLUMNS: [&str; 6] = [
    "beside",
    "ours, events",
    "ours p50, p99",
    "theirs, events",
    "theirs p50, p99",
    "ratio",
];

impl Peer {
    /// Builds its program; gives where it lies.
    fn build(&self) -> Result<PathBuf> {
        progress(format!("building {}", self.name));
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let target = checkout::target_dir()?.join("bench/peers");
        let mut build = Command::new(cargo);
        build
            .current_dir(checkout::root().join("tests/bench/peers").join(self.name))
            .args(["build", "--release", "--locked", "--quiet", "--target-dir"])
            .arg(&target);
        checkout::run(&mut build)?;
        Ok(target.join(format!("release/hecate-bench-{}", self.name)))
    }

    /// Runs `program`, which is its own, on a fresh file.
    fn run(&self, program: &Path) -> Result<Appended> {
        let dir = machine::disk_dir()?;
        let done = Command::new(program)
            .arg(dir.path().join("peer.db"))
            .arg(LOAD.measured.as_secs_f64().to_string())
            .args(self.args)
            .output()
            .with_context(|| format!("failed to run `{}`", program.display()))?;
        ensure!(
            done.status.success(),
            "{} ended with {}: {}",
            program.display(),
            done.status,
            String::from_utf8_lossy(&done.stderr)
        );
        Said::read(&done.stdout)
    }
}

impl Pair {
    /// Runs both; which goes first changes with `round`.
    fn run(round: usize, theirs: impl FnOnce() -> Result<Appended>) -> Result<Self> {
        Ok(if round.is_multiple_of(2) {
            let ours = ours()?;
            Self {
                ours,
                theirs: theirs()?,
            }
        } else {
            let theirs = theirs()?;
            Self {
                ours: ours()?,
                theirs,
            }
        })
    }
}

/// Our store, whose opening reads the settings back itself.
fn ours() -> Result<Appended> {
    let dir = machine::disk_dir()?;
    let file = dir.path().join("store.db");
    let appended = LOAD.run(async { through_store::open(&file) })?;
    Ok(Appended {
        per_second: appended.events as f64 / LOAD.measured.as_secs_f64(),
        p50: appended.p50,
        p99: appended.p99,
    })
}

impl Said {
    /// What counts of what a program printed, if its commits waited for the disk as ours do.
    fn read(printed: &[u8]) -> Result<Appended> {
        let said: Self =
            serde_json::from_slice(printed).context("a peer prints one line of JSON")?;
        ensure!(
            said.synchronous == FULL && said.journal_mode == "wal",
            "a peer that does not wait for the disk as we do: synchronous={}, journal_mode={}",
            said.synchronous,
            said.journal_mode
        );
        Ok(Appended {
            per_second: said.events as f64 / said.seconds,
            p50: Duration::try_from_secs_f64(said.p50_us / 1e6)?,
            p99: Duration::try_from_secs_f64(said.p99_us / 1e6)?,
        })
    }
}

fn speed(appended: &[Appended]) -> String {
    thousands(Spread::of(appended.iter().map(|one| one.per_second)).median)
}

/// The medians of the rounds' medians and of their slowest hundredth.
fn times(appended: &[Appended]) -> String {
    let of = |part: fn(&Appended) -> Duration| {
        let times = appended.iter().map(|one| part(one).as_secs_f64());
        short(Duration::from_secs_f64(Spread::of(times).median))
    };
    format!("{}, {}", of(|one| one.p50), of(|one| one.p99))
}

#[cfg(test)]
mod tests {
    use super::Said;

    #[test]
    fn a_peer_that_does_not_wait_for_the_disk_is_not_compared() {
        let said = |synchronous: u8, mode: &str| {
            format!(
                r#"{{"events":3000,"seconds":2.0,"p50_us":500.0,"p99_us":900.0,"synchronous":{synchronous},"journal_mode":"{mode}"}}"#
            )
        };
        let read = Said::read(said(2, "wal").as_bytes()).unwrap();
        assert_eq!(
            (read.per_second, read.p50.as_micros(), read.p99.as_micros()),
            (1500.0, 500, 900)
        );
        assert!(Said::read(said(1, "wal").as_bytes()).is_err());
        assert!(Said::read(said(2, "delete").as_bytes()).is_err());
        assert!(Said::read(b"").is_err());
    }
}
