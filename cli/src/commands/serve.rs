//! `hecate serve`: the daemon in the foreground, or one bundle alone.

use std::path::PathBuf;

use hecate_daemon::{Daemon, DaemonError};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::client::runtime;
use crate::context::Context;
use crate::error::CliError;

/// Start the daemon, or serve one bundle alone
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// A bundle to serve alone, without a daemon
    bundle: Option<PathBuf>,
    /// Serve a bundle that nobody trusted here has signed
    #[arg(long, requires = "bundle")]
    allow_unsigned: bool,
}

pub(crate) fn run(args: &ServeArgs, cx: &Context) -> Result<(), CliError> {
    if let Some(bundle) = &args.bundle {
        return super::serve_bundle::run(bundle, args.allow_unsigned, cx);
    }
    runtime()?.block_on(async {
        let daemon = Daemon::open(cx.home().clone()).map_err(not_started)?;
        let server = hecate_daemon::listen(cx.port(), false)
            .await
            .map_err(not_started)?;
        say_where(cx, server.port());
        daemon.run(server, stopped()?).await.map_err(not_started)
    })
}

/// Prints the address, for people and for programs that wait for it.
pub(crate) fn say_where(cx: &Context, port: u16) {
    let url = format!("http://localhost:{port}");
    cx.printer().result(&format!("Hecate serves at {url}"));
    cx.printer().json(
        "serve",
        json!({"url": url, "port": port, "home": cx.home().root()}),
    );
}

/// Resolves when the process is asked to end.
pub(crate) fn stopped() -> Result<impl Future<Output = ()>, CliError> {
    let listen = |kind| {
        signal(kind).map_err(|error| CliError::because("signals cannot be listened for", error))
    };
    let (mut interrupt, mut terminate) = (
        listen(SignalKind::interrupt())?,
        listen(SignalKind::terminate())?,
    );
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

pub(crate) fn not_started(error: DaemonError) -> CliError {
    let hint = match &error {
        DaemonError::Running { pid } => Some(format!(
            "use it (`hecate ps`), end it (`kill {pid}`), or name another home with `--home DIR`"
        )),
        DaemonError::PortTaken { port, .. } => Some(format!(
            "free it, or take another one: `--port {}`",
            port.wrapping_add(1)
        )),
        _ => None,
    };
    let mut shown = CliError::cannot(error.to_string());
    if let DaemonError::Files { source, .. } | DaemonError::Listen { source, .. } = &error {
        shown = shown.way_out_of(source);
    }
    if let Some(hint) = hint {
        shown = shown.hint(hint);
    }
    shown.caused_by(error)
}
