//! Runs other programs: cargo, git, rustfmt, a frontend's own build.
#![expect(
    clippy::disallowed_methods,
    reason = "the one place that starts programs"
)]

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use semver::Version;

use crate::error::CliError;

/// What the SDK needs: the workspace's own `rust-version`.
const NEEDED_RUST: &str = env!("CARGO_PKG_RUST_VERSION");

/// A command for cargo in `dir`: the local patch of a project is found from there only.
pub(crate) fn cargo(dir: &Path) -> Command {
    // Set by a cargo that runs us (`cargo run`): then it is that cargo's own path.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(dir).stdin(Stdio::null());
    // What a surrounding cargo set for its own build is not meant for this one.
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        if name_text.starts_with("CARGO_PKG_")
            || name_text == "CARGO_MANIFEST_DIR"
            || name_text == "RUST_RECURSION_COUNT"
        {
            command.env_remove(&name);
        }
    }
    command
}

/// Where cargo keeps what it downloads.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    match std::env::var_os("CARGO_HOME") {
        Some(home) if !home.is_empty() => Some(home.into()),
        _ => std::env::home_dir().map(|home| home.join(".cargo")),
    }
}

/// The flags that the user gives every compilation.
pub(crate) fn user_rustflags() -> Vec<String> {
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    flags.split_whitespace().map(str::to_owned).collect()
}

/// Checks that there is a cargo that is new enough, and a C compiler for SQLite.
pub(crate) fn check_toolchain(dir: &Path) -> Result<(), CliError> {
    let has = cargo_version(dir)?;
    let needed = Version::parse(NEEDED_RUST).unwrap_or(Version::new(1, 95, 0));
    if has < needed {
        return Err(
            CliError::cannot(format!("cargo is {has}, at least {needed} is needed"))
                .hint("update with `rustup update stable`, and use that toolchain here"),
        );
    }
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    if output(Command::new(&compiler).arg("--version")).is_err() {
        let name = Path::new(&compiler).display().to_string();
        return Err(CliError::cannot(format!("there is no C compiler `{name}`, and SQLite is compiled from C"))
            .hint("install one (Debian: `apt-get install gcc libc6-dev`), or name yours in the variable `CC`"));
    }
    Ok(())
}

fn cargo_version(dir: &Path) -> Result<Version, CliError> {
    let missing = |error: std::io::Error| {
        CliError::because("cargo cannot be run", error).hint("install Rust: https://rustup.rs")
    };
    let output = cargo(dir).arg("--version").output().map_err(missing)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text
        .split_whitespace()
        .nth(1)
        .and_then(|version| Version::parse(version).ok());
    version.ok_or_else(|| {
        CliError::cannot(format!("cargo does not say its version: `{}`", text.trim()))
            .hint("is it Rust's cargo?")
    })
}

/// The target triple that rustc builds for here.
pub(crate) fn host_target() -> Result<String, CliError> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = output(Command::new(rustc).arg("-vV"))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| CliError::cannot("rustc does not say which machine it builds for"))
}

/// What git says in `dir`, or nothing if there is no repository, or no git.
pub(crate) fn git(dir: &Path, args: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command.current_dir(dir).args(args).stdin(Stdio::null());
    output(&mut command).ok()
}

/// Whether git would have something to commit in `dir`.
pub(crate) fn is_dirty(dir: &Path) -> bool {
    let changes = git(dir, &["status", "--porcelain", "--", "."]);
    changes.is_some_and(|changes| !changes.trim().is_empty())
}

/// Formats Rust source, or gives `None` if there is no rustfmt here.
///
/// # Errors
///
/// What rustfmt says, if the source is not Rust.
pub(crate) fn rustfmt(source: &str) -> Option<Result<String, String>> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout", "--quiet"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let mut input = child.stdin.take()?;
    let source = source.to_owned();
    // Written from a thread: a full pipe on either side would stop both.
    let writing = std::thread::spawn(move || input.write_all(source.as_bytes()));
    let output = child.wait_with_output().ok()?;
    writing.join().ok()?.ok()?;
    // A rustup proxy without the component starts, and fails.
    if output.stdout.is_empty()
        && String::from_utf8_lossy(&output.stderr).contains("is not installed")
    {
        return None;
    }
    Some(if output.status.success() {
        String::from_utf8(output.stdout).map_err(|error| error.to_string())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    })
}

/// Runs a frontend's build command in a shell; its output goes to stderr.
pub(crate) fn shell(dir: &Path, command: &str) -> Result<(), CliError> {
    let mut child = Command::new("sh");
    child
        .current_dir(dir)
        .arg("-c")
        .arg(command)
        .stdin(Stdio::null())
        .stdout(std::io::stderr());
    let status = child
        .status()
        .map_err(|error| CliError::because(format!("failed to run `{command}`"), error))?;
    if status.success() {
        return Ok(());
    }
    // What a shell says of a program that it does not find.
    if status.code() == Some(127) {
        return Err(CliError::cannot(format!(
            "the frontend's build `{command}` needs a program that is not here"
        ))
        .hint("the shell names it above; `npm` comes with Node.js, 20.19 or newer: https://nodejs.org"));
    }
    Err(CliError::cannot(format!(
        "the frontend's build `{command}` failed ({status})"
    ))
    .hint("its own messages are above; the command stands in `hecate.toml`"))
}

/// Runs a command to its end, and gives what it printed.
fn output(command: &mut Command) -> Result<String, CliError> {
    let shown = program(command.get_program());
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .map_err(|error| CliError::because(format!("failed to run `{shown}`"), error))?;
    if !status.success() {
        let stderr = String::from_utf8_lossy(&stderr);
        return Err(CliError::cannot(format!(
            "`{shown}` failed ({status}): {}",
            stderr.trim()
        )));
    }
    Ok(String::from_utf8_lossy(&stdout).into_owned())
}

fn program(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}
