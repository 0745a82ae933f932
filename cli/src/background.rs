//! A daemon for as long as a command runs: the one that runs already, or one in this process.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use hecate_daemon::{Daemon, listen};
use http::Method;
use tokio::sync::oneshot;

use crate::client::{self, is_running, runtime};
use crate::commands::serve::not_started;
use crate::context::Context;
use crate::error::CliError;

/// How long a daemon in this process may take to answer.
const STARTS_WITHIN: Duration = Duration::from_secs(10);

/// A daemon that can be asked.
pub(crate) struct Background {
    port: u16,
    own: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Background {
    /// The daemon of the context's home. If none runs, one is started here, on the port that is wanted or the next free
    /// one.
    pub(crate) fn ensure(cx: &Context) -> Result<Self, CliError> {
        if is_running(cx) {
            return Ok(Self {
                port: running_port(cx)?,
                own: None,
            });
        }
        let runtime = runtime()?;
        let log = cx.home().run().join("daemon.log");
        hecate_daemon::log_to(&log).map_err(|error| {
            CliError::because(format!("failed to write `{}`", log.display()), error)
        })?;
        let daemon = Daemon::open(cx.home().clone()).map_err(not_started)?;
        let server = runtime
            .block_on(listen(cx.port(), true))
            .map_err(not_started)?;
        let port = server.port();
        if port != cx.port() {
            let holder = hecate_daemon::holder_of(cx.port())
                .map(|holder| format!(" by {holder}"))
                .unwrap_or_default();
            cx.printer().note(&format!(
                "port {} is taken{holder}; serving on {port}",
                cx.port()
            ));
        }
        let (stop, stopped) = oneshot::channel::<()>();
        let printer = cx.printer();
        let thread = thread::spawn(move || {
            let ended = runtime.block_on(daemon.run(server, async { _ = stopped.await }));
            if let Err(error) = ended {
                printer.error(&not_started(error));
            }
        });
        let background = Self {
            port,
            own: Some((stop, thread)),
        };
        let mut waited = Duration::ZERO;
        while !is_running(cx) {
            if waited > STARTS_WITHIN {
                return Err(CliError::cannot("the daemon does not answer"));
            }
            thread::sleep(Duration::from_millis(10));
            waited += Duration::from_millis(10);
        }
        Ok(background)
    }

    /// The port that it serves on.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.own.take() {
            // An error means that it has ended already.
            _ = stop.send(());
            _ = thread.join();
        }
    }
}

fn running_port(cx: &Context) -> Result<u16, CliError> {
    let health = client::ask(cx, Method::GET, "/health", "")?;
    let port = health["port"]
        .as_u64()
        .and_then(|port| u16::try_from(port).ok());
    port.ok_or_else(|| {
        CliError::cannot("the running daemon does not say its port: is it of another version?")
    })
}
