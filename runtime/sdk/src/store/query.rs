//! Which events a reader of all wants, and the pages that it gets.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Position, RecordedEvent};

/// The most events that one read looks at, if it asks for no more of them: a query that few events match gets its answer
/// in parts too.
pub(super) const MAX_SCANNED: usize = 10_000;

/// Which events of a store are read: all, or those that fit every condition.
///
/// ```
/// use hecate_sdk::store::Query;
///
/// let all = Query::all();
/// let endings = Query::all().kind("order").types(["order_cancelled", "order_shipped"]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    types: Option<Arc<[Cow<'static, str>]>>,
    kind: Option<Cow<'static, str>>,
}

impl Query {
    /// Every event.
    pub const fn all() -> Self {
        Self {
            types: None,
            kind: None,
        }
    }

    /// Only events of these types, in every revision. Without any type: none.
    #[must_use]
    pub fn types<T: Into<Cow<'static, str>>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.types = Some(types.into_iter().map(Into::into).collect());
        self
    }

    /// Only events of things of this kind: those of the streams `{kind}-…`.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<Cow<'static, str>>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// Whether it has no condition.
    pub(super) const fn is_all(&self) -> bool {
        self.types.is_none() && self.kind.is_none()
    }

    /// Whether events of the type `name` fit, as far as that goes.
    pub(crate) fn takes_type(&self, name: &str) -> bool {
        let types = self.types.as_ref();
        types.is_none_or(|types| types.iter().any(|wanted| wanted == name))
    }

    /// Whether events of the stream `name` fit, as far as that goes.
    pub(crate) fn takes_stream(&self, name: &str) -> bool {
        let kind = self.kind.as_ref();
        kind.is_none_or(|kind| {
            name.strip_prefix(&**kind)
                .is_some_and(|rest| rest.starts_with('-'))
        })
    }

    /// How many events a read looks at that is to give at most `limit`.
    pub(super) fn scanned(&self, limit: usize) -> usize {
        if self.is_all() {
            limit
        } else {
            limit.max(MAX_SCANNED)
        }
    }
}

/// A part of all events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventPage {
    /// The events that fit, in the order of their positions.
    pub events: Vec<RecordedEvent>,
    /// Read on behind this position. It may be behind the last of `events`, and move on without any: what was looked at
    /// on the way and did not fit is not looked at again. The end is reached when it is at the store's head.
    pub scanned_to: Option<Position>,
}
