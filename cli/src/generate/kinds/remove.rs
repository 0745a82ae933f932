//! `hecate remove`: what was generated goes, with its line in `hecate.lock`; what somebody made of it does not go unasked.

use std::collections::{BTreeMap, BTreeSet};

use super::Draft;
use crate::error::CliError;
use crate::generate::cargo_files::{remove_division, unlock_division};
use crate::generate::contexts::package;
use crate::generate::dependents::{
    dependents, names_of_command, names_of_division, names_of_projection, names_of_source, owner,
};
use crate::generate::lock::{Artifact, hash};
use crate::generate::recorded::{self, folder, is_below, is_owned, short, shown};
use crate::generate::request::Request;
use crate::generate::retired::retire;
use crate::generate::tree::{DivisionTree, Flag, read_division};
use crate::names::Name;
use crate::project::RelPath;

/// Where edited files are kept, out of the compiler's sight.
const KEPT: &str = ".hecate/removed";

/// Reasons that are told before it is enough.
const SHOWN: usize = 5;

/// What becomes of files that were edited since they were generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Edited {
    /// They go too; the journal has them, and `hecate undo` brings them back
    Remove,
    /// They are moved to `.hecate/removed`
    Keep,
}

/// `hecate remove`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Removal {
    /// A kind, as `hecate.lock` or the command line calls it.
    pub(crate) kind: String,
    /// Its name, with or without its division.
    pub(crate) name: String,
    /// What becomes of edited files; without a word about them there must be none.
    pub(crate) edited: Option<Edited>,
}

impl Request for Removal {
    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), CliError> {
        recorded::must_be_settled(draft.view())?;
        let artifact = draft.called(&self.kind, &self.name)?;
        if artifact.kind.starts_with("plugin") {
            return Err(CliError::cannot("a plugin is not removed from itself")
                .hint("remove its directory; `hecate uninstall` takes it out of the daemon"));
        }
        let going = Going::of(draft, &artifact);
        let subject = division_of(&artifact, &going)?;
        // A desk in a division that nothing can be made of any more goes by its files alone.
        let tree = match &subject {
            Some(subject) if going.is_division(subject) => {
                Some(read_division(draft.view(), subject)?)
            }
            Some(subject) => Some(draft.division(subject)?),
            None => None,
        };
        if let Some(tree) = &tree {
            refuse_if_needed(draft, &artifact, tree, &going)?;
        }
        self.refuse_if_edited(draft, &artifact, &going)?;
        if let Some(tree) = &tree {
            retire(draft, &tree.subject, &going.bits(tree))?;
        }
        for (path, is_edited) in &going.files {
            if *is_edited && self.edited == Some(Edited::Keep) {
                let kept = RelPath::new(format!("{KEPT}/{path}"))
                    .map_err(|error| CliError::bug(error.to_string()))?;
                let contents = draft.view().get(path.as_str()).unwrap_or_default().to_vec();
                draft.put(kept, contents);
            }
            draft.remove(path);
        }
        for (kind, name) in &going.records {
            draft.forget(kind, name);
        }
        if let Some(subject) = subject {
            if going.is_division(&subject) {
                let plugin = draft.plugin()?;
                draft.merge("Cargo.toml", |text| {
                    remove_division(text, &plugin, &subject)
                })?;
                draft.merge("Cargo.lock", |text| {
                    unlock_division(text, &plugin, &subject)
                })?;
            } else {
                draft.touch_division(&subject);
            }
        }
        Ok(())
    }
}

impl Removal {
    fn refuse_if_edited(
        &self,
        draft: &Draft<'_>,
        artifact: &Artifact,
        going: &Going,
    ) -> Result<(), CliError> {
        let edited: Vec<_> = going.edited().map(|path| format!("`{path}`")).collect();
        if edited.is_empty() || self.edited.is_some() {
            return Ok(());
        }
        let verb = if edited.len() == 1 { "was" } else { "were" };
        let has = draft.view();
        let added = going
            .edited()
            .any(|path| has.has(path.as_str()) && !going.is_recorded(path));
        let what = if added { "edited or added" } else { "edited" };
        Err(CliError::cannot(format!(
            "the {} is not as it was generated: {} {verb} {what} since",
            shown(artifact),
            edited.join(", ")
        ))
        .hint("`--edited keep` moves them to `.hecate/removed`, `--edited remove` removes them too; `--diff` shows what would go"))
    }
}

/// Everything that goes.
struct Going {
    folder: Option<String>,
    /// Each file, and whether it is somebody's work.
    files: BTreeMap<RelPath, bool>,
    /// Kinds and names in `hecate.lock`, with their files.
    records: Vec<(String, String)>,
    recorded: BTreeSet<String>,
}

impl Going {
    fn of(draft: &Draft<'_>, artifact: &Artifact) -> Self {
        let folder = folder(artifact);
        let is_within = |other: &Artifact| {
            let within =
                |file: &String| folder.as_ref().is_some_and(|folder| is_below(file, folder));
            !other.files.is_empty() && other.files.keys().all(within)
        };
        let mut records = Vec::new();
        let mut hashes: BTreeMap<&str, &str> = BTreeMap::new();
        for other in draft.lock().artifacts() {
            let is_it = (&other.kind, &other.name) == (&artifact.kind, &artifact.name);
            if is_it || is_within(other) {
                records.push((other.kind.clone(), other.name.clone()));
                hashes.extend(
                    other
                        .files
                        .iter()
                        .map(|(path, hash)| (path.as_str(), hash.as_str())),
                );
            }
        }
        let mut files = BTreeMap::new();
        for (path, contents) in draft.view().iter() {
            let recorded = hashes.get(path.as_str());
            let is_inside = folder
                .as_ref()
                .is_some_and(|folder| is_below(path.as_str(), folder));
            // Owned files of a division outside of it: its types for the frontend.
            let is_inside = is_inside
                || (artifact.kind == "division"
                    && is_owned(contents)
                    && path.file_name().split('.').next() == Some(artifact.name.as_str())
                    && path.as_str().ends_with(".ts"));
            if recorded.is_some() || is_inside {
                let as_generated = recorded.is_some_and(|known| *known == hash(contents))
                    || (recorded.is_none() && is_owned(contents));
                files.insert(path.clone(), !as_generated);
            }
        }
        let recorded = hashes.keys().map(|path| (*path).to_owned()).collect();
        Self {
            folder,
            files,
            records,
            recorded,
        }
    }

    fn edited(&self) -> impl Iterator<Item = &RelPath> {
        self.files
            .iter()
            .filter(|(_, is_edited)| **is_edited)
            .map(|(path, _)| path)
    }

    fn is_recorded(&self, path: &RelPath) -> bool {
        self.recorded.contains(path.as_str())
    }

    fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// Whether the whole division goes.
    fn is_division(&self, subject: &Name) -> bool {
        self.folder.as_deref() == Some(format!("divisions/{subject}").as_str())
    }

    /// The bits of events and flags that go, with their names; those of events with another revision that stays, stay.
    fn bits(&self, tree: &DivisionTree) -> Vec<(String, u64)> {
        let (going, staying): (Vec<_>, Vec<_>) = tree
            .events()
            .partition(|event| self.has(&tree.event_path(event)));
        let still = staying.iter().fold(0, |bits, event| bits | event.sets);
        let events = going
            .into_iter()
            .filter(|event| event.sets & !still != 0)
            .map(|event| (event.versioned.name().snake().to_owned(), event.sets));
        let flags = self.has(&tree.flags_path());
        let flags = tree.flags.iter().filter(|_| flags);
        let flag = |flag: &Flag| (flag.constant.to_ascii_lowercase(), flag.bit);
        events.chain(flags.map(flag)).collect()
    }
}

/// The division that it is, or is a part of.
fn division_of(artifact: &Artifact, going: &Going) -> Result<Option<Name>, CliError> {
    let named = match artifact.name.split_once('/') {
        Some((division, _)) => division,
        None => artifact.name.as_str(),
    };
    let is_there = going
        .files
        .keys()
        .any(|path| is_below(path.as_str(), &format!("divisions/{named}")));
    if !is_there && artifact.kind != "division" && !artifact.name.contains('/') {
        return Ok(None);
    }
    Name::parse(named).map(Some).map_err(|error| {
        CliError::because(format!("`{named}` in `hecate.lock` is no division"), error)
    })
}

/// What would not work any more without it keeps it here, by name.
fn refuse_if_needed(
    draft: &Draft<'_>,
    artifact: &Artifact,
    tree: &DivisionTree,
    going: &Going,
) -> Result<(), CliError> {
    let subject = &tree.subject;
    let gone: BTreeSet<&str> = going.files.keys().map(RelPath::as_str).collect();
    let within = format!("divisions/{subject}");
    let found = if going.is_division(subject) {
        let crate_name = package(&draft.plugin()?, subject).replace('-', "_");
        let names = names_of_division(tree, &crate_name);
        let is_source = |path: &str| path.ends_with(".rs") || path.ends_with("/Cargo.toml");
        dependents(draft.view(), is_source, &gone, &names)
    } else {
        let mut names = BTreeSet::new();
        let goes = |name: &Name| name.snake() == short(&artifact.name);
        let is_command = artifact.kind == "command";
        if let Some(desk) = tree
            .commands
            .iter()
            .find(|desk| is_command && goes(&desk.folder.name))
        {
            let mut births = tree.commands.iter().filter(|desk| desk.is_birth);
            if desk.is_birth && births.clone().count() == 1 && births.any(|birth| birth == desk) {
                return Err(CliError::cannot(format!(
                    "the {} is the only desk that brings something into being",
                    shown(artifact)
                ))
                .hint(format!("make another one first, or remove the whole division: `hecate remove division {subject}`")));
            }
            names.extend(names_of_command(tree, desk));
        }
        let is_projection = artifact.kind == "projection";
        if let Some(desk) = tree
            .projections
            .iter()
            .find(|desk| is_projection && goes(&desk.folder.name))
        {
            names.extend(names_of_projection(tree, desk));
        }
        if !is_command && !is_projection {
            let sources = going
                .files
                .keys()
                .filter(|path| path.as_str().ends_with(".rs"));
            for path in sources {
                names.extend(names_of_source(
                    draft.view().text(path.as_str())?.unwrap_or_default(),
                ));
            }
        }
        // Outside of its division nobody speaks of a desk but the plugin's own crate.
        let is_near = |path: &str| {
            path.ends_with(".rs") && (is_below(path, &within) || is_below(path, "src"))
        };
        dependents(draft.view(), is_near, &gone, &names)
    };
    if found.is_empty() {
        return Ok(());
    }
    // One place for each of those who depend on it says why.
    let mut who: BTreeMap<String, (&str, &str)> = BTreeMap::new();
    for (path, name) in &found {
        let owner = owner(draft.lock(), path).unwrap_or_else(|| format!("`{path}`"));
        who.entry(owner).or_insert((path, name));
    }
    let error = CliError::cannot(format!(
        "the {} cannot go: {} {} on it",
        shown(artifact),
        who.keys().cloned().collect::<Vec<_>>().join(", "),
        if who.len() == 1 { "depends" } else { "depend" }
    ));
    let places = who
        .values()
        .take(SHOWN)
        .map(|(path, name)| format!("`{path}` names `{name}`"));
    Err(places
        .fold(error, CliError::hint)
        .hint("remove those first, or change them so that they do without"))
}
