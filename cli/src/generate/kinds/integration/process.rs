//! `hecate gen integration process-manager`: an event leads to a command, of the same or another division.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{CommandCx, PartCx, PluginCx, SampleCx, birth_of};
use crate::error::CliError;
use crate::generate::contexts::{DivisionCx, event_sample};
use crate::generate::fields::{FieldSpec, FieldType};
use crate::generate::integrations::{PROCESSES, check_listed, plugin_type};
use crate::generate::kinds::Draft;
use crate::generate::request::Request;
use crate::generate::tree::{DivisionTree, EventFile};
use crate::names::Name;

/// Id of the thing that samples and tests are about: that of the SDK's `testing::ID`.
const ID: &str = "00000000-0000-7000-8000-000000000001";

/// `hecate gen integration process-manager`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewProcessManager {
    pub(crate) event: (Name, Option<u32>),
    pub(crate) command: Name,
    /// The division whose command it is.
    pub(crate) division: Option<Name>,
    /// What the event does not say: a field of the command, and its value as text.
    pub(crate) set: Vec<(Name, String)>,
}

#[derive(Serialize)]
struct ProcessCx {
    plugin: PluginCx,
    source: DivisionCx,
    target: DivisionCx,
    process: PartCx,
    event: EventCx,
    /// An event that leads to nothing, if there is one.
    other: Option<SampleCx>,
    command: CommandCx,
    /// What the command's thing must have seen before, if anything.
    target_birth: Option<SampleCx>,
    fields: Vec<BodyFieldCx>,
    /// Which thing the command is for, in Rust; empty for one that brings it into being.
    to: String,
    reads_event: bool,
    event_sample: String,
    body_sample: String,
}

#[derive(Serialize)]
struct EventCx {
    name: String,
    revision: u32,
    versioned: String,
    desk: String,
    module: String,
    type_name: String,
}

/// A field of the command's body.
#[derive(Debug, Serialize)]
struct BodyFieldCx {
    name: String,
    /// Its value in Rust.
    value: String,
}

/// What a body is made of: its fields, and what they are for the sample of the event.
#[derive(Debug, Default)]
struct Body {
    fields: Vec<BodyFieldCx>,
    sample: Map<String, Value>,
    reads_event: bool,
}

impl Request for NewProcessManager {
    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), CliError> {
        let plugin = draft.plugin()?;
        let (tree, event) = draft.event(&self.event, None)?;
        let (target, nth) = draft.command(&self.command, self.division.as_ref())?;
        let desk = &target.commands[nth];
        let (event_name, command) = (event.versioned.name(), desk.folder.name.snake());
        let process = PartCx::new(format!("{command}_on_{event_name}"));
        let place = format!("{PROCESSES}/{}", process.snake);
        let mut answers = vec![
            format!("{}/{}", tree.subject, event.versioned),
            format!("--command={}/{command}", target.subject),
        ];
        let set = self.set.iter();
        answers.extend(set.map(|(field, value)| format!("--set={field}={value}")));
        if draft.is_there("process-manager", &process.snake, &place, &answers)? {
            return Ok(());
        }
        check_listed(draft.view())?;
        if desk
            .events
            .iter()
            .any(|led_to| led_to.versioned == event.versioned)
        {
            return Err(CliError::usage(format!(
                "`{command}` leads to `{event_name}` itself: it would never end"
            ))
            .hint("name another command, or another event"));
        }
        let mut sample = event_sample(&tree.subject, &event);
        let to = target_of(&tree, &event, &target, desk.is_birth, &mut sample)?;
        let fields = desk.fields.clone().unwrap_or_default();
        let mut body = body(&self.set, &fields, &tree, &event, &sample)?;
        body.reads_event |= to.starts_with("event.");
        let context = ProcessCx {
            plugin: PluginCx {
                type_name: plugin_type(draft.view())?,
            },
            source: DivisionCx::new(&plugin, &tree),
            target: DivisionCx::new(&plugin, &target),
            event: EventCx {
                name: event_name.snake().to_owned(),
                revision: event.versioned.revision(),
                versioned: event.versioned.to_string(),
                desk: event.desk.snake().to_owned(),
                module: event.module.clone(),
                type_name: event.type_name.clone(),
            },
            other: tree
                .events()
                .find(|other| other.type_name != event.type_name)
                .map(|other| SampleCx::of(&tree.subject, other)),
            command: CommandCx::of(desk)?,
            target_birth: birth_of(&target, desk).filter(|birth| {
                // The event itself may be the birth.
                target.subject != tree.subject || birth.type_name != event.type_name
            }),
            fields: body.fields,
            to,
            reads_event: body.reads_event,
            event_sample: sample.to_string(),
            body_sample: Value::Object(body.sample).to_string(),
            process,
        };
        let name = context.process.snake.clone();
        draft.seed("process-manager", &name, answers, &context)
    }
}

/// Which thing the command is for: the event's own, or the one that a field of the event names.
fn target_of(
    tree: &DivisionTree,
    event: &EventFile,
    target: &DivisionTree,
    is_birth: bool,
    sample: &mut Value,
) -> Result<String, CliError> {
    if is_birth {
        return Ok(String::new());
    }
    if tree.subject == target.subject {
        return Ok("cx.instance()".to_owned());
    }
    let id = format!("{}_id", target.subject);
    let field = event.fields.iter().find(|field| field.name.snake() == id);
    let rust = field.and_then(|field| match (&field.kind, field.optional) {
        (FieldType::String, false) => Some(format!("event.{id}.as_str()")),
        (FieldType::Uuid, false) => Some(format!("event.{id}.to_string()")),
        _ => None,
    });
    let rust = rust.ok_or_else(|| {
        CliError::cannot(format!(
            "the event `{}` does not say which {} the command is for: it has no field `{id}`",
            event.versioned.name(),
            target.subject
        ))
        .hint(format!(
            "give the event a field `{id}:uuid`, or name a command that brings a new {} into being",
            target.subject
        ))
    })?;
    sample[&id] = ID.into();
    Ok(rust)
}

/// The command's body: of the event's fields by the same name and type, and of what is set.
fn body(
    set: &[(Name, String)],
    fields: &[FieldSpec],
    tree: &DivisionTree,
    event: &EventFile,
    sample: &Value,
) -> Result<Body, CliError> {
    if let Some((unknown, _)) = set
        .iter()
        .find(|(name, _)| !fields.iter().any(|field| field.name == *name))
    {
        let known: Vec<_> = fields
            .iter()
            .map(|field| format!("`{}`", field.name))
            .collect();
        let error = CliError::usage(format!("the command has no field `{unknown}`"));
        return Err(match known.as_slice() {
            [] => error.hint("it has no fields at all: leave `--set` out"),
            known => error.hint(format!("its fields are {}", known.join(", "))),
        });
    }
    let own_id = format!("{}_id", tree.subject);
    let (mut body, mut missing) = (Body::default(), Vec::new());
    for field in fields {
        let name = field.name.snake();
        let given = set.iter().find(|(of, _)| *of == field.name);
        let of_event = event.fields.iter().find(|of| of.name == field.name);
        let is_id = name == own_id && matches!(field.kind, FieldType::String | FieldType::Uuid);
        // What may be absent in the event may be absent in the command.
        let fits = |of: &&FieldSpec| of.kind == field.kind && (field.optional || !of.optional);
        let (value, sampled) = if let Some((_, text)) = given {
            let value = value_of(field, text)?;
            (value.to_string(), value)
        } else if is_id || of_event.filter(fits).is_some() {
            body.reads_event = true;
            (format!("event.{name}"), sample[name].clone())
        } else if field.optional {
            continue;
        } else {
            missing.push(field);
            continue;
        };
        body.sample.insert(name.to_owned(), sampled);
        body.fields.push(BodyFieldCx {
            name: name.to_owned(),
            value,
        });
    }
    if missing.is_empty() {
        return Ok(body);
    }
    let shown: Vec<_> = missing.iter().map(|field| format!("`{field}`")).collect();
    let options: Vec<_> = missing
        .iter()
        .map(|field| format!("--set {}=…", field.name))
        .collect();
    Err(CliError::cannot(format!(
        "the event `{}` does not say what the command needs: {}",
        event.versioned.name(),
        shown.join(", ")
    ))
    .hint(format!("say it for all times with `{}`", options.join(" ")))
    .hint("or give the event fields of these names and types"))
}

/// A value that is given as text, as JSON.
fn value_of(field: &FieldSpec, text: &str) -> Result<Value, CliError> {
    let value = match &field.kind {
        FieldType::Int => text.parse::<i64>().ok().map(|number| json!(number)),
        FieldType::Float => text
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .map(|number| json!(number)),
        FieldType::Bool => text.parse::<bool>().ok().map(|is| json!(is)),
        FieldType::Json => serde_json::from_str(text).ok(),
        FieldType::Enum(words) => words
            .iter()
            .any(|word| word.snake() == text)
            .then(|| json!(text)),
        _ => (!text.trim().is_empty()).then(|| json!(text)),
    };
    value.ok_or_else(|| {
        CliError::usage(format!("`{text}` is no value of the field `{field}`"))
            .hint(format!("give one of its type: `--set {}=…`", field.name))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::value_of;

    #[test]
    fn values_are_those_of_their_types() {
        for (field, text, value) in [
            ("a:int", "5", json!(5)),
            ("a:bool", "true", json!(true)),
            ("a:float", "1.5", json!(1.5)),
            ("a:json", "{\"b\": 1}", json!({"b": 1})),
            ("a:enum:small,large", "large", json!("large")),
            ("a:string", "not paid", json!("not paid")),
        ] {
            assert_eq!(
                value_of(&field.parse().unwrap(), text).unwrap(),
                value,
                "{field}"
            );
        }
        for (field, text) in [
            ("a:int", "five"),
            ("a:bool", "yes"),
            ("a:float", "inf"),
            ("a:json", "{"),
            ("a:enum:small,large", "huge"),
            ("a:string", " "),
        ] {
            let error = value_of(&field.parse().unwrap(), text).unwrap_err();
            assert!(error.to_string().contains("is no value"), "{field}");
        }
    }
}
