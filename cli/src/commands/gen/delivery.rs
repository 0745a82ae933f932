//! `hecate gen delivery`: how the plugin is checked and released.

use super::generator::{Generator, spoken};
use crate::carry_out::CarryOutArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::generate::{DeliveredSdk, NewDelivery};
use crate::project::SdkSource;

/// Make what checks and releases the plugin: workflows for GitHub, a package, a container file
#[derive(Debug, clap::Args)]
pub(super) struct DeliveryArgs {
    /// Where other machines find `hecate-sdk`: `path:DIR`, `git:URL#REV` or `registry` [default: as this one]
    #[arg(long, value_name = "SOURCE")]
    sdk: Option<SdkSource>,
    #[command(flatten)]
    how: CarryOutArgs,
}

pub(super) fn run(args: DeliveryArgs, cx: &Context) -> Result<(), CliError> {
    let generator = Generator::open(cx)?;
    let here = generator.sdk()?;
    let asked = match args.sdk {
        Some(sdk) => sdk.resolve(cx.dir())?,
        None => here.clone(),
    };
    let inside = match &asked {
        SdkSource::Path(path) => generator.inside(path)?,
        _ => None,
    };
    let sdk = DeliveredSdk::of(&asked, inside);
    let kind = std::mem::discriminant;
    // A path is locked without its place; a commit is locked as such.
    let locked = match (&asked, &here) {
        (SdkSource::Git { .. }, here) => asked == *here,
        (asked, here) => kind(asked) == kind(here),
    };
    let options = match &asked {
        SdkSource::Path(_) if sdk == DeliveredSdk::Path(None) => {
            cx.printer().note(
                "the SDK lies on this machine alone: other ones need the variable HECATE_SDK, or make this anew with `--sdk git:URL#REV`",
            );
            Vec::new()
        }
        _ => vec![format!("--sdk {sdk}")],
    };
    let command = spoken("hecate gen delivery", &[], &[], &options);
    let done = "made .github/workflows and delivery/: `sh delivery/package` makes what is released";
    generator.carry_out(&NewDelivery { sdk, locked }, args.how, command, done, false)
}
