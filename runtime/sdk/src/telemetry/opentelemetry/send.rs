//! How a batch gets to the collector, and what is said of one that does not.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, Uri, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::net::TcpStream;
use tokio::runtime::Builder;

use crate::api::chain;

/// Spans that are lost are warned of once in this time.
const WARN_EVERY: Duration = Duration::from_secs(60);
/// Bytes of an answer that are read; a collector has little to say.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Sends over a connection of its own each time, from a thread that waits meanwhile and has no runtime: that of the batches.
#[derive(Debug)]
pub(super) struct Client {
    within: Duration,
}

impl Client {
    pub(super) const fn new(within: Duration) -> Self {
        Self { within }
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        // Made and ended here, so that it never ends on a thread that may not wait.
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let sent = runtime.block_on(async {
            let sent = tokio::time::timeout(self.within, exchange(request)).await;
            sent.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
        });
        // A name that is still looked up is not waited for.
        runtime.shutdown_background();
        sent
    }
}

impl HttpClient for Client {
    fn send_bytes<'client, 'sent>(
        &'client self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'sent>>
    where
        'client: 'sent,
        Self: 'sent,
    {
        Box::pin(async move { self.send(request) })
    }
}

/// One request and its answer.
async fn exchange(request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let (mut parts, body) = request.into_parts();
    let authority = parts
        .uri
        .authority()
        .cloned()
        .ok_or("the address has no host")?;
    let to = format!(
        "{}:{}",
        authority.host(),
        authority.port_u16().unwrap_or(80)
    );
    let path = parts.uri.path_and_query().cloned();
    parts.uri = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    let host = HeaderValue::from_str(authority.as_str())?;
    parts.headers.insert(header::HOST, host);
    let stream = TcpStream::connect(to).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let answer = async {
        let sent = Request::from_parts(parts, Body::from(body));
        let (parts, body) = sender.send_request(sent).await?.into_parts();
        let body = to_bytes(Body::new(body), MAX_ANSWER_BYTES).await?;
        Ok(Response::from_parts(parts, body))
    };
    tokio::pin!(answer, connection);
    tokio::select! {
        answer = &mut answer => answer,
        // It ends before the answer is read when the collector closes it: what has come is read all the same.
        ended = &mut connection => {
            ended?;
            answer.await
        }
    }
}

/// Sends, and has patience with a collector that is away.
#[derive(Debug)]
pub(super) struct Patient<E> {
    exporter: E,
    endpoint: String,
    losses: Mutex<Losses>,
}

impl<E> Patient<E> {
    pub(super) fn new(exporter: E, endpoint: String) -> Self {
        Self {
            exporter,
            endpoint,
            losses: Mutex::default(),
        }
    }
}

impl<E: SpanExporter> SpanExporter for Patient<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let sent = self.exporter.export(batch).await;
        let mut losses = self.losses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = &sent
            && let Some(lost) = losses.lost(spans, Instant::now())
        {
            tracing::warn!(
                endpoint = self.endpoint,
                lost,
                error = %chain(error),
                "spans cannot be sent to the collector"
            );
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Spans that are lost, and when that was said.
#[derive(Debug, Default)]
pub(super) struct Losses {
    unsaid: u64,
    said: Option<Instant>,
}

impl Losses {
    /// More are lost. How many since it was said, if it is time to say it again.
    pub(super) fn lost(&mut self, spans: u64, now: Instant) -> Option<u64> {
        self.unsaid += spans;
        let soon = |said: Instant| now.saturating_duration_since(said) < WARN_EVERY;
        if self.said.is_some_and(soon) {
            return None;
        }
        self.said = Some(now);
        Some(std::mem::take(&mut self.unsaid))
    }
}
