//! `hecate explain CODE|WORD`.

use serde_json::json;

use crate::check::all_rules;
use crate::context::Context;
use crate::error::CliError;

/// The words of Hecate: a line with the word and those that lead to the same text, then the text.
const WORDS: &str = include_str!("../words.md");

/// Explain a word of Hecate, or a finding of `hecate check`
#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// A word (`desk`) or a code (`HKM003`)
    #[arg(value_name = "CODE|WORD")]
    what: String,
}

pub(crate) fn run(args: &ExplainArgs, cx: &Context) -> Result<(), CliError> {
    let what = args.what.trim();
    if let Some(rule) = all_rules()
        .into_iter()
        .find(|rule| rule.code.eq_ignore_ascii_case(what))
    {
        let text = format!(
            "{} ({}): {}\n\n{}\n\nwrong:\n\n{}\n\nright:\n\n{}",
            rule.code,
            format!("{:?}", rule.severity).to_lowercase(),
            rule.title,
            wrapped(rule.explanation),
            indented(rule.wrong),
            indented(rule.right)
        );
        cx.printer().result(&text);
        cx.printer().json("rule", json!(rule));
        return Ok(());
    }
    let wanted = what.to_lowercase().replace(['-', '_'], " ");
    if let Some((words, text)) =
        entries().find(|(words, _)| words.iter().any(|word| *word == wanted))
    {
        cx.printer().result(&text);
        cx.printer()
            .json("word", json!({"words": words, "text": text}));
        return Ok(());
    }
    let known: Vec<String> = entries()
        .filter_map(|(words, _)| words.first().map(|word| (*word).to_owned()))
        .collect();
    let codes = all_rules().into_iter().map(|rule| rule.code);
    let near = hecate_manifest::rules::nearest(what, known.iter().map(String::as_str).chain(codes));
    let error = CliError::cannot(format!(
        "`{what}` is neither a word of Hecate nor the code of a finding"
    ));
    Err(match near {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("the words are {}", known.join(", "))),
    })
}

/// Each word with its other forms, and its text.
fn entries() -> impl Iterator<Item = (Vec<&'static str>, String)> {
    WORDS.split("\n## ").skip(1).filter_map(|entry| {
        let (head, text) = entry.split_once('\n')?;
        Some((
            head.split(',').map(str::trim).collect(),
            text.trim().to_owned(),
        ))
    })
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("    {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Breaks a paragraph at 80 characters.
fn wrapped(text: &str) -> String {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split_whitespace() {
        if line.chars().count() + word.chars().count() + 1 > 80 {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::{entries, wrapped};

    #[test]
    fn the_words_of_the_design_are_explained() {
        let known: Vec<_> = entries().flat_map(|(words, _)| words).collect();
        for word in [
            "plugin",
            "division",
            "department",
            "desk",
            "command",
            "event",
            "fact",
            "hope",
            "feedback",
            "emitter",
            "listener",
            "process manager",
            "requester",
            "responder",
            "birth",
            "walking skeleton",
            "projection",
            "query",
        ] {
            assert!(known.contains(&word), "{word}");
        }
    }

    #[test]
    fn paragraphs_are_broken_between_words() {
        assert_eq!(wrapped("one  two\nthree"), "one two three");
        assert!(
            wrapped(&"word ".repeat(40))
                .lines()
                .all(|line| line.len() <= 80)
        );
    }
}
