//! Which paths a bundle may hold.

use std::collections::{HashMap, HashSet};

use super::layout::{INFO, LIBRARIES, MANIFEST, SIGNATURE, STATIC_FILES};

/// A path that no bundle may hold, or not beside the others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// Not UTF-8; the path is shown with replacement characters.
    #[error("the path `{}` is not UTF-8", path.escape_debug())]
    NotUtf8 {
        /// The path.
        path: String,
    },
    /// Holds a control character, NUL among them.
    #[error("the path `{}` holds a control character", path.escape_debug())]
    Control {
        /// The path.
        path: String,
    },
    /// Starts with `/`.
    #[error("the path `{path}` is absolute")]
    Absolute {
        /// The path.
        path: String,
    },
    /// Has `..` as a component.
    #[error("the path `{path}` leads out of the bundle")]
    Parent {
        /// The path.
        path: String,
    },
    /// Has an empty component or `.`: two spellings of one path.
    #[error("the path `{path}` has an empty component")]
    EmptyComponent {
        /// The path.
        path: String,
    },
    /// Holds a backslash, which some systems take for a separator.
    #[error("the path `{path}` holds a backslash")]
    Backslash {
        /// The path.
        path: String,
    },
    /// Does not fit into the header of an entry: 255 bytes, and 100 for the last component.
    #[error("the path `{path}` is too long")]
    TooLong {
        /// The path.
        path: String,
    },
    /// Is none of the places that a bundle has.
    #[error("`{path}` has no place in a bundle")]
    OutsideLayout {
        /// The path.
        path: String,
    },
    /// Stands in the bundle twice.
    #[error("`{path}` stands in the bundle twice")]
    Duplicate {
        /// The path.
        path: String,
    },
    /// Differs from another one only in case, so that some file systems hold one of them.
    #[error("`{path}` and `{other}` differ only in case")]
    CaseClash {
        /// The path.
        path: String,
        /// The path before it.
        other: String,
    },
    /// Is a file, and a directory of another file.
    #[error("`{path}` is both a file and a directory")]
    FileAndDirectory {
        /// The path.
        path: String,
    },
}

/// Paths of one bundle, added one by one.
#[derive(Default)]
pub(super) struct Paths {
    /// By lowercase spelling.
    files: HashMap<String, String>,
    /// Lowercase spellings of all directories above them.
    directories: HashSet<String>,
}

impl Paths {
    /// Adds `path` if the bundle may hold it, beside what it holds already.
    pub(super) fn add(&mut self, path: &str) -> Result<(), PathError> {
        check_form(path)?;
        check_place(path)?;

        let path = path.to_owned();
        let folded = path.to_lowercase();
        if self.directories.contains(&folded) {
            return Err(PathError::FileAndDirectory { path });
        }
        if let Some(other) = self.files.get(&folded) {
            return Err(if *other == path {
                PathError::Duplicate { path }
            } else {
                let other = other.clone();
                PathError::CaseClash { path, other }
            });
        }
        for (end, _) in folded.match_indices('/') {
            let directory = &folded[..end];
            if let Some(file) = self.files.get(directory) {
                let path = file.clone();
                return Err(PathError::FileAndDirectory { path });
            }
            self.directories.insert(directory.to_owned());
        }
        self.files.insert(folded, path);
        Ok(())
    }
}

/// Whether `path` is one plain relative path, whatever the place.
fn check_form(path: &str) -> Result<(), PathError> {
    let owned = || path.to_owned();
    if path.contains(char::is_control) {
        return Err(PathError::Control { path: owned() });
    }
    if path.contains('\\') {
        return Err(PathError::Backslash { path: owned() });
    }
    if path.starts_with('/') {
        return Err(PathError::Absolute { path: owned() });
    }
    for component in path.split('/') {
        match component {
            ".." => return Err(PathError::Parent { path: owned() }),
            "" | "." => return Err(PathError::EmptyComponent { path: owned() }),
            _ => {}
        }
    }
    Ok(())
}

/// `lib/` holds files alone; below `priv/static/` there may be directories.
fn check_place(path: &str) -> Result<(), PathError> {
    let is_placed = matches!(path, MANIFEST | INFO | SIGNATURE)
        || path.starts_with(STATIC_FILES)
        || path
            .strip_prefix(LIBRARIES)
            .is_some_and(|file| !file.contains('/'));
    if is_placed {
        return Ok(());
    }
    Err(PathError::OutsideLayout {
        path: path.to_owned(),
    })
}
