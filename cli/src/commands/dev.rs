//! `hecate dev`: build, load, show, and again at each save.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use hecate_manifest::bundle::Profile;
use hecate_templates::Catalog;
use notify_debouncer_full::notify::RecursiveMode;
use notify_debouncer_full::{DebounceEventResult, new_debouncer};

use crate::background::Background;
use crate::build;
use crate::client::runtime;
use crate::commands::install;
use crate::commands::serve::stopped;
use crate::context::Context;
use crate::error::CliError;
use crate::generate::{self, Formatter, RunOf};
use crate::project::{Project, fingerprint, is_dir};
use crate::tools;

/// How long after a save nothing else must be saved.
const QUIET: Duration = Duration::from_millis(80);

/// Build the plugin, load it, open its page; again at each save
#[derive(Debug, clap::Args)]
pub(crate) struct DevArgs {
    /// Do not open the page in a browser
    #[arg(long)]
    no_open: bool,
}

pub(crate) fn run(args: &DevArgs, cx: &Context) -> Result<(), CliError> {
    let project = generate::open(cx)?;
    let stop = stop_signal()?;
    let daemon = Background::ensure(cx)?;
    let (saved, _watch) = watch(&project)?;
    let mut shown = args.no_open || !cx.is_interactive();
    let mut built = None;
    loop {
        // Read anew: the manifest may be what was saved.
        let project = generate::open(cx)?;
        refresh(&project, cx)?;
        let now = fingerprint(project.root(), &inputs(&project)?);
        if built != Some(now) {
            // Whatever is saved while this runs makes another fingerprint, and another round.
            built = Some(now);
            match load(&project, cx) {
                Ok(took) => {
                    let url = format!(
                        "http://localhost:{}/plugin/{}/",
                        daemon.port(),
                        project.manifest()?.name
                    );
                    cx.printer()
                        .result(&format!("live in {:.1} s: {url}", took.as_secs_f32()));
                    if !std::mem::replace(&mut shown, true) {
                        // A machine without a browser has the address on the terminal.
                        _ = open::that_detached(&url);
                    }
                }
                Err(error) => {
                    cx.printer().error(&error);
                    cx.printer().note("waiting for a change");
                }
            }
            continue;
        }
        if !wait(&saved, &stop) {
            return Ok(());
        }
    }
}

/// Writes generated lists that are out of date: a struct that somebody edited counts at once.
fn refresh(project: &Project, cx: &Context) -> Result<(), CliError> {
    let Ok(manifest) = project.manifest() else {
        return Ok(());
    };
    let formatter = Formatter::new(tools::rustfmt);
    let plan = generate::refresh(
        &project.view()?,
        manifest.name.as_str(),
        &Catalog::builtin(),
        formatter,
    );
    // While a file is not Rust nothing follows from it; the compiler says so better.
    if let Ok(plan) = plan
        && !plan.is_empty()
    {
        let run = RunOf {
            command: "hecate dev",
            undoes: None,
        };
        generate::apply(project.root(), &plan, run)?;
        cx.printer()
            .note(&format!("wrote {} generated files anew", plan.steps.len()));
    }
    Ok(())
}

/// Builds and installs.
fn load(project: &Project, cx: &Context) -> Result<Duration, CliError> {
    let begun = Instant::now();
    cx.printer().note("building");
    let built = build::build(project, Profile::Debug, cx)?;
    install::send(cx, built.packed, false)?;
    Ok(begun.elapsed())
}

/// What a build is made from.
fn inputs(project: &Project) -> Result<Vec<String>, CliError> {
    let files = [
        "Cargo.toml",
        "Cargo.lock",
        "manifest.json",
        "hecate.toml",
        "build.rs",
        "src",
        "divisions",
    ];
    let mut inputs: Vec<String> = files.map(str::to_owned).to_vec();
    // Where the frontend has a build of its own, `priv/static` is what that writes.
    inputs.push(
        project
            .settings()?
            .frontend
            .map_or_else(|| "priv/static".to_owned(), |frontend| frontend.dir),
    );
    Ok(inputs)
}

type Watch = notify_debouncer_full::Debouncer<
    notify_debouncer_full::notify::RecommendedWatcher,
    notify_debouncer_full::RecommendedCache,
>;

fn watch(project: &Project) -> Result<(Receiver<()>, Watch), CliError> {
    let failed = |error: notify_debouncer_full::notify::Error| {
        CliError::because("the project cannot be watched", error)
    };
    let (sender, saved) = channel();
    let heard = move |events: DebounceEventResult| {
        if events.is_ok() {
            // The receiver goes when the command ends.
            _ = sender.send(());
        }
    };
    let mut watch = new_debouncer(QUIET, None, heard).map_err(failed)?;
    watch
        .watch(project.root(), RecursiveMode::NonRecursive)
        .map_err(failed)?;
    for input in inputs(project)? {
        let dir = project.root().join(&input);
        // The project itself is watched already, and what lies in it is not all ours: `target` does.
        if input != "." && is_dir(&dir) {
            watch
                .watch(&dir, RecursiveMode::Recursive)
                .map_err(failed)?;
        }
    }
    Ok((saved, watch))
}

/// Waits for a save; `false` if the command is to end.
fn wait(saved: &Receiver<()>, stop: &Receiver<()>) -> bool {
    loop {
        if stop.try_recv().is_ok() {
            return false;
        }
        match saved.recv_timeout(Duration::from_millis(100)) {
            Ok(()) => return true,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}

/// Receives once the process is asked to end.
fn stop_signal() -> Result<Receiver<()>, CliError> {
    let runtime = runtime()?;
    let signalled = runtime.block_on(async { stopped() })?;
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        runtime.block_on(signalled);
        // The receiver goes when the command ends.
        _ = sender.send(());
    });
    Ok(receiver)
}
