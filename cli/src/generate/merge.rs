//! The three-way merge: what the user made of a generated file, carried over to what would be generated now.
//!
//! The merge itself is `diffy`'s. Line ends and byte order mark stay as the user has them.

use super::face;
use crate::error::CliError;

/// What begins and ends a passage that could not be merged, and what stands between the two sides.
const MARKERS: [&str; 3] = ["<<<<<<< ", "=======", ">>>>>>> "];

/// What came of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Merged {
    /// The text, with markers where it conflicts.
    pub(crate) text: String,
    /// Whether it does.
    pub(crate) conflicts: bool,
}

/// `ours`, with what has changed from `base` to `theirs`.
///
/// # Errors
///
/// If `ours` has conflict markers already: nobody could tell them from new ones.
pub(crate) fn merge(path: &str, base: &str, ours: &str, theirs: &str) -> Result<Merged, CliError> {
    must_be_settled(path, ours)?;
    let mut conflicts = false;
    let text = face::keep(ours, |ours| {
        Ok(diffy::merge(base, ours, theirs).unwrap_or_else(|marked| {
            conflicts = true;
            marked
        }))
    })?;
    Ok(Merged { text, conflicts })
}

/// Refuses a file that was left in the middle of a merge.
pub(crate) fn must_be_settled(path: &str, text: &str) -> Result<(), CliError> {
    match marked_line(text) {
        Some(line) => Err(CliError::cannot(format!(
            "`{path}`, line {line}: a merge was left unfinished here"
        ))
        .hint("keep one of the two sides, or both, and remove the lines with `<<<<<<<`, `=======` and `>>>>>>>`")),
        None => Ok(()),
    }
}

/// The first line of a conflict that is all there: a single marker may be somebody's text.
fn marked_line(text: &str) -> Option<usize> {
    let [begin, between, end] = MARKERS;
    let place = |marker: &str| {
        text.lines()
            .position(|line| line.trim_end_matches('\r').starts_with(marker))
    };
    let at = place(begin)?;
    place(between)?;
    place(end)?;
    Some(at + 1)
}

#[cfg(test)]
mod tests {
    use super::{Merged, merge, must_be_settled};

    const BASE: &str = "one\ntwo\nthree\nfour\nfive\n";

    #[test]
    fn what_both_changed_elsewhere_is_all_there() {
        let ours = "one, mine\ntwo\nthree\nfour\nfive\n";
        let theirs = "one\ntwo\nthree\nfour\nfive, new\n";
        let merged = merge("a.rs", BASE, ours, theirs).unwrap();
        assert_eq!(
            merged,
            Merged {
                text: "one, mine\ntwo\nthree\nfour\nfive, new\n".to_owned(),
                conflicts: false,
            }
        );
    }

    #[test]
    fn what_both_changed_at_one_place_is_marked_with_all_three() {
        let merged = merge("a.rs", "a\n", "mine\n", "new\n").unwrap();
        assert!(merged.conflicts);
        assert_eq!(
            merged.text,
            "<<<<<<< ours\nmine\n||||||| original\na\n=======\nnew\n>>>>>>> theirs\n"
        );
    }

    #[test]
    fn line_ends_stay_those_of_the_user() {
        let ours = BASE.replace('\n', "\r\n").replace("one", "mine");
        let theirs = BASE.replace("five", "new");
        let merged = merge("a.rs", BASE, &ours, &theirs).unwrap();
        assert_eq!(merged.text, "mine\r\ntwo\r\nthree\r\nfour\r\nnew\r\n");
        assert!(!merged.conflicts);
    }

    #[test]
    fn a_half_merged_file_is_refused_with_its_line() {
        let text = "x\n<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n";
        let error = must_be_settled("src/a.rs", text).unwrap_err();
        assert_eq!(
            error.message(),
            "`src/a.rs`, line 2: a merge was left unfinished here"
        );
        must_be_settled("a.md", "Title\n=======\n").unwrap();
    }
}
