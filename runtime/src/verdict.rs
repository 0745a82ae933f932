//! Decides from a library's bytes whether it may be mapped. Nothing of it runs before that.
//!
//! `dlopen` runs constructors, so a check after it comes too late. The plugin's ELF note says all that is needed.

use std::path::{Path, PathBuf};
use std::{fs, io};

use hecate_abi::{ENTRY_SYMBOL, NOTE_OWNER, NOTE_TYPE, Note, NoteError, version};
use object::elf::{FileHeader64, PT_NOTE};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, Object, ObjectSymbol};

/// What a library said of itself, and found to be loadable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The Hecate note.
    pub note: Note,
    /// The linker's build id in hexadecimal, if it wrote one.
    pub build_id: Option<String>,
}

/// Why a library may not be mapped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The file cannot be read.
    #[error("failed to read the library `{path}`")]
    Read {
        /// The library.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Not an ELF shared library.
    #[error("the library is not an ELF shared object: {0}; bundle the plugin anew")]
    NotElf(String),
    /// Built for another machine.
    #[error(
        "the library is built for {is}, this machine is {want}: bundle the plugin for this machine"
    )]
    Target {
        /// Its architecture.
        is: String,
        /// Ours.
        want: &'static str,
    },
    /// Not made with the SDK's `export_plugin!`.
    #[error(
        "the library has no Hecate note: is `hecate_sdk::export_plugin!` in the plugin's `src/lib.rs`?"
    )]
    NoNote,
    /// The note is of a form that is not known.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Built against another ABI number.
    #[error(
        "the library speaks ABI {is} (SDK {sdk}), this host speaks ABI {want}: \
         rebuild the plugin with the SDK of this host, or use the host of that SDK"
    )]
    Abi {
        /// Its number.
        is: u32,
        /// Our number.
        want: u32,
        /// The SDK that it was built with.
        sdk: String,
    },
    /// Built with `panic = "abort"`.
    #[error(
        "the library is built with `panic = \"abort\"`, so a panic would end the host: remove that setting"
    )]
    Aborts,
    /// The entry point is missing.
    #[error(
        "the library does not export `{}`: is it stripped of its dynamic symbols?",
        ENTRY_SYMBOL.to_string_lossy()
    )]
    NoEntry,
}

/// Reads the library at `path` and decides.
///
/// # Errors
///
/// [`Refused`], with the reason and the way out. The file is only read, never mapped.
pub fn of_file(path: &Path) -> Result<Verdict, Refused> {
    let bytes = fs::read(path).map_err(|source| Refused::Read {
        path: path.to_owned(),
        source,
    })?;
    of_bytes(&bytes)
}

/// Decides about a library that is in memory.
///
/// # Errors
///
/// [`Refused`], with the reason and the way out.
pub fn of_bytes(bytes: &[u8]) -> Result<Verdict, Refused> {
    let broken = |error: object::Error| Refused::NotElf(error.to_string());
    let header = FileHeader64::<Endianness>::parse(bytes).map_err(broken)?;
    let endian = header.endian().map_err(broken)?;
    let (is, want) = (header.e_machine(endian), own_machine());
    if is != want.0 {
        return Err(Refused::Target {
            is: machine_name(is),
            want: want.1,
        });
    }
    let (mut note, mut build_id) = (None, None);
    for segment in header.program_headers(endian, bytes).map_err(broken)? {
        if segment.p_type(endian) != PT_NOTE {
            continue;
        }
        let Some(mut notes) = segment.notes(endian, bytes).map_err(broken)? else {
            continue;
        };
        while let Some(found) = notes.next().map_err(broken)? {
            if found.name() == NOTE_OWNER && found.n_type(endian) == NOTE_TYPE {
                note = Some(Note::parse(found.desc())?);
            } else if found.name() == object::elf::ELF_NOTE_GNU
                && found.n_type(endian) == object::elf::NT_GNU_BUILD_ID
            {
                build_id = Some(hex(found.desc()));
            }
        }
    }
    let note = note.ok_or(Refused::NoNote)?;
    if note.abi != version::CURRENT {
        return Err(Refused::Abi {
            is: note.abi,
            want: version::CURRENT,
            sdk: note.sdk,
        });
    }
    if !note.unwinds {
        return Err(Refused::Aborts);
    }
    let file = object::File::parse(bytes).map_err(broken)?;
    let entry = ENTRY_SYMBOL.to_bytes();
    if !file
        .dynamic_symbols()
        .any(|symbol| symbol.is_definition() && symbol.name_bytes() == Ok(entry))
    {
        return Err(Refused::NoEntry);
    }
    Ok(Verdict { note, build_id })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const fn own_machine() -> (u16, &'static str) {
    if cfg!(target_arch = "aarch64") {
        (object::elf::EM_AARCH64, "aarch64")
    } else {
        (object::elf::EM_X86_64, "x86_64")
    }
}

fn machine_name(machine: u16) -> String {
    match machine {
        object::elf::EM_X86_64 => "x86_64".to_owned(),
        object::elf::EM_AARCH64 => "aarch64".to_owned(),
        object::elf::EM_RISCV => "riscv".to_owned(),
        other => format!("machine {other}"),
    }
}
