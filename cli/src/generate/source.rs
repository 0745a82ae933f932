//! Reads generated and edited Rust: fields, status bits and columns as they stand in the files now.
//!
//! What somebody wrote in another way than the generator does is left out, not guessed: it costs a sample or a line of
//! the API's description, never a wrong one.

use std::collections::BTreeMap;

use syn::{Expr, Fields, ImplItem, Item, ItemStruct, Lit, Type};

use super::fields::{FieldSpec, FieldType};
use crate::names::Name;

/// What was found in one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Source {
    structs: Vec<(String, Vec<(String, Typed)>)>,
    /// Words of each enum, by its type's name.
    enums: BTreeMap<String, Vec<Name>>,
    /// Types that implement `Event`, with the bits that they set.
    events: Vec<(String, u64)>,
    /// Types that implement `Upcast`.
    upcasts: Vec<String>,
    /// Columns of a `COLUMNS` constant.
    columns: Vec<(String, FieldType)>,
    /// Public constants that are a number of 64 bits.
    numbers: Vec<(String, u64)>,
    /// The texts of a `FILTERS` constant.
    filters: Vec<String>,
    /// Statics of type `LazyLock<Table>`: their names.
    tables: Vec<String>,
    /// String literals that stand as first argument of `Table::new` or a method call, by what is called.
    calls: Vec<(String, String)>,
}

/// A field's type by its name, and whether it is in an `Option`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Typed {
    name: String,
    optional: bool,
}

/// Reads a file, or says where it is not Rust.
pub(super) fn read(text: &str) -> Result<Source, syn::Error> {
    let file = syn::parse_file(text)?;
    let mut source = Source {
        calls: calls(text),
        ..Source::default()
    };
    for item in &file.items {
        match item {
            Item::Struct(item) => source
                .structs
                .push((item.ident.to_string(), fields_of(item))),
            Item::Enum(item) => {
                let words = item.variants.iter().filter_map(word_of).collect();
                source.enums.insert(item.ident.to_string(), words);
            }
            Item::Impl(item) => {
                let of_event = item
                    .trait_
                    .as_ref()
                    .and_then(|(path, _)| path.segments.last());
                let Some(of_event) = of_event.map(|segment| segment.ident.to_string()) else {
                    continue;
                };
                let name = last_segment(&item.self_ty);
                match of_event.as_str() {
                    "Event" => source
                        .events
                        .extend(name.map(|name| (name, bits(&item.items)))),
                    "Upcast" => source.upcasts.extend(name),
                    _ => {}
                }
            }
            Item::Const(item) if item.ident == "COLUMNS" => source.columns = columns_of(&item.expr),
            Item::Const(item) if item.ident == "FILTERS" => source.filters = texts_of(&item.expr),
            Item::Const(item) if quoted(&item.ty) == "u64" => {
                let value = number(&item.expr).map(|value| (item.ident.to_string(), value));
                source.numbers.extend(value);
            }
            Item::Static(item) if quoted(&item.ty).contains("Table") => {
                source.tables.push(item.ident.to_string());
            }
            _ => {}
        }
    }
    Ok(source)
}

/// What is wrong with a file that is not Rust.
pub(super) fn said(error: &syn::Error) -> String {
    match error.to_string().as_str() {
        // All that the tokenizer says, whatever it met.
        "cannot parse string into token stream" => {
            "a bracket or a quote has no counterpart, or a character is none of Rust's".to_owned()
        }
        other => other.to_owned(),
    }
}

impl Source {
    /// The type that is an event here, with its bits.
    pub(super) fn event(&self) -> Option<(&str, u64)> {
        self.events
            .first()
            .map(|(name, bits)| (name.as_str(), *bits))
    }

    /// Whether it says how a `name` is told as the next revision.
    pub(super) fn upcasts(&self, name: &str) -> bool {
        self.upcasts.iter().any(|known| known == name)
    }

    /// The type of a field as it is written, without `Option`.
    pub(super) fn type_of(&self, name: &str, field: &str) -> Option<&str> {
        let (_, fields) = self.structs.iter().find(|(known, _)| known == name)?;
        let (_, typed) = fields.iter().find(|(known, _)| known == field)?;
        Some(&typed.name)
    }

    /// The enums that are declared here.
    pub(super) const fn enums(&self) -> &BTreeMap<String, Vec<Name>> {
        &self.enums
    }

    /// The fields of the struct `name`, except `but`.
    pub(super) fn fields(
        &self,
        name: &str,
        but: &str,
        enums: &BTreeMap<String, Vec<Name>>,
    ) -> Vec<FieldSpec> {
        let fields = self
            .structs
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, fields)| fields.as_slice());
        let field = |(name, typed): &(String, Typed)| {
            let name = Name::parse(name).ok()?;
            let kind = match typed.name.as_str() {
                "String" => FieldType::String,
                "i64" => FieldType::Int,
                "f64" => FieldType::Float,
                "bool" => FieldType::Bool,
                "Decimal" => FieldType::Decimal,
                "Uuid" => FieldType::Uuid,
                "Date" => FieldType::Date,
                "Timestamp" => FieldType::DateTime,
                other => enums
                    .get(other)
                    .map_or(FieldType::Json, |words| FieldType::Enum(words.clone())),
            };
            Some(FieldSpec {
                name,
                kind,
                optional: typed.optional,
            })
        };
        let fields = fields
            .unwrap_or_default()
            .iter()
            .filter(|(name, _)| name != but);
        fields.filter_map(field).collect()
    }

    /// The columns of its `COLUMNS`.
    pub(super) fn columns(&self) -> &[(String, FieldType)] {
        &self.columns
    }

    /// Its constants that are numbers, in their order.
    pub(super) fn numbers(&self) -> &[(String, u64)] {
        &self.numbers
    }

    /// The columns of its `FILTERS`.
    pub(super) fn filters(&self) -> &[String] {
        &self.filters
    }

    /// The first table that is declared here: the static's name.
    pub(super) fn table(&self) -> Option<&str> {
        self.tables.first().map(String::as_str)
    }

    /// The text that `function` is called with first: `call("Table::new")`, `call(".post")`.
    pub(super) fn call(&self, function: &str) -> Option<&str> {
        self.calls
            .iter()
            .find(|(known, _)| known == function)
            .map(|(_, text)| text.as_str())
    }
}

fn fields_of(item: &ItemStruct) -> Vec<(String, Typed)> {
    let Fields::Named(named) = &item.fields else {
        return Vec::new();
    };
    let field = |field: &syn::Field| {
        let name = field.ident.as_ref()?.to_string();
        Some((name.trim_start_matches("r#").to_owned(), typed(&field.ty)?))
    };
    named.named.iter().filter_map(field).collect()
}

fn typed(ty: &Type) -> Option<Typed> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    if last.ident == "Option"
        && let syn::PathArguments::AngleBracketed(arguments) = &last.arguments
        && let Some(syn::GenericArgument::Type(inner)) = arguments.args.first()
    {
        return typed(inner).map(|inner| Typed {
            optional: true,
            ..inner
        });
    }
    Some(Typed {
        name: last.ident.to_string(),
        optional: false,
    })
}

fn last_segment(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    path.path
        .segments
        .last()
        .map(|segment| segment.ident.to_string())
}

/// The word of an enum's variant: that of its `rename`, or its name in small letters.
fn word_of(variant: &syn::Variant) -> Option<Name> {
    let mut word = None;
    for attribute in variant
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"))
    {
        // Other serde attributes may follow: what cannot be read is not a rename.
        _ = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                let text: syn::LitStr = meta.value()?.parse()?;
                word = Some(text.value());
            }
            Ok(())
        });
    }
    let word = word
        .unwrap_or_else(|| heck::ToSnakeCase::to_snake_case(variant.ident.to_string().as_str()));
    Name::parse(&word).ok()
}

/// The value of `const SETS: u64 = …`: a number, or `1 << n`.
fn bits(items: &[ImplItem]) -> u64 {
    let sets = items.iter().find_map(|item| match item {
        ImplItem::Const(item) if item.ident == "SETS" => number(&item.expr),
        _ => None,
    });
    sets.unwrap_or_default()
}

fn number(expr: &Expr) -> Option<u64> {
    match expr {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_parse().ok(),
            _ => None,
        },
        Expr::Binary(binary) if matches!(binary.op, syn::BinOp::Shl(_)) => {
            number(&binary.left)?.checked_shl(u32::try_from(number(&binary.right)?).ok()?)
        }
        Expr::Paren(inner) => number(&inner.expr),
        _ => None,
    }
}

/// `&[Column::new("note", FieldType::String), …]`
fn columns_of(expr: &Expr) -> Vec<(String, FieldType)> {
    let Expr::Reference(reference) = expr else {
        return Vec::new();
    };
    let Expr::Array(array) = reference.expr.as_ref() else {
        return Vec::new();
    };
    let column = |element: &Expr| {
        let Expr::Call(call) = element else {
            return None;
        };
        let (name, kind) = (call.args.first()?, call.args.get(1)?);
        Some((text(name)?, field_type(kind)?))
    };
    array.elems.iter().filter_map(column).collect()
}

/// `&["note", "total"]`
fn texts_of(expr: &Expr) -> Vec<String> {
    let Expr::Reference(reference) = expr else {
        return Vec::new();
    };
    let Expr::Array(array) = reference.expr.as_ref() else {
        return Vec::new();
    };
    array.elems.iter().filter_map(text).collect()
}

fn field_type(expr: &Expr) -> Option<FieldType> {
    if let Expr::Call(call) = expr {
        let Expr::Reference(reference) = call.args.first()? else {
            return None;
        };
        let Expr::Array(array) = reference.expr.as_ref() else {
            return None;
        };
        let words = array
            .elems
            .iter()
            .map(|word| Name::parse(&text(word)?).ok());
        return words.collect::<Option<_>>().map(FieldType::Enum);
    }
    let Expr::Path(path) = expr else { return None };
    Some(
        match path.path.segments.last()?.ident.to_string().as_str() {
            "String" => FieldType::String,
            "Int" => FieldType::Int,
            "Float" => FieldType::Float,
            "Bool" => FieldType::Bool,
            "Decimal" => FieldType::Decimal,
            "Uuid" => FieldType::Uuid,
            "Date" => FieldType::Date,
            "DateTime" => FieldType::DateTime,
            "Json" => FieldType::Json,
            _ => return None,
        },
    )
}

fn text(expr: &Expr) -> Option<String> {
    let Expr::Lit(literal) = expr else {
        return None;
    };
    let Lit::Str(text) = &literal.lit else {
        return None;
    };
    Some(text.value())
}

fn quoted(ty: &Type) -> String {
    quote::ToTokens::to_token_stream(ty).to_string()
}

/// Every method on a path that `text` has a handler for: `("POST", "/orders/{id}/confirm")`. By text, as with other
/// calls; of a router of axum's own the method is not known, and empty.
pub(super) fn routes_in(text: &str) -> Vec<(&'static str, &str)> {
    const METHODS: [(&str, &str); 5] = [
        (".get(", "GET"),
        (".post(", "POST"),
        (".put(", "PUT"),
        (".delete(", "DELETE"),
        (".route(", ""),
    ];
    let mut routes = Vec::new();
    for (call, method) in METHODS {
        for rest in text.split(call).skip(1) {
            let path = rest.trim_start().strip_prefix('"');
            let path = path.and_then(|rest| rest.split_once('"'));
            routes.extend(
                path.filter(|(path, _)| path.starts_with('/'))
                    .map(|(path, _)| (method, path)),
            );
        }
    }
    routes
}

/// First arguments that are string literals, of the calls that matter. By text: these stand deep in expressions, and
/// always in the generator's own form.
fn calls(text: &str) -> Vec<(String, String)> {
    let mut calls = Vec::new();
    for function in [
        "Table::new",
        ".post",
        ".get",
        "Desk::birth",
        "Desk::command",
    ] {
        let Some(at) = text.find(&format!("{function}(")) else {
            continue;
        };
        let rest = text[at + function.len() + 1..].trim_start();
        if let Some((argument, _)) = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
            calls.push((function.to_owned(), argument.to_owned()));
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::read;

    const EVENT: &str = r#"
        pub struct OrderConfirmedV1 { pub order_id: String, pub note: Option<String>, pub total: rust_decimal::Decimal,
            pub kind: Kind, pub odd: (u8, u8), pub r#type: i64 }
        impl Event for OrderConfirmedV1 { const NAME: &'static str = "x"; const SETS: u64 = 1 << 2; }
        pub enum Kind { #[serde(rename = "very_small")] VerySmall, LargeOne }
    "#;

    #[test]
    fn events_are_read_with_fields_and_bits() {
        let source = read(EVENT).unwrap();
        assert_eq!(source.event(), Some(("OrderConfirmedV1", 4)));
        let fields = source.fields("OrderConfirmedV1", "order_id", source.enums());
        let fields: Vec<_> = fields.iter().map(ToString::to_string).collect();
        assert_eq!(
            fields,
            [
                "note:string?",
                "total:decimal",
                "kind:enum:very_small,large_one",
                "type:int"
            ]
        );
        assert!(source.fields("Other", "", &BTreeMap::new()).is_empty());
    }

    #[test]
    fn columns_and_tables_are_read() {
        let source = read(
            "pub const COLUMNS: &[Column] = &[Column::new(\"note\", FieldType::String),\n\
             Column::new(\"kind\", FieldType::Enum(&[\"a\", \"b\"]))];\n\
             pub static ORDERS: LazyLock<Table> = LazyLock::new(|| {\n    Table::new(\n\"orders\", \"order_id\")\n});",
        )
        .unwrap();
        let columns: Vec<_> = source
            .columns()
            .iter()
            .map(|(name, kind)| format!("{name}:{kind}"))
            .collect();
        assert_eq!(columns, ["note:string", "kind:enum:a,b"]);
        assert_eq!(
            (source.table(), source.call("Table::new")),
            (Some("ORDERS"), Some("orders"))
        );
    }

    #[test]
    fn what_is_not_rust_is_an_error_with_its_line() {
        assert_eq!(read("fn a() {}\nfn {").unwrap_err().span().start().line, 2);
    }
}
