//! A started plugin: control operations, calls, and the count of what it is working on.
#![expect(unsafe_code, reason = "calls through the plugin's function table")]

use std::future::poll_fn;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hecate_abi::{Call, Failed, Owned, Plugin, Slice, Stream, control, mode, version};
use hecate_manifest::control::{Acquire, Health, Refusal, StoreAsk};
pub use hecate_manifest::control::{StartConfig, Started};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Notify;

use crate::body::{Body, BoxError, FromPlugin, ToPlugin};
use crate::library::Library;
use crate::{HostSink, host, reply};

/// Request bodies up to this size travel with the head, in one call.
const INLINE_BODY_BYTES: u64 = 64 * 1024;

/// How requests are carried out in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// On the plugin's own runtime: a handler that blocks stalls its plugin alone.
    Hop,
    /// On the thread that serves the connection, for a plugin that never blocks.
    Direct,
}

/// What a plugin is asked that takes part in an exchange with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchanging {
    /// Facts of its outbox.
    Facts,
    /// To take facts in.
    Deliver,
    /// The hopes that it wants to send.
    Hopes,
    /// To answer a hope.
    Answer,
    /// To hear what came of a hope.
    Feedback,
}

/// A started plugin instance. Dropping it ends it; [`Instance::shutdown`] first, or requests in flight fail.
pub struct Instance {
    plugin: NonNull<Plugin>,
    mode: Mode,
    library: Arc<Library>,
    working: AtomicUsize,
    sockets: AtomicUsize,
    idle: Notify,
}

// SAFETY: the table's functions may be called on any thread, says the ABI.
unsafe impl Send for Instance {}
// SAFETY: as above.
unsafe impl Sync for Instance {}

/// Why a control operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The plugin made no instance: its entry refused our table.
    #[error(
        "the plugin's entry point refused this host (ABI {})",
        version::CURRENT
    )]
    Entry,
    /// The plugin said no, with its reason.
    #[error("{0}")]
    Refused(String),
    /// It panicked or broke off.
    #[error("the plugin panicked during `{0}`")]
    Failed(&'static str),
    /// It took longer than it may.
    #[error("the plugin did not finish `{operation}` within {} s", limit.as_secs_f32())]
    Deadline {
        /// What it was doing.
        operation: &'static str,
        /// How long it may take.
        limit: Duration,
    },
    /// Its answer was not of the agreed form.
    #[error("the plugin's answer to `{0}` is not of the agreed form")]
    Answer(&'static str),
}

impl Instance {
    /// Makes an instance of `library` and starts it: `init`, routes, divisions. No database is opened.
    ///
    /// # Errors
    ///
    /// [`ControlError`]; the instance is gone again, the library stays mapped.
    pub async fn start(
        library: Arc<Library>,
        sink: Box<dyn HostSink>,
        mode: Mode,
        config: &StartConfig,
        limit: Duration,
    ) -> Result<(Self, Started), ControlError> {
        let table = host::table(sink);
        // SAFETY: the entry has this type, and the host table lives for ever.
        let plugin = unsafe { library.entry()(table) };
        let plugin = NonNull::new(plugin.cast_mut()).ok_or(ControlError::Entry)?;
        let (working, sockets) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let instance = Self {
            plugin,
            mode,
            library,
            working,
            sockets,
            idle: Notify::new(),
        };
        let started = instance
            .control("start", control::START, config, limit)
            .await?;
        Ok((instance, started))
    }

    /// Opens the stores as the writer of `epoch`.
    ///
    /// # Errors
    ///
    /// [`ControlError`]; no database is open then.
    pub async fn acquire_store(&self, epoch: u64, limit: Duration) -> Result<(), ControlError> {
        self.control(
            "acquire_store",
            control::ACQUIRE_STORE,
            &Acquire { epoch },
            limit,
        )
        .await
    }

    /// Ends all writing, closes every database connection, and returns when that is confirmed.
    ///
    /// # Errors
    ///
    /// [`ControlError`]; the databases may still be open.
    pub async fn release_store(&self, limit: Duration) -> Result<(), ControlError> {
        self.control("release_store", control::RELEASE_STORE, &(), limit)
            .await
    }

    /// The plugin's own health.
    ///
    /// # Errors
    ///
    /// [`ControlError`] if it does not answer.
    pub async fn health(&self, limit: Duration) -> Result<Health, ControlError> {
        self.control("health", control::HEALTH, &(), limit).await
    }

    /// Looks after the stores; the answer is the plugin's, a JSON object.
    ///
    /// # Errors
    ///
    /// [`ControlError`]; the stores are as they were.
    pub async fn look_after(&self, ask: &StoreAsk, limit: Duration) -> Result<Value, ControlError> {
        self.control("store", control::STORE, ask, limit).await
    }

    /// Asks what concerns other plugins; payload and answer are those of `hecate_manifest::exchange`.
    ///
    /// # Errors
    ///
    /// [`ControlError`].
    pub async fn exchange<P, R>(
        &self,
        what: Exchanging,
        payload: &P,
        limit: Duration,
    ) -> Result<R, ControlError>
    where
        P: Serialize + Sync,
        R: DeserializeOwned,
    {
        let (name, operation) = match what {
            Exchanging::Facts => ("facts", control::FACTS),
            Exchanging::Deliver => ("deliver", control::DELIVER),
            Exchanging::Hopes => ("hopes", control::HOPES),
            Exchanging::Answer => ("answer", control::ANSWER),
            Exchanging::Feedback => ("feedback", control::FEEDBACK),
        };
        self.control(name, operation, payload, limit).await
    }

    /// Ends streams and sockets, and stops the plugin.
    ///
    /// # Errors
    ///
    /// [`ControlError`]; dropping the instance ends it all the same.
    pub async fn shutdown(&self, limit: Duration) -> Result<(), ControlError> {
        self.control("shutdown", control::SHUTDOWN, &(), limit)
            .await
    }

    /// The library it runs.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// Counts one request as being worked on, until the guard is dropped: when its head is sent.
    pub fn enter(self: &Arc<Self>) -> Working {
        self.working.fetch_add(1, Ordering::SeqCst);
        Working(self.clone())
    }

    /// Number of requests that the plugin has not answered yet. Streams whose head was sent do not count.
    pub fn working(&self) -> usize {
        self.working.load(Ordering::SeqCst)
    }

    /// Number of open WebSockets and other upgraded connections.
    pub fn sockets(&self) -> usize {
        self.sockets.load(Ordering::SeqCst)
    }

    /// Waits until no request is being worked on, or `limit` has passed; says which.
    pub async fn idle(&self, limit: Duration) -> bool {
        let wait = async {
            loop {
                let notified = self.idle.notified();
                if self.working() == 0 {
                    return;
                }
                notified.await;
            }
        };
        tokio::time::timeout(limit, wait).await.is_ok()
    }

    /// Calls the plugin with `request`; `target` is the path and query that it sees.
    ///
    /// Never fails: what goes wrong is an answer in the envelope.
    pub async fn call<B>(self: &Arc<Self>, request: Request<B>, target: &str) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
    {
        let (parts, body) = request.into_parts();
        let (body, stream) = match body.size_hint().exact() {
            Some(0) => (Owned::EMPTY, Stream::NONE),
            Some(len) if len <= INLINE_BODY_BYTES => match body.collect().await {
                Ok(whole) => (Owned::new(whole.to_bytes()), Stream::NONE),
                Err(_) => {
                    return reply::error(
                        StatusCode::BAD_REQUEST,
                        "body_incomplete",
                        "the request body broke off",
                    );
                }
            },
            _ => (Owned::EMPTY, Stream::new(ToPlugin(body))),
        };
        let mut call = self.begin(&parts, target, body, stream);
        match poll_fn(|cx| call.poll(cx.waker())).await {
            Ok(answer) => into_http(answer, self),
            Err(Failed) => reply::error(
                StatusCode::BAD_GATEWAY,
                "plugin_failed",
                "the plugin failed to answer",
            ),
        }
    }

    pub(crate) fn count_socket(self: &Arc<Self>) -> Socket {
        self.sockets.fetch_add(1, Ordering::SeqCst);
        Socket(self.clone())
    }

    /// Hands a connected stream socket to the plugin, which serves HTTP/1.1 with upgrades on it.
    pub(crate) fn serve_fd(&self, fd: std::os::fd::OwnedFd) -> bool {
        use std::os::fd::IntoRawFd;
        // SAFETY: the table is alive as long as `self`; the descriptor is the plugin's from here on.
        unsafe { (self.table().serve_fd)(self.table().data, fd.into_raw_fd()) == 0 }
    }

    fn begin(
        &self,
        parts: &http::request::Parts,
        target: &str,
        body: Owned,
        stream: Stream,
    ) -> Call {
        let mut headers = Vec::with_capacity(parts.headers.len());
        for (name, value) in &parts.headers {
            if !is_hop_by_hop(name) {
                let (name, value) = (
                    Slice::of(name.as_str().as_bytes()),
                    Slice::of(value.as_bytes()),
                );
                headers.push(hecate_abi::Header { name, value });
            }
        }
        let method = parts.method.as_str().as_bytes();
        let mut request =
            hecate_abi::Request::new(method, target.as_bytes(), &headers, body, stream);
        let mode = match self.mode {
            Mode::Hop => mode::HOP,
            Mode::Direct => mode::DIRECT,
        };
        // SAFETY: the table is alive as long as `self`; the request's head outlives the call.
        unsafe { (self.table().call)(self.table().data, mode, &raw mut request) }
    }

    async fn control<P: Serialize + Sync, R: DeserializeOwned>(
        &self,
        name: &'static str,
        operation: u32,
        payload: &P,
        limit: Duration,
    ) -> Result<R, ControlError> {
        let payload = serde_json::to_vec(payload).map_err(|_| ControlError::Answer(name))?;
        // SAFETY: the table is alive as long as `self`; the payload outlives the call.
        let mut call =
            unsafe { (self.table().control)(self.table().data, operation, Slice::of(&payload)) };
        let answer = tokio::time::timeout(limit, poll_fn(|cx| call.poll(cx.waker())))
            .await
            .map_err(|_| ControlError::Deadline {
                operation: name,
                limit,
            })?
            .map_err(|Failed| ControlError::Failed(name))?;
        if answer.status != 200 {
            let refusal: Refusal = serde_json::from_slice(answer.body.as_ref())
                .map_err(|_| ControlError::Answer(name))?;
            return Err(ControlError::Refused(refusal.error));
        }
        serde_json::from_slice(answer.body.as_ref()).map_err(|_| ControlError::Answer(name))
    }

    const fn table(&self) -> &Plugin {
        // SAFETY: made by the plugin's entry, ended only by our `drop`.
        unsafe { self.plugin.as_ref() }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let (drop, data) = (self.table().drop, self.table().data);
        // SAFETY: once, and nothing uses the table after it.
        unsafe { drop(data) }
    }
}

/// A request that the plugin is working on.
pub struct Working(Arc<Instance>);

impl Drop for Working {
    fn drop(&mut self) {
        if self.0.working.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

/// An open socket; keeps its instance alive.
pub(crate) struct Socket(Arc<Instance>);

impl Drop for Socket {
    fn drop(&mut self) {
        self.0.sockets.fetch_sub(1, Ordering::SeqCst);
    }
}

fn into_http(answer: hecate_abi::Response, instance: &Arc<Instance>) -> Response<Body> {
    let bad = |what: &str| {
        let message = format!("the plugin answered with {what}");
        reply::error(StatusCode::BAD_GATEWAY, "plugin_answer_invalid", &message)
    };
    let Ok(status) = StatusCode::from_u16(answer.status) else {
        return bad("a status that is none");
    };
    let mut headers = HeaderMap::new();
    for (name, value) in answer.headers.iter() {
        let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        else {
            return bad("a header that is none");
        };
        if !is_hop_by_hop(&name) {
            headers.append(name, value);
        }
    }
    // What is streamed needs its instance until the end.
    let owner = answer.stream.is_some().then(|| instance.clone());
    let mut response = Response::new(reply::boxed(FromPlugin::new(
        answer.body,
        answer.stream,
        owner,
    )));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Headers that belong to one connection and do not travel on.
fn is_hop_by_hop(name: &HeaderName) -> bool {
    *name == header::CONNECTION
        || *name == header::TRANSFER_ENCODING
        || *name == header::UPGRADE
        || *name == header::TE
        || *name == header::TRAILER
        || *name == header::PROXY_AUTHENTICATE
        || *name == header::PROXY_AUTHORIZATION
        || name.as_str() == "keep-alive"
        || name.as_str() == "proxy-connection"
}
