//! `hecate.toml`: what a plugin's author may set. All of it is optional.

use serde::Deserialize;

use crate::error::CliError;

/// The settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// How the frontend is made; without it, `priv/static` is taken as it is.
    pub(crate) frontend: Option<Frontend>,
    /// What `hecate check` is to know.
    pub(crate) check: Option<CheckSettings>,
}

/// What `hecate check` is to know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckSettings {
    /// Findings that are allowed.
    #[serde(default)]
    pub(crate) allow: Vec<Allow>,
}

/// Findings of one code that are allowed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Allow {
    pub(crate) code: String,
    /// A file or a directory; without it, the whole project.
    pub(crate) path: Option<String>,
    /// Why. Without it nothing is allowed, which is a finding and not a fault of the file.
    #[serde(default)]
    pub(crate) reason: String,
}

/// A frontend with a build of its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Frontend {
    /// A shell command that writes to `priv/static`: `npm ci && npm run build`.
    pub(crate) build: String,
    /// Where it runs, relative to the project.
    #[serde(default = "here")]
    pub(crate) dir: String,
}

fn here() -> String {
    ".".to_owned()
}

impl Settings {
    /// What the file may hold.
    pub(crate) const HELP: &str = "it may hold `[frontend]` with `build = \"…\"` and `dir = \"…\"`, and `[check]` with `allow = [{ code = \"…\", path = \"…\", reason = \"…\" }]`";

    /// Reads the text of a `hecate.toml`, or says where it cannot be read.
    pub(crate) fn read(text: &str) -> Result<Self, toml_edit::de::Error> {
        toml_edit::de::from_str(text)
    }

    /// The same, for somebody who needs it.
    pub(crate) fn parse(text: &str) -> Result<Self, CliError> {
        Self::read(text).map_err(|error| {
            let line = error
                .span()
                .map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            CliError::cannot(format!("`hecate.toml`, line {line}: {}", error.message()))
                .hint(Self::HELP)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Frontend, Settings};

    #[test]
    fn a_frontend_may_have_a_build() {
        let settings = Settings::parse("[frontend]\nbuild = \"npm run build\"\n").unwrap();
        let frontend = Frontend {
            build: "npm run build".to_owned(),
            dir: ".".to_owned(),
        };
        assert_eq!(settings.frontend, Some(frontend));
        assert_eq!(Settings::parse("").unwrap(), Settings::default());
    }

    #[test]
    fn what_is_unknown_is_named_with_its_line() {
        let error = Settings::parse("[frontend]\nbuild = \"x\"\nbuid = 1\n").unwrap_err();
        assert!(
            error
                .message()
                .starts_with("`hecate.toml`, line 3: unknown field `buid`"),
            "{error}"
        );
    }
}
