//! Advice against verbs that say what happens to a row instead of what happens in the business.

use std::fmt;

use super::Name;

/// A verb of databases, and verbs of business in its place. A warning: upstream's rule has exceptions upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crud {
    /// The verb, in its base form.
    pub verb: &'static str,
    /// Verbs to choose from, the likeliest first.
    pub instead: &'static [&'static str],
}

/// The verbs warned of, with their past. `add`, `set` and `remove` are no such verbs: they are what people say.
const VERBS: [(&str, &str, &[&str]); 3] = [
    ("create", "created", &["initiate", "register", "open"]),
    ("update", "updated", &["amend", "correct", "adjust"]),
    ("delete", "deleted", &["archive", "withdraw", "cancel"]),
];

/// Whether `verb` is one of `create`, `update` and `delete`, or has it as a word: `soft_delete`.
pub fn crud_verb(verb: &Name) -> Option<Crud> {
    find(verb, |(base, _, _)| base)
}

/// Whether `event` has `created`, `updated` or `deleted` as a word.
pub fn crud_event(event: &Name) -> Option<Crud> {
    find(event, |(_, past, _)| past)
}

impl fmt::Display for Crud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` tells of a row; say what happened:", self.verb)?;
        for (nth, verb) in self.instead.iter().enumerate() {
            let before = match nth {
                0 => " ",
                _ if nth + 1 == self.instead.len() => " or ",
                _ => ", ",
            };
            write!(f, "{before}`{verb}`")?;
        }
        Ok(())
    }
}

type Row = (&'static str, &'static str, &'static [&'static str]);

fn find(name: &Name, form: impl Fn(Row) -> &'static str) -> Option<Crud> {
    VERBS
        .into_iter()
        .find(|row| name.words().any(|word| word == form(*row)))
        .map(|(verb, _, instead)| Crud { verb, instead })
}
