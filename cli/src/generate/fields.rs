//! Fields as they are given on the command line: `note:string`, `total:decimal?`, `kind:enum:small,large`.

use std::fmt;
use std::str::FromStr;

use crate::error::CliError;
use crate::names::{Name, check_field, check_value};

/// The types, in the order in which they are named to people.
const TYPES: [&str; 10] = [
    "string", "int", "float", "bool", "decimal", "uuid", "date", "datetime", "json", "enum:a,b",
];

/// Type of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FieldType {
    String,
    Int,
    Float,
    Bool,
    Decimal,
    Uuid,
    Date,
    DateTime,
    Json,
    /// The words that it can be.
    Enum(Vec<Name>),
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldSpec {
    pub(crate) name: Name,
    pub(crate) kind: FieldType,
    pub(crate) optional: bool,
}

impl FieldType {
    /// Its value of the SDK's `FieldType`, behind `FieldType::`.
    pub(crate) fn in_rust(&self) -> String {
        match self {
            Self::String => "String".to_owned(),
            Self::Int => "Int".to_owned(),
            Self::Float => "Float".to_owned(),
            Self::Bool => "Bool".to_owned(),
            Self::Decimal => "Decimal".to_owned(),
            Self::Uuid => "Uuid".to_owned(),
            Self::Date => "Date".to_owned(),
            Self::DateTime => "DateTime".to_owned(),
            Self::Json => "Json".to_owned(),
            Self::Enum(words) => {
                let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
                format!("Enum(&[{}])", words.join(", "))
            }
        }
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Decimal => "decimal",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Json => "json",
            Self::Enum(words) => {
                let words: Vec<_> = words.iter().map(Name::snake).collect();
                return write!(f, "enum:{}", words.join(","));
            }
        };
        f.write_str(word)
    }
}

impl fmt::Display for FieldSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}{}",
            self.name,
            self.kind,
            if self.optional { "?" } else { "" }
        )
    }
}

impl FromStr for FieldSpec {
    type Err = CliError;

    fn from_str(text: &str) -> Result<Self, CliError> {
        let (name, kind) = text.split_once(':').unwrap_or((text, ""));
        let (kind, optional) = kind
            .strip_suffix('?')
            .map_or((kind, false), |kind| (kind, true));
        if kind.is_empty() {
            return Err(
                CliError::usage(format!("the field `{text}` has no type")).hint(types(name))
            );
        }
        let named = Name::parse(name).map_err(|error| {
            let shown = CliError::usage(format!("the field `{text}` has no good name: {error}"));
            match error.suggestion {
                Some(suggestion) => shown.hint(format!("did you mean `{suggestion}:{kind}`?")),
                None => shown.hint(format!(
                    "a name is made of small letters, digits and underscores: `unit_price:{kind}`"
                )),
            }
        })?;
        let kind = match kind {
            "string" => FieldType::String,
            "int" => FieldType::Int,
            "float" => FieldType::Float,
            "bool" => FieldType::Bool,
            "decimal" => FieldType::Decimal,
            "uuid" => FieldType::Uuid,
            "date" => FieldType::Date,
            "datetime" => FieldType::DateTime,
            "json" => FieldType::Json,
            other => match other.strip_prefix("enum:") {
                Some(words) => FieldType::Enum(enum_words(&named, words)?),
                None if other == "enum" => return Err(no_values(&named)),
                None => return Err(unknown_type(text, name, other)),
            },
        };
        Ok(Self {
            name: named,
            kind,
            optional,
        })
    }
}

/// Reads the fields of something about `subject`.
pub(crate) fn parse_fields(subject: &Name, fields: &[String]) -> Result<Vec<FieldSpec>, CliError> {
    let mut parsed: Vec<FieldSpec> = Vec::with_capacity(fields.len());
    for text in fields {
        let field: FieldSpec = text.parse()?;
        check_field(&field.name, subject).map_err(|error| {
            CliError::usage(format!(
                "the field `{}` cannot be called that: {error}",
                field.name
            ))
            .hint(format!("call it `{}`, for instance", error.suggestion()))
        })?;
        if let Some(known) = parsed
            .iter()
            .find(|known| are_one(&known.name, &field.name))
        {
            return Err(twice(&known.name, &field.name));
        }
        parsed.push(field);
    }
    Ok(parsed)
}

/// Whether both are spelled the same as a type: fields that are enums become types.
fn are_one(one: &Name, other: &Name) -> bool {
    one.type_name() == other.type_name()
}

fn twice(known: &Name, field: &Name) -> CliError {
    if known == field {
        return CliError::usage(format!("the field `{field}` is given twice"))
            .hint("give it once, or call one of the two otherwise");
    }
    CliError::usage(format!(
        "the fields `{known}` and `{field}` are too close: both are `{}` as a type",
        field.type_name()
    ))
    .hint("call one of the two otherwise")
}

fn no_values(field: &Name) -> CliError {
    CliError::usage(format!("the enum `{field}` has no values"))
        .hint(format!("name them: `{field}:enum:small,large`"))
}

fn enum_words(field: &Name, words: &str) -> Result<Vec<Name>, CliError> {
    if words.is_empty() {
        return Err(no_values(field));
    }
    let mut parsed: Vec<Name> = Vec::new();
    for word in words.split(',') {
        let named = Name::parse(word).map_err(|error| {
            let shown = CliError::usage(format!(
                "`{word}` cannot be a value of the enum `{field}`: {error}"
            ));
            match &error.suggestion {
                Some(suggestion) => shown.hint(format!("did you mean `{suggestion}`?")),
                None => shown.hint("an enum is given as `enum:small,large`"),
            }
        })?;
        check_value(&named, field).map_err(|error| {
            CliError::usage(format!(
                "`{word}` cannot be a value of the enum `{field}`: {error}"
            ))
            .hint(format!("call it `{}`, for instance", error.suggestion()))
        })?;
        if let Some(known) = parsed.iter().find(|known| are_one(known, &named)) {
            return Err(if *known == named {
                CliError::usage(format!("the enum `{field}` has the value `{named}` twice"))
                    .hint("name each value once")
            } else {
                CliError::usage(format!(
                    "the values `{known}` and `{named}` of the enum `{field}` are too close: both are `{}` in Rust",
                    named.type_name()
                ))
                .hint("call one of the two otherwise")
            });
        }
        parsed.push(named);
    }
    Ok(parsed)
}

fn unknown_type(text: &str, name: &str, kind: &str) -> CliError {
    let error = CliError::usage(format!("the field `{text}` has an unknown type `{kind}`"));
    let lower = kind.trim().to_ascii_lowercase();
    let aliases = [
        ("text", "string"),
        ("str", "string"),
        ("varchar", "string"),
        ("integer", "int"),
        ("i64", "int"),
        ("number", "float"),
        ("double", "float"),
        ("boolean", "bool"),
        ("money", "decimal"),
        ("numeric", "decimal"),
        ("timestamp", "datetime"),
        ("time", "datetime"),
        ("object", "json"),
        ("guid", "uuid"),
        ("id", "uuid"),
    ];
    let alias = aliases
        .iter()
        .find(|(alias, _)| *alias == lower)
        .map(|(_, name)| *name);
    // In a short word, two letters are most of it.
    let most = if kind.len() < 5 { 1 } else { 2 };
    let near = TYPES[..9]
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, &lower), *known))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, known)| known);
    match alias.or(near) {
        Some(known) => error
            .hint(format!("did you mean `{name}:{known}`?"))
            .hint(types(name)),
        None => error.hint(types(name)),
    }
}

fn types(name: &str) -> String {
    format!(
        "a field is given as `{name}:TYPE`, with `?` behind it if it may be absent; the types are {}",
        TYPES.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::{FieldSpec, parse_fields};
    use crate::names::Name;

    fn refused(field: &str) -> String {
        let error = parse_fields(&Name::parse("order").unwrap(), &[field.to_owned()]).unwrap_err();
        assert_eq!(error.code(), 2);
        format!("{error} | {}", error.hints().join(" | "))
    }

    #[test]
    fn fields_are_read_and_shown_alike() {
        for text in [
            "note:string",
            "total:decimal?",
            "kind:enum:small,very_large",
            "at:datetime",
            "data:json?",
        ] {
            assert_eq!(text.parse::<FieldSpec>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_the_way_out() {
        for none in ["note", "note:", "note:?"] {
            assert!(refused(none).contains("has no type"), "{none}");
        }
        assert!(refused("note:STRING").contains("did you mean `note:string`?"));
        assert!(refused("note:text").contains("did you mean `note:string`?"));
        assert!(refused("note:strng").contains("did you mean `note:string`?"));
        assert!(refused("note:blob").contains("`blob` | a field is given as"));
        assert!(refused("Note:string").contains("did you mean `note:string`?"));
        assert!(refused("type:string").contains("cannot be called that"));
        assert!(refused("order_id:string").contains("cannot be called that"));
        assert!(refused("kind:enum").contains("has no values"));
        assert!(refused("kind:enum:").contains("has no values"));
        assert!(refused("kind:enum:a,a").contains("twice"));
        assert!(refused("kind:enum:a_1,a1").contains("both are `A1`"));
        assert!(refused("kind:enum:self,b").contains("cannot be a value"));
    }

    #[test]
    fn a_field_is_given_once() {
        let fields = ["a:int".to_owned(), "a:string".to_owned()];
        let error = parse_fields(&Name::parse("order").unwrap(), &fields).unwrap_err();
        assert_eq!(error.message(), "the field `a` is given twice");
        let fields = ["kind_1:enum:a".to_owned(), "kind1:enum:b".to_owned()];
        let error = parse_fields(&Name::parse("order").unwrap(), &fields).unwrap_err();
        assert!(error.message().contains("both are `Kind1`"), "{error}");
    }
}
