//! Scripts that stand in a page itself, as some builds leave them (SvelteKit's `adapter-static`): known by their hashes,
//! so that the policy lets them run and no other. The files of a version never change, so they are read once.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// A greater page is not looked into: its inline scripts stay forbidden.
const MAX_PAGE_BYTES: u64 = 1024 * 1024;
/// A header must stay a header: a page with more inline scripts keeps the plain policy.
const MAX_SCRIPTS: usize = 32;
/// Deeper folders are not looked into.
const MAX_DEPTH: usize = 16;

/// The pages below `dir` with scripts in them: path from the mount, hashes in base64.
pub(crate) fn pages_with_scripts(dir: &Path) -> BTreeMap<String, Vec<String>> {
    let mut pages = BTreeMap::new();
    look_into(dir, "/", MAX_DEPTH, &mut pages);
    pages
}

fn look_into(dir: &Path, place: &str, depth: usize, pages: &mut BTreeMap<String, Vec<String>>) {
    // What cannot be read cannot be served either; the answer to a request says so.
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let (Ok(kind), Ok(name)) = (entry.file_type(), entry.file_name().into_string()) else {
            continue;
        };
        if kind.is_dir() && depth > 0 {
            look_into(&entry.path(), &format!("{place}{name}/"), depth - 1, pages);
        }
        let is_page = name.ends_with(".html") || name.ends_with(".htm");
        let is_small = || {
            entry
                .metadata()
                .is_ok_and(|data| data.len() <= MAX_PAGE_BYTES)
        };
        if !(kind.is_file() && is_page && is_small()) {
            continue;
        }
        let Ok(text) = fs::read_to_string(entry.path()) else {
            continue;
        };
        let hashes: Vec<_> = scripts(&text)
            .map(|script| STANDARD.encode(Sha256::digest(script)))
            .collect();
        if (1..=MAX_SCRIPTS).contains(&hashes.len()) {
            pages.insert(format!("{place}{name}"), hashes);
        }
    }
}

/// The contents of every `<script>` without `src`.
fn scripts(html: &str) -> impl Iterator<Item = &str> {
    // Of the same length, since only ASCII changes.
    let lower = html.to_ascii_lowercase();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let open = at + lower[at..].find("<script")?;
            let begin = open + lower[open..].find('>')? + 1;
            let end = begin + lower[begin..].find("</script")?;
            at = end;
            let attributes = &lower[open..begin];
            if !attributes.contains(" src=") && !attributes.contains("\nsrc=") {
                return Some(&html[begin..end]);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{pages_with_scripts, scripts};

    #[test]
    fn scripts_with_a_source_are_not_inline() {
        let page = "<SCRIPT type=module src=a.js></script><p><script>\n go(\"ü\") </Script ><script >x</script>";
        assert_eq!(scripts(page).collect::<Vec<_>>(), ["\n go(\"ü\") ", "x"]);
        for broken in ["<script", "<script>", "<script>x", ""] {
            assert_eq!(scripts(broken).count(), 0, "{broken}");
        }
    }

    #[test]
    fn a_page_is_known_by_its_path_and_its_scripts_by_their_hash() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("about")).unwrap();
        let page = "<script>alert('Hello, world.');</script>";
        std::fs::write(dir.path().join("about/index.html"), page).unwrap();
        std::fs::write(dir.path().join("index.html"), "<p>no script</p>").unwrap();
        std::fs::write(dir.path().join("page.txt"), page).unwrap();
        let pages = pages_with_scripts(dir.path());
        // The example of the Content Security Policy's own specification.
        let hash = "qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=";
        assert_eq!(pages.len(), 1);
        assert_eq!(pages["/about/index.html"], [hash]);
    }
}
