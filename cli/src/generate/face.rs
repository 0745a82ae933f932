//! The face of a merged file: its line ends and its byte order mark, which parsers do not keep.
//!
//! A parser sees plain line ends. What it leaves as it was gets its own line end back, line by line; what it adds gets
//! the one that most lines have.

use similar::{ChangeTag, TextDiff};

use crate::error::CliError;

const MARK: char = '\u{feff}';

/// Changes `text` by `change`, and keeps its line ends.
pub(super) fn keep(
    text: &str,
    change: impl FnOnce(&str) -> Result<String, CliError>,
) -> Result<String, CliError> {
    let (mark, body) = match text.strip_prefix(MARK) {
        Some(body) => (true, body),
        None => (false, text),
    };
    let changed = if body.contains("\r\n") {
        let plain = body.replace("\r\n", "\n");
        with_ends_of(body, &plain, &change(&plain)?)
    } else {
        change(body)?
    };
    Ok(if mark {
        format!("{MARK}{changed}")
    } else {
        changed
    })
}

/// `changed` with the line ends of `original`, of which `plain` is the same without carriage returns.
fn with_ends_of(original: &str, plain: &str, changed: &str) -> String {
    let ends: Vec<bool> = original
        .split_inclusive('\n')
        .map(|line| line.ends_with("\r\n"))
        .collect();
    let most = ends.iter().filter(|crlf| **crlf).count() * 2 >= ends.len();
    let diff = TextDiff::from_lines(plain, changed);
    let mut text = String::with_capacity(original.len() + changed.len() / 8);
    for part in diff.iter_all_changes() {
        let crlf = match part.tag() {
            ChangeTag::Delete => continue,
            ChangeTag::Insert => most,
            ChangeTag::Equal => part
                .old_index()
                .and_then(|line| ends.get(line).copied())
                .unwrap_or(most),
        };
        match part.value().strip_suffix('\n') {
            Some(line) if crlf => {
                text.push_str(line);
                text.push_str("\r\n");
            }
            _ => text.push_str(part.value()),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::keep;

    fn changed(text: &str, from: &str, to: &str) -> String {
        keep(text, |plain| {
            assert!(!plain.contains('\r'), "a parser sees plain line ends");
            Ok(plain.replace(from, to))
        })
        .unwrap()
    }

    #[test]
    fn line_ends_are_those_of_the_file() {
        assert_eq!(
            changed("a\r\nb\r\nc\r\n", "b\n", "b\nx\n"),
            "a\r\nb\r\nx\r\nc\r\n"
        );
        assert_eq!(changed("a\nb\n", "b\n", "b\nx\n"), "a\nb\nx\n");
        assert_eq!(changed("a\r\nb", "b", "x"), "a\r\nx");
    }

    #[test]
    fn a_file_with_both_keeps_both() {
        let text = "a\r\nb\nc\r\nd\r\n";
        assert_eq!(changed(text, "c\n", "c\nx\n"), "a\r\nb\nc\r\nx\r\nd\r\n");
        assert_eq!(changed(text, "none", ""), text);
    }

    #[test]
    fn a_byte_order_mark_stays() {
        assert_eq!(changed("\u{feff}a\r\n", "a", "b"), "\u{feff}b\r\n");
    }
}
