//! `GET /items/{id}`.

use hecate_sdk::api::{Answer, ApiError};
use hecate_sdk::axum::extract::{Path, State};
use hecate_sdk::serde_json;
use hecate_sdk::store::{Store, StreamId};

/// Answers with one item: what its stream says.
pub async fn show(State(store): State<Store>, Path(id): Path<String>) -> Result<Answer, ApiError> {
    let events = store
        .read_stream(StreamId::of("item", &id), None, 1)
        .await?;
    let added = events
        .first()
        .ok_or_else(|| ApiError::not_found("item", &id))?;
    let item = serde_json::from_slice(&added.data).map_err(|error| ApiError::internal(&error))?;
    Ok(Answer::of(item))
}
