//! Timers of process managers: called once each, not before they are due.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};

use super::processes::{Taken, Taking, take};
use super::{MessagesError, Open, Shared};
use crate::aggregate::named_id;
use crate::api::chain;
use crate::integration::RawInput;

/// Timers that are called in one transaction.
const BATCH: usize = 256;
/// How long to wait when the database cannot be used.
const PAUSE: Duration = Duration::from_secs(1);
/// When a timer is called again that its process manager could not take in.
const AGAIN: Duration = Duration::from_secs(60);
/// The clock may be set while a far timer is waited for.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

struct Due {
    process: String,
    instance: String,
    name: String,
    due_at: i64,
}

/// Calls timers until the stores close.
pub(super) async fn call(shared: Arc<Shared>, open: Arc<Open>) {
    let work = async {
        loop {
            let wait = match pass(&shared, &open).await {
                Ok(next) => {
                    open.trouble("timers", None);
                    let until = next.map(|next| {
                        next.saturating_sub(Timestamp::now().as_microsecond())
                            .max(0)
                    });
                    until.map_or(LONGEST_SLEEP, |until| {
                        Duration::from_micros(until.cast_unsigned()).min(LONGEST_SLEEP)
                    })
                }
                Err(MessagesError::Fenced) => return,
                Err(error) => {
                    open.trouble("timers", Some(chain(&error)));
                    PAUSE
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = open.timers.notified() => {}
            }
        }
    };
    tokio::select! {
        () = open.stopping() => {}
        () = work => {}
    }
}

/// Calls what is due; gives the time of the next, in microseconds since 1970-01-01 UTC.
async fn pass(shared: &Arc<Shared>, open: &Arc<Open>) -> Result<Option<i64>, MessagesError> {
    let now = Timestamp::now().as_microsecond();
    if !open
        .database
        .read(move |connection| Ok(next(connection)?.is_some_and(|next| next <= now)))
        .await?
    {
        return open.database.read(next).await;
    }
    let within = shared.clone();
    let (outgoing, next) = open
        .database
        .write(move |transaction| {
            let mut outgoing = false;
            for due in due(transaction, now)? {
                outgoing |= ring(transaction, &within, &due, now)?;
            }
            Ok((outgoing, next(transaction)?))
        })
        .await?;
    if outgoing {
        open.outgoing.notify_one();
    }
    Ok(next)
}

fn next(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT min(try_at) FROM timer")?
        .query_row((), |row| row.get(0))
}

fn due(transaction: &Transaction<'_>, now: i64) -> rusqlite::Result<Vec<Due>> {
    let sql = "SELECT process, instance, name, due_at FROM timer WHERE try_at <= ?1 ORDER BY try_at LIMIT ?2";
    transaction
        .prepare_cached(sql)?
        .query_map((now, BATCH as i64), |row| {
            Ok(Due {
                process: row.get(0)?,
                instance: row.get(1)?,
                name: row.get(2)?,
                due_at: row.get(3)?,
            })
        })?
        .collect()
}

/// Calls one timer; says whether something is to be sent.
fn ring(
    transaction: &Transaction<'_>,
    shared: &Shared,
    due: &Due,
    now: i64,
) -> rusqlite::Result<bool> {
    let key = (&due.process, &due.instance, &due.name);
    let Some(spec) = shared
        .integrations
        .processes
        .iter()
        .find(|spec| spec.name == due.process)
    else {
        // Its process manager is not part of this version; the next one may have it again.
        let later = now.saturating_add(AGAIN.as_micros() as i64);
        put_off(transaction, due, later)?;
        return Ok(false);
    };
    // Gone before it is called: the instance may set it anew.
    let sql = "DELETE FROM timer WHERE process = ?1 AND instance = ?2 AND name = ?3";
    transaction.prepare_cached(sql)?.execute(key)?;
    let named = format!(
        "timer {} {} {} {}",
        due.process, due.instance, due.name, due.due_at
    );
    let taking = Taking {
        instance: &due.instance,
        input: RawInput::Timer(&due.name),
        now: Timestamp::from_microsecond(due.due_at).unwrap_or(Timestamp::UNIX_EPOCH),
        cause: named_id(None, named.as_bytes()),
        correlation: None,
    };
    match take(transaction, spec, &taking)? {
        Taken::In { outgoing, .. } => Ok(outgoing),
        Taken::Nobody => Ok(false),
        Taken::Failed(reason) => {
            let (process, instance, timer) = key;
            tracing::error!(
                process,
                instance,
                timer,
                reason,
                "a timer cannot be taken in; trying again in a minute"
            );
            let sql = "INSERT INTO timer (process, instance, name, due_at, try_at) VALUES (?1, ?2, ?3, ?4, ?5)";
            let again = now.saturating_add(AGAIN.as_micros() as i64);
            transaction.prepare_cached(sql)?.execute((
                &due.process,
                &due.instance,
                &due.name,
                due.due_at,
                again,
            ))?;
            Ok(false)
        }
    }
}

fn put_off(transaction: &Transaction<'_>, due: &Due, until: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE timer SET try_at = ?4 WHERE process = ?1 AND instance = ?2 AND name = ?3";
    transaction
        .prepare_cached(sql)?
        .execute((&due.process, &due.instance, &due.name, until))?;
    Ok(())
}
