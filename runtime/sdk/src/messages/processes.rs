//! Instances of process managers: one input in, state and effects out, in one transaction.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction};
use uuid::Uuid;

use super::sender::{Outgoing, What, enqueue};
use crate::aggregate::named_id;
use crate::api::chain;
use crate::integration::{Effect, Lineage, ProcessCx, ProcessSpec, RawInput};

/// What an instance takes in.
pub(super) struct Taking<'a> {
    pub(super) instance: &'a str,
    pub(super) input: RawInput<'a>,
    /// When it happened.
    pub(super) now: Timestamp,
    /// Id of the message that it is.
    pub(super) cause: Uuid,
    pub(super) correlation: Option<Uuid>,
}

/// What came of an input.
pub(super) enum Taken {
    /// It was taken in; whether timers were set and something is to be sent.
    In { timers: bool, outgoing: bool },
    /// There is no such instance any more, so there is nobody to tell.
    Nobody,
    /// The process manager failed, with its reason. Nothing was written.
    Failed(String),
}

/// Lets an instance of `spec` take one input in. Only an event begins an instance.
pub(super) fn take(
    transaction: &Transaction<'_>,
    spec: &ProcessSpec,
    taking: &Taking<'_>,
) -> rusqlite::Result<Taken> {
    let known: Option<(Vec<u8>, i64)> = transaction
        .prepare_cached("SELECT state, step FROM process WHERE name = ?1 AND instance = ?2")?
        .query_row((spec.name, taking.instance), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    if known.is_none() && !matches!(taking.input, RawInput::Event(_)) {
        return Ok(Taken::Nobody);
    }
    let step = known.as_ref().map_or(0, |(_, step)| *step) + 1;
    let cx = ProcessCx {
        instance: taking.instance.to_owned(),
        now: taking.now,
        cause: taking.cause,
    };
    let state = known.as_ref().map(|(state, _)| state.as_slice());
    let react = || (spec.react)(state, taking.input, &cx);
    let reaction = match catch_unwind(AssertUnwindSafe(react)) {
        Ok(Ok(reaction)) => reaction,
        Ok(Err(error)) => return Ok(Taken::Failed(chain(&error))),
        Err(_) => return Ok(Taken::Failed("it panicked".to_owned())),
    };
    let mut effects = Effects {
        transaction,
        spec,
        taking,
        step,
        timers: false,
        outgoing: false,
    };
    let ends = effects.carry_out(reaction.effects)?;
    let (timers, outgoing) = (effects.timers, effects.outgoing);
    if ends {
        for sql in [
            "DELETE FROM process WHERE name = ?1 AND instance = ?2",
            "DELETE FROM timer WHERE process = ?1 AND instance = ?2",
        ] {
            transaction
                .prepare_cached(sql)?
                .execute((spec.name, taking.instance))?;
        }
    } else {
        let sql = "INSERT INTO process (name, instance, state, step) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT DO UPDATE SET state = excluded.state, step = excluded.step";
        let row = (spec.name, taking.instance, reaction.state, step);
        transaction.prepare_cached(sql)?.execute(row)?;
    }
    Ok(Taken::In { timers, outgoing })
}

struct Effects<'a> {
    transaction: &'a Transaction<'a>,
    spec: &'a ProcessSpec,
    taking: &'a Taking<'a>,
    step: i64,
    timers: bool,
    outgoing: bool,
}

impl Effects<'_> {
    /// Writes what is to be done; says whether the instance ends.
    fn carry_out(&mut self, effects: Vec<Effect>) -> rusqlite::Result<bool> {
        let mut ends = false;
        for (nth, effect) in effects.into_iter().enumerate() {
            match effect {
                Effect::Dispatch(command) => {
                    // The commands of an instance keep their order.
                    let lane = format!("{}/{}", self.spec.name, self.taking.instance);
                    self.send(nth, Some(lane), What::Command(command))?;
                }
                Effect::Ask { hope, data, within } => {
                    let until = self
                        .taking
                        .now
                        .saturating_add(within)
                        .unwrap_or(Timestamp::MAX);
                    let what = What::Hope {
                        name: hope.to_owned(),
                        data,
                        until: until.as_microsecond(),
                    };
                    self.send(nth, None, what)?;
                }
                Effect::Schedule { timer, at } => {
                    self.timers = true;
                    let sql = "INSERT INTO timer (process, instance, name, due_at, try_at) VALUES (?1, ?2, ?3, ?4, ?4) \
                               ON CONFLICT DO UPDATE SET due_at = excluded.due_at, try_at = excluded.try_at";
                    let row = (
                        self.spec.name,
                        self.taking.instance,
                        &*timer,
                        at.as_microsecond(),
                    );
                    self.transaction.prepare_cached(sql)?.execute(row)?;
                }
                Effect::Cancel { timer } => {
                    let sql =
                        "DELETE FROM timer WHERE process = ?1 AND instance = ?2 AND name = ?3";
                    let row = (self.spec.name, self.taking.instance, &*timer);
                    self.transaction.prepare_cached(sql)?.execute(row)?;
                }
                Effect::End => ends = true,
            }
        }
        Ok(ends)
    }

    fn send(&mut self, nth: usize, lane: Option<String>, what: What) -> rusqlite::Result<()> {
        self.outgoing = true;
        let (name, taking, step) = (self.spec.name, self.taking, self.step);
        // Handled again, from a backup for instance, the same input leads to the same commands.
        let named = format!("{name} {} {} {step} {nth}", taking.instance, taking.cause);
        let id = named_id(Some(taking.cause), named.as_bytes());
        let outgoing = Outgoing {
            id,
            lane: lane.unwrap_or_else(|| id.to_string()),
            process: Some((name.to_owned(), taking.instance.to_owned())),
            what,
            lineage: Lineage {
                correlation: taking.correlation.or(Some(taking.cause)),
                causation: Some(taking.cause),
            },
        };
        enqueue(self.transaction, &outgoing)
    }
}
