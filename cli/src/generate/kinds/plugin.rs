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
    size: &'static str,
    frontend: &'static str,
    /// Where the page's styles lie.
    style: &'static str,
    /// Where a screen of its own lies.
    readings: &'static str,
    /// The script that the page begins with.
    entry: &'static str,
    /// Whether the packages of a checkout can be locked: those of git or the registry are not known before cargo looks.
    lockable: bool,
}

/// `hecate new plugin`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewPlugin {
    pub(crate) name: Name,
    pub(crate) size: Size,
    pub(crate) frontend: Frontend,
    pub(crate) sdk: SdkSource,
    pub(crate) author: String,
}

/// How much a plugin keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Size {
    /// Keeps nothing: metrics, routes, a page
    Observation,
    /// Divisions whose events and rows are in memory
    Ephemeral,
    /// Divisions whose events and rows are on the disk
    #[default]
    Full,
}

impl Size {
    /// As it is given on the command line.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Observation => "observation",
            Self::Ephemeral => "ephemeral",
            Self::Full => "full",
        }
    }
}

/// The frontend that a plugin begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Frontend {
    /// No page
    None,
    /// Plain HTML and JavaScript, no build
    Vanilla,
    /// Svelte with TypeScript, built by Vite; bundling it needs Node.js
    Svelte,
    /// React with TypeScript, built by Vite; bundling it needs Node.js
    React,
}

impl Frontend {
    /// As it is given on the command line.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Vanilla => "vanilla",
            Self::Svelte => "svelte",
            Self::React => "react",
        }
    }

    /// The kinds of templates that it consists of.
    const fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::Vanilla => &["plugin-vanilla", "plugin-style"],
            Self::Svelte => &["plugin-vite", "plugin-svelte", "plugin-style"],
            Self::React => &["plugin-vite", "plugin-react", "plugin-style"],
        }
    }
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
            size: self.size.word(),
            frontend: self.frontend.word(),
            style: match self.frontend {
                Frontend::Vanilla => "priv/static/style.css",
                _ => "frontend/src/style.css",
            },
            readings: match self.frontend {
                Frontend::None => "",
                Frontend::Vanilla => "priv/static/screens/readings.js",
                Frontend::Svelte => "frontend/src/screens/Readings.svelte",
                Frontend::React => "frontend/src/screens/Readings.tsx",
            },
            entry: match self.frontend {
                Frontend::React => "main.tsx",
                _ => "main.ts",
            },
            lockable: matches!(self.sdk, SdkSource::Path(_)),
            kebab: name.clone(),
        };
        let context = Root { plugin };
        let mut answers = vec![format!("--frontend={}", self.frontend.word())];
        if self.size != Size::Full {
            answers.push(format!("--size={}", self.size.word()));
        }
        draft.seed("plugin", &name, answers, &context)?;
        if self.size == Size::Observation {
            draft.seed("plugin-observation", &name, Vec::new(), &context)?;
        }
        for kind in self.frontend.kinds() {
            draft.seed(kind, &name, Vec::new(), &context)?;
        }
        draft.merge("Cargo.lock", sorted_lock)?;
        let mut put = |path: &str, contents: &[u8]| -> Result<(), CliError> {
            let path = RelPath::new(path).map_err(|error| CliError::bug(error.to_string()))?;
            draft.put(path, contents.to_vec());
            Ok(())
        };
        if self.frontend == Frontend::Vanilla {
            // The owned list of screens; the frontend is told by it.
            put("priv/static/screens.js", b"")?;
        }
        // Beside the manifest that names it: editors complete and check without a network.
        put(SCHEMA, hecate_manifest::rules::MANIFEST_SCHEMA.as_bytes())?;
        match self.sdk.cargo_config() {
            Some(config) => put(".cargo/config.toml", config.as_bytes()),
            None => Ok(()),
        }
    }
}
