//! The command line as a user feels it: the whole process, from its start to its end.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::checkout::{self, Hecate};
use crate::report::{Bar, Report, millis};
use crate::stats::Spread;
use crate::{machine, progress};

/// How often each command runs; its median counts.
const RUNS: usize = 10;
/// Desks that `hecate gen division` makes of itself.
const SKELETON: usize = 4;
/// Desks of a division as the real plugins have them.
const DESKS_PER_DIVISION: usize = 10;

const SUBJECTS: [&str; 16] = [
    "order", "invoice", "parcel", "customer", "product", "ticket", "meeting", "sensor", "vehicle",
    "contract", "payment", "shipment", "article", "lesson", "recipe", "garden",
];
const VERBS: [&str; 48] = [
    "confirm", "cancel", "ship", "refund", "review", "approve", "reject", "assign", "schedule",
    "complete", "reopen", "escalate", "pause", "resume", "label", "inspect", "measure", "print",
    "sign", "weigh", "pack", "sort", "count", "flag", "mark", "rate", "rank", "check", "clean",
    "repair", "rename", "publish", "announce", "invite", "register", "renew", "extend", "suspend",
    "expire", "collect", "deliver", "receive", "accept", "decline", "verify", "estimate", "plan",
    "finish",
];

/// The benchmark. Its runs are counted by [`RUNS`], not in rounds: nothing stands beside them.
pub(crate) fn run(_rounds: usize) -> Result<Report> {
    let home = machine::disk_dir()?;
    let hecate = Hecate::build(home.path().to_owned())?;
    let how = format!(
        "Wall clock of the whole process, release build, median of {RUNS} runs [fastest–slowest], after one that is \
         not counted. `gen desk` grows the plugin while it is measured, so that the size named is the one in the \
         middle; a division has {DESKS_PER_DIVISION} desks unless said otherwise."
    );
    let mut report = Report::new("Command line", how, &["command", "time"]);
    let mut tell = |what: &str, taken: Spread, bar: Bar| {
        report.row(vec![what.to_owned(), millis(taken)], taken.median, bar);
    };

    tell(
        "`new plugin`",
        new_plugin(&hecate)?,
        Bar::MillisAtMost(150.0),
    );
    let mut of_forty = None;
    for desks in [10, 40, 150] {
        let mut plugin = Plugin::with_desks(&hecate, desks - RUNS / 2, DESKS_PER_DIVISION)?;
        let bar = if desks == 40 {
            Bar::MillisAtMost(100.0)
        } else {
            Bar::None
        };
        tell(
            &format!("`gen desk`, {desks} desks"),
            plugin.time_desks()?,
            bar,
        );
        if desks == 40 {
            of_forty = Some(plugin);
        } else {
            let checked = plugin.time_check(false)?;
            tell(&format!("`check` warm, {desks} desks"), checked, Bar::None);
        }
    }
    let mut alone = Plugin::with_desks(&hecate, 40 - RUNS / 2, usize::MAX)?;
    tell(
        "`gen desk`, 40 desks in one division",
        alone.time_desks()?,
        Bar::None,
    );
    let plugin = of_forty.context("a plugin of 40 desks is among them")?;
    tell(
        "`check` warm, 40 desks",
        plugin.time_check(false)?,
        Bar::MillisAtMost(500.0),
    );
    tell(
        "`check` cold (asks cargo for the SDK), 40 desks",
        plugin.time_check(true)?,
        Bar::None,
    );
    Ok(report)
}

fn new_plugin(hecate: &Hecate) -> Result<Spread> {
    progress("timing `new plugin`");
    let dir = machine::disk_dir()?;
    let taken = (0..=RUNS).map(|nth| {
        let name = format!("bench-{nth}");
        timed(hecate, dir.path(), &["new", "plugin", &name])
    });
    spread(taken)
}

/// A generated plugin in a directory of its own.
struct Plugin<'a> {
    hecate: &'a Hecate,
    _dir: TempDir,
    root: PathBuf,
    /// Division and number of desks in it.
    divisions: Vec<(&'static str, usize)>,
}

impl<'a> Plugin<'a> {
    fn with_desks(hecate: &'a Hecate, desks: usize, per_division: usize) -> Result<Self> {
        progress(format!("making a plugin of {desks} desks"));
        let dir = machine::disk_dir()?;
        timed(hecate, dir.path(), &["new", "plugin", "bench"])?;
        let root = dir.path().join("bench");
        let mut plugin = Self {
            hecate,
            _dir: dir,
            root,
            divisions: Vec::new(),
        };
        while plugin.desks() < desks {
            let wanted = desks - plugin.desks();
            let full = plugin
                .divisions
                .last()
                .is_none_or(|(_, desks)| *desks >= per_division);
            if full && wanted >= SKELETON {
                plugin.add_division()?;
            } else {
                plugin.add_desk()?;
            }
        }
        Ok(plugin)
    }

    fn desks(&self) -> usize {
        self.divisions.iter().map(|(_, desks)| desks).sum()
    }

    fn add_division(&mut self) -> Result<()> {
        let subject = SUBJECTS[self.divisions.len()];
        let fields = ["customer:string", "total:decimal"];
        timed(
            self.hecate,
            &self.root,
            &["gen", "division", subject, fields[0], fields[1]],
        )?;
        let division = self.root.join("divisions").join(subject);
        let found = desks_in(&division)?;
        ensure!(
            found == SKELETON,
            "a new division has {found} desks, not {SKELETON}"
        );
        self.divisions.push((subject, SKELETON));
        Ok(())
    }

    /// Adds a desk to the smallest division; gives the milliseconds that it took.
    fn add_desk(&mut self) -> Result<f64> {
        let smallest = self.divisions.iter_mut().min_by_key(|(_, desks)| *desks);
        let (subject, desks) = smallest.context("a desk is one of a division")?;
        let verb = VERBS[*desks - SKELETON];
        let taken = timed(
            self.hecate,
            &self.root,
            &["gen", "desk", "cmd", verb, subject, "note:string"],
        )?;
        *desks += 1;
        Ok(taken)
    }

    fn time_desks(&mut self) -> Result<Spread> {
        progress("timing `gen desk`");
        // The first is not counted, and stands for one of the desks before.
        spread((0..=RUNS).map(|_| self.add_desk()))
    }

    fn time_check(&self, cold: bool) -> Result<Spread> {
        progress("timing `check`");
        let known = self.root.join("target/hecate");
        let taken = (0..=RUNS).map(|_| {
            if cold && known.exists() {
                fs::remove_dir_all(&known)?;
            }
            timed(self.hecate, &self.root, &["check"])
        });
        spread(taken)
    }
}

/// Slices of the three departments of a division.
fn desks_in(division: &Path) -> Result<usize> {
    let mut desks = 0;
    for department in fs::read_dir(division.join("src"))? {
        let department = department?.path();
        if department.is_dir() {
            for slice in fs::read_dir(department)? {
                desks += usize::from(slice?.path().is_dir());
            }
        }
    }
    Ok(desks)
}

/// Runs `hecate` in `dir` to its good end; gives the milliseconds that it took.
fn timed(hecate: &Hecate, dir: &Path, args: &[&str]) -> Result<f64> {
    let mut command = hecate.command(dir, args);
    let begun = Instant::now();
    checkout::run(&mut command)?;
    Ok(begun.elapsed().as_secs_f64() * 1000.0)
}

/// The spread of all but the first.
fn spread(taken: impl Iterator<Item = Result<f64>>) -> Result<Spread> {
    let taken: Vec<_> = taken.collect::<Result<_>>()?;
    Ok(Spread::of(taken.into_iter().skip(1)))
}
