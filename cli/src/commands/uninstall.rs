//! `hecate uninstall NAME`.

use http::Method;

use crate::client;
use crate::context::Context;
use crate::error::CliError;

/// Stop a plugin and remove it
#[derive(Debug, clap::Args)]
pub(crate) struct UninstallArgs {
    /// The plugin
    name: String,
    /// Remove its data too: events, read models, files
    #[arg(long)]
    data: bool,
}

pub(crate) fn run(args: &UninstallArgs, cx: &Context) -> Result<(), CliError> {
    let answer = client::ask(
        cx,
        Method::DELETE,
        &format!("/api/plugins/{}?data={}", args.name, args.data),
        "",
    )?;
    let kept = if args.data {
        "with its data"
    } else {
        "its data is kept"
    };
    cx.printer()
        .result(&format!("uninstalled {}, {kept}", args.name));
    cx.printer().json("uninstalled", answer);
    Ok(())
}
