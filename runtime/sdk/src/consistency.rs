//! Which read models a command waits for before it is answered.

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use http::request::Parts;
use rusqlite::Connection;

use crate::api::ApiError;
use crate::division::{DispatchError, Division, VISIBLE_WITHIN};
use crate::projector::{Progress, ProjectionProgress, are_parked};
use crate::store::Position;

/// The header that a request says it with.
const HEADER: &str = "hecate-consistency";
/// Projections that a header may name.
const MOST: usize = 64;

/// Which read models a command waits for, so that whoever sent it reads what it did.
///
/// The command has happened when it is answered, whatever is waited for: after two seconds it is answered without, and
/// [`Done::visible`](crate::division::Done::visible) says so. It says so too if a projection could not take the
/// command's events in and parked them, and while one is built anew because its code has changed, for which nobody
/// waits. Nor does anybody wait for rows that cannot be written, on a full disk for instance.
///
/// A request says it with the header `Hecate-Consistency`: `eventual`, `strong`, or the names of projections with commas
/// between.
///
/// ```
/// use hecate_sdk::api::Command;
/// use hecate_sdk::division::Consistency;
///
/// # struct OpenAccount;
/// let command = Command::new(OpenAccount).consistency(Consistency::projections(["accounts"]));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Consistency {
    /// For none.
    Eventual,
    /// For all of the division's.
    #[default]
    Strong,
    /// For those of these names. A name that the division does not have is an error, and nothing happens.
    Projections(Vec<Cow<'static, str>>),
}

impl Consistency {
    /// [`Consistency::Projections`] of these names.
    pub fn projections<N: Into<Cow<'static, str>>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::Projections(names.into_iter().map(Into::into).collect())
    }

    /// What a header says.
    fn parse(text: &str) -> Option<Self> {
        let names = || text.split(',').map(str::trim);
        match text.trim() {
            "eventual" => Some(Self::Eventual),
            "strong" => Some(Self::Strong),
            _ if names().any(str::is_empty) || names().count() > MOST => None,
            _ => Some(Self::projections(names().map(str::to_owned))),
        }
    }

    fn is_about(&self, projection: &str) -> bool {
        match self {
            Self::Eventual | Self::Strong => true,
            Self::Projections(names) => names.iter().any(|name| name == projection),
        }
    }

    /// That every projection which is named is one of `division`'s.
    pub(crate) fn check(&self, division: &Division) -> Result<(), DispatchError> {
        let (Self::Projections(names), Some(progress)) = (self, division.progress()) else {
            return Ok(());
        };
        let Some(unknown) = names.iter().find(|name| progress.of(name).is_none()) else {
            return Ok(());
        };
        let known = progress.projections.iter();
        let known: Vec<_> = known.map(|one| format!("`{}`", one.name)).collect();
        Err(DispatchError::UnknownProjection {
            name: unknown.clone().into_owned(),
            known: if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            },
        })
    }

    /// Waits as long as this asks for; says whether the read models that are meant show all of what was appended.
    pub(crate) async fn waited(
        &self,
        division: &Division,
        first: Position,
        last: Position,
    ) -> bool {
        let Some(projector) = division.projector() else {
            return false;
        };
        let mut progress = projector.progress();
        if *self != Self::Eventual {
            let wait = progress.wait_for(|progress| !self.is_awaited(progress, last));
            // That it took too long is seen below.
            _ = tokio::time::timeout(VISIBLE_WITHIN, wait).await;
        }
        let (is_there, with_letters) = {
            let progress = progress.borrow();
            let meant = || {
                progress
                    .projections
                    .iter()
                    .filter(|one| self.is_about(&one.name))
            };
            let is_there = match progress.projections.is_empty() {
                true => progress.reached >= Some(last),
                false => meant().all(|one| one.has_passed(last)),
            };
            let with_letters = meant().filter(|one| one.parked > 0);
            let names: Vec<_> = with_letters.map(|one| one.name.to_string()).collect();
            (is_there, names)
        };
        if !is_there || with_letters.is_empty() {
            return is_there;
        }
        let look = move |model: &Connection| are_parked(model, &with_letters, first, last);
        // Who cannot look does not see it either.
        division.query(look).await.is_ok_and(|parked| !parked)
    }

    /// Whether one that is followed is still behind. One whose rows are of other code will be for long.
    fn is_awaited(&self, progress: &Progress, last: Position) -> bool {
        let is_behind = |one: &ProjectionProgress| {
            !one.is_frozen && self.is_about(&one.name) && one.checkpoint < Some(last)
        };
        !progress.is_stuck
            && match progress.projections.as_slice() {
                [] => progress.reached < Some(last),
                all => all.iter().any(is_behind),
            }
    }
}

impl<S: Sync> FromRequestParts<S> for Consistency {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(header) = parts.headers.get(HEADER) else {
            return Ok(Self::default());
        };
        let said = header.to_str().ok().and_then(Self::parse);
        said.ok_or_else(|| {
            ApiError::bad_request(
                "unknown_consistency",
                "`Hecate-Consistency` must be `eventual`, `strong`, or names of projections with commas between",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Consistency;
    use crate::projector::{Progress, ProjectionProgress};
    use crate::store::Position;

    fn position(number: u64) -> Position {
        Position::new(number).unwrap()
    }

    fn at(name: &str, number: u64, is_frozen: bool) -> ProjectionProgress {
        ProjectionProgress {
            name: name.into(),
            checkpoint: Position::new(number),
            parked: 0,
            reason: None,
            is_frozen,
            rebuild: None,
        }
    }

    #[test]
    fn a_header_is_a_word_or_names() {
        let names = |names: &[&'static str]| Some(Consistency::projections(names.iter().copied()));
        assert_eq!(
            Consistency::parse(" eventual "),
            Some(Consistency::Eventual)
        );
        assert_eq!(Consistency::parse("strong"), Some(Consistency::Strong));
        assert_eq!(Consistency::parse("a"), names(&["a"]));
        assert_eq!(Consistency::parse("a, b"), names(&["a", "b"]));
        for bad in ["", " ", ",", "a,", "a,,b", &"a,".repeat(70)] {
            assert_eq!(Consistency::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn nobody_waits_for_rows_of_other_code_or_for_those_that_cannot_be_written() {
        let progress = |projections| Progress {
            reached: Position::new(4),
            projections,
            is_stuck: false,
        };
        let named = Consistency::projections(["a"]);
        for (consistency, projections, is_awaited) in [
            (
                Consistency::Strong,
                vec![at("a", 5, false), at("b", 4, false)],
                true,
            ),
            (
                Consistency::Strong,
                vec![at("a", 5, false), at("b", 4, true)],
                false,
            ),
            (
                named.clone(),
                vec![at("a", 5, false), at("b", 4, false)],
                false,
            ),
            (named, vec![at("a", 4, false), at("b", 5, false)], true),
            (Consistency::Strong, vec![], true),
        ] {
            let progress = progress(projections);
            assert_eq!(
                consistency.is_awaited(&progress, position(5)),
                is_awaited,
                "{consistency:?}: {progress:?}"
            );
        }
        let stuck = Progress {
            is_stuck: true,
            ..progress(vec![at("a", 4, false)])
        };
        assert!(!Consistency::Strong.is_awaited(&stuck, position(5)));
    }
}
