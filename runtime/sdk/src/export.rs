//! The plugin's side of the ABI: one exported function, and an instance behind it with a runtime of its own.
#![expect(unsafe_code, reason = "functions that the host calls through a table")]

mod answer;
mod control;
mod request;

use std::ffi::c_void;
use std::os::fd::{FromRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, OnceLock};

use axum::body::Body;
use hecate_abi::{Call, Host, Owned, Slice, Stream, level, mode, version};
pub use hecate_abi::{Host as AbiHost, NoteSection, Plugin as AbiPlugin};
use hecate_manifest::control::{Refusal, StartConfig};
use http::StatusCode;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::runtime::{Builder, Handle, Runtime};
use tracing::Level;

use answer::{Answer, Direct, Hop, answered, head};
use control::carry_out;
use request::into_http;

use crate::paths::Paths;
use crate::plugin::Plugin;
use crate::running::{Running, StartError};
use crate::store::BoxFuture;
use crate::{logger, metrics};

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
