//! The directory of a plugin's files: one directory for each, with its content and what is known about it.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::incoming::{ABOUT, CONTENT, INCOMING, Incoming, Whole};
use super::name::FileName;
use crate::api::chain;
use crate::paths::Paths;

/// The most entries of one page.
const MAX_PAGE: usize = 1000;
/// How names of what is being removed begin.
const LEAVING: &str = ".leaving-";

/// The files of a plugin, below its `files/`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Files {
    shelf: Arc<Shelf>,
}

#[derive(Debug)]
struct Shelf {
    dir: PathBuf,
    /// Whether the directory is there, and free of what an earlier process left over.
    ready: OnceCell<()>,
}

/// What a file is asked for by. Ids rise in the order in which files were stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct FileId(pub(super) Uuid);

/// A file that was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredFile {
    /// What it is asked for by.
    pub id: FileId,
    /// What its owner calls it.
    #[serde(deserialize_with = "as_stored")]
    pub name: FileName,
    /// Media type, as its sender said or its name suggests.
    pub content_type: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its content, in 64 hexadecimal digits.
    pub sha256: String,
    /// When it was whole, in UTC.
    pub stored_at: Timestamp,
}

/// Some of the files, in the order in which they were stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FilePage {
    /// The files.
    pub items: Vec<StoredFile>,
    /// What to ask for the files behind these with, if there are any.
    pub next: Option<FileId>,
}

/// Why a file cannot be read, listed or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// There is none with this id.
    #[error("there is no file `{id}`")]
    NotFound {
        /// What was asked for.
        id: String,
    },
    /// Its content is not what was stored, or its description is gone.
    #[error("the file `{id}` is damaged: {reason}")]
    Damaged {
        /// What was asked for.
        id: String,
        /// What is wrong.
        reason: String,
    },
    /// The disk refuses.
    #[error("failed to reach the files in `{}`", path.display())]
    Storage {
        /// Directory of the files.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Files {
    /// The files of the plugin with these directories. Touches no disk yet.
    pub fn new(paths: &Paths) -> Self {
        Self {
            shelf: Arc::new(Shelf {
                dir: paths.data().join("files"),
                ready: OnceCell::new(),
            }),
        }
    }

    /// What is known about a file.
    ///
    /// # Errors
    ///
    /// [`FileError::NotFound`] also for what is no id at all.
    pub async fn find(&self, id: &str) -> Result<StoredFile, FileError> {
        let id: FileId = id.parse()?;
        self.blocking(move |dir| read(dir, id)).await
    }

    /// Where the content of a file lies, for programs that want a path. It must only be read.
    ///
    /// # Errors
    ///
    /// As [`find`](Self::find).
    pub async fn path(&self, id: &str) -> Result<PathBuf, FileError> {
        let file = self.find(id).await?;
        Ok(file.content(&self.shelf.dir))
    }

    /// Files in the order in which they were stored: at most `limit` (1000), those behind `after`.
    ///
    /// # Errors
    ///
    /// [`FileError::Storage`]. A damaged file is left out, and said in the log.
    pub async fn list(&self, after: Option<FileId>, limit: usize) -> Result<FilePage, FileError> {
        let limit = limit.clamp(1, MAX_PAGE);
        self.blocking(move |dir| {
            let mut ids: Vec<FileId> = names(dir)
                .map_err(|source| storage(dir, source))?
                .iter()
                .filter_map(|name| name.parse().ok())
                .filter(|id| after.is_none_or(|after| *id > after))
                .collect();
            ids.sort_unstable();
            let next = ids.get(limit).and(ids.get(limit - 1)).copied();
            ids.truncate(limit);
            let found = ids.into_iter().filter_map(|id| match read(dir, id) {
                Ok(file) => Some(Ok(file)),
                // Removed since the names were read.
                Err(FileError::NotFound { .. }) => None,
                Err(error @ FileError::Damaged { .. }) => {
                    tracing::error!(error = chain(&error), "a file is left out of the list");
                    None
                }
                Err(error) => Some(Err(error)),
            });
            let items = found.collect::<Result<_, _>>()?;
            Ok(FilePage { items, next })
        })
        .await
    }

    /// Removes a file. Who is reading it reads it to its end.
    ///
    /// # Errors
    ///
    /// [`FileError::NotFound`] if there is none, or somebody else was quicker.
    pub async fn delete(&self, id: &str) -> Result<(), FileError> {
        let id: FileId = id.parse()?;
        self.blocking(move |dir| {
            let leaving = dir.join(format!("{LEAVING}{id}"));
            match fs::rename(id.path(dir), &leaving) {
                Err(source) if source.kind() == io::ErrorKind::NotFound => Err(not_found(id)),
                Err(source) => Err(storage(dir, source)),
                Ok(()) => {
                    sync(dir).map_err(|source| storage(dir, source))?;
                    // It is gone for good; this gives the space back, or the next start does.
                    if let Err(error) = fs::remove_dir_all(&leaving) {
                        tracing::warn!(%error, %id, "the space of a removed file is not free yet");
                    }
                    Ok(())
                }
            }
        })
        .await
    }

    /// Begins a file that comes in.
    pub(super) async fn begin(&self) -> io::Result<Incoming> {
        let dir = self.shelf.dir.clone();
        let prepared = self.shelf.ready.get_or_try_init(|| {
            let dir = dir.clone();
            off(move || prepare(&dir))
        });
        prepared.await?;
        off(move || Incoming::begin(&dir)).await
    }

    /// Gives files their places: all of them, or none.
    pub(super) async fn keep(&self, files: Vec<Whole>) -> io::Result<Vec<StoredFile>> {
        let dir = self.shelf.dir.clone();
        off(move || {
            let mut kept = Vec::new();
            let keep_all = || {
                for file in files {
                    kept.push(file.keep(&dir)?);
                }
                sync(&dir)
            };
            if let Err(error) = keep_all() {
                for file in kept {
                    // The first error is the one to tell; what stays is whole, and can be listed and removed.
                    _ = fs::remove_dir_all(file.path(&dir));
                }
                return Err(error);
            }
            Ok(kept)
        })
        .await
    }

    pub(super) fn dir(&self) -> &Path {
        &self.shelf.dir
    }

    async fn blocking<T, F>(&self, work: F) -> Result<T, FileError>
    where
        T: Send + 'static,
        F: FnOnce(&Path) -> Result<T, FileError> + Send + 'static,
    {
        let dir = self.shelf.dir.clone();
        let path = dir.clone();
        match spawn_blocking(move || work(&dir)).await {
            Ok(result) => result,
            Err(error) => Err(FileError::Storage {
                path,
                source: error.into(),
            }),
        }
    }
}

impl FileId {
    pub(super) fn path(self, shelf: &Path) -> PathBuf {
        shelf.join(self.to_string())
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for FileId {
    type Err = FileError;

    /// Takes the one form that ids are written in, so that one file has one address.
    fn from_str(text: &str) -> Result<Self, FileError> {
        let id = Uuid::try_parse(text).map(Self);
        let id = id.ok().filter(|id| id.to_string() == text);
        id.ok_or_else(|| FileError::NotFound {
            id: text.to_owned(),
        })
    }
}

impl<'de> Deserialize<'de> for FileId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl StoredFile {
    pub(super) fn path(&self, shelf: &Path) -> PathBuf {
        self.id.path(shelf)
    }

    pub(super) fn content(&self, shelf: &Path) -> PathBuf {
        self.path(shelf).join(CONTENT)
    }
}

/// Runs `work` on a thread that may block.
pub(super) async fn off<T, F>(work: F) -> io::Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> io::Result<T> + Send + 'static,
{
    spawn_blocking(work).await?
}

/// Brings the entries of a directory to the disk.
pub(super) fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// A name that was good when its file was stored is good for ever.
fn as_stored<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<FileName, D::Error> {
    String::deserialize(deserializer).map(FileName)
}

fn read(dir: &Path, id: FileId) -> Result<StoredFile, FileError> {
    let damaged = |reason: String| FileError::Damaged {
        id: id.to_string(),
        reason,
    };
    let about = match fs::read(id.path(dir).join(ABOUT)) {
        Ok(about) => about,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Err(not_found(id)),
        Err(source) => return Err(storage(dir, source)),
    };
    let file: StoredFile = serde_json::from_slice(&about)
        .map_err(|error| damaged(format!("its description cannot be read: {error}")))?;
    match fs::metadata(id.path(dir).join(CONTENT)) {
        Ok(content) if content.len() == file.bytes && file.id == id => Ok(file),
        Ok(content) => Err(damaged(format!(
            "{} bytes are there of {}",
            content.len(),
            file.bytes
        ))),
        Err(source) if source.kind() == io::ErrorKind::NotFound => {
            // Or it was removed between the two looks.
            let there = id.path(dir).join(ABOUT).exists();
            Err(if there {
                damaged("its content is gone".to_owned())
            } else {
                not_found(id)
            })
        }
        Err(source) => Err(storage(dir, source)),
    }
}

/// Makes the directory, and removes what a process that was killed had not finished.
fn prepare(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    if let Some(parent) = dir.parent() {
        sync(parent)?;
    }
    let entrance = File::open(dir)?;
    entrance.lock()?;
    for name in names(dir)? {
        if !name.starts_with(INCOMING) && !name.starts_with(LEAVING) {
            continue;
        }
        let path = dir.join(&name);
        // Another generation of this plugin may be at work on it: then it is locked, and will be finished.
        let free = File::open(&path).is_ok_and(|left_over| left_over.try_lock().is_ok());
        if free && let Err(error) = fs::remove_dir_all(&path) {
            tracing::warn!(%error, name, "what an interrupted upload left over cannot be removed");
        }
    }
    Ok(())
}

/// Names of the entries of `dir`; none if it is not there.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let names = entries.map(|entry| Ok(entry?.file_name().into_string().ok()));
    names.filter_map(Result::transpose).collect()
}

fn not_found(id: FileId) -> FileError {
    FileError::NotFound { id: id.to_string() }
}

fn storage(dir: &Path, source: io::Error) -> FileError {
    FileError::Storage {
        path: dir.to_owned(),
        source,
    }
}
