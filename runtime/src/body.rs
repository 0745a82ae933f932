//! Bodies on their way across the boundary, in both directions.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use hecate_abi::{Failed, Owned, PollStream, Stream};
use http_body::{Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;

use crate::instance::Instance;

/// Any error of a body.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of every response that leaves this process.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// A response body that the plugin makes: the part that was ready with the head, then its stream.
pub(crate) struct FromPlugin {
    first: Option<Bytes>,
    rest: Stream,
    _owner: Option<Arc<Instance>>,
}

impl FromPlugin {
    pub(crate) fn new(first: Owned, rest: Stream, owner: Option<Arc<Instance>>) -> Self {
        let first = (!first.is_empty()).then(|| Bytes::from_owner(first));
        Self {
            first,
            rest,
            _owner: owner,
        }
    }
}

impl http_body::Body for FromPlugin {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        self.rest.poll(cx.waker()).map(|frame| {
            Some(match frame? {
                Ok(frame) => Ok(Frame::data(Bytes::from_owner(frame))),
                Err(Failed) => Err("the plugin failed while it was sending".into()),
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && !self.rest.is_some()
    }

    fn size_hint(&self) -> SizeHint {
        let first = self.first.as_ref().map_or(0, |bytes| bytes.len() as u64);
        if self.rest.is_some() {
            let mut hint = SizeHint::new();
            hint.set_lower(first);
            return hint;
        }
        SizeHint::with_exact(first)
    }
}

/// A request body that the client is still sending, pulled by the plugin at its own pace.
pub(crate) struct ToPlugin<B>(pub(crate) B);

impl<B> PollStream for ToPlugin<B>
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
{
    fn poll(&mut self, waker: &Waker) -> Poll<Option<Result<Owned, Failed>>> {
        let mut cx = Context::from_waker(waker);
        loop {
            let Poll::Ready(frame) = Pin::new(&mut self.0).poll_frame(&mut cx) else {
                return Poll::Pending;
            };
            return Poll::Ready(match frame {
                None => None,
                Some(Err(_)) => Some(Err(Failed)),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => Some(Ok(Owned::new(data))),
                    Err(_trailers) => continue,
                },
            });
        }
    }
}
