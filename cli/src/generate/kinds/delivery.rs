//! `hecate gen delivery`: workflows, a package and a container, which find the SDK without this machine.

use std::fmt;

use serde::Serialize;

use super::Draft;
use crate::error::CliError;
use crate::generate::request::Request;
use crate::project::SdkSource;

/// `hecate gen delivery`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewDelivery {
    pub(crate) sdk: DeliveredSdk,
    /// Whether the project is built with the same source here, so that `Cargo.lock` names what is delivered with.
    pub(crate) locked: bool,
}

/// Where other machines find the SDK. Never a path of this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DeliveredSdk {
    /// Below the project, or where the variable `HECATE_SDK` says.
    Path(Option<String>),
    Git {
        url: String,
        rev: String,
    },
    Registry,
}

impl DeliveredSdk {
    /// What other machines can make of a source of this one; `inside` is its path below the project, if it lies there.
    pub(crate) fn of(source: &SdkSource, inside: Option<String>) -> Self {
        match source {
            SdkSource::Path(_) => Self::Path(inside),
            SdkSource::Git { url, rev } => Self::Git {
                url: url.clone(),
                rev: rev.clone(),
            },
            SdkSource::Registry => Self::Registry,
        }
    }
}

impl fmt::Display for DeliveredSdk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(None) => f.write_str("path"),
            Self::Path(Some(path)) => write!(f, "path:{path}"),
            Self::Git { url, rev } => write!(f, "git:{url}#{rev}"),
            Self::Registry => f.write_str("registry"),
        }
    }
}

#[derive(Serialize)]
struct DeliveryCx {
    plugin: PluginCx,
    sdk: SdkCx,
    /// The option for cargo, with a blank before it.
    locked: &'static str,
}

#[derive(Serialize)]
struct PluginCx {
    kebab: String,
    rust_version: &'static str,
}

#[derive(Serialize, Default)]
struct SdkCx {
    kind: &'static str,
    path: String,
    url_toml: String,
    rev_toml: String,
    url_shell: String,
    rev_shell: String,
    requirement: &'static str,
}

impl SdkCx {
    fn of(sdk: &DeliveredSdk) -> Self {
        let requirement = hecate_manifest::SDK_VERSION;
        match sdk {
            DeliveredSdk::Registry => Self {
                kind: "registry",
                requirement,
                ..Self::default()
            },
            DeliveredSdk::Path(path) => Self {
                kind: "path",
                path: path.clone().unwrap_or_default(),
                ..Self::default()
            },
            DeliveredSdk::Git { url, rev } => Self {
                kind: "git",
                url_toml: toml_edit::Value::from(url.as_str()).to_string(),
                rev_toml: toml_edit::Value::from(rev.as_str()).to_string(),
                url_shell: quoted(url),
                rev_shell: quoted(rev),
                ..Self::default()
            },
        }
    }
}

/// One word for a shell, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

impl Request for NewDelivery {
    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), CliError> {
        let plugin = draft.plugin()?;
        let answers = vec![format!("--sdk={}", self.sdk)];
        if draft.is_there("delivery", &plugin, "delivery", &answers)? {
            return Ok(());
        }
        let context = DeliveryCx {
            sdk: SdkCx::of(&self.sdk),
            plugin: PluginCx {
                kebab: plugin.clone(),
                rust_version: env!("CARGO_PKG_RUST_VERSION"),
            },
            locked: if self.locked { " --locked" } else { "" },
        };
        draft.seed("delivery", &plugin, answers, &context)
    }
}
