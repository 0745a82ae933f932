//! Names that people give to files: which are refused, and how one travels in a header.

use std::fmt;

use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// The longest name, in bytes of UTF-8: what file systems take.
const MAX_NAME_BYTES: usize = 255;
/// Characters of a refused name that its error repeats.
const SHOWN_CHARS: usize = 64;

/// What stands for itself in an extended header parameter (RFC 8187, `attr-char`).
const ENCODED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// What the owner of a file calls it: one line of text that is safe to save a file under, in composed Unicode (NFC).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileName(pub(super) String);

/// A name that no file may have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` cannot be the name of a file: {fault}")]
pub struct NameError {
    /// The beginning of the name, its invisible characters escaped.
    pub name: String,
    /// What is wrong with it.
    pub fault: NameFault,
}

/// What is wrong with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameFault {
    /// It has no characters, or only blanks.
    Empty,
    /// It has more than 255 bytes.
    TooLong,
    /// It is not UTF-8, or in a form that `multipart/form-data` does not have.
    Unreadable,
    /// It is a path: it has `/` or `\` in it, or a drive before it.
    Path,
    /// It has only dots.
    Dots,
    /// It has a control character, or one that reverses the text behind it.
    Control,
    /// It is a device of Windows, with or without an extension: `NUL`, `con.txt`.
    Device,
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::TooLong => "it has more than 255 bytes",
            Self::Unreadable => "it is not UTF-8 text in quotes",
            Self::Path => "it is a path",
            Self::Dots => "it has only dots",
            Self::Control => "it has invisible control characters",
            Self::Device => "it is a device of Windows",
        })
    }
}

impl FileName {
    /// Takes `text` as a name: composed, and without blanks around it.
    ///
    /// # Errors
    ///
    /// [`NameError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        // Composing makes no name this long fit, and is not done for megabytes.
        if text.len() > 4 * MAX_NAME_BYTES {
            return Err(refused(text, NameFault::TooLong));
        }
        let composed: String = text.nfc().collect();
        let name = composed.trim();
        match fault(name) {
            None => Ok(Self(name.to_owned())),
            Some(fault) => Err(refused(text, fault)),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `Content-Disposition` of RFC 6266: the name in ASCII for every client, and as it is for those that read RFC 8187.
    pub(super) fn disposition(&self, kind: &str) -> HeaderValue {
        let plain = |c: char| {
            let plain = c == ' ' || c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%');
            if plain { c } else { '_' }
        };
        let fallback: String = self.0.chars().map(plain).collect();
        let mut text = format!("{kind}; filename=\"{fallback}\"");
        if fallback != self.0 {
            text.push_str("; filename*=UTF-8''");
            text.extend(utf8_percent_encode(&self.0, &ENCODED));
        }
        // All of it is visible ASCII.
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for FileName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<FileName> for String {
    fn from(name: FileName) -> Self {
        name.0
    }
}

/// The error for `text`, which may be anything.
pub(super) fn refused(text: &str, fault: NameFault) -> NameError {
    let mut name: String = text.escape_debug().take(SHOWN_CHARS).collect();
    if text.escape_debug().nth(SHOWN_CHARS).is_some() {
        name.push('…');
    }
    NameError { name, fault }
}

fn fault(name: &str) -> Option<NameFault> {
    if name.is_empty() {
        return Some(NameFault::Empty);
    }
    if name.len() > MAX_NAME_BYTES {
        return Some(NameFault::TooLong);
    }
    if name.chars().any(is_control) {
        return Some(NameFault::Control);
    }
    if name.contains(['/', '\\']) || has_drive(name) {
        return Some(NameFault::Path);
    }
    if name.chars().all(|c| c == '.') {
        return Some(NameFault::Dots);
    }
    is_device(name).then_some(NameFault::Device)
}

/// Control characters, line ends of Unicode, and what turns the direction of text: `gpj.exe` would read `exe.jpg`.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn has_drive(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.next() == Some(':')
}

/// Windows opens a device under these names, whatever extension follows and whatever the case.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let stem = stem.to_ascii_uppercase();
    let numbered = ["COM", "LPT"]
        .iter()
        .find_map(|port| stem.strip_prefix(port));
    matches!(
        stem.as_str(),
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$"
    ) || matches!(
        numbered,
        Some("1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{FileName, NameFault};

    fn fault(text: &str) -> Option<NameFault> {
        FileName::parse(text).err().map(|error| error.fault)
    }

    #[test]
    fn names_that_lead_elsewhere_or_hide_something_are_refused() {
        let long = "é".repeat(128);
        for (text, expected) in [
            ("", NameFault::Empty),
            (" \u{a0}", NameFault::Empty),
            (&*long, NameFault::TooLong),
            (&*"a".repeat(10_000_000), NameFault::TooLong),
            ("..", NameFault::Dots),
            ("...", NameFault::Dots),
            ("../../etc/passwd", NameFault::Path),
            ("/etc/passwd", NameFault::Path),
            ("..\\..\\boot.ini", NameFault::Path),
            ("C:\\boot.ini", NameFault::Path),
            ("c:boot.ini", NameFault::Path),
            ("a\0.txt", NameFault::Control),
            ("a\r\nSet-Cookie: b", NameFault::Control),
            ("photo\u{202E}gpj.exe", NameFault::Control),
            ("NUL", NameFault::Device),
            ("con.tar.gz", NameFault::Device),
            ("Com1 .txt", NameFault::Device),
            ("LPT²", NameFault::Device),
        ] {
            assert_eq!(fault(text), Some(expected), "{:.40}", text.escape_debug());
        }
        for fine in [
            "a",
            ".htaccess",
            "Q&A: why?.pdf",
            "nullable.txt",
            "COM10",
            "日本.txt",
            "👩‍💻.png",
        ] {
            assert_eq!(fault(fine), None, "{fine}");
        }
    }

    #[test]
    fn one_name_has_one_form() {
        let (composed, decomposed) = ("M\u{e4}rz.pdf", " Ma\u{308}rz.pdf\u{3000}");
        assert_eq!(FileName::parse(decomposed).unwrap().as_str(), composed);
    }

    #[test]
    fn an_error_repeats_the_beginning_of_a_name_visibly() {
        let error = FileName::parse(&format!("a\0{}", "b".repeat(300))).unwrap_err();
        assert!(
            error.name.starts_with("a\\0bbb") && error.name.ends_with("b…"),
            "{error}"
        );
        assert!(error.name.chars().count() <= 65);
    }

    #[test]
    fn a_header_has_the_name_in_ascii_and_as_it_is() {
        let header = |name: &str| FileName::parse(name).unwrap().disposition("attachment");
        assert_eq!(header("a b.txt"), r#"attachment; filename="a b.txt""#);
        assert_eq!(
            header("M\u{e4}rz \"100%\".pdf"),
            "attachment; filename=\"M_rz _100__.pdf\"; filename*=UTF-8''M%C3%A4rz%20%22100%25%22.pdf"
        );
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_one_line_and_no_path(text in ".{0,300}") {
            if let Ok(name) = FileName::parse(&text) {
                prop_assert!(!name.as_str().contains(['/', '\\', '\0', '\r', '\n']));
                prop_assert!(name.as_str().len() <= 255);
                prop_assert_eq!(&FileName::parse(name.as_str()).unwrap(), &name);
                let header = name.disposition("inline");
                prop_assert!(header.to_str().unwrap().starts_with("inline; filename=\""));
            }
        }
    }
}
