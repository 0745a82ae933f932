//! How far the projections of a division are, as everybody but their writer sees it.

use std::sync::Arc;

use crate::store::Position;

/// How far the projections of a division are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// What was read, for a store that no projection follows.
    pub(crate) reached: Option<Position>,
    pub(crate) projections: Vec<ProjectionProgress>,
    /// Whether rows could not be written several times in a row, on a full disk for instance: nobody waits for them.
    pub(crate) is_stuck: bool,
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
    /// Its rows are of other code, and stay as they are until new ones take their place.
    pub(crate) is_frozen: bool,
    pub(crate) rebuild: Option<Rebuild>,
}

/// How far the rows are that are built to take the place of those that serve.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rebuild {
    pub(crate) position: Option<Position>,
    /// Where the store was then.
    pub(crate) head: Option<Position>,
    pub(crate) events_per_second: u64,
    /// Why it does not go on for now.
    pub(crate) stopped: Option<Arc<str>>,
    /// It waits to be asked again, or for the next opening.
    pub(crate) is_over: bool,
}

impl Progress {
    /// Whether every projection's rows are those of its code, and say what happened up to `position`.
    pub(crate) fn has_passed(&self, position: Position) -> bool {
        match self.projections.as_slice() {
            [] => self.reached >= Some(position),
            all => all.iter().all(|one| one.has_passed(position)),
        }
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
    /// Whether its rows are those of its code, and say what happened up to `position`.
    pub(crate) fn has_passed(&self, position: Position) -> bool {
        !self.is_frozen && self.checkpoint >= Some(position)
    }

    /// What an operator should know about it, if anything, and whether something must be done.
    pub(crate) fn note(&self) -> Option<(bool, String)> {
        let parked = self.reason.as_ref().filter(|_| self.parked > 0);
        let parked = parked.map(|reason| match self.parked {
            1 => format!("an event is parked: {reason}"),
            parked => format!("{parked} events are parked; the first: {reason}"),
        });
        let rebuild = self.rebuild.as_ref();
        let stopped = rebuild.is_some_and(|rebuild| rebuild.stopped.is_some());
        let must = parked.is_some() || stopped;
        let rebuild = rebuild.map(|rebuild| rebuild.in_words(&self.name));
        let notes: Vec<_> = parked.into_iter().chain(rebuild).collect();
        (!notes.is_empty()).then(|| (must, notes.join("; ")))
    }
}

impl Rebuild {
    /// How much of it is done, in percent. Positions have gaps, so it is about so much.
    pub(crate) fn percent(&self) -> u64 {
        let number = |position: Option<Position>| position.map_or(0, Position::get);
        let (position, head) = (number(self.position), number(self.head));
        position.saturating_mul(100).checked_div(head).unwrap_or(0)
    }

    fn in_words(&self, name: &str) -> String {
        let percent = self.percent();
        match &self.stopped {
            None => format!("rebuilding `{name}`: {percent} %"),
            Some(reason) => format!("rebuilding `{name}` stopped at {percent} %: {reason}"),
        }
    }
}
