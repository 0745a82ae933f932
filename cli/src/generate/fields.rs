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
        let Some((name, kind)) = text.split_once(':') else {
            return Err(
                CliError::usage(format!("the field `{text}` has no type")).hint(types(text))
            );
        };
        let named = Name::parse(name).map_err(|error| {
            let shown = CliError::usage(format!("the field `{text}` has no good name: {error}"));
            match error.suggestion {
                Some(suggestion) => shown.hint(format!("did you mean `{suggestion}:{kind}`?")),
                None => shown,
            }
        })?;
        let (kind, optional) = kind
            .strip_suffix('?')
            .map_or((kind, false), |kind| (kind, true));
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
        if parsed.iter().any(|known| known.name == field.name) {
            return Err(CliError::usage(format!(
                "the field `{}` is given twice",
                field.name
            )));
        }
        parsed.push(field);
    }
    Ok(parsed)
}

fn enum_words(field: &Name, words: &str) -> Result<Vec<Name>, CliError> {
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
        if parsed
            .iter()
            .any(|known| known.type_name() == named.type_name())
        {
            return Err(CliError::usage(format!(
                "the enum `{field}` has the value `{word}` twice"
            )));
        }
        parsed.push(named);
    }
    Ok(parsed)
}

fn unknown_type(text: &str, name: &str, kind: &str) -> CliError {
    let error = CliError::usage(format!("the field `{text}` has an unknown type `{kind}`"));
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
        .find(|(alias, _)| *alias == kind.to_ascii_lowercase())
        .map(|(_, name)| *name);
    let near = TYPES[..9]
        .iter()
        .copied()
        .filter(|known| strsim::damerau_levenshtein(known, kind) <= 2)
        .min_by_key(|known| strsim::damerau_levenshtein(known, kind));
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
        assert!(refused("note").contains("has no type"));
        assert!(refused("note:text").contains("did you mean `note:string`?"));
        assert!(refused("note:strng").contains("did you mean `note:string`?"));
        assert!(refused("note:blob").contains("the types are string, int"));
        assert!(refused("Note:string").contains("did you mean `note:string`?"));
        assert!(refused("type:string").contains("cannot be called that"));
        assert!(refused("order_id:string").contains("cannot be called that"));
        assert!(refused("kind:enum:").contains("enum"));
        assert!(refused("kind:enum:a,a").contains("twice"));
        assert!(refused("kind:enum:self,b").contains("cannot be a value"));
    }

    #[test]
    fn a_field_is_given_once() {
        let fields = ["a:int".to_owned(), "a:string".to_owned()];
        let error = parse_fields(&Name::parse("order").unwrap(), &fields).unwrap_err();
        assert_eq!(error.message(), "the field `a` is given twice");
    }
}
