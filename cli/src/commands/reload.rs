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
    let name = client::plugin_called(&args.name)?;
    let answer = client::ask(cx, Method::POST, &format!("/api/plugins/{name}/reload"), "")?;
    cx.printer().result(&format!("reloaded {name}"));
    cx.printer().json("reloaded", answer);
    Ok(())
}
