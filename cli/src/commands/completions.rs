//! `hecate completions SHELL`.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::context::Context;
use crate::error::CliError;

/// Print what makes a shell complete `hecate`: `source <(hecate completions bash)`
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs, cx: &Context) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut crate::Cli::command(),
        "hecate",
        &mut script,
    );
    cx.printer()
        .result(String::from_utf8_lossy(&script).trim_end());
    Ok(())
}
