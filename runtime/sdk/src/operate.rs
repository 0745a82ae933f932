//! What operators do with the projections of a division, while it serves.

use hecate_manifest::control::StoreTask;
use rusqlite::Connection;
use serde_json::{Map, Value, json};

use crate::division::Division;
use crate::projector::{DeadLetter, OperateError, ProjectionProgress, list, parked};
use crate::store::Position;

/// Letters that are listed at most. How many there are is said too.
const LISTED: usize = 200;
/// Positions that a message names at most.
const NAMED: usize = 5;

/// The projection that `task` is about, if it names one.
pub(crate) fn named(task: &StoreTask) -> Option<&str> {
    match task {
        StoreTask::Retry { projection } | StoreTask::Replay { projection } => projection.as_deref(),
        StoreTask::Discard { projection, .. } => Some(projection),
        _ => None,
    }
}

/// Does `task` if it is about projections. The answer is a JSON object.
pub(crate) async fn operate(
    division: &Division,
    task: &StoreTask,
) -> Option<Result<Value, OperateError>> {
    Some(match task {
        StoreTask::DeadLetters => dead_letters(division).await,
        StoreTask::Replay { projection } => replay(division, projection.as_deref()).await,
        StoreTask::Retry { projection } => retry(division, projection.as_deref()).await,
        StoreTask::Discard {
            projection,
            position,
        } => discard(division, projection, *position).await,
        _ => return None,
    })
}

/// How far each projection is, for statistics.
pub(crate) fn positions(division: &Division) -> Value {
    let projections = division.progress().unwrap_or_default().projections;
    let one = |one: &ProjectionProgress| {
        let mut about = json!({"position": one.checkpoint, "parked": one.parked});
        if let Some(rebuild) = &one.rebuild {
            about["rebuild"] = json!({
                "position": rebuild.position,
                "head": rebuild.head,
                "percent": rebuild.percent(),
                "events_per_second": rebuild.events_per_second,
                "stopped": rebuild.stopped.as_deref(),
                "over": rebuild.is_over,
            });
        }
        (one.name.to_string(), about)
    };
    Value::Object(projections.iter().map(one).collect())
}

async fn dead_letters(division: &Division) -> Result<Value, OperateError> {
    let progress = division.progress().ok_or(OperateError::Closed)?;
    let projections = progress.with_letters();
    let read = move |model: &Connection| list(model, &projections, LISTED);
    let letters: Vec<DeadLetter> = division.query(read).await?;
    let parked: u64 = progress.projections.iter().map(|one| one.parked).sum();
    Ok(json!({"parked": parked, "letters": letters}))
}

async fn replay(division: &Division, projection: Option<&str>) -> Result<Value, OperateError> {
    let projector = division.projector().ok_or(OperateError::Closed)?;
    let names = meant(division, projection);
    for name in &names {
        projector.replay(name.clone()).await?;
    }
    Ok(json!({"replaying": names}))
}

async fn retry(division: &Division, projection: Option<&str>) -> Result<Value, OperateError> {
    let projector = division.projector().ok_or(OperateError::Closed)?;
    let mut all = Map::new();
    for name in meant(division, projection) {
        let taken = match projector.retry(name.clone()).await {
            // Asked about all of them: what is built anew tries by itself.
            Err(OperateError::Rebuilding { .. }) if projection.is_none() => 0,
            taken => taken?,
        };
        let parked = still_parked(division, &name);
        all.insert(name, json!({"taken": taken, "parked": parked}));
    }
    Ok(json!({"projections": all}))
}

async fn discard(
    division: &Division,
    projection: &str,
    position: u64,
) -> Result<Value, OperateError> {
    let projector = division.projector().ok_or(OperateError::Closed)?;
    let known = projection.to_owned();
    let no_letter = OperateError::NoLetter {
        projection: known.clone(),
        position,
        known: String::new(),
    };
    let discarded = match Position::new(position) {
        Some(position) => projector.discard(known.clone(), position).await,
        None => Err(no_letter),
    };
    match discarded {
        Ok(taken) => {
            let parked = still_parked(division, projection);
            Ok(json!({"discarded": position, "taken": taken, "parked": parked}))
        }
        Err(OperateError::NoLetter { .. }) => {
            let name = known.clone();
            let there = division
                .query(move |model: &Connection| parked(model, &name, NAMED + 1))
                .await?;
            Err(OperateError::NoLetter {
                projection: known,
                position,
                known: in_words(&there),
            })
        }
        Err(error) => Err(error),
    }
}

/// The projection that is named, or all of them.
fn meant(division: &Division, projection: Option<&str>) -> Vec<String> {
    let mut names = division.projection_names();
    names.retain(|name| projection.is_none_or(|projection| projection == name));
    names
}

fn still_parked(division: &Division, projection: &str) -> u64 {
    let progress = division.progress().unwrap_or_default();
    progress.of(projection).map_or(0, |one| one.parked)
}

/// The positions that there are, as the end of a message.
fn in_words(positions: &[u64]) -> String {
    let named: Vec<_> = positions.iter().take(NAMED).map(u64::to_string).collect();
    let named = named.join(", ");
    match positions.len() {
        0 => "nothing is parked".to_owned(),
        many if many > NAMED => format!("the first that are parked are those at {named}"),
        _ => format!("parked are those at {named}"),
    }
}
