//! The fixes that findings carry, made on the bytes of a view. What becomes of the result is a plan's business.

use std::collections::BTreeMap;

use hecate_manifest::rules::{Finding, Fix};

use crate::project::{RelPath, View};

/// The files that change, with their contents after the safe fixes, or after all `with_unsafe`.
///
/// Of fixes that meet, the first one is made: the next run has the other, if it is still needed.
pub(crate) fn mended(
    view: &View,
    findings: &[Finding],
    with_unsafe: bool,
) -> BTreeMap<RelPath, Vec<u8>> {
    let mut fixes: BTreeMap<&str, Vec<&Fix>> = BTreeMap::new();
    for finding in findings {
        if let Some(fix) = finding.fix.as_deref().filter(|fix| fix.safe || with_unsafe) {
            fixes.entry(&finding.file).or_default().push(fix);
        }
    }
    let files = view.iter().filter_map(|(path, bytes)| {
        let mut fixes = fixes.remove(path.as_str())?;
        fixes.sort_by_key(|fix| fix.edits.first().map(|edit| edit.start));
        Some((path.clone(), edited(bytes, &fixes)))
    });
    files.collect()
}

fn edited(bytes: &[u8], fixes: &[&Fix]) -> Vec<u8> {
    let mut after = Vec::with_capacity(bytes.len());
    let mut done = 0;
    for fix in fixes {
        // All of a fix is made or nothing.
        let mut from = done;
        let fits = fix.edits.iter().all(|edit| {
            let fits = from <= edit.start && edit.start <= edit.end && edit.end <= bytes.len();
            from = edit.end;
            fits
        });
        if !fits {
            continue;
        }
        for edit in &fix.edits {
            after.extend_from_slice(&bytes[done..edit.start]);
            after.extend_from_slice(edit.text.as_bytes());
            done = edit.end;
        }
    }
    after.extend_from_slice(&bytes[done..]);
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(fixes: &[Fix]) -> String {
        let fixes: Vec<_> = fixes.iter().collect();
        String::from_utf8(edited(b"one two three", &fixes)).unwrap()
    }

    #[test]
    fn fixes_are_made_side_by_side() {
        let fixes = [Fix::safe("", 0..3, "1"), Fix::safe("", 8..13, "3")];
        assert_eq!(after(&fixes), "1 two 3");
        assert_eq!(after(&[]), "one two three");
    }

    #[test]
    fn of_fixes_that_meet_the_first_is_made_whole() {
        let mut both = Fix::safe("", 4..7, "2");
        both.edits.extend(Fix::safe("", 8..13, "3").edits);
        let fixes = [Fix::safe("", 0..5, "1"), both, Fix::safe("", 13..13, "!")];
        assert_eq!(after(&fixes), "1wo three!");
    }

    #[test]
    fn a_fix_that_is_not_of_this_text_is_left() {
        assert_eq!(after(&[Fix::safe("", 4..40, "2")]), "one two three");
    }
}
