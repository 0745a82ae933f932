//! What the types of a command cannot say: rules, with errors as field → message.
//!
//! Rules are written with [`Rules`], as generated commands do, or, with the feature `validate`, derived with
//! [garde](https://docs.rs/garde): then `Valid` around [`Json`](crate::api::Json) or axum's `Query` checks them before the
//! handler runs, and so does [`Command`](crate::api::Command). Wrong fields are answered with 422 and code `invalid`:
//!
//! ```json
//! {"ok": false, "code": "invalid", "error": "`lines[1].count` lower than 1", "fields": {"lines[1].count": "lower than 1"}}
//! ```
#![cfg_attr(feature = "validate", doc = include_str!("validate/derived.md"))]

#[cfg(feature = "validate")]
mod derived;

use std::collections::BTreeMap;

#[cfg(feature = "validate")]
pub use derived::{Valid, one_of};

use crate::fields::FieldValue;

/// A body whose content can be checked. The [`crate::api::Command`] extractor does so before any handler runs.
pub trait Validate {
    /// Checks every field.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with a message for each field that is wrong.
    fn validate(&self) -> Result<(), Invalid>;

    /// What garde's derive calls for a field to dive into: it looks for its crate's `Validate` at this trait's place.
    #[cfg(feature = "validate")]
    #[doc(hidden)]
    fn validate_into(
        &self,
        context: &<Self as garde::Validate>::Context,
        path: &mut dyn FnMut() -> garde::Path,
        report: &mut garde::Report,
    ) where
        Self: garde::Validate,
    {
        garde::Validate::validate_into(self, context, path, report);
    }
}

/// The fields that are wrong, and what each must be.
#[derive(Debug, Clone, PartialEq, Eq, Default, thiserror::Error)]
#[error("{}", self.summary())]
pub struct Invalid {
    /// Message by field.
    pub fields: BTreeMap<String, String>,
}

impl Invalid {
    /// One field that is wrong.
    pub fn field(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            fields: BTreeMap::from([(name.into(), message.into())]),
        }
    }

    fn summary(&self) -> String {
        let fields = self
            .fields
            .iter()
            .map(|(field, message)| format!("`{field}` {message}"));
        fields.collect::<Vec<_>>().join(", ")
    }
}

/// Collects what is wrong.
///
/// ```
/// use hecate_sdk::validate::Rules;
///
/// let (note, from, to) = (String::new(), 3, 2);
/// let invalid = Rules::new().field("note", &note).rule("to", from <= to, "must not be before `from`").done();
/// assert_eq!(invalid.unwrap_err().to_string(), "`note` must not be empty, `to` must not be before `from`");
/// ```
#[derive(Debug, Default)]
#[must_use]
pub struct Rules {
    invalid: Invalid,
}

impl Rules {
    /// Nothing is wrong yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks what every value of the field's type must hold.
    pub fn field<T: FieldValue>(self, name: &str, value: &T) -> Self {
        match value.check() {
            Ok(()) => self,
            Err(message) => self.rule(name, false, message),
        }
    }

    /// Checks a rule of the caller's; `message` says what the field must be.
    pub fn rule(mut self, name: &str, holds: bool, message: &str) -> Self {
        if !holds {
            self.invalid
                .fields
                .entry(name.to_owned())
                .or_insert_with(|| message.to_owned());
        }
        self
    }

    /// What was found.
    ///
    /// # Errors
    ///
    /// [`Invalid`] if anything is wrong.
    pub fn done(self) -> Result<(), Invalid> {
        if self.invalid.fields.is_empty() {
            Ok(())
        } else {
            Err(self.invalid)
        }
    }
}

#[cfg(test)]
mod tests;
