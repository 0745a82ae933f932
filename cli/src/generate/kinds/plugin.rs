//! `hecate new plugin`: the workspace, the callback, the manifest, the page.

use serde::Serialize;

use super::Draft;
use crate::error::CliError;
use crate::generate::cargo_files::sorted_lock;
use crate::generate::request::{Frontend, NewPlugin};
use crate::project::{RelPath, SdkSource};

/// What a new manifest's `$schema` names.
const SCHEMA: &str = ".hecate/schemas/manifest.json";

#[derive(Serialize)]
struct Root<'a> {
    plugin: PluginCx<'a>,
}

#[derive(Serialize)]
struct PluginCx<'a> {
    kebab: String,
    title: String,
    type_name: String,
    tag: String,
    author: &'a str,
    sdk_version: &'static str,
    sdk_requirement: String,
    rust_version: &'static str,
    /// Whether the packages of a checkout can be locked: those of git or the registry are not known before cargo looks.
    lockable: bool,
}

pub(in crate::generate) fn draft(
    draft: &mut Draft<'_>,
    request: &NewPlugin,
) -> Result<(), CliError> {
    let name = request.name.kebab();
    let sdk_version = hecate_manifest::SDK_VERSION;
    let requirement: Vec<_> = sdk_version.split('.').take(2).collect();
    let plugin = PluginCx {
        title: request.name.title(),
        type_name: request.name.type_name(),
        // A custom element's name needs a hyphen.
        tag: if name.contains('-') {
            name.clone()
        } else {
            format!("{name}-plugin")
        },
        author: &request.author,
        sdk_version,
        sdk_requirement: requirement.join("."),
        rust_version: env!("CARGO_PKG_RUST_VERSION"),
        lockable: matches!(request.sdk, SdkSource::Path(_)),
        kebab: name.clone(),
    };
    let context = Root { plugin };
    let frontend = match request.frontend {
        Frontend::None => "none",
        Frontend::Vanilla => "vanilla",
    };
    draft.seed(
        "plugin",
        &name,
        vec![format!("--frontend={frontend}")],
        &context,
    )?;
    if request.frontend == Frontend::Vanilla {
        draft.seed("plugin-vanilla", &name, Vec::new(), &context)?;
    }
    draft.merge("Cargo.lock", sorted_lock)?;
    let mut put = |path: &str, contents: &[u8]| -> Result<(), CliError> {
        let path = RelPath::new(path).map_err(|error| CliError::bug(error.to_string()))?;
        draft.put(path, contents.to_vec());
        Ok(())
    };
    // Beside the manifest that names it: editors complete and check without a network.
    put(SCHEMA, hecate_manifest::rules::MANIFEST_SCHEMA.as_bytes())?;
    match request.sdk.cargo_config() {
        Some(config) => put(".cargo/config.toml", config.as_bytes()),
        None => Ok(()),
    }
}
