//! What the name of a model tells: family, version, size, date. Names are taken apart into words first, so that `o3` is
//! not found in `solo3`; nothing here knows which model is good.

/// Sizes below this are no numbers of parameters but lengths of contexts: `qwen2.5-7b-instruct-1m`.
const LEAST_PARAMETERS: u64 = 10_000_000;

/// Who made a model, where that is written before its name.
const MAKERS: [&str; 9] = [
    "amazon",
    "anthropic",
    "cohere",
    "google",
    "meta",
    "microsoft",
    "mistralai",
    "nvidia",
    "openai",
];

/// A name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// Its words in lower case, without the path before it: `llama3.1`, `8b`, `instruct`.
    words: Vec<String>,
    /// `llama`, `gpt`, `o`.
    pub(super) family: String,
    /// `3.1` is `[3, 1]`.
    pub(super) version: Vec<u32>,
    /// A day or a build: 20241022.
    pub(super) date: u64,
    /// Number of parameters.
    pub(super) parameters: Option<u64>,
}

impl Name {
    pub(super) fn parse(name: &str) -> Self {
        let words = words(name);
        let makers = words
            .iter()
            .take_while(|word| MAKERS.contains(&word.as_str()))
            .count();
        // A model may bear its maker's name alone.
        let first = makers.min(words.len().saturating_sub(1));
        let (family, mut version) = match words.get(first) {
            Some(word) => family_and_version(word),
            None => (String::new(), Vec::new()),
        };
        let (mut date, mut dated) = (String::new(), false);
        for word in words.iter().skip(first + 1) {
            if !word
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
            {
                dated = !date.is_empty();
                // `4o` is a version too; `8b` is a size, and `q4` is neither.
                if version.is_empty() && parameters(word).is_none() {
                    version.extend(leading_number(word));
                }
            } else if date.is_empty() && word.split('.').all(|part| part.len() <= 2) {
                version.extend(numbers(word));
            } else if !dated {
                date.push_str(word);
            }
        }
        Self {
            family,
            version,
            date: date.get(..18).unwrap_or(&date).parse().unwrap_or_default(),
            parameters: words.iter().skip(first).find_map(|word| parameters(word)),
            words,
        }
    }

    /// Whether one of its words is one of `words`.
    pub(super) fn has(&self, words: &[&str]) -> bool {
        self.words.iter().any(|word| words.contains(&word.as_str()))
    }
}

/// Takes a name apart at everything but letters, digits, and dots between digits.
fn words(name: &str) -> Vec<String> {
    let name = name.rsplit(['/']).next().unwrap_or_default();
    let name = name.rsplit("::").next().unwrap_or_default().to_lowercase();
    let chars: Vec<char> = name.chars().collect();
    let is_digit = |at: Option<usize>| {
        at.and_then(|at| chars.get(at))
            .is_some_and(char::is_ascii_digit)
    };
    let (mut words, mut word) = (Vec::new(), String::new());
    for (at, c) in chars.iter().enumerate() {
        let within = c.is_alphanumeric()
            || *c == '.' && is_digit(at.checked_sub(1)) && is_digit(Some(at + 1));
        if within {
            word.push(*c);
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// `llama3.1` is `llama` and `3.1`.
fn family_and_version(word: &str) -> (String, Vec<u32>) {
    let letters = word
        .find(|c: char| c.is_ascii_digit())
        .unwrap_or(word.len());
    let (family, rest) = word.split_at(letters);
    (family.to_owned(), leading_number(rest))
}

/// The version that a word begins with: `4o` is `[4]`, `3n` is `[3]`.
fn leading_number(word: &str) -> Vec<u32> {
    let end = word
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(word.len());
    numbers(&word[..end])
}

fn numbers(text: &str) -> Vec<u32> {
    text.split('.')
        .filter_map(|part| part.parse().ok())
        .collect()
}

/// The number of parameters that a word stands for: `70b`, `500m`, `1.5b`, `8x7b`, `e4b`. The parameters that are
/// active at a time (`a22b`) are not the model's size.
pub(super) fn parameters(word: &str) -> Option<u64> {
    let word = word.to_ascii_lowercase();
    let unit = match word.chars().last()? {
        't' => 1e12,
        'b' => 1e9,
        'm' => 1e6,
        _ => return None,
    };
    let number = word[..word.len() - 1].trim_end();
    let number = number.strip_prefix('e').unwrap_or(number);
    let (experts, each) = match number.split_once('x') {
        Some((experts, each)) => (experts.parse::<u32>().ok()?, each),
        None => (1, number),
    };
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    if !each.bytes().all(plain) {
        return None;
    }
    let each: f64 = each.parse().ok()?;
    // From a float: what is too large becomes the largest.
    let parameters = (f64::from(experts) * each * unit).round() as u64;
    (parameters >= LEAST_PARAMETERS).then_some(parameters)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Name, parameters};

    fn parsed(name: &str) -> (String, Vec<u32>, u64, Option<u64>) {
        let Name {
            family,
            version,
            date,
            parameters,
            ..
        } = Name::parse(name);
        (
            family,
            version,
            date,
            parameters.map(|parameters| parameters / 1_000_000),
        )
    }

    #[test]
    fn names_of_every_provider() {
        for (name, family, version, date, millions) in [
            ("llama3.1", "llama", &[3, 1][..], 0, None),
            (
                "llama3.1:8b-instruct-q4_K_M",
                "llama",
                &[3, 1],
                0,
                Some(8_000),
            ),
            ("llama-3.3-70b-versatile", "llama", &[3, 3], 0, Some(70_000)),
            (
                "meta-llama/Llama-3.2-3B-Instruct",
                "llama",
                &[3, 2],
                0,
                Some(3_000),
            ),
            (
                "hf.co/bartowski/Qwen2.5-Coder-32B-GGUF:Q4_K_M",
                "qwen",
                &[2, 5],
                0,
                Some(32_000),
            ),
            ("qwen2.5-7b-instruct-1m", "qwen", &[2, 5], 0, Some(7_000)),
            (
                "Qwen3-235B-A22B-Instruct-2507",
                "qwen",
                &[3],
                2507,
                Some(235_000),
            ),
            ("mixtral:8x7b", "mixtral", &[], 0, Some(56_000)),
            ("smollm2:135m", "smollm", &[2], 0, Some(135)),
            ("bloom-500M", "bloom", &[], 0, Some(500)),
            ("gemma3n:e4b", "gemma", &[3], 0, Some(4_000)),
            ("kimi-k2-1t", "kimi", &[], 0, Some(1_000_000)),
            ("gpt-4o", "gpt", &[4], 0, None),
            ("gpt-4o-2024-08-06", "gpt", &[4], 20_240_806, None),
            ("gpt-4-0613", "gpt", &[4], 613, None),
            ("gpt-3.5-turbo-16k", "gpt", &[3, 5], 0, None),
            ("gpt-oss:120b", "gpt", &[], 0, Some(120_000)),
            ("o3-mini", "o", &[3], 0, None),
            (
                "claude-3-5-sonnet-20241022",
                "claude",
                &[3, 5],
                20_241_022,
                None,
            ),
            (
                "claude-sonnet-4-5-20250929",
                "claude",
                &[4, 5],
                20_250_929,
                None,
            ),
            (
                "anthropic.claude-opus-4-1-20250805-v1:0",
                "claude",
                &[4, 1],
                20_250_805,
                None,
            ),
            ("open_router::openai/gpt-4.1-mini", "gpt", &[4, 1], 0, None),
            ("gemini-2.0-flash-001", "gemini", &[2, 0], 1, None),
            ("openai", "openai", &[], 0, None),
            ("", "", &[], 0, None),
        ] {
            let expected = (family.to_owned(), version.to_vec(), date, millions);
            assert_eq!(parsed(name), expected, "{name}");
        }
    }

    #[test]
    fn sizes_as_hosts_write_them() {
        for (text, expected) in [
            ("8.0B", Some(8_000_000_000)),
            ("500M", Some(500_000_000)),
            ("8x7B", Some(56_000_000_000)),
            ("134.52M", Some(134_520_000)),
            ("1.5 B", Some(1_500_000_000)),
            ("a22b", None),
            ("128k", None),
            ("1m", None),
            ("b", None),
            ("x7b", None),
            ("infb", None),
            ("nanb", None),
            ("", None),
            ("é", None),
        ] {
            assert_eq!(parameters(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_name_can_be_taken_apart(name in ".{0,80}") {
            let _ = Name::parse(&name);
            let _ = parameters(&name);
        }

        #[test]
        fn case_and_path_make_no_difference(name in "[a-z0-9.:_-]{0,40}") {
            let other = format!("some/path/{}", name.to_uppercase());
            prop_assert_eq!(Name::parse(&name), Name::parse(&other));
        }
    }
}
