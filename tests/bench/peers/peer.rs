//! What the programs of all peers share: the load of `hecate-bench`, and one line of JSON about it.
//!
//! Called as `PROGRAM FILE SECONDS …`; the file is not there yet, and what comes behind is the peer's own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::load::{Appender, Load};

/// What a connection says that it does, asked when everything is set.
pub(crate) struct Settings {
    /// `PRAGMA synchronous`: 2 is `FULL`.
    pub(crate) synchronous: i64,
    pub(crate) journal_mode: String,
}

/// Lets the tasks append to what `open` makes of the file and of the peer's own arguments, and prints what came of it.
pub(crate) fn run<A: Appender>(
    open: impl AsyncFnOnce(&Path, &[String]) -> Result<(A, Settings)>,
) -> Result<()> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let [file, seconds, own @ ..] = args.as_slice() else {
        bail!("usage: PROGRAM FILE SECONDS …");
    };
    let file = PathBuf::from(file);
    let seconds: f64 = seconds.parse().context("seconds are a number")?;
    let load = Load {
        tasks: 64,
        events: 1,
        measured: Duration::try_from_secs_f64(seconds)?,
    };
    let mut settings = None;
    let appended = load.run(async {
        let (appender, set) = open(&file, own).await?;
        settings = Some(set);
        Ok(appender)
    })?;
    let settings = settings.context("it was opened")?;
    let said = json!({
        "events": appended.events,
        "seconds": seconds,
        "p50_us": appended.p50.as_secs_f64() * 1e6,
        "p99_us": appended.p99.as_secs_f64() * 1e6,
        "synchronous": settings.synchronous,
        "journal_mode": settings.journal_mode,
    });
    println!("{said}");
    Ok(())
}
