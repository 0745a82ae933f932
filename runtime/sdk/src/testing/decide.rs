//! Given/when/then without a store: a decision is a pure function.

use std::fmt::Debug;

use jiff::Timestamp;
use uuid::Uuid;

use super::ID;
use crate::aggregate::{Aggregate, Cx, EventSet, Rejection};

/// Id of the first command of a test.
pub(super) const COMMAND: Uuid = Uuid::from_u128(7);

/// When tests take place: 2026-01-01, midnight UTC.
pub(super) fn new_year() -> Timestamp {
    Timestamp::from_second(1_767_225_600).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A thing to which these events have happened.
pub fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let mut state = A::default();
    for event in events {
        // Through its stored form and back: what storing loses, the test loses too.
        let stored = event
            .encode()
            .unwrap_or_else(|error| panic!("the event cannot be stored: {error}"));
        let read = A::Event::decode(&stored.event_type, stored.revision, &stored.data);
        state.apply(
            &read.unwrap_or_else(|error| panic!("the stored event cannot be read: {error}")),
        );
    }
    Given {
        state,
        cx: Cx::new(ID, COMMAND, new_year()),
    }
}

/// A thing with a past.
#[derive(Debug)]
pub struct Given<A> {
    state: A,
    cx: Cx,
}

impl<A: Aggregate> Given<A> {
    /// Its state.
    pub const fn state(&self) -> &A {
        &self.state
    }

    /// The time is `now`; without it, it is 2026-01-01, midnight UTC.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.cx = Cx::new(self.cx.id(), self.cx.command_id(), now);
        self
    }

    /// The thing's id is `id`; without it, it is [`ID`].
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.cx = Cx::new(id, self.cx.command_id(), self.cx.now());
        self
    }

    /// The command's id is `id`, from which the ids that the decision makes follow. Without it they are the same in
    /// every test.
    #[must_use]
    pub fn with_command_id(mut self, id: Uuid) -> Self {
        self.cx = Cx::new(self.cx.id(), id, self.cx.now());
        self
    }

    /// Lets it decide about a command.
    pub fn when<C>(
        self,
        command: C,
        handle: impl Fn(&A, C, &Cx) -> Result<Vec<A::Event>, Rejection>,
    ) -> Decided<A::Event> {
        Decided {
            outcome: handle(&self.state, command, &self.cx),
        }
    }
}

/// A decision.
#[derive(Debug)]
#[must_use = "say what should have been decided"]
pub struct Decided<E> {
    outcome: Result<Vec<E>, Rejection>,
}

impl<E: Debug + PartialEq> Decided<E> {
    /// It must have led to these events.
    ///
    /// # Panics
    ///
    /// If it did not.
    #[track_caller]
    pub fn then(self, events: impl IntoIterator<Item = E>) {
        let expected: Vec<E> = events.into_iter().collect();
        assert_eq!(self.outcome, Ok(expected));
    }

    /// It must have been rejected with this code.
    ///
    /// # Panics
    ///
    /// If it was not.
    #[track_caller]
    pub fn then_rejected(self, code: &str) {
        match self.outcome {
            Err(rejection) => assert_eq!(rejection.code, code, "{rejection}"),
            Ok(events) => panic!("accepted with {events:?}, expected a rejection with `{code}`"),
        }
    }
}
