//! Words of a text that become others: whole words, longest first, each place once.

/// `text` with every word of `pairs` as its other one. A word may hold `::` or quotes; what stands at its ends must not
/// be a part of a longer name.
pub(super) fn replaced(text: &str, pairs: &[(String, String)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before: Option<char> = None;
    while !rest.is_empty() {
        let free = !before.is_some_and(is_part);
        let found = pairs
            .iter()
            .filter(|(from, _)| {
                rest.starts_with(from.as_str())
                    && (free || !from.starts_with(is_part))
                    && !(from.ends_with(is_part)
                        && rest[from.len()..].chars().next().is_some_and(is_part))
            })
            .max_by_key(|(from, _)| from.len());
        let taken = match found {
            Some((from, to)) => {
                out.push_str(to);
                from.len()
            }
            None => {
                let first = rest.chars().next().map_or(1, char::len_utf8);
                out.push_str(&rest[..first]);
                first
            }
        };
        before = rest[..taken].chars().next_back();
        rest = &rest[taken..];
    }
    out
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::replaced;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = |(from, to): &(&str, &str)| ((*from).to_owned(), (*to).to_owned());
        pairs.iter().map(own).collect()
    }

    #[test]
    fn whole_words_are_replaced_once_and_the_longest_counts() {
        let pairs = pairs(&[
            ("confirm_order", "approve_confirm_order"),
            ("confirm_order_v1", "approve_v1"),
            ("\"/confirm\"", "\"/approve\""),
        ]);
        assert_eq!(
            replaced(
                "a::confirm_order::x confirm_order_v1 unconfirm_order confirm_orders (\"/confirm\") ü",
                &pairs
            ),
            "a::approve_confirm_order::x approve_v1 unconfirm_order confirm_orders (\"/approve\") ü"
        );
    }
}
