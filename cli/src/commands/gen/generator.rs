//! A project that is about to grow: what it has, and how a plan for it is carried out.

use std::path::Path;

use hecate_templates::Catalog;

use super::words::singular_of;
use crate::carry_out::{CarryOutArgs, Told, carry_out};
use crate::context::Context;
use crate::error::CliError;
use crate::generate::{self, FieldSpec, Formatter, Request};
use crate::names::{Closeness, Desk, Name, Versioned, near, plural};
use crate::project::{LOCAL_CONFIG, Project, SdkSource, View};
use crate::prompts::Prompts;
use crate::tools;

/// A project that is about to grow.
pub(crate) struct Generator<'a> {
    cx: &'a Context,
    project: Project,
    view: View,
}

impl<'a> Generator<'a> {
    /// Opens the project of the context, and completes a run that was killed.
    pub(crate) fn open(cx: &'a Context) -> Result<Self, CliError> {
        let project = generate::open(cx)?;
        let view = project.view()?;
        Ok(Self { cx, project, view })
    }

    /// The project's directory.
    pub(crate) fn root(&self) -> &Path {
        self.project.root()
    }

    /// The project, and its files as they are.
    pub(crate) fn parts(&self) -> (&Project, &View) {
        (&self.project, &self.view)
    }

    /// The divisions that there are.
    pub(crate) fn divisions(&self) -> Vec<Name> {
        generate::divisions_in(&self.view)
    }

    /// Plans the request and does with the plan what is wanted.
    pub(crate) fn carry_out(
        &self,
        request: &dyn Request,
        how: CarryOutArgs,
        command: String,
        done: &str,
        asked: bool,
    ) -> Result<(), CliError> {
        let plan = generate::plan(
            request,
            &self.view,
            &Catalog::builtin(),
            Formatter::new(tools::rustfmt),
        )?;
        if asked
            && !how.yes
            && !how.is_preview()
            && !Prompts::of(self.cx, "", &command)?.confirm(&plan)?
        {
            self.cx.printer().note("nothing was changed");
            return Ok(());
        }
        carry_out(
            self.cx,
            &self.project,
            &plan,
            how,
            &Told {
                command: command.clone(),
                done,
                undoes: None,
            },
        )?;
        if asked {
            self.cx
                .printer()
                .note(&format!("the same without questions: {command}"));
        }
        Ok(())
    }

    /// Where the project finds its SDK on this machine.
    pub(super) fn sdk(&self) -> Result<SdkSource, CliError> {
        let config = self.view.text(LOCAL_CONFIG)?;
        Ok(config.map_or(SdkSource::Registry, SdkSource::of_config))
    }

    /// A directory as a path below the project, if it lies there.
    pub(super) fn inside(&self, dir: &Path) -> Result<Option<String>, CliError> {
        let root = self.project.root().canonicalize().map_err(|error| {
            CliError::because(
                format!("failed to find `{}`", self.project.root().display()),
                error,
            )
        })?;
        let inside = dir.strip_prefix(root).ok().and_then(Path::to_str);
        Ok(inside.map(str::to_owned))
    }

    /// Name of the plugin.
    pub(super) fn plugin(&self) -> Result<String, CliError> {
        Ok(self.project.manifest()?.name.to_string())
    }

    /// The name of every command that can be dispatched.
    pub(super) fn commands(&self) -> Result<Vec<String>, CliError> {
        let mut commands = Vec::new();
        for subject in self.divisions() {
            let tree = generate::read_division(&self.view, &subject)?;
            let named = tree.commands.iter().filter(|desk| desk.fields.is_some());
            commands.extend(named.map(|desk| desk.folder.name.snake().to_owned()));
        }
        Ok(commands)
    }

    /// Every event, with its division.
    pub(super) fn events(&self) -> Result<Vec<(Name, Versioned)>, CliError> {
        let mut events = Vec::new();
        for subject in self.divisions() {
            let tree = generate::read_division(&self.view, &subject)?;
            events.extend(
                tree.events()
                    .map(|event| (subject.clone(), event.versioned.clone())),
            );
        }
        Ok(events)
    }

    /// Says which of the names of a new desk look like slips: its own, and those of its fields.
    pub(super) fn warn_of_slips(&self, division: &Name, desk: &Desk, fields: &[FieldSpec]) {
        // By their paths and by text: what is only advice must not cost a second reading of every source.
        let place = format!("divisions/{division}/src/guide_{division}_lifecycle");
        let (mut desks, mut columns): (Vec<Name>, Vec<Name>) = (Vec::new(), Vec::new());
        for (path, bytes) in self.view.below(&place) {
            let Some((desk, "columns.rs")) = path.split_once('/') else {
                continue;
            };
            desks.extend(Name::parse_composite(desk));
            let text = String::from_utf8_lossy(bytes);
            let names = text
                .split("Column::new(\"")
                .skip(1)
                .filter_map(|rest| rest.split('"').next());
            columns.extend(names.filter_map(|name| Name::parse(name).ok()));
        }
        let warn = |what: &str, known: &Name, new: &Name| {
            self.cx.printer().warn(&format!(
                "there is a {what} `{known}`: is `{new}` another one, or a slip?"
            ));
        };
        if desks.contains(&desk.name()) {
            return;
        }
        let verb_of = |known: &Name| {
            let verb = known.snake().strip_suffix(desk.subject().snake())?;
            Name::parse(verb.strip_suffix('_')?).ok()
        };
        let verbs: Vec<Name> = desks.iter().filter_map(verb_of).collect();
        if let Some(known) = slip(&verbs, desk.verb()) {
            warn("verb", known, desk.verb());
        }
        let new = fields.iter().map(|field| &field.name);
        for field in new.filter(|field| !columns.contains(field)) {
            if let Some(known) = slip(&columns, field) {
                warn("column", known, field);
            }
        }
    }

    /// Every table by what a row of it is called, with its division.
    pub(super) fn tables(&self) -> Result<Vec<(Name, Name)>, CliError> {
        let mut tables = Vec::new();
        for subject in self.divisions() {
            let tree = generate::read_division(&self.view, &subject)?;
            tables.push((subject.clone(), subject.clone()));
            let others = tree
                .projections
                .iter()
                .filter_map(|desk| Name::parse(desk.table.as_deref()?).ok());
            tables.extend(others.map(|table| (singular_of(&table), subject.clone())));
        }
        Ok(tables)
    }

    /// The one division that has all of `events`.
    pub(super) fn division_of(&self, events: &[(Name, Option<u32>)]) -> Result<Name, CliError> {
        let all = self.events()?;
        let has = |subject: &Name, event: &Name| {
            all.iter()
                .any(|(of, known)| of == subject && known.name() == event)
        };
        let divisions = self.divisions();
        let having: Vec<_> = divisions
            .iter()
            .filter(|of| events.iter().all(|(event, _)| has(of, event)))
            .collect();
        match having.as_slice() {
            [one] => Ok((*one).clone()),
            [] => {
                let names: Vec<_> = events
                    .iter()
                    .map(|(event, _)| format!("`{event}`"))
                    .collect();
                let error =
                    CliError::cannot(format!("no division has the event {}", names.join(" and ")));
                let known: Vec<Name> = all.iter().map(|(_, event)| event.name().clone()).collect();
                let near = events.iter().find_map(|(event, _)| near(&known, event));
                Err(match near {
                    Some(near) => error.hint(format!("did you mean `{}`?", near.name)),
                    None => error.hint("events are named after their files in the desks' folders: `order_confirmed`"),
                })
            }
            several => {
                let names: Vec<_> = several.iter().map(|name| format!("`{name}`")).collect();
                Err(
                    CliError::usage(format!("several divisions have it: {}", names.join(", ")))
                        .hint("name one with `--division`"),
                )
            }
        }
    }

    /// The division that has a table about `subject`.
    pub(super) fn division_of_table(&self, subject: &Name) -> Result<Name, CliError> {
        let wanted = plural(subject);
        let tables = self.tables()?;
        let found = tables.iter().find(|(of, _)| plural(of) == wanted);
        Ok(found.map_or_else(|| subject.clone(), |(_, division)| division.clone()))
    }
}

/// The known name that `new` may be a slip of. Of short words a letter makes another one: `take`, `make`.
fn slip<'n>(known: &'n [Name], new: &Name) -> Option<&'n Name> {
    const SHORT: usize = 6;
    let near = near(known, new).filter(|near| near.closeness == Closeness::Spelling)?;
    let is_long = |name: &Name| name.snake().len() >= SHORT;
    (is_long(near.name) && is_long(new)).then_some(near.name)
}

/// The option that names the division, if it was given.
pub(super) fn in_division(division: Option<&str>) -> Vec<String> {
    let option = division.map(|division| format!("--division {division}"));
    option.into_iter().collect()
}

/// A command line that asks for the same thing.
pub(super) fn spoken(verb: &str, names: &[&str], fields: &[String], options: &[String]) -> String {
    let parts = names
        .iter()
        .map(|name| (*name).to_owned())
        .chain(fields.iter().cloned())
        .chain(options.iter().cloned());
    std::iter::once(verb.to_owned())
        .chain(parts)
        .collect::<Vec<_>>()
        .join(" ")
}
