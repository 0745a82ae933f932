//! Where we are and how to speak: what every verb gets.
#![expect(
    clippy::disallowed_methods,
    reason = "the one place that asks for directory and environment"
)]

use std::env;
use std::io::{IsTerminal, stderr, stdin};
use std::path::{Path, PathBuf};

use hecate_daemon::{DEFAULT_PORT, Home};

use crate::error::CliError;
use crate::printer::{PrintArgs, Printer};

/// What every verb takes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct GlobalArgs {
    /// Directory of the plugin, instead of the current one
    #[arg(long, global = true, value_name = "DIR")]
    project: Option<PathBuf>,
    /// Directory of plugins, keys and daemon, instead of `~/.hecate`
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "HECATE_HOME",
        hide_env_values = true
    )]
    home: Option<PathBuf>,
    /// Port of the daemon
    #[arg(long, global = true, value_name = "PORT", default_value_t = DEFAULT_PORT)]
    port: u16,
    #[command(flatten)]
    pub(crate) printing: PrintArgs,
}

/// Where we are and how to speak.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    dir: PathBuf,
    home: Home,
    port: u16,
    printer: Printer,
    interactive: bool,
    /// Whether what is generated is compiled at once.
    verifies: bool,
    /// This very program.
    program: PathBuf,
}

impl Context {
    pub(crate) fn new(args: &GlobalArgs) -> Result<Self, CliError> {
        let current = env::current_dir()
            .map_err(|error| CliError::because("there is no current directory", error))?;
        let dir = args
            .project
            .as_ref()
            .map_or_else(|| current.clone(), |project| current.join(project));
        let home = match &args.home {
            Some(home) if !home.as_os_str().is_empty() => current.join(home),
            _ => env::home_dir()
                .ok_or_else(|| {
                    CliError::cannot("there is no home directory")
                        .hint("name one with `--home DIR`")
                })?
                .join(".hecate"),
        };
        let printer = Printer::new(&args.printing);
        let interactive = stdin().is_terminal() && stderr().is_terminal() && !printer.is_json();
        let program = env::current_exe().unwrap_or_else(|_| "hecate".into());
        Ok(Self {
            program,
            dir,
            home: Home::new(home),
            port: args.port,
            printer,
            interactive,
            verifies: false,
        })
    }

    /// The same, with results as JSON.
    #[must_use]
    pub(crate) fn with_json(self) -> Self {
        Self {
            printer: self.printer.with_json(),
            interactive: false,
            ..self
        }
    }

    /// The same, saying nothing but errors.
    #[must_use]
    pub(crate) fn silent(self) -> Self {
        Self {
            printer: self.printer.silent(),
            interactive: false,
            ..self
        }
    }

    /// The same, and what is generated is compiled at once, unless told otherwise.
    #[must_use]
    pub(crate) fn verifying(self, verifies: bool) -> Self {
        Self { verifies, ..self }
    }

    /// The same, with progress but without results.
    #[must_use]
    pub(crate) fn without_results(self) -> Self {
        Self {
            printer: self.printer.without_results(),
            ..self
        }
    }

    /// The same, in another directory.
    #[must_use]
    pub(crate) fn in_dir(self, dir: PathBuf) -> Self {
        Self { dir, ..self }
    }

    /// The directory to work in.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// This very program, as somebody can call it from anywhere.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// The home of plugins, keys and daemon.
    pub(crate) const fn home(&self) -> &Home {
        &self.home
    }

    /// The day, in UTC: `2026-01-02`. `HECATE_TIMESTAMP` (seconds since 1970) stands in for the clock.
    pub(crate) fn today(&self) -> String {
        let given = env::var("HECATE_TIMESTAMP").ok();
        let given = given.and_then(|seconds| seconds.parse().ok());
        let now = given.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        let now = now.unwrap_or_else(jiff::Timestamp::now);
        now.strftime("%Y-%m-%d").to_string()
    }

    /// The daemon's port.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// How to speak.
    pub(crate) const fn printer(&self) -> Printer {
        self.printer
    }

    /// Whether what is generated is compiled at once.
    pub(crate) const fn verifies(&self) -> bool {
        self.verifies
    }

    /// Whether somebody is there to answer.
    pub(crate) const fn is_interactive(&self) -> bool {
        self.interactive
    }
}
