//! The kinds of things that can be generated: one file for each, and the draft that they all work on.

pub(super) mod bump;
pub(super) mod command;
pub(super) mod delivery;
pub(super) mod division;
pub(super) mod event_version;
pub(super) mod integration;
pub(super) mod plugin;
pub(super) mod projection;
pub(super) mod query;
pub(super) mod remove;

use std::collections::{BTreeMap, BTreeSet};

use hecate_templates::{Catalog, Owner};
use serde::Serialize;

use super::face;
use super::frontend;
use super::lock::{Artifact, LOCK, Lock, hash};
use super::owned;
use super::recorded;
use super::tree::{DivisionTree, EventFile, divisions_in, read_division};
use crate::error::CliError;
use crate::names::{Name, near};
use crate::project::{RelPath, View};

/// A project on its way to what was asked: one kind after another adds to it.
pub(crate) struct Draft<'a> {
    catalog: &'a Catalog,
    /// The project as it is so far, unformatted.
    now: View,
    lock: Lock,
    /// Files that were added or changed.
    touched: BTreeSet<RelPath>,
    /// Files that were taken away.
    removed: BTreeSet<RelPath>,
    /// Divisions whose owned files follow from something that changed.
    divisions: BTreeSet<String>,
    /// What was generated, with its seeded files.
    artifacts: Vec<(Artifact, Vec<RelPath>)>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(view: &'a View, catalog: &'a Catalog) -> Result<Self, CliError> {
        Ok(Self {
            catalog,
            now: view.clone(),
            lock: Lock::parse(view.text(LOCK)?)?,
            touched: BTreeSet::new(),
            removed: BTreeSet::new(),
            divisions: BTreeSet::new(),
            artifacts: Vec::new(),
        })
    }

    /// What was generated so far.
    pub(super) const fn lock(&self) -> &Lock {
        &self.lock
    }

    /// What was generated under this kind and name, in the words of the command line.
    pub(super) fn called(&self, kind: &str, name: &str) -> Result<Artifact, CliError> {
        recorded::find(&self.lock, &self.catalog.kinds(), kind, name).cloned()
    }

    /// Takes a record out of the lock.
    pub(super) fn forget(&mut self, kind: &str, name: &str) {
        self.lock.remove(kind, name);
    }

    /// The project as it is so far.
    pub(super) const fn view(&self) -> &View {
        &self.now
    }

    /// Name of the plugin: that of its manifest.
    pub(super) fn plugin(&self) -> Result<String, CliError> {
        let text = self.now.text("manifest.json")?.unwrap_or_default();
        let manifest = hecate_manifest::Manifest::parse(text).map_err(|error| {
            CliError::because("`manifest.json` cannot be used", error)
                .hint("`hecate check` shows what is wrong with it")
        })?;
        Ok(manifest.name.to_string())
    }

    /// A plugin that keeps nothing has no place for divisions, until its author makes one.
    pub(super) fn check_keeps_divisions(&self) -> Result<(), CliError> {
        let text = self.now.text("src/lib.rs")?.unwrap_or_default();
        let plugin = self.lock.find("plugin", &self.plugin()?);
        let is_observation = plugin.is_some_and(|plugin| {
            plugin
                .answers
                .iter()
                .any(|answer| answer == "--size=observation")
        });
        if !is_observation || text.contains("divisions::all()") {
            return Ok(());
        }
        Err(CliError::cannot(
            "this plugin is an observation: it keeps nothing, and a division keeps events and rows",
        )
        .hint("to make it grow, add to `src/lib.rs`: `mod divisions;`, and in `impl Plugin`: `fn divisions() -> Vec<hecate_sdk::division::DivisionSpec> { divisions::all() }`")
        .hint("end it with `divisions::all().into_iter().map(hecate_sdk::division::DivisionSpec::in_memory).collect()` instead, and they keep all in memory")
        .hint("then ask for the division again"))
    }

    /// The division about `subject`.
    pub(super) fn division(&self, subject: &Name) -> Result<DivisionTree, CliError> {
        let known = divisions_in(&self.now);
        if known.contains(subject) {
            return read_division(&self.now, subject);
        }
        let error = CliError::cannot(format!("there is no division `{subject}` here"));
        let make = format!("make it with `hecate gen division {subject}`");
        Err(match near(&known, subject) {
            Some(near) => error.hint(format!("did you mean `{}`? If not, {make}", near.name)),
            None if known.is_empty() => error.hint(make),
            None => {
                let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
                error.hint(format!(
                    "the divisions here are {}: name one with `--division`, or {make}",
                    known.join(", ")
                ))
            }
        })
    }

    /// Whether the same thing was generated before from the same answers. From other answers it cannot be made again.
    pub(super) fn is_there(
        &self,
        kind: &str,
        name: &str,
        place: &str,
        answers: &[String],
    ) -> Result<bool, CliError> {
        let is_there = self.now.below(place).next().is_some();
        match self.lock.find(kind, name) {
            Some(known) if is_there && known.answers == answers => Ok(true),
            Some(known) if is_there => Err(CliError::cannot(format!("`{place}` is there already, made from other answers"))
                .hint(format!("it was made from: {}", shown(&known.answers)))
                .hint("its files are yours: change them by hand, or remove the folder and make it anew")),
            None if is_there => Err(CliError::cannot(format!("`{place}` is there already, and not in `{LOCK}`"))
                .hint("it was not made by `hecate`, or the record is lost; remove the folder or take another name")),
            _ => Ok(false),
        }
    }

    /// What is recorded of a thing that was generated.
    pub(super) fn recorded(&self, kind: &str, name: &str) -> Option<&Artifact> {
        self.lock.find(kind, name)
    }

    /// Puts `new` in the place of the answer `old`, in all that is recorded under names that begin with `names`.
    pub(super) fn record_anew(&mut self, names: &str, old: &str, new: &str) {
        self.lock.answer_anew(names, old, new);
    }

    /// Renders the kind `kind`, whose files must not be there yet, and records it.
    pub(super) fn seed<C: Serialize>(
        &mut self,
        kind: &str,
        name: &str,
        answers: Vec<String>,
        context: &C,
    ) -> Result<(), CliError> {
        let bug = |error: hecate_templates::TemplateError| {
            CliError::bug(format!("the template `{kind}` failed: {error}")).caused_by(error)
        };
        let template = self.catalog.kind(kind).map_err(bug)?.version;
        let mut seeded = Vec::new();
        for file in self.catalog.render(kind, context).map_err(bug)? {
            let path = RelPath::new(file.path).map_err(|error| {
                CliError::because(format!("the template `{kind}` leaves the project"), error)
            })?;
            if self.now.has(path.as_str()) {
                return Err(CliError::cannot(format!("`{path}` is there already"))
                    .hint("move it away, or take another name; nothing was written"));
            }
            if file.owner == Owner::Seeded {
                seeded.push(path.clone());
            }
            self.put(path, file.contents);
        }
        let artifact = Artifact {
            kind: kind.to_owned(),
            name: name.to_owned(),
            template,
            hecate: env!("CARGO_PKG_VERSION").to_owned(),
            answers,
            files: BTreeMap::new(),
        };
        self.artifacts.push((artifact, seeded));
        Ok(())
    }

    /// Adds or replaces one file.
    pub(super) fn put(&mut self, path: RelPath, contents: Vec<u8>) {
        self.removed.remove(&path);
        self.touched.insert(path.clone());
        self.now = std::mem::take(&mut self.now).with(path, contents);
    }

    /// Takes one file away.
    pub(super) fn remove(&mut self, path: &RelPath) {
        self.touched.remove(path);
        self.removed.insert(path.clone());
        self.now = std::mem::take(&mut self.now).without(path.as_str());
    }

    /// The files that go.
    pub(super) const fn removed(&self) -> &BTreeSet<RelPath> {
        &self.removed
    }

    /// Changes a file that a parser knows how to change; its line ends stay.
    pub(super) fn merge(
        &mut self,
        path: &str,
        change: impl FnOnce(&str) -> Result<String, CliError>,
    ) -> Result<(), CliError> {
        let Some(text) = self.now.text(path)? else {
            return Ok(());
        };
        let changed = face::keep(text, change)?;
        let path = RelPath::new(path).map_err(|error| CliError::bug(error.to_string()))?;
        self.put(path, changed.into_bytes());
        Ok(())
    }

    /// The owned files of this division follow.
    pub(super) fn touch_division(&mut self, subject: &Name) {
        self.divisions.insert(subject.snake().to_owned());
    }

    /// Every file that is wanted, with the owned ones that follow; Rust not formatted yet.
    pub(super) fn finish(&mut self) -> Result<BTreeMap<RelPath, Vec<u8>>, CliError> {
        let plugin = self.plugin()?;
        let mut wanted: BTreeMap<_, _> = self
            .now
            .iter()
            .filter(|(path, _)| self.touched.contains(*path))
            .map(|(path, contents)| (path.clone(), contents.to_vec()))
            .collect();
        wanted.extend(owned::root_files(&self.now, &plugin, self.catalog)?);
        for division in &self.divisions {
            let subject =
                Name::parse(division).map_err(|error| CliError::bug(error.to_string()))?;
            let tree = read_division(&self.now, &subject)?;
            wanted.extend(owned::division_files(&tree, &plugin, self.catalog)?);
            wanted.extend(frontend::types(&self.now, &tree, self.catalog)?);
        }
        Ok(wanted)
    }

    /// Writes down what was generated, with the hashes of the files as they are written.
    pub(super) fn record(
        &mut self,
        wanted: &mut BTreeMap<RelPath, Vec<u8>>,
    ) -> Result<(), CliError> {
        for (mut artifact, files) in self.artifacts.drain(..) {
            let hashed = |path: RelPath| {
                let contents = wanted.get(&path)?;
                Some((path.to_string(), hash(contents)))
            };
            artifact.files = files.into_iter().filter_map(hashed).collect();
            self.lock.put(artifact);
        }
        let lock = RelPath::new(LOCK).map_err(|error| CliError::bug(error.to_string()))?;
        wanted.insert(lock, self.lock.to_text()?.into_bytes());
        Ok(())
    }
}

/// The event of this name, in its newest revision or the one that is asked for.
pub(super) fn known_event<'t>(
    tree: &'t DivisionTree,
    name: &Name,
    revision: Option<u32>,
) -> Result<&'t EventFile, CliError> {
    if let Some(event) = tree.event(name, revision) {
        return Ok(event);
    }
    let asked = revision.map_or_else(
        || name.to_string(),
        |revision| format!("{name}_v{revision}"),
    );
    let error = CliError::cannot(format!(
        "the division `{}` has no event `{asked}`",
        tree.subject
    ));
    if let Some(newest) = tree.event(name, None) {
        return Err(error.hint(format!("its newest revision is `{}`", newest.versioned)));
    }
    let mut known: Vec<Name> = tree
        .events()
        .map(|event| event.versioned.name().clone())
        .collect();
    known.dedup();
    Err(match near(&known, name) {
        Some(near) => error.hint(format!("did you mean `{}`?", near.name)),
        None => {
            let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
            error.hint(format!("it has {}", known.join(", ")))
        }
    })
}

fn shown(answers: &[String]) -> String {
    if answers.is_empty() {
        "no fields and no options".to_owned()
    } else {
        answers.join(" ")
    }
}
