//! `hecate store …`: looks after a plugin's stores, through the plugin: nobody else may open them.
#![expect(
    clippy::disallowed_methods,
    reason = "copies finished files out of a plugin's data and into it"
)]

mod projections;

use std::fs;
use std::path::{Path, PathBuf};

use hecate_manifest::PluginName;
use hecate_manifest::control::{StoreAsk, StoreTask};
use http::Method;
use serde_json::{Map, Value, json};

use crate::client;
use crate::context::Context;
use crate::error::CliError;

/// Look after a plugin's event stores while it serves
#[derive(Debug, clap::Args)]
pub(crate) struct StoreArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Count what is in them
    Stats(Of),
    /// Read all of them and look for damage; exit code 5 if there is any
    Verify(Of),
    /// Write copies that can be opened as they are
    Backup {
        #[command(flatten)]
        of: Of,
        /// Where the copies go, instead of `backups/` in the plugin's data
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Write every event as a line of JSON, with ids and positions
    Export {
        #[command(flatten)]
        of: Of,
        /// Where the files go, instead of `exports/` in the plugin's data
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Take what was exported into a store that is empty
    Import {
        #[command(flatten)]
        of: Of,
        /// The file, as `hecate store export` writes it
        file: PathBuf,
    },
    /// Build the rows of read models anew, while the old ones serve
    Replay {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        projection: Projection,
        /// Do not wait until it is done
        #[arg(long)]
        detach: bool,
    },
    /// List the events that projections could not take in
    DeadLetters(Of),
    /// Try those events again, in order
    Retry {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        projection: Projection,
    },
    /// Give one of those events up, so that what is held behind it goes on
    Discard {
        #[command(flatten)]
        of: Of,
        /// The projection
        projection: String,
        /// Position of the event, as `hecate store dead-letters` shows it
        position: u64,
    },
}

#[derive(Debug, clap::Args)]
struct Projection {
    /// One of the projections, such as a table's name [default: all]
    #[arg(long)]
    projection: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Of {
    /// The plugin
    name: String,
    /// One of its stores, such as a division's name [default: all]
    #[arg(long)]
    store: Option<String>,
}

pub(crate) fn run(args: &StoreArgs, cx: &Context) -> Result<(), CliError> {
    match &args.what {
        What::Stats(of) => {
            let stores = ask(cx, of, StoreTask::Stats)?;
            stores
                .iter()
                .for_each(|(store, stats)| show_stats(cx, store, stats));
            done(cx, stores)
        }
        What::Verify(of) => verify(cx, of),
        What::Backup { of, out } => written(cx, of, StoreTask::Backup, out.as_deref()),
        What::Export { of, out } => written(cx, of, StoreTask::Export, out.as_deref()),
        What::Import { of, file } => import(cx, of, file),
        What::Replay {
            of,
            projection,
            detach,
        } => projections::replay(cx, of, projection.projection.clone(), *detach),
        What::DeadLetters(of) => projections::dead_letters(cx, of),
        What::Retry { of, projection } => projections::retry(cx, of, projection.projection.clone()),
        What::Discard {
            of,
            projection,
            position,
        } => projections::discard(cx, of, projection, *position),
    }
}

fn verify(cx: &Context, of: &Of) -> Result<(), CliError> {
    let stores = ask(cx, of, StoreTask::Verify)?;
    let mut damaged = 0;
    for (store, found) in &stores {
        let faults: Vec<_> = found["faults"].as_array().into_iter().flatten().collect();
        if faults.is_empty() {
            cx.printer()
                .result(&format!("{store}: {} events, sound", found["events"]));
            continue;
        }
        damaged += 1;
        cx.printer()
            .result(&format!("{store}: {} events, damaged", found["events"]));
        for fault in faults {
            cx.printer()
                .result(&format!("  {}", fault.as_str().unwrap_or_default()));
        }
    }
    done(cx, stores)?;
    if damaged == 0 {
        return Ok(());
    }
    Err(CliError::new(
        crate::error::UNSOUND,
        format!("{damaged} of the stores are damaged"),
    )
    .hint(
        "stop the plugin (`hecate uninstall` keeps its data) and put a backup in the file's place",
    ))
}

/// Lets the plugin write a file for each store, and moves the files to `out`.
fn written(cx: &Context, of: &Of, task: StoreTask, out: Option<&Path>) -> Result<(), CliError> {
    let mut stores = ask(cx, of, task)?;
    for (store, written) in &mut stores {
        let mut path = PathBuf::from(written["path"].as_str().unwrap_or_default());
        if let (Some(out), Some(name)) = (out, path.file_name()) {
            let to = cx.dir().join(out).join(name);
            let copy = || {
                fs::create_dir_all(cx.dir().join(out))?;
                fs::copy(&path, &to)?;
                fs::remove_file(&path)
            };
            copy().map_err(|error| {
                CliError::because(format!("failed to write `{}`", to.display()), error)
            })?;
            path = to;
            written["path"] = json!(path);
        }
        cx.printer().result(&format!("{store}: {}", path.display()));
    }
    done(cx, stores)
}

fn import(cx: &Context, of: &Of, file: &Path) -> Result<(), CliError> {
    let Some(store) = &of.store else {
        return Err(
            CliError::usage("`hecate store import` needs `--store STORE`")
                .hint("a file holds the events of one store: `hecate store stats NAME` lists them"),
        );
    };
    let name = PluginName::parse(&of.name).map_err(|error| CliError::usage(error.to_string()))?;
    let inside = format!("{store}.jsonl");
    let dir = cx.home().plugin(&name).data().join("imports");
    let place = dir.join(&inside);
    let from = cx.dir().join(file);
    let copied = fs::create_dir_all(&dir).and_then(|()| fs::copy(&from, &place));
    copied.map_err(|error| {
        CliError::because(format!("failed to read `{}`", file.display()), error)
    })?;
    let imported = ask(cx, of, StoreTask::Import { file: inside });
    // It was a copy, made for the plugin to read.
    _ = fs::remove_file(&place);
    let stores = imported?;
    for (store, imported) in &stores {
        cx.printer()
            .result(&format!("{store}: {} events taken in", imported["events"]));
    }
    done(cx, stores)
}

fn ask(cx: &Context, of: &Of, task: StoreTask) -> Result<Map<String, Value>, CliError> {
    let ask = StoreAsk {
        store: of.store.clone(),
        task,
    };
    let path = format!("/api/plugins/{}/store", of.name);
    let body = serde_json::to_vec(&ask)
        .map_err(|error| CliError::bug(format!("a request could not be made: {error}")))?;
    let mut answer = client::ask(cx, Method::POST, &path, body)?;
    match answer["stores"].take() {
        Value::Object(stores) => Ok(stores),
        _ => Err(CliError::cannot(
            "the plugin's answer has no stores: is it of another version?",
        )),
    }
}

fn done(cx: &Context, stores: Map<String, Value>) -> Result<(), CliError> {
    cx.printer().json("stores", json!({"stores": stores}));
    Ok(())
}

fn show_stats(cx: &Context, store: &str, stats: &Value) {
    let number = |field: &str| stats[field].as_u64().unwrap_or_default();
    cx.printer().result(&format!(
        "{store}: {} events in {} streams, {} KiB and {} KiB of log, epoch {}",
        number("events"),
        number("streams"),
        number("bytes").div_ceil(1024),
        number("wal_bytes").div_ceil(1024),
        number("epoch"),
    ));
    for (kind, count) in stats["types"].as_object().into_iter().flatten() {
        cx.printer().result(&format!("  {count:>8}  {kind}"));
    }
    projections::show_positions(cx, stats);
}
