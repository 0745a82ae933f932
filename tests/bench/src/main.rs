//! Measures the speed that Hecate holds itself to, and says whether it does.
//!
//! Everything is a ratio where it can be: what is measured and what it is measured against take turns in one run on
//! one machine, and the medians of the pairs count. Each benchmark is a module that ends in a [`Report`]; `all` is the
//! text of `RESULTS.md`. Where two processes are needed, this program starts itself again (the last two words of
//! [`main`]).
//!
//! What is absent on purpose: thresholds in tests. A busy machine makes no change wrong.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the tables go to stdout, what happens meanwhile to stderr"
)]

mod appends;
mod checkout;
mod cli;
mod fdatasync;
mod machine;
mod nanos;
mod peers;
mod report;
mod requests;
mod stats;
mod store;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::report::Report;

const USAGE: &str = "usage: hecate-bench all|cli|appends|peers|store [--large]|requests|commands|nanos|fdatasync [--rounds N]";

/// Pairs of what is measured and what it is measured against.
const ROUNDS: usize = 9;

/// What takes minutes and gigabytes, and is not part of `all`.
const LARGE: &str = "store --large";

fn main() -> Result<ExitCode> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    let (what, rounds) = match args.as_slice() {
        // The other processes of `requests`.
        ["serve-bare"] => return requests::serve_bare().map(|()| ExitCode::SUCCESS),
        ["load", order] => {
            println!("{}", requests::load(order)?);
            return Ok(ExitCode::SUCCESS);
        }
        ["store", "--large"] => (LARGE, ROUNDS),
        ["store", "--large", "--rounds", rounds] => {
            (LARGE, rounds.parse().context("rounds are a number")?)
        }
        [what] => (*what, ROUNDS),
        [what, "--rounds", rounds] => (*what, rounds.parse().context("rounds are a number")?),
        _ => bail!(USAGE),
    };
    if cfg!(debug_assertions) {
        bail!(
            "a debug build says nothing about speed: cargo run --release -p hecate-bench -- {what}"
        );
    }
    let benchmarks: &[fn(usize) -> Result<Report>] = match what {
        "all" => &[
            cli::run,
            appends::run,
            peers::run,
            store::run,
            requests::run,
            requests::run_commands,
            nanos::run,
        ],
        "cli" => &[cli::run],
        "appends" => &[appends::run],
        "peers" => &[peers::run],
        "store" => &[store::run],
        LARGE => &[store::run_large],
        "requests" => &[requests::run],
        "commands" => &[requests::run_commands],
        "nanos" => &[nanos::run],
        "fdatasync" => &[fdatasync::run],
        _ => bail!(USAGE),
    };
    println!("{}", machine::describe()?);
    let mut missed = false;
    for benchmark in benchmarks {
        let report = benchmark(rounds)?;
        println!("\n{report}");
        missed |= report.missed_a_bar();
    }
    Ok(ExitCode::from(u8::from(missed)))
}

/// Says what is going on, to whoever waits.
fn progress(what: impl std::fmt::Display) {
    eprintln!("{what}");
}
