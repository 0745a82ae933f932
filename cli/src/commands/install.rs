//! `hecate install FILE`.
#![expect(
    clippy::disallowed_methods,
    reason = "reads the bundle that the user names"
)]

use std::fs;
use std::path::PathBuf;

use http::Method;
use serde_json::Value;

use crate::client;
use crate::context::Context;
use crate::error::CliError;

/// Install a bundle into the running daemon
#[derive(Debug, clap::Args)]
pub(crate) struct InstallArgs {
    /// The bundle, as `hecate bundle` writes it
    file: PathBuf,
    /// Install a bundle that nobody trusted here has signed
    #[arg(long)]
    allow_unsigned: bool,
}

pub(crate) fn run(args: &InstallArgs, cx: &Context) -> Result<(), CliError> {
    let path = cx.dir().join(&args.file);
    let bundle = fs::read(&path).map_err(|error| {
        CliError::because(format!("failed to read `{}`", args.file.display()), error)
    })?;
    let installed = send(cx, bundle, args.allow_unsigned)?;
    show(cx, &installed);
    cx.printer().json("installed", installed);
    Ok(())
}

/// Hands a packed bundle to the daemon.
pub(crate) fn send(cx: &Context, bundle: Vec<u8>, allow_unsigned: bool) -> Result<Value, CliError> {
    client::ask(
        cx,
        Method::POST,
        &format!("/api/plugins?allow_unsigned={allow_unsigned}"),
        bundle,
    )
}

fn show(cx: &Context, installed: &Value) {
    let text = |field: &str| installed[field].as_str().unwrap_or_default().to_owned();
    let (name, version) = (text("name"), text("version"));
    let replaced = match installed["replaced"].as_str() {
        Some(replaced) => format!(", in place of {replaced}"),
        None => String::new(),
    };
    cx.printer()
        .result(&format!("installed {name} {version}{replaced}"));
    cx.printer().result(&text("url"));
}
