//! Facts of other plugins, taken in: each once, in the order of its topic, with the commands that follow from it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use hecate_manifest::exchange::{Delivered, Delivery, Fact};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction};
use tracing::Instrument;
use uuid::Uuid;

use super::sender::{Outgoing, What, enqueue};
use super::{DeliverError, Shared};
use crate::aggregate::named_id;
use crate::api::chain;
use crate::integration::{Dispatch, Heard, Lineage, ListenerSpec, Since};

/// A fact that was read out of its envelope.
struct Arrived {
    fact: Fact,
    heard: Heard,
    correlation: Option<Uuid>,
}

/// Takes `delivery` in, all of it in one transaction, and says where the emitter should go on.
pub(super) async fn deliver(
    shared: &Arc<Shared>,
    delivery: Delivery,
) -> Result<Delivered, DeliverError> {
    let open = shared.open()?;
    let nth = shared
        .integrations
        .listeners
        .iter()
        .position(|listener| listener.name == delivery.listener)
        .ok_or_else(|| DeliverError::Unknown(delivery.listener.clone()))?;
    let (listener, emitter) = (delivery.listener.clone(), delivery.emitter.clone());
    let (outbox, head, scanned_to) = (delivery.outbox, delivery.head, delivery.scanned_to);
    let facts = delivery
        .facts
        .into_iter()
        .map(|fact| arrived(fact, &emitter))
        .collect::<Result<Vec<_>, _>>()?;
    let from = shared.clone();
    let count = facts.len();
    let span = tracing::debug_span!("hear", %listener, %emitter, facts = count);
    let taken = open
        .database
        .write(move |transaction| {
            let spec = &from.integrations.listeners[nth];
            let mut inbox = Inbox::open(transaction, spec, &emitter, &outbox, head)?;
            let Some(scanned_to) = scanned_to else {
                return Ok((inbox.position, 0, 0));
            };
            let whole = inbox.take_all(facts)?;
            let after = if whole {
                scanned_to.max(inbox.position)
            } else {
                inbox.position
            };
            inbox.save(after)?;
            Ok((after, inbox.taken, inbox.unread))
        })
        .instrument(span)
        .await;
    let (after, taken, unread) = taken?;
    shared.telemetry.heard(&listener, taken, unread);
    if taken > 0 {
        open.outgoing.notify_one();
    }
    Ok(Delivered { after })
}

/// Tries facts that could not be taken in once more: this version of the plugin may know better.
pub(super) fn again(transaction: &Transaction<'_>, spec: &ListenerSpec) -> rusqlite::Result<u64> {
    let mut kept = transaction
        .prepare("SELECT number, emitter, fact FROM unread WHERE listener = ?1 ORDER BY number")?;
    let mut kept = kept.query([spec.name])?;
    let mut taken = 0;
    while let Some(row) = kept.next()? {
        let (number, emitter): (i64, String) = (row.get(0)?, row.get(1)?);
        let fact: Option<Fact> = serde_json::from_slice(row.get_ref(2)?.as_blob()?).ok();
        let Some(Ok(Arrived {
            fact,
            heard,
            correlation,
        })) = fact.map(|fact| arrived(fact, &emitter))
        else {
            continue;
        };
        let again = || (spec.on_fact)(fact.data, &heard);
        let Ok(Ok(commands)) = catch_unwind(AssertUnwindSafe(again)) else {
            continue;
        };
        for (nth, command) in commands.into_iter().enumerate() {
            dispatch(transaction, spec, &heard, correlation, nth, command)?;
        }
        transaction.execute("DELETE FROM unread WHERE number = ?1", [number])?;
        taken += 1;
    }
    Ok(taken)
}

/// Puts a command that follows from a fact among those that are to be carried out.
fn dispatch(
    transaction: &Transaction<'_>,
    spec: &ListenerSpec,
    heard: &Heard,
    correlation: Option<Uuid>,
    nth: usize,
    command: Dispatch,
) -> rusqlite::Result<()> {
    let id = named_id(
        Some(heard.id),
        format!("{} {} {nth}", spec.name, heard.id).as_bytes(),
    );
    // What concerns one thing keeps its order; what is new does not wait.
    let lane = match &command.id {
        Some(thing) => format!("{}/{thing}", command.division),
        None => id.to_string(),
    };
    let outgoing = Outgoing {
        id,
        lane,
        process: None,
        what: What::Command(command),
        lineage: Lineage {
            correlation: correlation.or(Some(heard.id)),
            causation: Some(heard.id),
        },
    };
    enqueue(transaction, &outgoing)
}

fn arrived(fact: Fact, emitter: &str) -> Result<Arrived, DeliverError> {
    let wrong = |reason: String| DeliverError::NotAFact {
        emitter: emitter.to_owned(),
        position: fact.position,
        reason,
    };
    let id = Uuid::parse_str(&fact.id).map_err(|error| wrong(format!("its id: {error}")))?;
    let correlation = fact
        .correlation_id
        .as_deref()
        .map(Uuid::parse_str)
        .transpose();
    let heard = Heard {
        id,
        emitter: emitter.to_owned(),
        topic: fact.topic.clone(),
        revision: fact.revision,
        sequence: fact.sequence,
        occurred_at: Timestamp::from_microsecond(fact.occurred_at)
            .map_err(|error| wrong(format!("its time: {error}")))?,
    };
    Ok(Arrived {
        correlation: correlation.map_err(|error| wrong(format!("its correlation: {error}")))?,
        heard,
        fact,
    })
}

/// How far one listener has heard one emitter, in the transaction that takes more in.
struct Inbox<'t> {
    transaction: &'t Transaction<'t>,
    spec: &'t ListenerSpec,
    emitter: &'t str,
    outbox: &'t str,
    /// What it hears begins behind this place.
    base: u64,
    position: u64,
    taken: u64,
    unread: u64,
}

impl<'t> Inbox<'t> {
    fn open(
        transaction: &'t Transaction<'t>,
        spec: &'t ListenerSpec,
        emitter: &'t str,
        outbox: &'t str,
        head: u64,
    ) -> rusqlite::Result<Self> {
        let sql =
            "SELECT base, position, filter, outbox FROM inbox WHERE listener = ?1 AND emitter = ?2";
        let known: Option<(i64, i64, String, String)> = transaction
            .prepare_cached(sql)?
            .query_row((spec.name, emitter), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .optional()?;
        let (base, position) = match known {
            Some((_, _, _, known)) if known != outbox => {
                // The emitter's data were removed: its places and numbers begin anew, and mean other facts.
                let sql = "DELETE FROM heard WHERE listener = ?1 AND emitter = ?2";
                transaction.execute(sql, (spec.name, emitter))?;
                (0, 0)
            }
            Some((base, position, filter, _)) if filter == spec.filter => (base, position),
            // Topics that were not meant before begin where it is now.
            Some((_, position, _, _)) => (position, position),
            None => match spec.since {
                Since::Beginning => (0, 0),
                Since::Now => (head.cast_signed(), head.cast_signed()),
            },
        };
        let mut inbox = Self {
            transaction,
            spec,
            emitter,
            outbox,
            base: base.cast_unsigned(),
            position: position.cast_unsigned(),
            taken: 0,
            unread: 0,
        };
        let position = inbox.position;
        inbox.save(position)?;
        Ok(inbox)
    }

    fn save(&mut self, position: u64) -> rusqlite::Result<()> {
        self.position = position;
        let sql = "INSERT INTO inbox (listener, emitter, filter, outbox, base, position) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                   ON CONFLICT DO UPDATE SET filter = excluded.filter, outbox = excluded.outbox, \
                   base = excluded.base, position = excluded.position";
        let row = (
            self.spec.name,
            self.emitter,
            self.spec.filter,
            self.outbox,
            self.base.cast_signed(),
            position.cast_signed(),
        );
        self.transaction.prepare_cached(sql)?.execute(row)?;
        Ok(())
    }

    /// Takes the facts in up to the first hole; says whether there was none.
    fn take_all(&mut self, facts: Vec<Arrived>) -> rusqlite::Result<bool> {
        for arrived in facts {
            if arrived.fact.position <= self.position {
                continue;
            }
            let known = self.sequence(&arrived.heard.topic)?;
            let is_next = match known {
                Some(known) if arrived.heard.sequence <= known => {
                    self.position = arrived.fact.position;
                    continue;
                }
                Some(known) => arrived.heard.sequence == known + 1,
                None => self.base > 0 || arrived.heard.sequence == 1,
            };
            if !is_next {
                let heard = &arrived.heard;
                tracing::warn!(
                    listener = self.spec.name,
                    emitter = self.emitter,
                    topic = heard.topic,
                    sequence = heard.sequence,
                    after = known,
                    "facts are missing on the way: asking for them again"
                );
                return Ok(false);
            }
            self.take(arrived)?;
        }
        Ok(true)
    }

    fn take(&mut self, arrived: Arrived) -> rusqlite::Result<()> {
        let Arrived {
            fact,
            heard,
            correlation,
        } = arrived;
        let (spec, data) = (self.spec, fact.data.clone());
        let outcome = catch_unwind(AssertUnwindSafe(|| (spec.on_fact)(data, &heard)));
        let commands = match outcome {
            Ok(Ok(commands)) => commands,
            Ok(Err(error)) => {
                self.keep_unread(&fact, &chain(&error))?;
                Vec::new()
            }
            Err(_) => {
                self.keep_unread(&fact, "the listener panicked")?;
                Vec::new()
            }
        };
        for (nth, command) in commands.into_iter().enumerate() {
            dispatch(self.transaction, spec, &heard, correlation, nth, command)?;
        }
        let sql = "INSERT INTO heard (listener, emitter, topic, sequence) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT DO UPDATE SET sequence = excluded.sequence";
        let row = (
            spec.name,
            self.emitter,
            &heard.topic,
            heard.sequence.cast_signed(),
        );
        self.transaction.prepare_cached(sql)?.execute(row)?;
        self.position = fact.position;
        self.taken += 1;
        Ok(())
    }

    fn keep_unread(&mut self, fact: &Fact, reason: &str) -> rusqlite::Result<()> {
        let (listener, topic, id) = (self.spec.name, &fact.topic, &fact.id);
        tracing::error!(
            listener,
            topic,
            fact = id,
            reason,
            "a fact cannot be taken in: it is kept aside"
        );
        self.unread += 1;
        let text = serde_json::to_vec(fact).unwrap_or_default();
        self.transaction
            .prepare_cached(
                "INSERT INTO unread (listener, emitter, fact, reason) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((listener, self.emitter, text, reason))?;
        Ok(())
    }

    fn sequence(&self, topic: &str) -> rusqlite::Result<Option<u64>> {
        let sql = "SELECT sequence FROM heard WHERE listener = ?1 AND emitter = ?2 AND topic = ?3";
        let known: Option<i64> = self
            .transaction
            .prepare_cached(sql)?
            .query_row((self.spec.name, self.emitter, topic), |row| row.get(0))
            .optional()?;
        Ok(known.map(i64::cast_unsigned))
    }
}
