//! Where everything lies: `$HECATE_HOME`.
//!
//! ```text
//! plugins/{name}/plugin.json        which version runs, and the epoch of its stores
//! plugins/{name}/versions/{digest}/ bundles as installed, never changed
//! plugins/{name}/data/              what the plugin keeps
//! plugins/{name}/run/plugin.log     what it logged
//! keys/                             the home's own key, and those it trusts
//! run/                              socket, token, lock and log of the running daemon
//! ```

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use hecate_manifest::PluginName;

/// The home directory of one user's Hecate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
}

impl Home {
    /// The home at `root`, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The home's own key, and those it trusts.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// What the running daemon needs.
    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// The daemon's own socket: who may connect to it may do everything.
    pub fn socket(&self) -> PathBuf {
        self.run().join("daemon.sock")
    }

    /// The token for admin calls over TCP.
    pub fn token(&self) -> PathBuf {
        self.run().join("token")
    }

    /// Held by the daemon of this home.
    pub fn lock(&self) -> PathBuf {
        self.run().join("daemon.lock")
    }

    /// What builds may share, and anybody may delete.
    pub fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// All plugins.
    pub fn plugins(&self) -> PathBuf {
        self.root.join("plugins")
    }

    /// One plugin.
    pub fn plugin(&self, name: &PluginName) -> PluginHome {
        PluginHome {
            root: self.plugins().join(name.as_str()),
        }
    }
}

/// The directory of one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginHome {
    root: PathBuf,
}

impl PluginHome {
    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What the plugin keeps.
    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// Bundles as installed.
    pub fn versions(&self) -> PathBuf {
        self.root.join("versions")
    }

    /// One of them.
    pub fn version(&self, digest: &str) -> PathBuf {
        self.versions().join(digest)
    }

    /// Which version runs.
    pub fn record(&self) -> PathBuf {
        self.root.join("plugin.json")
    }

    /// What it logged.
    pub fn log(&self) -> PathBuf {
        self.root.join("run/plugin.log")
    }
}

/// Makes a directory that only its owner can look into, with those above it.
///
/// # Errors
///
/// The system's. A directory that is there is none.
pub(crate) fn make_private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Replaces a file so that a crash leaves the old contents or the new.
///
/// # Errors
///
/// The system's; the old contents are still there.
pub(crate) fn write_durably(path: &Path, contents: &[u8]) -> io::Result<()> {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    // One name is enough: a file has one writer, and what a crash left is written over.
    let draft = dir.join(format!(".{}.new", name.display()));
    let write = || {
        let mut file = File::create(&draft)?;
        file.write_all(contents)?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    if let Err(error) = write() {
        // Half a draft is nobody's.
        _ = fs::remove_file(&draft);
        return Err(error);
    }
    sync_dir(dir)
}

/// Makes renames in `dir` survive a crash.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Syncs every file and directory below `dir`.
pub(crate) fn sync_tree(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        } else {
            File::open(entry.path())?.sync_all()?;
        }
    }
    sync_dir(dir)
}
