//! The `hecate` of this checkout, built for release, and how it is run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The built command.
#[derive(Debug, Clone)]
pub(crate) struct Hecate {
    program: PathBuf,
    home: PathBuf,
}

impl Hecate {
    /// Builds it, or finds it built: beside this very program. It will live in `home`.
    pub(crate) fn build(home: PathBuf) -> Result<Self> {
        crate::progress("building hecate");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build
            .current_dir(root())
            .args(["build", "--release", "--locked", "--quiet"]);
        build
            .args(["--package", "hecate-cli", "--target-dir"])
            .arg(target_dir()?);
        run(&mut build)?;
        Ok(Self {
            program: target_dir()?.join("release/hecate"),
            home,
        })
    }

    /// The command in `dir`, with nothing of the user's environment but where Rust lies.
    pub(crate) fn command<S: AsRef<OsStr>>(
        &self,
        dir: &Path,
        args: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(dir).args(args).env_clear();
        for kept in ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "TMPDIR"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command
            .env("HECATE_HOME", &self.home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }
}

/// Runs `command` to its end, which must be a good one.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("failed to run {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

/// The directory that this program was built in.
pub(crate) fn target_dir() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let dir = program
        .ancestors()
        .nth(2)
        .context("this program lies in no target directory")?;
    Ok(dir.to_owned())
}

/// Where the sources lie.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
