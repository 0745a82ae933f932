//! What a request asks on condition of: RFC 9110 §13, for a file whose content never changes under its address.
//!
//! The entity tag is the hash of the content, which the library that serves files does not know; conditions on dates
//! and the ranges themselves are left to it.

use http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue};

/// What the conditions on the tag come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Serve,
    NotModified,
    Failed,
}

/// Decides about the conditions on `etag`, a strong tag in quotes, and takes them out of `headers`.
pub(super) fn decide(headers: &mut HeaderMap, etag: &str) -> Outcome {
    if let Some(tags) = take(headers, IF_MATCH)
        && !tags.is_met_by(etag, Strength::Strong)
    {
        return Outcome::Failed;
    }
    if let Some(tags) = take(headers, IF_NONE_MATCH) {
        headers.remove(IF_MODIFIED_SINCE);
        if tags.is_met_by(etag, Strength::Weak) {
            return Outcome::NotModified;
        }
    }
    // Units that are not known are not asked for.
    let bytes = |range: &HeaderValue| range.as_bytes().starts_with(b"bytes=");
    if !headers.get(RANGE).is_some_and(bytes) {
        headers.remove(RANGE);
    }
    // A part of something else than the client has is of no use to it: it gets the whole.
    if let Some(tags) = take(headers, IF_RANGE)
        && tags.0 != [etag]
    {
        headers.remove(RANGE);
    }
    Outcome::Serve
}

/// The tags of one header, over all its lines.
struct Tags(Vec<String>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Strength {
    Strong,
    Weak,
}

impl Tags {
    fn is_met_by(&self, etag: &str, strength: Strength) -> bool {
        self.0.iter().any(|tag| {
            let opaque = match strength {
                Strength::Strong => tag,
                Strength::Weak => tag.strip_prefix("W/").unwrap_or(tag),
            };
            tag == "*" || opaque == etag
        })
    }
}

fn take(headers: &mut HeaderMap, name: HeaderName) -> Option<Tags> {
    let lines = headers.get_all(&name).iter();
    // Our own tags have no comma in them, so that one within a foreign tag does no harm.
    let tags = lines
        .flat_map(|line| line.to_str().unwrap_or_default().split(','))
        .map(|tag| tag.trim().to_owned())
        .collect();
    headers.remove(&name)?;
    Some(Tags(tags))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{Outcome, decide};

    fn outcome(headers: &[(&'static str, &'static str)]) -> (Outcome, bool) {
        let pairs = headers.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value);
        }
        let outcome = decide(&mut headers, "\"abc\"");
        let left = headers.contains_key("if-none-match") || headers.contains_key("if-match");
        assert!(outcome == Outcome::Failed || !left);
        (outcome, headers.contains_key("range"))
    }

    #[test]
    fn conditions_on_the_tag() {
        for (headers, expected) in [
            (&[][..], Outcome::Serve),
            (&[("if-none-match", "\"abc\"")], Outcome::NotModified),
            (
                &[("if-none-match", "\"x\", W/\"abc\"")],
                Outcome::NotModified,
            ),
            (
                &[("if-none-match", "\"x\""), ("if-none-match", "\"abc\"")],
                Outcome::NotModified,
            ),
            (&[("if-none-match", "*")], Outcome::NotModified),
            (&[("if-none-match", "\"x\"")], Outcome::Serve),
            (&[("if-none-match", "abc")], Outcome::Serve),
            (&[("if-match", "\"abc\"")], Outcome::Serve),
            (&[("if-match", "*")], Outcome::Serve),
            (&[("if-match", "W/\"abc\"")], Outcome::Failed),
            (&[("if-match", "\"x\"")], Outcome::Failed),
            (
                &[("if-match", "\"x\""), ("if-none-match", "\"abc\"")],
                Outcome::Failed,
            ),
        ] {
            assert_eq!(outcome(headers).0, expected, "{headers:?}");
        }
    }

    #[test]
    fn a_part_is_given_only_of_what_the_client_has() {
        let range = ("range", "bytes=0-1");
        for (condition, kept) in [
            (&[range][..], true),
            (&[range, ("if-range", "\"abc\"")], true),
            (&[range, ("if-range", "\"x\"")], false),
            (&[range, ("if-range", "W/\"abc\"")], false),
            (
                &[range, ("if-range", "Wed, 21 Oct 2026 07:28:00 GMT")],
                false,
            ),
        ] {
            assert_eq!(outcome(condition), (Outcome::Serve, kept), "{condition:?}");
        }
    }

    #[test]
    fn a_date_does_not_count_beside_a_tag() {
        let mut headers = HeaderMap::new();
        headers.insert("if-none-match", HeaderValue::from_static("\"x\""));
        headers.insert(
            "if-modified-since",
            HeaderValue::from_static("Wed, 21 Oct 2099 07:28:00 GMT"),
        );
        assert_eq!(decide(&mut headers, "\"abc\""), Outcome::Serve);
        assert!(headers.is_empty());
    }
}
