//! Routes for files that need no more than to be there, and what errors are to a client.

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::name::NameError;
use super::receive::{Limits, ReceiveError};
use super::shelf::{FileError, FileId, Files};
use crate::api::{Answer, ApiError, chain};

/// Entries of a page whose size is not asked for.
const PAGE: usize = 100;

impl Files {
    /// Routes to nest below a path of the plugin's choice.
    ///
    /// | request | answer |
    /// |---|---|
    /// | `POST /`, `multipart/form-data` | 201 `{"ok":true,"files":[{"field":…,"id":…,"name":…,"content_type":…,"bytes":…,"sha256":…,"stored_at":…}],"fields":[[name, value]]}` |
    /// | `GET /?after=…&limit=…` | `{"ok":true,"items":[…],"next":…}`, oldest first, 100 unless asked |
    /// | `GET /{id}` | the content, see [`serve`](Self::serve) |
    /// | `DELETE /{id}` | `{"ok":true,"id":…}` |
    ///
    /// Whoever reaches the plugin may do all of it. What only some may do needs handlers of the plugin's own.
    pub fn routes<S>(&self, limits: Limits) -> Router<S> {
        Router::new()
            .route("/", get(list).post(receive))
            .route("/{id}", get(serve).delete(delete))
            .with_state(Shared {
                files: self.clone(),
                limits,
            })
    }
}

#[derive(Clone)]
struct Shared {
    files: Files,
    limits: Limits,
}

async fn receive(
    State(Shared { files, limits }): State<Shared>,
    request: Request,
) -> Result<(StatusCode, Answer), ApiError> {
    let received = files.receive(request, &limits).await?;
    if received.files.is_empty() {
        return Err(ApiError::bad_request("no_file", "the form has no file"));
    }
    Ok((StatusCode::CREATED, Answer::of(json!(received))))
}

#[derive(Debug, Deserialize)]
struct Asked {
    after: Option<FileId>,
    limit: Option<usize>,
}

async fn list(
    State(Shared { files, .. }): State<Shared>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Answer, ApiError> {
    let Query(asked) =
        asked.map_err(|error| ApiError::bad_request("bad_query", error.body_text()))?;
    let page = files.list(asked.after, asked.limit.unwrap_or(PAGE)).await?;
    Ok(Answer::of(json!(page)))
}

async fn serve(
    State(Shared { files, .. }): State<Shared>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    Ok(files.serve(&id, request).await?)
}

async fn delete(
    State(Shared { files, .. }): State<Shared>,
    Path(id): Path<String>,
) -> Result<Answer, ApiError> {
    files.delete(&id).await?;
    Ok(Answer::of(json!({"id": id})))
}

impl From<NameError> for ApiError {
    fn from(error: NameError) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self::new(status, "bad_file_name", error.to_string())
    }
}

impl From<ReceiveError> for ApiError {
    fn from(error: ReceiveError) -> Self {
        let (status, code) = match &error {
            ReceiveError::NotMultipart => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_multipart"),
            ReceiveError::Malformed(_) | ReceiveError::HeadTooLarge { .. } => {
                (StatusCode::BAD_REQUEST, "bad_multipart")
            }
            ReceiveError::BrokenOff => (StatusCode::BAD_REQUEST, "upload_broken_off"),
            ReceiveError::Name(error) => return error.clone().into(),
            ReceiveError::FieldNotText { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "field_not_text")
            }
            ReceiveError::FileTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "file_too_large"),
            ReceiveError::FieldTooLarge { .. } => {
                (StatusCode::PAYLOAD_TOO_LARGE, "field_too_large")
            }
            ReceiveError::RequestTooLarge { .. } => {
                (StatusCode::PAYLOAD_TOO_LARGE, "request_too_large")
            }
            ReceiveError::TooManyParts { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_many_parts"),
            ReceiveError::Stalled { .. } => (StatusCode::REQUEST_TIMEOUT, "upload_stalled"),
            ReceiveError::DiskFull(_) => {
                tracing::error!(error = chain(&error), "an upload was refused");
                (StatusCode::INSUFFICIENT_STORAGE, "disk_full")
            }
            ReceiveError::Storage(_) => return unavailable(&error),
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<FileError> for ApiError {
    fn from(error: FileError) -> Self {
        match &error {
            FileError::NotFound { id } => Self::not_found("file", id),
            FileError::Damaged { .. } => {
                tracing::error!(error = chain(&error), "a file cannot be served");
                let message = "the file is damaged; the log says how";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "file_damaged", message)
            }
            FileError::Storage { .. } => unavailable(&error),
        }
    }
}

fn unavailable(error: &dyn std::error::Error) -> ApiError {
    tracing::error!(error = chain(error), "the files cannot be reached");
    let message = "the files cannot be reached right now; the log says why";
    ApiError::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "files_unavailable",
        message,
    )
}
