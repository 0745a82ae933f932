//! How far the projections of a division are, as everybody but their writer sees it.

use std::sync::Arc;

use crate::store::Position;

/// How far the projections of a division are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// What was read, for a store that no projection follows.
    pub(crate) reached: Option<Position>,
    pub(crate) projections: Vec<ProjectionProgress>,
}

/// How far one projection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProjectionProgress {
    pub(crate) name: Arc<str>,
    /// Its rows say what happened up to here, but for what is parked.
    pub(crate) checkpoint: Option<Position>,
    /// How many events are parked or held.
    pub(crate) parked: u64,
    /// Why the first of them is.
    pub(crate) reason: Option<Arc<str>>,
}

impl Progress {
    /// What every projection has taken in or parked.
    pub(crate) fn applied(&self) -> Option<Position> {
        let checkpoints = self.projections.iter().map(|one| one.checkpoint);
        checkpoints.min().unwrap_or(self.reached)
    }

    /// How far the projection `name` is.
    pub(crate) fn of(&self, name: &str) -> Option<&ProjectionProgress> {
        self.projections.iter().find(|one| &*one.name == name)
    }

    /// The names of those that have parked something.
    pub(crate) fn with_letters(&self) -> Vec<String> {
        let with = self.projections.iter().filter(|one| one.parked > 0);
        with.map(|one| one.name.to_string()).collect()
    }
}

impl ProjectionProgress {
    /// What an operator should know about it, if anything.
    pub(crate) fn trouble(&self) -> Option<String> {
        let reason = self.reason.as_ref()?;
        Some(match self.parked {
            0 => return None,
            1 => format!("an event is parked: {reason}"),
            parked => format!("{parked} events are parked; the first: {reason}"),
        })
    }
}
