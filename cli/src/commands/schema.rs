//! `hecate schema gen …`.

use crate::context::Context;
use crate::error::CliError;
use crate::requests;

/// Print the JSON Schema of a request to `hecate gen --from`: `hecate schema gen desk`
#[derive(Debug, clap::Args)]
pub(crate) struct SchemaArgs {
    /// What is to be made: `gen desk`, `gen division`, or `gen` for all of it
    #[arg(value_name = "WORD", required = true)]
    words: Vec<String>,
}

pub(crate) fn run(args: &SchemaArgs, cx: &Context) -> Result<(), CliError> {
    let schema = requests::schema(&args.words)?;
    cx.printer().result(&format!("{schema:#}"));
    cx.printer()
        .json("schema", serde_json::json!({"schema": schema}));
    Ok(())
}
