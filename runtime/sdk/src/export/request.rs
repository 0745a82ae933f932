//! Requests on their way from the host.
#![expect(unsafe_code, reason = "reads what the host lends for the call")]

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use hecate_abi::{Failed, Owned, Stream};
use http::{HeaderName, HeaderValue, Method, Uri};

/// # Safety
///
/// Only during the call that `request` was passed to.
pub(super) unsafe fn into_http(request: &mut hecate_abi::Request) -> Option<Request> {
    // SAFETY: by the contract of this function.
    let (method, uri) = unsafe { (request.method(), request.uri()) };
    let mut http = http::Request::new(Body::empty());
    *http.method_mut() = Method::from_bytes(method).ok()?;
    *http.uri_mut() = Uri::try_from(uri).ok()?;
    let headers = http.headers_mut();
    // SAFETY: as above.
    for (name, value) in unsafe { request.headers() } {
        headers.append(
            HeaderName::from_bytes(name).ok()?,
            HeaderValue::from_bytes(value).ok()?,
        );
    }
    let body = std::mem::replace(&mut request.body, Owned::EMPTY);
    let stream = std::mem::replace(&mut request.stream, Stream::NONE);
    *http.body_mut() = if stream.is_some() {
        Body::new(FromHost {
            first: (!body.is_empty()).then_some(body),
            rest: stream,
        })
    } else if body.is_empty() {
        Body::empty()
    } else {
        Body::from(Bytes::from_owner(body))
    };
    Some(http)
}

/// A request body that the host pulls from the client.
struct FromHost {
    first: Option<Owned>,
    rest: Stream,
}

impl http_body::Body for FromHost {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::BoxError>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(http_body::Frame::data(Bytes::from_owner(first)))));
        }
        self.rest.poll(cx.waker()).map(|frame| {
            Some(match frame? {
                Ok(frame) => Ok(http_body::Frame::data(Bytes::from_owner(frame))),
                Err(Failed) => Err("the request body broke off".into()),
            })
        })
    }
}
