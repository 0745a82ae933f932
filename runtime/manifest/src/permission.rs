//! What a plugin may ask for.
//!
//! The manifest asks, the operator grants, and the daemon's sandbox holds to it. Here is only the language:
//! a text that is not one of the known forms is [`Permission::Unknown`], which nothing ever grants.

use std::fmt;

/// The known forms, as they are shown to people.
pub const PERMISSION_FORMS: [&str; 8] = [
    "net:tcp:PORT",
    "net:dns",
    "net:listen:PORT",
    "process:NAME",
    "fs:read:PATH",
    "facts:publish:TOPIC",
    "facts:subscribe:TOPIC",
    "hope:call:NAME",
];

/// One entry of a manifest's `permissions`. Displays as the text it was read from, whatever that was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Permission {
    /// `net:tcp:PORT`: connect to this TCP port, never 0, of any host.
    Connect(u16),
    /// `net:dns`: ask name servers.
    Resolve,
    /// `net:listen:PORT`: listen on this TCP port, never 0.
    Listen(u16),
    /// `process:NAME`: run the program of this file name; no path.
    Run(String),
    /// `fs:read:PATH`: read this file, or everything below this directory; absolute, without `..`.
    Read(String),
    /// `facts:publish:TOPIC`: publish facts on this topic.
    Publish(String),
    /// `facts:subscribe:TOPIC`: receive the facts of this topic.
    Subscribe(String),
    /// `hope:call:NAME`: send this hope.
    Call(String),
    /// Any other text. Kept and warned about, never granted.
    Unknown(String),
}

impl Permission {
    /// Reads one entry. Never fails: what is not exactly one of [`PERMISSION_FORMS`] is [`Self::Unknown`], a
    /// known form with a bad port, path or word included.
    pub fn parse(text: &str) -> Self {
        known(text).unwrap_or_else(|| Self::Unknown(text.to_owned()))
    }

    /// Whether this is one of the known forms. Anything else must not be granted.
    pub const fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }
}

fn known(text: &str) -> Option<Permission> {
    let permission = match text.splitn(3, ':').collect::<Vec<_>>()[..] {
        ["net", "tcp", number] => Permission::Connect(port(number)?),
        ["net", "dns"] => Permission::Resolve,
        ["net", "listen", number] => Permission::Listen(port(number)?),
        ["process", name] => Permission::Run(program(name)?),
        ["fs", "read", path] => Permission::Read(absolute(path)?),
        ["facts", "publish", topic] => Permission::Publish(word(topic)?),
        ["facts", "subscribe", topic] => Permission::Subscribe(word(topic)?),
        ["hope", "call", name] => Permission::Call(word(name)?),
        _ => return None,
    };
    Some(permission)
}

/// A port as `u16` displays it, so that reading and displaying are inverse.
fn port(text: &str) -> Option<u16> {
    let port: u16 = text.parse().ok().filter(|port| *port != 0)?;
    (port.to_string() == text).then_some(port)
}

fn program(text: &str) -> Option<String> {
    let is_name = !text.contains('/') && !matches!(text, "." | "..");
    is_name.then(|| word(text)).flatten()
}

fn absolute(text: &str) -> Option<String> {
    let is_path = text.starts_with('/')
        && !text.contains(char::is_control)
        && text.split('/').all(|component| component != "..");
    is_path.then(|| text.to_owned())
}

fn word(text: &str) -> Option<String> {
    let is_word = !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    is_word.then(|| text.to_owned())
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(port) => write!(f, "net:tcp:{port}"),
            Self::Resolve => write!(f, "net:dns"),
            Self::Listen(port) => write!(f, "net:listen:{port}"),
            Self::Run(name) => write!(f, "process:{name}"),
            Self::Read(path) => write!(f, "fs:read:{path}"),
            Self::Publish(topic) => write!(f, "facts:publish:{topic}"),
            Self::Subscribe(topic) => write!(f, "facts:subscribe:{topic}"),
            Self::Call(name) => write!(f, "hope:call:{name}"),
            Self::Unknown(text) => write!(f, "{text}"),
        }
    }
}

#[cfg(test)]
mod tests;
