//! JSON in and out, in the one envelope: `{"ok":true,…}` or `{"ok":false,"error":"…","code":"…"}`.
//!
//! [`Json`] and [`Command`] read bodies, [`Answer`] and [`Accepted`] are what is answered, [`ApiError`] is the answer to
//! what cannot be. A body with wrong fields is answered with 422, code `invalid`, and a message for each of them:
//!
//! ```
//! use hecate_sdk::api::{Answer, ApiError, Json};
//! use hecate_sdk::axum::{Router, routing::post};
//! use hecate_sdk::plugin::{InitError, Plugin, PluginContext};
//! use hecate_sdk::serde::Deserialize;
//! use hecate_sdk::serde_json::json;
//! use hecate_sdk::testing::{TestPlugin, run};
//!
//! #[derive(Deserialize)]
//! #[serde(crate = "hecate_sdk::serde")]
//! struct Order {
//!     customer: String,
//!     lines: Vec<Line>,
//! }
//!
//! #[derive(Deserialize)]
//! #[serde(crate = "hecate_sdk::serde", deny_unknown_fields)]
//! struct Line {
//!     item: String,
//!     count: u8,
//! }
//!
//! async fn place(Json(order): Json<Order>) -> Result<Answer, ApiError> {
//!     if order.lines.is_empty() {
//!         return Err(ApiError::bad_request("nothing_ordered", format!("{} orders nothing", order.customer)));
//!     }
//!     let items: Vec<_> = order.lines.iter().map(|line| format!("{} × {}", line.count, line.item)).collect();
//!     Ok(Answer::of(json!({"items": items})))
//! }
//!
//! # struct Orders;
//! # impl Plugin for Orders {
//! #     fn manifest() -> &'static str {
//! #         r#"{"name": "orders", "version": "0.1.0", "plugin_type": "in_vm"}"#
//! #     }
//! #     async fn init(_: PluginContext) -> Result<Self, InitError> {
//! #         Ok(Self)
//! #     }
//! #     fn routes(&self) -> Router {
//! #         Router::new().route("/orders", post(place))
//! #     }
//! # }
//! # run(async {
//! # let plugin = TestPlugin::start::<Orders>().await;
//! let answer = plugin.post("/orders", json!({"customer": "Ada", "lines": [{"item": "lamp", "count": 2}]})).await;
//! assert_eq!(answer.json, json!({"ok": true, "items": ["2 × lamp"]}));
//!
//! let answer = plugin.post("/orders", json!({"lines": [{"item": 7, "count": 300, "colour": "red"}]})).await;
//! assert_eq!(answer.status, 422);
//! assert_eq!(answer.json["code"], "invalid");
//! assert_eq!(
//!     answer.json["fields"],
//!     json!({
//!         "customer": "is missing",
//!         "lines[0].item": "must be text",
//!         "lines[0].count": "must be a whole number from 0 to 255",
//!         "lines[0].colour": "is no field here; there are: item, count",
//!     })
//! );
//! # });
//! ```
//!
//! | status, code | what is wrong |
//! |---|---|
//! | 400 `bad_json` | the body is not JSON |
//! | 400 `body_unreadable` | the body broke off |
//! | 408 `body_too_slow` | the body has not arrived within 60 s |
//! | 413 `body_too_large` | the body is over the limit: 2 MB, unless a route has another [`DefaultBodyLimit`] |
//! | 415 `not_json` | the body says that it is something else than JSON |
//! | 422 `invalid` | fields are missing, unknown, of a wrong type, or break a rule |
//!
//! [`DefaultBodyLimit`]: axum::extract::DefaultBodyLimit

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::Json as AxumJson;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::aggregate::{DecodeError, Rejection, RejectionKind, named_id};
use crate::consistency::Consistency;
use crate::division::{DispatchError, Done};
use crate::fingerprint::fingerprint;
use crate::integration::Lineage;
use crate::misread;
use crate::store::{AppendError, ReadError};
use crate::validate::{Invalid, Validate};

/// How long a JSON body may take to arrive. Who sends a byte now and then holds nothing for longer.
const BODY_WITHIN: Duration = Duration::from_secs(60);

/// An answer `{"ok":true,…}` with status 200.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer(pub Map<String, Value>);

impl Answer {
    /// The fields of `object`; anything else than an object becomes `{"value":…}`.
    pub fn of(object: Value) -> Self {
        match object {
            Value::Object(fields) => Self(fields),
            other => Self(Map::from_iter([("value".to_owned(), other)])),
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        envelope(StatusCode::OK, self.0)
    }
}

/// The answer to an accepted command: 201 `{"ok":true,"{subject}_id":…,"version":…,"position":…}`.
///
/// `"visible":false` is added if the read models that the command waits for do not show all of it; see [`Consistency`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    id_field: Cow<'static, str>,
    done: Done,
}

impl Accepted {
    /// `id_field` names the thing's id: `order_id`.
    pub fn new(id_field: impl Into<Cow<'static, str>>, done: Done) -> Self {
        Self {
            id_field: id_field.into(),
            done,
        }
    }
}

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        let mut fields = Map::new();
        fields.insert(self.id_field.into_owned(), self.done.id.into());
        fields.insert("version".to_owned(), json!(self.done.version));
        fields.insert("position".to_owned(), json!(self.done.position));
        if !self.done.visible {
            fields.insert("visible".to_owned(), false.into());
        }
        envelope(StatusCode::CREATED, fields)
    }
}

fn envelope(status: StatusCode, fields: Map<String, Value>) -> Response {
    let mut body = Map::from_iter([("ok".to_owned(), Value::Bool(true))]);
    body.extend(fields);
    (status, AxumJson(body)).into_response()
}

/// An error answer: status, stable code for programs, message for people, and what is wrong with which field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    code: Cow<'static, str>,
    message: String,
    fields: BTreeMap<String, String>,
    retry_after_seconds: Option<u64>,
}

impl ApiError {
    /// An error of any kind.
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            fields: BTreeMap::new(),
            retry_after_seconds: None,
        }
    }

    /// 404: there is no `thing` with this id.
    pub fn not_found(thing: &str, id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            format!("{thing}_not_found"),
            format!("there is no {thing} `{id}`"),
        )
    }

    /// 400: the request is not of the expected form.
    pub fn bad_request(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 500: our fault. `internal` goes to the log only.
    pub fn internal(internal: &dyn std::error::Error) -> Self {
        tracing::error!(error = %chain(internal), "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something went wrong here; the log says what",
        )
    }

    /// Says when to try again: the header `Retry-After`, in seconds.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// The status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.code
    }

    fn unavailable(internal: &dyn std::error::Error) -> Self {
        tracing::error!(error = %chain(internal), "the store refused");
        let message = "the store cannot be used right now; nothing was written";
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "store_unavailable",
            message,
        )
    }

    /// The store failed. On a full disk there is something to do about it, for whoever asked.
    fn storage(internal: &dyn std::error::Error, cause: &rusqlite::Error) -> Self {
        if cause.sqlite_error_code() != Some(rusqlite::ErrorCode::DiskFull) {
            return Self::unavailable(internal);
        }
        tracing::error!(error = %chain(internal), "the disk is full");
        Self::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "disk_full",
            "the disk is full; nothing was written: free some space and send it again",
        )
    }

    fn fenced() -> Self {
        let message = "another version of this plugin has taken over; try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "fenced", message)
    }
}

/// An error with all its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = json!({"ok": false, "error": self.message, "code": self.code});
        if !self.fields.is_empty() {
            body["fields"] = json!(self.fields);
        }
        let mut response = (self.status, AxumJson(body)).into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> Self {
        let message = invalid.to_string();
        Self {
            fields: invalid.fields,
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message)
        }
    }
}

impl From<Rejection> for ApiError {
    fn from(rejection: Rejection) -> Self {
        let status = match rejection.kind {
            RejectionKind::NotFound => StatusCode::NOT_FOUND,
            RejectionKind::Conflict => StatusCode::CONFLICT,
            RejectionKind::Rule => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, rejection.code, rejection.message)
    }
}

impl From<AppendError> for ApiError {
    fn from(error: AppendError) -> Self {
        let message = error.to_string();
        match error {
            AppendError::WrongExpectedVersion { .. } => {
                Self::new(StatusCode::CONFLICT, "wrong_expected_version", message)
            }
            AppendError::IdempotencyMismatch { .. } => {
                Self::new(StatusCode::CONFLICT, "idempotency_mismatch", message)
            }
            AppendError::TooLarge { .. }
            | AppendError::TooMany { .. }
            | AppendError::ReplyTooLarge { .. } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
            }
            AppendError::Fenced => Self::fenced(),
            AppendError::Storage(ref cause) => Self::storage(&error, cause),
            AppendError::Empty | AppendError::StreamName { .. } => Self::internal(&error),
        }
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Fenced => Self::fenced(),
            ReadError::Storage(_) => Self::unavailable(&error),
        }
    }
}

impl From<DecodeError> for ApiError {
    fn from(error: DecodeError) -> Self {
        Self::internal(&error)
    }
}

impl From<DispatchError> for ApiError {
    fn from(error: DispatchError) -> Self {
        match error {
            DispatchError::Rejected(rejection) => rejection.into(),
            DispatchError::Append(error) => error.into(),
            DispatchError::Read(error) => error.into(),
            DispatchError::Decode(error) => error.into(),
            DispatchError::Encode(error) => Self::internal(&error),
            DispatchError::Invalid(invalid) => invalid.into(),
            DispatchError::Unknown { .. } => {
                Self::new(StatusCode::NOT_FOUND, "command_unknown", error.to_string())
            }
            DispatchError::UnknownProjection { .. } => {
                Self::bad_request("unknown_consistency", error.to_string())
            }
        }
    }
}

/// A JSON body of type `T`. What is wrong with it is an answer in the envelope that names the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let (value, _) = read_json(request, state).await?;
        Ok(Self(value))
    }
}

/// A command: its body, read and validated, and its id.
///
/// The id is that of the `Idempotency-Key` header if there is one: the same key is the same command, and sending it
/// again gives the first answer. Without the header each request is a command of its own. What the answer waits for is
/// said by the header `Hecate-Consistency`, as [`Consistency`] tells.
#[derive(Debug, Clone)]
pub struct Command<T> {
    /// What is asked.
    pub body: T,
    /// Its id.
    pub id: Uuid,
    /// Whether the sender gave the id, so that it may be a repetition.
    pub(crate) may_repeat: bool,
    /// Fingerprint of the body.
    pub(crate) digest: u64,
    /// What it belongs to and comes from.
    pub(crate) lineage: Lineage,
    /// What it waits for.
    pub(crate) consistency: Consistency,
}

impl<T> Command<T> {
    /// A command of this process's own making.
    pub fn new(body: T) -> Self {
        Self {
            body,
            id: Uuid::now_v7(),
            may_repeat: false,
            digest: 0,
            lineage: Lineage::default(),
            consistency: Consistency::default(),
        }
    }

    /// Waits for other read models than all of the division's.
    #[must_use]
    pub fn consistency(mut self, consistency: Consistency) -> Self {
        self.consistency = consistency;
        self
    }

    /// Says which conversation it belongs to, and which message it comes from.
    #[must_use]
    pub fn because(mut self, correlation: Option<Uuid>, causation: Option<Uuid>) -> Self {
        self.lineage = Lineage {
            correlation,
            causation,
        };
        self
    }

    /// The same command with its body read as something else.
    pub(crate) fn try_map<U, E>(
        self,
        read: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<Command<U>, E> {
        Ok(Command {
            body: read(self.body)?,
            id: self.id,
            may_repeat: self.may_repeat,
            digest: self.digest,
            lineage: self.lineage,
            consistency: self.consistency,
        })
    }
}

impl Command<Value> {
    /// A command with an id that follows from what caused it: sent again, it is the same command.
    pub(crate) fn repeatable(body: Value, id: Uuid) -> Self {
        Self {
            // Written without white space, and in the order in which it was made.
            digest: fingerprint(body.to_string().as_bytes()),
            body,
            id,
            may_repeat: true,
            lineage: Lineage::default(),
            consistency: Consistency::default(),
        }
    }
}

impl<T: DeserializeOwned + Validate, S: Send + Sync> FromRequest<S> for Command<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let key = IdempotencyKey::from_request_parts(&mut parts, state).await?;
        let consistency = Consistency::from_request_parts(&mut parts, state).await?;
        let (body, text): (T, _) = read_json(Request::from_parts(parts, body), state).await?;
        body.validate()?;
        Ok(match key.0 {
            // Only what may be repeated is compared with its repetition.
            Some(id) => Self {
                body,
                id,
                may_repeat: true,
                digest: fingerprint(&text),
                lineage: Lineage::default(),
                consistency,
            },
            None => Self::new(body).consistency(consistency),
        })
    }
}

/// The command id that an `Idempotency-Key` header stands for, together with the path it was sent to.
struct IdempotencyKey(Option<Uuid>);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(key) = parts.headers.get("idempotency-key") else {
            return Ok(Self(None));
        };
        if key.is_empty() || key.len() > 256 {
            return Err(ApiError::bad_request(
                "idempotency_key",
                "`Idempotency-Key` must have 1 to 256 characters",
            ));
        }
        Ok(Self(Some(command_id(key.as_bytes(), parts.uri.path()))))
    }
}

/// The command that `key` names when it is sent to `path`. A key that is a UUID of version 7 keeps its time, so that
/// what is born of the command has its place in the order of births.
fn command_id(key: &[u8], path: &str) -> Uuid {
    let mut name = path.as_bytes().to_vec();
    name.push(0);
    name.extend(key);
    let ordered = std::str::from_utf8(key)
        .ok()
        .and_then(|key| Uuid::parse_str(key).ok());
    named_id(ordered, &name)
}

/// Reads a JSON body, and gives its bytes too. An empty body is an empty object.
async fn read_json<T: DeserializeOwned, S: Send + Sync>(
    request: Request,
    state: &S,
) -> Result<(T, Bytes), ApiError> {
    let typed = is_json(request.headers());
    let mut read = pin!(Bytes::from_request(request, state));
    // Most bodies are here already, and need no clock.
    let read = match poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx))).await {
        Poll::Ready(read) => Ok(read),
        Poll::Pending => tokio::time::timeout(BODY_WITHIN, read).await,
    };
    let bytes = match read {
        Ok(read) => read.map_err(|rejection| {
            let status = rejection.status();
            if status == StatusCode::PAYLOAD_TOO_LARGE {
                return ApiError::new(status, "body_too_large", "the body is too large");
            }
            ApiError::new(status, "body_unreadable", rejection.body_text())
        })?,
        Err(_) => {
            let message = format!("the body took longer than {} s", BODY_WITHIN.as_secs());
            return Err(ApiError::new(
                StatusCode::REQUEST_TIMEOUT,
                "body_too_slow",
                message,
            ));
        }
    };
    if !typed && !bytes.is_empty() {
        let message = "send the body as `content-type: application/json`";
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not_json",
            message,
        ));
    }
    let text = if bytes.is_empty() {
        Bytes::from_static(b"{}")
    } else {
        bytes
    };
    match serde_json::from_slice(&text) {
        Ok(value) => Ok((value, text)),
        Err(error) => Err(refused::<T>(&text, error)),
    }
}

/// The answer to a body that is no `T`.
fn refused<T: DeserializeOwned>(text: &[u8], error: serde_json::Error) -> ApiError {
    let told = if error.is_data() {
        misread::body::<T>(text)
    } else {
        Err(error)
    };
    match told {
        Ok(invalid) => invalid.into(),
        Err(error) => ApiError::bad_request("bad_json", format!("the body is not JSON: {error}")),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
    else {
        return false;
    };
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
        || essence.to_ascii_lowercase().ends_with("+json")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::command_id;

    #[test]
    fn a_key_is_one_command_and_keeps_its_time() {
        let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
        let id = |key: Uuid, path: &str| command_id(key.to_string().as_bytes(), path);
        assert_eq!(id(one, "/a"), id(one, "/a"));
        assert_ne!(id(one, "/a"), id(one, "/b"));
        assert_ne!(id(one, "/a"), id(other, "/a"));
        assert_eq!(
            id(one, "/a").as_u128() >> 80,
            one.as_u128() >> 80,
            "the time is the key's"
        );
        assert_eq!(id(one, "/a").get_version_num(), 7);
        assert_eq!(command_id(b"order 66", "/a").get_version_num(), 5);
    }
}
