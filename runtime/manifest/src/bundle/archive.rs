//! The container: a ustar archive in one zstd frame, in the one form that is written and read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Read};

use tar::{Archive, Builder, EntryType, Header};
use zstd::{Decoder, Encoder};

use super::error::{BundleError, LimitError};
use super::layout::Limits;
use super::path::{PathError, Paths};

/// Contents by path.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// Largest window that a frame may make the reader hold: 8 MiB, which is what level 19 uses.
const MAX_WINDOW_LOG: u32 = 23;

/// Tar counts in blocks; two of zeros end an archive.
const BLOCK_BYTES: usize = 512;

/// The header of a file. Nothing of the surroundings gets in: no time, no owner, and one mode for all, `0644`,
/// because nothing in a bundle is run as a program.
pub(super) fn header(path: &str, contents: &[u8]) -> Result<Header, PathError> {
    let mut header = Header::new_ustar();
    header.set_path(path).map_err(|_| PathError::TooLong {
        path: path.to_owned(),
    })?;
    header.set_entry_type(EntryType::Regular);
    header.set_size(contents.len() as u64);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    Ok(header)
}

/// Size in bytes of the archive that holds `contents`.
pub(super) fn size<'a>(contents: impl Iterator<Item = &'a [u8]>) -> u64 {
    let blocks: usize = contents
        .map(|contents| 1 + contents.len().div_ceil(BLOCK_BYTES))
        .sum();
    ((blocks + 2) * BLOCK_BYTES) as u64
}

/// Packs files in the order given. One thread and a fixed level: the same input has the same bytes.
pub(super) fn write<'a>(
    files: impl IntoIterator<Item = (Header, &'a [u8])>,
    level: i32,
) -> io::Result<Vec<u8>> {
    let mut encoder = Encoder::new(Vec::new(), level)?;
    encoder.include_checksum(true)?;
    let mut archive = Builder::new(encoder);
    for (header, contents) in files {
        archive.append(&header, contents)?;
    }
    archive.into_inner()?.finish()
}

/// Unpacks into memory, holding at most what `limits` allow.
pub(super) fn read(packed: &[u8], limits: &Limits) -> Result<Files, BundleError> {
    let budget = limits.unpacked_bytes_from(packed.len() as u64);
    let failed = |error| refusal(error, budget, limits);
    let mut archive = Archive::new(Budget {
        inner: one_frame(packed).map_err(failed)?,
        left: budget,
    });

    let mut paths = Paths::default();
    let mut files = Files::new();
    // Raw: extended headers are entries like any other, and refused like any other that is not a file.
    for entry in archive.entries().map_err(failed)?.raw(true) {
        let mut entry = entry.map_err(failed)?;
        let size = entry.size();
        let path = path_of_file(entry.header())?;
        paths.add(&path)?;
        limits.check_parsed(&path, size)?;
        if files.len() == limits.files {
            let limit = limits.files;
            return Err(LimitError::Files { limit }.into());
        }

        let mut contents = with_capacity(size.min(budget));
        entry.read_to_end(&mut contents).map_err(failed)?;
        if contents.len() as u64 != size {
            return Err(BundleError::Truncated);
        }
        files.insert(path, contents);
    }

    let mut stream = archive.into_inner();
    check_end(&mut stream).map_err(failed)??;
    if !stream.inner.finish().is_empty() {
        return Err(BundleError::TrailingData);
    }
    Ok(files)
}

fn one_frame(packed: &[u8]) -> io::Result<Decoder<'_, &[u8]>> {
    let mut decoder = Decoder::with_buffer(packed)?.single_frame();
    decoder.window_log_max(MAX_WINDOW_LOG)?;
    Ok(decoder)
}

/// What an error while reading means, if `budget` bytes may be read.
fn refusal(error: io::Error, budget: u64, limits: &Limits) -> BundleError {
    if is_exhausted(&error) && budget == limits.unpacked_bytes {
        return LimitError::Unpacked { limit: budget }.into();
    }
    if is_exhausted(&error) {
        let limit = limits.ratio;
        return LimitError::Ratio { limit }.into();
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => BundleError::Truncated,
        _ => BundleError::Archive(error),
    }
}

/// Exactly as much as is going to be read, where doubling could hold twice that.
fn with_capacity(bytes: u64) -> Vec<u8> {
    Vec::with_capacity(usize::try_from(bytes).unwrap_or_default())
}

/// The path of an entry that is a file, and nothing but a file.
fn path_of_file(header: &Header) -> Result<String, BundleError> {
    let shown = || String::from_utf8_lossy(&header.path_bytes()).into_owned();
    match header.entry_type() {
        EntryType::Regular => {}
        EntryType::Link | EntryType::Symlink => return Err(BundleError::Link { path: shown() }),
        EntryType::Directory => return Err(BundleError::Directory { path: shown() }),
        EntryType::Char | EntryType::Block | EntryType::Fifo => {
            return Err(BundleError::Device { path: shown() });
        }
        _ => return Err(BundleError::ExtendedHeader { path: shown() }),
    }
    let Some(ustar) = header.as_ustar() else {
        return Err(BundleError::NotUstar { path: shown() });
    };

    let name = until_padding(&ustar.name);
    let bytes = match until_padding(&ustar.prefix) {
        [] => Cow::Borrowed(name),
        prefix => Cow::Owned([prefix, b"/", name].concat()),
    };
    let path = str::from_utf8(&bytes).map_err(|_| PathError::NotUtf8 {
        path: String::from_utf8_lossy(&bytes).into_owned(),
    })?;
    Ok(path.to_owned())
}

/// A field without the zeros that fill it up. A zero before other bytes stays: readers that stop there see
/// another path, so it is refused with the other control characters.
fn until_padding(field: &[u8]) -> &[u8] {
    let end = field.iter().rposition(|byte| *byte != 0);
    &field[..end.map_or(0, |last| last + 1)]
}

/// Of the two blocks that end an archive the first has been read: expects the second and no more.
fn check_end(stream: &mut impl Read) -> io::Result<Result<(), BundleError>> {
    let mut rest = Vec::new();
    stream.take(BLOCK_BYTES as u64 + 1).read_to_end(&mut rest)?;
    Ok(match rest.len() {
        BLOCK_BYTES if rest.iter().all(|byte| *byte == 0) => Ok(()),
        0..BLOCK_BYTES => Err(BundleError::Truncated),
        _ => Err(BundleError::TrailingData),
    })
}

/// Reads no more than there is left to read, and fails where more would come.
struct Budget<R> {
    inner: R,
    left: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("more data than allowed")]
struct Exhausted;

fn is_exhausted(error: &io::Error) -> bool {
    error
        .get_ref()
        .is_some_and(|source| source.is::<Exhausted>())
}

impl<R: Read> Read for Budget<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.left.checked_sub(count as u64) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other(Exhausted)),
        }
        Ok(count)
    }
}
