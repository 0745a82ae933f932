//! Names that are easily taken for one another.

use super::{Name, plural};

/// A name that another one is close to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Near<'a> {
    /// The name there is.
    pub name: &'a Name,
    /// How close it is.
    pub closeness: Closeness,
}

/// How close two different names are, the closest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closeness {
    /// One type name for both: `line_1` and `line1`.
    SameType,
    /// Singular and plural of one word: `order` and `orders`. Both would have one route.
    SameNumber,
    /// A letter or two apart: `order` and `oder`.
    Spelling,
}

/// The name among `existing` that `new` is closest to, if it is close to any but not equal.
///
/// Names that differ in a number (`phase_1`, `phase_2`) or in a prefix that turns the meaning (`park`, `unpark`) are
/// not close in spelling: they differ on purpose.
pub fn near<'a>(existing: impl IntoIterator<Item = &'a Name>, new: &Name) -> Option<Near<'a>> {
    existing
        .into_iter()
        .filter(|name| *name != new)
        .filter_map(|name| {
            let (closeness, distance) = compare(name, new)?;
            Some((closeness, distance, name))
        })
        .min()
        .map(|(closeness, _, name)| Near { name, closeness })
}

fn compare(one: &Name, other: &Name) -> Option<(Closeness, usize)> {
    if one.type_name() == other.type_name() {
        return Some((Closeness::SameType, 0));
    }
    if plural(one) == plural(other) {
        return Some((Closeness::SameNumber, 0));
    }
    if differ_on_purpose(one.snake(), other.snake()) {
        return None;
    }
    let distance = strsim::damerau_levenshtein(one.snake(), other.snake());
    let shorter = one.snake().len().min(other.snake().len());
    let most = match shorter {
        0..4 => 0,
        4..8 => 1,
        _ => 2,
    };
    (distance <= most).then_some((Closeness::Spelling, distance))
}

fn differ_on_purpose(one: &str, other: &str) -> bool {
    const TURNING: [&str; 6] = ["un", "re", "de", "in", "im", "co"];
    let letters = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
    let turned = |one: &str, other: &str| {
        TURNING
            .iter()
            .any(|prefix| one.strip_prefix(prefix) == Some(other))
    };
    letters(one) == letters(other) || turned(one, other) || turned(other, one)
}
