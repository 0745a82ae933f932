//! Answers on their way to the host, carried out on the plugin's runtime or on the host's thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hecate_abi::{Call, Failed, Header, Headers, Owned, PollCall, PollStream, Slice, Stream};
use http::{HeaderValue, StatusCode};
use http_body::Body as _;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::api::ApiError;

/// Frames of a response that may wait for the host.
const FRAMES_AHEAD: usize = 8;

/// A response in the parts that cross the boundary.
pub(super) struct Answer {
    pub(super) head: (StatusCode, Headers),
    pub(super) body: Owned,
    pub(super) stream: Stream,
}

impl Answer {
    fn into_abi(self) -> hecate_abi::Response {
        let (status, headers) = self.head;
        hecate_abi::Response {
            status: status.as_u16(),
            headers,
            body: self.body,
            stream: self.stream,
        }
    }

    /// Makes an answer whose stream, if there is one, is fed by a task of the plugin's own: a thread of the host
    /// never runs a handler's code.
    pub(super) async fn hop(response: Response) -> Self {
        let (head, mut body, first) = split(response).await;
        if body.is_end_stream() {
            return Self {
                head,
                body: first,
                stream: Stream::NONE,
            };
        }
        let (sender, frames) = mpsc::channel(FRAMES_AHEAD);
        tokio::spawn(async move {
            while let Some(frame) = next_frame(&mut body).await {
                let ended = frame.is_err();
                if sender.send(frame).await.is_err() || ended {
                    return;
                }
            }
        });
        Self {
            head,
            body: first,
            stream: Stream::new(Frames(frames)),
        }
    }

    /// Makes an answer whose stream is polled by the host's thread itself.
    fn direct(response: Response, handle: Handle) -> Self {
        let (parts, mut body) = response.into_parts();
        let head = head(parts.status, parts.headers);
        let first = match Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(Ok(frame))) => frame.into_data().map_or(Owned::EMPTY, Owned::new),
            Poll::Ready(None) => {
                return Self {
                    head,
                    body: Owned::EMPTY,
                    stream: Stream::NONE,
                };
            }
            _ => Owned::EMPTY,
        };
        if body.is_end_stream() {
            return Self {
                head,
                body: first,
                stream: Stream::NONE,
            };
        }
        Self {
            head,
            body: first,
            stream: Stream::new(DirectStream {
                body: Some(body),
                handle,
            }),
        }
    }
}

/// Head, body, and the frame that is ready at once: the head is never held back for one that is not.
async fn split(response: Response) -> ((StatusCode, Headers), Body, Owned) {
    let (parts, mut body) = response.into_parts();
    let head = head(parts.status, parts.headers);
    if body.is_end_stream() {
        return (head, body, Owned::EMPTY);
    }
    let polled = std::future::poll_fn(|cx| match Pin::new(&mut body).poll_frame(cx) {
        Poll::Ready(frame) => Poll::Ready(Some(frame)),
        Poll::Pending => Poll::Ready(None),
    })
    .await;
    match polled {
        None => (head, body, Owned::EMPTY),
        Some(None) => (head, Body::empty(), Owned::EMPTY),
        Some(Some(Ok(frame))) => (
            head,
            body,
            frame.into_data().map_or(Owned::EMPTY, Owned::new),
        ),
        Some(Some(Err(error))) => (head, failing(error), Owned::EMPTY),
    }
}

/// A body that only fails: its error has been polled out of the original already.
fn failing(error: axum::Error) -> Body {
    Body::from_stream(futures_util::stream::once(
        async move { Err::<Bytes, _>(error) },
    ))
}

async fn next_frame(body: &mut Body) -> Option<Result<Owned, Failed>> {
    loop {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await?;
        match frame.map(http_body::Frame::into_data) {
            Ok(Ok(data)) => return Some(Ok(Owned::new(data))),
            Ok(Err(_trailers)) => {}
            Err(_) => return Some(Err(Failed)),
        }
    }
}

pub(super) fn head(status: StatusCode, headers: http::HeaderMap) -> (StatusCode, Headers) {
    let headers = Headers::new(headers, |headers, list| {
        list.extend(headers.iter().map(|(name, value)| Header {
            name: Slice::of(name.as_str().as_bytes()),
            value: Slice::of(value.as_bytes()),
        }));
    });
    (status, headers)
}

pub(super) fn answered(status: StatusCode, code: &'static str, message: &str) -> Call {
    Call::new(Ready(Some(
        ApiError::new(status, code, message).into_response(),
    )))
}

/// An answer that is known at once.
struct Ready(Option<Response>);

impl PollCall for Ready {
    fn poll(&mut self, _: &Waker) -> Poll<Result<hecate_abi::Response, Failed>> {
        let response = self.0.take().ok_or(Failed)?;
        // A whole body: nothing in it needs a runtime.
        let mut answer = Box::pin(Answer::hop(response));
        match answer
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(answer) => Poll::Ready(Ok(answer.into_abi())),
            Poll::Pending => Poll::Ready(Err(Failed)),
        }
    }
}

/// A call on the plugin's own runtime. Dropping it ends the task.
pub(super) struct Hop(pub(super) JoinHandle<Answer>);

impl PollCall for Hop {
    fn poll(&mut self, waker: &Waker) -> Poll<Result<hecate_abi::Response, Failed>> {
        let joined = Pin::new(&mut self.0).poll(&mut Context::from_waker(waker));
        joined.map(|joined| match joined {
            Ok(answer) => Ok(answer.into_abi()),
            Err(error) if error.is_panic() => panicked(),
            Err(_) => Err(Failed),
        })
    }
}

impl Drop for Hop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The answer for a handler that panicked. The panic itself is in the log.
fn panicked() -> Result<hecate_abi::Response, Failed> {
    let body = br#"{"ok":false,"error":"the plugin panicked; the log says where","code":"plugin_panicked"}"#;
    let mut response = hecate_abi::Response::new(500, Owned::new(&body[..]));
    let json = http::HeaderMap::from_iter([(
        http::header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    )]);
    response.headers = head(StatusCode::INTERNAL_SERVER_ERROR, json).1;
    Ok(response)
}

/// A call on the host's thread, inside this plugin's runtime.
pub(super) struct Direct {
    pub(super) answer: Option<Pin<Box<dyn Future<Output = Response> + Send>>>,
    pub(super) handle: Handle,
}

impl PollCall for Direct {
    fn poll(&mut self, waker: &Waker) -> Poll<Result<hecate_abi::Response, Failed>> {
        let _inside = self.handle.enter();
        let Some(answer) = &mut self.answer else {
            return Poll::Ready(Err(Failed));
        };
        let polled = catch_unwind(AssertUnwindSafe(|| {
            answer.as_mut().poll(&mut Context::from_waker(waker))
        }));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(response)) => {
                Poll::Ready(Ok(Answer::direct(response, self.handle.clone()).into_abi()))
            }
            Err(_) => Poll::Ready(panicked()),
        }
    }
}

impl Drop for Direct {
    fn drop(&mut self) {
        let _inside = self.handle.enter();
        drop(self.answer.take());
    }
}

/// A body that a task of the plugin's feeds.
struct Frames(mpsc::Receiver<Result<Owned, Failed>>);

impl PollStream for Frames {
    fn poll(&mut self, waker: &Waker) -> Poll<Option<Result<Owned, Failed>>> {
        self.0.poll_recv(&mut Context::from_waker(waker))
    }
}

/// A body that the host's thread polls, inside this plugin's runtime.
struct DirectStream {
    body: Option<Body>,
    handle: Handle,
}

impl PollStream for DirectStream {
    fn poll(&mut self, waker: &Waker) -> Poll<Option<Result<Owned, Failed>>> {
        let _inside = self.handle.enter();
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        loop {
            return match Pin::new(&mut *body).poll_frame(&mut Context::from_waker(waker)) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(None) => Poll::Ready(None),
                Poll::Ready(Some(Err(_))) => Poll::Ready(Some(Err(Failed))),
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => Poll::Ready(Some(Ok(Owned::new(data)))),
                    Err(_trailers) => continue,
                },
            };
        }
    }
}

impl Drop for DirectStream {
    fn drop(&mut self) {
        let _inside = self.handle.enter();
        drop(self.body.take());
    }
}
