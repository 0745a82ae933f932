//! Hopes of other plugins, and the answers that were given.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use hecate_manifest::exchange::{Feedback, Hope, Outcome};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};
use tracing::Instrument;
use uuid::Uuid;

use super::{MessagesError, Shared};
use crate::api::chain;
use crate::integration::{AnswerError, Answering};

/// How long an answer is kept, to be given again.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Answers a hope: as before, if it was answered before.
pub(super) async fn answer(shared: &Arc<Shared>, hope: Hope) -> Result<Feedback, String> {
    let wrong =
        |what: &str, error: uuid::Error| format!("the {what} of a hope is not a UUID: {error}");
    let id = Uuid::parse_str(&hope.id).map_err(|error| wrong("id", error))?;
    let correlation = hope
        .correlation_id
        .as_deref()
        .map(Uuid::parse_str)
        .transpose();
    let correlation = correlation.map_err(|error| wrong("correlation", error))?;
    let feedback = |outcome| Feedback {
        id: hope.id.clone(),
        outcome,
    };
    let Some(spec) = shared
        .integrations
        .responders
        .iter()
        .find(|spec| spec.name == hope.name)
    else {
        let message = format!("this plugin does not answer the hope `{}`", hope.name);
        return Ok(feedback(Outcome::NoResponder { message }));
    };
    let open = shared.open().map_err(|error| chain(&error))?;
    let known = open
        .database
        .read(move |connection| before(connection, id))
        .await;
    if let Some(outcome) = known.map_err(|error| chain(&error))? {
        shared.telemetry.answered(&hope.name, "replayed");
        return Ok(feedback(outcome));
    }
    let answering = Answering {
        divisions: shared.divisions.clone(),
        id,
        from: hope.from.clone(),
        correlation,
        dispatched: AtomicU32::new(0),
    };
    let respond = (spec.respond)(hope.data.clone(), answering);
    let limit = Duration::from_millis(hope.deadline_ms);
    // In a task of its own: one that panics is an answer that failed, and one whose time is over does not go on.
    let span = tracing::debug_span!("answer", hope = hope.name, from = hope.from);
    let limited = async move { tokio::time::timeout(limit, respond).await };
    let task = tokio::spawn(limited.instrument(span));
    let outcome = match task.await {
        Ok(Ok(Ok(data))) => Outcome::Answered { data },
        Ok(Ok(Err(AnswerError::Rejected(rejection)))) => {
            // Not kept: what is refused now may be right later, and nothing has happened.
            shared.telemetry.answered(&hope.name, "rejected");
            return Ok(feedback(Outcome::Rejected {
                code: rejection.code.into_owned(),
                message: rejection.message,
            }));
        }
        Ok(Ok(Err(AnswerError::Failed(reason)))) => return Err(failed(shared, &hope, reason)),
        Ok(Err(_)) => Outcome::TimedOut,
        Err(error) => {
            return Err(failed(
                shared,
                &hope,
                format!("the responder ended: {error}"),
            ));
        }
    };
    if let Outcome::Answered { .. } = &outcome {
        let (kept, now) = (
            serde_json::to_vec(&outcome).unwrap_or_default(),
            Timestamp::now(),
        );
        let stored = open.database.write(move |transaction| {
            transaction
                .prepare_cached("INSERT INTO answered (hope_id, outcome, answered_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
                .execute((id.as_bytes(), kept, now.as_microsecond()))?;
            let old = now.as_microsecond() - KEPT.as_micros() as i64;
            transaction.prepare_cached("DELETE FROM answered WHERE answered_at < ?1")?.execute([old])?;
            Ok(())
        });
        match stored.await {
            // Two at once: the first answer stands.
            Ok(()) => {}
            Err(MessagesError::Fenced) => return Err(chain(&MessagesError::Fenced)),
            Err(error) => return Err(failed(shared, &hope, chain(&error))),
        }
    }
    shared.telemetry.answered(&hope.name, "answered");
    Ok(feedback(outcome))
}

fn before(connection: &Connection, id: Uuid) -> rusqlite::Result<Option<Outcome>> {
    let kept: Option<Vec<u8>> = connection
        .prepare_cached("SELECT outcome FROM answered WHERE hope_id = ?1")?
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()))
}

fn failed(shared: &Shared, hope: &Hope, reason: String) -> String {
    shared.telemetry.answered(&hope.name, "failed");
    tracing::error!(
        hope = hope.name,
        from = hope.from,
        reason,
        "a hope could not be answered"
    );
    reason
}
