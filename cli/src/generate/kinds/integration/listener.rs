//! `hecate gen integration listener`: a fact of another plugin becomes a command.

use hecate_manifest::TopicFilter;
use heck::ToUpperCamelCase;
use serde::Serialize;

use super::{
    CommandCx, MessageFieldCx, PartCx, PluginCx, SampleCx, birth_of, message_fields, snake_of,
};
use crate::error::CliError;
use crate::generate::contexts::{DivisionCx, body_sample, imports};
use crate::generate::integrations::{INTEGRATIONS, check_listed, plugin_type};
use crate::generate::kinds::Draft;
use crate::generate::request::Request;
use crate::names::Name;

/// `hecate gen integration listener`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewListener {
    pub(crate) filter: String,
    pub(crate) command: Name,
    pub(crate) division: Option<Name>,
}

#[derive(Serialize)]
struct ListenerCx {
    plugin: PluginCx,
    division: DivisionCx,
    listener: PartCx,
    command: CommandCx,
    /// What a thing must have seen before the command, if anything.
    birth: Option<SampleCx>,
    fact: FactCx,
    fields: Vec<MessageFieldCx>,
    imports: Vec<&'static str>,
}

#[derive(Serialize)]
struct FactCx {
    filter: String,
    /// A topic that it means.
    topic: String,
    type_name: String,
}

impl Request for NewListener {
    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), CliError> {
        let filter = &self.filter;
        TopicFilter::parse(filter).map_err(|error| {
            CliError::usage(error.to_string()).hint(
                "a topic is the name of the plugin that tells it, and what happened: `shop.order_confirmed`, or `shop.*`",
            )
        })?;
        let plugin = draft.plugin()?;
        if filter.split('.').next() == Some(plugin.as_str()) {
            return Err(CliError::usage(format!(
                "`{filter}` is told by this plugin itself, and facts are for others"
            ))
            .hint("what follows from an event of its own is a process manager's: `hecate gen integration process-manager`"));
        }
        let said = filter.split('.').filter(|word| !matches!(*word, "*" | ">"));
        let about = match snake_of(said) {
            about if about.is_empty() => "anything".to_owned(),
            about => about,
        };
        let (tree, nth) = draft.command(&self.command, self.division.as_ref())?;
        let desk = &tree.commands[nth];
        let command = desk.folder.name.snake();
        let listener = PartCx::new(format!("{command}_on_{about}"));
        let place = format!("{INTEGRATIONS}/{}", listener.snake);
        let answers = vec![
            filter.clone(),
            format!("--command={}/{command}", tree.subject),
        ];
        if draft.is_there("listener", &listener.snake, &place, &answers)? {
            return Ok(());
        }
        check_listed(draft.view())?;
        let fields = desk.fields.clone().unwrap_or_default();
        let context = ListenerCx {
            plugin: PluginCx {
                type_name: plugin_type(draft.view())?,
            },
            division: DivisionCx::new(&plugin, &tree),
            command: CommandCx::of(desk)?,
            birth: birth_of(&tree, desk),
            fact: FactCx {
                topic: filter.replace(['*', '>'], "some"),
                type_name: format!("{}Fact", about.to_upper_camel_case()),
                filter: filter.clone(),
            },
            fields: message_fields(&fields),
            imports: imports(&fields),
            listener,
        };
        let name = context.listener.snake.clone();
        draft.seed("listener", &name, answers, &context)?;
        draft.permit(&format!("facts:subscribe:{filter}"))
    }
}

impl CommandCx {
    /// The command of a desk.
    pub(super) fn of(desk: &crate::generate::tree::CommandDesk) -> Result<Self, CliError> {
        let name = &desk.folder.name;
        let event = desk.events.first().ok_or_else(|| {
            CliError::cannot(format!("the command `{name}` leads to no event"))
                .hint("its desk needs an event in a file of its own")
        })?;
        Ok(Self {
            snake: name.snake().to_owned(),
            birth: desk.is_birth,
            sample: body_sample(desk.fields.as_deref().unwrap_or_default()).to_string(),
            event: event.versioned.to_string(),
        })
    }
}
