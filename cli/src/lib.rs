//! The `hecate` command line: writes, checks, bundles and runs plugins.
//!
//! One thin file for each verb in `commands`. What they share: `context` (where we are and how to speak),
//! `printer` (the only code that prints), `error` (what went wrong, with the way out, and the exit code).

mod background;
mod build;
mod carry_out;
mod check;
mod client;
mod commands;
mod context;
mod error;
mod flow;
mod generate;
pub mod names;
mod printer;
mod progress;
mod project;
mod prompts;
mod requests;
mod tools;
mod verify;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::context::{Context, GlobalArgs};
use crate::error::CliError;
use crate::printer::Printer;

/// Write, check, bundle and run Hecate plugins
#[derive(Debug, Parser)]
#[command(name = "hecate", version, propagate_version = true, help_template = HELP, subcommand_required = true)]
#[command(
    arg_required_else_help = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

/// The verbs by what they are for; a test holds the list to the commands that there are.
const HELP: &str = "\
{about}

{usage-heading} {usage}

Create:
  new          Make something new: a plugin
  gen          Grow the plugin: a division, a desk
  list         List divisions, desks, routes and events
  remove       Take away what was generated: a desk, a division
  rename       Give a desk another name; what is stored keeps its own
  undo         Take a run of `hecate` back

Check:
  check        Look for everything that is wrong: manifest, structure, naming
  explain      Explain a word of Hecate, or a finding of `hecate check`
  bundle       Build the plugin into one installable file

Run:
  dev          Build the plugin, load it, open its page; again at each save
  demo         See it all: a plugin made, grown, checked, bundled, loaded and used
  serve        Start the daemon, or serve one bundle alone
  install      Install a bundle into the running daemon
  ps           List the installed plugins and how they are
  logs         Show what a plugin logged
  reload       Start a plugin anew
  uninstall    Stop a plugin and remove it

Maintain:
  bump         Raise the version, everywhere at once
  store        Look after a plugin's event stores: statistics, verification, backup, export
  doctor       Check whether this machine and this project have what is needed
  schema       Print the JSON Schema of a request to `hecate gen`
  completions  Print what makes a shell complete `hecate`

{options}";

#[derive(Debug, Subcommand)]
enum Command {
    New(commands::new::NewArgs),
    Gen(commands::r#gen::GenArgs),
    List(commands::list::ListArgs),
    Remove(commands::remove::RemoveArgs),
    Rename(commands::rename::RenameArgs),
    Undo(commands::undo::UndoArgs),
    Check(commands::check::CheckArgs),
    Explain(commands::explain::ExplainArgs),
    Bundle(commands::bundle::BundleArgs),
    Dev(commands::dev::DevArgs),
    Demo(commands::demo::DemoArgs),
    Serve(commands::serve::ServeArgs),
    Install(commands::install::InstallArgs),
    Ps(commands::ps::PsArgs),
    Logs(commands::logs::LogsArgs),
    Reload(commands::reload::ReloadArgs),
    Uninstall(commands::uninstall::UninstallArgs),
    Bump(commands::bump::BumpArgs),
    Store(commands::store::StoreArgs),
    Doctor(commands::doctor::DoctorArgs),
    Schema(commands::schema::SchemaArgs),
    Completions(commands::completions::CompletionsArgs),
}

impl Command {
    fn run(self, cx: &Context) -> Result<(), CliError> {
        match self {
            Self::New(args) => commands::new::run(&args, cx),
            Self::Gen(args) => commands::r#gen::run(args, cx),
            Self::List(args) => commands::list::run(&args, cx),
            Self::Remove(args) => commands::remove::run(&args, cx),
            Self::Rename(args) => commands::rename::run(&args, cx),
            Self::Undo(args) => commands::undo::run(&args, cx),
            Self::Check(args) => commands::check::run(&args, cx),
            Self::Explain(args) => commands::explain::run(&args, cx),
            Self::Bundle(args) => commands::bundle::run(&args, cx),
            Self::Dev(args) => commands::dev::run(&args, cx),
            Self::Demo(args) => commands::demo::run(&args, cx),
            Self::Serve(args) => commands::serve::run(&args, cx),
            Self::Install(args) => commands::install::run(&args, cx),
            Self::Ps(args) => commands::ps::run(&args, cx),
            Self::Logs(args) => commands::logs::run(&args, cx),
            Self::Reload(args) => commands::reload::run(&args, cx),
            Self::Uninstall(args) => commands::uninstall::run(&args, cx),
            Self::Store(args) => commands::store::run(&args, cx),
            Self::Bump(args) => commands::bump::run(&args, cx),
            Self::Doctor(args) => commands::doctor::run(&args, cx),
            Self::Schema(args) => commands::schema::run(&args, cx),
            Self::Completions(args) => commands::completions::run(&args, cx),
        }
    }
}

/// Runs the command line `args`, the program's name first.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        // Help and version are answers, everything else is a misuse; clap prints either where it belongs.
        Err(error) => {
            let code = if error.use_stderr() {
                error::USAGE
            } else {
                error::DONE
            };
            Printer::clap(&error);
            return ExitCode::from(code);
        }
    };
    let (printer, outcome) = match Context::new(&cli.global) {
        Ok(cx) => (cx.printer(), cli.command.run(&cx)),
        Err(error) => (Printer::new(&cli.global.printing), Err(error)),
    };
    match outcome {
        Ok(()) => ExitCode::from(error::DONE),
        Err(error) => {
            if !error.is_shown() {
                printer.error(&error);
            }
            ExitCode::from(error.code())
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{Cli, HELP};

    #[test]
    fn help_lists_every_verb_once() {
        let cli = Cli::command();
        let verbs: Vec<_> = cli
            .get_subcommands()
            .filter(|verb| !verb.is_hide_set())
            .collect();
        for verb in &verbs {
            let line = format!("\n  {:<11}  ", verb.get_name());
            assert_eq!(
                HELP.matches(&line).count(),
                1,
                "`{}` in the help",
                verb.get_name()
            );
        }
        assert_eq!(
            HELP.matches("\n  ").count(),
            verbs.len(),
            "nothing else is listed"
        );
        cli.debug_assert();
    }
}
