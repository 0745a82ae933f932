//! A daemon of the sandbox's home, ended with the test.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::Sandbox;

/// A running `hecate serve`; what it logs goes to `daemon.log` in the sandbox.
pub(crate) struct Daemon {
    child: Child,
    pub(crate) port: u16,
}

impl Daemon {
    /// Starts it and waits until it says where it serves.
    pub(crate) fn start(sandbox: &Sandbox) -> Self {
        Self::serve(sandbox, &["serve"])
    }

    /// Starts a serving command and waits until it says where.
    pub(crate) fn serve(sandbox: &Sandbox, args: &[&str]) -> Self {
        Self::of(sandbox, sandbox.command_in("", args))
    }

    /// Starts a serving command of any kind and waits until it says where.
    pub(crate) fn of(sandbox: &Sandbox, mut command: Command) -> Self {
        let mut log = File::options();
        let log = log.create(true).append(true);
        let log = log.open(sandbox.path("daemon.log")).unwrap();
        command.stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let mut said = String::new();
        let stdout = child.stdout.take().unwrap();
        let mut stdout = BufReader::new(stdout);
        while !said.contains("http://localhost:") {
            let read = stdout.read_line(&mut said).unwrap();
            let log = || fs::read_to_string(sandbox.path("daemon.log")).unwrap_or_default();
            assert!(read > 0, "the daemon ended: {said}{}", log());
        }
        // Read on: a full pipe would stop it.
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).for_each(drop));
        Self {
            child,
            port: sandbox.port(),
        }
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a user does, and waits for its end.
    pub(crate) fn stop(mut self) -> i32 {
        self.terminate();
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn terminate(&self) {
        // The standard library sends SIGKILL only.
        let kill = format!("kill -TERM {}", self.child.id());
        Command::new("sh").args(["-c", &kill]).status().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.terminate();
            // Nothing is left to do if it cannot be waited for.
            _ = self.child.wait();
        }
    }
}
