//! `hecate gen integration`: what reaches beyond one division. Here is what its kinds share: the events and commands that
//! they are about, names made of topics, and the permissions of the manifest.

mod emitter;
mod hope;
mod listener;
mod process;

use hecate_manifest::{Permission, TopicFilter};
use heck::ToUpperCamelCase;
use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstRootNode};
use serde::Serialize;

use super::Draft;
use crate::error::CliError;
use crate::generate::contexts::{event_sample, fields, words};
use crate::generate::fields::{FieldSpec, FieldType};
use crate::generate::tree::{CommandDesk, DivisionTree, EventFile, divisions_in, read_division};
use crate::names::{Name, near};
use crate::project::MANIFEST;

pub(crate) use emitter::NewEmitter;
pub(crate) use hope::{NewRequester, NewResponder};
pub(crate) use listener::NewListener;
pub(crate) use process::NewProcessManager;

/// The plugin, as the templates see it.
#[derive(Debug, Serialize)]
struct PluginCx {
    /// The type that it exports.
    type_name: String,
}

/// Emitter, listener, process manager, requester or responder: its module, which is its name, and its type.
#[derive(Debug, Clone, Serialize)]
struct PartCx {
    snake: String,
    type_name: String,
}

impl PartCx {
    fn new(snake: String) -> Self {
        Self {
            type_name: snake.to_upper_camel_case(),
            snake,
        }
    }
}

/// An event with a sample of it.
#[derive(Debug, Clone, Serialize)]
struct SampleCx {
    name: String,
    revision: u32,
    type_name: String,
    /// Its payload as JSON.
    sample: String,
}

impl SampleCx {
    fn of(subject: &Name, event: &EventFile) -> Self {
        Self {
            name: event.versioned.name().snake().to_owned(),
            revision: event.versioned.revision(),
            type_name: event.type_name.clone(),
            sample: event_sample(subject, event).to_string(),
        }
    }
}

/// A field of a message. Words of enums travel as text: who reads them may know fewer.
#[derive(Debug, Clone, Serialize)]
struct MessageFieldCx {
    name: String,
    words: String,
    optional: bool,
    rust: String,
    /// What it is made of, where it is made of an event's.
    from_event: String,
}

fn message_fields(specs: &[FieldSpec]) -> Vec<MessageFieldCx> {
    // The types of enums are not used: any event does for their names.
    let Ok(any) = Name::parse("message") else {
        return Vec::new();
    };
    let (all, _) = fields(specs, &any);
    let field = |(field, spec): (_, &FieldSpec)| {
        let field: crate::generate::contexts::FieldCx = field;
        let is_enum = matches!(spec.kind, FieldType::Enum(_));
        let name = &field.name;
        MessageFieldCx {
            words: words(&spec.name),
            optional: field.optional,
            rust: match (is_enum, field.optional) {
                (true, true) => "Option<String>".to_owned(),
                (true, false) => "String".to_owned(),
                _ => field.rust,
            },
            from_event: match (is_enum, field.optional) {
                (true, true) => format!("event.{name}.as_ref().map(enum_word)"),
                (true, false) => format!("enum_word(&event.{name})"),
                _ if field.is_cloned => format!("event.{name}.clone()"),
                _ => format!("event.{name}"),
            },
            name: field.name,
        }
    };
    all.into_iter().zip(specs).map(field).collect()
}

/// A command, as the templates see it.
#[derive(Debug, Clone, Serialize)]
struct CommandCx {
    snake: String,
    birth: bool,
    /// A body as JSON.
    sample: String,
    /// The first of its events, with its revision.
    event: String,
}

/// The events that a thing must have seen for a command to be possible: none for one that brings it into being.
fn birth_of(tree: &DivisionTree, desk: &CommandDesk) -> Option<SampleCx> {
    let birth = tree.birth().filter(|_| !desk.is_birth)?;
    let event = birth.events.first()?;
    Some(SampleCx::of(&tree.subject, event))
}

impl Draft<'_> {
    /// All divisions.
    fn divisions(&self) -> Result<Vec<DivisionTree>, CliError> {
        let subjects = divisions_in(self.view());
        let trees = subjects.iter().map(|of| read_division(self.view(), of));
        trees.collect()
    }

    /// The division that has the command `name`, and the command's place in it.
    fn command(
        &self,
        name: &Name,
        division: Option<&Name>,
    ) -> Result<(DivisionTree, usize), CliError> {
        let trees = match division {
            Some(subject) => vec![self.division(subject)?],
            None => self.divisions()?,
        };
        let known = trees.iter().flat_map(|tree| &tree.commands);
        let known: Vec<Name> = known.map(|desk| desk.folder.name.clone()).collect();
        let place = |tree: &DivisionTree| {
            let named = |desk: &CommandDesk| desk.folder.name == *name && desk.fields.is_some();
            tree.commands.iter().position(named)
        };
        let having: Vec<_> = trees
            .into_iter()
            .filter_map(|tree| place(&tree).map(|nth| (tree, nth)))
            .collect();
        one_of(having, |(tree, _)| &tree.subject, &known, "command", name)
    }

    /// The division that has the event `name`, and the event.
    fn event(
        &self,
        (name, revision): &(Name, Option<u32>),
        division: Option<&Name>,
    ) -> Result<(DivisionTree, EventFile), CliError> {
        let trees = match division {
            Some(subject) => vec![self.division(subject)?],
            None => self.divisions()?,
        };
        let known = trees.iter().flat_map(DivisionTree::events);
        let known: Vec<Name> = known.map(|event| event.versioned.name().clone()).collect();
        let having: Vec<_> = trees
            .into_iter()
            .filter_map(|tree| {
                let event = tree.event(name, *revision)?.clone();
                Some((tree, event))
            })
            .collect();
        one_of(having, |(tree, _)| &tree.subject, &known, "event", name)
    }

    /// The manifest asks for `permission`, unless it does so already.
    fn permit(&mut self, permission: &str) -> Result<(), CliError> {
        self.merge(MANIFEST, |text| permitted(text, permission))
    }
}

/// The one thing that was found, or why there is not one.
fn one_of<T>(
    mut having: Vec<T>,
    division: impl Fn(&T) -> &Name,
    known: &[Name],
    what: &str,
    name: &Name,
) -> Result<T, CliError> {
    if having.len() > 1 {
        let names: Vec<_> = having
            .iter()
            .map(|found| format!("`{}`", division(found)))
            .collect();
        let several = format!(
            "several divisions have the {what} `{name}`: {}",
            names.join(", ")
        );
        return Err(CliError::usage(several).hint("name one with `--division`"));
    }
    having.pop().ok_or_else(|| {
        let error = CliError::cannot(format!("no division here has the {what} `{name}`"));
        match near(known, name) {
            Some(near) => error.hint(format!("did you mean `{}`?", near.name)),
            None => error.hint(format!("`hecate list` shows every {what} of this plugin")),
        }
    })
}

/// Words of topics and hopes as one name in Rust.
fn snake_of<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let parts = words.into_iter().flat_map(|word| word.split(['-', '_']));
    let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
    parts.join("_")
}

/// The words of a topic or hope that is this plugin's own, behind the plugin's name.
fn own_words<'t>(text: &'t str, plugin: &str, what: &str) -> Result<Vec<&'t str>, CliError> {
    let words: Vec<&str> = text.split('.').collect();
    match words.as_slice() {
        [first, rest @ ..] if *first == plugin && !rest.is_empty() => Ok(rest.to_vec()),
        [first] if *first == plugin => Err(CliError::usage(format!(
            "the {what} `{text}` is only the name of the plugin"
        ))
        .hint(format!(
            "say what it is about behind it: `{plugin}.order_confirmed`"
        ))),
        _ => Err(CliError::usage(format!(
            "the {what} `{text}` does not begin with the name of this plugin"
        ))
        .hint(format!(
            "did you mean `{plugin}.{}`?",
            words.last().unwrap_or(&"order_confirmed")
        ))),
    }
}

/// Adds a permission to a manifest, and keeps everything else as it stands.
fn permitted(text: &str, permission: &str) -> Result<String, CliError> {
    let root = CstRootNode::parse(text, &ParseOptions::default())
        .map_err(|error| CliError::because("`manifest.json` cannot be read", error))?;
    let object = root
        .object_value()
        .ok_or_else(|| CliError::cannot("`manifest.json` is not a JSON object"))?;
    let array = match object.get("permissions") {
        Some(_) => object.array_value("permissions"),
        None => Some(object.array_value_or_set("permissions")),
    };
    let array = array.ok_or_else(|| {
        CliError::cannot("`permissions` in `manifest.json` is not a list")
            .hint("make it one: `\"permissions\": []`")
    })?;
    let wanted = Permission::parse(permission);
    let known = array.elements();
    let known = known
        .iter()
        .filter_map(|element| element.as_string_lit()?.decoded_value().ok());
    if known
        .map(|text| Permission::parse(&text))
        .any(|known| grants(&known, &wanted))
    {
        return Ok(text.to_owned());
    }
    array.append(CstInputValue::String(permission.to_owned()));
    Ok(root.to_string())
}

/// Whether who has `known` needs no `wanted`.
fn grants(known: &Permission, wanted: &Permission) -> bool {
    let covers =
        |wide: &str, narrow: &str| match (TopicFilter::parse(wide), TopicFilter::parse(narrow)) {
            (Ok(wide), Ok(narrow)) => wide.covers(&narrow),
            _ => false,
        };
    match (known, wanted) {
        (Permission::Publish(wide), Permission::Publish(narrow))
        | (Permission::Subscribe(wide), Permission::Subscribe(narrow)) => covers(wide, narrow),
        (known, wanted) => known == wanted,
    }
}

#[cfg(test)]
mod tests;
