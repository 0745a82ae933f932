//! A command desk: what is done to what, and the event that tells it was.

use super::phrase;
use super::{Name, NameError, Versioned, VersionedError, past};

/// How the life of every subject begins and ends.
const WHOLE_LIFE: [&str; 2] = ["initiate", "archive"];

/// What is done to what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Desk {
    verb: Name,
    subject: Name,
}

/// A desk that cannot be named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeskError {
    #[error("`{desk}` is one word, and a desk is named by a verb and a subject")]
    OneWord { desk: Name },
    #[error("`{desk}` is a verb, and has no subject")]
    NoSubject { desk: Name },
    #[error(transparent)]
    Subject(NameError),
}

/// What a user says about the event, against the rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The past of the verb: `preparation_started`. Of no effect beside `event`.
    pub past: Option<Name>,
    /// The whole event: `player_joined`.
    pub event: Option<Name>,
}

/// Overrides that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OverridesError {
    #[error(transparent)]
    Past(NameError),
    #[error(transparent)]
    Event(VersionedError),
    #[error("`{event}` is not the first revision of its event, which a new one has to be")]
    Revised { event: Versioned },
    #[error("the past is given as `{past}`, but the event `{event}` does not have it")]
    Contradiction { past: Name, event: Name },
}

/// An event that cannot be called what it would be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    #[error("`{event}` would be the name of both the command and its event")]
    SameAsCommand { event: Name },
}

impl Overrides {
    /// Reads the two as they are written; the event with or without its `_v1`.
    ///
    /// # Errors
    ///
    /// [`OverridesError`] if one is no name, the two contradict each other, or the event is not a first revision.
    pub fn parse(past: Option<&str>, event: Option<&str>) -> Result<Self, OverridesError> {
        let past = past
            .map(Name::parse)
            .transpose()
            .map_err(OverridesError::Past)?;
        let event = event
            .map(Versioned::parse)
            .transpose()
            .map_err(OverridesError::Event)?;
        if let Some(event) = event.as_ref().filter(|event| event.revision() != 1) {
            return Err(OverridesError::Revised {
                event: event.clone(),
            });
        }
        let event = event.map(|event| event.name().clone());
        match (past, event) {
            (Some(past), Some(event)) if !format!("_{event}_").contains(&format!("_{past}_")) => {
                Err(OverridesError::Contradiction { past, event })
            }
            (past, event) => Ok(Self { past, event }),
        }
    }
}

impl Desk {
    /// The desk of `verb` and `subject`. Words at the start of the subject that belong to the verb go to it: `pick` and
    /// `up_passenger` are `pick_up` and `passenger`. One of the `known` subjects stays as it is.
    ///
    /// # Errors
    ///
    /// [`DeskError`] if nothing is left of the subject, or nothing that is a name.
    pub fn new(verb: &Name, subject: &Name, known: &[Name]) -> Result<Self, DeskError> {
        let words: Vec<&str> = verb.words().chain(subject.words()).collect();
        let mut at = verb.words().count();
        while !is_known(&words[at..], known) && phrase::clings(words[at - 1], &words[at..]) {
            at += 1;
        }
        if at == words.len() {
            return Err(DeskError::NoSubject {
                desk: Name::of(words),
            });
        }
        Self::at(&words, at)
    }

    /// The desk that is written in one piece: `initiate_order`.
    ///
    /// One of the `known` subjects at its end, alone or with more said about it (`order_to_table`), is the subject, the
    /// longest that leaves a verb. Otherwise the first word is the verb, with its modifiers and particles: `pick_up`,
    /// `soft_delete`.
    ///
    /// # Errors
    ///
    /// [`DeskError`] if there are not both a verb and a subject.
    pub fn split(desk: &Name, known: &[Name]) -> Result<Self, DeskError> {
        let words: Vec<&str> = desk.words().collect();
        if words.len() == 1 {
            return Err(DeskError::OneWord { desk: desk.clone() });
        }
        let found = (1..words.len())
            .find(|at| is_known(&words[*at..], known) && phrase::is_verb(&words[..*at]));
        if let Some(at) = found {
            return Self::at(&words, at);
        }
        let Self { verb, subject } = Self::at(&words, phrase::verb_end(&words))?;
        Self::new(&verb, &subject, known)
    }

    /// What is done.
    pub fn verb(&self) -> &Name {
        &self.verb
    }

    /// What it is done to.
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// `initiate_order`: the desk's folder.
    pub fn name(&self) -> Name {
        Name::of(self.verb.words().chain(self.subject.words()))
    }

    /// `initiate_order_v1`.
    pub fn command(&self) -> Versioned {
        Versioned::first(self.name())
    }

    /// `order_initiated_v1`, or what `overrides` say.
    ///
    /// # Errors
    ///
    /// [`EventError::SameAsCommand`] if the event would be called as the command is (`run_run`).
    pub fn event(&self, overrides: &Overrides) -> Result<Versioned, EventError> {
        let event = match &overrides.event {
            Some(event) => event.clone(),
            None => self.derived(overrides.past.as_ref()),
        };
        if event == self.name() {
            return Err(EventError::SameAsCommand { event });
        }
        Ok(Versioned::first(event))
    }

    /// The noun of the subject, the verb's past, then what the subject says beside its noun. A life as such is that of
    /// the whole subject: `agent_assigned_to_team`, but `agent_to_team_initiated`.
    fn derived(&self, past_given: Option<&Name>) -> Name {
        let words: Vec<&str> = self.subject.words().collect();
        let noun_end = if WHOLE_LIFE.contains(&self.verb.snake()) {
            words.len()
        } else {
            phrase::noun_end(&words)
        };
        let (noun, tail) = words.split_at(noun_end);
        let past = past_given.cloned().unwrap_or_else(|| past(&self.verb));
        Name::of(
            noun.iter()
                .copied()
                .chain(past.words())
                .chain(tail.iter().copied()),
        )
    }

    /// The desk whose subject begins at `subject` in `words`.
    fn at(words: &[&str], subject: usize) -> Result<Self, DeskError> {
        let (verb, subject) = words.split_at(subject);
        Ok(Self {
            verb: Name::of(verb.iter().copied()),
            // A word inside a name may start with a digit, but not the name that it becomes here.
            subject: Name::parse_composite(&subject.join("_")).map_err(DeskError::Subject)?,
        })
    }
}

/// Whether `subject`, or the noun it begins with, is one of `known`.
fn is_known(subject: &[&str], known: &[Name]) -> bool {
    let noun = &subject[..phrase::noun_end(subject)];
    known.iter().any(|known| {
        let is = |words: &[&str]| known.words().eq(words.iter().copied());
        is(subject) || is(noun)
    })
}
