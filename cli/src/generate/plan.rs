//! Plans: every change of one run, decided before the first byte is written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::project::{RelPath, View};

/// One file's change, with the whole of its contents before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// The file.
    pub(crate) path: RelPath,
    /// Its contents before; `None` if it was not there.
    pub(crate) before: Option<Vec<u8>>,
    /// Its contents after; `None` if it is removed.
    pub(crate) after: Option<Vec<u8>>,
}

impl Step {
    /// What happens to the file, in a word.
    pub(crate) const fn word(&self) -> &'static str {
        match (&self.before, &self.after) {
            (None, _) => "create",
            (Some(_), Some(_)) => "change",
            (Some(_), None) => "remove",
        }
    }
}

/// Every change of one run, in path order. Holds no choices: `apply` only carries it out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The changes.
    pub(crate) steps: Vec<Step>,
}

impl Plan {
    /// The difference between `view` and `wanted`; files that are not in `wanted` are left alone.
    pub(crate) fn between(view: &View, wanted: BTreeMap<RelPath, Vec<u8>>) -> Self {
        Self::without(view, wanted, &BTreeSet::new())
    }

    /// The same, and the files of `removed` that are not in `wanted` go.
    pub(crate) fn without(
        view: &View,
        wanted: BTreeMap<RelPath, Vec<u8>>,
        removed: &BTreeSet<RelPath>,
    ) -> Self {
        let gone = removed.iter().filter(|path| !wanted.contains_key(*path));
        let mut after: BTreeMap<RelPath, Option<Vec<u8>>> =
            gone.map(|path| (path.clone(), None)).collect();
        after.extend(wanted.into_iter().map(|(path, bytes)| (path, Some(bytes))));
        let steps = after.into_iter().filter_map(|(path, after)| {
            let before = view.get(path.as_str()).map(<[u8]>::to_vec);
            (before != after).then_some(Step {
                path,
                before,
                after,
            })
        });
        Self {
            steps: steps.collect(),
        }
    }

    /// Everything that differs between two views of a project.
    pub(crate) fn from_to(before: &View, after: &View) -> Self {
        let gone = before.iter().map(|(path, _)| path);
        let gone = gone.filter(|path| !after.has(path.as_str())).cloned();
        let wanted = after
            .iter()
            .map(|(path, bytes)| (path.clone(), bytes.to_vec()));
        Self::without(before, wanted.collect(), &gone.collect())
    }

    /// What `view` is when it is carried out.
    pub(crate) fn applied_to(&self, view: View) -> View {
        self.steps
            .iter()
            .fold(view, |view, step| match &step.after {
                Some(after) => view.with(step.path.clone(), after.clone()),
                None => view.without(step.path.as_str()),
            })
    }

    /// The plan that takes this one back.
    #[must_use]
    pub(crate) fn inverse(&self) -> Self {
        let back = |step: &Step| Step {
            path: step.path.clone(),
            before: step.after.clone(),
            after: step.before.clone(),
        };
        Self {
            steps: self.steps.iter().map(back).collect(),
        }
    }

    /// Whether nothing changes.
    pub(crate) const fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The plan for programs; with the contents if they are wanted.
    pub(crate) fn to_json(&self, with_contents: bool) -> Value {
        let steps = self.steps.iter().map(|step| {
            let mut value = json!({"path": step.path, "action": step.word()});
            if with_contents {
                let text = |bytes: &Option<Vec<u8>>| {
                    bytes
                        .as_ref()
                        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
                };
                value["before"] = json!(text(&step.before));
                value["after"] = json!(text(&step.after));
            }
            value
        });
        json!({"steps": steps.collect::<Vec<_>>()})
    }
}
