//! The Hecate daemon: the policy around the runtime.
//!
//! [`Daemon::open`] takes a home directory, [`Daemon::run`] serves it: the plugins under `/plugin/{name}/`, the
//! launcher at `/`, health, metrics, and the admin API over TCP (with the token) and over the home's Unix socket (with
//! the peer's credentials). [`lifecycle`] is what happens to plugins, [`admission`] what may run here.
//!
//! The daemon links no SQLite and never opens a plugin's database: a second copy of the library on one file loses
//! commits. What concerns stores goes through the plugin.

#![warn(missing_docs)]

pub mod admission;
mod exchange;
mod generation;
mod home;
mod http;
pub mod lifecycle;
mod logs;
mod port;
mod slot;
mod socket;
pub mod solo;
mod state;
mod versions;

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use futures_util::future::join_all;
use hecate_bus::Bus;
use hecate_manifest::PluginName;
use hecate_runtime::server::Server;
use tokio::sync::broadcast;

pub use generation::{Generation, StartError};
pub use home::{Home, PluginHome};
pub use logs::log_to;
pub use port::holder_of;
pub use slot::Slot;
pub use state::{Change, State, Status};
pub use versions::{Record, VersionError};

use crate::logs::Logs;

/// The port of the daemon.
pub const DEFAULT_PORT: u16 = 4444;
/// How long requests in flight may take when the daemon ends.
const END_LIMIT: Duration = Duration::from_secs(5);

/// The daemon of one home.
pub struct Daemon {
    home: Home,
    port: AtomicU16,
    token: String,
    slots: ArcSwap<BTreeMap<String, Arc<Slot>>>,
    logs: Logs,
    changes: broadcast::Sender<Change>,
    bus: Bus,
    started: Instant,
    _lock: File,
}

/// Why the daemon could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DaemonError {
    /// Another daemon runs for this home.
    #[error("a daemon is running for this home already (process {pid})")]
    Running {
        /// Its process id, as its lock file says.
        pid: String,
    },
    /// The port is taken.
    #[error("port {port} is taken{}", by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default())]
    PortTaken {
        /// The port.
        port: u16,
        /// Who has it, if that can be seen.
        by: Option<String>,
    },
    /// A file or a socket of the home cannot be made.
    #[error("failed to make `{}`", path.display())]
    Files {
        /// What.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The port cannot be listened on.
    #[error("failed to listen on port {port}")]
    Listen {
        /// The port.
        port: u16,
        /// Why not.
        source: io::Error,
    },
}

impl Daemon {
    /// Takes the home: makes its directories, its token, and the lock that makes this its only daemon.
    ///
    /// # Errors
    ///
    /// [`DaemonError::Running`] or [`DaemonError::Files`].
    pub fn open(home: Home) -> Result<Arc<Self>, DaemonError> {
        let failed = |path: PathBuf| move |source| DaemonError::Files { path, source };
        for dir in [home.root().to_owned(), home.run(), home.plugins()] {
            home::make_private_dir(&dir).map_err(failed(dir))?;
        }
        let lock = lock(&home)?;
        let token = make_token(&home).map_err(failed(home.token()))?;
        let logs = Logs::start().map_err(failed(home.run()))?;
        Ok(Arc::new(Self {
            home,
            port: AtomicU16::new(DEFAULT_PORT),
            token,
            slots: ArcSwap::default(),
            logs,
            changes: broadcast::Sender::new(256),
            bus: Bus::new(),
            started: Instant::now(),
            _lock: lock,
        }))
    }

    /// Serves until `stop` resolves, then ends every plugin. Plugins start in the background: nothing waits for them.
    ///
    /// # Errors
    ///
    /// [`DaemonError::Files`] if the home's socket cannot be made.
    pub async fn run(
        self: Arc<Self>,
        server: Server,
        stop: impl Future<Output = ()>,
    ) -> Result<(), DaemonError> {
        self.port.store(server.port(), Ordering::SeqCst);
        let socket = self.home.socket();
        let admin = socket::Listener::bind(&socket).map_err(|source| DaemonError::Files {
            path: socket,
            source,
        })?;
        let admin = tokio::spawn(admin.serve(self.clone()));
        self.start_installed();
        let front = Arc::new(http::Front::new(self.clone()));
        server.serve(front, stop, END_LIMIT).await;
        admin.abort();
        let slots = self.slots();
        join_all(slots.iter().map(async |slot| {
            let _turn = slot.turn.lock().await;
            self.stop(slot, "shutdown").await;
        }))
        .await;
        // The files of a daemon that has ended are in nobody's way.
        _ = fs::remove_file(self.home.socket());
        Ok(())
    }

    /// The home.
    pub const fn home(&self) -> &Home {
        &self.home
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port.load(Ordering::SeqCst)
    }

    /// All plugins, by name.
    pub fn slots(&self) -> Vec<Arc<Slot>> {
        self.slots.load().values().cloned().collect()
    }

    /// One plugin.
    pub fn slot(&self, name: &str) -> Option<Arc<Slot>> {
        self.slots.load().get(name).cloned()
    }

    /// Hears every change of a plugin's state from now on.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// What carries facts and hopes between the plugins.
    pub(crate) const fn bus(&self) -> &Bus {
        &self.bus
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) const fn logs(&self) -> &Logs {
        &self.logs
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn tell(&self, change: Change) {
        // Nobody may be listening.
        _ = self.changes.send(change);
    }

    pub(crate) fn slot_or_new(&self, name: &PluginName) -> Arc<Slot> {
        if let Some(slot) = self.slot(name.as_str()) {
            return slot;
        }
        let fresh = Slot::new(name.clone(), self.home.plugin(name));
        self.slots.rcu(|slots| {
            let mut slots = BTreeMap::clone(slots);
            slots
                .entry(name.to_string())
                .or_insert_with(|| fresh.clone());
            slots
        });
        self.slot(name.as_str()).unwrap_or(fresh)
    }

    pub(crate) fn remove_slot(&self, name: &PluginName) {
        self.slots.rcu(|slots| {
            let mut slots = BTreeMap::clone(slots);
            slots.remove(name.as_str());
            slots
        });
    }

    /// Starts every installed plugin, each in a task of its own.
    fn start_installed(self: &Arc<Self>) {
        let Ok(entries) = fs::read_dir(self.home.plugins()) else {
            return;
        };
        for entry in entries.flatten() {
            let Some(name) = entry
                .file_name()
                .to_str()
                .and_then(|name| PluginName::parse(name).ok())
            else {
                continue;
            };
            let home = self.home.plugin(&name);
            match versions::read_record(&home) {
                Ok(record) if record.active.is_none() => continue,
                _ => {}
            }
            let slot = self.slot_or_new(&name);
            let daemon = self.clone();
            tokio::spawn(async move {
                if let Err(error) = daemon.reload(slot.name.as_str(), "start").await
                    && !matches!(slot.status().state, State::Failed | State::Refused)
                {
                    slot.set_status(Status::now(State::Failed, Some(error.to_string())));
                }
            });
        }
    }
}

/// Listens on `port`, or on the next free one if `or_next`.
///
/// # Errors
///
/// [`DaemonError::PortTaken`], naming who has it if that can be seen; [`DaemonError::Listen`].
pub async fn listen(port: u16, or_next: bool) -> Result<Server, DaemonError> {
    let mut wanted = port;
    loop {
        match Server::bind(wanted).await {
            Ok(server) => return Ok(server),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                if !or_next || wanted.wrapping_sub(port) > 100 {
                    return Err(DaemonError::PortTaken {
                        port: wanted,
                        by: holder_of(wanted),
                    });
                }
                wanted = wanted.wrapping_add(1).max(1024);
            }
            Err(source) => {
                return Err(DaemonError::Listen {
                    port: wanted,
                    source,
                });
            }
        }
    }
}

fn lock(home: &Home) -> Result<File, DaemonError> {
    let path = home.lock();
    let failed = |source| DaemonError::Files {
        path: path.clone(),
        source,
    };
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            file.read_to_string(&mut pid).map_err(failed)?;
            return Err(DaemonError::Running {
                pid: pid.trim().to_owned(),
            });
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    file.set_len(0).map_err(failed)?;
    write!(file, "{}", std::process::id()).map_err(failed)?;
    Ok(file)
}

/// A new token for each start, in a file that only its owner reads.
fn make_token(home: &Home) -> io::Result<String> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let path = home.token();
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    file.write_all(token.as_bytes())?;
    Ok(token)
}
