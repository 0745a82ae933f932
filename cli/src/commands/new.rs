//! `hecate new plugin NAME`.

use std::path::PathBuf;

use hecate_templates::Catalog;

use crate::carry_out::{CarryOutArgs, Told, preview, tell};
use crate::context::Context;
use crate::error::CliError;
use crate::generate::{self, Formatter, Frontend, NewPlugin, Size};
use crate::names::{Name, check_crate};
use crate::project::{SdkSource, View, default_sdk, is_dir, is_file, list_names};
use crate::prompts::Prompts;
use crate::tools;

/// Make something new: a plugin
#[derive(Debug, clap::Args)]
pub(crate) struct NewArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Plugin(PluginArgs),
}

/// Make a plugin: a project that compiles, passes its tests, and serves a page
#[derive(Debug, clap::Args)]
pub(crate) struct PluginArgs {
    /// Its technical name, with hyphens: `my-plugin`
    name: Option<String>,
    /// How much it keeps
    #[arg(long, value_enum, default_value = "full")]
    size: Size,
    /// The page that it begins with
    #[arg(long, value_enum, default_value = "vanilla")]
    frontend: Frontend,
    /// Where it goes, instead of a directory of its name
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Where it finds `hecate-sdk`: `path:DIR`, `git:URL#REV` or `registry` [default: the checkout of this `hecate`]
    #[arg(long, value_name = "SOURCE")]
    sdk: Option<SdkSource>,
    #[command(flatten)]
    how: CarryOutArgs,
}

pub(crate) fn run(args: &NewArgs, cx: &Context) -> Result<(), CliError> {
    let What::Plugin(args) = &args.what;
    let name = match &args.name {
        Some(name) => name.clone(),
        None => Prompts::of(
            cx,
            "`hecate new plugin` needs a NAME",
            "hecate new plugin my-plugin",
        )?
        .plugin_name()?,
    };
    let command = make_plugin(
        &name,
        (args.size, args.frontend),
        args.dir.clone(),
        args.sdk.clone(),
        args.how,
        cx,
    )?;
    if args.name.is_none() {
        cx.printer()
            .note(&format!("the same without questions: {command}"));
    }
    Ok(())
}

/// Makes a plugin, or shows what would be made. Gives the command that asks for the same.
fn make_plugin(
    name: &str,
    (size, frontend): (Size, Frontend),
    dir: Option<PathBuf>,
    sdk: Option<SdkSource>,
    how: CarryOutArgs,
    cx: &Context,
) -> Result<String, CliError> {
    let name = plugin_name(name)?;
    let kebab = name.kebab();
    let root = cx
        .dir()
        .join(dir.clone().unwrap_or_else(|| kebab.clone().into()));
    if is_file(&root) || (is_dir(&root) && !list_names(&root)?.is_empty()) {
        return Err(
            CliError::cannot(format!("`{}` is there already", root.display()))
                .hint("take another name, another place with `--dir DIR`, or move it away"),
        );
    }
    let mut command = format!("hecate new plugin {kebab}");
    if size != Size::Full {
        command.push_str(&format!(" --size {}", size.word()));
    }
    if frontend != Frontend::Vanilla {
        command.push_str(&format!(" --frontend {}", frontend.word()));
    }
    if let Some(dir) = &dir {
        command.push_str(&format!(" --dir {}", dir.display()));
    }
    if let Some(sdk) = &sdk {
        command.push_str(&format!(" --sdk {sdk}"));
    }
    let sdk = match sdk {
        Some(sdk) => sdk.resolve(cx.dir())?,
        None => default_sdk()?,
    };
    let author = tools::git(cx.dir(), &["config", "user.name"]).map(|name| name.trim().to_owned());
    let request = NewPlugin {
        name,
        size,
        frontend,
        sdk,
        author: author
            .filter(|author| !author.is_empty())
            .unwrap_or_else(|| "unknown".to_owned()),
    };
    let catalog = Catalog::builtin();
    let formatter = Formatter::new(tools::rustfmt);
    let plan = generate::plan(&request, &View::default(), &catalog, formatter)?;
    if how.is_preview() {
        preview(cx, &plan, how)?;
        return Ok(command);
    }
    generate::apply_new(&root, &plan)?;
    // A project without a repository works as well.
    if tools::git(&root, &["rev-parse", "--is-inside-work-tree"]).is_none() {
        _ = tools::git(&root, &["init", "--quiet"]);
    }
    let shown = root
        .strip_prefix(cx.dir())
        .unwrap_or(&root)
        .display()
        .to_string();
    let done = format!("made the plugin {kebab} in `{shown}`\n\nnext: cd {shown} && hecate dev");
    tell(
        cx,
        &plan,
        &Told {
            command: command.clone(),
            done: &done,
            undoes: None,
        },
    );
    Ok(command)
}

/// A name that resembles the one that was given, and would do.
fn suggested(error: &hecate_manifest::NameError) -> Option<String> {
    let name = Name::parse_kebab(error.suggestion.as_ref()?.as_str()).ok()?;
    Some(match check_crate(&name) {
        Ok(()) => name.kebab(),
        Err(reserved) => reserved.suggestion().kebab(),
    })
}

/// Checks the name of a plugin, which is also that of its package.
pub(crate) fn plugin_name(text: &str) -> Result<Name, CliError> {
    let name = hecate_manifest::PluginName::parse(text).map_err(|error| {
        let shown = CliError::usage(error.to_string());
        match suggested(&error) {
            Some(suggestion) => shown.hint(format!("did you mean `{suggestion}`?")),
            None => shown
                .hint("a plugin's name is made of small letters, digits and hyphens: `my-plugin`"),
        }
    })?;
    let name = Name::parse_kebab(name.as_str())
        .map_err(|error| CliError::usage(format!("`{text}` cannot be a plugin's name: {error}")))?;
    check_crate(&name).map_err(|error| {
        CliError::usage(format!("`{text}` cannot be a plugin's name: {error}")).hint(format!(
            "call it `{}`, for instance",
            error.suggestion().kebab()
        ))
    })?;
    Ok(name)
}
