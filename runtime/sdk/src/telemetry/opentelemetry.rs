//! Spans for an OpenTelemetry collector: by OTLP as protobuf, over plain HTTP.
//!
//! The [table of spans](super#spans) says what there is without doing anything for it. Spans that a plugin makes with
//! [`tracing`], of the level `debug` and above, go the same way, and what is logged inside a span at `info` and
//! above becomes an event of it.
//!
//! [`export`] begins it, in [`Plugin::init`](crate::plugin::Plugin::init); the [`Exporter`] ends it.
//!
//! ```no_run
//! use hecate_sdk::plugin::{InitError, Plugin, PluginContext};
//! use hecate_sdk::telemetry::opentelemetry::{Exporter, export};
//!
//! struct Parcels {
//!     spans: Exporter,
//! }
//!
//! impl Plugin for Parcels {
//!     fn manifest() -> &'static str {
//!         r#"{"name": "parcels", "version": "0.1.0", "plugin_type": "in_vm", "permissions": ["net:tcp:4318"]}"#
//!     }
//!
//!     async fn init(context: PluginContext) -> Result<Self, InitError> {
//!         Ok(Self { spans: export("http://127.0.0.1:4318", context.name())? })
//!     }
//!
//!     async fn shutdown(&self) {
//!         self.spans.shutdown().await;
//!     }
//! }
//! ```
//!
//! What is sent lies in batches of at most 512 spans, every 5 s or when one is full; 2048 spans wait at most, and what comes
//! then is dropped. The usual variables (`OTEL_BSP_SCHEDULE_DELAY`, `OTEL_BSP_MAX_QUEUE_SIZE`, `OTEL_TRACES_SAMPLER`, …)
//! change that. A collector that is away costs the spans, and one warning a minute.
//!
//! Sending has a thread of its own: a plugin whose runtime is busy sends all the same, and waiting for the last batch does not
//! wait for the runtime that waits.
//!
//! Absent: HTTPS and gRPC. A collector on the same machine speaks plain HTTP, and sends on to whoever wants more.

mod send;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use http::{HeaderMap, Uri};
use opentelemetry::Context as Trace;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_otlp::{ExporterBuildError, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, SdkTracerProvider, Span as SdkSpan, SpanData, SpanProcessor,
};
use tracing::subscriber::Interest;
use tracing::{Level, Metadata, Span, Subscriber};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

use self::send::{Client, Patient};
use crate::logger;

/// How long a batch may take to be sent.
const SEND_WITHIN: Duration = Duration::from_secs(5);
/// How long the end waits for what is left to be sent.
const END_WITHIN: Duration = Duration::from_secs(2);
/// What sending itself would add to what is sent, if its targets were not left out.
const SENDING: [&str; 4] = ["opentelemetry", "hyper", "h2", "tower"];

/// Who takes the spans now. One for the library, as the logger: what is exported last takes them over.
static TAKING: RwLock<Option<Arc<BatchSpanProcessor>>> = RwLock::new(None);

/// Why spans cannot be exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The endpoint is none.
    #[error(
        "`{endpoint}` is not where a collector can be: give an address like `http://127.0.0.1:4318`"
    )]
    Endpoint {
        /// As it was given.
        endpoint: String,
    },
    /// The service has no name.
    #[error("the spans need the name of a service, such as the plugin's")]
    Service,
    /// Something in this library collects what goes through `tracing` itself.
    #[error(
        "something else is the subscriber of `tracing` here: leave `set_global_default` to the SDK"
    )]
    Subscriber,
    /// The variables `OTEL_…` say what is not possible.
    #[error("the exporter cannot be made: look at the variables `OTEL_…`")]
    Build(#[from] ExporterBuildError),
}

/// Sends spans to the collector at `endpoint` from now on, as those of `service`. The endpoint is an address over plain HTTP,
/// `http://127.0.0.1:4318` for instance; the path `/v1/traces` is added. Nothing is sent yet: whether the collector is there
/// does not matter.
///
/// A plugin needs the permission `net:tcp:PORT` for it. If it exports already, the new exporter takes over.
///
/// # Errors
///
/// [`ExportError`].
pub fn export(endpoint: &str, service: &str) -> Result<Exporter, ExportError> {
    let traces = traces(endpoint)?;
    if service.trim().is_empty() {
        return Err(ExportError::Service);
    }
    if !logger::subscribe() {
        return Err(ExportError::Subscriber);
    }
    let otlp = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(Client::new(SEND_WITHIN))
        .with_endpoint(&traces)
        .with_timeout(SEND_WITHIN)
        .build()?;
    let mut processor = BatchSpanProcessor::builder(Patient::new(otlp, traces)).build();
    let resource = Resource::builder().with_service_name(service.to_owned());
    processor.set_resource(&resource.build());
    let processor = Arc::new(processor);
    take(Some(processor.clone()));
    Ok(Exporter {
        processor,
        ended: AtomicBool::new(false),
    })
}

/// The address for traces of the collector at `endpoint`.
fn traces(endpoint: &str) -> Result<String, ExportError> {
    let bad = || ExportError::Endpoint {
        endpoint: endpoint.to_owned(),
    };
    let uri: Uri = endpoint.parse().map_err(|_| bad())?;
    let usable = uri.scheme_str() == Some("http")
        && uri.host().is_some_and(|host| !host.is_empty())
        && uri.query().is_none();
    if !usable {
        return Err(bad());
    }
    Ok(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
}

/// Spans are sent as long as it is kept.
///
/// Dropped, it sends what is left as [`shutdown`](Self::shutdown) does, and blocks meanwhile.
#[derive(Debug)]
#[must_use = "spans are sent as long as it is kept"]
pub struct Exporter {
    processor: Arc<BatchSpanProcessor>,
    ended: AtomicBool,
}

impl Exporter {
    /// Ends it: sends what is left, for at most 2 s. Spans that end later are not sent.
    pub async fn shutdown(&self) {
        if let Some(processor) = self.end() {
            // It blocks. What cannot be sent is warned of already.
            _ = tokio::task::spawn_blocking(move || processor.shutdown_with_timeout(END_WITHIN))
                .await;
        }
    }

    /// Takes no more spans; the processor, if this is the first time.
    fn end(&self) -> Option<Arc<BatchSpanProcessor>> {
        if self.ended.swap(true, Ordering::Relaxed) {
            return None;
        }
        let taking = TAKING.read().unwrap_or_else(PoisonError::into_inner);
        let is_mine = taking
            .as_ref()
            .is_some_and(|taking| Arc::ptr_eq(taking, &self.processor));
        drop(taking);
        if is_mine {
            take(None);
        }
        Some(self.processor.clone())
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        if let Some(processor) = self.end() {
            // What cannot be sent is warned of already.
            _ = processor.shutdown_with_timeout(END_WITHIN);
        }
    }
}

fn take(processor: Option<Arc<BatchSpanProcessor>>) {
    *TAKING.write().unwrap_or_else(PoisonError::into_inner) = processor;
    // Which places make spans was decided before.
    tracing::callsite::rebuild_interest_cache();
}

/// Lets `span` go on with the trace that a request with these headers belongs to.
pub(crate) fn go_on(span: &Span, headers: &HeaderMap) {
    if span.is_disabled() {
        return;
    }
    let trace = TraceContextPropagator::new()
        .extract_with_context(&Trace::new(), &HeaderExtractor(headers));
    if trace.span().span_context().is_valid() {
        // Without the layer there is nobody to tell.
        _ = span.set_parent(trace);
    }
}

/// The layer that makes spans for a collector. It is always there, and makes none as long as nobody takes them.
pub(crate) fn layer<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    // One for the library: a tracer ends with its provider.
    static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();
    let provider = PROVIDER.get_or_init(|| {
        let builder = SdkTracerProvider::builder().with_span_processor(Switch);
        builder.build()
    });
    OpenTelemetryLayer::new(provider.tracer("hecate-sdk"))
        .with_context_activation(false)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(Wanted)
}

/// What a collector is sent.
struct Wanted;

impl Wanted {
    fn is_wanted(metadata: &Metadata<'_>) -> bool {
        let most = if metadata.is_span() {
            Level::DEBUG
        } else {
            Level::INFO
        };
        let target = metadata.target();
        *metadata.level() <= most
            && !logger::is_indiscreet(target)
            && !SENDING.iter().any(|sending| target.starts_with(sending))
            && TAKING
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .is_some()
    }
}

impl<S> Filter<S> for Wanted {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        Self::is_wanted(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        // The same until `take` says otherwise, and that asks anew.
        if Self::is_wanted(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }
}

/// Hands spans to whoever takes them when they end.
#[derive(Debug)]
struct Switch;

impl SpanProcessor for Switch {
    fn on_start(&self, _: &mut SdkSpan, _: &Trace) {}

    fn on_end(&self, span: SpanData) {
        let taking = TAKING
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(taking) = taking {
            taking.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}
