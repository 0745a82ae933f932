//! The plugin's side of the ABI: one exported function, and an instance behind it with a runtime of its own.
#![expect(unsafe_code, reason = "functions that the host calls through a table")]

use std::ffi::c_void;
use std::os::fd::{FromRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hecate_abi::{
    Call, Failed, Header, Headers, Host, Owned, PollCall, PollStream, Slice, Stream, control,
    level, mode, version,
};
pub use hecate_abi::{Host as AbiHost, NoteSection, Plugin as AbiPlugin};
use hecate_manifest::control::{Acquire, Refusal, StartConfig, StoreAsk};
use hecate_manifest::exchange::HopesAsk;
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use http_body::Body as _;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::Level;

use crate::api::ApiError;
use crate::messages::Messages;
use crate::paths::Paths;
use crate::plugin::Plugin;
use crate::running::{Running, StartError};
use crate::store::BoxFuture;
use crate::{logger, metrics};

/// How often the host gets the metrics.
const METRICS_EVERY: Duration = Duration::from_secs(1);
/// Frames of a response that may wait for the host.
const FRAMES_AHEAD: usize = 8;

/// Makes the library of this crate a plugin: exports the entry point, and writes the note that hosts read first.
///
/// ```
/// use hecate_sdk::plugin::{InitError, Plugin, PluginContext};
///
/// struct MyPlugin;
///
/// impl Plugin for MyPlugin {
///     fn manifest() -> &'static str {
///         r#"{"name": "my-plugin", "version": "0.1.0", "plugin_type": "in_vm"}"#
///     }
///
///     async fn init(_: PluginContext) -> Result<Self, InitError> {
///         Ok(Self)
///     }
/// }
///
/// hecate_sdk::export_plugin!(MyPlugin);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_plugin {
    ($plugin:ty) => {
        #[used]
        #[unsafe(link_section = ".note.hecate")]
        static HECATE_NOTE: $crate::export::NoteSection = $crate::export::NoteSection::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            $crate::SDK_VERSION,
            $crate::RUSTC_VERSION,
        );

        /// What the host calls to make an instance of this plugin.
        ///
        /// # Safety
        ///
        /// `host` is a valid table for as long as the instance lives.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn hecate_plugin_entry(
            host: *const $crate::export::AbiHost,
        ) -> *const $crate::export::AbiPlugin {
            // SAFETY: by the contract of this function.
            unsafe { $crate::export::entry::<$plugin>(host) }
        }
    };
}

/// The body of the exported function.
///
/// # Safety
///
/// `host` is a valid table for as long as the instance lives.
pub unsafe fn entry<P: Plugin>(host: *const Host) -> *const AbiPlugin {
    let make = || {
        // SAFETY: the number comes first in every version of the table.
        if host.is_null() || unsafe { (*host).abi } != version::CURRENT {
            return None;
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("plugin")
            .enable_all()
            .build()
            .ok()?;
        let inner = Arc::new(Inner {
            host: HostTable(host),
            running: OnceLock::new(),
            start: start::<P>,
        });
        let data = Box::into_raw(Box::new(Instance {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
            inner,
        }));
        Some(Box::into_raw(Box::new(AbiPlugin {
            abi: version::CURRENT,
            size: size_of::<AbiPlugin>() as u32,
            data: data.cast(),
            call,
            control: operate,
            serve_fd,
            drop: drop_instance,
        })))
    };
    let made = catch_unwind(AssertUnwindSafe(make)).ok().flatten();
    made.map_or(ptr::null(), <*mut AbiPlugin>::cast_const)
}

/// The host's table. Lives for the life of the process, says the host.
#[derive(Clone, Copy)]
struct HostTable(*const Host);

// SAFETY: any thread may call the host's functions, says the ABI.
unsafe impl Send for HostTable {}
// SAFETY: as above.
unsafe impl Sync for HostTable {}

impl HostTable {
    const fn table(&self) -> &Host {
        // SAFETY: valid by the contract of `entry`.
        unsafe { &*self.0 }
    }

    fn push_metrics(&self) {
        if let Ok(snapshot) = serde_json::to_vec(&metrics::store().snapshot()) {
            // SAFETY: the snapshot outlives the call.
            unsafe { (self.table().metrics)(self.table().data, Slice::of(&snapshot)) }
        }
    }
}

impl logger::LogSink for HostTable {
    fn log(&self, level: Level, line: &str) {
        let level = match level {
            Level::ERROR => level::ERROR,
            Level::WARN => level::WARN,
            Level::INFO => level::INFO,
            Level::DEBUG => level::DEBUG,
            Level::TRACE => level::TRACE,
        };
        // SAFETY: the line outlives the call.
        unsafe { (self.table().log)(self.table().data, level, Slice::of(line.as_bytes())) }
    }

    fn max_level(&self) -> Level {
        match self.table().max_level {
            level::ERROR => Level::ERROR,
            level::WARN => Level::WARN,
            level::INFO => Level::INFO,
            level::DEBUG => Level::DEBUG,
            _ => Level::TRACE,
        }
    }
}

struct Instance {
    runtime: Option<Runtime>,
    handle: Handle,
    inner: Arc<Inner>,
}

struct Inner {
    host: HostTable,
    running: OnceLock<(Arc<Running>, Paths)>,
    start: fn(StartConfig) -> BoxFuture<'static, Result<Running, StartError>>,
}

fn start<P: Plugin>(config: StartConfig) -> BoxFuture<'static, Result<Running, StartError>> {
    Box::pin(async move { Running::start::<P>(&config).await })
}

unsafe extern "C" fn call(data: *mut c_void, how: u32, request: *mut hecate_abi::Request) -> Call {
    let begin = || {
        // SAFETY: our own instance, and a request that is valid for this call.
        let (instance, request) = unsafe { (&*data.cast::<Instance>(), &mut *request) };
        let Some((running, _)) = instance.inner.running.get() else {
            return answered(
                StatusCode::SERVICE_UNAVAILABLE,
                "plugin_starting",
                "the plugin has not started yet",
            );
        };
        // SAFETY: this is the call that the request was passed to.
        let Some(request) = (unsafe { into_http(request) }) else {
            return answered(
                StatusCode::BAD_REQUEST,
                "bad_request",
                "the request is not HTTP",
            );
        };
        let running = running.clone();
        let handle = instance.handle.clone();
        if how == mode::DIRECT {
            let answer = Box::pin(async move { running.respond(request).await });
            return Call::new(Direct {
                answer: Some(answer),
                handle,
            });
        }
        let task = handle.spawn(async move { Answer::hop(running.respond(request).await).await });
        Call::new(Hop(task))
    };
    catch_unwind(AssertUnwindSafe(begin)).unwrap_or(Call::FAILED)
}

unsafe extern "C" fn operate(data: *mut c_void, operation: u32, payload: Slice) -> Call {
    let begin = || {
        // SAFETY: our own instance, and a payload that is valid for this call.
        let (instance, payload) = unsafe { (&*data.cast::<Instance>(), payload.bytes().to_vec()) };
        let work = carry_out(instance.inner.clone(), operation, payload);
        let task = instance.handle.spawn(async move {
            let (status, body) = match work.await {
                Ok(body) => (StatusCode::OK, body),
                Err(StartError(error)) => (
                    StatusCode::CONFLICT,
                    serde_json::to_vec(&Refusal { error }).unwrap_or_default(),
                ),
            };
            Answer {
                head: head(status, http::HeaderMap::new()),
                body: Owned::new(body),
                stream: Stream::NONE,
            }
        });
        Call::new(Hop(task))
    };
    catch_unwind(AssertUnwindSafe(begin)).unwrap_or(Call::FAILED)
}

async fn carry_out(
    inner: Arc<Inner>,
    operation: u32,
    payload: Vec<u8>,
) -> Result<Vec<u8>, StartError> {
    let unreadable =
        |error: serde_json::Error| StartError(format!("the payload cannot be read: {error}"));
    let not_running = || StartError("the plugin has not started".to_owned());
    let done = || Ok(b"null".to_vec());
    match operation {
        control::START => {
            let config: StartConfig = serde_json::from_slice(&payload).map_err(unreadable)?;
            let paths = Paths::of(&config);
            metrics::install();
            logger::install(Arc::new(inner.host), "");
            let running = (inner.start)(config).await?;
            logger::install(Arc::new(inner.host), &running.started.name);
            let started = serde_json::to_vec(&running.started).map_err(unreadable)?;
            inner
                .running
                .set((Arc::new(running), paths))
                .map_err(|_| StartError("it has started before".to_owned()))?;
            let host = inner.host;
            tokio::spawn(async move {
                loop {
                    host.push_metrics();
                    tokio::time::sleep(METRICS_EVERY).await;
                }
            });
            Ok(started)
        }
        control::ACQUIRE_STORE => {
            let Acquire { epoch } = serde_json::from_slice(&payload).map_err(unreadable)?;
            let (running, paths) = inner.running.get().ok_or_else(not_running)?;
            running.acquire(paths, epoch).await?;
            done()
        }
        control::RELEASE_STORE => {
            inner
                .running
                .get()
                .ok_or_else(not_running)?
                .0
                .release()
                .await;
            done()
        }
        control::HEALTH => {
            let health = inner.running.get().ok_or_else(not_running)?.0.health();
            serde_json::to_vec(&health).map_err(unreadable)
        }
        control::STORE => {
            let ask: StoreAsk = serde_json::from_slice(&payload).map_err(unreadable)?;
            let (running, paths) = inner.running.get().ok_or_else(not_running)?;
            let answer = running.look_after(paths, &ask).await?;
            serde_json::to_vec(&answer).map_err(unreadable)
        }
        control::FACTS
        | control::DELIVER
        | control::HOPES
        | control::ANSWER
        | control::FEEDBACK => {
            let (running, _) = inner.running.get().ok_or_else(not_running)?;
            exchange(running.messages(), operation, &payload).await
        }
        control::SHUTDOWN => {
            if let Some((running, _)) = inner.running.get() {
                running.shutdown().await;
            }
            done()
        }
        other => Err(StartError(format!(
            "operation {other} is not known to this SDK"
        ))),
    }
}

/// What concerns other plugins.
async fn exchange(
    messages: &Messages,
    operation: u32,
    payload: &[u8],
) -> Result<Vec<u8>, StartError> {
    fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T, StartError> {
        serde_json::from_slice(payload)
            .map_err(|error| StartError(format!("the payload cannot be read: {error}")))
    }
    fn written(answer: &impl Serialize) -> Result<Vec<u8>, StartError> {
        serde_json::to_vec(answer)
            .map_err(|error| StartError(format!("the answer cannot be written: {error}")))
    }
    match operation {
        control::FACTS => written(&messages.facts(read(payload)?).await?),
        control::DELIVER => written(&messages.deliver(read(payload)?).await?),
        control::HOPES => {
            let HopesAsk { wait_ms } = read(payload)?;
            written(&messages.hopes(Duration::from_millis(wait_ms)).await)
        }
        control::ANSWER => written(&messages.answer(read(payload)?).await.map_err(StartError)?),
        _ => {
            messages.feedback(read(payload)?);
            written(&())
        }
    }
}

unsafe extern "C" fn serve_fd(data: *mut c_void, fd: i32) -> i32 {
    let serve = || {
        // SAFETY: our own instance, and a descriptor that is ours from here on.
        let (instance, fd) = unsafe { (&*data.cast::<Instance>(), OwnedFd::from_raw_fd(fd)) };
        let (running, _) = instance.inner.running.get()?;
        let (running, stream) = (running.clone(), std::os::unix::net::UnixStream::from(fd));
        stream.set_nonblocking(true).ok()?;
        instance.handle.spawn(async move {
            let Ok(stream) = tokio::net::UnixStream::from_std(stream) else {
                return;
            };
            let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                let running = running.clone();
                async move {
                    Ok::<_, std::convert::Infallible>(running.respond(request.map(Body::new)).await)
                }
            });
            // A connection that breaks off is the client's affair.
            _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades()
                .await;
        });
        Some(())
    };
    if catch_unwind(AssertUnwindSafe(serve))
        .ok()
        .flatten()
        .is_some()
    {
        0
    } else {
        -1
    }
}

unsafe extern "C" fn drop_instance(data: *mut c_void) {
    let end = || {
        // SAFETY: our own instance, and the host's last use of it.
        let mut instance = unsafe { Box::from_raw(data.cast::<Instance>()) };
        if let Some(runtime) = instance.runtime.take() {
            runtime.shutdown_background();
        }
    };
    // A panic while ending leaves nothing to answer.
    _ = catch_unwind(AssertUnwindSafe(end));
}

/// A response in the parts that cross the boundary.
struct Answer {
    head: (StatusCode, Headers),
    body: Owned,
    stream: Stream,
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
    async fn hop(response: Response) -> Self {
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

fn head(status: StatusCode, headers: http::HeaderMap) -> (StatusCode, Headers) {
    let headers = Headers::new(headers, |headers, list| {
        list.extend(headers.iter().map(|(name, value)| Header {
            name: Slice::of(name.as_str().as_bytes()),
            value: Slice::of(value.as_bytes()),
        }));
    });
    (status, headers)
}

fn answered(status: StatusCode, code: &'static str, message: &str) -> Call {
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
struct Hop(JoinHandle<Answer>);

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
struct Direct {
    answer: Option<Pin<Box<dyn Future<Output = Response> + Send>>>,
    handle: Handle,
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

/// # Safety
///
/// Only during the call that `request` was passed to.
unsafe fn into_http(request: &mut hecate_abi::Request) -> Option<Request> {
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
