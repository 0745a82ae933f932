//! A plugin library in this process's memory.
#![expect(
    unsafe_code,
    reason = "dlopen, and reading the notes of what it mapped"
)]

use std::ffi::c_void;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::{ptr, slice};

use hecate_abi::{ENTRY_SYMBOL, Entry};
use libloading::os::unix;

use crate::verdict::{self, Refused, Verdict, hex};

/// A mapped library. Never unmapped: thread-locals, wakers and owned bytes of it may live anywhere.
///
/// The file must lie at a path that no other contents ever had: the loader goes by the path and would silently
/// give the old code back. A path that holds the digest does that.
#[derive(Debug)]
pub struct Library {
    entry: Entry,
    path: PathBuf,
    verdict: Verdict,
}

/// Why a library could not be mapped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// It was refused before it was mapped.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The loader refused it.
    #[error("the loader refused `{path}`")]
    Open {
        /// The library.
        path: PathBuf,
        /// The loader's words.
        source: libloading::Error,
    },
    /// Other code than that of the file is in memory.
    #[error("the code in memory (build id {mapped}) is not that of `{path}` (build id {file})")]
    OtherCode {
        /// The library.
        path: PathBuf,
        /// Build id of the file.
        file: String,
        /// Build id of what the loader gave us.
        mapped: String,
    },
}

impl Library {
    /// Maps the library at `path` after its verdict, and proves that it is that file which is mapped.
    ///
    /// # Errors
    ///
    /// [`LoadError`]; a refused library is not mapped, none of its code has run.
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        let verdict = verdict::of_file(path)?;
        let failed = |source| LoadError::Open {
            path: path.to_owned(),
            source,
        };
        // NODELETE beside never closing: a plugin's own `dlclose` of itself must not unmap it either.
        let flags = unix::RTLD_NOW | unix::RTLD_LOCAL | libc::RTLD_NODELETE;
        // SAFETY: the verdict says that this library was made for us. Its constructors are the plugin's code,
        // which whoever chose to load it in this process trusts.
        let library = unsafe { unix::Library::open(Some(path), flags) }.map_err(failed)?;
        // SAFETY: a library with our note and ABI number exports the entry with this type.
        let entry =
            unsafe { library.get::<Entry>(ENTRY_SYMBOL.to_bytes_with_nul()) }.map_err(failed)?;
        let entry = *entry;
        std::mem::forget(library);
        if let Some(file) = &verdict.build_id {
            let mapped = mapped_build_id(path).unwrap_or_default();
            if mapped != *file {
                return Err(LoadError::OtherCode {
                    path: path.to_owned(),
                    file: file.clone(),
                    mapped,
                });
            }
        }
        Ok(Self {
            entry,
            path: path.to_owned(),
            verdict,
        })
    }

    /// What the library said of itself.
    pub const fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// The file it was mapped from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) const fn entry(&self) -> Entry {
        self.entry
    }
}

/// The build id that lies in memory for the object opened as `path`.
fn mapped_build_id(path: &Path) -> Option<String> {
    let mut search = Search { path, found: None };
    // SAFETY: `visit` keeps the contract of the callback, and `search` outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut search).cast()) };
    search.found
}

struct Search<'a> {
    path: &'a Path,
    found: Option<String>,
}

unsafe extern "C" fn visit(info: *mut libc::dl_phdr_info, _: usize, search: *mut c_void) -> i32 {
    // SAFETY: the loader passes its own info and the pointer that we gave it.
    let (info, search) = unsafe { (&*info, &mut *search.cast::<Search<'_>>()) };
    if info.dlpi_name.is_null() || info.dlpi_phdr.is_null() {
        return 0;
    }
    // SAFETY: the loader's names end with a zero.
    let name = unsafe { std::ffi::CStr::from_ptr(info.dlpi_name) };
    if name.to_bytes() != search.path.as_os_str().as_bytes() {
        return 0;
    }
    // SAFETY: the loader gives as many headers as it says.
    let headers = unsafe { slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    for header in headers
        .iter()
        .filter(|header| header.p_type == libc::PT_NOTE)
    {
        let at = ptr::with_exposed_provenance::<u8>((info.dlpi_addr + header.p_vaddr) as usize);
        // SAFETY: a mapped segment of the object, which is never unmapped.
        let notes = unsafe { slice::from_raw_parts(at, header.p_memsz as usize) };
        if let Some(id) = gnu_build_id(notes) {
            search.found = Some(hex(id));
            return 1;
        }
    }
    0
}

/// Walks the notes of one segment: owner length, description length, type, then both, padded to four bytes.
fn gnu_build_id(mut notes: &[u8]) -> Option<&[u8]> {
    let word = |at: &[u8]| Some(u32::from_ne_bytes(at.get(..4)?.try_into().ok()?));
    let padded = |len: u32| (len as usize).next_multiple_of(4);
    loop {
        let (owner_len, len, kind) = (word(notes)?, word(notes.get(4..)?)?, word(notes.get(8..)?)?);
        let owner = notes.get(12..)?.get(..owner_len as usize)?;
        let description = notes.get(12 + padded(owner_len)..)?;
        if owner == b"GNU\0" && kind == object::elf::NT_GNU_BUILD_ID {
            return description.get(..len as usize);
        }
        notes = description.get(padded(len)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::gnu_build_id;

    #[test]
    fn finds_the_build_id_behind_another_note() {
        let mut notes = Vec::new();
        for (owner, kind, text) in [
            (&b"Other\0\0\0"[..], 3_u32, &b"12345\0\0\0"[..]),
            (b"GNU\0", 3, b"\xab\xcd\xef\x01"),
        ] {
            let owner_len = if owner.len() == 8 { 6_u32 } else { 4 };
            let len = if text.len() == 8 { 5_u32 } else { 4 };
            notes.extend(owner_len.to_ne_bytes());
            notes.extend(len.to_ne_bytes());
            notes.extend(kind.to_ne_bytes());
            notes.extend(owner);
            notes.extend(text);
        }
        assert_eq!(gnu_build_id(&notes), Some(&b"\xab\xcd\xef\x01"[..]));
        for end in 0..notes.len() {
            assert_eq!(gnu_build_id(&notes[..end]), None, "cut at {end}");
        }
    }
}
