//! What the rules are told about the manifest's surroundings.

use std::fmt;

use semver::Version;

use super::Severity;

/// What a manifest is checked against. The default knows nothing but the manifest.
#[derive(Clone, Copy, Default)]
pub struct Context<'a> {
    /// Whether the manifest belongs to a project of ours.
    pub scope: Scope,
    /// The SDK that the plugin is built with.
    pub sdk: Option<&'a Version>,
    /// What the plugin's `Cargo.toml` says.
    pub cargo: Option<CargoVersion<'a>>,
    /// Answers whether a file exists, by its path relative to the manifest's directory. Never asked about an
    /// absolute path or one with `..`.
    pub files: Option<&'a dyn Fn(&str) -> bool>,
}

/// How much is expected of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// In a project made by our tools, where everything is expected to be in order.
    Project,
    /// By itself, perhaps one of upstream's.
    #[default]
    Alone,
}

/// The version of the plugin's package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CargoVersion<'a> {
    /// The version as it stands there.
    pub version: &'a str,
    /// The file it stands in, as people are to read it.
    pub file: &'a str,
}

impl Scope {
    /// An error in a project, a warning alone.
    pub(super) const fn severity(self) -> Severity {
        match self {
            Self::Project => Severity::Error,
            Self::Alone => Severity::Warning,
        }
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("scope", &self.scope)
            .field("sdk", &self.sdk)
            .field("cargo", &self.cargo)
            .finish_non_exhaustive()
    }
}
