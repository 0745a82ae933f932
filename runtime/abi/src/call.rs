//! What is polled across the boundary: a call in flight and a body that is still being made.
#![expect(unsafe_code, reason = "function tables shared with another library")]

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{self, Poll};
use std::{mem, ptr};

use crate::owned::{Owned, Response};
use crate::waker::{self, Waker};

/// The other side failed without an answer: it panicked, or its task was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed;

/// A request that has not been answered yet, implemented by the side that answers.
pub trait PollCall: Send + 'static {
    /// Gives the response when it is there; not polled again after that.
    fn poll(&mut self, waker: &task::Waker) -> Poll<Result<Response, Failed>>;
}

/// A body that is still being made, implemented by the side that makes it.
pub trait PollStream: Send + 'static {
    /// Gives the next frame, or `None` at the end; not polled again after the end or a failure.
    fn poll(&mut self, waker: &task::Waker) -> Poll<Option<Result<Owned, Failed>>>;
}

const PENDING: i32 = 0;
const READY: i32 = 1;
const END: i32 = 2;
const FAILED: i32 = 3;

/// A call in flight. Polled by the caller; dropping it cancels the call.
#[repr(C)]
pub struct Call {
    data: *mut c_void,
    poll: Option<unsafe extern "C" fn(*mut c_void, *const Waker, *mut Response) -> i32>,
    drop: Option<unsafe extern "C" fn(*mut c_void)>,
}

// SAFETY: made only from `Send` values.
unsafe impl Send for Call {}

impl Call {
    /// A call that fails at the first poll.
    pub const FAILED: Self = Self {
        data: ptr::null_mut(),
        poll: None,
        drop: None,
    };

    /// Hands `call` over to the caller.
    pub fn new<C: PollCall>(call: C) -> Self {
        let data = Box::into_raw(Box::new(call)).cast();
        Self {
            data,
            poll: Some(poll_call::<C>),
            drop: Some(drop_boxed::<C>),
        }
    }

    /// Polls the other side.
    ///
    /// # Errors
    ///
    /// [`Failed`] if the other side panicked, answered out of contract, or is polled after its answer.
    pub fn poll(&mut self, waker: &task::Waker) -> Poll<Result<Response, Failed>> {
        let Some(poll) = self.poll else {
            return Poll::Ready(Err(Failed));
        };
        let mut response = Response::new(0, Owned::EMPTY);
        // SAFETY: `data` and `poll` were made together; the waker lives for the call.
        match waker::lend(waker, |waker| unsafe {
            poll(self.data, waker, &raw mut response)
        }) {
            PENDING => return Poll::Pending,
            READY => {}
            _ => {
                self.poll = None;
                return Poll::Ready(Err(Failed));
            }
        }
        self.poll = None;
        Poll::Ready(Ok(response))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(drop) = self.drop.take() {
            // SAFETY: `data` and `drop` were made together, and this runs once.
            unsafe { drop(self.data) }
        }
    }
}

/// A body that is still being made. Polled by the reader; dropping it gives it up.
#[repr(C)]
pub struct Stream {
    data: *mut c_void,
    poll: Option<unsafe extern "C" fn(*mut c_void, *const Waker, *mut Owned) -> i32>,
    drop: Option<unsafe extern "C" fn(*mut c_void)>,
}

// SAFETY: made only from `Send` values.
unsafe impl Send for Stream {}

impl Stream {
    /// No stream: the body is complete without it.
    pub const NONE: Self = Self {
        data: ptr::null_mut(),
        poll: None,
        drop: None,
    };

    /// Hands `stream` over to the reader.
    pub fn new<S: PollStream>(stream: S) -> Self {
        let data = Box::into_raw(Box::new(stream)).cast();
        Self {
            data,
            poll: Some(poll_stream::<S>),
            drop: Some(drop_boxed::<S>),
        }
    }

    /// Whether there is a stream at all.
    pub const fn is_some(&self) -> bool {
        self.poll.is_some()
    }

    /// Polls the other side; after the end it stays at the end.
    pub fn poll(&mut self, waker: &task::Waker) -> Poll<Option<Result<Owned, Failed>>> {
        let Some(poll) = self.poll else {
            return Poll::Ready(None);
        };
        let mut frame = Owned::EMPTY;
        // SAFETY: `data` and `poll` were made together; the waker lives for the call.
        match waker::lend(waker, |waker| unsafe {
            poll(self.data, waker, &raw mut frame)
        }) {
            PENDING => Poll::Pending,
            READY => Poll::Ready(Some(Ok(frame))),
            END => {
                self.poll = None;
                Poll::Ready(None)
            }
            _ => {
                self.poll = None;
                Poll::Ready(Some(Err(Failed)))
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(drop) = self.drop.take() {
            // SAFETY: `data` and `drop` were made together, and this runs once.
            unsafe { drop(self.data) }
        }
    }
}

unsafe extern "C" fn poll_call<C: PollCall>(
    data: *mut c_void,
    waker: *const Waker,
    out: *mut Response,
) -> i32 {
    // SAFETY: `data` is the boxed `C` of this call; `waker` and `out` are valid for the poll.
    let polled =
        caught(|| unsafe { waker::borrow(waker, |waker| (*data.cast::<C>()).poll(waker)) });
    match polled {
        Some(Poll::Pending) => PENDING,
        Some(Poll::Ready(Ok(response))) => {
            // SAFETY: `out` holds an empty response that owns nothing.
            unsafe { out.write(response) };
            READY
        }
        Some(Poll::Ready(Err(Failed))) | None => FAILED,
    }
}

unsafe extern "C" fn poll_stream<S: PollStream>(
    data: *mut c_void,
    waker: *const Waker,
    out: *mut Owned,
) -> i32 {
    // SAFETY: `data` is the boxed `S` of this stream; `waker` and `out` are valid for the poll.
    let polled =
        caught(|| unsafe { waker::borrow(waker, |waker| (*data.cast::<S>()).poll(waker)) });
    match polled {
        Some(Poll::Pending) => PENDING,
        Some(Poll::Ready(Some(Ok(frame)))) => {
            // SAFETY: `out` holds empty bytes that own nothing.
            unsafe { out.write(frame) };
            READY
        }
        Some(Poll::Ready(None)) => END,
        Some(Poll::Ready(Some(Err(Failed)))) | None => FAILED,
    }
}

unsafe extern "C" fn drop_boxed<T>(data: *mut c_void) {
    // SAFETY: `data` is a `Box<T>` made in this module and dropped once.
    let boxed = unsafe { Box::from_raw(data.cast::<T>()) };
    caught(|| drop(boxed));
}

/// Runs `f` and stops a panic here: it may not unwind into the other side, which would abort the process.
pub(crate) fn caught<R>(f: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(f))
        .inspect_err(|_| ())
        .map_err(mem::forget) // a panic payload may panic when dropped
        .ok()
}
