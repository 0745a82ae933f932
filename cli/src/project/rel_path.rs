//! Paths inside a project, which cannot lead out of it.

use std::borrow::Borrow;
use std::fmt;
use std::path::{Path, PathBuf};

/// A path relative to a project's directory, with `/` between its parts. Cannot hold `..`, `.` or an empty part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub(crate) struct RelPath(String);

/// A path that is none of a project's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a path inside the project")]
pub(crate) struct RelPathError(String);

impl RelPath {
    /// Checks a path.
    pub(crate) fn new(path: impl Into<String>) -> Result<Self, RelPathError> {
        let path = path.into();
        let inside = |part: &str| {
            !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0'])
        };
        if path.split('/').all(inside) {
            Ok(Self(path))
        } else {
            Err(RelPathError(path))
        }
    }

    /// The path as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Its last part.
    pub(crate) fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The file in `root`.
    pub(crate) fn below(&self, root: &Path) -> PathBuf {
        root.join(&self.0)
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for RelPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::RelPath;

    #[test]
    fn paths_stay_inside() {
        assert_eq!(RelPath::new("src/lib.rs").unwrap().file_name(), "lib.rs");
        for outside in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a//b",
            "./a",
            "a\\b",
            "a/",
        ] {
            assert!(RelPath::new(outside).is_err(), "{outside}");
        }
    }
}
