//! What went wrong, with the way out, and the exit code that scripts go by.

use std::fmt;

/// Done; there may have been warnings.
pub(crate) const DONE: u8 = 0;
/// Cannot be done as asked, or a check has findings.
pub(crate) const CANNOT: u8 = 1;
/// Called wrongly: unknown or missing arguments.
pub(crate) const USAGE: u8 = 2;
/// `--check` found that something would change.
pub(crate) const CHANGES: u8 = 3;
/// Our bug.
pub(crate) const BUG: u8 = 70;

/// An error as it is shown: a message, where, why, and what to do.
#[derive(Debug)]
pub(crate) struct CliError {
    code: u8,
    message: String,
    causes: Vec<String>,
    hints: Vec<String>,
}

impl CliError {
    /// It cannot be done as asked.
    pub(crate) fn cannot(message: impl Into<String>) -> Self {
        Self::new(CANNOT, message)
    }

    /// It was called wrongly.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(USAGE, message)
    }

    /// It is our fault.
    pub(crate) fn bug(message: impl Into<String>) -> Self {
        Self::new(BUG, message)
            .hint("this is a bug in hecate: please report it, with the command and this message")
    }

    pub(crate) fn new(code: u8, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            causes: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// It cannot be done because of `error`.
    pub(crate) fn because(
        message: impl Into<String>,
        error: &(dyn std::error::Error + 'static),
    ) -> Self {
        Self::cannot(message).caused_by(error)
    }

    /// Adds an error and all its causes.
    #[must_use]
    pub(crate) fn caused_by(mut self, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let said = error.to_string();
            // A transparent error says what its source says.
            if self.message != said && self.causes.last() != Some(&said) {
                self.causes.push(said);
            }
            next = error.source();
        }
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The exit code.
    pub(crate) const fn code(&self) -> u8 {
        self.code
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn causes(&self) -> &[String] {
        &self.causes
    }

    pub(crate) fn hints(&self) -> &[String] {
        &self.hints
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.causes
            .iter()
            .try_for_each(|cause| write!(f, ": {cause}"))
    }
}
