//! `hecate check`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hecate_manifest::Manifest;
use hecate_manifest::rules::Finding;
use hecate_templates::Catalog;

use crate::carry_out::{CarryOutArgs, Told, carry_out};
use crate::check::{Format, check_file, check_project, count, mended, print};
use crate::context::Context;
use crate::error::CliError;
use crate::generate::{self, Formatter, Plan};
use crate::project::{MANIFEST, Project, file_text, is_dir, is_file};
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
    /// Write generated lists that are out of date anew, and make the fixes that are safe
    #[arg(long)]
    fix: bool,
    /// With `--fix`, make also the fixes that somebody should look at
    #[arg(long, requires = "fix")]
    unsafe_fixes: bool,
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
    let mut project = generate::open(cx)?;
    let mut findings = check_project(&project, cx)?;
    if args.fix {
        let changes = fix(args, &project, &findings, cx)?;
        if args.dry_run || args.diff {
            return Ok(());
        }
        if changes {
            // The manifest may be one of the files that were mended.
            project = generate::open(cx)?;
            findings = check_project(&project, cx)?;
        }
    }
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

/// Makes the fixes, or shows them. Says whether there were any.
fn fix(
    args: &CheckArgs,
    project: &Project,
    findings: &[Finding],
    cx: &Context,
) -> Result<bool, CliError> {
    let view = project.view()?;
    let mut wanted = mended(&view, findings, args.unsafe_fixes);
    let mut after = project.view()?;
    for (path, bytes) in &wanted {
        after = after.with(path.clone(), bytes.clone());
    }
    // The manifest may be what is mended.
    let manifest = after.text(MANIFEST)?.map(Manifest::parse);
    if let Some(Ok(manifest)) = manifest {
        let formatter = Formatter::new(tools::rustfmt);
        let name = manifest.name.to_string();
        let lists = generate::refresh(&after, &name, &Catalog::builtin(), formatter)?;
        let lists = lists.steps.into_iter();
        wanted.extend(lists.filter_map(|step| Some((step.path, step.after?))));
    } else if wanted.is_empty() {
        // Nothing follows from a manifest that cannot be read.
        project.manifest()?;
    }
    let plan = Plan::between(&view, wanted);
    let how = CarryOutArgs {
        dry_run: args.dry_run,
        diff: args.diff,
        ..CarryOutArgs::default()
    };
    if plan.is_empty() && !how.is_preview() {
        return Ok(false);
    }
    let told = Told {
        command: if args.unsafe_fixes {
            "hecate check --fix --unsafe-fixes".to_owned()
        } else {
            "hecate check --fix".to_owned()
        },
        done: "wrote what was out of date",
        undoes: None,
    };
    // What reads a log or annotations takes nothing else.
    let is_for_programs = matches!(args.format, Format::Sarif | Format::Github);
    if is_for_programs && !how.is_preview() {
        carry_out(&cx.clone().without_results(), project, &plan, how, &told)?;
    } else {
        carry_out(cx, project, &plan, how, &told)?;
    }
    Ok(true)
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
