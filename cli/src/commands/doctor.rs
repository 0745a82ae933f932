//! `hecate doctor`: whether this machine and this project have what is needed.

use serde_json::json;

use crate::client;
use crate::context::Context;
use crate::error::CliError;
use crate::generate::{self, write_alone};
use crate::project::{Project, SdkSource, default_sdk, is_file, is_sdk, local_patch};
use crate::tools;

/// Check whether this machine and this project have what is needed
#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// Mend what can be mended: where the project finds its SDK
    #[arg(long)]
    fix: bool,
    /// The SDK to use: `path:DIR`, `git:URL#REV` or `registry` [default: the checkout of this `hecate`]
    #[arg(long, value_name = "SOURCE", requires = "fix")]
    sdk: Option<SdkSource>,
}

struct Finding {
    about: &'static str,
    is: Result<String, CliError>,
}

pub(crate) fn run(args: &DoctorArgs, cx: &Context) -> Result<(), CliError> {
    let project = generate::open(cx).ok();
    if let Some(project) = project.as_ref().filter(|_| args.fix) {
        fix(args, project, cx)?;
    }
    let mut findings = vec![
        Finding {
            about: "toolchain",
            is: tools::check_toolchain(cx.dir())
                .map(|()| "cargo and a C compiler are there".to_owned()),
        },
        Finding {
            about: "rustfmt",
            is: rustfmt(),
        },
        Finding {
            about: "daemon",
            is: Ok(daemon(cx)),
        },
    ];
    if let Some(project) = &project {
        findings.push(Finding {
            about: "sdk",
            is: sdk(project),
        });
    }
    let wrong = findings
        .iter()
        .filter(|finding| finding.is.is_err())
        .count();
    for Finding { about, is } in &findings {
        match is {
            Ok(fine) => cx.printer().result(&format!("   ok  {about}: {fine}")),
            Err(error) => {
                cx.printer().result(&format!("wrong  {about}: {error}"));
                error
                    .hints()
                    .iter()
                    .for_each(|hint| cx.printer().result(&format!("       hint: {hint}")));
            }
        }
    }
    let entry = |Finding { about, is }: &Finding| match is {
        Ok(fine) => json!({"about": about, "ok": true, "message": fine}),
        Err(error) => {
            json!({"about": about, "ok": false, "message": error.to_string(), "hints": error.hints()})
        }
    };
    cx.printer().json(
        "doctor",
        json!({"findings": findings.iter().map(entry).collect::<Vec<_>>()}),
    );
    if wrong == 0 {
        Ok(())
    } else {
        Err(CliError::findings())
    }
}

/// Writes the `.cargo/config.toml` that names the SDK.
fn fix(args: &DoctorArgs, project: &Project, cx: &Context) -> Result<(), CliError> {
    let source = match &args.sdk {
        Some(source) => source.clone().resolve(cx.dir())?,
        None if local_patch(project.root()).is_some_and(|patch| is_sdk(&patch)) => return Ok(()),
        None => default_sdk()?,
    };
    let path = project.root().join(".cargo/config.toml");
    match source.cargo_config() {
        Some(config) => write_alone(&path, config.as_bytes())?,
        None if is_file(&path) => write_alone(&path, b"")?,
        None => {}
    }
    cx.printer()
        .note(&format!("the project's SDK comes from {source}"));
    Ok(())
}

fn rustfmt() -> Result<String, CliError> {
    match tools::rustfmt("fn main() {}\n") {
        Some(Ok(_)) => Ok("generated code is formatted".to_owned()),
        _ => Err(CliError::cannot(
            "there is no rustfmt, so generated code keeps the layout of its templates",
        )
        .hint("install it: `rustup component add rustfmt`")),
    }
}

fn daemon(cx: &Context) -> String {
    let home = cx.home().root().display();
    if client::is_running(cx) {
        format!("one runs for `{home}`")
    } else {
        format!("none runs for `{home}`")
    }
}

fn sdk(project: &Project) -> Result<String, CliError> {
    match local_patch(project.root()) {
        Some(patch) if is_sdk(&patch) => Ok(format!("comes from `{}`", patch.display())),
        Some(patch) => Err(CliError::cannot(format!(
            "the checkout `{}` is not there",
            patch.display()
        ))
        .hint("`hecate doctor --fix`, or `hecate doctor --fix --sdk path:DIR`")),
        None if is_file(&project.root().join(".cargo/config.toml")) => {
            Ok("comes from where cargo finds it".to_owned())
        }
        None => Err(CliError::cannot(
            "nothing says where `hecate-sdk` comes from, and it is not published yet",
        )
        .hint("`hecate doctor --fix`, or `hecate doctor --fix --sdk path:DIR`")),
    }
}
