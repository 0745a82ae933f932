//! `hecate ps`.

use http::Method;
use serde_json::Value;

use crate::client;
use crate::context::Context;
use crate::error::CliError;

/// List the installed plugins and how they are
#[derive(Debug, clap::Args)]
pub(crate) struct PsArgs {}

pub(crate) fn run(_: &PsArgs, cx: &Context) -> Result<(), CliError> {
    let answer = client::ask(cx, Method::GET, "/api/plugins", "")?;
    let plugins = answer["plugins"].as_array().cloned().unwrap_or_default();
    if plugins.is_empty() {
        cx.printer().result("no plugins are installed");
    }
    let rows: Vec<[String; 4]> = plugins.iter().map(row).collect();
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or_default()
    };
    let (name, version, state) = (width(0), width(1), width(2));
    for [its_name, its_version, its_state, url] in &rows {
        let line = format!("{its_name:name$}  {its_version:version$}  {its_state:state$}  {url}");
        cx.printer().result(line.trim_end());
    }
    cx.printer().json("plugins", answer);
    Ok(())
}

fn row(plugin: &Value) -> [String; 4] {
    let text = |field: &str| plugin[field].as_str().unwrap_or_default();
    let last = match plugin["reason"].as_str() {
        Some(reason) => reason.to_owned(),
        None => text("url").to_owned(),
    };
    [
        text("name").to_owned(),
        text("version").to_owned(),
        text("state").replace('_', " "),
        last,
    ]
}
