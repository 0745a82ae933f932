//! Commands and hopes that are still to be sent: each once, in the order of its lane, however often it takes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use hecate_manifest::exchange::Outcome;
use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use super::processes::{Taken, Taking, take};
use super::{MessagesError, Open, Shared};
use crate::api::chain;
use crate::division::Consistency;
use crate::fault;
use crate::integration::{Answered, Ask, AskError, Dispatch, Lineage, RawInput, carry_out};

/// Lanes that are worked on at any moment.
const LANES: usize = 64;
/// Messages that are looked at together.
const PAGE: usize = 256;
/// Between two tries at a message that could not be sent: from this, doubled each time,
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A message to be sent.
pub(super) struct Outgoing {
    pub(super) id: Uuid,
    /// Those of one lane go one after the other.
    pub(super) lane: String,
    /// The process manager and the instance that hear what came of it.
    pub(super) process: Option<(String, String)>,
    pub(super) what: What,
    pub(super) lineage: Lineage,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    Command(Dispatch),
    Hope {
        name: String,
        data: Value,
        /// Microseconds since 1970-01-01 UTC.
        until: i64,
    },
}

/// How it is kept.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Kept {
    Command {
        division: String,
        command: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        body: Value,
    },
    Hope {
        name: String,
        data: Value,
        until: i64,
    },
}

impl From<&What> for Kept {
    fn from(what: &What) -> Self {
        match what.clone() {
            What::Command(dispatch) => Self::Command {
                division: dispatch.division,
                command: dispatch.command,
                id: dispatch.id,
                body: dispatch.body,
            },
            What::Hope { name, data, until } => Self::Hope { name, data, until },
        }
    }
}

impl From<Kept> for What {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Command {
                division,
                command,
                id,
                body,
            } => Self::Command(Dispatch {
                division,
                command,
                id,
                body,
            }),
            Kept::Hope { name, data, until } => Self::Hope { name, data, until },
        }
    }
}

/// Puts a message among those that are to be sent. One that is there already stays as it is.
pub(super) fn enqueue(transaction: &Transaction<'_>, outgoing: &Outgoing) -> rusqlite::Result<()> {
    let what = serde_json::to_vec(&Kept::from(&outgoing.what))
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let (process, instance) = outgoing.process.clone().unzip();
    let sql = "INSERT INTO outgoing (id, lane, process, instance, what, correlation, causation) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
    transaction.prepare_cached(sql)?.execute((
        outgoing.id.as_bytes(),
        &outgoing.lane,
        process,
        instance,
        what,
        outgoing.lineage.correlation.map(Uuid::into_bytes),
        outgoing.lineage.causation.map(Uuid::into_bytes),
    ))?;
    Ok(())
}

/// A message with its place in the queue.
type Numbered = (i64, Outgoing);

/// What came of sending one.
enum Sent {
    /// It has had its effect.
    Done,
    /// The answer is no, for ever.
    Rejected {
        command: String,
        code: String,
        message: String,
    },
    /// A hope has come to its end.
    Answered(Answered),
    /// It could not be sent now.
    Later(String),
}

impl Sent {
    const fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Rejected { .. } => "rejected",
            Self::Answered(_) => "answered",
            Self::Later(_) => "later",
        }
    }
}

/// A lane that waits before it is tried again.
struct Blocked {
    until: Instant,
    pause: Duration,
}

/// Sends until the stores close.
pub(super) async fn send(shared: Arc<Shared>, open: Arc<Open>) {
    let mut lanes: JoinSet<Vec<(Numbered, Sent)>> = JoinSet::new();
    let mut busy: Vec<String> = Vec::new();
    let mut blocked: HashMap<String, Blocked> = HashMap::new();
    let work = async {
        loop {
            let now = Instant::now();
            let passive: Vec<String> = blocked
                .iter()
                .filter(|(_, blocked)| blocked.until > now)
                .map(|(lane, _)| lane.clone())
                .chain(busy.iter().cloned())
                .collect();
            if lanes.len() < LANES {
                let room = LANES - lanes.len();
                let next = open
                    .database
                    .read(move |connection| next(connection, &passive))
                    .await;
                match next {
                    Ok(next) => {
                        for (lane, messages) in by_lane(next).into_iter().take(room) {
                            busy.push(lane);
                            lanes.spawn(work_off(shared.clone(), messages));
                        }
                    }
                    Err(MessagesError::Fenced) => return,
                    Err(error) => {
                        open.trouble("sending", Some(chain(&error)));
                        tokio::time::sleep(FIRST_PAUSE).await;
                    }
                }
            }
            let again = blocked
                .values()
                .map(|blocked| blocked.until)
                .filter(|until| *until > now)
                .min();
            tokio::select! {
                Some(first) = lanes.join_next() => {
                    let mut all = vec![first];
                    while let Some(next) = lanes.try_join_next() {
                        all.push(next);
                    }
                    // A task that panicked has sent nothing that was answered: it is tried again from the database.
                    let sent: Vec<_> = all.into_iter().flatten().flatten().collect();
                    busy.retain(|lane| !sent.iter().any(|((_, message), _)| message.lane == *lane));
                    if lanes.is_empty() {
                        busy.clear();
                    }
                    if keep(&shared, &open, sent, &mut blocked).await.is_err() {
                        return;
                    }
                }
                () = open.outgoing.notified() => {}
                () = until(again) => {}
            }
        }
    };
    tokio::select! {
        () = open.stopping() => {}
        () = work => {}
    }
    // What is being appended finishes by itself, and is answered again when it is sent again.
    lanes.shutdown().await;
}

async fn until(again: Option<Instant>) {
    match again {
        Some(again) => tokio::time::sleep_until(again).await,
        None => std::future::pending().await,
    }
}

/// The first messages whose lanes are free.
fn next(connection: &Connection, passive: &[String]) -> rusqlite::Result<Vec<Numbered>> {
    let passive = serde_json::to_string(passive).unwrap_or_default();
    let sql = "SELECT number, id, lane, process, instance, what, correlation, causation FROM outgoing \
               WHERE lane NOT IN (SELECT value FROM json_each(?1)) ORDER BY number LIMIT ?2";
    connection
        .prepare_cached(sql)?
        .query_map((passive, PAGE as i64), message)?
        .collect()
}

fn message(row: &Row<'_>) -> rusqlite::Result<Numbered> {
    let id = |index: usize| {
        Ok::<_, rusqlite::Error>(row.get::<_, Option<[u8; 16]>>(index)?.map(Uuid::from_bytes))
    };
    let process: Option<String> = row.get(3)?;
    let instance: Option<String> = row.get(4)?;
    let kept: Kept = serde_json::from_slice(row.get_ref(5)?.as_blob()?).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(5, rusqlite::types::Type::Blob, Box::new(error))
    })?;
    let outgoing = Outgoing {
        id: Uuid::from_bytes(row.get(1)?),
        lane: row.get(2)?,
        process: process.zip(instance),
        what: kept.into(),
        lineage: Lineage {
            correlation: id(6)?,
            causation: id(7)?,
        },
    };
    Ok((row.get(0)?, outgoing))
}

/// Messages in the order of their lanes' first.
fn by_lane(messages: Vec<Numbered>) -> Vec<(String, Vec<Numbered>)> {
    let mut lanes: Vec<(String, Vec<Numbered>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for message in messages {
        let lane = message.1.lane.clone();
        let place = *places.entry(lane.clone()).or_insert_with(|| {
            lanes.push((lane, Vec::new()));
            lanes.len() - 1
        });
        lanes[place].1.push(message);
    }
    lanes
}

/// Sends the messages of one lane, up to the first that cannot be sent now.
async fn work_off(shared: Arc<Shared>, messages: Vec<Numbered>) -> Vec<(Numbered, Sent)> {
    let mut sent = Vec::with_capacity(messages.len());
    for (number, message) in messages {
        fault::point("messages.before_sending");
        let outcome = send_one(&shared, &message).await;
        fault::point("messages.after_sending");
        let stuck = matches!(outcome, Sent::Later(_));
        // Who hears of it decides what comes next: the rest of the lane waits until that is written.
        let heard = message.process.is_some() && !matches!(outcome, Sent::Done);
        sent.push(((number, message), outcome));
        if stuck || heard {
            break;
        }
    }
    sent
}

async fn send_one(shared: &Shared, message: &Outgoing) -> Sent {
    match &message.what {
        What::Command(dispatch) => {
            let command = dispatch.command.clone();
            match carry_out(
                &shared.divisions,
                dispatch.clone(),
                message.id,
                message.lineage,
                // Nobody looks at the rows before the next message.
                Consistency::Eventual,
            )
            .await
            {
                Ok(_) => Sent::Done,
                Err(error) => match error.into_rejection() {
                    Ok(rejection) => Sent::Rejected {
                        command,
                        code: rejection.code.into_owned(),
                        message: rejection.message,
                    },
                    Err(error) => Sent::Later(format!("{command}: {}", chain(&error))),
                },
            }
        }
        What::Hope { name, data, until } => {
            let left = until.saturating_sub(Timestamp::now().as_microsecond());
            let answered = |outcome| {
                Sent::Answered(Answered {
                    hope: name.clone(),
                    outcome,
                })
            };
            let Ok(left) = u64::try_from(left) else {
                return answered(Outcome::TimedOut);
            };
            let mut ask = Ask::with_id(message.id).within(Duration::from_micros(left));
            if let Some(correlation) = message.lineage.correlation {
                ask = ask.correlation(correlation);
            }
            match shared.hopes.send(name, data.clone(), ask).await {
                // There may be somebody later.
                Ok(Outcome::NoResponder { message }) if left > LONGEST_PAUSE.as_micros() as u64 => {
                    Sent::Later(message)
                }
                Ok(outcome) => answered(outcome),
                Err(AskError::Busy) => answered(Outcome::TimedOut),
                Err(error) => Sent::Later(chain(&error)),
            }
        }
    }
}

/// Writes what came of the messages, and lets process managers hear of it. What cannot be written is sent again, and has no
/// second effect.
async fn keep(
    shared: &Arc<Shared>,
    open: &Arc<Open>,
    sent: Vec<(Numbered, Sent)>,
    blocked: &mut HashMap<String, Blocked>,
) -> Result<(), MessagesError> {
    let sent = Arc::new(sent);
    let (within, all) = (shared.clone(), sent.clone());
    let written = open
        .database
        .write(move |transaction| {
            let mut wakes = (false, false);
            let failures = all
                .iter()
                .map(|((number, message), outcome)| {
                    write_one(transaction, &within, *number, message, outcome, &mut wakes)
                })
                .collect::<rusqlite::Result<Vec<_>>>()?;
            Ok((failures, wakes))
        })
        .await;
    let (failures, (timers, outgoing)) = match written {
        Ok(written) => written,
        Err(MessagesError::Fenced) => return Err(MessagesError::Fenced),
        Err(error) => {
            open.trouble("sending", Some(chain(&error)));
            tokio::time::sleep(FIRST_PAUSE).await;
            return Ok(());
        }
    };
    open.trouble("sending", None);
    if timers {
        open.timers.notify_one();
    }
    if outgoing {
        open.outgoing.notify_one();
    }
    for (((_, message), outcome), failure) in sent.iter().zip(failures) {
        shared.telemetry.sent(outcome.word());
        match failure {
            None => {
                if blocked.remove(&message.lane).is_some() {
                    open.trouble(&message.lane, None);
                }
            }
            Some(reason) => block(open, blocked, &message.lane, reason),
        }
    }
    Ok(())
}

fn block(open: &Open, blocked: &mut HashMap<String, Blocked>, lane: &str, reason: String) {
    let pause = blocked.get(lane).map_or(FIRST_PAUSE, |blocked| {
        (blocked.pause * 2).min(LONGEST_PAUSE)
    });
    if pause >= Duration::from_secs(1) {
        tracing::warn!(lane, reason, "a message cannot be sent; trying again");
        open.trouble(lane, Some(reason));
    }
    let until = Instant::now() + pause;
    blocked.insert(lane.to_owned(), Blocked { until, pause });
}

/// Removes a message that was sent; gives the reason why it has to stay.
fn write_one(
    transaction: &Transaction<'_>,
    shared: &Shared,
    number: i64,
    message: &Outgoing,
    outcome: &Sent,
    (timers, outgoing): &mut (bool, bool),
) -> rusqlite::Result<Option<String>> {
    let input = match outcome {
        Sent::Done => None,
        Sent::Later(reason) => return Ok(Some(reason.clone())),
        Sent::Rejected {
            command,
            code,
            message,
        } => {
            tracing::warn!(
                command,
                code,
                reason = message,
                "a command that was dispatched is rejected"
            );
            Some(RawInput::Rejected {
                command,
                code,
                message,
            })
        }
        Sent::Answered(answered) => Some(RawInput::Feedback(answered)),
    };
    if let (Some(input), Some((process, instance))) = (input, &message.process)
        && let Some(spec) = shared
            .integrations
            .processes
            .iter()
            .find(|spec| spec.name == process)
    {
        let taking = Taking {
            instance,
            input,
            now: Timestamp::now(),
            cause: message.id,
            correlation: message.lineage.correlation,
        };
        match take(transaction, spec, &taking)? {
            Taken::In {
                timers: set,
                outgoing: sends,
            } => {
                *timers |= set;
                *outgoing |= sends;
            }
            Taken::Nobody => {}
            Taken::Failed(reason) => {
                return Ok(Some(format!("the process manager `{process}`: {reason}")));
            }
        }
    }
    transaction
        .prepare_cached("DELETE FROM outgoing WHERE number = ?1")?
        .execute([number])?;
    Ok(None)
}
