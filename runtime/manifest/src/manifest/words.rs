//! Fields with a list of known words; other words are kept.

use std::fmt;

/// `plugin_type`: what kind of thing the manifest belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PluginType {
    /// `in_vm`: a library that the daemon runs. The only kind loadable here.
    InVm,
    /// `standalone`: upstream's plugin that runs as a station of its own.
    Standalone,
    /// `container`, or no `plugin_type` at all: upstream's plugin in an OCI container.
    #[default]
    Container,
    /// Any other word.
    Other(String),
}

impl PluginType {
    /// The kind that `word` names.
    pub fn parse(word: &str) -> Self {
        match word {
            "in_vm" => Self::InVm,
            "standalone" => Self::Standalone,
            "container" => Self::Container,
            _ => Self::Other(word.to_owned()),
        }
    }

    /// Whether this daemon can load it.
    pub fn is_loadable(&self) -> bool {
        *self == Self::InVm
    }

    /// The word in the manifest.
    pub fn as_str(&self) -> &str {
        match self {
            Self::InVm => "in_vm",
            Self::Standalone => "standalone",
            Self::Container => "container",
            Self::Other(word) => word,
        }
    }
}

/// `trust_level`: how far the plugin's author asks to be trusted. The operator decides, not this field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustLevel {
    /// `core`: part of the platform.
    Core,
    /// `trusted`.
    Trusted,
    /// `untrusted`.
    Untrusted,
    /// Any other word. Means what [`Self::Untrusted`] means.
    Other(String),
}

impl TrustLevel {
    /// The level that `word` names.
    pub fn parse(word: &str) -> Self {
        match word {
            "core" => Self::Core,
            "trusted" => Self::Trusted,
            "untrusted" => Self::Untrusted,
            _ => Self::Other(word.to_owned()),
        }
    }

    /// The word in the manifest.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Core => "core",
            Self::Trusted => "trusted",
            Self::Untrusted => "untrusted",
            Self::Other(word) => word,
        }
    }
}

impl fmt::Display for PluginType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for TrustLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
