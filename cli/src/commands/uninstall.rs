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
    let name = client::plugin_called(&args.name)?;
    let answer = client::ask(
        cx,
        Method::DELETE,
        &format!("/api/plugins/{name}?data={}", args.data),
        "",
    )?;
    let kept = if args.data {
        "with its data"
    } else {
        "its data is kept"
    };
    cx.printer().result(&format!("uninstalled {name}, {kept}"));
    cx.printer().json("uninstalled", answer);
    Ok(())
}
