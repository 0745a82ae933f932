//! The past participle: `submitted`, `drawn`, `picked_up`.
//!
//! Rules, in order: the irregular verbs of the table, with or without a prefix (`withdraw` as `draw`); closed phrasal
//! verbs (`checkout` as `check_out`); doubling of the last letter; then `-ed` with its spellings. The letter is doubled
//! after a single vowel in verbs of one syllable (`planned`), in those of the table (`submitted`), and for `l` always,
//! which is what makes the spelling British (`cancelled`, `labelled`).

use super::Name;
use super::phrase;
use super::table::{self, DOUBLED_VERBS, IRREGULAR_VERBS};

/// What may stand before a verb of the tables without changing how it is inflected.
const PREFIXES: &[&str] = &[
    "auto", "back", "co", "counter", "cross", "deep", "down", "fore", "ghost", "hand", "hot", "in",
    "inter", "mis", "off", "out", "over", "pre", "proof", "re", "side", "sub", "type", "un",
    "under", "up", "with",
];

/// The past participle of `verb`, as events have it.
///
/// A verb of several words inflects the first (`picked_up`), or the one that its modifier stands before
/// (`soft_deleted`), and both of two joined by `and`.
pub fn past(verb: &Name) -> Name {
    let mut words: Vec<String> = verb.words().map(str::to_owned).collect();
    let base: Vec<&str> = verb.words().collect();
    for at in phrase::inflected(&base) {
        words[at] = participle(base[at]);
    }
    Name::of(words.iter().map(String::as_str))
}

fn participle(verb: &str) -> String {
    match listed(verb) {
        Some(participle) => participle.to_owned(),
        None => by_rule(verb),
    }
}

/// The participle of a verb that has no line of its own.
pub(super) fn by_rule(verb: &str) -> String {
    if let Some(irregular) = prefixed(verb) {
        return irregular;
    }
    if let Some((verb, particle)) = phrase::closed(verb) {
        return format!("{}_{particle}", participle(verb));
    }
    regular(verb)
}

fn listed(verb: &str) -> Option<&'static str> {
    table::rows(IRREGULAR_VERBS)
        .find(|[base, _]| *base == verb)
        .map(|[_, participle]| participle)
}

/// The participle of a prefix, or several, before an irregular verb.
fn prefixed(verb: &str) -> Option<String> {
    unprefixed(verb).find_map(|(prefix, rest)| {
        let participle = listed(rest).map(str::to_owned).or_else(|| prefixed(rest))?;
        Some(format!("{prefix}{participle}"))
    })
}

fn regular(verb: &str) -> String {
    let letters = verb.as_bytes();
    match letters {
        [.., b'e'] => format!("{verb}d"),
        [rest @ .., b'y'] if rest.last().is_some_and(|last| !is_vowel(*last)) => {
            format!("{}ied", &verb[..verb.len() - 1])
        }
        [_, .., b'i', b'c'] if letters.len() > 3 => format!("{verb}ked"),
        [.., last] if is_doubled(verb) => format!("{verb}{}ed", char::from(*last)),
        _ => format!("{verb}ed"),
    }
}

fn is_doubled(verb: &str) -> bool {
    let listed = |verb: &str| table::has(DOUBLED_VERBS, verb);
    listed(verb)
        || unprefixed(verb).any(|(_, rest)| listed(rest))
        || ends_in_vowel_and_l(verb)
        || is_short(verb)
}

/// `cancel`, but neither `mail` nor `install`.
fn ends_in_vowel_and_l(verb: &str) -> bool {
    let shape = shape(verb);
    verb.ends_with('l') && shape.ends_with("cvc")
}

/// One syllable with a single vowel and a single consonant after it: `plan`, but neither `open`, `load` nor `start`.
fn is_short(verb: &str) -> bool {
    let shape = shape(verb);
    let onset = shape.trim_start_matches('c');
    onset == "vc" && onset.len() < shape.len() && !verb.ends_with(['h', 'w', 'x', 'y'])
}

/// `c` for each consonant and `v` for each vowel; the `u` of `qu` is a consonant, a `y` a vowel unless it is first.
fn shape(verb: &str) -> String {
    let letters = verb.as_bytes();
    letters
        .iter()
        .enumerate()
        .map(|(at, letter)| {
            let before = at.checked_sub(1).map(|at| letters[at]);
            match (before, letter) {
                (Some(b'q'), b'u') => 'c',
                (Some(_), b'y') => 'v',
                (_, letter) if is_vowel(*letter) => 'v',
                _ => 'c',
            }
        })
        .collect()
}

fn is_vowel(letter: u8) -> bool {
    matches!(letter, b'a' | b'e' | b'i' | b'o' | b'u')
}

fn unprefixed(verb: &str) -> impl Iterator<Item = (&'static str, &str)> {
    PREFIXES
        .iter()
        .filter_map(move |prefix| Some((*prefix, verb.strip_prefix(prefix)?)))
}
