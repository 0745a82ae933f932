//! What went wrong, with the way out, and the exit code that scripts go by.

use std::fmt;
use std::io::{self, ErrorKind};

/// Done; there may have been warnings.
pub(crate) const DONE: u8 = 0;
/// Cannot be done as asked, or a check has findings.
pub(crate) const CANNOT: u8 = 1;
/// Called wrongly: unknown or missing arguments.
pub(crate) const USAGE: u8 = 2;
/// `--check` found that something would change.
pub(crate) const CHANGES: u8 = 3;
/// What was merged conflicts: markers were left.
pub(crate) const CONFLICT: u8 = 4;
/// A verification failed: a store is damaged, or what was written does not compile.
pub(crate) const UNSOUND: u8 = 5;
/// Our bug.
pub(crate) const BUG: u8 = 70;

/// An error as it is shown: a message, where, why, and what to do.
#[derive(Debug)]
pub(crate) struct CliError {
    code: u8,
    message: String,
    source: Option<anyhow::Error>,
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
            source: None,
            hints: Vec::new(),
        }
    }

    /// It cannot be done because of `error`.
    pub(crate) fn because(message: impl Into<String>, error: impl Into<anyhow::Error>) -> Self {
        Self::cannot(message).caused_by(error)
    }

    /// A file that is to be text is none.
    pub(crate) fn not_text(path: impl fmt::Display) -> Self {
        Self::cannot(format!("`{path}` is not UTF-8 text"))
            .hint("save it as UTF-8, or take it from your last commit")
    }

    /// A check has findings, which were shown already.
    pub(crate) fn findings() -> Self {
        Self::new(CANNOT, "")
    }

    /// Whether everything was shown already.
    pub(crate) fn is_shown(&self) -> bool {
        self.message.is_empty()
    }

    /// Adds an error, with all its causes.
    #[must_use]
    pub(crate) fn caused_by(mut self, error: impl Into<anyhow::Error>) -> Self {
        self.source = Some(error.into());
        self
    }

    /// Says what it stood in the way of; what was the message is then why.
    #[must_use]
    pub(crate) fn against(mut self, what: impl Into<String>) -> Self {
        let why = std::mem::replace(&mut self.message, what.into());
        self.source = Some(match self.source.take() {
            Some(source) => source.context(why),
            None => anyhow::Error::msg(why),
        });
        self
    }

    /// Adds what to do about an error of the system, where there is something to do.
    #[must_use]
    pub(crate) fn way_out_of(self, error: &io::Error) -> Self {
        match way_out(error.kind()) {
            Some(way_out) => self.hint(way_out),
            None => self,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Says which step of something larger it was.
    #[must_use]
    pub(crate) fn in_step(mut self, step: &str) -> Self {
        self.message = format!("{step}: {}", self.message);
        self.hint("what is done is not done twice: run `hecate demo` again when this is mended")
    }

    /// The exit code.
    pub(crate) const fn code(&self) -> u8 {
        self.code
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Why, from the nearest cause to the farthest.
    pub(crate) fn causes(&self) -> Vec<String> {
        let mut causes: Vec<String> = Vec::new();
        for cause in self.source.iter().flat_map(anyhow::Error::chain) {
            let said = cause.to_string();
            // A transparent error says what its source says, and some quote it, as may the message itself.
            let is_said = |before: &String| before.contains(&said);
            if !is_said(&self.message) && !causes.last().is_some_and(is_said) {
                causes.push(said);
            }
        }
        causes
    }

    pub(crate) fn hints(&self) -> &[String] {
        &self.hints
    }
}

/// The same error, without the path of a temporary file: that means nothing to anybody, and the file that was to be
/// written is named already.
pub(crate) fn without_path(error: io::Error) -> io::Error {
    let is_quoted = error.get_ref().is_some() && error.kind() != ErrorKind::Other;
    if is_quoted {
        error.kind().into()
    } else {
        error
    }
}

/// What to do when the system does not let us write.
const fn way_out(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "the disk is full: free some space and run the command again"
        }
        ErrorKind::ReadOnlyFilesystem => {
            "the file system is read-only: work in a place that can be written"
        }
        ErrorKind::PermissionDenied => "it is not yours: see who owns it",
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
            "a file stands where a directory is needed: move it away, or take another place"
        }
        _ => return None,
    })
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.causes()
            .iter()
            .try_for_each(|cause| write!(f, ": {cause}"))
    }
}
