//! `hecate gen desk cmd`: command, decision, event, state, columns, route and tests, in one folder.

use serde::Serialize;

use super::Draft;
use crate::error::CliError;
use crate::generate::contexts::{DivisionCx, EnumCx, EventCx, FieldCx, fields, imports};
use crate::generate::fields::{FieldSpec, FieldType};
use crate::generate::request::Request;
use crate::generate::retired;
use crate::generate::route::{Route, check_free};
use crate::generate::tree::{DivisionTree, Flag};
use crate::names::{Desk, DeskError, EventError, Name, Overrides, Versioned, near};

/// Greatest status bit: JSON numbers are exact up to 2^53.
const LAST_BIT: u32 = 52;

#[derive(Serialize)]
struct CommandCx {
    division: DivisionCx,
    desk: DeskCx,
    /// The first of its events, which has the enums of the fields.
    event: EventCx,
    /// All of its events, in their order.
    events: Vec<EventCx>,
    fields: Vec<FieldCx>,
    enums: Vec<EnumCx>,
    imports: Vec<&'static str>,
    /// Flags that the first event sets and clears: their bits alone.
    flags_set: u64,
    flags_cleared: u64,
    /// Whether the division has a desk that puts things away, so that others look whether it has.
    archivable: bool,
}

#[derive(Serialize)]
struct DeskCx {
    snake: String,
    sentence: String,
    /// `confirm_order_v1`
    command: String,
    /// `ConfirmOrderV1`
    command_type: String,
    route: String,
    /// The route as a format string with `id` in it.
    route_format: String,
    birth: bool,
}

/// `hecate gen desk cmd`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewCommand {
    pub(crate) verb: Name,
    pub(crate) subject: Name,
    pub(crate) fields: Vec<FieldSpec>,
    pub(crate) division: Name,
    pub(crate) birth: bool,
    pub(crate) overrides: Overrides,
    pub(crate) extras: Extras,
}

/// What few desks have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Extras {
    /// Events that happen too, behind the first.
    pub(crate) further: Vec<Name>,
    /// A route of its own.
    pub(crate) route: Option<Route>,
    /// The flag that its first event sets, instead of a bit of its own.
    pub(crate) sets: Option<Name>,
    /// The flags that its first event clears.
    pub(crate) clears: Vec<Name>,
    /// The bits that its events have already: those of a desk that is only renamed.
    pub(crate) kept: Vec<u64>,
}

impl Request for NewCommand {
    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), CliError> {
        let known = crate::generate::divisions_in(draft.view());
        let desk = desk_of(&self.verb, &self.subject, &known)?;
        let tree = draft.division(&self.division)?;
        let subject = &self.division;
        let name = desk.name();
        let place = format!("divisions/{subject}/src/{}/{name}", tree.departments.cmd);
        let event = desk
            .event(&self.overrides)
            .map_err(|error| event_error(error, &desk))?;
        let record = format!("{subject}/{name}");
        // A desk that initiates is a birth, said or not.
        let birth = self.birth || (desk.verb().snake() == "initiate" && desk.subject() == subject);
        let answers = answers(self, &event, &desk, birth);
        if draft.is_there("command", &record, &place, &answers)? {
            draft.touch_division(subject);
            return Ok(());
        }
        let mut all = vec![event.clone()];
        for further in &self.extras.further {
            let further = further_event(further, &all, &desk)?;
            all.push(further);
        }
        if let Some(taken) = all.iter().find_map(|event| tree.event(event.name(), None)) {
            return Err(CliError::cannot(format!(
                "the event `{}` exists already, in the desk `{}`",
                taken.versioned.name(),
                taken.desk
            ))
            .hint("give the desk another verb, or the event another name with `--event`"));
        }
        check_columns(&tree, &self.fields)?;
        let (fields, enums) = fields(&self.fields, event.name());
        let route = match &self.extras.route {
            Some(route) => {
                route.check(birth)?;
                route.to_string()
            }
            None => usual_route(&desk, subject, birth),
        };
        check_free(draft.view(), "POST", &route, &place)?;
        let flags = Flags::of(&self.extras, &tree)?;
        let with_bits = all.len() - usize::from(flags.set.is_some());
        let kept = &self.extras.kept;
        let free = free_bits(draft, &tree, with_bits.saturating_sub(kept.len()))?;
        let mut bits = kept.iter().copied().chain(free);
        let mut events: Vec<EventCx> = Vec::with_capacity(all.len());
        for (nth, event) in all.iter().enumerate() {
            let is_flagged = nth == 0 && flags.set.is_some();
            let bit = if is_flagged { None } else { bits.next() };
            let mut cx = EventCx::new(subject, &name, event, bit.unwrap_or_default());
            if nth == 0 {
                flags.put_into(&mut cx);
            }
            events.push(cx);
        }
        let archive = format!("archive_{subject}");
        let context = CommandCx {
            division: DivisionCx::new(&draft.plugin()?, &tree),
            event: events[0].clone(),
            events,
            desk: DeskCx {
                sentence: name.title(),
                command: desk.command().to_string(),
                command_type: desk.command().type_name(),
                route_format: route.clone(),
                route,
                birth,
                snake: name.snake().to_owned(),
            },
            fields,
            enums,
            imports: imports(&self.fields),
            flags_set: flags.set.map_or(0, |flag| flag.bit),
            flags_cleared: flags.cleared.iter().fold(0, |all, flag| all | flag.bit),
            archivable: tree.archive().is_some() || name.snake() == archive,
        };
        draft.seed("command", &record, answers, &context)?;
        draft.touch_division(subject);
        Ok(())
    }
}

/// One more event of a desk, which must be another one than those before.
fn further_event(further: &Name, before: &[Versioned], desk: &Desk) -> Result<Versioned, CliError> {
    let overrides = Overrides {
        event: Some(further.clone()),
        ..Overrides::default()
    };
    let event = desk
        .event(&overrides)
        .map_err(|error| event_error(error, desk))?;
    match before
        .iter()
        .find(|known| known.type_name() == event.type_name())
    {
        Some(known) if *known == event => Err(CliError::usage(format!(
            "the event `{further}` is given twice"
        ))
        .hint("name each event once")),
        Some(known) => Err(CliError::usage(format!(
            "the events `{}` and `{further}` are too close: both are `{}` as a type",
            known.name(),
            event.type_name()
        ))
        .hint("call one of the two otherwise")),
        None => Ok(event),
    }
}

/// The flags that an event sets and clears.
struct Flags<'t> {
    set: Option<&'t Flag>,
    cleared: Vec<&'t Flag>,
}

impl<'t> Flags<'t> {
    fn of(extras: &Extras, tree: &'t DivisionTree) -> Result<Self, CliError> {
        let set = extras.sets.as_ref().map(|name| flag(tree, name));
        let cleared = extras.clears.iter().map(|name| flag(tree, name));
        let this = Self {
            set: set.transpose()?,
            cleared: cleared.collect::<Result<_, _>>()?,
        };
        match this.cleared.iter().find(|flag| this.set == Some(**flag)) {
            Some(flag) => Err(CliError::usage(format!(
                "the event would both set and clear `{}`",
                flag.constant.to_ascii_lowercase()
            ))
            .hint("name it either in `--sets` or in `--clears`")),
            None => Ok(this),
        }
    }

    fn put_into(&self, event: &mut EventCx) {
        let in_rust = |flag: &&Flag| format!("flags::{}", flag.constant);
        if let Some(flag) = &self.set {
            event.sets_rust = in_rust(flag);
        }
        let cleared: Vec<_> = self.cleared.iter().map(in_rust).collect();
        event.clears_rust = cleared.join(" | ");
    }
}

/// The division's flag of this name.
fn flag<'t>(tree: &'t DivisionTree, name: &Name) -> Result<&'t Flag, CliError> {
    let known: Vec<Name> = tree.flags.iter().filter_map(Flag::name).collect();
    let found = tree
        .flags
        .iter()
        .find(|flag| flag.name().as_ref() == Some(name));
    found.ok_or_else(|| {
        let error = CliError::cannot(format!(
            "the division `{}` has no flag `{name}`",
            tree.subject
        ));
        let file = tree.flags_path();
        match near(&known, name) {
            Some(near) => error.hint(format!("did you mean `{}`?", near.name)),
            None if known.is_empty() => error.hint(format!(
                "a division gets its flags when it is made, with `--flags`; later ones are constants in `{file}`, each a bit that nobody has"
            )),
            None => {
                let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
                error.hint(format!("its flags are {}; they stand in `{file}`", known.join(", ")))
            }
        }
    })
}

/// Verb and subject as the desk that they name.
pub(crate) fn desk_of(verb: &Name, subject: &Name, known: &[Name]) -> Result<Desk, CliError> {
    Desk::new(verb, subject, known).map_err(|error| {
        let no_subject = matches!(error, DeskError::NoSubject { .. });
        let shown = CliError::usage(format!("`{verb} {subject}` names no desk: {error}"));
        if no_subject {
            return shown.hint("name what it is about too: `hecate gen desk cmd confirm order`");
        }
        shown.hint("a desk is named by a verb and a subject: `confirm` and `order`")
    })
}

fn event_error(error: EventError, desk: &Desk) -> CliError {
    CliError::because(
        format!("the desk `{}` has no good name for its event", desk.name()),
        error,
    )
    .hint("name the event with `--event`, or its past tense with `--past`")
}

/// What decides what is generated, in the command line's words.
fn answers(request: &NewCommand, event: &Versioned, desk: &Desk, birth: bool) -> Vec<String> {
    let mut answers: Vec<_> = request.fields.iter().map(FieldSpec::to_string).collect();
    if birth {
        answers.push("--birth".to_owned());
    }
    let further = &request.extras.further;
    let usual = desk.event(&Overrides::default());
    if usual.map_or(true, |usual| usual != *event) || !further.is_empty() {
        answers.push(format!("--event={}", event.name()));
    }
    answers.extend(further.iter().map(|event| format!("--event={event}")));
    let extras = &request.extras;
    answers.extend(extras.route.iter().map(|route| format!("--route={route}")));
    answers.extend(extras.sets.iter().map(|flag| format!("--sets={flag}")));
    if !extras.clears.is_empty() {
        let clears: Vec<_> = extras.clears.iter().map(Name::snake).collect();
        answers.push(format!("--clears={}", clears.join(",")));
    }
    answers
}

/// The route that a desk has unless it is given one of its own.
pub(crate) fn usual_route(desk: &Desk, division: &Name, birth: bool) -> String {
    let plural = crate::names::plural(division);
    // A desk about something else than its division needs its whole name to be told apart.
    let step = if desk.subject() == division {
        desk.verb().clone()
    } else {
        desk.name()
    };
    if birth {
        format!("/{plural}/{step}")
    } else {
        format!("/{plural}/{{id}}/{step}")
    }
}

/// The next `count` status bits that nothing in the division has and nothing had.
pub(super) fn free_bits(
    draft: &Draft<'_>,
    tree: &DivisionTree,
    count: usize,
) -> Result<Vec<u64>, CliError> {
    let of_events = tree.events().map(|event| event.sets);
    let of_flags = tree.flags.iter().map(|flag| flag.bit);
    let taken = of_events
        .chain(of_flags)
        .fold(retired::bits(draft.view(), &tree.subject)?, |taken, bit| {
            taken | bit
        });
    let free = (0..=LAST_BIT).map(|bit| 1 << bit);
    let free: Vec<u64> = free.filter(|bit| taken & bit == 0).take(count).collect();
    if free.len() < count {
        return Err(CliError::cannot(format!(
            "all {} status bits of the division `{}` are taken",
            LAST_BIT + 1,
            tree.subject
        ))
        .hint(
            "a division with so many steps is several: make another one with `hecate gen division`",
        ));
    }
    Ok(free)
}

/// A column may be written by several desks, if they agree on its type.
fn check_columns(tree: &DivisionTree, fields: &[FieldSpec]) -> Result<(), CliError> {
    let columns = tree.columns();
    for field in fields {
        let Some((kind, desk)) = columns.get(field.name.snake()) else {
            continue;
        };
        if **kind != field.kind {
            let name = &field.name;
            return Err(CliError::cannot(format!(
                "the field `{name}` would be {}, but the desk `{}` writes a column `{name}` of type {kind}",
                spoken(&field.kind),
                desk.folder.name
            ))
            .hint(format!("use `{name}:{kind}` to write the same column, or another name")));
        }
    }
    Ok(())
}

fn spoken(kind: &FieldType) -> String {
    format!("of type {kind}")
}
