//! English around names: articles, and lists of words.

/// `an order`, `a house`: by the first sound as far as the first letters tell it.
pub(super) fn with_article(words: &str) -> String {
    let silent = ["hour", "honest", "heir", "honour"]
        .iter()
        .any(|start| words.starts_with(start));
    let as_you = ["uni", "use", "usa", "usu", "uti", "eu", "one", "ubi"]
        .iter()
        .any(|start| words.starts_with(start));
    let vowel = words.starts_with(['a', 'e', 'i', 'o', 'u']);
    let article = if silent || (vowel && !as_you) {
        "an"
    } else {
        "a"
    };
    format!("{article} {words}")
}

#[cfg(test)]
mod tests {
    use super::with_article;

    #[test]
    fn articles_go_by_sound() {
        for (words, want) in [
            ("order", "an order"),
            ("house", "a house"),
            ("user", "a user"),
            ("unit", "a unit"),
            ("umbrella", "an umbrella"),
            ("hour", "an hour"),
            ("oci pull", "an oci pull"),
        ] {
            assert_eq!(with_article(words), want);
        }
    }
}
