//! Formats generated Rust: with rustfmt where it is installed, else the template's own layout stays.
//!
//! rustfmt takes one source at a time and costs some ten milliseconds to start, so all files go through it at once: one
//! after the other, with a marked comment between them, which it keeps where it is. What stands before a file's first
//! item (its header, its `//!` lines) cannot stand in the middle of a source and is put back afterwards.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};

use crate::error::CliError;
use crate::project::{RelPath, View};

/// Formats one source, or gives `None` where there is nothing that could.
pub(crate) type Rustfmt = fn(&str) -> Option<Result<String, String>>;

const MARK: &str = "// hecate-file: ";

/// Formats the Rust files of a plan.
#[derive(Clone, Copy)]
pub(crate) struct Formatter {
    rustfmt: Rustfmt,
}

impl Formatter {
    /// With this rustfmt.
    pub(crate) const fn new(rustfmt: Rustfmt) -> Self {
        Self { rustfmt }
    }

    /// Formats every Rust file of `files`. Where nothing can, what is in `before` and differs by its layout alone stays
    /// as it is: a project that was formatted elsewhere is not out of date here.
    pub(crate) fn format(
        self,
        files: &mut BTreeMap<RelPath, Vec<u8>>,
        before: &View,
    ) -> Result<(), CliError> {
        let mut sources = Vec::new();
        for (path, bytes) in files
            .iter()
            .filter(|(path, _)| path.as_str().ends_with(".rs"))
        {
            let text = std::str::from_utf8(bytes)
                .map_err(|_| CliError::bug(format!("`{path}` is not text")))?;
            let (head, body) = text.split_at(head_len(text));
            sources.push((path.clone(), head.to_owned(), body.to_owned()));
        }
        let all: String = sources
            .iter()
            .enumerate()
            .map(|(nth, (_, _, body))| format!("{MARK}{nth}\n\n{body}\n\n"))
            .collect();
        let formatted = match (self.rustfmt)(&all) {
            None => {
                keep_layout(files, before);
                return Ok(());
            }
            Some(Ok(formatted)) => formatted,
            Some(Err(said)) => return Err(self.blame(&sources, &said)),
        };
        let mut parts = formatted.split(MARK).skip(1);
        for (path, head, _) in sources {
            let part = parts
                .next()
                .and_then(|part| part.split_once('\n'))
                .map(|(_, body)| body.trim());
            let body =
                part.ok_or_else(|| CliError::bug("rustfmt gave fewer files back than it got"))?;
            let text = match (head.is_empty(), body.is_empty()) {
                (_, true) => head.trim_end().to_owned() + "\n",
                (true, false) => format!("{body}\n"),
                (false, false) => format!("{}\n\n{body}\n", head.trim_end()),
            };
            files.insert(path, text.into_bytes());
        }
        Ok(())
    }

    /// Finds the file that is not Rust.
    fn blame(self, sources: &[(RelPath, String, String)], said: &str) -> CliError {
        let wrong = sources
            .iter()
            .find(|(_, _, body)| matches!((self.rustfmt)(body), Some(Err(_))));
        let path = wrong.map_or_else(
            || "a generated file".to_owned(),
            |(path, _, _)| format!("`{path}`"),
        );
        CliError::bug(format!("{path} would not be Rust: {}", said.trim()))
    }
}

fn keep_layout(files: &mut BTreeMap<RelPath, Vec<u8>>, before: &View) {
    for (path, bytes) in files
        .iter_mut()
        .filter(|(path, _)| path.as_str().ends_with(".rs"))
    {
        if let Some(known) = before
            .get(path.as_str())
            .filter(|known| says_the_same(known, bytes))
        {
            *bytes = known.to_vec();
        }
    }
}

/// Whether two sources differ at most by what rustfmt may change: space, commas, braces around one expression, and the
/// order of imports. Of generated lists nothing else than a name changes.
fn says_the_same(one: &[u8], other: &[u8]) -> bool {
    let words = |bytes: &[u8]| -> Option<Vec<String>> {
        let tokens: TokenStream = std::str::from_utf8(bytes).ok()?.parse().ok()?;
        let mut words = Vec::new();
        collect(tokens, &mut words);
        words.sort_unstable();
        Some(words)
    };
    words(one).is_some_and(|words_of_one| Some(words_of_one) == words(other))
}

fn collect(tokens: TokenStream, words: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => collect(group.stream(), words),
            TokenTree::Punct(punct) if punct.as_char() == ',' => {}
            word => words.push(word.to_string()),
        }
    }
}

/// Length of a file's head: its comments before the first item, `//!` lines and inner attributes.
fn head_len(text: &str) -> usize {
    let mut len = 0;
    for line in text.split_inclusive('\n') {
        let start = line.trim_start();
        let outer = start.starts_with("///");
        if !outer
            && (start.starts_with("//") || start.starts_with("#![") || start.trim().is_empty())
        {
            len += line.len();
        } else {
            break;
        }
    }
    len
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Formatter;
    use crate::project::{RelPath, View};
    use crate::tools::rustfmt;

    fn format(files: &[(&str, &str)]) -> Vec<String> {
        let entry =
            |(path, text): &(&str, &str)| (RelPath::new(*path).unwrap(), text.as_bytes().to_vec());
        let mut files: BTreeMap<_, _> = files.iter().map(entry).collect();
        let formatter = Formatter::new(rustfmt);
        formatter.format(&mut files, &View::default()).unwrap();
        files
            .into_values()
            .map(|bytes| String::from_utf8(bytes).unwrap())
            .collect()
    }

    #[test]
    fn every_file_is_formatted_by_itself() {
        let files = [
            (
                "a.rs",
                "// @generated\n//! A.\n\n\nuse z::Z;\nuse a::A;\nfn  a( ){}\n",
            ),
            ("b.rs", "use b::B;\nmod y;\nmod x;\n/// Doc.\npub fn b(){}"),
            ("c.rs", "//! Only a head.\n"),
            ("d.txt", "fn  not( ) rust"),
        ];
        assert_eq!(
            format(&files),
            [
                "// @generated\n//! A.\n\nuse a::A;\nuse z::Z;\nfn a() {}\n",
                "use b::B;\nmod x;\nmod y;\n/// Doc.\npub fn b() {}\n",
                "//! Only a head.\n",
                "fn  not( ) rust",
            ]
        );
    }

    #[test]
    fn without_rustfmt_what_only_lies_otherwise_stays() {
        let path = || RelPath::new("a.rs").unwrap();
        let formatted = "use a::A;\nuse z::Z;\nfn a(x: X) {\n    match x {\n        X::A => {\n            b(c)\n        }\n    }\n}\n";
        let before = View::default().with(path(), formatted.into());
        let format = |text: &str| {
            let mut files = BTreeMap::from([(path(), text.into())]);
            let formatter = Formatter::new(|_| None);
            formatter.format(&mut files, &before).unwrap();
            String::from_utf8(files.remove(&path()).unwrap()).unwrap()
        };
        let drafted = "use z::Z; use a::A;\nfn a(x: X,) { match x { X::A => b(c), } }";
        assert_eq!(format(drafted), formatted);
        let other = drafted.replace("X::A", "X::B");
        assert_eq!(format(&other), other);
        assert_eq!(format("fn {"), "fn {");
    }

    #[test]
    fn what_is_not_rust_is_named() {
        let mut files = BTreeMap::from([
            (RelPath::new("good.rs").unwrap(), b"fn a() {}".to_vec()),
            (RelPath::new("bad.rs").unwrap(), b"fn {".to_vec()),
        ]);
        let formatter = Formatter::new(rustfmt);
        let error = formatter.format(&mut files, &View::default()).unwrap_err();
        assert!(
            error.message().starts_with("`bad.rs` would not be Rust"),
            "{error}"
        );
    }
}
