//! The data files: one entry a line, `#` before a remark, columns parted by tabs.

pub(super) const COMPOUNDS: &str = include_str!("data/compounds.txt");
pub(super) const DOUBLED_VERBS: &str = include_str!("data/doubled_verbs.txt");
pub(super) const IRREGULAR_VERBS: &str = include_str!("data/irregular_verbs.tsv");
pub(super) const PHRASAL_VERBS: &str = include_str!("data/phrasal_verbs.txt");
pub(super) const PLURALS: &str = include_str!("data/plurals.tsv");
pub(super) const RESERVED_WORDS: &str = include_str!("data/reserved_words.tsv");
pub(super) const VERB_MODIFIERS: &str = include_str!("data/verb_modifiers.txt");

/// The entries of `file`. They are few, and read a few times a run, so that they are searched as they stand.
pub(super) fn lines(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The columns of each entry of `file`; what is missing is empty.
pub(super) fn rows<const N: usize>(file: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    lines(file).map(|line| {
        let mut columns = line.split('\t');
        std::array::from_fn(|_| columns.next().unwrap_or_default())
    })
}

/// Whether `entry` is a line of `file`.
pub(super) fn has(file: &'static str, entry: &str) -> bool {
    lines(file).any(|line| line == entry)
}
