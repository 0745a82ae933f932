//! What `hecate.lock` knows about, found by the words that somebody calls it by.

use std::collections::BTreeSet;

use super::lock::{Artifact, LOCK, Lock};
use crate::error::CliError;
use crate::project::{MANIFEST, View};

/// Other words for kinds: those of `hecate gen desk`.
const WORDS: [(&str, &str); 3] = [("cmd", "command"), ("prj", "projection"), ("qry", "query")];
/// A word for every kind that belongs to a division.
const DESK: &str = "desk";
/// A word for every kind that reaches beyond one division, and where those lie.
const INTEGRATION: &str = "integration";
const PLACES: [&str; 2] = ["src/integrations/", "src/processes/"];
/// Letters that a slip may have.
const SLIP: usize = 2;

/// The artifact of this kind and name. Every kind has its words, and so has each of its families: `query` is every
/// `query-…`. The name may go without its division where that is plain.
pub(super) fn find<'l>(
    lock: &'l Lock,
    kinds: &[&str],
    kind: &str,
    name: &str,
) -> Result<&'l Artifact, CliError> {
    let word = WORDS
        .iter()
        .find(|(short, _)| *short == kind)
        .map_or(kind, |(_, long)| long);
    let is_of_kind = |of: &str| is_of_kind(of, word);
    let known: BTreeSet<&str> = lock
        .artifacts()
        .map(|artifact| artifact.kind.as_str())
        .chain(
            kinds
                .iter()
                .copied()
                .filter(|kind| !kind.starts_with("owned")),
        )
        .collect();
    if ![DESK, INTEGRATION].contains(&word) && !known.iter().any(|of| is_of_kind(of)) {
        return Err(unknown_kind(kind, &known));
    }
    let of_kind: Vec<&Artifact> = lock
        .artifacts()
        .filter(|artifact| match word {
            DESK => artifact.name.contains('/'),
            INTEGRATION => artifact
                .files
                .keys()
                .any(|path| PLACES.iter().any(|place| path.starts_with(place))),
            _ => is_of_kind(&artifact.kind),
        })
        .collect();
    let mut named: Vec<&&Artifact> = of_kind
        .iter()
        .filter(|artifact| artifact.name == name || short(&artifact.name) == name)
        .collect();
    if named.iter().any(|artifact| artifact.kind == word) {
        named.retain(|artifact| artifact.kind == word);
    }
    match named.as_slice() {
        [one] => Ok(one),
        [] => Err(unknown_name(kind, name, &of_kind)),
        several => {
            let names: Vec<_> = several.iter().map(|known| shown(known)).collect();
            Err(CliError::usage(format!(
                "several things are called `{name}`: {}",
                names.join(", ")
            ))
            .hint("name its kind, and its division before a slash: `order/confirm_order`"))
        }
    }
}

fn is_of_kind(of: &str, word: &str) -> bool {
    of == word
        || of
            .strip_prefix(word)
            .is_some_and(|rest| rest.starts_with('-'))
}

/// The name without its division.
pub(super) fn short(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// What it is called in a message.
pub(super) fn shown(artifact: &Artifact) -> String {
    format!("{} `{}`", artifact.kind, artifact.name)
}

fn unknown_kind(kind: &str, known: &BTreeSet<&str>) -> CliError {
    let mut words: BTreeSet<&str> = known.iter().copied().collect();
    words.extend(WORDS.iter().flat_map(|(short, long)| [*short, *long]));
    words.extend([DESK, INTEGRATION]);
    let error = CliError::usage(format!(
        "`{kind}` is no kind of thing that `hecate gen` makes"
    ));
    match closest(&words, kind) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => {
            let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
            error.hint(format!("kinds are {}", words.join(", ")))
        }
    }
}

fn unknown_name(kind: &str, name: &str, of_kind: &[&Artifact]) -> CliError {
    let error = CliError::cannot(format!("`{LOCK}` knows no {kind} `{name}`"));
    let names: BTreeSet<&str> = of_kind
        .iter()
        .flat_map(|artifact| [artifact.name.as_str(), short(&artifact.name)])
        .collect();
    match closest(&names, name) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if of_kind.is_empty() => error.hint("`hecate list` shows what the plugin has"),
        None => {
            let names: Vec<_> = of_kind
                .iter()
                .map(|artifact| format!("`{}`", artifact.name))
                .collect();
            error
                .hint(format!("it knows {}", names.join(", ")))
                .hint("what was not made by `hecate` is changed by hand")
        }
    }
}

fn closest<'w>(words: &BTreeSet<&'w str>, given: &str) -> Option<&'w str> {
    let distance = |word: &&&str| strsim::damerau_levenshtein(word, given);
    words
        .iter()
        .min_by_key(distance)
        .filter(|word| distance(word) <= SLIP)
        .copied()
}

/// What stays in the manifest when the artifact goes: permissions for the topics of its answers. Others may need them.
pub(crate) fn leftovers(
    view: &View,
    kinds: &[&str],
    kind: &str,
    name: &str,
) -> Result<Vec<String>, CliError> {
    let lock = Lock::parse(view.text(LOCK)?)?;
    let artifact = find(&lock, kinds, kind, name)?;
    let manifest = view.text(MANIFEST)?.unwrap_or_default();
    let topics = artifact.answers.iter().map(|answer| {
        let (_, topic) = answer.split_once('=').unwrap_or(("", answer));
        format!(":{topic}")
    });
    let topics: Vec<String> = topics.collect();
    let permissions = manifest.split('"').skip(1).step_by(2);
    let is_for = |permission: &&str| topics.iter().any(|topic| permission.ends_with(topic));
    Ok(permissions.filter(is_for).map(str::to_owned).collect())
}

/// The folder that is the artifact's alone: the one that all its files are in, if it is called as the artifact is.
pub(super) fn folder(artifact: &Artifact) -> Option<String> {
    let mut files = artifact.files.keys();
    let mut parts: Vec<&str> = files.next()?.split('/').collect();
    parts.pop();
    for file in files {
        let same = parts
            .iter()
            .zip(file.split('/'))
            .take_while(|(one, other)| **one == *other)
            .count();
        parts.truncate(same);
    }
    let own = parts
        .iter()
        .rposition(|part| *part == short(&artifact.name))?;
    Some(parts[..=own].join("/"))
}

/// Whether `path` lies below `folder`.
pub(super) fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a file is rewritten by `hecate` whenever what it follows from changes.
pub(super) fn is_owned(contents: &[u8]) -> bool {
    contents.starts_with(b"// @generated by hecate")
}

/// Refuses a project in which a merge was left unfinished: what is there twice can be neither removed nor renamed.
pub(super) fn must_be_settled(view: &View) -> Result<(), CliError> {
    for (path, contents) in view.iter() {
        if let Ok(text) = std::str::from_utf8(contents)
            && text.contains("<<<<<<< ")
        {
            super::merge::must_be_settled(path.as_str(), text)?;
        }
    }
    Ok(())
}
