//! Requests to `gen` as JSON: their schema, and the command line that one stands for.
//!
//! Both follow from the command line's own definition, so that neither can say what the other does not know. A request
//! names what is to be made as `what` (`"desk cmd"`), and every argument by its name.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command, CommandFactory};
use serde_json::{Map, Value, json};

use crate::Cli;
use crate::error::CliError;

/// The key that says what is to be made.
const WHAT: &str = "what";

/// The schema of a request: that of the command which `words` lead to, or of all below it.
pub(crate) fn schema(words: &[String]) -> Result<Value, CliError> {
    let command = find(words)?;
    let mut schemas = Vec::new();
    collect(&command, &words[1..], &mut schemas);
    let mut schema = match schemas.as_slice() {
        [one] => one.clone(),
        _ => json!({"oneOf": schemas}),
    };
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    Ok(schema)
}

/// The arguments that `request` stands for, the program's name first.
pub(crate) fn arguments(request: &Value) -> Result<Vec<OsString>, CliError> {
    let wrong = |message: String| {
        CliError::usage(message).hint("`hecate schema gen` prints what a request may hold")
    };
    let Some(object) = request.as_object() else {
        return Err(wrong("a request is a JSON object".to_owned()));
    };
    let what = object.get(WHAT).and_then(Value::as_str);
    let what = what.ok_or_else(|| {
        wrong(format!(
            "the request does not say what is to be made: it has no text `{WHAT}`"
        ))
    })?;
    let words: Vec<String> = std::iter::once("gen")
        .chain(what.split_whitespace())
        .map(str::to_owned)
        .collect();
    let command = find(&words)?;
    if command.has_subcommands() {
        return Err(wrong(format!("`{what}` is several things: say which")));
    }
    let known: Vec<&Arg> = own(&command).collect();
    for key in object.keys().filter(|key| *key != WHAT) {
        if !known.iter().any(|arg| name(arg) == *key) {
            let names: Vec<_> = known.iter().map(|arg| format!("`{}`", name(arg))).collect();
            return Err(wrong(format!(
                "`{what}` has no `{key}`; it has {}",
                names.join(", ")
            )));
        }
    }
    let mut arguments: Vec<OsString> = vec!["hecate".into()];
    arguments.extend(words.into_iter().map(OsString::from));
    let mut positional: Vec<OsString> = Vec::new();
    let mut left_out: Option<String> = None;
    for arg in known {
        let key = name(arg);
        let values = values(arg, object.get(&key).unwrap_or(&Value::Null))
            .map_err(|expected| wrong(format!("`{key}` of the request is not {expected}")))?;
        if arg.is_positional() {
            // What follows a place that is left out would slip into it.
            if !values.is_empty()
                && let Some(left_out) = &left_out
            {
                return Err(wrong(format!(
                    "the request has `{key}`, and not `{left_out}` before it"
                )));
            }
            if values.is_empty() {
                left_out = Some(key);
            }
            positional.extend(values.into_iter().map(OsString::from));
        } else if is_switch(arg) {
            arguments.extend((!values.is_empty()).then(|| format!("--{key}").into()));
        } else {
            arguments.extend(values.iter().map(|value| format!("--{key}={value}").into()));
        }
    }
    arguments.push("--".into());
    arguments.extend(positional);
    Ok(arguments)
}

/// The command that `words` lead to, below `hecate`.
fn find(words: &[String]) -> Result<Command, CliError> {
    let mut command = Cli::command();
    command.build();
    if words.first().is_none_or(|word| word != "gen") {
        return Err(CliError::usage("only what `gen` makes has a schema")
            .hint("for instance `hecate schema gen desk`"));
    }
    for word in words {
        let Some(next) = command.find_subcommand(word) else {
            let names: Vec<_> = command
                .get_subcommands()
                .map(|command| format!("`{}`", command.get_name()))
                .collect();
            return Err(
                CliError::usage(format!("`{}` knows no `{word}`", command.get_name())).hint(
                    match names.as_slice() {
                        [] => "leave it out".to_owned(),
                        names => format!("it knows {}", names.join(", ")),
                    },
                ),
            );
        };
        command = next.clone();
    }
    Ok(command)
}

fn collect(command: &Command, words: &[String], schemas: &mut Vec<Value>) {
    if !command.has_subcommands() {
        schemas.push(of_command(command, &words.join(" ")));
    }
    for inner in command.get_subcommands() {
        let words = [words, &[inner.get_name().to_owned()]].concat();
        collect(inner, &words, schemas);
    }
}

fn of_command(command: &Command, what: &str) -> Value {
    let mut properties = Map::new();
    properties.insert(WHAT.to_owned(), json!({"const": what}));
    let mut required = vec![WHAT.to_owned()];
    for arg in own(command) {
        let mut schema = match (is_switch(arg), is_list(arg)) {
            (true, _) => json!({"type": "boolean"}),
            (false, true) => json!({"type": "array", "items": of_value(arg)}),
            (false, false) => of_value(arg),
        };
        if let Some(help) = arg.get_help() {
            schema["description"] = help.to_string().into();
        }
        // What is asked for on a terminal, when it is missing, has a place without a name.
        if arg.is_required_set() || (arg.is_positional() && !is_list(arg)) {
            required.push(name(arg));
        }
        properties.insert(name(arg), schema);
    }
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    if let Some(about) = command.get_about() {
        schema["description"] = about.to_string().into();
    }
    schema
}

fn of_value(arg: &Arg) -> Value {
    let words: Vec<_> = arg
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    if words.is_empty() {
        json!({"type": "string"})
    } else {
        json!({"enum": words})
    }
}

/// The arguments of a command that are its own, in their order; not those of every verb.
fn own(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| {
        !arg.is_global_set()
            && !matches!(
                arg.get_action(),
                ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
            )
    })
}

fn name(arg: &Arg) -> String {
    arg.get_long().unwrap_or(arg.get_id().as_str()).to_owned()
}

fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
}

fn is_list(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
        || arg
            .get_num_args()
            .is_some_and(|range| range.max_values() > 1)
}

/// The values of one argument as texts, or what was expected.
fn values(arg: &Arg, value: &Value) -> Result<Vec<String>, &'static str> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Bool(set) if is_switch(arg) => Ok(set.then(String::new).into_iter().collect()),
        _ if is_switch(arg) => Err("true or false"),
        Value::Array(items) if is_list(arg) => {
            let texts: Option<Vec<_>> = items.iter().map(text).collect();
            texts.ok_or("a list of texts")
        }
        _ if is_list(arg) => Err("a list of texts"),
        other => text(other).map(|text| vec![text]).ok_or("a text"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{arguments, schema};

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn line(request: &Value) -> String {
        let arguments = arguments(request).unwrap();
        let words: Vec<_> = arguments
            .iter()
            .map(|word| word.to_string_lossy())
            .collect();
        words.join(" ")
    }

    #[test]
    fn a_group_has_the_schemas_of_all_that_it_makes() {
        let desks = schema(&words("gen desk")).unwrap();
        let whats: Vec<_> = desks["oneOf"]
            .as_array()
            .unwrap()
            .iter()
            .map(|schema| &schema["properties"]["what"]["const"])
            .collect();
        assert_eq!(whats, ["desk cmd", "desk prj", "desk qry"]);
        let all = schema(&words("gen")).unwrap();
        assert!(all["oneOf"].as_array().unwrap().len() >= 5);
    }

    #[test]
    fn a_schema_says_what_the_command_line_takes() {
        let query = schema(&words("gen desk qry")).unwrap();
        assert_eq!(query["required"], json!(["what", "kind", "subject"]));
        assert_eq!(query["properties"]["kind"]["enum"][0], "by-id");
        assert_eq!(query["properties"]["fields"]["type"], "array");
        assert_eq!(query["properties"]["dry-run"]["type"], "boolean");
        assert_eq!(
            query["properties"]["project"],
            Value::Null,
            "that is every verb's"
        );
        let command = schema(&words("gen desk cmd")).unwrap();
        assert_eq!(command["properties"]["event"]["type"], "array");
        assert_eq!(command["properties"]["route"]["type"], "string");
    }

    #[test]
    fn a_request_is_a_command_line() {
        let request = json!({"what": "desk cmd", "verb": "pay", "subject": "order", "fields": ["note:string"],
            "event": ["order_paid", "bill_settled"], "birth": false, "dry-run": true, "route": null});
        assert_eq!(
            line(&request),
            "hecate gen desk cmd --event=order_paid --event=bill_settled --dry-run -- pay order note:string"
        );
        let sly = json!({"what": "division", "subject": "--yes"});
        assert_eq!(line(&sly), "hecate gen division -- --yes");
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for (request, said) in [
            (json!([]), "a request is a JSON object"),
            (json!({}), "has no text `what`"),
            (json!({"what": "desk"}), "`desk` is several things"),
            (json!({"what": "dsk"}), "`gen` knows no `dsk`"),
            (
                json!({"what": "division", "subjekt": "x"}),
                "has no `subjekt`",
            ),
            (
                json!({"what": "division", "subject": 1}),
                "`subject` of the request is not a text",
            ),
            (
                json!({"what": "division", "fields": "a:int"}),
                "is not a list of texts",
            ),
            (
                json!({"what": "division", "yes": "true"}),
                "is not true or false",
            ),
        ] {
            let error = arguments(&request).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
            assert_eq!((error.code(), error.hints().is_empty()), (2, false));
        }
        assert!(schema(&words("bump")).is_err() && schema(&[]).is_err());
    }
}
