//! Emitters and process managers take the events of a division in, each event once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction};
use tracing::Instrument;

use super::processes::{Taken, Taking, take};
use super::{MessagesError, Open, Shared, outbox};
use crate::api::chain;
use crate::division::Division;
use crate::integration::{EmitterSpec, ProcessSpec, RawInput, Since};
use crate::store::{EventStore, Position, Query, ReadError, RecordedEvent};

/// Most events in one transaction.
const BATCH: usize = 256;
/// How long to wait when the database or the store cannot be used.
const PAUSE: Duration = Duration::from_secs(1);

/// One who follows.
#[derive(Clone, Copy)]
enum Follower<'a> {
    Emitter(&'a EmitterSpec),
    Process(&'a ProcessSpec),
}

/// What a transaction led to outside of the database.
#[derive(Default)]
struct Outcome {
    outbox: Option<u64>,
    told: Vec<&'static str>,
    timers: bool,
    outgoing: bool,
    parked: u64,
}

impl Follower<'_> {
    fn name(self) -> String {
        match self {
            Self::Emitter(spec) => format!("emitter {}", spec.name),
            Self::Process(spec) => format!("process manager {}", spec.name),
        }
    }

    const fn since(self) -> Since {
        match self {
            // What others can hear is whole.
            Self::Emitter(_) => Since::Beginning,
            Self::Process(spec) => spec.since,
        }
    }

    /// What keeps events in order: an instance, a stream.
    fn key(self, event: &RecordedEvent) -> Result<Option<String>, String> {
        match self {
            Self::Emitter(_) => Ok(Some(event.stream.as_str().to_owned())),
            Self::Process(spec) => match catch_unwind(AssertUnwindSafe(|| (spec.correlate)(event)))
            {
                Ok(Ok(instance)) => Ok(instance),
                Ok(Err(error)) => Err(chain(&error)),
                Err(_) => Err("it panicked".to_owned()),
            },
        }
    }

    /// Takes one event in; the reason if it cannot.
    fn take(
        self,
        transaction: &Transaction<'_>,
        key: &str,
        event: &RecordedEvent,
        outcome: &mut Outcome,
    ) -> rusqlite::Result<Result<(), String>> {
        match self {
            Self::Emitter(spec) => match catch_unwind(AssertUnwindSafe(|| (spec.tell)(event))) {
                Ok(Ok(Some(data))) => {
                    outcome.outbox = Some(outbox::tell(transaction, spec, event, &data)?);
                    outcome.told.push(spec.topic);
                    Ok(Ok(()))
                }
                Ok(Ok(None)) => Ok(Ok(())),
                Ok(Err(error)) => Ok(Err(chain(&error))),
                Err(_) => Ok(Err("it panicked".to_owned())),
            },
            Self::Process(spec) => {
                let taking = Taking {
                    instance: key,
                    input: RawInput::Event(event),
                    now: Timestamp::from_microsecond(event.recorded_at)
                        .unwrap_or(Timestamp::UNIX_EPOCH),
                    cause: event.event_id,
                    correlation: event.metadata.correlation_id,
                };
                match take(transaction, spec, &taking)? {
                    Taken::In { timers, outgoing } => {
                        outcome.timers |= timers;
                        outcome.outgoing |= outgoing;
                        Ok(Ok(()))
                    }
                    Taken::Nobody => Ok(Ok(())),
                    Taken::Failed(reason) => Ok(Err(reason)),
                }
            }
        }
    }
}

fn followers<'a>(shared: &'a Shared, division: &str) -> Vec<Follower<'a>> {
    let integrations = &shared.integrations;
    let emitters = integrations
        .emitters
        .iter()
        .filter(|spec| spec.division == division);
    let processes = integrations
        .processes
        .iter()
        .filter(|spec| spec.division == division);
    emitters
        .map(Follower::Emitter)
        .chain(processes.map(Follower::Process))
        .collect()
}

/// Whether anybody follows `division`.
pub(super) fn follows(shared: &Shared, division: &Division) -> bool {
    !followers(shared, division.name()).is_empty()
}

/// All followers, with the divisions that they follow.
pub(super) fn names(shared: &Shared) -> impl Iterator<Item = (String, &'static str)> {
    let emitters = shared
        .integrations
        .emitters
        .iter()
        .map(|spec| (Follower::Emitter(spec).name(), spec.division));
    let processes = shared
        .integrations
        .processes
        .iter()
        .map(|spec| (Follower::Process(spec).name(), spec.division));
    emitters.chain(processes)
}

/// Where a follower is; `None` if it has never followed.
pub(super) fn position(connection: &Connection, name: &str) -> rusqlite::Result<Option<u64>> {
    let position: Option<i64> = connection
        .prepare_cached("SELECT position FROM follower WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    Ok(position.map(i64::cast_unsigned))
}

fn save(transaction: &Transaction<'_>, name: &str, position: u64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO follower (name, position) VALUES (?1, ?2) \
               ON CONFLICT DO UPDATE SET position = excluded.position";
    transaction
        .prepare_cached(sql)?
        .execute((name, position.cast_signed()))?;
    Ok(())
}

/// Follows `division` until the stores close.
pub(super) async fn follow(shared: Arc<Shared>, open: Arc<Open>, division: Division) {
    let Ok(store) = division.store().get() else {
        return;
    };
    let what = format!("what follows `{}`", division.name());
    let run = async {
        let mut reached = None;
        let mut head = store.head();
        loop {
            let outcome = match reached {
                None => begin(&shared, &open, &division, store.as_ref())
                    .await
                    .map(|at| {
                        reached = Some(at);
                        open.beginning.fetch_sub(1, Ordering::SeqCst);
                    }),
                Some(at) => {
                    let last = head.borrow_and_update().map_or(0, Position::get);
                    if last <= at {
                        if head.changed().await.is_err() {
                            return;
                        }
                        continue;
                    }
                    step(&shared, &open, &division, store.as_ref(), at)
                        .await
                        .map(|at| reached = Some(at))
                }
            };
            match outcome {
                Ok(()) => open.trouble(&what, None),
                Err(
                    FollowError::Messages(MessagesError::Fenced)
                    | FollowError::Read(ReadError::Fenced),
                ) => return,
                Err(error) => {
                    let reason = chain(&error);
                    tracing::error!(
                        division = division.name(),
                        error = reason,
                        "events cannot be followed; trying again"
                    );
                    open.trouble(&what, Some(reason));
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        () = open.stopping() => {}
        () = run => {}
    }
}

#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error(transparent)]
    Messages(#[from] MessagesError),
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Says where each follower begins, and tries once more what could not be taken in. Gives the least position.
async fn begin(
    shared: &Arc<Shared>,
    open: &Arc<Open>,
    division: &Division,
    store: &dyn EventStore,
) -> Result<u64, FollowError> {
    let head = store.head().borrow().map_or(0, Position::get);
    let (name, within) = (division.name(), shared.clone());
    let start = move |transaction: &Transaction<'_>| {
        let (mut least, mut parked) = (u64::MAX, Vec::new());
        for follower in followers(&within, name) {
            let who = follower.name();
            let at = match position(transaction, &who)? {
                Some(at) => at,
                None => {
                    let at = if follower.since() == Since::Now {
                        head
                    } else {
                        0
                    };
                    save(transaction, &who, at)?;
                    at
                }
            };
            least = least.min(at);
            let mut rows = transaction.prepare_cached(
                "SELECT key, position FROM parked WHERE follower = ?1 ORDER BY key, position",
            )?;
            let rows = rows.query_map([&who], |row| {
                Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
            })?;
            parked.push((
                who.clone(),
                rows.collect::<rusqlite::Result<Vec<(String, u64)>>>()?,
            ));
        }
        Ok((least, parked))
    };
    let (least, parked) = open.database.write(start).await?;
    for (who, letters) in parked {
        again(shared, open, division, store, &who, letters).await?;
    }
    say_parked(shared, open, division).await?;
    Ok(least)
}

/// Tells the plugin's health how many events wait, and for what.
async fn say_parked(
    shared: &Arc<Shared>,
    open: &Arc<Open>,
    division: &Division,
) -> Result<(), MessagesError> {
    let names: Vec<_> = followers(shared, division.name())
        .into_iter()
        .map(Follower::name)
        .collect();
    for who in names {
        let name = who.clone();
        let sql = "SELECT count(*), min(position), reason FROM parked WHERE follower = ?1";
        let parked = open.database.read(move |connection| {
            connection.query_row(sql, [&name], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, Option<i64>>(1)?,
                    row.get::<_, Option<String>>(2)?,
                ))
            })
        });
        let (count, first, reason) = parked.await?;
        let trouble = first.zip(reason).map(|(first, reason)| {
            format!("{count} events are parked, the first at {first}: {reason}")
        });
        open.trouble(&who, trouble);
    }
    Ok(())
}

/// Tries the parked events of one follower once more, in order; a key whose event fails again stays as it is.
async fn again(
    shared: &Arc<Shared>,
    open: &Arc<Open>,
    division: &Division,
    store: &dyn EventStore,
    who: &str,
    letters: Vec<(String, u64)>,
) -> Result<(), FollowError> {
    let mut stuck: Option<String> = None;
    for (key, at) in letters {
        if stuck.as_ref() == Some(&key) {
            continue;
        }
        let page = store
            .read_all(Position::new(at - 1), Query::all(), 1)
            .await?;
        let Some(event) = page
            .events
            .into_iter()
            .next()
            .filter(|event| event.position.get() == at)
        else {
            continue;
        };
        let (within, who, name, of) =
            (shared.clone(), who.to_owned(), division.name(), key.clone());
        let retry = move |transaction: &Transaction<'_>| {
            let mut outcome = Outcome::default();
            let Some(follower) = followers(&within, name)
                .into_iter()
                .find(|follower| follower.name() == who)
            else {
                return Ok((outcome, true));
            };
            let taken = match follower.key(&event) {
                Ok(Some(instance)) => {
                    follower.take(transaction, &instance, &event, &mut outcome)?
                }
                Ok(None) => Ok(()),
                Err(reason) => Err(reason),
            };
            let row = (&who, &of, at.cast_signed());
            match &taken {
                Ok(()) => transaction
                    .execute("DELETE FROM parked WHERE follower = ?1 AND key = ?2 AND position = ?3", row)?,
                Err(_) => transaction.execute(
                    "UPDATE parked SET tries = tries + 1 WHERE follower = ?1 AND key = ?2 AND position = ?3",
                    row,
                )?,
            };
            Ok((outcome, taken.is_ok()))
        };
        let (outcome, taken) = open.database.write(retry).await?;
        tell(open, &outcome);
        if !taken {
            stuck = Some(key);
        }
    }
    Ok(())
}

/// Takes the next events in. Gives the place behind them.
async fn step(
    shared: &Arc<Shared>,
    open: &Arc<Open>,
    division: &Division,
    store: &dyn EventStore,
    after: u64,
) -> Result<u64, FollowError> {
    let page = store
        .read_all(Position::new(after), Query::all(), BATCH)
        .await?;
    let Some(scanned_to) = page.scanned_to.map(Position::get) else {
        return Ok(after);
    };
    let (within, name) = (shared.clone(), division.name());
    let count = page.events.len();
    let span = tracing::debug_span!("tell", division = name, events = count);
    let outcome = open
        .database
        .write(move |transaction| {
            let mut outcome = Outcome::default();
            for follower in followers(&within, name) {
                take_page(
                    transaction,
                    follower,
                    &page.events,
                    scanned_to,
                    &mut outcome,
                )?;
            }
            Ok(outcome)
        })
        .instrument(span)
        .await?;
    tell(open, &outcome);
    if outcome.parked > 0 {
        shared.telemetry.parked(outcome.parked);
        say_parked(shared, open, division).await?;
    }
    for topic in outcome.told {
        shared.telemetry.told(topic);
    }
    Ok(scanned_to)
}

fn take_page(
    transaction: &Transaction<'_>,
    follower: Follower<'_>,
    events: &[RecordedEvent],
    scanned_to: u64,
    outcome: &mut Outcome,
) -> rusqlite::Result<()> {
    let who = follower.name();
    let at = position(transaction, &who)?.unwrap_or_default();
    if at >= scanned_to {
        return Ok(());
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM parked WHERE follower = ?1)";
    let mut any_parked: bool = transaction
        .prepare_cached(sql)?
        .query_row([&who], |row| row.get(0))?;
    for event in events.iter().filter(|event| event.position.get() > at) {
        let (key, failure) = match follower.key(event) {
            Ok(None) => continue,
            Ok(Some(key)) => {
                if any_parked && is_parked(transaction, &who, &key)? {
                    (key, Some("an earlier event of it waits".to_owned()))
                } else {
                    let taken = follower.take(transaction, &key, event, outcome)?;
                    (key, taken.err())
                }
            }
            // What it is about cannot be told: its stream waits.
            Err(reason) => (event.stream.as_str().to_owned(), Some(reason)),
        };
        let Some(reason) = failure else {
            continue;
        };
        any_parked = true;
        outcome.parked += 1;
        let (position, kind) = (event.position.get(), event.versioned_type());
        tracing::error!(
            follower = who,
            key,
            position,
            event = kind,
            reason,
            "an event is parked"
        );
        transaction
            .prepare_cached(
                "INSERT INTO parked (follower, key, position, reason, tries) VALUES (?1, ?2, ?3, ?4, 1) ON CONFLICT DO NOTHING",
            )?
            .execute((&who, &key, position.cast_signed(), &reason))?;
    }
    save(transaction, &who, scanned_to)
}

fn is_parked(transaction: &Transaction<'_>, who: &str, key: &str) -> rusqlite::Result<bool> {
    transaction
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM parked WHERE follower = ?1 AND key = ?2)")?
        .query_row((who, key), |row| row.get(0))
}

/// Wakes up who waits for what was written.
fn tell(open: &Open, outcome: &Outcome) {
    if let Some(end) = outcome.outbox {
        open.outbox.send_replace(end);
    }
    if outcome.timers {
        open.timers.notify_one();
    }
    if outcome.outgoing {
        open.outgoing.notify_one();
    }
}
