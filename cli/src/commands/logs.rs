//! `hecate logs NAME`.

use std::thread;
use std::time::Duration;

use http::Method;
use serde_json::json;

use crate::client;
use crate::context::Context;
use crate::error::CliError;

/// How often a followed log is looked at.
const FOLLOW_EVERY: Duration = Duration::from_millis(300);

/// Show what a plugin logged
#[derive(Debug, clap::Args)]
pub(crate) struct LogsArgs {
    /// The plugin
    name: String,
    /// Keep showing what it logs
    #[arg(short, long)]
    follow: bool,
    /// How many lines to begin with
    #[arg(short = 'n', long, default_value_t = 100, value_name = "N")]
    lines: usize,
}

pub(crate) fn run(args: &LogsArgs, cx: &Context) -> Result<(), CliError> {
    let name = client::plugin_called(&args.name)?;
    let mut query = format!("lines={}", args.lines);
    loop {
        let path = format!("/api/plugins/{name}/logs?{query}");
        let answer = client::ask(cx, Method::GET, &path, "")?;
        let text = answer["text"].as_str().unwrap_or_default().trim_end();
        if !text.is_empty() {
            cx.printer().result(text);
        }
        if !text.is_empty() || !args.follow {
            cx.printer()
                .json("logs", json!({"lines": text.lines().collect::<Vec<_>>()}));
        }
        if !args.follow {
            return Ok(());
        }
        query = format!("after={}", answer["next"]);
        thread::sleep(FOLLOW_EVERY);
    }
}
