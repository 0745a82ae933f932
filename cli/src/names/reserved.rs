//! Names that cannot stand alone, or are taken.
//!
//! Only fields, enum values and plugins become identifiers as they are. Verbs and subjects do not: all that is made of
//! them has more words.

use super::table::{self, RESERVED_WORDS};
use super::{Name, plural, versioned};

/// A name that cannot be used where it is given, and one that can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReservedError {
    #[error("`{name}` is a reserved word of {languages}")]
    Word {
        name: Name,
        languages: &'static str,
        suggestion: Name,
    },
    #[error("`{name}` is a field that every row, answer or query has")]
    Field { name: Name, suggestion: Name },
    #[error("`{name}` is the name of a crate that every build knows")]
    Crate { name: Name, suggestion: Name },
    #[error("`{name}` ends as the revision of a command or an event does")]
    Revision { name: Name, suggestion: Name },
    #[error("`{name}` would have the route `/{route}`, which every plugin has of itself")]
    Route {
        name: Name,
        route: Name,
        suggestion: Name,
    },
    #[error("`{name}` is a name that read models keep for tables of their own")]
    Table { name: Name, suggestion: Name },
}

impl ReservedError {
    /// The name to use instead.
    pub fn suggestion(&self) -> &Name {
        match self {
            Self::Word { suggestion, .. }
            | Self::Field { suggestion, .. }
            | Self::Crate { suggestion, .. }
            | Self::Revision { suggestion, .. }
            | Self::Route { suggestion, .. }
            | Self::Table { suggestion, .. } => suggestion,
        }
    }
}

/// Fields that rows, answers, pages, events and queries have of themselves, and another word; without one, the subject
/// goes before it.
const TAKEN: [(&str, &str); 16] = [
    ("after", "follows"),
    ("code", ""),
    ("command_id", "source_command"),
    ("error", ""),
    ("event_id", "source_event"),
    ("id", "reference"),
    ("items", ""),
    ("limit", "maximum"),
    ("next", "following"),
    ("ok", "accepted"),
    ("order", "sequence"),
    ("position", ""),
    ("q", "question"),
    ("sort", "kind"),
    ("status", ""),
    ("version", ""),
];

/// Routes that every plugin has of itself. Those with a hyphen or a dot in them (`flag-maps`) are out of reach.
const ROUTES: [&str; 2] = ["health", "manifest"];

/// Names that cargo refuses for a package, or that shadow a crate which the generated code speaks of.
const CRATES: [&str; 17] = [
    "alloc",
    "build",
    "core",
    "deps",
    "examples",
    "hecate",
    "hecate_sdk",
    "incremental",
    "jiff",
    "proc_macro",
    "rust_decimal",
    "serde",
    "serde_json",
    "std",
    "test",
    "tests",
    "uuid",
];

/// Checks a field of `subject`.
///
/// # Errors
///
/// [`ReservedError`] for a reserved word, and for a name that every row, answer or query has. Columns that are made for
/// a field have a double underscore in their name, which no [`Name`] has.
pub fn check_field(name: &Name, subject: &Name) -> Result<(), ReservedError> {
    check_word(name, subject)?;
    let own_id = name
        .snake()
        .strip_suffix("_id")
        .is_some_and(|owner| owner == subject.snake());
    let taken = TAKEN.iter().find(|(taken, _)| name == taken);
    match taken {
        Some((_, other)) => Err(ReservedError::Field {
            name: name.clone(),
            suggestion: other_or_prefixed(other, subject, name),
        }),
        None if own_id => Err(ReservedError::Field {
            name: name.clone(),
            suggestion: Name::of(["other"].into_iter().chain(name.words())),
        }),
        None => Ok(()),
    }
}

/// Checks a value of the enum that is the field `field`.
///
/// # Errors
///
/// [`ReservedError::Word`].
pub fn check_value(name: &Name, field: &Name) -> Result<(), ReservedError> {
    check_word(name, field)
}

/// Checks the name of a plugin, which is that of its crate.
///
/// # Errors
///
/// [`ReservedError`] for a reserved word, and for the name of a crate or a folder that a build has already.
pub fn check_crate(name: &Name) -> Result<(), ReservedError> {
    let suggestion = Name::of(name.words().chain(["plugin"]));
    if let Some((languages, _)) = reserved(name) {
        return Err(ReservedError::Word {
            name: name.clone(),
            languages,
            suggestion,
        });
    }
    if CRATES.contains(&name.snake()) {
        return Err(ReservedError::Crate {
            name: name.clone(),
            suggestion,
        });
    }
    Ok(())
}

/// Checks a subject, a verb or an event's name without its revision.
///
/// # Errors
///
/// [`ReservedError::Revision`] if it ends in one: `start_engine_v8` could not be told from the eighth `start_engine`.
pub fn check_subject(name: &Name) -> Result<(), ReservedError> {
    match versioned::parts(name.snake()) {
        None => Ok(()),
        Some((rest, digits)) => Err(ReservedError::Revision {
            name: name.clone(),
            suggestion: Name::of(rest.words().chain([digits])),
        }),
    }
}

/// Checks the name of what rows are about, whose plural is a route: a division's subject, the table of a projection.
///
/// # Errors
///
/// [`ReservedError::Route`] if it would be a route that every plugin has.
pub fn check_thing(name: &Name) -> Result<(), ReservedError> {
    let route = plural(name);
    if ROUTES.iter().any(|taken| route == *taken) {
        return Err(ReservedError::Route {
            name: name.clone(),
            route,
            suggestion: Name::of(name.words().chain(["record"])),
        });
    }
    Ok(())
}

/// Checks the name of a projection's table.
///
/// # Errors
///
/// As for [`check_thing`], and [`ReservedError::Table`] for a table that SQLite or the SDK has.
pub fn check_table(name: &Name) -> Result<(), ReservedError> {
    let words = || name.words().filter(|word| *word != "sqlite");
    if name.words().next() == Some("sqlite") || *name == "projection" {
        return Err(ReservedError::Table {
            name: name.clone(),
            suggestion: Name::of(["my"].into_iter().chain(words())),
        });
    }
    check_thing(name)
}

fn check_word(name: &Name, context: &Name) -> Result<(), ReservedError> {
    match reserved(name) {
        None => Ok(()),
        Some((languages, other)) => Err(ReservedError::Word {
            name: name.clone(),
            languages,
            suggestion: other_or_prefixed(other, context, name),
        }),
    }
}

/// Who reserves `name`, and the word of the table for it.
fn reserved(name: &Name) -> Option<(&'static str, &'static str)> {
    table::rows(RESERVED_WORDS)
        .find(|[word, _, _]| name == word)
        .map(|[_, languages, other]| (languages, other))
}

fn other_or_prefixed(other: &str, context: &Name, name: &Name) -> Name {
    if other.is_empty() {
        Name::of(context.words().chain(name.words()))
    } else {
        Name::of(other.split('_'))
    }
}
