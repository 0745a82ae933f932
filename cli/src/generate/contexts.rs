//! What the templates see: one type for each thing, every form of a name ready. Templates loop and choose, they do not
//! compute.

use serde::Serialize;
use serde_json::{Value, json};

use super::article::with_article;
use super::fields::{FieldSpec, FieldType};
use super::tree::{CommandDesk, DivisionTree, EventFile, Flag};
use crate::names::{Name, Versioned, plural};

/// Id of every sample: that of the SDK's `testing::ID`.
const SAMPLE_ID: &str = "00000000-0000-7000-8000-000000000001";

/// A division, as templates see it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct DivisionCx {
    pub(super) snake: String,
    pub(super) dir: String,
    pub(super) words: String,
    pub(super) a_word: String,
    pub(super) plural: String,
    pub(super) plural_words: String,
    pub(super) type_name: String,
    pub(super) cmd: String,
    pub(super) prj: String,
    pub(super) qry: String,
    pub(super) table_const: String,
    pub(super) package: String,
    pub(super) crate_name: String,
    pub(super) modules: Vec<String>,
}

impl DivisionCx {
    pub(super) fn new(plugin: &str, tree: &DivisionTree) -> Self {
        let subject = &tree.subject;
        let words = words(subject);
        let plural = plural(subject);
        let package = package(plugin, subject);
        Self {
            snake: subject.snake().to_owned(),
            dir: tree.dir().to_owned(),
            a_word: with_article(&words),
            words,
            plural_words: self::words(&plural),
            plural: plural.snake().to_owned(),
            type_name: subject.type_name(),
            cmd: tree.departments.cmd.clone(),
            prj: tree.departments.prj.clone(),
            qry: tree.departments.qry.clone(),
            table_const: plural.snake().to_ascii_uppercase(),
            crate_name: package.replace('-', "_"),
            package,
            modules: tree.modules.clone(),
        }
    }
}

/// Package of a division: unique on a target directory that projects share.
pub(super) fn package(plugin: &str, subject: &Name) -> String {
    format!("{plugin}-{}", subject.kebab())
}

/// A name as words of a sentence: `kanban card`.
pub(super) fn words(name: &Name) -> String {
    name.words().collect::<Vec<_>>().join(" ")
}

/// A field, as templates see it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct FieldCx {
    pub(super) name: String,
    pub(super) words: String,
    pub(super) optional: bool,
    /// `FieldType::…` of the SDK, without the prefix.
    pub(super) field_type: String,
    /// Its Rust type.
    pub(super) rust: String,
    /// Its Rust type without `Option`.
    pub(super) inner: String,
    /// Whether a second use of its value needs a copy of its own.
    pub(super) is_cloned: bool,
    /// What a state slot keeps of `event.{name}`.
    pub(super) remembered: String,
    /// A value as JSON.
    pub(super) sample_json: String,
    /// The same value in Rust.
    pub(super) sample_rust: String,
    /// The same without `Some`.
    pub(super) sample_inner: String,
    /// JSON that is not of its type; empty where there is none.
    /// JSON that is not of its type; empty where there is none.
    pub(super) wrong_json: String,
}

impl FieldCx {
    /// Gives the type of its values another name.
    pub(super) fn rename_type(&mut self, name: &str) {
        let old = std::mem::replace(&mut self.inner, name.to_owned());
        for text in [
            &mut self.rust,
            &mut self.sample_rust,
            &mut self.sample_inner,
        ] {
            *text = text.replace(&old, name);
        }
    }
}

/// An enum that a field brings.
#[derive(Debug, Clone, Serialize)]
pub(super) struct EnumCx {
    pub(super) type_name: String,
    pub(super) words: String,
    pub(super) variants: Vec<VariantCx>,
}

/// One of its values.
#[derive(Debug, Clone, Serialize)]
pub(super) struct VariantCx {
    pub(super) name: String,
    pub(super) value: String,
}

/// The fields of a command, its enums named after its event.
pub(super) fn fields(fields: &[FieldSpec], event: &Name) -> (Vec<FieldCx>, Vec<EnumCx>) {
    let enums = fields.iter().filter_map(|field| {
        let FieldType::Enum(words_of) = &field.kind else {
            return None;
        };
        let variant = |word: &Name| VariantCx {
            name: word.type_name(),
            value: word.snake().to_owned(),
        };
        let variants = words_of.iter().map(variant).collect();
        Some(EnumCx {
            type_name: enum_type(event, &field.name),
            words: words(&field.name),
            variants,
        })
    });
    (
        fields
            .iter()
            .enumerate()
            .map(|(nth, field)| field_cx(field, nth, event))
            .collect(),
        enums.collect(),
    )
}

fn enum_type(event: &Name, field: &Name) -> String {
    format!("{}{}", event.type_name(), field.type_name())
}

fn field_cx(field: &FieldSpec, nth: usize, event: &Name) -> FieldCx {
    let inner = match &field.kind {
        FieldType::String => "String".to_owned(),
        FieldType::Int => "i64".to_owned(),
        FieldType::Float => "f64".to_owned(),
        FieldType::Bool => "bool".to_owned(),
        FieldType::Decimal => "Decimal".to_owned(),
        FieldType::Uuid => "Uuid".to_owned(),
        FieldType::Date => "Date".to_owned(),
        FieldType::DateTime => "Timestamp".to_owned(),
        FieldType::Json => "Value".to_owned(),
        FieldType::Enum(_) => enum_type(event, &field.name),
    };
    let sample = sample(field, nth);
    let sample_inner = match &field.kind {
        FieldType::String => format!("{sample}.to_owned()"),
        FieldType::Int | FieldType::Float | FieldType::Bool => sample.to_string(),
        FieldType::Decimal | FieldType::Uuid | FieldType::Date | FieldType::DateTime => {
            format!("{sample}.parse().unwrap()")
        }
        FieldType::Json => format!("json!({sample})"),
        FieldType::Enum(words) => {
            let first = words.first().map(Name::type_name).unwrap_or_default();
            format!("{inner}::{first}")
        }
    };
    let is_copy = !matches!(field.kind, FieldType::String | FieldType::Json);
    let value = if is_copy {
        format!("event.{}", field.name)
    } else {
        format!("event.{}.clone()", field.name)
    };
    FieldCx {
        name: field.name.snake().to_owned(),
        words: words(&field.name),
        optional: field.optional,
        field_type: field.kind.in_rust(),
        rust: if field.optional {
            format!("Option<{inner}>")
        } else {
            inner.clone()
        },
        inner,
        is_cloned: !is_copy,
        remembered: if field.optional {
            value
        } else {
            format!("Some({value})")
        },
        sample_json: sample.to_string(),
        sample_rust: if field.optional {
            format!("Some({sample_inner})")
        } else {
            sample_inner.clone()
        },
        sample_inner,
        wrong_json: match field.kind {
            FieldType::Json => String::new(),
            FieldType::String => "5".to_owned(),
            _ => "\"no such value\"".to_owned(),
        },
    }
}

/// `use` lines for the types of `fields`.
pub(super) fn imports(fields: &[FieldSpec]) -> Vec<&'static str> {
    let mut imports: Vec<_> = fields
        .iter()
        .filter_map(|field| match field.kind {
            FieldType::Decimal => Some("hecate_sdk::rust_decimal::Decimal"),
            FieldType::Uuid => Some("hecate_sdk::uuid::Uuid"),
            FieldType::Date => Some("hecate_sdk::jiff::civil::Date"),
            FieldType::DateTime => Some("hecate_sdk::jiff::Timestamp"),
            FieldType::Json => Some("hecate_sdk::serde_json::Value"),
            _ => None,
        })
        .collect();
    imports.sort_unstable();
    imports.dedup();
    imports
}

/// A plausible value, another one for each place: a test that mixes two fields up must fail.
fn sample(field: &FieldSpec, nth: usize) -> Value {
    match &field.kind {
        FieldType::String => json!(format!("some {}", words(&field.name))),
        FieldType::Int => json!(7 + nth),
        FieldType::Float => json!(1.5 + nth as f64),
        FieldType::Bool => json!(nth.is_multiple_of(2)),
        FieldType::Decimal => json!(format!("{}.50", 12 + nth)),
        FieldType::Uuid => json!(format!("0190b5a4-7c1e-7000-8000-{:012}", nth + 1)),
        FieldType::Date => json!(format!("2026-01-{:02}", 1 + nth % 28)),
        FieldType::DateTime => json!(format!("2026-01-{:02}T12:00:00Z", 1 + nth % 28)),
        FieldType::Json => json!({"sample": nth + 1}),
        FieldType::Enum(words) => json!(words.first().map(Name::snake)),
    }
}

/// Query text that is another value of the field's type than its sample; empty where there is none.
pub(super) fn other_text(kind: &FieldType) -> String {
    match kind {
        FieldType::String => "nothing-has-this".to_owned(),
        FieldType::Int => "123456".to_owned(),
        FieldType::Float => "123456.5".to_owned(),
        FieldType::Decimal => "123456.75".to_owned(),
        FieldType::Uuid => "ffffffff-ffff-7fff-8fff-ffffffffffff".to_owned(),
        FieldType::Date => "1999-12-31".to_owned(),
        FieldType::DateTime => "1999-12-31T23:59:59Z".to_owned(),
        FieldType::Enum(words) => words
            .get(1)
            .map(|word| word.snake().to_owned())
            .unwrap_or_default(),
        FieldType::Bool | FieldType::Json => String::new(),
    }
}

/// Two values in Rust, the greater one first, of which `sample` is the one that samples have; empty where there are not
/// two that can be sorted.
pub(super) fn falling(kind: &FieldType, sample: &str) -> String {
    let other = match kind {
        FieldType::Json => return String::new(),
        FieldType::Bool => return "json!(true), json!(false)".to_owned(),
        FieldType::Int | FieldType::Float => other_text(kind),
        _ => json!(other_text(kind)).to_string(),
    };
    let other_is_less = match kind {
        FieldType::String | FieldType::Date | FieldType::DateTime => true,
        FieldType::Enum(words) => match words.as_slice() {
            [sample, other, ..] => other.snake() < sample.snake(),
            _ => return String::new(),
        },
        _ => false,
    };
    if other_is_less {
        format!("{sample}, json!({other})")
    } else {
        format!("json!({other}), {sample}")
    }
}

/// Query text that is no value of the field's type; empty where everything is one.
pub(super) fn bad_text(kind: &FieldType) -> &'static str {
    match kind {
        FieldType::String => "",
        _ => "no-such-value",
    }
}

/// A sample of a body with `fields`.
pub(super) fn body_sample(fields: &[FieldSpec]) -> Value {
    let entries = fields
        .iter()
        .enumerate()
        .map(|(nth, field)| (field.name.snake().to_owned(), sample(field, nth)));
    Value::Object(entries.collect())
}

/// A sample of an event's payload.
pub(super) fn event_sample(subject: &Name, event: &EventFile) -> Value {
    let mut payload = body_sample(&event.fields);
    payload[format!("{subject}_id")] = SAMPLE_ID.into();
    payload
}

/// An event, as templates see it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct EventCx {
    pub(super) desk: String,
    pub(super) module: String,
    pub(super) versioned: String,
    pub(super) name: String,
    pub(super) quoted: String,
    pub(super) type_name: String,
    pub(super) label: String,
    pub(super) sentence: String,
    /// Its own bit, or 0 where it sets a flag of the division.
    pub(super) sets: u64,
    /// What it sets in the status, in Rust: its own bit, or a flag.
    pub(super) sets_rust: String,
    /// What it clears in the status, in Rust: empty for nothing.
    pub(super) clears_rust: String,
    /// Type of the newest revision, if that is another one.
    pub(super) newest: String,
    pub(super) sample: String,
    pub(super) fields: Vec<FieldCx>,
}

impl EventCx {
    pub(super) fn of(subject: &Name, event: &EventFile) -> Self {
        let mut cx = Self::new(subject, &event.desk, &event.versioned, event.sets);
        cx.module.clone_from(&event.module);
        cx.type_name.clone_from(&event.type_name);
        cx.sample = event_sample(subject, event).to_string();
        cx.fields = fields(&event.fields, event.versioned.name()).0;
        cx
    }

    pub(super) fn new(subject: &Name, desk: &Name, versioned: &Versioned, sets: u64) -> Self {
        let name = versioned.name();
        Self {
            desk: desk.snake().to_owned(),
            module: versioned.to_string(),
            versioned: versioned.to_string(),
            name: name.snake().to_owned(),
            quoted: format!("`{name}`"),
            type_name: versioned.type_name(),
            label: label(subject, name),
            sentence: name.title(),
            sets,
            sets_rust: sets.to_string(),
            clears_rust: String::new(),
            newest: String::new(),
            sample: String::new(),
            fields: Vec::new(),
        }
    }
}

/// A status bit that is no event's own, as templates see it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct FlagCx {
    /// `SHELVED`
    pub(super) constant: String,
    pub(super) bit: u64,
    /// `Shelved`
    pub(super) label: String,
}

impl FlagCx {
    pub(super) fn of(flag: &Flag) -> Self {
        Self {
            constant: flag.constant.clone(),
            bit: flag.bit,
            label: flag
                .name()
                .map_or_else(|| flag.constant.clone(), |name| name.title()),
        }
    }
}

/// What a status bit is called: the event without its subject, `Confirmed`.
fn label(subject: &Name, event: &Name) -> String {
    let rest = event
        .snake()
        .strip_prefix(subject.snake())
        .and_then(|rest| rest.strip_prefix('_'));
    rest.and_then(|rest| Name::parse_composite(rest).ok())
        .map_or_else(|| event.title(), |rest| rest.title())
}

/// A desk that takes a command, as other desks' templates see it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SourceCx {
    pub(super) snake: String,
    pub(super) birth: bool,
    pub(super) route: String,
    pub(super) route_format: String,
}

impl SourceCx {
    pub(super) fn of(desk: &CommandDesk) -> Option<Self> {
        let route = desk.route.clone()?;
        Some(Self {
            snake: desk.folder.name.snake().to_owned(),
            birth: desk.is_birth,
            route_format: route.clone(),
            route,
        })
    }
}
