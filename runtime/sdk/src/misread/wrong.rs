//! One thing that is wrong: where, what, and in words for people.

use std::fmt::{self, Display, Write};

use serde::de::{self, Expected, Unexpected};
use serde_json::{Value, json};

/// A message that is not ours is cut here, in bytes: it may repeat what was sent.
const MAX_MESSAGE_BYTES: usize = 200;

/// A step on the way into a body.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Step {
    /// A field of an object.
    Key(String),
    /// A place in a list.
    Index(usize),
}

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct Wrong {
    /// Where, once the reader that knows it has seen it.
    pub(super) place: Vec<Step>,
    placed: bool,
    pub(super) kind: Kind,
    /// What should be there, in serde's words: `i64`, `a string`, `struct Order`.
    expected: String,
}

/// What is wrong.
#[derive(Debug)]
pub(super) enum Kind {
    /// Something else should be there.
    Type,
    /// It is of the right type, and not one of its values.
    Value,
    /// It should be one of these words.
    Variant(&'static [&'static str]),
    /// There is no such field here.
    Unknown {
        /// The field.
        field: String,
        /// Those that there are.
        known: &'static [&'static str],
    },
    /// This field should be there.
    Missing(&'static str),
    /// This field is there twice.
    Twice(&'static str),
    /// What the type itself says.
    Said(String),
}

impl Wrong {
    fn new(kind: Kind) -> Self {
        Self {
            place: Vec::new(),
            placed: false,
            kind,
            expected: String::new(),
        }
    }

    /// Something else should be there: `expected`, in serde's words.
    pub(super) fn expected(expected: &str) -> Self {
        let expected = expected.to_owned();
        Self {
            expected,
            ..Self::new(Kind::Type)
        }
    }

    /// One of these words should be there.
    pub(super) fn variants(variants: &'static [&'static str]) -> Self {
        Self::new(Kind::Variant(variants))
    }

    /// Says where it is, and what should be there, unless that is known better.
    pub(super) fn at(mut self, place: impl FnOnce() -> Vec<Step>, expected: &str) -> Self {
        if !self.placed {
            self.placed = true;
            self.place = place();
            if self.expected.is_empty() {
                expected.clone_into(&mut self.expected);
            }
        }
        self
    }

    /// Name of the field: `lines[2].price`. `None` if it is the whole body.
    pub(super) fn field(&self) -> Option<String> {
        let last = match &self.kind {
            Kind::Missing(field) | Kind::Twice(field) => Some(*field),
            Kind::Unknown { field, .. } => Some(field.as_str()),
            _ => None,
        };
        let mut name = String::new();
        for step in &self.place {
            match step {
                Step::Key(key) => push(&mut name, key),
                Step::Index(index) => _ = write!(name, "[{index}]"),
            }
        }
        if let Some(last) = last {
            push(&mut name, last);
        }
        (!name.is_empty() || last.is_some()).then_some(name)
    }

    /// What is wrong, to follow the field's name.
    pub(super) fn message(&self) -> String {
        match &self.kind {
            Kind::Missing(_) => "is missing".to_owned(),
            Kind::Twice(_) => "is given twice".to_owned(),
            Kind::Unknown { known: [], .. } => "is no field here; there is none".to_owned(),
            Kind::Unknown { known, .. } => {
                format!("is no field here; there are: {}", known.join(", "))
            }
            Kind::Variant([]) => "can be nothing".to_owned(),
            Kind::Variant(variants) => format!("must be one of {}", variants.join(", ")),
            Kind::Type if self.place.is_empty() && Form::of(&self.expected) == Form::Object => {
                "must be a JSON object".to_owned()
            }
            Kind::Type => format!("must be {}", words(&self.expected, false)),
            Kind::Value => format!("must be {}", words(&self.expected, true)),
            Kind::Said(_) if written(&self.expected).is_some() => {
                format!("must be {}", words(&self.expected, false))
            }
            Kind::Said(message) => not_right(message),
        }
    }

    /// What may be right in this place, the likeliest first.
    pub(super) fn plausible(&self) -> Vec<Value> {
        if let Kind::Variant(variants) = self.kind {
            let word = variants.iter().map(|word| json!(word));
            let holding = variants.iter().map(|word| json!({*word: null}));
            return word.take(4).chain(holding.take(4)).collect();
        }
        match Form::of(&self.expected) {
            Form::Number => vec![json!(0), json!(1), json!("0")],
            Form::Bool => vec![json!(false)],
            Form::List(length) => vec![vec![Value::Null; length].into()],
            Form::Object => vec![json!({})],
            Form::Text => texts().collect(),
            Form::Any => {
                let others = [json!(0), json!(1), json!(false), json!([]), json!({})];
                texts().chain(others).collect()
            }
        }
    }
}

impl Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for Wrong {}

impl de::Error for Wrong {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(Kind::Said(message.to_string()))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expected(&expected.to_string())
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        Self {
            expected,
            ..Self::new(Kind::Value)
        }
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::invalid_value(Unexpected::Other("length"), expected)
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::variants(expected)
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        let field = field.to_owned();
        Self::new(Kind::Unknown { field, known })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Kind::Missing(field))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(Kind::Twice(field))
    }
}

/// What a type says about a value, which is not in our words.
pub(super) fn not_right(message: &str) -> String {
    let end = message.floor_char_boundary(MAX_MESSAGE_BYTES);
    let dots = if end < message.len() { "…" } else { "" };
    format!("is not right: {}{dots}", &message[..end])
}

/// Texts that many a type can be read from.
fn texts() -> impl Iterator<Item = Value> {
    let texts = [
        "",
        "x",
        "0",
        "00000000-0000-0000-0000-000000000000",
        "2026-01-01T00:00:00Z",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "00:00:00",
        "PT0S",
        "127.0.0.1",
        "a@example.org",
        "https://example.org/",
    ];
    texts.into_iter().map(Value::from)
}

fn push(name: &mut String, key: &str) {
    if !name.is_empty() {
        name.push('.');
    }
    name.push_str(key);
}

/// The form that JSON has for what is expected.
#[derive(Debug, PartialEq, Eq)]
enum Form {
    Number,
    Bool,
    List(usize),
    Object,
    Text,
    /// Nobody said.
    Any,
}

impl Form {
    fn of(expected: &str) -> Self {
        let expected = expected.strip_prefix("a nonzero ").unwrap_or(expected);
        match expected {
            "f32" | "f64" => Self::Number,
            "" => Self::Any,
            "a boolean" => Self::Bool,
            "a sequence" => Self::List(0),
            "a map" | "fewer elements in map" => Self::Object,
            _ if range(expected).is_some() => Self::Number,
            _ => match length(expected) {
                Some(length) => Self::List(length),
                None if is_object(expected) => Self::Object,
                None => Self::Text,
            },
        }
    }
}

fn is_object(expected: &str) -> bool {
    ["struct ", "internally tagged ", "adjacently tagged "]
        .iter()
        .any(|start| expected.starts_with(start))
}

/// How long a list must be: `a tuple of size 2`, `struct Point with 2 elements`.
fn length(expected: &str) -> Option<usize> {
    let rest = ["a tuple of size ", "an array of length ", "tuple struct "]
        .iter()
        .find_map(|start| expected.strip_prefix(start))?;
    // A tuple struct says how many it has only when they are too few.
    let number = rest.split(' ').find_map(|word| word.parse().ok());
    Some(number.unwrap_or_default())
}

/// What is expected in our words, to follow `must be`. `range` if the value is of the type, and out of its range.
fn words(expected: &str, in_range: bool) -> String {
    if let Some(words) = written(expected) {
        return words.to_owned();
    }
    if let Some((least, most)) = range(expected) {
        return if in_range {
            format!("a whole number from {least} to {most}")
        } else {
            "a whole number".to_owned()
        };
    }
    match Form::of(expected) {
        Form::Number if expected.starts_with("a nonzero") => {
            "a whole number other than 0".to_owned()
        }
        Form::Number => "a number".to_owned(),
        Form::Bool => "true or false".to_owned(),
        Form::List(0) => "a list".to_owned(),
        Form::List(length) => format!("a list of {length}"),
        Form::Object => "an object".to_owned(),
        Form::Text | Form::Any => match expected {
            "a string" | "string" => "text".to_owned(),
            "unit" => "null".to_owned(),
            _ => expected.to_owned(),
        },
    }
}

/// What is written as text and read as something else.
fn written(expected: &str) -> Option<&'static str> {
    Some(match expected {
        "a Decimal type representing a fixed-point number" => "a decimal number",
        "a formatted UUID string" => "a UUID",
        "a timestamp string" => "a time like 2026-11-22T10:00:00Z",
        "a date string" => "a date like 2026-11-22",
        "a datetime string" => "a date and time like 2026-11-22T10:00:00",
        "a time string" => "a time of day like 10:00:00",
        "a character" => "one character",
        _ => return None,
    })
}

/// Least and most of a whole number's type.
fn range(expected: &str) -> Option<(i128, u128)> {
    macro_rules! range {
        ($($kind:ident)*) => {
            match expected {
                $(stringify!($kind) => Some(($kind::MIN as i128, $kind::MAX as u128)),)*
                _ => None,
            }
        };
    }
    range!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize)
}
