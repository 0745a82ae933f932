//! Versions, and whether a plugin asks for a newer SDK than there is.
//!
//! Whether a library *can* be loaded is not decided here: that is the ABI number's alone.

use std::fmt;

use semver::Version;

/// Version of the SDK that this build of Hecate belongs to. All crates of the workspace share it.
pub const SDK_VERSION: &str = env!("CARGO_PKG_VERSION");

/// [`SDK_VERSION`], parsed.
pub fn sdk_version() -> Version {
    SDK_VERSION
        .parse()
        .expect("cargo builds only packages with a semantic version")
}

/// What a manifest's `min_sdk_version` means for one SDK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MinSdk {
    /// The SDK is new enough.
    Satisfied,
    /// The plugin needs a newer SDK.
    TooNew {
        /// What the plugin needs.
        min: Version,
        /// What there is.
        have: Version,
    },
    /// Not a version.
    Malformed {
        /// The text as it stands in the manifest.
        text: String,
        /// The version that it probably stands for.
        suggestion: Option<Version>,
    },
    /// The manifest does not say.
    Missing,
}

/// Compares a manifest's `min_sdk_version` with the SDK there is, by semver precedence: `1.0.0-rc.1` is older
/// than `1.0.0`, and build metadata does not count.
pub fn check_min_sdk(min: Option<&str>, have: &Version) -> MinSdk {
    let Some(text) = min else {
        return MinSdk::Missing;
    };
    let Ok(min) = Version::parse(text) else {
        return MinSdk::Malformed {
            text: text.to_owned(),
            suggestion: suggest_version(text),
        };
    };
    if min.cmp_precedence(have).is_gt() {
        let have = have.clone();
        return MinSdk::TooNew { min, have };
    }
    MinSdk::Satisfied
}

/// The version that `text` probably stands for: `0.1` is `0.1.0`, and so is `~> 0.1`.
///
/// Nothing if it is no version by any reading.
pub fn suggest_version(text: &str) -> Option<Version> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || "v=^~<>".contains(c));
    let (core, rest) = text.split_at(text.find(['-', '+']).unwrap_or(text.len()));
    let mut numbers = core
        .split('.')
        .map(|number| number.parse::<u64>().ok())
        .collect::<Option<Vec<_>>>()?;
    if numbers.len() > 3 {
        return None;
    }
    numbers.resize(3, 0);
    let [major, minor, patch] = numbers[..] else {
        return None;
    };
    Version::parse(&format!("{major}.{minor}.{patch}{rest}")).ok()
}

impl fmt::Display for MinSdk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Satisfied => write!(f, "the SDK is new enough"),
            Self::TooNew { min, have } => {
                write!(
                    f,
                    "the plugin needs SDK `{min}` or newer, and this is `{have}`"
                )
            }
            Self::Malformed { text, .. } => {
                let text = text.escape_debug();
                write!(
                    f,
                    "`min_sdk_version` is `{text}`, which is not a semantic version"
                )
            }
            Self::Missing => write!(f, "the manifest has no `min_sdk_version`"),
        }
    }
}

#[cfg(test)]
mod tests;
