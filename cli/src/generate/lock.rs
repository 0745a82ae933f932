//! `hecate.lock`: what was generated from which answers. Checked in, kept by `hecate`, small enough to review.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::CliError;

/// Name of the file.
pub(crate) const LOCK: &str = "hecate.lock";
/// Form of the file.
const VERSION: u32 = 1;
const HEAD: &str =
    "# What was generated here, from which answers. `hecate` keeps it; check it in.\n\n";

/// The record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lock {
    version: u32,
    #[serde(default, rename = "artifact", skip_serializing_if = "Vec::is_empty")]
    artifacts: Vec<Artifact>,
}

/// One thing that was generated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Artifact {
    /// Its kind: `plugin`, `division`, `command`, `projection`, `query-by-id` …
    pub(crate) kind: String,
    /// Its name; desks with their division: `order/confirm_order`.
    pub(crate) name: String,
    /// Version of the template.
    pub(crate) template: u32,
    /// Version of `hecate`.
    pub(crate) hecate: String,
    /// What was asked, in the command line's words.
    pub(crate) answers: Vec<String>,
    /// Hash of each seeded file as it was written.
    pub(crate) files: BTreeMap<String, String>,
}

impl Lock {
    /// Reads the text of a `hecate.lock`; a project without one has none.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, CliError> {
        let Some(text) = text else {
            return Ok(Self {
                version: VERSION,
                ..Self::default()
            });
        };
        let lock = Self::read(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            CliError::cannot(format!("`{LOCK}`, line {line}: {}", error.message()))
                .hint("it is written by `hecate` alone: take it from your last commit (`git checkout hecate.lock`)")
        })?;
        if lock.version > VERSION {
            return Err(CliError::cannot(format!(
                "`{LOCK}` has version {}, this `hecate` knows {VERSION}",
                lock.version
            ))
            .hint("update `hecate`"));
        }
        Ok(lock)
    }

    /// Reads its text as it stands, or says where it cannot be read.
    pub(crate) fn read(text: &str) -> Result<Self, toml_edit::de::Error> {
        toml_edit::de::from_str(text)
    }

    /// What was generated under this name.
    pub(crate) fn find(&self, kind: &str, name: &str) -> Option<&Artifact> {
        self.artifacts
            .iter()
            .find(|artifact| artifact.kind == kind && artifact.name == name)
    }

    /// Puts `new` in the place of the answer `old`, in all artifacts whose names begin with `names`.
    pub(crate) fn answer_anew(&mut self, names: &str, old: &str, new: &str) {
        let artifacts = self.artifacts.iter_mut();
        let answers = artifacts
            .filter(|artifact| artifact.name.starts_with(names))
            .flat_map(|artifact| &mut artifact.answers);
        for answer in answers.filter(|answer| *answer == old) {
            new.clone_into(answer);
        }
    }

    /// Everything that was generated.
    pub(crate) fn artifacts(&self) -> impl Iterator<Item = &Artifact> {
        self.artifacts.iter()
    }

    /// Records every file under the path that `place` gives, with the hash that `hash` gives of path, place and hash.
    pub(crate) fn follow(
        &mut self,
        place: impl Fn(&str) -> String,
        hash: impl Fn(&str, &str, &str) -> String,
    ) {
        for artifact in &mut self.artifacts {
            let files = std::mem::take(&mut artifact.files).into_iter();
            let moved = files.map(|(path, known)| {
                let place = place(&path);
                let hash = hash(&path, &place, &known);
                (place, hash)
            });
            artifact.files = moved.collect();
        }
    }

    /// Forgets an artifact.
    pub(crate) fn remove(&mut self, kind: &str, name: &str) {
        self.artifacts
            .retain(|known| (known.kind.as_str(), known.name.as_str()) != (kind, name));
    }

    /// Records an artifact.
    pub(crate) fn put(&mut self, artifact: Artifact) {
        self.artifacts
            .retain(|known| (&known.kind, &known.name) != (&artifact.kind, &artifact.name));
        self.artifacts.push(artifact);
        self.artifacts
            .sort_by(|one, other| (&one.name, &one.kind).cmp(&(&other.name, &other.kind)));
    }

    /// The text of the file.
    pub(crate) fn to_text(&self) -> Result<String, CliError> {
        let mut document = toml_edit::ser::to_document(self)
            .map_err(|error| CliError::bug(format!("`{LOCK}` cannot be written: {error}")))?;
        // Artifacts as `[[artifact]]`, their files as tables of their own: one line for each in a diff.
        if let Some(artifacts) = document.get_mut("artifact")
            && let Ok(mut tables) = std::mem::take(artifacts).into_array_of_tables()
        {
            for table in tables.iter_mut() {
                if let Some(files) = table.get_mut("files")
                    && let Ok(inner) = std::mem::take(files).into_table()
                {
                    *files = toml_edit::Item::Table(inner);
                }
            }
            *artifacts = toml_edit::Item::ArrayOfTables(tables);
        }
        Ok(format!("{HEAD}{document}"))
    }
}

/// Hash of a file's contents, as it is recorded.
pub(crate) fn hash(contents: &[u8]) -> String {
    blake3::hash(contents).to_hex()[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Artifact, Lock};

    fn artifact(name: &str) -> Artifact {
        Artifact {
            kind: "command".to_owned(),
            name: name.to_owned(),
            template: 1,
            hecate: "0.1.0".to_owned(),
            answers: vec!["note:string".to_owned()],
            files: BTreeMap::from([("src/a.rs".to_owned(), "00".to_owned())]),
        }
    }

    #[test]
    fn a_lock_reads_back_and_does_not_depend_on_order() {
        let (mut one, mut other) = (Lock::parse(None).unwrap(), Lock::parse(None).unwrap());
        for name in ["order/b", "order/a"] {
            one.put(artifact(name));
        }
        for name in ["order/a", "order/b", "order/a"] {
            other.put(artifact(name));
        }
        assert_eq!(one, other);
        let text = one.to_text().unwrap();
        assert_eq!(Lock::parse(Some(&text)).unwrap(), one);
        assert!(
            text.contains("[[artifact]]\nkind = \"command\"\nname = \"order/a\""),
            "{text}"
        );
        assert!(
            text.contains("[artifact.files]\n\"src/a.rs\" = \"00\"\n"),
            "{text}"
        );
    }

    #[test]
    fn what_is_not_a_lock_is_refused_with_its_line() {
        let error = Lock::parse(Some("version = 1\nartifakt = 2\n")).unwrap_err();
        assert!(
            error
                .message()
                .starts_with("`hecate.lock`, line 2: unknown field"),
            "{error}"
        );
        let newer = Lock::parse(Some("version = 9\n")).unwrap_err();
        assert_eq!(
            newer.message(),
            "`hecate.lock` has version 9, this `hecate` knows 1"
        );
    }
}
