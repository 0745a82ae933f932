mod checks;
mod desks;
mod english;
mod names;

use super::{Desk, Name};

const DESKS: &str = include_str!("tests/desks.tsv");
const PAST_PARTICIPLES: &str = include_str!("tests/past_participles.tsv");
const PLURALS: &str = include_str!("tests/plurals.tsv");

fn name(text: &str) -> Name {
    Name::parse_composite(text).unwrap()
}

fn names(texts: &[&str]) -> Vec<Name> {
    texts.iter().copied().map(name).collect()
}

fn desk(verb: &str, subject: &str) -> Desk {
    Desk::new(&name(verb), &name(subject), &[]).unwrap()
}
