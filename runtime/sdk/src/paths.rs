//! Where a plugin's files lie: `events/`, `sqlite/`, `files/` and `messages.db` below its data directory, and its bundle.
//!
//! [`PluginContext::paths`](crate::plugin::PluginContext::paths) has a plugin's own. What it writes beside its stores it
//! writes to [`Paths::file`], which no name from outside can leave:
//!
//! ```
//! use hecate_sdk::paths::Paths;
//!
//! let paths = Paths::new("/home/ada/.hecate/data/my-plugin", "/home/ada/.hecate/plugins/my-plugin/1");
//! assert_eq!(paths.file("maps/ghent.png")?, paths.data().join("files/maps/ghent.png"));
//! let error = paths.file("../../other/secrets").unwrap_err();
//! assert_eq!(error.to_string(), "`../../other/secrets` is not a path inside the plugin's files");
//! # Ok::<(), hecate_sdk::paths::PathError>(())
//! ```

use std::path::{Component, Path, PathBuf};

use hecate_manifest::control::StartConfig;

/// The directories of one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    data: PathBuf,
    bundle: PathBuf,
}

/// A path that would leave its directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` is not a path inside the plugin's files")]
pub struct PathError {
    /// The path.
    pub path: PathBuf,
}

impl Paths {
    /// `data` for what the plugin writes, `bundle` for what it was installed with.
    pub fn new(data: impl Into<PathBuf>, bundle: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            bundle: bundle.into(),
        }
    }

    pub(crate) fn of(config: &StartConfig) -> Self {
        Self::new(&config.data_dir, &config.bundle_dir)
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// What the plugin was installed with; read-only.
    pub fn bundle(&self) -> &Path {
        &self.bundle
    }

    /// A file of the plugin's own, below `files/`.
    ///
    /// # Errors
    ///
    /// [`PathError`] if `relative` is absolute, empty, or has a `..` in it.
    pub fn file(&self, relative: impl AsRef<Path>) -> Result<PathBuf, PathError> {
        let relative = relative.as_ref();
        let inside = relative
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !inside || relative.as_os_str().is_empty() {
            return Err(PathError {
                path: relative.to_owned(),
            });
        }
        Ok(self.data.join("files").join(relative))
    }

    /// Database of an event store.
    pub(crate) fn event_store(&self, name: &str) -> PathBuf {
        self.data.join("events").join(format!("{name}.db"))
    }

    /// Database of what is heard, remembered and still to be said.
    pub(crate) fn messages(&self) -> PathBuf {
        self.data.join("messages.db")
    }

    /// Database of the read models that follow it.
    pub(crate) fn read_model(&self, name: &str) -> PathBuf {
        self.data.join("sqlite").join(format!("{name}.db"))
    }
}

/// Whether `name` may name a database: no separators, nothing hidden, not too long.
pub(crate) fn is_file_name(name: &str) -> bool {
    let allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-'
    };
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::{Paths, is_file_name};

    #[test]
    fn files_stay_inside() {
        let paths = Paths::new("/data", "/bundle");
        assert_eq!(
            paths.file("a/b.png").unwrap().to_str(),
            Some("/data/files/a/b.png")
        );
        for outside in ["", "/etc/passwd", "../x", "a/../../x", "."] {
            assert!(paths.file(outside).is_err(), "{outside}");
        }
        assert!(is_file_name("my_items-2"));
        for bad in ["", "..", "a/b", "A", ".hidden", &"x".repeat(65)] {
            assert!(!is_file_name(bad), "{bad}");
        }
    }
}
