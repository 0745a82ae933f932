//! Compiles a plugin's library, in a build directory that all projects of a home share.
//!
//! Sharing saves the second plugin a minute: dependencies are compiled once. Two things make it right. Cargo tells two
//! projects with one package name apart by the times of their files alone, so what the last project of that name
//! compiled is removed first. And a bundle holds no path of this machine: those of the checkout, of cargo's home and of
//! the build directory are replaced by fixed words, so that the same sources give the same bytes.

use std::collections::BTreeSet;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use cargo_metadata::{Artifact, CargoOpt, Message, Metadata, MetadataCommand};
use hecate_manifest::bundle::Profile;

use crate::context::Context;
use crate::error::CliError;
use crate::generate::write_cache;
use crate::progress::Phase;
use crate::project::{Project, file_text, is_file, local_patch};
use crate::tools;

/// What was compiled.
#[derive(Debug)]
pub(super) struct Compiled {
    /// The library.
    pub(super) library: PathBuf,
}

/// Compiles the project's plugin.
pub(super) fn compile(
    project: &Project,
    profile: Profile,
    cx: &Context,
) -> Result<Compiled, CliError> {
    let metadata = metadata(project, cx)?;
    let target = target_dir(cx)?;
    forget_namesakes(project, &metadata, &target)?;

    let phase = Phase::begin(cx.printer(), "compile");
    let mut command = tools::cargo(project.root());
    command
        .args([
            "build",
            "--locked",
            "--message-format=json-render-diagnostics",
            "--target-dir",
        ])
        .arg(&target);
    if profile == Profile::Release {
        command.arg("--release");
        command.env("CARGO_PROFILE_RELEASE_STRIP", "symbols");
        command.env(
            "CARGO_ENCODED_RUSTFLAGS",
            rustflags(project, &target).join("\u{1f}"),
        );
    }
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| CliError::because("cargo cannot be run", error))?;
    let stderr = child.stderr.take().map(|mut stderr| {
        std::thread::spawn(move || {
            let mut text = String::new();
            // What cannot be read is not shown; the exit status decides.
            _ = stderr.read_to_string(&mut text);
            text
        })
    });
    let (mut done, total) = (BTreeSet::new(), metadata.packages.len());
    let mut library = None;
    if let Some(stdout) = child.stdout.take() {
        for message in Message::parse_stream(BufReader::new(stdout)).map_while(Result::ok) {
            if let Message::CompilerArtifact(artifact) = message {
                phase.count(done.len(), total, artifact.target.name.clone());
                done.insert(artifact.package_id.clone());
                library = plugin_library(&artifact, project).or(library);
            }
        }
    }
    let status = child
        .wait()
        .map_err(|error| CliError::because("cargo cannot be waited for", error))?;
    let said = stderr
        .and_then(|stderr| stderr.join().ok())
        .unwrap_or_default();
    if !status.success() {
        return Err(failed(project, &said, "the plugin does not compile", cx));
    }
    let library = library.ok_or_else(|| {
        CliError::cannot("the plugin's package builds no shared library")
            .hint("its `Cargo.toml` needs `[lib]` with `crate-type = [\"cdylib\", \"rlib\"]`")
    })?;
    phase.done(&format!("{} crates", done.len()));
    Ok(Compiled { library })
}

/// Where all projects of the home are built, by its real name: every way there must lead to the same flags, or a
/// build through another one would compile everything anew.
fn target_dir(cx: &Context) -> Result<PathBuf, CliError> {
    let dir = cx.home().cache().join("build");
    write_cache(
        &dir.join("owners/README"),
        b"Which project compiled a package last.\n",
    )?;
    dir.canonicalize()
        .map_err(|error| CliError::because(format!("failed to find `{}`", dir.display()), error))
}

/// The resolved packages. A `Cargo.lock` that lacks some is completed first, and that is said.
fn metadata(project: &Project, cx: &Context) -> Result<Metadata, CliError> {
    let run = |options: &[&str]| {
        let mut command = MetadataCommand::new();
        command
            .current_dir(project.root())
            .features(CargoOpt::SomeFeatures(Vec::new()));
        command.other_options(
            options
                .iter()
                .map(|option| (*option).to_owned())
                .collect::<Vec<_>>(),
        );
        command.exec()
    };
    if let Ok(metadata) = run(&["--locked"]) {
        return Ok(metadata);
    }
    let metadata = run(&[]).map_err(|error| {
        let said = match error {
            cargo_metadata::Error::CargoMetadata { stderr } => stderr,
            other => other.to_string(),
        };
        failed(project, &said, "cargo cannot resolve the project", cx)
    })?;
    cx.printer()
        .note("note: `Cargo.lock` was completed; check it in, so that others build the same");
    Ok(metadata)
}

fn plugin_library(artifact: &Artifact, project: &Project) -> Option<PathBuf> {
    if artifact.manifest_path.as_std_path() != project.root().join("Cargo.toml") {
        return None;
    }
    let library = artifact
        .filenames
        .iter()
        .find(|file| file.extension() == Some("so"));
    library.map(|library| library.as_std_path().to_owned())
}

/// What cargo said, with the way out for the failures that have one.
fn failed(project: &Project, said: &str, what: &str, cx: &Context) -> CliError {
    let said = said.trim_end();
    if let Some(patch) = local_patch(project.root()).filter(|patch| !crate::project::is_sdk(patch))
    {
        return CliError::cannot(format!("the checkout that this project's SDK comes from has moved: `{}` is not there", patch.display()))
            .hint("`hecate doctor --fix` names the checkout of this `hecate`; another one: `hecate doctor --fix --sdk path:DIR`");
    }
    if said.contains("hecate-sdk") && said.contains("no matching package") {
        return CliError::cannot("cargo cannot find `hecate-sdk`, which is not published yet")
            .hint("`hecate doctor --fix` tells this project where it is");
    }
    cx.printer().passage(said);
    CliError::cannot(what).hint("cargo's own messages are above")
}

/// Remaps every path of this machine that could end up in the library.
fn rustflags(project: &Project, target: &Path) -> Vec<String> {
    let mut flags = tools::user_rustflags();
    let mut remap = |path: &Path, word: &str| {
        flags.push(format!("--remap-path-prefix={}={word}", path.display()))
    };
    if let Some(home) = tools::cargo_home() {
        remap(&home, "/cargo");
    }
    remap(target, "/build");
    if let Some(checkout) = local_patch(project.root())
        .as_deref()
        .and_then(|sdk| sdk.ancestors().nth(2))
    {
        remap(checkout, "/hecate");
    }
    flags
}

/// Removes what another project with packages of the same names has compiled into the shared directory.
fn forget_namesakes(project: &Project, metadata: &Metadata, target: &Path) -> Result<(), CliError> {
    let owners = target.join("owners");
    let here = project.root().display().to_string();
    for package in metadata.workspace_packages() {
        let owner = owners.join(package.name.as_str());
        let known = if is_file(&owner) {
            Some(file_text(&owner)?)
        } else {
            None
        };
        if known.as_deref() == Some(here.as_str()) {
            continue;
        }
        if known.is_some() {
            for profile in ["dev", "release"] {
                let mut clean = tools::cargo(project.root());
                clean.args([
                    "clean",
                    "--quiet",
                    "--package",
                    package.name.as_str(),
                    "--profile",
                    profile,
                ]);
                let cleaned = clean.arg("--target-dir").arg(target).output();
                cleaned.map_err(|error| CliError::because("cargo cannot be run", error))?;
            }
        }
        write_cache(&owner, here.as_bytes())?;
    }
    Ok(())
}
