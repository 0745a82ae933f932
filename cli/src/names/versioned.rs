//! Commands and events with their revision: `order_confirmed_v1`.

use std::fmt;

use super::{Name, NameError};

/// The name of a command or an event, with its revision.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Versioned {
    name: Name,
    revision: u32,
}

/// A text that names no command or event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VersionedError {
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(
        "`{input}` ends in a revision that cannot be: they are counted from 1 to {}",
        Versioned::MAX_REVISION
    )]
    Revision {
        input: String,
        suggestion: Option<Versioned>,
    },
}

impl Versioned {
    /// The last revision that can be written.
    pub const MAX_REVISION: u32 = 9999;

    /// The first revision of `name`.
    pub fn first(name: Name) -> Self {
        Self { name, revision: 1 }
    }

    /// The revision after this one.
    pub fn next(&self) -> Option<Self> {
        let revision = self.revision + 1;
        (revision <= Self::MAX_REVISION).then(|| Self {
            name: self.name.clone(),
            revision,
        })
    }

    /// Reads `order_confirmed_v2`; without a revision, it is the first.
    ///
    /// # Errors
    ///
    /// As for [`Versioned::split`].
    pub fn parse(text: &str) -> Result<Self, VersionedError> {
        let (name, revision) = Self::split(text)?;
        Ok(Self {
            name,
            revision: revision.unwrap_or(1),
        })
    }

    /// Takes the revision off, if there is one: whoever reads a name without may mean the newest.
    ///
    /// # Errors
    ///
    /// - [`VersionedError::Name`] if it is no name at all.
    /// - [`VersionedError::Revision`] for `_v0`, `_v01` and what is over [`Versioned::MAX_REVISION`].
    pub fn split(text: &str) -> Result<(Name, Option<u32>), VersionedError> {
        let whole = Name::parse_composite(text)?;
        let Some((name, digits)) = parts(whole.snake()) else {
            return Ok((whole, None));
        };
        match digits.parse() {
            Ok(revision @ 1..=Self::MAX_REVISION) if !digits.starts_with('0') => {
                Ok((name, Some(revision)))
            }
            read => Err(VersionedError::Revision {
                input: text.to_owned(),
                suggestion: match read {
                    Ok(revision @ 0..=Self::MAX_REVISION) => Some(Self {
                        name,
                        revision: revision.max(1),
                    }),
                    _ => None,
                },
            }),
        }
    }

    /// The name without the revision.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The revision, from 1.
    pub fn revision(&self) -> u32 {
        self.revision
    }

    /// `OrderConfirmedV1`.
    pub fn type_name(&self) -> String {
        format!("{}V{}", self.name.type_name(), self.revision)
    }
}

impl fmt::Display for Versioned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_v{}", self.name, self.revision)
    }
}

/// `order_confirmed` and `1` of `order_confirmed_v1`.
pub(super) fn parts(name: &str) -> Option<(Name, &str)> {
    let (name, last) = name.rsplit_once('_')?;
    let digits = last.strip_prefix('v')?;
    let numbered = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    numbered.then(|| (Name::of(name.split('_')), digits))
}
