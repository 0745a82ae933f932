//! `hecate check`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hecate_manifest::rules::Finding;
use hecate_templates::Catalog;

use crate::carry_out::{CarryOutArgs, Told, carry_out};
use crate::check::{Format, check_file, check_project, count, print};
use crate::context::Context;
use crate::error::CliError;
use crate::generate::{self, Formatter};
use crate::project::{Project, file_text, is_dir, is_file};
use crate::tools;

/// Look for everything that is wrong: manifest, structure, naming
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// A plugin's directory, or a manifest to be checked alone
    #[arg(value_name = "PATH|MANIFEST")]
    path: Option<PathBuf>,
    /// The form of the output
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Write generated lists that are out of date anew
    #[arg(long)]
    fix: bool,
    /// List what `--fix` would change, and change nothing
    #[arg(long, requires = "fix", conflicts_with = "diff")]
    dry_run: bool,
    /// Show what `--fix` would change as a diff, and change nothing
    #[arg(long, requires = "fix")]
    diff: bool,
}

pub(crate) fn run(args: &CheckArgs, cx: &Context) -> Result<(), CliError> {
    let cx = &if args.format == Format::Json {
        cx.clone().with_json()
    } else {
        cx.clone()
    };
    if let Some(path) = &args.path {
        let full = cx.dir().join(path);
        if is_file(&full) {
            let shown = path.display().to_string();
            let findings = check_file(&full, &shown)?;
            let texts = BTreeMap::from([(shown, file_text(&full)?)]);
            return conclude(cx, &findings, &texts, args.format);
        }
        if !is_dir(&full) {
            return Err(
                CliError::cannot(format!("there is no `{}`", path.display()))
                    .hint("name a plugin's directory, or a manifest to be checked alone"),
            );
        }
        return project(args, &cx.clone().in_dir(full));
    }
    project(args, cx)
}

fn project(args: &CheckArgs, cx: &Context) -> Result<(), CliError> {
    let project = generate::open(cx)?;
    if args.fix {
        fix(args, &project, cx)?;
        if args.dry_run || args.diff {
            return Ok(());
        }
    }
    let findings = check_project(&project, cx)?;
    let mut texts = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.span.is_some()) {
        if !texts.contains_key(&finding.file) {
            texts.insert(
                finding.file.clone(),
                file_text(&project.root().join(&finding.file))?,
            );
        }
    }
    conclude(cx, &findings, &texts, args.format)
}

fn fix(args: &CheckArgs, project: &Project, cx: &Context) -> Result<(), CliError> {
    let plugin = project.manifest()?.name.to_string();
    let formatter = Formatter::new(tools::rustfmt);
    let plan = generate::refresh(&project.view()?, &plugin, &Catalog::builtin(), formatter)?;
    let how = CarryOutArgs {
        dry_run: args.dry_run,
        diff: args.diff,
        ..CarryOutArgs::default()
    };
    if plan.is_empty() && !how.is_preview() {
        return Ok(());
    }
    let told = Told {
        command: "hecate check --fix".to_owned(),
        done: "wrote what was out of date",
        undoes: None,
    };
    carry_out(cx, project, &plan, how, &told)
}

fn conclude(
    cx: &Context,
    findings: &[Finding],
    texts: &BTreeMap<String, String>,
    format: Format,
) -> Result<(), CliError> {
    print(cx, findings, texts, format);
    if count(findings).0 == 0 {
        Ok(())
    } else {
        Err(CliError::findings())
    }
}
