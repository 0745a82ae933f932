//! `hecate bundle`: one installable file.

use std::path::PathBuf;

use hecate_manifest::bundle::Profile;
use serde_json::json;

use crate::build::{self, Built};
use crate::context::Context;
use crate::error::CliError;
use crate::generate::{self, write_alone};
use crate::project::Project;

/// Build the plugin into one installable file
#[derive(Debug, clap::Args)]
pub(crate) struct BundleArgs {
    /// Where to write it [default: target/bundle]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Build without optimizations: faster to build, slower to run
    #[arg(long)]
    debug: bool,
}

pub(crate) fn run(args: &BundleArgs, cx: &Context) -> Result<(), CliError> {
    let project = generate::open(cx)?;
    let profile = if args.debug {
        Profile::Debug
    } else {
        Profile::Release
    };
    let dir = args.out.as_ref().map(|out| cx.dir().join(out));
    let path = write(&project, profile, dir, cx)?;
    let shown = path.strip_prefix(cx.dir()).unwrap_or(&path);
    cx.printer().result(&shown.display().to_string());
    Ok(())
}

/// Builds the bundle and writes it; gives its place.
pub(crate) fn write(
    project: &Project,
    profile: Profile,
    dir: Option<PathBuf>,
    cx: &Context,
) -> Result<PathBuf, CliError> {
    let Built {
        file_name,
        packed,
        info,
    } = build::build(project, profile, cx)?;
    let path = dir
        .unwrap_or_else(|| build::bundle_dir(project))
        .join(file_name);
    write_alone(&path, &packed)?;
    if info.dirty {
        cx.printer()
            .detail("the source is not all committed: the bundle says so");
    }
    cx.printer().json(
        "bundle",
        json!({"path": path, "bytes": packed.len(), "info": info}),
    );
    Ok(path)
}
