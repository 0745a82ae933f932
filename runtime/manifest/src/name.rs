//! The rule for plugin names.
//!
//! A name is a route, a directory and part of a package name at once, so it is plain: words of lowercase
//! letters and digits, joined by single hyphens. What people read is the manifest's `display_name`.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest plugin name, in characters.
pub const MAX_NAME_CHARS: usize = 64;

/// A name that holds to `^[a-z][a-z0-9]*(-[a-z0-9]+)*$` and has at most [`MAX_NAME_CHARS`] characters.
///
/// It can be used as one component of a path or URL as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PluginName(String);

impl PluginName {
    /// Checks `name` and keeps it.
    ///
    /// # Errors
    ///
    /// [`NameError`] with the first fault, and with a name that would do if one can be made of it.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        match fault(name) {
            None => Ok(Self(name.to_owned())),
            Some(fault) => Err(NameError {
                name: name.to_owned(),
                fault,
                suggestion: suggest_name(name),
            }),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is not a plugin name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a plugin name: {fault}", name.escape_debug())]
pub struct NameError {
    /// The text as given.
    pub name: String,
    /// What is wrong with it.
    pub fault: NameFault,
    /// A plugin name that resembles it.
    pub suggestion: Option<PluginName>,
}

/// What is wrong with a name; the first thing found, from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameFault {
    /// No characters.
    #[error("it is empty")]
    Empty,
    /// The first character is something else than a lowercase letter.
    #[error("it starts with `{}`, and must start with a lowercase letter", .0.escape_debug())]
    Start(char),
    /// A character that no name may hold.
    #[error("it holds `{}`, and may hold only lowercase letters, digits and hyphens", .0.escape_debug())]
    Character(char),
    /// A hyphen with no word after it.
    #[error("each hyphen must stand between two words")]
    Hyphen,
    /// More than [`MAX_NAME_CHARS`] characters; holds how many.
    #[error("it has {0} characters, and may have {MAX_NAME_CHARS}")]
    TooLong(usize),
}

/// The plugin name that `text` probably stands for: `My Plugin`, `myPlugin` and `my_plugin` are `my-plugin`.
///
/// Nothing if a letter or digit of it would be lost, or none is there.
pub fn suggest_name(text: &str) -> Option<PluginName> {
    if text.chars().any(|c| c.is_alphanumeric() && !c.is_ascii()) {
        return None;
    }
    let mut words = String::new();
    let mut before = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if !character.is_ascii_alphanumeric() {
            before = None;
            words.push('-');
            continue;
        }
        let next_is_lowercase = characters.peek().is_some_and(char::is_ascii_lowercase);
        if before.is_some_and(|before| starts_word(before, character, next_is_lowercase)) {
            words.push('-');
        }
        before = Some(character);
        words.push(character.to_ascii_lowercase());
    }

    let mut name = words
        .split('-')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert_str(0, "plugin-");
    }
    name.truncate(MAX_NAME_CHARS);
    let name = name.trim_end_matches('-');
    fault(name).is_none().then(|| PluginName(name.to_owned()))
}

fn fault(name: &str) -> Option<NameFault> {
    let Some(first) = name.chars().next() else {
        return Some(NameFault::Empty);
    };
    if !first.is_ascii_lowercase() {
        return Some(NameFault::Start(first));
    }
    let mut after_hyphen = false;
    for character in name.chars() {
        match character {
            'a'..='z' | '0'..='9' => after_hyphen = false,
            '-' if after_hyphen => return Some(NameFault::Hyphen),
            '-' => after_hyphen = true,
            _ => return Some(NameFault::Character(character)),
        }
    }
    if after_hyphen {
        return Some(NameFault::Hyphen);
    }
    // Only ASCII is left: a byte is a character.
    (name.len() > MAX_NAME_CHARS).then_some(NameFault::TooLong(name.len()))
}

/// Whether a new word of `camelCase` or `HTTPServer` starts at `character`.
fn starts_word(before: char, character: char, next_is_lowercase: bool) -> bool {
    character.is_ascii_uppercase() && (!before.is_ascii_uppercase() || next_is_lowercase)
}

impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for PluginName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for PluginName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PluginName {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, NameError> {
        Self::parse(&name)
    }
}

impl From<PluginName> for String {
    fn from(name: PluginName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests;
