//! Names as they are given on the command line, and what is said about those that cannot be.

use crate::error::CliError;
use crate::names::{Name, NameError, OverridesError, ReservedError, VersionedError, check_subject};

pub(super) fn singular_of(table: &Name) -> Name {
    crate::names::singular(table).unwrap_or_else(|| table.clone())
}

/// A name as it is given on the command line.
pub(crate) fn name(text: &str) -> Result<Name, CliError> {
    Name::parse(text).map_err(|error| misnamed(&error))
}

fn misnamed(error: &NameError) -> CliError {
    let shown = CliError::usage(error.to_string());
    match &error.suggestion {
        Some(suggestion) => shown.hint(format!("did you mean `{suggestion}`?")),
        None => {
            shown.hint("a name is made of small letters, digits and underscores: `kanban_card`")
        }
    }
}

pub(super) fn misnamed_event(error: VersionedError) -> CliError {
    match error {
        VersionedError::Name(error) => misnamed(&error),
        VersionedError::Revision { ref suggestion, .. } => {
            let shown = CliError::usage(error.to_string());
            match suggestion {
                Some(suggestion) => shown.hint(format!("did you mean `{suggestion}`?")),
                None => shown.hint("give the event without a revision for its newest"),
            }
        }
    }
}

/// `--past` or `--event` that cannot be followed.
pub(crate) fn overridden(error: OverridesError) -> CliError {
    let shown = CliError::usage(error.to_string());
    match error {
        OverridesError::Past(error) => misnamed(&error),
        OverridesError::Event(error) => misnamed_event(error),
        OverridesError::Revised { event } => shown.hint(format!(
            "leave the revision off: `--event {}`",
            event.name()
        )),
        OverridesError::Contradiction { .. } => {
            shown.hint("one of them is enough: `--event` is the whole name, `--past` a part of it")
        }
    }
}

pub(super) fn taken(error: &ReservedError) -> CliError {
    CliError::usage(error.to_string())
        .hint(format!("call it `{}`, for instance", error.suggestion()))
}

/// The name of what a division or a desk is about, or of what a desk does: nothing that ends as a revision does.
pub(crate) fn subject(text: &str) -> Result<Name, CliError> {
    let subject = name(text)?;
    check_subject(&subject).map_err(|error| taken(&error))?;
    Ok(subject)
}
