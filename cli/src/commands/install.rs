//! `hecate install FILE`.
#![expect(
    clippy::disallowed_methods,
    reason = "reads the bundle that the user names"
)]

use std::fs;
use std::path::{Path, PathBuf};

use hecate_manifest::bundle::Limits;
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
    let bundle = read_bundle(&path, &args.file)?;
    let installed = send(cx, bundle, args.allow_unsigned)
        .map_err(|error| error.against(format!("`{}` is not installed", args.file.display())))?;
    show(cx, &installed);
    cx.printer().json("installed", installed);
    Ok(())
}

/// The bytes of the bundle that the user calls `shown`.
pub(super) fn read_bundle(path: &Path, shown: &Path) -> Result<Vec<u8>, CliError> {
    let shown = shown.display();
    if path.is_dir() {
        return Err(
            CliError::cannot(format!("`{shown}` is a directory, not a bundle")).hint(format!(
                "a project is bundled first: `hecate bundle --project {shown}`"
            )),
        );
    }
    let most = Limits::default().packed_bytes;
    let size = fs::metadata(path).map_or(0, |metadata| metadata.len());
    if size > most {
        return Err(CliError::cannot(format!(
            "`{shown}` has {size} bytes, and a bundle has at most {most}"
        ))
        .hint("is it a bundle? `hecate bundle` makes one in `target/bundle`"));
    }
    fs::read(path).map_err(|error| {
        CliError::because(format!("failed to read `{shown}`"), error)
            .hint("`hecate bundle` makes one in `target/bundle`")
    })
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
