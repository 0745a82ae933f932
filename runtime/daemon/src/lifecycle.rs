//! What happens to plugins: install, start, swap, reload, uninstall. One change at a time for each plugin.
//!
//! A swap keeps the order that loses nothing: the new generation starts beside the old without a store; requests are
//! held; the old one finishes, closes its stores and confirms; the epoch rises and the new one opens them; the route
//! flips and the held requests go on. If any step fails the old one opens its stores again and serves on.

use std::path::PathBuf;
use std::sync::{Arc, Weak};

use hecate_manifest::PluginName;
use hecate_manifest::control::Sample;
use hecate_runtime::ControlError;

use crate::Daemon;
use crate::admission::{self, NotAdmitted, Trust};
use crate::exchange::PluginPeer;
use crate::generation::{ACQUIRE_LIMIT, Generation, RELEASE_LIMIT, StartError};
use crate::home::PluginHome;
use crate::slot::Slot;
use crate::state::{Change, State, Status};
use crate::versions::{self, Record, VersionError};

/// Why a plugin could not be changed. What served before serves still.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// There is no such plugin.
    #[error("there is no plugin `{0}` here: `hecate ps` lists those that are")]
    Unknown(String),
    /// It may not run here.
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
    /// Its files could not be written or are not what was installed.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// It did not start.
    #[error("`{plugin}` did not start: {source}")]
    Start {
        /// The plugin.
        plugin: PluginName,
        /// Why not.
        source: StartError,
    },
    /// The generation that served did not let go of its stores.
    #[error(
        "the running version of `{plugin}` did not let go of its stores, so it serves on: {reason}"
    )]
    Release {
        /// The plugin.
        plugin: PluginName,
        /// Why not.
        reason: String,
    },
    /// It has no version that could run.
    #[error("`{0}` has no installed version: install its bundle again")]
    NoVersion(PluginName),
}

impl ChangeError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "plugin_unknown",
            Self::NotAdmitted(error) => error.code(),
            Self::Version(error) if error.is_disk_full() => "disk_full",
            Self::Version(_) => "files_failed",
            Self::Start { .. } => "plugin_not_started",
            Self::Release { .. } => "swap_failed",
            Self::NoVersion(_) => "no_version",
        }
    }
}

/// What an installation did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Installed {
    /// The plugin.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Digest of its bundle.
    pub digest: String,
    /// Where it is served.
    pub url: String,
    /// The version that served before, if there was one.
    pub replaced: Option<String>,
}

impl Daemon {
    /// Installs a packed bundle and lets it serve, in place of the version that does.
    ///
    /// # Errors
    ///
    /// [`ChangeError`]; what served before serves still.
    pub async fn install(
        self: &Arc<Self>,
        packed: Vec<u8>,
        trust: Trust,
    ) -> Result<Installed, ChangeError> {
        let home = self.home().clone();
        let admitted = blocking(move || admission::admit(packed.as_slice(), &home, trust)).await?;
        let bundle = admitted.bundle;
        let (name, version, digest) = (
            bundle.manifest.name.clone(),
            bundle.manifest.version.to_string(),
            bundle.digest.clone(),
        );
        let slot = self.slot_or_new(&name);
        let _turn = slot.turn.lock().await;
        let plugin_home = slot.home.clone();
        let placed = blocking(move || versions::place(&plugin_home, &bundle)).await;
        let place = placed.inspect_err(|_| self.forget_if_empty(&slot))?;
        self.announce(&slot, Some(&version), "install", State::Installed, None);
        let replaced = slot
            .current()
            .map(|current| current.info.version.to_string());
        if let Err(error) = self.bring_up(&slot, place, &digest, "install").await {
            let record = versions::read_record(&slot.home).unwrap_or_default();
            let kept = [record.active.as_deref(), record.previous.as_deref()];
            versions::clean(&slot.home, &kept.into_iter().flatten().collect::<Vec<_>>());
            self.forget_if_empty(&slot);
            return Err(error);
        }
        let url = format!("http://localhost:{}/plugin/{name}/", self.port());
        Ok(Installed {
            name: name.to_string(),
            version,
            digest,
            url,
            replaced,
        })
    }

    /// Starts the active version of a plugin anew, in place of the one that runs.
    ///
    /// # Errors
    ///
    /// [`ChangeError`]; what served before serves still.
    pub async fn reload(
        self: &Arc<Self>,
        name: &str,
        cause: &'static str,
    ) -> Result<(), ChangeError> {
        let slot = self
            .slot(name)
            .ok_or_else(|| ChangeError::Unknown(name.to_owned()))?;
        let _turn = slot.turn.lock().await;
        let record = versions::read_record(&slot.home)?;
        let digest = record
            .active
            .ok_or_else(|| ChangeError::NoVersion(slot.name.clone()))?;
        self.bring_up(&slot, slot.home.version(&digest), &digest, cause)
            .await
    }

    /// Stops a plugin and removes it; its data only if `with_data`.
    ///
    /// # Errors
    ///
    /// [`ChangeError`].
    pub async fn uninstall(
        self: &Arc<Self>,
        name: &str,
        with_data: bool,
    ) -> Result<(), ChangeError> {
        let left_behind = || with_data.then(|| self.left_behind(name)).flatten();
        let slot = self.slot(name).or_else(left_behind);
        let slot = slot.ok_or_else(|| ChangeError::Unknown(name.to_owned()))?;
        let _turn = slot.turn.lock().await;
        self.stop(&slot, "uninstall").await;
        let home = slot.home.clone();
        blocking(move || remove(&home, with_data)).await?;
        self.remove_slot(&slot.name);
        Ok(())
    }

    /// A plugin that was removed before, and whose data is still there.
    fn left_behind(&self, name: &str) -> Option<Arc<Slot>> {
        let name = PluginName::parse(name).ok()?;
        let home = self.home().plugin(&name);
        home.root().is_dir().then(|| Slot::new(name, home))
    }

    /// Stops what serves, without touching any file.
    pub(crate) async fn stop(&self, slot: &Slot, cause: &'static str) {
        let gate = slot.close_gate();
        self.bus().leave(slot.name.as_str());
        let (current, draining) = (slot.flip(None), slot.set_draining(None));
        if let Some(current) = &current {
            current.instance().idle(RELEASE_LIMIT).await;
            // Its stores close with it.
            current.end().await;
        }
        if let Some(draining) = draining {
            draining.end().await;
        }
        drop(gate);
        let version = current.map(|current| current.info.version.to_string());
        self.announce(slot, version.as_deref(), cause, State::Stopped, None);
    }

    /// Lets the version at `place` serve. The caller has the slot's turn.
    async fn bring_up(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        place: PathBuf,
        digest: &str,
        cause: &'static str,
    ) -> Result<(), ChangeError> {
        let checked = place.clone();
        let info = match blocking(move || versions::verify(&checked)).await {
            Ok(info) => info,
            Err(error) => {
                self.failed(slot, None, cause, State::Refused, error.to_string());
                return Err(error.into());
            }
        };
        let version = info.version.to_string();
        self.announce(slot, Some(&version), cause, State::Verified, None);
        // At most two generations: an older one that still drains ends now.
        if let Some(oldest) = slot.set_draining(None) {
            oldest.end().await;
        }
        self.announce(slot, Some(&version), cause, State::Starting, None);
        let outcome = match self.start(slot, place, info, digest).await {
            Ok(generation) => self.swap(slot, Arc::new(generation), cause).await,
            Err(source) => Err(ChangeError::Start {
                plugin: slot.name.clone(),
                source,
            }),
        };
        match &outcome {
            Ok(()) => self.announce(slot, Some(&version), cause, State::Ready, None),
            Err(error) => self.failed(
                slot,
                Some(&version),
                cause,
                State::Failed,
                error.to_string(),
            ),
        }
        outcome
    }

    async fn start(
        &self,
        slot: &Arc<Slot>,
        place: PathBuf,
        info: hecate_manifest::bundle::BundleInfo,
        digest: &str,
    ) -> Result<Generation, StartError> {
        let weak: Weak<Slot> = Arc::downgrade(slot);
        let metrics = Arc::new(move |snapshot: &str| {
            if let (Some(slot), Ok(samples)) = (
                weak.upgrade(),
                serde_json::from_str::<Vec<Sample>>(snapshot),
            ) {
                slot.set_metrics(samples);
            }
        });
        let sink = self.logs().sink(slot.home.log(), metrics);
        Generation::start(
            &slot.home,
            place,
            info,
            digest.to_owned(),
            self.port(),
            Box::new(sink),
        )
        .await
    }

    /// The order of the module's head. `new` has started; it opens its stores here.
    async fn swap(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        new: Arc<Generation>,
        cause: &'static str,
    ) -> Result<(), ChangeError> {
        // Written before anything is given up: on a full disk the old one serves on as if nothing had been asked.
        let epochs = match reserve_epochs(slot) {
            Ok(epochs) => epochs,
            Err(error) => {
                new.end().await;
                return Err(error.into());
            }
        };
        let gate = slot.close_gate();
        let old = slot.current();
        // What the bus carries waits, as requests do.
        self.bus().leave(slot.name.as_str());
        if let Some(old) = &old
            && let Err(reason) = release(old).await
        {
            take_back(slot, old, &new, epochs.back).await;
            self.join(old);
            return Err(ChangeError::Release {
                plugin: slot.name.clone(),
                reason,
            });
        }
        if let Err(error) = hand_over(slot, &new, epochs.forth).await {
            match &old {
                Some(old) => {
                    take_back(slot, old, &new, epochs.back).await;
                    self.join(old);
                }
                None => new.end().await,
            }
            return Err(error);
        }
        slot.flip(Some(new.clone()));
        drop(gate);
        self.join(&new);
        let keep = [
            Some(new.digest.as_str()),
            old.as_ref().map(|old| old.digest.as_str()),
        ];
        versions::clean(&slot.home, &keep.into_iter().flatten().collect::<Vec<_>>());
        if let Some(old) = old {
            let version = old.info.version.to_string();
            self.log_change(slot, Some(&version), cause, State::Draining, None);
            slot.set_draining(Some(old.clone()));
            let slot = slot.clone();
            tokio::spawn(async move {
                old.drain().await;
                slot.drained(&old);
            });
        }
        Ok(())
    }

    /// Lets a generation that serves take part in what plugins tell each other.
    fn join(&self, generation: &Generation) {
        if !generation.exchange.is_empty() {
            let peer = PluginPeer::new(generation.info.name.as_str(), generation.instance());
            self.bus().join(Arc::new(peer), generation.exchange.clone());
        }
    }

    /// Says that a version failed: the plugin is `failed`, or `rolled_back` if another one serves.
    fn failed(
        &self,
        slot: &Slot,
        version: Option<&str>,
        cause: &'static str,
        state: State,
        reason: String,
    ) {
        let state = if slot.current().is_some() {
            State::RolledBack
        } else {
            state
        };
        self.announce(slot, version, cause, state, Some(reason));
    }

    /// Sets a plugin's status, logs it and tells listeners.
    fn announce(
        &self,
        slot: &Slot,
        version: Option<&str>,
        cause: &'static str,
        state: State,
        reason: Option<String>,
    ) {
        slot.set_status(Status::now(state, reason.clone()));
        self.log_change(slot, version, cause, state, reason);
    }

    fn log_change(
        &self,
        slot: &Slot,
        version: Option<&str>,
        cause: &'static str,
        state: State,
        reason: Option<String>,
    ) {
        let change = Change {
            plugin: slot.name.to_string(),
            version: version.map(str::to_owned),
            cause,
            status: Status::now(state, reason),
        };
        let level = if matches!(state, State::Failed | State::Refused | State::RolledBack) {
            "error"
        } else {
            "info"
        };
        crate::logs::daemon(
            level,
            "plugin state",
            &serde_json::to_value(&change).unwrap_or_default(),
        );
        self.tell(change);
    }

    /// A plugin whose first installation failed leaves nothing behind.
    fn forget_if_empty(&self, slot: &Slot) {
        let record = versions::read_record(&slot.home).unwrap_or_default();
        if slot.current().is_none() && record.active.is_none() && !slot.home.data().exists() {
            self.remove_slot(&slot.name);
            // Nothing in it is anybody's.
            _ = std::fs::remove_dir_all(slot.home.root());
        }
    }
}

/// The epochs of one swap: there is none to be written when the old generation must take its stores back.
struct Epochs {
    forth: u64,
    back: u64,
}

/// Takes the next two epochs. Written before they are used: an epoch is never given twice.
fn reserve_epochs(slot: &Slot) -> Result<Epochs, VersionError> {
    let mut record = versions::read_record(&slot.home)?;
    let epochs = Epochs {
        forth: record.epoch + 1,
        back: record.epoch + 2,
    };
    record.epoch = epochs.back;
    versions::write_record(&slot.home, &record)?;
    Ok(epochs)
}

/// Lets the new generation open its stores, and records it as the active one.
async fn hand_over(slot: &Slot, new: &Generation, epoch: u64) -> Result<(), ChangeError> {
    let started = |source: ControlError| ChangeError::Start {
        plugin: slot.name.clone(),
        source: source.into(),
    };
    acquire(new, epoch).await.map_err(started)?;
    let mut record = versions::read_record(&slot.home)?;
    if record.active.as_deref() != Some(new.digest.as_str()) {
        let previous = record.active.replace(new.digest.clone());
        versions::write_record(&slot.home, &Record { previous, ..record })?;
    }
    Ok(())
}

async fn acquire(generation: &Generation, epoch: u64) -> Result<(), ControlError> {
    if generation.has_store {
        generation
            .instance()
            .acquire_store(epoch, ACQUIRE_LIMIT)
            .await?;
    }
    Ok(())
}

/// The old generation opens its stores again, after the new one has let go of them.
async fn take_back(slot: &Slot, old: &Generation, new: &Generation, epoch: u64) {
    new.end().await;
    if let Err(error) = acquire(old, epoch).await {
        // It serves what needs no store, and says so in its health.
        let fields = serde_json::json!({"plugin": slot.name, "error": error.to_string()});
        crate::logs::daemon(
            "error",
            "the old version could not open its stores again",
            &fields,
        );
    }
}

async fn release(old: &Generation) -> Result<(), String> {
    if !old.instance().idle(RELEASE_LIMIT).await {
        let working = old.instance().working();
        return Err(format!(
            "{working} requests were not answered within {} s",
            RELEASE_LIMIT.as_secs()
        ));
    }
    if old.has_store {
        old.instance()
            .release_store(RELEASE_LIMIT)
            .await
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Removes the versions of a plugin, or all of it. With the data stays the epoch of its stores: a plugin that is
/// installed again must write in a later one.
fn remove(home: &PluginHome, with_data: bool) -> Result<(), VersionError> {
    let path = if with_data {
        home.root().to_owned()
    } else {
        let record = Record {
            epoch: versions::read_record(home)?.epoch,
            ..Record::default()
        };
        versions::write_record(home, &record)?;
        home.versions()
    };
    match std::fs::remove_dir_all(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(VersionError::Write { path, source })
        }
        _ => Ok(()),
    }
}

/// Runs what blocks on the disk where it may.
async fn blocking<T, F>(work: F) -> T
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
