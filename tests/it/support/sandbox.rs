//! A directory in which one test lives: its projects, its home, its environment.

use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Run;

/// A directory of its own, removed when the test is over.
pub(crate) struct Sandbox {
    root: PathBuf,
    port: u16,
    /// Removes the directory with the sandbox.
    _dir: Option<tempfile::TempDir>,
}

/// The checkout that is tested.
pub(crate) fn checkout() -> PathBuf {
    let cli = Path::new(env!("CARGO_MANIFEST_DIR"));
    cli.parent().unwrap().to_owned()
}

/// Where generated projects are built. It is the workspace's own: what is compiled for one is there for the others.
pub(crate) fn target_dir() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_hecate"));
    binary.ancestors().nth(2).unwrap().to_owned()
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("hecate-")
            .tempdir()
            .unwrap();
        Self::at(dir.path().to_owned(), Some(dir))
    }

    /// A directory that stays when the tests are over, and is made anew when they begin.
    pub(crate) fn lasting(name: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if root.exists() {
            fs::remove_dir_all(&root).unwrap();
        }
        Self::at(root, None)
    }

    fn at(root: PathBuf, dir: Option<tempfile::TempDir>) -> Self {
        let sandbox = Self {
            root,
            port: free_port(),
            _dir: dir,
        };
        fs::create_dir_all(sandbox.home().join("cache")).unwrap();
        // Bundles are built where all else is; without it each home would compile SQLite anew.
        symlink(target_dir(), sandbox.home().join("cache/build")).unwrap();
        sandbox
    }

    /// The directory that commands run in.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path below [`root`](Self::root).
    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root().join(path)
    }

    /// `$HECATE_HOME`.
    pub(crate) fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// A port that nobody listened on when the sandbox was made; commands are told it.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Writes a file and the directories that it lies in.
    pub(crate) fn write(&self, path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        path
    }

    /// A program in the sandbox's environment: nothing of the tester's own but where Rust lies.
    pub(crate) fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .stdin(Stdio::null())
            .current_dir(self.root());
        for kept in [
            "PATH",
            "CARGO_HOME",
            "RUSTUP_HOME",
            "RUSTUP_TOOLCHAIN",
            "TMPDIR",
        ] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        let cargo_home = std::env::home_dir().unwrap().join(".cargo");
        if std::env::var_os("CARGO_HOME").is_none() {
            command.env("CARGO_HOME", cargo_home);
        }
        if std::env::var_os("RUSTUP_HOME").is_none() {
            command.env("RUSTUP_HOME", std::env::home_dir().unwrap().join(".rustup"));
        }
        command
            .env("HOME", self.path("user"))
            .env("HECATE_HOME", self.home())
            .env("NO_COLOR", "1")
            .env("CARGO_TERM_COLOR", "never")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            // Most tests look at what was written, and those that compile it do so once.
            .env("HECATE_NO_VERIFY", "1");
        command
    }

    /// `hecate` in `dir` (below the root), with the sandbox's port.
    pub(crate) fn command_in(&self, dir: impl AsRef<Path>, args: &[&str]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_hecate"));
        command.current_dir(self.path(dir)).args(args);
        command.args(["--port", &self.port.to_string()]);
        command
    }

    /// Runs `hecate` in `dir` to its end; `line` is split at blanks.
    pub(crate) fn hecate_in(&self, dir: impl AsRef<Path>, line: &str) -> Run {
        let args: Vec<_> = line.split_whitespace().collect();
        Run::of(&mut self.command_in(dir, &args), self)
    }

    /// Runs `hecate` in the sandbox's root to its end.
    pub(crate) fn hecate(&self, line: &str) -> Run {
        self.hecate_in("", line)
    }

    /// `text` without what differs from run to run.
    pub(crate) fn neutral(&self, text: &str) -> String {
        let root = self.root().display().to_string();
        let checkout = checkout().display().to_string();
        let port = format!(":{}", self.port);
        text.replace(&root, "[ROOT]")
            .replace(&checkout, "[CHECKOUT]")
            .replace(&port, ":[PORT]")
            .replace(&format!("port {}", self.port), "port [PORT]")
    }
}

fn free_port() -> u16 {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    taken.local_addr().unwrap().port()
}
