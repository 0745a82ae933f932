//! `GET /items` and `POST /items`.

use hecate_sdk::api::{Answer, ApiError, Json};
use hecate_sdk::axum::extract::State;
use hecate_sdk::http::StatusCode;
use hecate_sdk::serde::{Deserialize, Serialize};
use hecate_sdk::serde_json::{self, Value, json};
use hecate_sdk::store::{ExpectedVersion, NewEvent, Query, Store, StreamId};
use hecate_sdk::uuid::Uuid;

/// Items that are listed at most.
const LIST: usize = 1000;

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(crate = "hecate_sdk::serde")]
pub struct AddItem {
    name: String,
}

/// What has happened.
#[derive(Debug, Serialize, Deserialize)]
#[serde(crate = "hecate_sdk::serde")]
struct ItemAdded {
    item_id: String,
    name: String,
}

/// Adds an item: an event in a stream of its own.
pub async fn add(
    State(store): State<Store>,
    Json(item): Json<AddItem>,
) -> Result<(StatusCode, Answer), ApiError> {
    if item.name.trim().is_empty() {
        return Err(ApiError::bad_request(
            "name_missing",
            "an item needs a `name`",
        ));
    }
    let added = ItemAdded {
        item_id: Uuid::now_v7().to_string(),
        name: item.name,
    };
    let event =
        NewEvent::json("item_added", 1, &added).map_err(|error| ApiError::internal(&error))?;
    let stream = StreamId::of("item", &added.item_id);
    let receipt = store
        .append(stream, ExpectedVersion::NoStream, vec![event])
        .await?;
    let answer = Answer::of(json!({"item_id": added.item_id, "position": receipt.last}));
    Ok((StatusCode::CREATED, answer))
}

/// Lists all items, in the order in which they were added.
pub async fn list(State(store): State<Store>) -> Result<Answer, ApiError> {
    let page = store.read_all(None, Query::all(), LIST).await?;
    let items = page
        .events
        .iter()
        .map(|event| serde_json::from_slice(&event.data));
    let items: Vec<Value> = items
        .collect::<Result<_, _>>()
        .map_err(|error| ApiError::internal(&error))?;
    Ok(Answer::of(json!({"items": items})))
}
