//! Phrases: which words of a subject are the noun, and which belong to the verb.
//!
//! A noun ends before the first preposition (`agent | to_team`) or before a particle at the end (`container | down`).
//! It goes on where the preposition is part of it: `of` (`bill_of_materials`), the same word on both sides
//! (`point_to_point_link`), a noun made of a phrasal verb (`sign_up_form`), and the compounds of the table
//! (`work_in_progress`). Where this guesses wrong, the event's name is given.

use super::table::{self, COMPOUNDS, PHRASAL_VERBS, VERB_MODIFIERS};

/// Adverbs that make one verb of `pick` and `up`.
const PARTICLES: &[&str] = &[
    "ahead", "along", "apart", "around", "aside", "away", "back", "by", "down", "forward", "in",
    "off", "on", "out", "over", "through", "together", "under", "up",
];

/// Words that begin what is said beside the noun.
const PREPOSITIONS: &[&str] = &[
    "across", "after", "against", "as", "at", "before", "between", "by", "during", "for", "from",
    "in", "into", "on", "onto", "through", "to", "toward", "towards", "until", "upon", "via",
    "with", "within", "without",
];

/// Words that no noun begins with: right after a verb, they belong to it (`subscribe_to`, `dispose_of`).
const CLINGING: &[&str] = &[
    "about", "against", "at", "for", "from", "into", "of", "onto", "to", "upon", "with",
];

/// Words that put two verbs side by side.
const CONJUNCTIONS: &[&str] = &["and", "or"];

/// Where the noun at the start of `words` ends.
pub(super) fn noun_end(words: &[&str]) -> usize {
    (1..words.len())
        .find(|&at| !is_inside_noun(words, at) && begins_tail(words, at))
        .unwrap_or(words.len())
}

/// Which of `words` takes the plural: `bill` of `bill_of_materials`, `line` of `bill_of_materials_line`.
pub(super) fn head(words: &[&str]) -> usize {
    let of = |at: &usize| matches!(words[*at], "of" | "per");
    let inside =
        |at: &usize| (PREPOSITIONS.contains(&words[*at]) || of(at)) && !is_paired(words, *at);
    if is_compound(words) {
        // All of it is the compound, so that its first noun is the head, if it has one.
        return (1..words.len() - 1)
            .find(inside)
            .map_or(words.len() - 1, |at| at - 1);
    }
    let end = noun_end(words);
    (1..end.saturating_sub(1))
        .find(|at| of(at) && compound_at(words, *at).is_none())
        .map_or(end - 1, |at| at - 1)
}

/// Whether `word`, first of what follows a verb that ends in `verb`, belongs to the verb.
pub(super) fn clings(verb: &str, rest: &[&str]) -> bool {
    let begins_compound = (2..=rest.len()).any(|end| is_compound(&rest[..end]));
    rest.first()
        .is_some_and(|word| !begins_compound && (CLINGING.contains(word) || is_phrasal(verb, word)))
}

/// Whether `words` read as one verb: `pick_up`, `soft_delete`, `opt_in_to`, `review_and_approve`.
pub(super) fn is_verb(words: &[&str]) -> bool {
    words.split(is_conjunction).all(|part| {
        let base = modifiers(part);
        part.len() > base && part[base + 1..].iter().all(|word| is_small(word))
    })
}

/// Where the verb at the start of a desk ends, without its particles: after `review_and_approve`. It leaves a word.
pub(super) fn verb_end(desk: &[&str]) -> usize {
    let words = &desk[..desk.len() - 1];
    let mut end = 1 + modifiers(words);
    while words.get(end).is_some_and(is_conjunction) && end + 1 < words.len() {
        end += 2 + modifiers(&words[end + 1..]);
    }
    end
}

/// Which of the words of a verb are inflected: the first, or what a modifier stands before, and so after each `and`.
pub(super) fn inflected(verb: &[&str]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut start = 0;
    for part in verb.split(is_conjunction) {
        if !part.is_empty() {
            found.push(start + modifiers(part));
        }
        start += part.len() + 1;
    }
    found
}

/// How many words stand before the verb itself in `words`, and change it: one in `soft_delete`.
fn modifiers(words: &[&str]) -> usize {
    words
        .windows(2)
        .take_while(|pair| {
            table::has(VERB_MODIFIERS, &pair.join(" "))
                || table::has(VERB_MODIFIERS, pair[0]) && !is_small(pair[1])
        })
        .count()
}

/// Verb and particle of a phrasal verb written as one word: `checkout`.
pub(super) fn closed(word: &str) -> Option<(&'static str, &'static str)> {
    table::lines(PHRASAL_VERBS)
        .filter_map(|line| line.split_once(' '))
        .find(|(verb, particle)| word.strip_prefix(verb) == Some(particle))
}

fn begins_tail(words: &[&str], at: usize) -> bool {
    let (word, next) = (&words[at], words.get(at + 1));
    match next {
        None => PARTICLES.contains(word),
        Some(_) if PREPOSITIONS.contains(word) => true,
        Some(next) => PARTICLES.contains(word) && (is_small(next) || *next == "of"),
    }
}

fn is_inside_noun(words: &[&str], at: usize) -> bool {
    // Before another word, `in` is likelier a preposition than a part of the noun; compounds say where it is not.
    let particle = at + 1 == words.len() || !PREPOSITIONS.contains(&words[at]);
    let made_of_verb = particle && is_phrasal(words[at - 1], words[at]);
    made_of_verb || is_paired(words, at) || compound_at(words, at).is_some()
}

/// Whether the same word stands on both sides: `day_to_day`.
fn is_paired(words: &[&str], at: usize) -> bool {
    words.get(at + 1) == Some(&words[at - 1])
}

/// The compound of the table that has its word at `at` in `words`.
fn compound_at(words: &[&str], at: usize) -> Option<&'static str> {
    table::lines(COMPOUNDS).find(|compound| {
        let length = compound.split('_').count();
        (0..words.len().saturating_sub(length - 1))
            .filter(|start| (*start..start + length).contains(&at))
            .any(|start| {
                compound
                    .split('_')
                    .eq(words[start..start + length].iter().copied())
            })
    })
}

fn is_compound(words: &[&str]) -> bool {
    table::lines(COMPOUNDS).any(|compound| compound.split('_').eq(words.iter().copied()))
}

fn is_phrasal(verb: &str, particle: &str) -> bool {
    PARTICLES.contains(&particle) && table::has(PHRASAL_VERBS, &format!("{verb} {particle}"))
}

fn is_conjunction(word: &&str) -> bool {
    CONJUNCTIONS.contains(word)
}

/// Whether `word` is a particle or a preposition.
fn is_small(word: &str) -> bool {
    PARTICLES.contains(&word) || PREPOSITIONS.contains(&word)
}
