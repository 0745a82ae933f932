//! No template changes without a new version: the hash of each one's files stands beside its version in
//! `versions.tsv`, and a project's `hecate.lock` can say by the version alone what a file was written from.
//!
//! `TEMPLATES=bump cargo test -p hecate-templates` raises the version of each template that has changed, and records it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::{Catalog, FOLDERS};

const RECORD: &str = "versions.tsv";
const HEAD: &str = "# Kind, version and hash of its files, written by `TEMPLATES=bump cargo test -p hecate-templates`.\n";

/// Version and hash of one kind.
type State = (u32, String);

/// What a template is: its description without the version, and its files with their names.
fn hash(id: &str) -> String {
    let mut files = BTreeMap::new();
    let mut folders = vec![FOLDERS.get_dir(id).unwrap()];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        for file in folder.files() {
            files.insert(file.path().to_str().unwrap(), file.contents());
        }
    }
    let mut hasher = blake3::Hasher::new();
    for (path, contents) in files {
        let contents = if path.ends_with("/template.toml") {
            without_version(std::str::from_utf8(contents).unwrap()).into_bytes()
        } else {
            contents.to_vec()
        };
        // Lengths first, so that nothing can move from one file to the next unseen.
        for part in [path.as_bytes(), &contents] {
            hasher.update(&part.len().to_le_bytes());
            hasher.update(part);
        }
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

fn without_version(description: &str) -> String {
    let lines = description.split_inclusive('\n');
    lines
        .filter(|line| !line.starts_with("version = "))
        .collect()
}

fn now() -> BTreeMap<String, State> {
    let catalog = Catalog::builtin();
    let kinds = catalog.kinds().into_iter();
    kinds
        .map(|id| (id.to_owned(), (catalog.kind(id).unwrap().version, hash(id))))
        .collect()
}

fn recorded(text: &str) -> BTreeMap<String, State> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let [kind, version, hash] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("`{RECORD}`: `{line}` is not kind, version and hash")
            };
            let state = (version.parse().unwrap(), hash.to_owned());
            (kind.to_owned(), state)
        })
        .collect()
}

/// The version that a kind must have, given what is recorded of it.
fn due(recorded: Option<&State>, version: u32, hash: &str) -> u32 {
    match recorded {
        Some((known, same)) if same == hash => *known,
        Some((known, _)) => version.max(known + 1),
        None => version,
    }
}

fn bump(now: &BTreeMap<String, State>, known: &BTreeMap<String, State>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = HEAD.to_owned();
    for (id, (version, hash)) in now {
        let due = due(known.get(id), *version, hash);
        let path = root.join(id).join("template.toml");
        let description = std::fs::read_to_string(&path).unwrap();
        let raised = description.replacen(
            &format!("\nversion = {version}\n"),
            &format!("\nversion = {due}\n"),
            1,
        );
        std::fs::write(&path, raised).unwrap();
        writeln!(text, "{id}\t{due}\t{hash}").unwrap();
    }
    std::fs::write(root.join(RECORD), text).unwrap();
}

#[test]
fn no_template_changes_without_a_new_version() {
    let now = now();
    let text = FOLDERS.get_file(RECORD).map(|file| file.contents_utf8());
    let known = recorded(text.flatten().unwrap_or_default());
    if std::env::var_os("TEMPLATES").is_some_and(|what| what == "bump") {
        return bump(&now, &known);
    }
    let mut wrong = Vec::new();
    for (id, state) in &now {
        match known.get(id) {
            Some(same) if same == state => {}
            Some((version, _)) => wrong.push(format!(
                "`{id}` is not what is recorded as its version {version}"
            )),
            None => wrong.push(format!("`{id}` is not recorded")),
        }
    }
    let gone = known.keys().filter(|id| !now.contains_key(*id));
    wrong.extend(gone.map(|id| format!("`{id}` is recorded and not there")));
    assert!(
        wrong.is_empty(),
        "{}\nraise and record with `TEMPLATES=bump cargo test -p hecate-templates`",
        wrong.join("\n")
    );
}

#[test]
fn a_version_rises_once_for_each_change_and_never_falls() {
    let known = (2, "a".to_owned());
    assert_eq!(due(None, 1, "a"), 1);
    assert_eq!(due(Some(&known), 2, "a"), 2);
    assert_eq!(due(Some(&known), 2, "b"), 3);
    assert_eq!(due(Some(&known), 3, "b"), 3);
    assert_eq!(due(Some(&known), 1, "b"), 3);
}

#[test]
fn a_hash_is_that_of_the_files_and_not_of_the_version() {
    let at = |version: u32| format!("description = \"x\"\nversion = {version}\n\n[[file]]\n");
    assert_eq!(without_version(&at(1)), without_version(&at(2)));
    let (one, other) = (hash("query-by-id"), hash("query-count"));
    assert_ne!(one, other);
}
