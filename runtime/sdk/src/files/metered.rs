//! A request body that is counted, and that lets the parser behind it keep up.
//!
//! Whenever it is asked for anything, the parser first takes all that is ready, whatever it still has; and it looks for
//! the end of a part's headers however far away that is. Both would let a client fill the memory; here are the bounds.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::BoxError;
use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};

/// Bytes that the parser gets before it has to look at them.
const AT_ONCE_BYTES: usize = 256 * 1024;
/// Bytes that it may have looked at without finding a part, or a piece of one.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Counts a body, and remembers why it was ended.
pub(super) struct Meter(Mutex<Counts>);

struct Counts {
    max: u64,
    total: u64,
    /// Whether the parser may find something in what it has.
    has_more: bool,
    /// Given since it last found something.
    unparsed: usize,
    verdict: Option<Verdict>,
}

/// Why a body was ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    RequestTooLarge { max: u64 },
    HeadTooLarge { max: usize },
    BrokenOff,
}

#[derive(Debug, thiserror::Error)]
#[error("the body was ended: {0:?}")]
struct Ended(Verdict);

impl Meter {
    pub(super) fn new(max: u64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Counts {
            max,
            total: 0,
            has_more: false,
            unparsed: 0,
            verdict: None,
        })))
    }

    /// The parser has found a part, or a piece of one.
    pub(super) fn progress(&self) {
        let mut counts = self.counts();
        counts.has_more = true;
        counts.unparsed = 0;
    }

    pub(super) fn verdict(&self) -> Option<Verdict> {
        self.counts().verdict
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `body`, counted by `meter`.
pub(super) fn metered(body: Body, meter: Arc<Meter>) -> Body {
    Body::new(Metered {
        body,
        meter,
        at_once: 0,
    })
}

struct Metered {
    body: Body,
    meter: Arc<Meter>,
    at_once: usize,
}

impl HttpBody for Metered {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Self {
            body,
            meter,
            at_once,
        } = &mut *self;
        let mut counts = meter.counts();
        // It looks at what it has when there is nothing new, and asks again if that was not enough.
        if std::mem::take(&mut counts.has_more) || *at_once >= AT_ONCE_BYTES {
            *at_once = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if *at_once == 0 && counts.unparsed > MAX_HEAD_BYTES {
            let verdict = Verdict::HeadTooLarge {
                max: MAX_HEAD_BYTES,
            };
            return Poll::Ready(Some(Err(counts.end(verdict))));
        }
        let polled = Pin::new(body).poll_frame(cx);
        Poll::Ready(match polled {
            Poll::Pending => {
                *at_once = 0;
                return Poll::Pending;
            }
            Poll::Ready(None) => None,
            Poll::Ready(Some(Err(_))) => Some(Err(counts.end(Verdict::BrokenOff))),
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                *at_once += bytes;
                counts.unparsed += bytes;
                counts.total += bytes as u64;
                if counts.total > counts.max {
                    let verdict = Verdict::RequestTooLarge { max: counts.max };
                    return Poll::Ready(Some(Err(counts.end(verdict))));
                }
                Some(Ok(frame))
            }
        })
    }
}

impl Counts {
    fn end(&mut self, verdict: Verdict) -> BoxError {
        Ended(*self.verdict.get_or_insert(verdict)).into()
    }
}
