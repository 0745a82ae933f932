//! The ELF note that lets a host decide about a library without running a byte of it.

use std::fmt;

/// Section that holds the note in a plugin library.
pub const NOTE_SECTION: &str = ".note.hecate";
/// Owner field of the note, as ELF readers give it: without the closing zero.
pub const NOTE_OWNER: &[u8] = b"Hecate";
/// Type field of the note.
pub const NOTE_TYPE: u32 = 1;

const TEXT: usize = 64;
const DESCRIPTION: usize = 8 + 4 * TEXT;

/// What a plugin library says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// ABI number it was built with.
    pub abi: u32,
    /// Whether panics unwind (`panic = "abort"` would end the host).
    pub unwinds: bool,
    /// Cargo package name and version of the plugin.
    pub name: String,
    /// Version of the plugin.
    pub version: String,
    /// Version of the SDK it was built with.
    pub sdk: String,
    /// `rustc --version` of its compiler.
    pub rustc: String,
}

/// A note that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoteError;

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the note in the library is not one that this version can read")
    }
}

impl std::error::Error for NoteError {}

impl Note {
    /// Reads the description field of the note.
    ///
    /// # Errors
    ///
    /// [`NoteError`] if it is too short or its texts are not UTF-8. A longer one is a newer one: the ABI number,
    /// which comes first, then decides.
    pub fn parse(description: &[u8]) -> Result<Self, NoteError> {
        let number = |at: usize| -> Option<u32> {
            Some(u32::from_le_bytes(
                description.get(at..at + 4)?.try_into().ok()?,
            ))
        };
        let text = |nth: usize| -> Option<String> {
            let field = description.get(8 + nth * TEXT..8 + (nth + 1) * TEXT)?;
            let end = field.iter().position(|byte| *byte == 0).unwrap_or(TEXT);
            Some(std::str::from_utf8(&field[..end]).ok()?.to_owned())
        };
        let read = || {
            Some(Self {
                abi: number(0)?,
                unwinds: number(4)? == 1,
                name: text(0)?,
                version: text(1)?,
                sdk: text(2)?,
                rustc: text(3)?,
            })
        };
        read().ok_or(NoteError)
    }
}

/// The note as it lies in the library; placed in [`NOTE_SECTION`] by the SDK's `export_plugin!`.
#[repr(C, align(4))]
pub struct NoteSection {
    owner_len: u32,
    description_len: u32,
    kind: u32,
    owner: [u8; 8],
    description: [u8; DESCRIPTION],
}

impl NoteSection {
    /// The note of a library built with `sdk` by `rustc`. Texts are cut at 63 bytes.
    pub const fn new(name: &str, version: &str, sdk: &str, rustc: &str) -> Self {
        let mut description = [0; DESCRIPTION];
        copy(
            &mut description,
            0,
            &crate::version::CURRENT.to_le_bytes(),
            4,
        );
        copy(
            &mut description,
            4,
            &(cfg!(panic = "unwind") as u32).to_le_bytes(),
            4,
        );
        copy(&mut description, 8, name.as_bytes(), TEXT - 1);
        copy(&mut description, 8 + TEXT, version.as_bytes(), TEXT - 1);
        copy(&mut description, 8 + 2 * TEXT, sdk.as_bytes(), TEXT - 1);
        copy(&mut description, 8 + 3 * TEXT, rustc.as_bytes(), TEXT - 1);
        Self {
            owner_len: NOTE_OWNER.len() as u32 + 1,
            description_len: DESCRIPTION as u32,
            kind: NOTE_TYPE,
            owner: *b"Hecate\0\0",
            description,
        }
    }
}

const fn copy(to: &mut [u8; DESCRIPTION], at: usize, from: &[u8], most: usize) {
    let mut index = 0;
    while index < from.len() && index < most {
        to[at + index] = from[index];
        index += 1;
    }
}
