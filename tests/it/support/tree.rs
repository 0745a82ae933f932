//! Everything below a directory, to tell whether anything has changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use walkdir::{DirEntry, WalkDir};

/// Every file with its contents, but what cargo and git keep, and logs.
pub(crate) fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let walk = WalkDir::new(root).sort_by_file_name().into_iter();
    let files = walk
        .filter_entry(|entry| !is_by_the_way(entry))
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| {
            let path = entry.path().strip_prefix(root).unwrap();
            (path.display().to_string(), fs::read(entry.path()).unwrap())
        })
        .collect()
}

fn is_by_the_way(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_str().unwrap_or_default();
    matches!(name, "target" | ".git" | "cache") || name.ends_with(".log")
}
