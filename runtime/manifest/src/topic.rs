//! Topics of facts, and the filters that choose among them: `order.confirmed`, `order.*`, `order.>`.

use std::fmt;

/// Longest topic or filter, in bytes.
pub const MAX_TOPIC_BYTES: usize = 200;
/// Most words of a topic.
pub const MAX_TOPIC_WORDS: usize = 16;

/// What a fact is about: words of `a-z`, `0-9`, `_` and `-` with dots between them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic(String);

/// Which topics are meant: a topic in which `*` stands for any one word, and `>` at the end for one or more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicFilter(String);

/// Why a text is no topic, or no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a topic{}: {reason}", if *is_filter { " filter" } else { "" })]
pub struct TopicError {
    text: String,
    is_filter: bool,
    reason: &'static str,
}

impl Topic {
    /// Reads a topic.
    ///
    /// # Errors
    ///
    /// [`TopicError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, TopicError> {
        read(text, false).map(|()| Self(text.to_owned()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TopicFilter {
    /// Reads a filter. Every topic is one, too.
    ///
    /// # Errors
    ///
    /// [`TopicError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, TopicError> {
        read(text, true).map(|()| Self(text.to_owned()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `topic` is meant.
    pub fn matches(&self, topic: &Topic) -> bool {
        covers(&self.0, &topic.0)
    }

    /// Whether every topic that `other` means is meant here, too.
    pub fn covers(&self, other: &Self) -> bool {
        covers(&self.0, &other.0)
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TopicFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn read(text: &str, is_filter: bool) -> Result<(), TopicError> {
    let wrong = |reason| {
        Err(TopicError {
            text: text.to_owned(),
            is_filter,
            reason,
        })
    };
    if text.len() > MAX_TOPIC_BYTES {
        return wrong("it has more than 200 bytes");
    }
    let words: Vec<_> = text.split('.').collect();
    if words.len() > MAX_TOPIC_WORDS {
        return wrong("it has more than 16 words");
    }
    let is_letter = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-'
    };
    for (nth, word) in words.iter().enumerate() {
        match *word {
            "" => return wrong("a word is missing"),
            "*" if is_filter => {}
            ">" if is_filter && nth + 1 == words.len() => {}
            ">" if is_filter => return wrong("`>` may only stand at its end"),
            word if word.bytes().all(is_letter) => {}
            _ if is_filter => {
                return wrong("its words are of a-z, 0-9, `_` and `-`, or `*`, or `>` at the end");
            }
            _ => return wrong("its words are of a-z, 0-9, `_` and `-`"),
        }
    }
    Ok(())
}

/// Whether all that `narrow` means is meant by `wide`. A topic means itself.
fn covers(wide: &str, narrow: &str) -> bool {
    let (mut wide, mut narrow) = (wide.split('.'), narrow.split('.'));
    loop {
        match (wide.next(), narrow.next()) {
            (None, None) => return true,
            (Some(">"), Some(_)) => return true,
            // What may have any number of words, or any word, is not covered by less than that.
            (Some("*"), Some(word)) if word != ">" => {}
            (Some(one), Some(other)) if one == other => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Topic, TopicFilter};

    fn filter(text: &str) -> TopicFilter {
        TopicFilter::parse(text).unwrap()
    }

    #[test]
    fn filters_choose_by_words() {
        let matches = |filter: &str, topic: &str| {
            TopicFilter::parse(filter)
                .unwrap()
                .matches(&Topic::parse(topic).unwrap())
        };
        assert!(matches("order.confirmed", "order.confirmed"));
        assert!(matches("order.*", "order.confirmed"));
        assert!(matches("*.confirmed", "order.confirmed"));
        assert!(matches("order.>", "order.line.added"));
        assert!(matches(">", "order"));
        assert!(!matches("order.*", "order"));
        assert!(!matches("order.*", "order.line.added"));
        assert!(!matches("order.>", "order"));
        assert!(!matches("order", "orders"));
    }

    #[test]
    fn a_filter_covers_what_is_not_wider() {
        for (wide, narrow, is) in [
            (">", "order.>", true),
            ("order.>", "order.*", true),
            ("order.*", "order.confirmed", true),
            ("order.*", "order.>", false),
            ("order.confirmed", "order.*", false),
            ("*.confirmed", "order.*", false),
            ("order.>", "order.>", true),
        ] {
            assert_eq!(filter(wide).covers(&filter(narrow)), is, "{wide} {narrow}");
        }
    }

    #[test]
    fn what_is_no_topic_is_said() {
        for (text, says) in [
            ("", "a word is missing"),
            ("order..confirmed", "a word is missing"),
            ("order.", "a word is missing"),
            ("Order", "words are of"),
            ("order.*", "words are of"),
            ("a b", "words are of"),
            (&"x".repeat(201), "200 bytes"),
            (&["a"; 17].join("."), "16 words"),
        ] {
            let error = Topic::parse(text).unwrap_err().to_string();
            assert!(
                error.contains(says) && error.contains("is not a topic:"),
                "{error}"
            );
        }
        let error = TopicFilter::parse("order.>.x").unwrap_err().to_string();
        assert_eq!(
            error,
            "`order.>.x` is not a topic filter: `>` may only stand at its end"
        );
        assert!(TopicFilter::parse("order.con*").is_err());
    }

    proptest! {
        #[test]
        fn what_covers_a_filter_matches_all_that_it_matches(
            wide in "([ab*]\\.){0,2}[ab*>]", narrow in "([ab*]\\.){0,2}[ab*>]", topic in "([ab]\\.){0,2}[ab]",
        ) {
            let (wide, narrow, topic) = (filter(&wide), filter(&narrow), Topic::parse(&topic).unwrap());
            if wide.covers(&narrow) && narrow.matches(&topic) {
                prop_assert!(wide.matches(&topic));
            }
        }
    }
}
