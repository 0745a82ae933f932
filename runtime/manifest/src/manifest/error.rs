//! Why a manifest cannot be read.

use crate::NameError;

/// A manifest that cannot be read. Paths are written as `file_types[0].label`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Not JSON; the source says where.
    #[error("the manifest is not valid JSON")]
    Json(#[source] serde_json::Error),
    /// JSON, but something else than an object.
    #[error("the manifest must be an object, and is {found}")]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// A field that every manifest has is not there.
    #[error("the manifest has no `{path}`")]
    Missing {
        /// Where the field is expected.
        path: String,
    },
    /// A field of another type than its name says.
    #[error("`{path}` must be {expected}, and is {found}")]
    Type {
        /// Where the value stands.
        path: String,
        /// What is expected there.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// `name` cannot be a plugin's name.
    #[error("the manifest's `name` cannot be used")]
    Name(#[source] NameError),
    /// `version` is not a semantic version.
    #[error("the manifest's `version` is `{}`, which is not a semantic version", text.escape_debug())]
    Version {
        /// The text as given.
        text: String,
        /// What is wrong with it.
        source: semver::Error,
    },
}
