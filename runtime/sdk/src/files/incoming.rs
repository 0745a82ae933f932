//! One file on its way in: hashed while it is written, below a temporary name until it is whole and on the disk.
//!
//! Dropped at any moment before [`Whole::keep`] it leaves nothing. All of this blocks.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use uuid::Uuid;

use super::name::FileName;
use super::shelf::{self, FileId, StoredFile};

/// Name of the content within a file's directory.
pub(super) const CONTENT: &str = "content";
/// Name of what is known about it.
pub(super) const ABOUT: &str = "about.json";
/// How names of what is not whole begin: neither listed nor served, and removed once nobody holds its lock.
pub(super) const INCOMING: &str = ".incoming-";

/// A file that is being written.
pub(super) struct Incoming {
    dir: Held,
    content: File,
    hasher: Sha256,
    bytes: u64,
}

/// A file that is on the disk, but not yet under its id.
pub(super) struct Whole {
    dir: Held,
    file: StoredFile,
}

/// A temporary directory, locked for as long as somebody works in it.
struct Held {
    dir: TempDir,
    _lock: File,
}

impl Incoming {
    /// Begins a file in `shelf`, which must exist.
    pub(super) fn begin(shelf: &Path) -> io::Result<Self> {
        // Whoever clears what is left over waits here, so that nothing is taken for left over before it is locked.
        let entrance = File::open(shelf)?;
        entrance.lock_shared()?;
        let dir = tempfile::Builder::new()
            .prefix(INCOMING)
            .tempdir_in(shelf)?;
        let lock = File::open(dir.path())?;
        lock.lock()?;
        let content = File::create_new(dir.path().join(CONTENT))?;
        Ok(Self {
            dir: Held { dir, _lock: lock },
            content,
            hasher: Sha256::new(),
            bytes: 0,
        })
    }

    pub(super) fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.hasher.update(chunk);
        self.bytes += chunk.len() as u64;
        self.content.write_all(chunk)
    }

    /// Brings content and description to the disk.
    pub(super) fn finish(self, name: FileName, content_type: String) -> io::Result<Whole> {
        let digest = self.hasher.finalize();
        let file = StoredFile {
            id: FileId(Uuid::now_v7()),
            name,
            content_type,
            bytes: self.bytes,
            sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            stored_at: Timestamp::now(),
        };
        self.content.sync_all()?;
        let path = self.dir.dir.path();
        let mut about = File::create_new(path.join(ABOUT))?;
        about.write_all(&serde_json::to_vec(&file)?)?;
        about.sync_all()?;
        shelf::sync(path)?;
        Ok(Whole {
            dir: self.dir,
            file,
        })
    }
}

impl Whole {
    /// Gives the file its place. It is there for good once the shelf itself is on the disk.
    pub(super) fn keep(self, shelf: &Path) -> io::Result<StoredFile> {
        std::fs::rename(self.dir.dir.path(), self.file.path(shelf))?;
        // What was its name is free; there is nothing left to remove.
        _ = self.dir.dir.keep();
        Ok(self.file)
    }
}
