//! The one kind of name, and its cases.

use std::fmt;
use std::str::FromStr;

use heck::ToSnakeCase;

/// A name in snake case: words of `a` to `z` and `0` to `9`, joined by single underscores, a letter first.
///
/// Two names are spelled the same as a type only if they differ in an underscore before a digit (`line_1` and `line1`
/// are both `Line1`); [`near`](super::near) tells of such a pair.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// A text that is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{input}` is not a name: {fault}")]
pub struct NameError {
    /// The text as it was given.
    pub input: String,
    /// The first thing that is wrong with it.
    pub fault: Fault,
    /// The name that was probably meant.
    pub suggestion: Option<Name>,
}

/// What can be wrong with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    #[error("it is empty")]
    Empty,
    #[error("it has {length} characters, and {most} is the most")]
    TooLong { length: usize, most: usize },
    #[error("it starts with `{0}`, not with a letter from `a` to `z`")]
    Start(char),
    #[error("`{found}` may not stand in it, only `a` to `z`, `0` to `9` and `{separator}`")]
    Character { found: char, separator: char },
    #[error("a `{0}` stands only between two words, and alone")]
    Separator(char),
}

impl Name {
    /// The most characters in a name that somebody writes. What is made of names may be longer.
    pub const MAX: usize = 64;
    /// The most characters in a name made of names: a desk, a command, an event.
    pub const MAX_COMPOSITE: usize = 192;

    /// Reads a name in snake case, as a subject, a verb or a field is written.
    ///
    /// # Errors
    ///
    /// [`NameError`], with a suggestion where the text can be read as a name in another case.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        read(text, '_', Self::MAX)
    }

    /// Reads a name made of names, which may be longer: a desk or an event.
    ///
    /// # Errors
    ///
    /// As for [`Name::parse`].
    pub fn parse_composite(text: &str) -> Result<Self, NameError> {
        read(text, '_', Self::MAX_COMPOSITE)
    }

    /// Reads a name in kebab case, as a plugin's is written.
    ///
    /// # Errors
    ///
    /// As for [`Name::parse`]; show the suggestion in kebab case.
    pub fn parse_kebab(text: &str) -> Result<Self, NameError> {
        read(text, '-', Self::MAX)
    }

    /// The name of `words`, which are words of names.
    pub(super) fn of<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        Self(words.into_iter().collect::<Vec<_>>().join("_"))
    }

    /// `kanban_card`: as a module, a field, a route.
    pub fn snake(&self) -> &str {
        &self.0
    }

    /// `kanban-card`: as a package, a plugin, an element.
    pub fn kebab(&self) -> String {
        self.0.replace('_', "-")
    }

    /// `KanbanCard`: as a type. Two digits that meet keep their underscore, as Rust's own style has it: `V1_2`.
    pub fn type_name(&self) -> String {
        let mut name = String::with_capacity(self.0.len());
        for word in self.words() {
            if name.ends_with(digit) && word.starts_with(digit) {
                name.push('_');
            }
            push_capitalized(&mut name, word);
        }
        name
    }

    /// `Kanban card`: as a heading.
    pub fn title(&self) -> String {
        let mut title = String::with_capacity(self.0.len());
        push_capitalized(&mut title, &self.0.replace('_', " "));
        title
    }

    /// `kanban`, `card`.
    pub fn words(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('_')
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

fn read(text: &str, separator: char, most: usize) -> Result<Name, NameError> {
    match fault(text, separator, most) {
        None => Ok(Name(text.replace(separator, "_"))),
        Some(fault) => Err(NameError {
            input: text.to_owned(),
            fault,
            suggestion: suggest(text, most),
        }),
    }
}

fn fault(text: &str, separator: char, most: usize) -> Option<Fault> {
    let Some(first) = text.chars().next() else {
        return Some(Fault::Empty);
    };
    let allowed = |c: char| c.is_ascii_lowercase() || digit(c) || c == separator;
    if let Some(found) = text.chars().find(|c| !allowed(*c)) {
        return Some(Fault::Character { found, separator });
    }
    if digit(first) {
        return Some(Fault::Start(first));
    }
    if text.split(separator).any(str::is_empty) {
        return Some(Fault::Separator(separator));
    }
    let length = text.len(); // All of it is ASCII by now.
    (length > most).then_some(Fault::TooLong { length, most })
}

/// Reads `text` as a name in some other case, if nothing of it is lost.
fn suggest(text: &str, most: usize) -> Option<Name> {
    if text.chars().any(|c| c.is_alphanumeric() && !c.is_ascii()) {
        return None;
    }
    let spaced = text.replace(|c: char| !c.is_ascii_alphanumeric(), " ");
    let snake = letter_first(&spaced.to_snake_case());
    fault(&snake, '_', most).is_none().then_some(Name(snake))
}

/// Spells out a digit that stands first (`2fast` → `two_fast`); a longer number changes places with the next word
/// (`404_page` → `page_404`).
fn letter_first(snake: &str) -> String {
    const DIGITS: [&str; 10] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    ];
    let rest = snake.trim_start_matches(digit);
    let number = &snake[..snake.len() - rest.len()];
    let rest = rest.trim_start_matches('_');
    match number.as_bytes() {
        [] => snake.to_owned(),
        [one] => format!("{}_{rest}", DIGITS[usize::from(one - b'0')]),
        _ => match rest.split_once('_') {
            None => format!("{rest}_{number}"),
            Some((word, more)) => format!("{word}_{number}_{more}"),
        },
    }
}

fn push_capitalized(to: &mut String, word: &str) {
    let mut chars = word.chars();
    to.extend(chars.next().map(|first| first.to_ascii_uppercase()));
    to.push_str(chars.as_str());
}

fn digit(c: char) -> bool {
    c.is_ascii_digit()
}
