//! The one JSON envelope of every answer that the host makes itself:
//! `{"ok":true, …}` or `{"ok":false,"error":"…","code":"…"}`.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use serde_json::{Map, Value, json};

use crate::body::{Body, BoxError};

/// An answer `{"ok":true, …fields}`; `fields` must be an object.
pub fn ok(status: StatusCode, fields: Value) -> Response<Body> {
    let mut object = Map::from_iter([("ok".to_owned(), Value::Bool(true))]);
    if let Value::Object(fields) = fields {
        object.extend(fields);
    }
    json(status, &Value::Object(object))
}

/// An answer `{"ok":false,"error":message,"code":code}`: the message for people, the stable code for programs.
pub fn error(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    json(
        status,
        &json!({"ok": false, "error": message, "code": code}),
    )
}

/// An answer with `value` as it is.
pub fn json(status: StatusCode, value: &Value) -> Response<Body> {
    let mut response = Response::new(full(value.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

/// A body that is there as a whole.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    boxed(Full::new(bytes.into()))
}

/// Any body in the form that leaves this process.
pub fn boxed<B>(body: B) -> Body
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    body.map_err(Into::into).boxed_unsync()
}
