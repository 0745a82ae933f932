//! Whether what was generated compiles: `cargo check` of the packages that a plan has touched.
//!
//! It runs behind the plan, never before: what is generated needs no project that builds. What fails is said, and the
//! files stay.

use std::collections::BTreeSet;
use std::io::Read;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::context::Context;
use crate::error::{CliError, UNSOUND};
use crate::generate::Plan;
use crate::progress::Phase;
use crate::project::{Project, file_text};
use crate::tools;

/// What came of it.
pub(crate) enum Verified {
    /// Nobody wanted to know, or nothing was touched that is compiled.
    Skipped,
    /// It compiles.
    Compiles,
    /// It does not: what cargo said.
    Fails(String),
}

impl Verified {
    /// For programs; nothing where nothing was verified.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Skipped => Value::Null,
            Self::Compiles => json!({"ok": true}),
            Self::Fails(said) => json!({"ok": false, "said": said}),
        }
    }

    /// The error, if it does not compile. In JSON it is said already.
    pub(crate) fn into_result(self, cx: &Context) -> Result<(), CliError> {
        let Self::Fails(said) = self else {
            return Ok(());
        };
        if cx.printer().is_json() {
            return Err(CliError::new(UNSOUND, ""));
        }
        cx.printer().passage(said.trim_end());
        Err(CliError::new(
            UNSOUND,
            "the files were written, but `cargo check` fails; what it said is above",
        )
        .hint("the files stay: mend what is wrong, or take them back with `hecate undo`")
        .hint("`--no-verify` leaves the check out"))
    }
}

/// Checks the packages that `plan` has touched, if the context wants that.
pub(crate) fn verify(cx: &Context, project: &Project, plan: &Plan) -> Verified {
    let packages = touched(project, plan);
    if !cx.verifies() || packages.is_empty() {
        return Verified::Skipped;
    }
    let phase = Phase::begin(cx.printer(), "check");
    phase.says(format!("cargo check of {}", packages.join(", ")));
    let mut command = tools::cargo(project.root());
    command.args(["check", "--all-targets", "--quiet"]);
    for package in &packages {
        command.args(["--package", package]);
    }
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let run = command.spawn().and_then(|mut child| {
        let mut said = Vec::new();
        if let Some(mut stderr) = child.stderr.take() {
            // What cannot be read is not shown; the exit status decides.
            _ = stderr.read_to_end(&mut said);
        }
        Ok((child.wait()?, String::from_utf8_lossy(&said).into_owned()))
    });
    match run {
        Ok((status, _)) if status.success() => {
            phase.done("it compiles");
            Verified::Compiles
        }
        Ok((_, said)) => Verified::Fails(said),
        // What is written does not depend on cargo.
        Err(error) => {
            drop(phase);
            cx.printer().warn(&format!(
                "cargo cannot be run ({error}), so it was not checked whether it compiles"
            ));
            Verified::Skipped
        }
    }
}

/// Names of the packages whose sources a plan has changed.
fn touched(project: &Project, plan: &Plan) -> Vec<String> {
    let manifests: BTreeSet<String> = plan
        .steps
        .iter()
        .map(|step| step.path.as_str())
        .filter(|path| path.ends_with(".rs") || path.ends_with("Cargo.toml"))
        .map(
            |path| match path.split('/').collect::<Vec<_>>().as_slice() {
                ["divisions", division, ..] => format!("divisions/{division}/Cargo.toml"),
                _ => "Cargo.toml".to_owned(),
            },
        )
        .collect();
    let name = |manifest: &String| {
        let text = file_text(&project.root().join(manifest)).ok()?;
        let document: toml_edit::DocumentMut = text.parse().ok()?;
        let name = document.get("package")?.get("name")?.as_str()?;
        Some(name.to_owned())
    };
    manifests.iter().filter_map(name).collect()
}
