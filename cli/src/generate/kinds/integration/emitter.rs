//! `hecate gen integration emitter`: an event becomes a typed fact for other plugins.

use hecate_manifest::Topic;
use heck::ToUpperCamelCase;
use serde::Serialize;

use super::{MessageFieldCx, PartCx, PluginCx, SampleCx, message_fields, own_words, snake_of};
use crate::error::CliError;
use crate::generate::contexts::{DivisionCx, imports};
use crate::generate::fields::FieldType;
use crate::generate::integrations::{INTEGRATIONS, check_listed, plugin_type};
use crate::generate::kinds::Draft;
use crate::generate::request::Request;
use crate::names::Name;

/// `hecate gen integration emitter`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewEmitter {
    pub(crate) event: (Name, Option<u32>),
    pub(crate) topic: String,
    pub(crate) division: Option<Name>,
}

#[derive(Serialize)]
struct EmitterCx {
    plugin: PluginCx,
    division: DivisionCx,
    emitter: PartCx,
    event: SampleCx,
    /// One that is not told, if there is one.
    other: Option<SampleCx>,
    fact: FactCx,
    fields: Vec<MessageFieldCx>,
    imports: Vec<&'static str>,
    /// Whether a field is a word of an enum.
    words: bool,
}

#[derive(Serialize)]
struct FactCx {
    topic: String,
    type_name: String,
}

impl Request for NewEmitter {
    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), CliError> {
        let topic = &self.topic;
        Topic::parse(topic).map_err(|error| {
            CliError::usage(error.to_string())
                .hint("a topic is the plugin's name and what happened: `shop.order_confirmed`")
        })?;
        let plugin = draft.plugin()?;
        let about = snake_of(own_words(topic, &plugin, "topic")?);
        let emitter = PartCx::new(format!("tell_{about}"));
        let (tree, event) = draft.event(&self.event, self.division.as_ref())?;
        let place = format!("{INTEGRATIONS}/{}", emitter.snake);
        let answers = vec![
            format!("{}/{}", tree.subject, event.versioned),
            format!("--fact={topic}"),
        ];
        if draft.is_there("emitter", &emitter.snake, &place, &answers)? {
            return Ok(());
        }
        check_listed(draft.view())?;
        let is_enum = |kind: &FieldType| matches!(kind, FieldType::Enum(_));
        let context = EmitterCx {
            plugin: PluginCx {
                type_name: plugin_type(draft.view())?,
            },
            division: DivisionCx::new(&plugin, &tree),
            other: tree
                .events()
                .find(|other| other.type_name != event.type_name)
                .map(|other| SampleCx::of(&tree.subject, other)),
            event: SampleCx::of(&tree.subject, &event),
            fact: FactCx {
                topic: topic.clone(),
                type_name: format!("{}Fact", about.to_upper_camel_case()),
            },
            fields: message_fields(&event.fields),
            imports: imports(&event.fields),
            words: event.fields.iter().any(|field| is_enum(&field.kind)),
            emitter,
        };
        let name = context.emitter.snake.clone();
        draft.seed("emitter", &name, answers, &context)?;
        draft.permit(&format!("facts:publish:{topic}"))
    }
}
