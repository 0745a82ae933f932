//! What holds for any sequence of making, removing and renaming: checked in memory, without cargo and without rustfmt.

use std::collections::{BTreeMap, BTreeSet};

use hecate_templates::Catalog;
use proptest::prelude::*;
use proptest::sample::select;

use super::kinds::command::{Extras, NewCommand};
use super::kinds::division::NewDivision;
use super::kinds::projection::NewProjection;
use super::kinds::query::{NewQuery, QueryKind};
use super::kinds::remove::Removal;
use super::{Formatter, Plan, Renaming, Request, parse_fields, plan, refresh, rename};
use crate::error::CliError;
use crate::names::{Name, Overrides};
use crate::project::{RelPath, View};

const VERBS: [&str; 4] = ["confirm", "ship", "accept", "reject"];
const NAMES: [&str; 6] = [
    "confirm_order",
    "ship_order",
    "accept_order",
    "order_confirmed",
    "get_order_by_id",
    "count_orders",
];
const NEW_NAMES: [&str; 4] = ["accept_order", "approve_order", "order_sums", "sum_orders"];

/// One step of a session.
#[derive(Debug, Clone)]
enum Step {
    Command(&'static str, &'static str),
    Projection,
    Query(QueryKind),
    Remove(&'static str),
    Rename(&'static str, &'static str),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (
            select(&VERBS[..]),
            select(&["note:string", "weight:int?"][..])
        )
            .prop_map(|(verb, field)| Step::Command(verb, field)),
        Just(Step::Projection),
        select(&[QueryKind::Count, QueryKind::Search][..]).prop_map(Step::Query),
        select(&NAMES[..]).prop_map(Step::Remove),
        (select(&NAMES[..]), select(&NEW_NAMES[..])).prop_map(|(old, new)| Step::Rename(old, new)),
    ]
}

fn name(text: &str) -> Name {
    Name::parse_composite(text).unwrap()
}

/// No rustfmt: the layout is the templates'.
const fn formatter() -> Formatter {
    Formatter::new(|_| None)
}

fn made(request: &dyn Request, view: &View) -> Result<Plan, CliError> {
    plan(request, view, &Catalog::builtin(), formatter())
}

impl Step {
    /// What it changes, or why it cannot be done now.
    fn plan(&self, view: &View) -> Result<Plan, CliError> {
        let division = name("order");
        match *self {
            Self::Command(verb, field) => made(&command(verb, field), view),
            Self::Projection => made(
                &NewProjection {
                    events: vec![(name("order_confirmed"), None)],
                    table: name("confirmed_orders"),
                    division,
                },
                view,
            ),
            Self::Query(kind) => made(
                &NewQuery {
                    kind,
                    subject: division.clone(),
                    fields: Vec::new(),
                    division,
                },
                view,
            ),
            Self::Remove(old) => made(
                &Removal {
                    kind: "desk".to_owned(),
                    name: old.to_owned(),
                    edited: None,
                },
                view,
            ),
            Self::Rename(old, new) => {
                let renaming = Renaming {
                    kind: "desk".to_owned(),
                    old: old.to_owned(),
                    new: name(new),
                };
                let renamed = rename(&renaming, view, &Catalog::builtin(), formatter())?;
                assert!(renamed.conflicts.is_empty(), "nobody has edited anything");
                Ok(renamed.plan)
            }
        }
    }

    /// Whether asking twice is asking once.
    const fn makes(&self) -> bool {
        !matches!(self, Self::Remove(_) | Self::Rename(..))
    }
}

fn command(verb: &str, field: &str) -> NewCommand {
    let division = name("order");
    NewCommand {
        verb: name(verb),
        subject: division.clone(),
        fields: parse_fields(&division, &[field.to_owned()]).unwrap(),
        division,
        birth: false,
        overrides: Overrides::default(),
        extras: Extras::default(),
    }
}

/// A plugin with one division.
fn begun() -> View {
    let files = [
        (
            "manifest.json",
            r#"{"name": "shop", "version": "0.1.0", "plugin_type": "in_vm"}"#,
        ),
        (
            "Cargo.toml",
            "[package]\nname = \"shop\"\n\n[dependencies]\nhecate-sdk = \"0.1\" # mine\n",
        ),
        (
            "Cargo.lock",
            "version = 4\n\n[[package]]\nname = \"shop\"\nversion = \"0.1.0\"\ndependencies = [\n \"hecate-sdk\",\n]\n",
        ),
        ("src/lib.rs", "mod divisions;\n"),
    ];
    let view = files
        .into_iter()
        .fold(View::default(), |view, (path, text)| {
            view.with(RelPath::new(path).unwrap(), text.into())
        });
    let division = NewDivision {
        subject: name("order"),
        fields: Vec::new(),
        flags: Vec::new(),
    };
    made(&division, &view).unwrap().applied_to(view)
}

/// Every file but the lock, without the bits of events: those follow from the order in which desks are made.
fn renumbered(view: &View) -> BTreeMap<String, String> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut bits = BTreeSet::new();
    for (_, contents) in view.iter() {
        let text = text(contents);
        let sets = text.split("const SETS: u64 = ").nth(1);
        if let Some(bit) = sets.and_then(|rest| rest.split_once(';')) {
            bits.insert(bit.0.to_owned());
        }
    }
    view.iter()
        .filter(|(path, _)| path.as_str() != super::LOCK)
        .map(|(path, contents)| {
            let mut text = text(contents);
            for bit in &bits {
                text = text
                    .replace(&format!("u64 = {bit};"), "u64 = BIT;")
                    .replace(&format!("has({bit})"), "has(BIT)")
                    .replace(&format!("& {bit}"), "& BIT")
                    .replace(&format!(", {bit})"), ", BIT)")
                    .replace(&format!("{bit}\n"), "BIT\n");
            }
            (path.to_string(), text)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_session_can_be_taken_back_step_by_step(steps in prop::collection::vec(step(), 1..7)) {
        let mut view = begun();
        let mut past: Vec<(View, Plan)> = Vec::new();
        for step in &steps {
            let Ok(plan) = step.plan(&view) else { continue };
            prop_assert_eq!(&step.plan(&view).unwrap(), &plan, "the same request is the same plan");
            let after = plan.applied_to(view.clone());
            prop_assert_eq!(&Plan::from_to(&view, &after), &plan, "a plan says all that changes");
            if step.makes() {
                prop_assert!(step.plan(&after).unwrap().is_empty(), "asked twice is asked once");
            }
            let stale = refresh(&after, "shop", &Catalog::builtin(), formatter()).unwrap();
            prop_assert!(stale.is_empty(), "owned files follow: {:?}", stale.steps.first());
            past.push((view, plan));
            view = after;
        }
        for (before, plan) in past.into_iter().rev() {
            view = plan.inverse().applied_to(view);
            prop_assert!(view == before, "taken back to the byte");
        }
    }

    #[test]
    fn desks_are_the_same_in_either_order(
        one in select(&VERBS[..]),
        other in select(&VERBS[..]),
    ) {
        prop_assume!(one != other);
        let in_order = |verbs: [&str; 2]| {
            verbs.into_iter().fold(begun(), |view, verb| {
                let plan = made(&command(verb, "note:string"), &view).unwrap();
                plan.applied_to(view)
            })
        };
        prop_assert_eq!(renumbered(&in_order([one, other])), renumbered(&in_order([other, one])));
    }

    #[test]
    fn there_and_back_under_another_name_is_where_it_was(verb in select(&VERBS[..])) {
        let begun = begun();
        let plan = made(&command(verb, "note:string"), &begun).unwrap();
        let view = plan.applied_to(begun);
        let old = format!("{verb}_order");
        let called = |view: View, old: &str, new: &str| {
            let renaming = Renaming { kind: "command".to_owned(), old: old.to_owned(), new: name(new) };
            let renamed = rename(&renaming, &view, &Catalog::builtin(), formatter()).unwrap();
            renamed.plan.applied_to(view)
        };
        let away = called(view.clone(), &old, "approve_order");
        prop_assert!(away != view);
        prop_assert!(called(away, "approve_order", &old) == view);
    }
}
