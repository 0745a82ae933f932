//! Plurals: `orders` of `order`, for routes, tables and departments.
//!
//! The `pluralizer` crate knows most, and `data/plurals.tsv` what it errs on. The word that changes is the noun, which
//! need not be the last: `agents_to_team`, `bills_of_materials`, `containers_down`, as a reader of the route expects.

use super::Name;
use super::phrase;
use super::table::{self, PLURALS};

/// The plural of `name`. It is `name` itself if there is none (`metadata`) or it is one already (`terms`): whoever
/// needs two names compares them.
pub fn plural(name: &Name) -> Name {
    with_head(name, many)
}

/// The singular of `name`, if `name` is the plural of another; for hints, not for names.
pub fn singular(name: &Name) -> Option<Name> {
    let singular = with_head(name, one);
    (singular != *name && plural(&singular) == *name).then_some(singular)
}

fn with_head(name: &Name, inflect: impl Fn(&str) -> String) -> Name {
    let words: Vec<&str> = name.words().collect();
    let head = phrase::head(&words);
    let inflected = inflect(words[head]);
    Name::of(
        words[..head]
            .iter()
            .copied()
            .chain([inflected.as_str()])
            .chain(words[head + 1..].iter().copied()),
    )
}

fn many(word: &str) -> String {
    match listed(word) {
        Some((_, plural)) => plural.to_owned(),
        None => pluralizer::pluralize(word, 2, false),
    }
}

fn one(word: &str) -> String {
    match listed(word) {
        Some((singular, _)) => singular.to_owned(),
        None => pluralizer::pluralize(word, 1, false),
    }
}

/// The entry that has `word` on either side.
fn listed(word: &str) -> Option<(&'static str, &'static str)> {
    table::rows(PLURALS)
        .map(|[singular, plural]| (singular, plural))
        .find(|(singular, plural)| *singular == word || *plural == word)
}
