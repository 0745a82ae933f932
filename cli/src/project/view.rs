//! A project's files as they are, in memory: what plans are made from.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::CliError;
use crate::project::{RelPath, file_bytes, is_file, list_files};

/// The files of a project that a plan may look at or change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct View {
    files: BTreeMap<RelPath, Vec<u8>>,
}

impl View {
    /// Reads the named files where they exist, and everything below the named directories.
    pub(crate) fn read(root: &Path, files: &[&str], dirs: &[&str]) -> Result<Self, CliError> {
        let mut view = Self::default();
        for file in files {
            if is_file(&root.join(file)) {
                view.add(root, file)?;
            }
        }
        for dir in dirs {
            for file in list_files(&root.join(dir))? {
                let file = file.to_str().ok_or_else(|| {
                    CliError::cannot(format!(
                        "`{}` in `{dir}` is not a UTF-8 name",
                        file.display()
                    ))
                })?;
                view.add(root, &format!("{dir}/{file}"))?;
            }
        }
        Ok(view)
    }

    /// The bytes of a file.
    pub(crate) fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// The text of a file.
    pub(crate) fn text(&self, path: &str) -> Result<Option<&str>, CliError> {
        let text = self.get(path).map(std::str::from_utf8).transpose();
        text.map_err(|_| CliError::not_text(path))
    }

    /// Whether there is a file.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// All files, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&RelPath, &[u8])> {
        self.files
            .iter()
            .map(|(path, bytes)| (path, bytes.as_slice()))
    }

    /// The files below `dir`, with paths relative to it.
    pub(crate) fn below<'a>(&'a self, dir: &'a str) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.iter().filter_map(move |(path, bytes)| {
            let rest = path.as_str().strip_prefix(dir)?.strip_prefix('/')?;
            Some((rest, bytes))
        })
    }

    /// The view behind a change.
    #[must_use]
    pub(crate) fn with(mut self, path: RelPath, bytes: Vec<u8>) -> Self {
        self.files.insert(path, bytes);
        self
    }

    /// The view without a file.
    #[must_use]
    pub(crate) fn without(mut self, path: &str) -> Self {
        self.files.remove(path);
        self
    }

    fn add(&mut self, root: &Path, file: &str) -> Result<(), CliError> {
        let path = RelPath::new(file)
            .map_err(|error| CliError::because("a file has a name that is none", error))?;
        let bytes = file_bytes(&path.below(root))?;
        self.files.insert(path, bytes);
        Ok(())
    }
}
