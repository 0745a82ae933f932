//! The only code that prints. Data goes to stdout, everything else to stderr.
#![expect(clippy::print_stderr, reason = "this is where printing is done")]

use std::io::{self, IsTerminal, Write};

use serde_json::{Value, json};

use crate::error::CliError;

/// Version of what `--json` prints.
const JSON_VERSION: u32 = 1;

/// How much to say, and in what form.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct PrintArgs {
    /// Print the result as JSON, alone on stdout
    #[arg(long, global = true)]
    json: bool,
    /// Print errors and results only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Print what is done step by step
    #[arg(short, long, global = true)]
    verbose: bool,
}

/// Speaks to the user.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    json: bool,
    quiet: bool,
    verbose: bool,
    /// Whether nothing is said at all, but errors.
    silent: bool,
    /// Whether results are somebody else's to say.
    no_results: bool,
    /// Whether stderr takes colours.
    colours: bool,
}

impl Printer {
    pub(crate) fn new(args: &PrintArgs) -> Self {
        let colours = console::colors_enabled_stderr() && io::stderr().is_terminal();
        Self {
            json: args.json,
            quiet: args.quiet,
            verbose: args.verbose,
            silent: false,
            no_results: false,
            colours,
        }
    }

    /// Whether results are JSON.
    pub(crate) const fn is_json(self) -> bool {
        self.json
    }

    /// A result for people; nothing under `--json`.
    pub(crate) fn result(self, text: &str) {
        if !self.json && !self.silent && !self.no_results {
            out(text);
        }
    }

    /// A result for programs; nothing without `--json`.
    pub(crate) fn json(self, kind: &str, value: Value) {
        if self.json && !self.silent && !self.no_results {
            let mut object = json!({"version": JSON_VERSION, "kind": kind});
            if let (Some(object), Value::Object(fields)) = (object.as_object_mut(), value) {
                object.extend(fields);
            }
            out(&object.to_string());
        }
    }

    /// The same, with results as JSON.
    pub(crate) const fn with_json(self) -> Self {
        Self { json: true, ..self }
    }

    /// The same, with progress but without results.
    pub(crate) const fn without_results(self) -> Self {
        Self {
            no_results: true,
            ..self
        }
    }

    /// The same, saying nothing but errors: for steps of something larger that speaks for them.
    pub(crate) const fn silent(self) -> Self {
        Self {
            silent: true,
            ..self
        }
    }

    /// Whether results may have colours.
    pub(crate) fn has_colours(self) -> bool {
        console::colors_enabled() && io::stdout().is_terminal()
    }

    /// Whether progress may be drawn.
    pub(crate) fn shows_progress(self) -> bool {
        !self.quiet && !self.json && io::stderr().is_terminal()
    }

    /// What another program said, as it said it.
    pub(crate) fn passage(self, text: &str) {
        eprintln!("{text}");
    }

    /// What is going on.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet && !self.silent {
            eprintln!("{text}");
        }
    }

    /// What is going on, for those who want to know.
    pub(crate) fn detail(self, text: &str) {
        if self.verbose && !self.silent {
            eprintln!("{}", self.paint(text, |text| text.dim()));
        }
    }

    /// What should be looked at.
    pub(crate) fn warn(self, text: &str) {
        eprintln!(
            "{}: {text}",
            self.paint("warning", |text| text.yellow().bold())
        );
    }

    /// What to do about it.
    pub(crate) fn hint(self, text: &str) {
        eprintln!("{}: {text}", self.paint("hint", |text| text.cyan()));
    }

    /// What went wrong, why, and what to do about it.
    pub(crate) fn error(self, error: &CliError) {
        if self.json {
            let value = json!({
                "error": error.message(),
                "causes": error.causes(),
                "hints": error.hints(),
                "exit_code": error.code(),
            });
            self.json("error", value);
            return;
        }
        eprintln!(
            "{}: {}",
            self.paint("error", |text| text.red().bold()),
            error.message()
        );
        for cause in error.causes() {
            eprintln!("  {}: {cause}", self.paint("cause", |text| text.dim()));
        }
        for hint in error.hints() {
            self.hint(hint);
        }
    }

    /// clap's own answer: help, version, or what is wrong with the arguments.
    pub(crate) fn clap(error: &clap::Error) {
        // A closed stdout or stderr leaves nothing to say.
        _ = error.print();
    }

    fn paint(
        self,
        text: &str,
        style: impl Fn(console::StyledObject<&str>) -> console::StyledObject<&str>,
    ) -> String {
        if self.colours {
            style(console::style(text).for_stderr()).to_string()
        } else {
            text.to_owned()
        }
    }
}

/// A reader that has gone (`hecate ps | head -1`) is no error.
fn out(text: &str) {
    _ = writeln!(io::stdout().lock(), "{text}");
}
