//! What there is to do about the read models that follow a store: replay, and the events that could not be taken in.

use std::thread;
use std::time::Duration;

use hecate_manifest::control::StoreTask;
use serde_json::{Map, Value};

use super::{Of, ask, done};
use crate::context::Context;
use crate::error::CliError;
use crate::progress::Phase;

/// How often a replay is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(super) fn replay(
    cx: &Context,
    of: &Of,
    projection: Option<String>,
    detach: bool,
) -> Result<(), CliError> {
    let begun = ask(cx, of, StoreTask::Replay { projection })?;
    if !detach {
        wait(cx, of, &begun)?;
    }
    let what = if detach {
        "is being replayed"
    } else {
        "has been replayed"
    };
    for (store, begun) in &begun {
        for projection in names(begun) {
            cx.printer()
                .result(&format!("{store}: `{projection}` {what}"));
        }
    }
    if detach {
        let name = &of.name;
        cx.printer()
            .note(&format!("`hecate store stats {name}` shows how far it is"));
    }
    done(cx, begun)
}

/// Waits until all that was begun is done, and shows how far it is.
fn wait(cx: &Context, of: &Of, begun: &Map<String, Value>) -> Result<(), CliError> {
    let phase = Phase::begin(cx.printer(), "replay");
    loop {
        let stats = ask(cx, of, StoreTask::Stats)?;
        let mut left = Vec::new();
        for (store, begun) in begun {
            for projection in names(begun) {
                let rebuild = &stats[store]["projections"][projection]["rebuild"];
                if rebuild.is_null() {
                    continue;
                }
                if rebuild["over"] == true {
                    let why = rebuild["stopped"].as_str().unwrap_or_default();
                    let message = format!("`{store}`: `{projection}` cannot be replayed: {why}");
                    return Err(
                        CliError::cannot(message).hint("the rows that there were still serve")
                    );
                }
                left.push((projection, rebuild.clone()));
            }
        }
        let Some((projection, rebuild)) = left.first() else {
            phase.done("every row is as its events say");
            return Ok(());
        };
        let number = |field: &str| rebuild[field].as_u64().unwrap_or_default() as usize;
        let message = match rebuild["stopped"].as_str() {
            None => format!(
                "{projection}, {} events a second",
                number("events_per_second")
            ),
            Some(why) => format!("{projection} waits: {why}"),
        };
        phase.count(number("position"), number("head"), message);
        thread::sleep(LOOK_EVERY);
    }
}

fn names(begun: &Value) -> impl Iterator<Item = &str> {
    let names = begun["replaying"].as_array().into_iter().flatten();
    names.filter_map(Value::as_str)
}

pub(super) fn dead_letters(cx: &Context, of: &Of) -> Result<(), CliError> {
    let stores = ask(cx, of, StoreTask::DeadLetters)?;
    for (store, found) in &stores {
        let letters: Vec<_> = found["letters"].as_array().into_iter().flatten().collect();
        let parked = found["parked"].as_u64().unwrap_or_default();
        if parked == 0 {
            cx.printer().result(&format!("{store}: nothing is parked"));
            continue;
        }
        cx.printer().result(&format!("{store}: {parked} parked"));
        for letter in &letters {
            show_letter(cx, letter);
        }
        let more = parked.saturating_sub(letters.len() as u64);
        if more > 0 {
            cx.printer().result(&format!("  and {more} more"));
        }
    }
    done(cx, stores)
}

fn show_letter(cx: &Context, letter: &Value) {
    let text = |field: &str| letter[field].as_str().unwrap_or_default();
    let why = if letter["held"] == true {
        "held".to_owned()
    } else {
        format!("{} tries: {}", letter["tries"], text("reason"))
    };
    cx.printer().result(&format!(
        "  {:>8}  {}  {}  {}  {why}",
        letter["position"].as_u64().unwrap_or_default(),
        text("projection"),
        text("event"),
        text("key"),
    ));
}

pub(super) fn retry(cx: &Context, of: &Of, projection: Option<String>) -> Result<(), CliError> {
    let stores = ask(cx, of, StoreTask::Retry { projection })?;
    for (store, retried) in &stores {
        for (projection, retried) in retried["projections"].as_object().into_iter().flatten() {
            cx.printer().result(&format!(
                "{store}: `{projection}` took {} in, {} still parked",
                retried["taken"], retried["parked"]
            ));
        }
    }
    done(cx, stores)
}

pub(super) fn discard(
    cx: &Context,
    of: &Of,
    projection: &str,
    position: u64,
) -> Result<(), CliError> {
    let discard = StoreTask::Discard {
        projection: projection.to_owned(),
        position,
    };
    let stores = ask(cx, of, discard)?;
    for (store, discarded) in &stores {
        let mut line = format!("{store}: `{projection}` goes on without event {position}");
        for (field, what) in [
            ("taken", "held behind it taken in"),
            ("parked", "still parked"),
        ] {
            let number = discarded[field].as_u64().unwrap_or_default();
            if number > 0 {
                line.push_str(&format!(", {number} {what}"));
            }
        }
        cx.printer().result(&line);
    }
    done(cx, stores)
}

/// How far the projections are, a line for each.
pub(super) fn show_positions(cx: &Context, stats: &Value) {
    for (projection, about) in stats["projections"].as_object().into_iter().flatten() {
        let number = |field: &str| about[field].as_u64().unwrap_or_default();
        let mut line = format!("  {:>8}  is where `{projection}` is", number("position"));
        if number("parked") > 0 {
            line.push_str(&format!(", {} parked", number("parked")));
        }
        let rebuild = &about["rebuild"];
        if let Some(percent) = rebuild["percent"].as_u64() {
            line.push_str(&match rebuild["stopped"].as_str() {
                None => format!(
                    ", rebuilding: {percent} %, {} events a second",
                    rebuild["events_per_second"]
                ),
                Some(why) => format!(", rebuilding stopped at {percent} %: {why}"),
            });
        }
        cx.printer().result(&line);
    }
}
