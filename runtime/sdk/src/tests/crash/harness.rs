//! Starts processes, lets them die, and keeps what they said.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;

use crate::fault;
use crate::store::BoxFuture;
use crate::testing::run;
use crate::tests::myself;

/// A child that has not died by then is stuck.
const STUCK: Duration = Duration::from_secs(60);
/// How a child's lines begin; all else on its standard output is the test runner's.
const MARK: &str = "@ ";
/// How the line begins that tells of a panic, which is no way to die.
const FAILED: &str = "failed: ";
/// The line that says that a child is at work.
pub(super) const READY: &str = "ready";

/// What runs in the process that dies, and what must be true when it is dead.
pub(super) struct Scenario {
    /// Its name.
    pub(super) name: &'static str,
    /// Works until it is killed, or until it has seen enough. Says [`READY`] when it has begun, what it is about to do
    /// before it does it, and what it was answered.
    pub(super) work: fn(Work) -> BoxFuture<'static, ()>,
    /// Panics if what is left is not what was said.
    pub(super) check: for<'a> fn(&'a mut Wreck) -> BoxFuture<'a, ()>,
}

/// What the process that dies knows.
pub(super) struct Work {
    /// Which scenario it runs.
    pub(super) scenario: String,
    /// Where its files are.
    pub(super) dir: PathBuf,
    /// What it does follows from this.
    pub(super) random: Random,
    /// Greater than that of every earlier process; up to [`EPOCHS`] may be used.
    pub(super) epoch: u64,
}

/// Epochs from one process to the next.
pub(super) const EPOCHS: u64 = 100;

impl Work {
    pub(super) fn of_environment() -> Option<Self> {
        let number = |name: &str| std::env::var(name).ok()?.parse().ok();
        let scenario = std::env::var("HECATE_CRASH_SCENARIO").ok()?;
        // The test runner has begun a line of its own.
        _ = std::io::stdout().write_all(b"\n");
        std::panic::set_hook(Box::new(|panic| say(&format!("{FAILED}{panic:?}"))));
        Some(Self {
            scenario,
            dir: std::env::var_os("HECATE_CRASH_DIR")?.into(),
            random: Random(number("HECATE_CRASH_CHILD_SEED")?),
            epoch: number("HECATE_CRASH_EPOCH")?,
        })
    }
}

/// Says a line to whoever started this process. When this returns the line will arrive, whatever happens next.
pub(super) fn say(line: &str) {
    let line = format!("{MARK}{line}\n");
    let mut stdout = std::io::stdout().lock();
    // Who listens no more has ended, and so will this process.
    _ = stdout.write_all(line.as_bytes());
    _ = stdout.flush();
}

/// What is left behind.
pub(super) struct Wreck {
    /// Where its files are.
    pub(super) dir: PathBuf,
    /// All lines of all processes that died here, in order.
    pub(super) said: Vec<String>,
    /// An epoch for the check to open it in.
    pub(super) epoch: u64,
}

/// How a child dies.
#[derive(Debug, Clone, Copy)]
pub(super) enum Death {
    /// By SIGKILL, this long after it was started.
    KilledAfterStart(Duration),
    /// By SIGKILL, this long after it said that it is at work.
    KilledAtWork(Duration),
    /// By itself, at the nth passing of a point.
    At(&'static str, u64),
}

/// A directory in which one process after the other dies.
pub(super) struct Ground {
    scenario: &'static Scenario,
    wreck: Wreck,
    _files: TempDir,
}

impl Ground {
    pub(super) fn new(scenario: &'static Scenario) -> Self {
        let files = TempDir::new().unwrap();
        Self {
            scenario,
            wreck: Wreck {
                dir: files.path().to_owned(),
                said: Vec::new(),
                epoch: 0,
            },
            _files: files,
        }
    }

    /// Lets one process die and looks at what is left. Says whether it died, rather than come to its end.
    pub(super) fn cycle(&mut self, death: Death, random: &mut Random) -> bool {
        let seed = random.next();
        self.wreck.epoch += EPOCHS;
        let mut child = self.start(death, seed);
        let (lines, heard) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let listener = std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if let Some(line) = line.strip_prefix(MARK) {
                    // Nobody hears the last words of a child that is stuck.
                    _ = lines.send(line.to_owned());
                }
            }
        });
        let mut said = Vec::new();
        match death {
            Death::KilledAfterStart(after) => std::thread::sleep(after),
            Death::KilledAtWork(after) => {
                while said.last().is_none_or(|line| line != READY) {
                    match heard.recv_timeout(STUCK) {
                        Ok(line) => said.push(line),
                        // It died by itself.
                        Err(_) => break,
                    }
                }
                std::thread::sleep(after);
            }
            Death::At(..) => {
                while let Ok(line) = heard.recv_timeout(STUCK) {
                    said.push(line);
                }
            }
        }
        // One that is dead already is not there to be killed.
        _ = child.kill();
        let status = child.wait().unwrap();
        listener.join().unwrap();
        said.extend(heard.try_iter());
        let place = format!("{death:?} of `{}`, seed {seed}", self.scenario.name);
        assert!(
            status.success() || died_as_it_should(status, death),
            "{place}: {status}, having said {said:?}"
        );
        let failed = said.iter().find(|line| line.starts_with(FAILED));
        assert!(failed.is_none(), "{place}: {failed:?}");
        tell(&format!("{place}: {status}, {} lines", said.len()));
        self.wreck.said.extend(said);
        self.wreck.epoch += EPOCHS;
        run((self.scenario.check)(&mut self.wreck));
        !status.success()
    }

    fn start(&self, death: Death, seed: u64) -> Child {
        let (module, _) = module_path!().rsplit_once("::").unwrap();
        // Without a file of the dead process's memory.
        let program = ["sh", "-c", r#"ulimit -c 0; exec "$0" "$@""#];
        let mut command = myself::again(&program, module, "child");
        command
            .env("HECATE_CRASH_SCENARIO", self.scenario.name)
            .env("HECATE_CRASH_DIR", &self.wreck.dir)
            .env("HECATE_CRASH_CHILD_SEED", seed.to_string())
            .env("HECATE_CRASH_EPOCH", self.wreck.epoch.to_string())
            .env_remove(fault::VARIABLE)
            .stdout(Stdio::piped());
        if let Death::At(point, pass) = death {
            command.env(fault::VARIABLE, format!("{point}:{pass}"));
        }
        command.spawn().unwrap()
    }
}

fn died_as_it_should(status: ExitStatus, death: Death) -> bool {
    const KILLED: i32 = 9;
    const ABORTED: i32 = 6;
    let wanted = match death {
        Death::KilledAfterStart(_) | Death::KilledAtWork(_) => KILLED,
        Death::At(..) => ABORTED,
    };
    status.signal() == Some(wanted)
}

/// Shown when the test fails, and with `--nocapture`.
fn tell(text: &str) {
    eprintln!("{text}");
}

/// Copies a database and what belongs to it, so that looking at it changes nothing.
pub(super) fn copy_of(database: &Path) -> Option<(TempDir, PathBuf)> {
    if !database.exists() {
        return None;
    }
    let dir = TempDir::new().unwrap();
    let copy = dir.path().join("copy.db");
    for suffix in ["", "-wal"] {
        let with = |path: &Path| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        if with(database).exists() {
            std::fs::copy(with(database), with(&copy)).unwrap();
        }
    }
    Some((dir, copy))
}

/// Numbers that follow from a seed (SplitMix64).
#[derive(Debug, Clone)]
pub(super) struct Random(pub(super) u64);

impl Random {
    /// Of `HECATE_CRASH_SEED`, else of the clock; says which.
    pub(super) fn of_environment() -> Self {
        let seed = std::env::var("HECATE_CRASH_SEED").map_or_else(
            |_| {
                let now = std::time::UNIX_EPOCH.elapsed().unwrap();
                now.as_nanos() as u64
            },
            |seed| seed.parse().expect("HECATE_CRASH_SEED is a number"),
        );
        tell(&format!("HECATE_CRASH_SEED={seed}"));
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `end`, without `end` itself.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Another source that follows from this one.
    pub(super) fn branch(&mut self) -> Self {
        Self(self.next())
    }
}
