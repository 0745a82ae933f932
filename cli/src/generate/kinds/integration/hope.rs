//! `hecate gen integration requester` and `responder`: who asks a hope, and who answers one.

use hecate_manifest::Topic;
use heck::ToUpperCamelCase;
use serde::Serialize;

use super::{
    CommandCx, MessageFieldCx, PartCx, PluginCx, SampleCx, birth_of, message_fields, own_words,
    snake_of,
};
use crate::error::CliError;
use crate::generate::contexts::{DivisionCx, body_sample, imports};
use crate::generate::fields::FieldSpec;
use crate::generate::integrations::{INTEGRATIONS, check_listed, plugin_type};
use crate::generate::kinds::Draft;
use crate::generate::request::Request;
use crate::names::Name;

/// `hecate gen integration requester`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewRequester {
    pub(crate) hope: String,
    /// What is asked.
    pub(crate) fields: Vec<FieldSpec>,
}

/// `hecate gen integration responder`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewResponder {
    pub(crate) hope: String,
    pub(crate) command: Name,
    pub(crate) division: Option<Name>,
}

#[derive(Serialize)]
struct HopeCx {
    name: String,
    /// The plugin that answers.
    plugin: String,
    type_name: String,
    feedback: String,
    /// What is asked, as JSON.
    sample: String,
}

impl HopeCx {
    fn new(name: &str, about: &str, sample: String) -> Self {
        let about = about.to_upper_camel_case();
        Self {
            name: name.to_owned(),
            plugin: name.split('.').next().unwrap_or(name).to_owned(),
            type_name: format!("{about}Hope"),
            feedback: format!("{about}Feedback"),
            sample,
        }
    }
}

#[derive(Serialize)]
struct RequesterCx {
    plugin: PluginCx,
    requester: PartCx,
    hope: HopeCx,
    fields: Vec<MessageFieldCx>,
    imports: Vec<&'static str>,
}

#[derive(Serialize)]
struct ResponderCx {
    plugin: PluginCx,
    division: DivisionCx,
    responder: PartCx,
    command: CommandCx,
    /// What a thing must have seen before the command, if anything.
    birth: Option<SampleCx>,
    hope: HopeCx,
    fields: Vec<MessageFieldCx>,
    imports: Vec<&'static str>,
}

/// A hope is named as topics are.
fn check_name(hope: &str) -> Result<(), CliError> {
    let hint =
        "a hope is the name of the plugin that answers it, and what is asked: `shop.place_order`";
    Topic::parse(hope).map_err(|error| {
        CliError::usage(
            error
                .to_string()
                .replace("is not a topic", "is not the name of a hope"),
        )
        .hint(hint)
    })?;
    if hope.contains('.') {
        return Ok(());
    }
    Err(CliError::usage(format!("the hope `{hope}` does not say who answers it")).hint(hint))
}

impl Request for NewRequester {
    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), CliError> {
        let hope = &self.hope;
        check_name(hope)?;
        let plugin = draft.plugin()?;
        if hope.split('.').next() == Some(plugin.as_str()) {
            return Err(CliError::usage(format!(
                "`{hope}` would be answered by this plugin itself, and hopes are for others"
            ))
            .hint("dispatch the command instead: `hecate gen integration process-manager`")
            .hint("to answer it: `hecate gen integration responder`"));
        }
        let about = snake_of(hope.split('.'));
        let requester = PartCx::new(format!("ask_{about}"));
        let place = format!("{INTEGRATIONS}/{}", requester.snake);
        let mut answers = vec![hope.clone()];
        answers.extend(self.fields.iter().map(FieldSpec::to_string));
        if draft.is_there("requester", &requester.snake, &place, &answers)? {
            return Ok(());
        }
        check_listed(draft.view())?;
        let context = RequesterCx {
            plugin: PluginCx {
                type_name: plugin_type(draft.view())?,
            },
            hope: HopeCx::new(hope, &about, body_sample(&self.fields).to_string()),
            fields: message_fields(&self.fields),
            imports: imports(&self.fields),
            requester,
        };
        let name = context.requester.snake.clone();
        draft.seed("requester", &name, answers, &context)?;
        draft.permit(&format!("hope:call:{hope}"))
    }
}

impl Request for NewResponder {
    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), CliError> {
        let hope = &self.hope;
        check_name(hope)?;
        let plugin = draft.plugin()?;
        let about = snake_of(own_words(hope, &plugin, "hope")?);
        let (tree, nth) = draft.command(&self.command, self.division.as_ref())?;
        let desk = &tree.commands[nth];
        let responder = PartCx::new(format!("answer_{about}"));
        let place = format!("{INTEGRATIONS}/{}", responder.snake);
        let command = desk.folder.name.snake();
        let answers = vec![
            hope.clone(),
            format!("--command={}/{command}", tree.subject),
        ];
        if draft.is_there("responder", &responder.snake, &place, &answers)? {
            return Ok(());
        }
        check_listed(draft.view())?;
        let fields = desk.fields.clone().unwrap_or_default();
        let context = ResponderCx {
            plugin: PluginCx {
                type_name: plugin_type(draft.view())?,
            },
            division: DivisionCx::new(&plugin, &tree),
            command: CommandCx::of(desk)?,
            birth: birth_of(&tree, desk),
            hope: HopeCx::new(hope, &about, String::new()),
            fields: message_fields(&fields),
            imports: imports(&fields),
            responder,
        };
        let name = context.responder.snake.clone();
        draft.seed("responder", &name, answers, &context)
    }
}
