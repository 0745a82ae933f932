//! The key of a home, and the keys that it trusts.

use std::fmt;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::encoding::{COMMENT, KeyFormatError, SIGNATURE_ALGORITHM, SecretKey, base64};
use super::public::{KeyId, PublicKey, to_text};

/// File of the home's secret key, mode 0600.
pub const HOME_SECRET_KEY: &str = "home.key";
/// File of the home's public key. Follows from the secret one, and is written again if it is lost.
pub const HOME_PUBLIC_KEY: &str = "home.pub";
/// Directory of the keys of others that this home trusts, each a file `*.pub`.
pub const TRUSTED_KEYS: &str = "trusted";

/// What every signature vouches for beside the bytes. Fixed, so that equal bytes have equal signatures.
const TRUSTED_COMMENT: &str = "hecate bundle";

/// The key that a home signs its own bundles with.
pub struct HomeKey {
    key: SecretKey,
}

/// A key file that could not be read, made or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It, or its directory, cannot be read.
    #[error("failed to read `{}`", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It, or its directory, cannot be written.
    #[error("failed to write `{}`", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It holds something else than a key.
    #[error("`{}` cannot be used", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: KeyFormatError,
    },
    /// A secret key that others may read or write. `chmod 600` puts it right.
    #[error("the secret key `{}` is open to others (mode {mode:03o})", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The system gives no random bytes to make a key from.
    #[error("failed to make a key")]
    Random(#[source] getrandom::Error),
}

impl HomeKey {
    /// The key in the directory `keys`; if there is none yet, a new one. The directory is made if need be, for
    /// its owner alone.
    ///
    /// Several processes may do so at once, and all get the same key. It is on the disk before it is returned.
    ///
    /// # Errors
    ///
    /// [`KeyError`] with the file concerned. A key that is there and cannot be used is never replaced.
    pub fn generate_or_load(keys: &Path) -> Result<Self, KeyError> {
        let path = keys.join(HOME_SECRET_KEY);
        let key = match Self::load(&path)? {
            Some(key) => key,
            None => Self::generate(&path)?,
        };
        key.publish(&keys.join(HOME_PUBLIC_KEY))?;
        Ok(key)
    }

    /// The id that signatures of this key name.
    pub const fn id(&self) -> KeyId {
        KeyId::new(self.key.id)
    }

    /// A minisign signature of `bytes`, as the text of a `.minisig` file. Equal bytes have equal signatures.
    pub fn sign(&self, bytes: &[u8]) -> String {
        let secret = &self.key.pair.sk;
        let no_noise = None;
        let hash = blake2b_simd::blake2b(bytes);
        let signature = secret.sign(hash.as_bytes(), no_noise);
        let signed = [&SIGNATURE_ALGORITHM[..], &self.key.id, &signature[..]].concat();
        let comment = [&signature[..], TRUSTED_COMMENT.as_bytes()].concat();
        let comment_signature = secret.sign(comment, no_noise);
        format!(
            "{COMMENT}signature of the hecate home key {id}\n{signed}\ntrusted comment: {TRUSTED_COMMENT}\n{comment_signature}\n",
            id = self.id(),
            signed = base64(&signed),
            comment_signature = base64(&comment_signature[..]),
        )
    }

    fn load(path: &Path) -> Result<Option<Self>, KeyError> {
        let failed = |source| KeyError::Read {
            path: path.to_owned(),
            source,
        };
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed)?,
        };
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let path = path.to_owned();
            return Err(KeyError::Open { path, mode });
        }
        let text = io::read_to_string(file).map_err(failed)?;
        let key = SecretKey::parse(&text).map_err(|source| KeyError::Format {
            path: path.to_owned(),
            source,
        })?;
        Ok(Some(Self { key }))
    }

    /// Makes a key, unless another process is faster, whose key it is then.
    fn generate(path: &Path) -> Result<Self, KeyError> {
        let (mut id, mut seed) = ([0; 8], [0; 32]);
        getrandom::fill(&mut id).map_err(KeyError::Random)?;
        getrandom::fill(&mut seed).map_err(KeyError::Random)?;
        let key = SecretKey::new(id, seed);
        let text = key.to_text(&format!("hecate home key {}", KeyId::new(id)));
        let failed = |source| KeyError::Write {
            path: path.to_owned(),
            source,
        };
        let temporary = write_beside(path, &text, 0o600).map_err(failed)?;
        match temporary.persist_noclobber(path) {
            Err(lost) if lost.error.kind() == ErrorKind::AlreadyExists => {}
            moved => drop(moved.map_err(|error| failed(error.error))?),
        }
        sync_parent(path).map_err(failed)?;
        Self::load(path)?.ok_or_else(|| failed(ErrorKind::NotFound.into()))
    }

    /// Sees to it that the public key's file is there and is this key's.
    fn publish(&self, path: &Path) -> Result<(), KeyError> {
        let text = to_text(self.id(), &self.key.pair.pk);
        if fs::read(path).is_ok_and(|found| found == text.as_bytes()) {
            return Ok(());
        }
        let failed = |source| KeyError::Write {
            path: path.to_owned(),
            source,
        };
        let temporary = write_beside(path, &text, 0o644).map_err(failed)?;
        temporary
            .persist(path)
            .map_err(|error| failed(error.error))?;
        Ok(())
    }
}

/// The keys that the home with the directory `keys` trusts: its own first, then those of [`TRUSTED_KEYS`] by file
/// name. None of them has to be there.
///
/// # Errors
///
/// [`KeyError`] with the file that cannot be read, or is not a public key: a list that is shorter than somebody
/// meant would be a riddle.
pub fn trusted_keys(keys: &Path) -> Result<Vec<PublicKey>, KeyError> {
    let directory = keys.join(TRUSTED_KEYS);
    let mut paths = Vec::new();
    match fs::read_dir(&directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        entries => {
            let failed = |source| KeyError::Read {
                path: directory.clone(),
                source,
            };
            for entry in entries.map_err(failed)? {
                paths.push(entry.map_err(failed)?.path());
            }
        }
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pub"));
    paths.sort();

    let mut trusted = Vec::new();
    match public_key(&keys.join(HOME_PUBLIC_KEY)) {
        Err(KeyError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {}
        home => trusted.push(home?),
    }
    for path in &paths {
        trusted.push(public_key(path)?);
    }
    Ok(trusted)
}

fn public_key(path: &Path) -> Result<PublicKey, KeyError> {
    let text = fs::read_to_string(path).map_err(|source| KeyError::Read {
        path: path.to_owned(),
        source,
    })?;
    PublicKey::parse(&text).map_err(|source| KeyError::Format {
        path: path.to_owned(),
        source,
    })
}

/// Writes `text` to a temporary file beside `path`, whole and synced, for the caller to move there.
fn write_beside(path: &Path, text: &str, mode: u32) -> io::Result<NamedTempFile> {
    let directory = parent(path);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    let mut temporary = tempfile::Builder::new()
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(directory)?;
    temporary.write_all(text.as_bytes())?;
    temporary.as_file().sync_all()?;
    Ok(temporary)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    File::open(parent(path))?.sync_all()
}

fn parent(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

impl fmt::Debug for HomeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HomeKey")
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}
