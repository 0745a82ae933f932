//! What is wrong with a body, field by field.
//!
//! serde stops at the first thing that is wrong, and whoever fills in a form wants to know all of it. So a body that was
//! refused is read again: what is wrong is noted, taken out or filled in with something plausible, and reading goes on
//! from there, until nothing is wrong or nothing plausible helps. A body that is right is read once, by serde alone, and
//! none of this runs.
//!
//! What serde said is always among what is told. Absent on purpose: what is wrong with a field that was filled in here,
//! and rules, which are checked when the types are right.

mod reader;
#[cfg(test)]
mod tests;
mod wrong;

use std::collections::{BTreeMap, HashMap};

use serde::de::DeserializeOwned;
use serde_json::Value;

use self::reader::Reader;
use self::wrong::{Kind, Step, Wrong};
use crate::validate::Invalid;

/// What all readings of one body may take together, in bytes: who sends nonsense by the megabyte learns less about it.
const READ_BYTES: usize = 1024 * 1024;
/// Readings of a body, at least and at most.
const ROUNDS: (usize, usize) = (2, 256);
/// What is wrong with the whole of a body is told under this name.
const BODY: &str = "body";

/// Why `text` is no `T`.
///
/// # Errors
///
/// If it is no JSON at all, further on than where it was found not to be a `T`.
pub(crate) fn body<T: DeserializeOwned>(text: &[u8]) -> Result<Invalid, serde_json::Error> {
    let mut body: Value = serde_json::from_slice(text)?;
    let rounds = (READ_BYTES / text.len().max(1)).clamp(ROUNDS.0, ROUNDS.1);
    let mut found = Found::default();
    for _ in 0..rounds {
        let Err(wrong) = T::deserialize(Reader::new(&body)) else {
            break;
        };
        found.note(&wrong);
        if !found.mend(&mut body, wrong) {
            break;
        }
    }
    let mut invalid = Invalid {
        fields: found.messages,
    };
    // A field that is given twice is seen in the text only, and comes first of all then.
    let mut reader = serde_json::Deserializer::from_slice(text);
    if let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut reader) {
        // serde ends its messages with a place in the text, which says nothing to who filled in a form.
        let message = error.inner().to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        if invalid.fields.is_empty() || message.starts_with("duplicate field") {
            let said = told(error.path(), message, BODY);
            invalid.fields.extend(said.fields);
        }
    }
    Ok(invalid)
}

/// What serde said about `path` of something that was read as some type. It names what is missing or unknown in its
/// message alone; what has no name at all is told under that of the `whole`.
pub(crate) fn told(path: &serde_path_to_error::Path, message: &str, whole: &str) -> Invalid {
    let parent = path.to_string();
    let named = message.split('`').nth(1);
    let field = match (parent.as_str(), named) {
        (".", None) => whole.to_owned(),
        (".", Some(name)) => name.to_owned(),
        _ => parent,
    };
    let message = match message.split('`').next().unwrap_or_default() {
        "missing field " => "is missing".to_owned(),
        "duplicate field " => "is given twice".to_owned(),
        _ => wrong::not_right(message),
    };
    Invalid::field(field, message)
}

/// What was found so far.
#[derive(Default)]
struct Found {
    messages: BTreeMap<String, String>,
    /// Places that were filled in, with what else could be put there.
    made_up: HashMap<Vec<Step>, std::vec::IntoIter<Value>>,
}

impl Found {
    /// Notes what is wrong, if it is the sender's doing.
    fn note(&mut self, wrong: &Wrong) {
        let made_up = |end| self.made_up.contains_key(&wrong.place[..end]);
        if !(0..=wrong.place.len()).any(made_up) {
            let field = wrong.field().unwrap_or_else(|| BODY.to_owned());
            let message = wrong.message();
            self.messages.entry(field).or_insert(message);
        }
    }

    /// Makes `body` so that this is not wrong any more, or at least different. `false` if nothing is left to try.
    fn mend(&mut self, body: &mut Value, wrong: Wrong) -> bool {
        let Wrong { place, kind, .. } = &wrong;
        let Some(at) = at(body, place) else {
            return false;
        };
        match kind {
            Kind::Unknown { field, .. } => at
                .as_object_mut()
                .is_some_and(|fields| fields.remove(field).is_some()),
            Kind::Missing(field) => {
                let Some(fields) = at.as_object_mut() else {
                    return false;
                };
                // What would be right there is told when the nothing is read.
                let place = [place.as_slice(), &[Step::Key((*field).to_owned())]].concat();
                let fresh = fields.insert((*field).to_owned(), Value::Null).is_none();
                self.made_up.insert(place, Vec::new().into_iter());
                fresh
            }
            _ if place.is_empty() => false,
            _ => {
                let known = self.made_up.get_mut(place).and_then(Iterator::next);
                let next = match known {
                    Some(next) => Some(next),
                    // Filled in with nothing, or not yet at all: now it is known what it should be.
                    None if at.is_null() || !self.made_up.contains_key(place) => {
                        let mut plausible = wrong.plausible().into_iter();
                        let next = plausible.next();
                        self.made_up.insert(wrong.place, plausible);
                        next
                    }
                    None => None,
                };
                next.is_some_and(|next| {
                    *at = next;
                    true
                })
            }
        }
    }
}

fn at<'a>(body: &'a mut Value, place: &[Step]) -> Option<&'a mut Value> {
    place.iter().try_fold(body, |value, step| match step {
        Step::Key(key) => value.get_mut(key),
        Step::Index(index) => value.get_mut(index),
    })
}
