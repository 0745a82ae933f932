//! `hecate gen …`: grows a plugin slice by slice.

use hecate_templates::Catalog;

use crate::carry_out::{CarryOutArgs, Told, carry_out};
use crate::context::Context;
use crate::error::CliError;
use crate::generate::{
    self, Formatter, NewCommand, NewDivision, NewProjection, NewQuery, QueryKind, Request,
    parse_fields,
};
use crate::names::{
    Closeness, Name, NameError, Overrides, OverridesError, ReservedError, Versioned,
    VersionedError, check_subject, check_thing, crud_verb, near, plural,
};
use crate::project::{Project, View};
use crate::prompts::{Prompts, Wanted};
use crate::tools;

/// Grow the plugin: a division, a desk
#[derive(Debug, clap::Args)]
pub(crate) struct GenArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Division(DivisionArgs),
    Desk(DeskArgs),
}

/// Make a division: a bounded context with its first desks
#[derive(Debug, clap::Args)]
struct DivisionArgs {
    /// What it is about, as one thing: `order`, `kanban_card`
    subject: Option<String>,
    /// Fields of its first command: `note:string`, `total:decimal?`, `kind:enum:small,large`
    #[arg(value_name = "FIELD:TYPE")]
    fields: Vec<String>,
    #[command(flatten)]
    how: CarryOutArgs,
}

/// Make a desk: one command, one projection or one query
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
struct DeskArgs {
    #[command(subcommand)]
    kind: Option<DeskKind>,
    #[command(flatten)]
    how: CarryOutArgs,
}

#[derive(Debug, clap::Subcommand)]
enum DeskKind {
    Cmd(CmdArgs),
    Prj(PrjArgs),
    Qry(QryArgs),
}

/// Make a desk that takes a command: `hecate gen desk cmd confirm order note:string`
#[derive(Debug, Default, clap::Args)]
pub(crate) struct CmdArgs {
    /// What is done: `confirm`, `pick_up`
    pub(crate) verb: Option<String>,
    /// What it is done to: `order`
    pub(crate) subject: Option<String>,
    /// Fields: `note:string`, `total:decimal?`, `kind:enum:small,large`
    #[arg(value_name = "FIELD:TYPE")]
    pub(crate) fields: Vec<String>,
    /// The division that it belongs to [default: the one of its subject]
    #[arg(long, value_name = "D")]
    pub(crate) division: Option<String>,
    /// It brings a new thing into being
    #[arg(long)]
    pub(crate) birth: bool,
    /// The verb's past tense, where the usual one is wrong: `taken`
    #[arg(long, value_name = "P")]
    pub(crate) past: Option<String>,
    /// The event's whole name, where the usual one is wrong: `player_joined`
    #[arg(long, value_name = "E")]
    pub(crate) event: Option<String>,
    #[command(flatten)]
    pub(crate) how: CarryOutArgs,
}

/// Make a desk that keeps a table of its own: `hecate gen desk prj order_confirmed --table confirmed_orders`
#[derive(Debug, Default, clap::Args)]
pub(crate) struct PrjArgs {
    /// The events, with or without their revision
    #[arg(value_name = "EVENT")]
    pub(crate) events: Vec<String>,
    /// The table
    #[arg(long, value_name = "TABLE")]
    pub(crate) table: Option<String>,
    /// The division whose events they are [default: the only one that has them]
    #[arg(long, value_name = "D")]
    pub(crate) division: Option<String>,
    #[command(flatten)]
    pub(crate) how: CarryOutArgs,
}

/// Make a desk that answers a question: `hecate gen desk qry by-field order note`
#[derive(Debug, Default, clap::Args)]
pub(crate) struct QryArgs {
    /// What is asked
    #[arg(value_enum)]
    pub(crate) kind: Option<QueryKind>,
    /// About what: `order`
    pub(crate) subject: Option<String>,
    /// The columns that it is about
    #[arg(value_name = "FIELD")]
    pub(crate) fields: Vec<String>,
    /// The division that it belongs to [default: the one of its subject]
    #[arg(long, value_name = "D")]
    pub(crate) division: Option<String>,
    #[command(flatten)]
    pub(crate) how: CarryOutArgs,
}

pub(crate) fn run(args: GenArgs, cx: &Context) -> Result<(), CliError> {
    match args.what {
        What::Division(args) => division(args, cx),
        What::Desk(DeskArgs {
            kind: Some(DeskKind::Cmd(args)),
            ..
        }) => command(args, cx),
        What::Desk(DeskArgs {
            kind: Some(DeskKind::Prj(args)),
            ..
        }) => projection(args, cx),
        What::Desk(DeskArgs {
            kind: Some(DeskKind::Qry(args)),
            ..
        }) => query(args, cx),
        What::Desk(DeskArgs { kind: None, how }) => {
            let missing = "`hecate gen desk` needs a kind (cmd, prj or qry) and what goes with it";
            let example = "hecate gen desk cmd confirm order note:string";
            match Prompts::of(cx, missing, example)?.desk_kind()? {
                Wanted::Command => command(
                    CmdArgs {
                        how,
                        ..CmdArgs::default()
                    },
                    cx,
                ),
                Wanted::Projection => projection(
                    PrjArgs {
                        how,
                        ..PrjArgs::default()
                    },
                    cx,
                ),
                Wanted::Query => query(
                    QryArgs {
                        how,
                        ..QryArgs::default()
                    },
                    cx,
                ),
            }
        }
    }
}

fn division(mut args: DivisionArgs, cx: &Context) -> Result<(), CliError> {
    let generator = Generator::open(cx)?;
    let asked = args.subject.is_none();
    if asked {
        let prompts = Prompts::of(
            cx,
            "`hecate gen division` needs a SUBJECT",
            "hecate gen division order total:decimal",
        )?;
        let subject = prompts.division_subject(&generator.divisions())?;
        args.fields = prompts.fields(&name(&subject)?)?;
        args.subject = Some(subject);
    }
    let subject = subject(args.subject.as_deref().unwrap_or_default())?;
    check_thing(&subject).map_err(|error| taken(&error))?;
    let fields = parse_fields(&subject, &args.fields)?;
    let divisions = generator.divisions();
    if let Some(near) = near(&divisions, &subject).filter(|_| !divisions.contains(&subject))
        && near.closeness == Closeness::Spelling
    {
        cx.printer().warn(&format!(
            "there is a division `{}`: is `{subject}` another thing, or a slip?",
            near.name
        ));
    }
    let command = spoken("hecate gen division", &[subject.snake()], &args.fields, &[]);
    let plural = plural(&subject);
    let done = format!(
        "made the division {subject}: POST /{plural}/initiate, POST /{plural}/{{id}}/archive, GET /{plural}/{{id}}, GET /{plural}"
    );
    generator.carry_out(
        &Request::Division(NewDivision { subject, fields }),
        args.how,
        command,
        &done,
        asked,
    )
}

fn command(mut args: CmdArgs, cx: &Context) -> Result<(), CliError> {
    let generator = Generator::open(cx)?;
    let asked = args.verb.is_none() || args.subject.is_none();
    if asked {
        let missing = match (&args.verb, &args.subject) {
            (None, _) => "`hecate gen desk cmd` needs a VERB and a SUBJECT",
            _ => "`hecate gen desk cmd` needs a SUBJECT",
        };
        let example = "hecate gen desk cmd confirm order note:string";
        Prompts::of(cx, missing, example)?.command(&mut args, &generator.divisions())?;
    }
    let verb = subject(args.verb.as_deref().unwrap_or_default())?;
    let subject = subject(args.subject.as_deref().unwrap_or_default())?;
    if let Some(crud) = crud_verb(&verb) {
        cx.printer().warn(&crud.to_string());
    }
    let overrides =
        Overrides::parse(args.past.as_deref(), args.event.as_deref()).map_err(overridden)?;
    let desk = generate::desk_of(&verb, &subject, &generator.divisions())?;
    let division = match &args.division {
        Some(division) => name(division)?,
        None => desk.subject().clone(),
    };
    let fields = parse_fields(&division, &args.fields)?;
    let mut options = Vec::new();
    if division != *desk.subject() {
        options.push(format!("--division {division}"));
    }
    if args.birth {
        options.push("--birth".to_owned());
    }
    options.extend(args.past.as_ref().map(|past| format!("--past {past}")));
    options.extend(args.event.as_ref().map(|event| format!("--event {event}")));
    let command = spoken(
        "hecate gen desk cmd",
        &[verb.snake(), subject.snake()],
        &args.fields,
        &options,
    );
    let done = format!("made the desk {}", desk.name());
    let request = NewCommand {
        verb,
        subject,
        fields,
        division,
        birth: args.birth,
        overrides,
    };
    generator.carry_out(&Request::Command(request), args.how, command, &done, asked)
}

fn projection(mut args: PrjArgs, cx: &Context) -> Result<(), CliError> {
    let generator = Generator::open(cx)?;
    let asked = args.events.is_empty() || args.table.is_none();
    if asked {
        let missing = match args.events.is_empty() {
            true => "`hecate gen desk prj` needs an EVENT and a `--table TABLE`",
            false => "`hecate gen desk prj` needs a `--table TABLE`",
        };
        let example = "hecate gen desk prj order_initiated --table births";
        Prompts::of(cx, missing, example)?.projection(&mut args, &generator.events()?)?;
    }
    let events = args
        .events
        .iter()
        .map(|event| Versioned::split(event).map_err(misnamed_event));
    let events = events.collect::<Result<Vec<_>, _>>()?;
    let table = name(args.table.as_deref().unwrap_or_default())?;
    let division = match &args.division {
        Some(division) => name(division)?,
        None => generator.division_of(&events)?,
    };
    let mut options = vec![format!("--table {table}")];
    options.extend(
        args.division
            .as_ref()
            .map(|division| format!("--division {division}")),
    );
    let command = spoken("hecate gen desk prj", &[], &args.events, &options);
    let done = format!(
        "made the table {table}; ask it with `hecate gen desk qry page {}`",
        singular_of(&table)
    );
    let request = NewProjection {
        events,
        table,
        division,
    };
    generator.carry_out(
        &Request::Projection(request),
        args.how,
        command,
        &done,
        asked,
    )
}

fn query(mut args: QryArgs, cx: &Context) -> Result<(), CliError> {
    let generator = Generator::open(cx)?;
    let asked = args.kind.is_none() || args.subject.is_none();
    if asked {
        let missing = match args.kind {
            None => {
                "`hecate gen desk qry` needs a kind (by-id, by-field, page, search or count) and a SUBJECT"
            }
            Some(_) => "`hecate gen desk qry` needs a SUBJECT",
        };
        let example = "hecate gen desk qry by-field order note";
        Prompts::of(cx, missing, example)?.query(&mut args, &generator.tables()?)?;
    }
    let kind = args.kind.unwrap_or(QueryKind::Page);
    let subject = subject(args.subject.as_deref().unwrap_or_default())?;
    let fields = args
        .fields
        .iter()
        .map(|field| name(field))
        .collect::<Result<Vec<_>, _>>()?;
    let division = match &args.division {
        Some(division) => name(division)?,
        None => generator.division_of_table(&subject)?,
    };
    let options: Vec<_> = args
        .division
        .iter()
        .map(|division| format!("--division {division}"))
        .collect();
    let command = spoken(
        "hecate gen desk qry",
        &[kind.word(), subject.snake()],
        &args.fields,
        &options,
    );
    let done = format!("made the query {} of {}", kind.word(), plural(&subject));
    let request = NewQuery {
        kind,
        subject,
        fields,
        division,
    };
    generator.carry_out(&Request::Query(request), args.how, command, &done, asked)
}

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

    /// The divisions that there are.
    pub(crate) fn divisions(&self) -> Vec<Name> {
        generate::divisions_in(&self.view)
    }

    /// Plans the request and does with the plan what is wanted.
    pub(crate) fn carry_out(
        &self,
        request: &Request,
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

    /// Every event, with its division.
    fn events(&self) -> Result<Vec<(Name, Versioned)>, CliError> {
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

    /// Every table by what a row of it is called, with its division.
    fn tables(&self) -> Result<Vec<(Name, Name)>, CliError> {
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
    fn division_of(&self, events: &[(Name, Option<u32>)]) -> Result<Name, CliError> {
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
                let near = events
                    .iter()
                    .find_map(|(event, _)| crate::names::near(&known, event));
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
    fn division_of_table(&self, subject: &Name) -> Result<Name, CliError> {
        let wanted = plural(subject);
        let tables = self.tables()?;
        let found = tables.iter().find(|(of, _)| plural(of) == wanted);
        Ok(found.map_or_else(|| subject.clone(), |(_, division)| division.clone()))
    }
}

fn singular_of(table: &Name) -> Name {
    crate::names::singular(table).unwrap_or_else(|| table.clone())
}

/// A name as it is given on the command line.
pub(crate) fn name(text: &str) -> Result<Name, CliError> {
    Name::parse(text).map_err(|error| misnamed(&error))
}

fn misnamed(error: &NameError) -> CliError {
    let shown = CliError::usage(error.to_string());
    match &error.suggestion {
        Some(suggestion) => shown.hint(format!("did you mean `{suggestion}`?")),
        None => {
            shown.hint("a name is made of small letters, digits and underscores: `kanban_card`")
        }
    }
}

fn misnamed_event(error: VersionedError) -> CliError {
    match error {
        VersionedError::Name(error) => misnamed(&error),
        VersionedError::Revision { ref suggestion, .. } => {
            let shown = CliError::usage(error.to_string());
            match suggestion {
                Some(suggestion) => shown.hint(format!("did you mean `{suggestion}`?")),
                None => shown.hint("give the event without a revision for its newest"),
            }
        }
    }
}

/// `--past` or `--event` that cannot be followed.
fn overridden(error: OverridesError) -> CliError {
    let shown = CliError::usage(error.to_string());
    match error {
        OverridesError::Past(error) => misnamed(&error),
        OverridesError::Event(error) => misnamed_event(error),
        OverridesError::Revised { event } => shown.hint(format!(
            "leave the revision off: `--event {}`",
            event.name()
        )),
        OverridesError::Contradiction { .. } => {
            shown.hint("one of them is enough: `--event` is the whole name, `--past` a part of it")
        }
    }
}

fn taken(error: &ReservedError) -> CliError {
    CliError::usage(error.to_string())
        .hint(format!("call it `{}`, for instance", error.suggestion()))
}

/// The name of what a division or a desk is about, or of what a desk does: nothing that ends as a revision does.
pub(crate) fn subject(text: &str) -> Result<Name, CliError> {
    let subject = name(text)?;
    check_subject(&subject).map_err(|error| taken(&error))?;
    Ok(subject)
}

/// A command line that asks for the same thing.
fn spoken(verb: &str, names: &[&str], fields: &[String], options: &[String]) -> String {
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
