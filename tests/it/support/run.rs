//! What a command answered.

use std::fmt;
use std::process::Command;

use serde_json::Value;

use super::Sandbox;

/// The end of a command: exit code and what it printed, without what differs from run to run.
#[must_use]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Runs `command` to its end.
    pub(crate) fn of(command: &mut Command, sandbox: &Sandbox) -> Self {
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| sandbox.neutral(&String::from_utf8_lossy(bytes));
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// The run, which must have succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.code(0)
    }

    /// The run, which must have ended with `code`.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// What it printed with `--json`: one value alone on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            code,
            stdout,
            stderr,
        } = self;
        write!(f, "exit {code}")?;
        for text in [stdout, stderr] {
            let text = text.trim_end();
            if !text.is_empty() {
                write!(f, "\n{text}")?;
            }
        }
        Ok(())
    }
}
