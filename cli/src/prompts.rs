//! Questions, for when there is somebody to answer them.
//!
//! Every question has an argument: without a terminal the error names it.

use std::collections::BTreeSet;

use console::{Key, Term};
use dialoguer::theme::ColorfulTheme;
use dialoguer::{Confirm, Input, MultiSelect, Select};

use crate::commands::r#gen::{CmdArgs, PrjArgs, QryArgs, name, overridden, subject};
use crate::commands::new::plugin_name;
use crate::context::Context;
use crate::error::CliError;
use crate::generate::{Plan, QueryKind, Route, desk_of, parse_fields, parse_flags, usual_route};
use crate::names::{Desk, Name, Overrides, Versioned, plural};

/// What kind of desk is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Command,
    Projection,
    Query,
}

/// Asks.
pub(crate) struct Prompts {
    theme: ColorfulTheme,
    term: Term,
}

impl Prompts {
    /// Prompts, if there is a terminal; else the error that says what is missing, with an example that has it.
    pub(crate) fn of(cx: &Context, missing: &str, example: &str) -> Result<Self, CliError> {
        if !cx.is_interactive() {
            return Err(CliError::usage(missing).hint(format!(
                "for instance `{example}`; on a terminal, what is missing is asked for"
            )));
        }
        Ok(Self {
            theme: ColorfulTheme::default(),
            term: Term::stderr(),
        })
    }

    /// Name of a plugin.
    pub(crate) fn plugin_name(&self) -> Result<String, CliError> {
        self.text("Name of the plugin (my-plugin)", |text| {
            plugin_name(text).map(drop)
        })
    }

    /// What a new division is about.
    pub(crate) fn division_subject(&self, known: &[Name]) -> Result<String, CliError> {
        self.text("What is the division about (order)", |text| {
            let subject = subject(text)?;
            if known.contains(&subject) {
                return Err(CliError::usage(format!(
                    "there is a division `{subject}` already"
                )));
            }
            Ok(())
        })
    }

    /// Fields, one after another.
    pub(crate) fn fields(&self, about: &Name) -> Result<Vec<String>, CliError> {
        let mut fields: Vec<String> = Vec::new();
        loop {
            let known = fields.clone();
            let check = |text: &str| {
                if text.trim().is_empty() {
                    return Ok(());
                }
                let mut all = known.clone();
                all.push(text.trim().to_owned());
                parse_fields(about, &all).map(drop)
            };
            let field = self.optional_text("A field (note:string), or nothing to go on", check)?;
            if field.is_empty() {
                return Ok(fields);
            }
            fields.push(field);
        }
    }

    /// The flags of a new division, in one line.
    pub(crate) fn flags(&self) -> Result<Vec<String>, CliError> {
        let text = self.optional_text(
            "Status flags beside those of its events (open,shelved), or nothing",
            |text| parse_flags(&listed(text)).map(drop),
        )?;
        Ok(listed(&text))
    }

    /// What kind of desk.
    pub(crate) fn desk_kind(&self) -> Result<Wanted, CliError> {
        let kinds = [
            "cmd: take a command",
            "prj: keep a table of events",
            "qry: answer a question",
        ];
        Ok(match self.select("What kind of desk", &kinds)? {
            0 => Wanted::Command,
            1 => Wanted::Projection,
            _ => Wanted::Query,
        })
    }

    /// What a command desk needs; shows event and route while verb and subject are typed.
    pub(crate) fn command(&self, args: &mut CmdArgs, divisions: &[Name]) -> Result<(), CliError> {
        if args.verb.is_none() {
            args.verb = Some(self.live(
                "Verb (confirm)",
                |verb| preview(verb, "…", divisions),
                |text| name(text).map(drop),
            )?);
        }
        let verb = args.verb.clone().unwrap_or_default();
        if args.subject.is_none() {
            let typed = match divisions {
                [] => {
                    return Err(CliError::cannot("there is no division yet")
                        .hint("make one with `hecate gen division`"));
                }
                [one] => one.snake().to_owned(),
                several => {
                    let mut names: Vec<_> =
                        several.iter().map(|name| name.snake().to_owned()).collect();
                    names.push("something else".to_owned());
                    match self.select("Subject", &names)? {
                        nth if nth < several.len() => several[nth].snake().to_owned(),
                        _ => self.live(
                            "Subject (order)",
                            |subject| preview(&verb, subject, divisions),
                            |text| subject(text).map(drop),
                        )?,
                    }
                }
            };
            self.say(&preview(&verb, &typed, divisions));
            args.subject = Some(typed);
        }
        let about = name(args.subject.as_deref().unwrap_or_default())?;
        if args.division.is_none() && !divisions.contains(&about) {
            let names: Vec<_> = divisions
                .iter()
                .map(|name| name.snake().to_owned())
                .collect();
            args.division = Some(names[self.select("Division", &names)?].clone());
        }
        let division = args.division.as_deref().map_or(Ok(about.clone()), name)?;
        if args.fields.is_empty() {
            args.fields = self.fields(&division)?;
        }
        let desk = desk_of(&name(&verb)?, &about, divisions)?;
        if args.events.is_empty() && args.past.is_none() {
            let usual = desk.event(&Overrides::default());
            let usual = usual.map_or_else(|_| String::new(), |event| event.name().to_string());
            let events = self.text_or("Events, with commas between them", &usual, |text| {
                listed(text).iter().try_for_each(|event| {
                    Overrides::parse(None, Some(event))
                        .map(drop)
                        .map_err(overridden)
                })
            })?;
            args.events = events.map(|events| listed(&events)).unwrap_or_default();
        }
        if args.route.is_none() {
            let usual = usual_route(&desk, &division, args.birth);
            args.route = self.text_or("Route", &usual, |text| {
                text.parse::<Route>()?.check(args.birth)
            })?;
        }
        Ok(())
    }

    /// Which event.
    pub(crate) fn event(&self, events: &[(Name, Versioned)]) -> Result<String, CliError> {
        let names: BTreeSet<&str> = events
            .iter()
            .map(|(_, event)| event.name().snake())
            .collect();
        let names: Vec<_> = names.into_iter().collect();
        if names.is_empty() {
            return Err(no_events());
        }
        Ok(names[self.select("Event", &names)?].to_owned())
    }

    /// What a projection desk needs.
    pub(crate) fn projection(
        &self,
        args: &mut PrjArgs,
        events: &[(Name, Versioned)],
    ) -> Result<(), CliError> {
        if events.is_empty() {
            return Err(no_events());
        }
        if args.events.is_empty() {
            let divisions: BTreeSet<&Name> = events.iter().map(|(division, _)| division).collect();
            let divisions: Vec<_> = divisions.into_iter().collect();
            let names: Vec<_> = divisions
                .iter()
                .map(|name| name.snake().to_owned())
                .collect();
            let nth = if names.len() == 1 {
                0
            } else {
                self.select("Division", &names)?
            };
            let of_division: Vec<_> = events
                .iter()
                .filter(|(division, _)| division == divisions[nth])
                .map(|(_, event)| event.to_string())
                .collect();
            let chosen = MultiSelect::with_theme(&self.theme)
                .with_prompt("Events (space chooses, enter goes on)")
                .items(&of_division)
                .interact_on(&self.term)
                .map_err(stopped)?;
            if chosen.is_empty() {
                return Err(CliError::usage("a projection needs at least one event"));
            }
            args.events = chosen
                .into_iter()
                .map(|nth| of_division[nth].clone())
                .collect();
            args.division = Some(names[nth].clone());
        }
        if args.table.is_none() {
            args.table = Some(self.text("Table (confirmed_orders)", |text| name(text).map(drop))?);
        }
        Ok(())
    }

    /// What a query desk needs.
    pub(crate) fn query(
        &self,
        args: &mut QryArgs,
        tables: &[(Name, Name)],
    ) -> Result<(), CliError> {
        if tables.is_empty() {
            return Err(CliError::cannot("there is no division yet")
                .hint("make one with `hecate gen division`"));
        }
        if args.kind.is_none() {
            let kinds = [
                QueryKind::ById,
                QueryKind::ByField,
                QueryKind::Page,
                QueryKind::Search,
                QueryKind::Count,
            ];
            let words: Vec<_> = kinds.iter().map(|kind| kind.word()).collect();
            args.kind = Some(kinds[self.select("What is asked", &words)?]);
        }
        if args.subject.is_none() {
            let names: Vec<_> = tables
                .iter()
                .map(|(subject, _)| subject.snake().to_owned())
                .collect();
            let nth = if names.len() == 1 {
                0
            } else {
                self.select("About what", &names)?
            };
            args.subject = Some(names[nth].clone());
            args.division = Some(tables[nth].1.snake().to_owned());
        }
        if args.kind == Some(QueryKind::ByField) && args.fields.is_empty() {
            args.fields = vec![self.text("Column", |text| name(text).map(drop))?];
        }
        if args.kind == Some(QueryKind::Page) && args.fields.is_empty() {
            let columns = self.optional_text(
                "Columns to filter and sort by, with commas between them, or nothing for all",
                |text| {
                    listed(text)
                        .iter()
                        .try_for_each(|column| name(column).map(drop))
                },
            )?;
            args.fields = listed(&columns);
        }
        Ok(())
    }

    /// Shows what would change and asks whether to do it.
    pub(crate) fn confirm(&self, plan: &Plan) -> Result<bool, CliError> {
        for step in &plan.steps {
            self.say(&format!("{:>8} {}", step.word(), step.path));
        }
        let asked = Confirm::with_theme(&self.theme)
            .with_prompt("Do it?")
            .default(true)
            .interact_on(&self.term);
        asked.map_err(stopped)
    }

    /// Which of these.
    pub(crate) fn pick(&self, prompt: &str, items: &[&str]) -> Result<usize, CliError> {
        self.select(prompt, items)
    }

    /// Which of those that there are; an error if there are none.
    pub(crate) fn one_of(
        &self,
        prompt: &str,
        items: &[String],
        none: &str,
    ) -> Result<usize, CliError> {
        if items.is_empty() {
            return Err(CliError::cannot(none).hint("make a division with `hecate gen division`"));
        }
        self.select(prompt, items)
    }

    /// A text that there must be.
    pub(crate) fn wanted(
        &self,
        prompt: &str,
        check: impl Fn(&str) -> Result<(), CliError>,
    ) -> Result<String, CliError> {
        self.text(prompt, check)
    }

    /// A text, with the usual one to take by Enter.
    pub(crate) fn usual(
        &self,
        prompt: &str,
        usual: &str,
        check: impl Fn(&str) -> Result<(), CliError>,
    ) -> Result<String, CliError> {
        let text = self.text_or(prompt, usual, check)?;
        Ok(text.unwrap_or_else(|| usual.to_owned()))
    }

    fn text(
        &self,
        prompt: &str,
        check: impl Fn(&str) -> Result<(), CliError>,
    ) -> Result<String, CliError> {
        self.ask(prompt, false, check)
    }

    /// A text, or `None` if it is the usual one.
    fn text_or(
        &self,
        prompt: &str,
        usual: &str,
        check: impl Fn(&str) -> Result<(), CliError>,
    ) -> Result<Option<String>, CliError> {
        let check = |text: &String| check(text.trim()).map_err(|error| shown(&error));
        let asked = Input::<String>::with_theme(&self.theme)
            .with_prompt(prompt)
            .default(usual.to_owned())
            .validate_with(check)
            .interact_text_on(&self.term);
        let text = asked.map_err(stopped)?.trim().to_owned();
        Ok((text != usual).then_some(text))
    }

    fn optional_text(
        &self,
        prompt: &str,
        check: impl Fn(&str) -> Result<(), CliError>,
    ) -> Result<String, CliError> {
        self.ask(prompt, true, check)
    }

    fn ask(
        &self,
        prompt: &str,
        empty: bool,
        check: impl Fn(&str) -> Result<(), CliError>,
    ) -> Result<String, CliError> {
        let check = |text: &String| check(text.trim()).map_err(|error| shown(&error));
        let asked = Input::<String>::with_theme(&self.theme)
            .with_prompt(prompt)
            .allow_empty(empty)
            .validate_with(check)
            .interact_text_on(&self.term);
        asked.map(|text| text.trim().to_owned()).map_err(stopped)
    }

    fn select<T: std::fmt::Display>(&self, prompt: &str, items: &[T]) -> Result<usize, CliError> {
        let asked = Select::with_theme(&self.theme)
            .with_prompt(prompt)
            .items(items)
            .default(0)
            .interact_on(&self.term);
        asked.map_err(stopped)
    }

    /// One line of text, with what follows from it below while it is typed.
    fn live(
        &self,
        prompt: &str,
        follows: impl Fn(&str) -> String,
        check: impl Fn(&str) -> Result<(), CliError>,
    ) -> Result<String, CliError> {
        let mut text = String::new();
        loop {
            let below = if text.is_empty() {
                String::new()
            } else {
                follows(&text)
            };
            self.draw(prompt, &text, &below)
                .map_err(|error| stopped(error.into()))?;
            let key = self
                .term
                .read_key()
                .map_err(|error| stopped(error.into()))?;
            self.term
                .clear_last_lines(2)
                .map_err(|error| stopped(error.into()))?;
            match key {
                Key::Char(letter) if !letter.is_control() => text.push(letter),
                Key::Backspace => _ = text.pop(),
                Key::Enter => match check(text.trim()) {
                    Ok(()) => {
                        self.say(&format!("✔ {prompt} · {}", text.trim()));
                        return Ok(text.trim().to_owned());
                    }
                    Err(error) => self.say(&format!("✘ {}", shown(&error))),
                },
                Key::Escape | Key::CtrlC => {
                    return Err(CliError::cannot("stopped; nothing was changed"));
                }
                _ => {}
            }
        }
    }

    fn draw(&self, prompt: &str, text: &str, below: &str) -> std::io::Result<()> {
        self.term.write_line(&format!("? {prompt} › {text}"))?;
        self.term
            .write_line(&format!("  {}", console::style(below).for_stderr().dim()))
    }

    fn say(&self, text: &str) {
        // A terminal that has gone stops the next question.
        _ = self.term.write_line(text);
    }
}

/// The words of a line with commas between them.
fn listed(text: &str) -> Vec<String> {
    let words = text.split(',').map(str::trim);
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Event and route of a desk, as far as they can be told.
fn preview(verb: &str, subject: &str, divisions: &[Name]) -> String {
    let names = Name::parse(verb).ok().zip(Name::parse(subject).ok());
    let desk = names
        .as_ref()
        .and_then(|(verb, subject)| Desk::new(verb, subject, divisions).ok());
    let event = desk
        .as_ref()
        .and_then(|desk| desk.event(&Overrides::default()).ok());
    match desk.zip(event) {
        Some((desk, event)) => {
            let (plural, verb) = (plural(desk.subject()), desk.verb());
            format!("event {event} · POST /{plural}/{{id}}/{verb}")
        }
        None => match Name::parse(verb) {
            Ok(verb) => format!("event {subject}_{}_v1", crate::names::past(&verb)),
            Err(error) => error.to_string(),
        },
    }
}

fn shown(error: &CliError) -> String {
    let hints: String = error
        .hints()
        .iter()
        .map(|hint| format!("; {hint}"))
        .collect();
    format!("{error}{hints}")
}

fn no_events() -> CliError {
    CliError::cannot("there are no events yet").hint("make a division with `hecate gen division`")
}

fn stopped(error: dialoguer::Error) -> CliError {
    CliError::because("stopped; nothing was changed", error)
}
