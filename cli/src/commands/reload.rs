//! `hecate reload NAME`.

use http::Method;

use crate::client;
use crate::context::Context;
use crate::error::CliError;

/// Start a plugin anew
#[derive(Debug, clap::Args)]
pub(crate) struct ReloadArgs {
    /// The plugin
    name: String,
}

pub(crate) fn run(args: &ReloadArgs, cx: &Context) -> Result<(), CliError> {
    let answer = client::ask(
        cx,
        Method::POST,
        &format!("/api/plugins/{}/reload", args.name),
        "",
    )?;
    cx.printer().result(&format!("reloaded {}", args.name));
    cx.printer().json("reloaded", answer);
    Ok(())
}
