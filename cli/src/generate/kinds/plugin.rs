//! `hecate new plugin`: the workspace, the callback, the manifest, the page.

use serde::Serialize;

use super::Draft;
use crate::error::CliError;
use crate::generate::cargo_files::sorted_lock;
use crate::generate::request::Request;
use crate::names::Name;
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

/// `hecate new plugin`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewPlugin {
    pub(crate) name: Name,
    pub(crate) frontend: Frontend,
    pub(crate) sdk: SdkSource,
    pub(crate) author: String,
}

/// The frontend that a plugin begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Frontend {
    /// No page
    None,
    /// Plain HTML and JavaScript, no build
    Vanilla,
}

impl Request for NewPlugin {
    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), CliError> {
        let name = self.name.kebab();
        let sdk_version = hecate_manifest::SDK_VERSION;
        let requirement: Vec<_> = sdk_version.split('.').take(2).collect();
        let plugin = PluginCx {
            title: self.name.title(),
            type_name: self.name.type_name(),
            // A custom element's name needs a hyphen.
            tag: if name.contains('-') {
                name.clone()
            } else {
                format!("{name}-plugin")
            },
            author: &self.author,
            sdk_version,
            sdk_requirement: requirement.join("."),
            rust_version: env!("CARGO_PKG_RUST_VERSION"),
            lockable: matches!(self.sdk, SdkSource::Path(_)),
            kebab: name.clone(),
        };
        let context = Root { plugin };
        let frontend = match self.frontend {
            Frontend::None => "none",
            Frontend::Vanilla => "vanilla",
        };
        draft.seed(
            "plugin",
            &name,
            vec![format!("--frontend={frontend}")],
            &context,
        )?;
        if self.frontend == Frontend::Vanilla {
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
        match self.sdk.cargo_config() {
            Some(config) => put(".cargo/config.toml", config.as_bytes()),
            None => Ok(()),
        }
    }
}
