//! The field types: one table for JSON, SQLite and Rust, used by commands, events, read models and OpenAPI alike.
//!
//! | type | JSON | SQLite | Rust |
//! |---|---|---|---|
//! | `string` | string | TEXT | `String` |
//! | `int` | number within ±2^53 | INTEGER | `i64` |
//! | `float` | number | REAL | `f64` |
//! | `bool` | true, false | INTEGER 0, 1 | `bool` |
//! | `decimal` | string (a number is accepted) | TEXT, and a sortable form beside it | [`Decimal`] |
//! | `uuid` | string | TEXT | [`Uuid`] |
//! | `date` | `2026-11-22` | TEXT | [`Date`] |
//! | `datetime` | RFC 3339, in UTC | TEXT | [`Timestamp`] |
//! | `json` | anything | TEXT | [`Json`] |
//! | `enum:a,b` | snake_case string | TEXT with CHECK | an enum |
//! | with `?` | absent or null | NULL | `Option` |
//!
//! ```
//! use hecate_sdk::fields::{Field, FieldType, FieldValue};
//! use hecate_sdk::rusqlite::types::Value as Sql;
//!
//! // What a desk says about its command: for OpenAPI, and for the page that draws itself from it.
//! const FIELDS: &[Field] = &[
//!     Field::required("total", FieldType::Decimal),
//!     Field::required("size", FieldType::Enum(&["small", "large"])),
//!     Field::optional("note", FieldType::String),
//! ];
//! assert!(FIELDS[2].optional);
//!
//! // What a value of a type must hold, whatever the command is, to follow the field's name.
//! assert_eq!(" ".to_owned().check(), Err("must not be empty"));
//! assert_eq!((1_i64 << 60).check(), Err("must be within ±9007199254740992 (2^53)"));
//! assert_eq!(None::<String>.check(), Ok(()));
//! assert_eq!(true.sql(), Sql::Integer(1));
//! ```

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::types::{Value as Sql, ValueRef};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

/// The greatest whole number that JSON readers agree on: 2^53.
pub const MAX_SAFE_INT: i64 = 1 << 53;

/// Type of a field, as commands, columns and OpenAPI know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// Text.
    String,
    /// A whole number within ±2^53.
    Int,
    /// A number.
    Float,
    /// True or false.
    Bool,
    /// An exact decimal number.
    Decimal,
    /// A UUID.
    Uuid,
    /// A day.
    Date,
    /// A moment.
    DateTime,
    /// Anything that JSON can say.
    Json,
    /// One of these words.
    Enum(&'static [&'static str]),
}

impl FieldType {
    /// Column type and constraint in SQLite.
    pub(crate) fn sql(self, column: &str) -> String {
        match self {
            Self::Int | Self::Bool => "INTEGER".to_owned(),
            Self::Float => "REAL".to_owned(),
            Self::Enum(words) => {
                let words: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
                format!("TEXT CHECK (\"{column}\" IN ({}))", words.join(", "))
            }
            _ => "TEXT".to_owned(),
        }
    }

    /// Reads a value that came as text, in a query string for instance.
    ///
    /// # Errors
    ///
    /// What the type expects.
    pub(crate) fn parse(self, text: &str) -> Result<Sql, String> {
        let expects = |what: &str| format!("must be {what}");
        Ok(match self {
            Self::String => Sql::Text(text.to_owned()),
            Self::Int => Sql::Integer(text.parse().map_err(|_| expects("a whole number"))?),
            Self::Float => Sql::Real(text.parse().map_err(|_| expects("a number"))?),
            Self::Bool => Sql::Integer(i64::from(
                text.parse::<bool>().map_err(|_| expects("true or false"))?,
            )),
            Self::Decimal => Sql::Text(sortable(
                text.parse().map_err(|_| expects("a decimal number"))?,
            )),
            Self::Uuid => text.parse::<Uuid>().map_err(|_| expects("a UUID"))?.sql(),
            Self::Date => text
                .parse::<Date>()
                .map_err(|_| expects("a date like 2026-11-22"))?
                .sql(),
            Self::DateTime => text
                .parse::<Timestamp>()
                .map_err(|_| expects("a time like 2026-11-22T10:00:00Z"))?
                .sql(),
            Self::Json => serde_json::from_str::<Json>(text)
                .map_err(|_| expects("JSON"))?
                .sql(),
            Self::Enum(words) if words.contains(&text) => Sql::Text(text.to_owned()),
            Self::Enum(words) => return Err(expects(&format!("one of {}", words.join(", ")))),
        })
    }

    /// A stored value as JSON.
    pub(crate) fn json(self, value: ValueRef<'_>) -> Json {
        match value {
            ValueRef::Null => Json::Null,
            ValueRef::Integer(number) if self == Self::Bool => Json::Bool(number != 0),
            ValueRef::Integer(number) => number.into(),
            ValueRef::Real(number) => number.into(),
            ValueRef::Text(text) | ValueRef::Blob(text) => {
                let text = String::from_utf8_lossy(text);
                match self {
                    Self::Json => serde_json::from_str(&text).unwrap_or(Json::Null),
                    Self::DateTime => text
                        .parse::<Timestamp>()
                        .map_or(Json::Null, |time| time.to_string().into()),
                    _ => text.into_owned().into(),
                }
            }
        }
    }

    /// The JSON Schema of a value.
    pub(crate) fn schema(self) -> Json {
        match self {
            Self::String => json!({"type": "string"}),
            Self::Int => {
                json!({"type": "integer", "minimum": -MAX_SAFE_INT, "maximum": MAX_SAFE_INT})
            }
            Self::Float => json!({"type": "number"}),
            Self::Bool => json!({"type": "boolean"}),
            Self::Decimal => json!({"type": "string", "format": "decimal"}),
            Self::Uuid => json!({"type": "string", "format": "uuid"}),
            Self::Date => json!({"type": "string", "format": "date"}),
            Self::DateTime => json!({"type": "string", "format": "date-time"}),
            Self::Json => json!({}),
            Self::Enum(words) => json!({"type": "string", "enum": words}),
        }
    }
}

/// A field of a command: its name, type, and whether it may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: FieldType,
    /// Whether it may be absent or null.
    pub optional: bool,
}

impl Field {
    /// A field that must be given.
    pub const fn required(name: &'static str, kind: FieldType) -> Self {
        Self {
            name,
            kind,
            optional: false,
        }
    }

    /// A field that may be left out.
    pub const fn optional(name: &'static str, kind: FieldType) -> Self {
        Self {
            name,
            kind,
            optional: true,
        }
    }
}

/// A value of one of the field types.
pub trait FieldValue {
    /// As it is stored.
    fn sql(&self) -> Sql;

    /// The form that sorts and compares as the value does, where the stored one does not.
    fn sort_key(&self) -> Option<Sql> {
        None
    }

    /// Checks what every value of the type must hold.
    ///
    /// # Errors
    ///
    /// What it must be instead, to follow the field's name.
    fn check(&self) -> Result<(), &'static str> {
        Ok(())
    }
}

impl FieldValue for String {
    fn sql(&self) -> Sql {
        Sql::Text(self.clone())
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.trim().is_empty() {
            Err("must not be empty")
        } else {
            Ok(())
        }
    }
}

impl FieldValue for i64 {
    fn sql(&self) -> Sql {
        Sql::Integer(*self)
    }

    fn check(&self) -> Result<(), &'static str> {
        let safe = (-MAX_SAFE_INT..=MAX_SAFE_INT).contains(self);
        if safe {
            Ok(())
        } else {
            Err("must be within ±9007199254740992 (2^53)")
        }
    }
}

impl FieldValue for f64 {
    fn sql(&self) -> Sql {
        Sql::Real(*self)
    }
}

impl FieldValue for bool {
    fn sql(&self) -> Sql {
        Sql::Integer(i64::from(*self))
    }
}

impl FieldValue for Decimal {
    fn sql(&self) -> Sql {
        Sql::Text(self.to_string())
    }

    fn sort_key(&self) -> Option<Sql> {
        Some(Sql::Text(sortable(*self)))
    }
}

impl FieldValue for Uuid {
    fn sql(&self) -> Sql {
        Sql::Text(self.to_string())
    }
}

impl FieldValue for Date {
    fn sql(&self) -> Sql {
        Sql::Text(self.to_string())
    }
}

impl FieldValue for Timestamp {
    fn sql(&self) -> Sql {
        // All nine digits, so that text sorts as time does.
        Sql::Text(format!("{self:.9}"))
    }
}

impl FieldValue for Json {
    fn sql(&self) -> Sql {
        Sql::Text(self.to_string())
    }
}

impl<T: FieldValue> FieldValue for Option<T> {
    fn sql(&self) -> Sql {
        self.as_ref().map_or(Sql::Null, T::sql)
    }

    fn sort_key(&self) -> Option<Sql> {
        self.as_ref().and_then(T::sort_key)
    }

    fn check(&self) -> Result<(), &'static str> {
        self.as_ref().map_or(Ok(()), T::check)
    }
}

/// An enum without payloads as the text that serde makes of it; for its [`FieldValue`].
pub fn enum_sql<T: Serialize>(value: &T) -> Sql {
    word_of(value).map_or(Sql::Null, Sql::Text)
}

/// An enum without payloads as its word; for facts, whose readers may know fewer of them.
pub fn enum_word<T: Serialize>(value: &T) -> String {
    word_of(value).unwrap_or_default()
}

fn word_of<T: Serialize>(value: &T) -> Option<String> {
    match serde_json::to_value(value) {
        Ok(Json::String(word)) => Some(word),
        _ => None,
    }
}

/// Text of equal length for every decimal, ordered as the numbers are: a sign, 29 digits before the point, 28 after.
/// Negative numbers have their digits complemented.
fn sortable(value: Decimal) -> String {
    let value = value.normalize();
    let digits = value.mantissa().unsigned_abs().to_string();
    let scale = value.scale() as usize;
    let split = digits.len().saturating_sub(scale);
    let (whole, fraction) = digits.split_at(split);
    let digits = format!("{whole:0>29}{:0<28}", format!("{fraction:0>scale$}"));
    if value.is_sign_negative() && !value.is_zero() {
        let complement = digits.bytes().map(|digit| char::from(b'0' + b'9' - digit));
        return format!("0{}", complement.collect::<String>());
    }
    format!("1{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_sort_as_text() {
        let ordered = [
            "-79228162514264337593543950335",
            "-10.5",
            "-10.25",
            "-0.0001",
            "0",
            "0.0000000000000000000000000001",
            "0.5",
            "1",
            "1.50",
            "2",
            "10",
            "79228162514264337593543950335",
        ];
        let keys: Vec<_> = ordered
            .iter()
            .map(|text| sortable(text.parse().unwrap()))
            .collect();
        assert!(keys.is_sorted(), "{keys:#?}");
        assert!(keys.iter().all(|key| key.len() == 58));
        assert_eq!(
            sortable("1.50".parse().unwrap()),
            sortable("1.5".parse().unwrap())
        );
        assert_eq!(
            sortable("-0".parse().unwrap()),
            sortable("0".parse().unwrap())
        );
    }

    #[test]
    fn times_sort_as_text_and_read_back_short() {
        let whole: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let half: Timestamp = "2026-11-22T10:00:00.5Z".parse().unwrap();
        let (Sql::Text(one), Sql::Text(two)) = (whole.sql(), half.sql()) else {
            panic!("text")
        };
        assert!(one < two);
        assert_eq!(
            FieldType::DateTime.json(ValueRef::Text(one.as_bytes())),
            "2026-11-22T10:00:00Z"
        );
    }

    #[test]
    fn ints_beyond_2_53_are_refused() {
        assert!(MAX_SAFE_INT.check().is_ok() && (-MAX_SAFE_INT).check().is_ok());
        assert!((MAX_SAFE_INT + 1).check().is_err() && Some(i64::MIN).check().is_err());
        assert!(None::<i64>.check().is_ok());
        assert!("".to_owned().check().is_err() && " \n".to_owned().check().is_err());
    }

    #[test]
    fn query_text_is_read_by_type() {
        assert_eq!(FieldType::Bool.parse("true"), Ok(Sql::Integer(1)));
        assert_eq!(
            FieldType::Enum(&["a", "b"]).parse("c"),
            Err("must be one of a, b".to_owned())
        );
        for (kind, text) in [
            (FieldType::Int, "1.5"),
            (FieldType::Bool, "1"),
            (FieldType::Uuid, "x"),
            (FieldType::Date, "2026-13-01"),
            (FieldType::DateTime, "2026-11-22"),
            (FieldType::Decimal, "1,5"),
        ] {
            assert!(kind.parse(text).is_err(), "{kind:?} {text}");
        }
    }
}
