//! The daemon's web: which request goes where, and who may ask for what.
//!
//! Requests for plugins do not pass axum's router: they are most of all requests, and go straight to their plugin.

mod admin;
mod health;
mod launcher;
mod metrics;

use std::sync::Arc;

use axum::Router;
use axum::body::Body as AxumBody;
use axum::extract::DefaultBodyLimit;
use axum::response::{IntoResponse, Response as AxumResponse};
use axum::routing::{delete, get, post};
use hecate_manifest::bundle::Limits;
use hecate_runtime::{Body, reply, server::Respond};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tower::ServiceExt;

use crate::Daemon;
use crate::slot::Shut;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Somebody on this machine, over TCP.
    Local,
    /// This user, over the home's socket.
    Owner,
}

/// Answers all requests of the daemon.
pub(crate) struct Front {
    daemon: Arc<Daemon>,
    router: Router,
}

impl Front {
    pub(crate) fn new(daemon: Arc<Daemon>) -> Self {
        let router = router(daemon.clone());
        Self { daemon, router }
    }

    /// Answers one request of `peer`.
    pub(crate) async fn answer(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        if let Some((name, rest)) = plugin_path(request.uri().path()) {
            let (name, rest) = (name.to_owned(), rest.to_owned());
            return self.plugin(request, &name, &rest).await;
        }
        if let Some(refusal) = self.refusal(&request, peer) {
            return refusal;
        }
        match self
            .router
            .clone()
            .oneshot(request.map(AxumBody::new))
            .await
        {
            Ok(response) => response.map(reply::boxed),
            Err(never) => match never {},
        }
    }

    async fn plugin(&self, request: Request<Incoming>, name: &str, rest: &str) -> Response<Body> {
        let Some(slot) = self.daemon.slot(name) else {
            let message = format!("there is no plugin `{name}` here");
            return reply::error(StatusCode::NOT_FOUND, "plugin_unknown", &message);
        };
        match slot.enter().await {
            Ok((generation, _working)) => generation.front().respond(request, rest).await,
            Err(Shut::Busy) => retry_later(
                "plugin_starting",
                &format!("`{name}` is starting; try again"),
            ),
            Err(Shut::NotRunning) => {
                let status = slot.status();
                let reason = status
                    .reason
                    .map(|reason| format!(": {reason}"))
                    .unwrap_or_default();
                let message = format!("`{name}` {}{reason}", status.state.said());
                reply::error(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "plugin_not_running",
                    &message,
                )
            }
        }
    }

    /// What changes something needs the token or the home's socket; so does what may hold secrets.
    fn refusal(&self, request: &Request<Incoming>, peer: Peer) -> Option<Response<Body>> {
        let (method, path) = (request.method(), request.uri().path());
        let harmless =
            (*method == Method::GET || *method == Method::HEAD) && !path.ends_with("/logs");
        if harmless || peer == Peer::Owner || !path.starts_with("/api/") {
            return None;
        }
        let given = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let given = given
            .and_then(|given| given.strip_prefix("Bearer "))
            .unwrap_or_default();
        if same(given.as_bytes(), self.daemon.token().as_bytes()) {
            return None;
        }
        let message = "this needs the token in `run/token` of the home directory, as `authorization: Bearer …`";
        Some(reply::error(
            StatusCode::UNAUTHORIZED,
            "token_needed",
            message,
        ))
    }
}

impl Respond for Front {
    async fn respond(&self, request: Request<Incoming>) -> Response<Body> {
        self.answer(request, Peer::Local).await
    }
}

/// Splits `/plugin/{name}{rest}`; `rest` is empty or starts with a slash.
fn plugin_path(path: &str) -> Option<(&str, &str)> {
    let path = path.strip_prefix("/plugin/")?;
    let end = path.find('/').unwrap_or(path.len());
    Some(path.split_at(end))
}

/// Compares without telling by its time how much is the same.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .fold(0, |differs, (one, other)| differs | (one ^ other))
            == 0
}

fn retry_later(code: &str, message: &str) -> Response<Body> {
    let mut response = reply::error(StatusCode::SERVICE_UNAVAILABLE, code, message);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

fn router(daemon: Arc<Daemon>) -> Router {
    let packed = usize::try_from(Limits::default().packed_bytes).unwrap_or(usize::MAX);
    Router::new()
        .route("/", get(launcher::page))
        .route("/hecate/launcher.js", get(launcher::script))
        .route("/health", get(health::show))
        .route("/metrics", get(metrics::show))
        .route(
            "/api/plugins",
            get(admin::list)
                .post(admin::install)
                .layer(DefaultBodyLimit::max(packed)),
        )
        .route("/api/plugins/{name}", delete(admin::uninstall))
        .route("/api/plugins/{name}/reload", post(admin::reload))
        .route("/api/plugins/{name}/store", post(admin::store))
        .route("/api/plugins/{name}/logs", get(admin::logs))
        .route("/api/events", get(admin::events))
        .route("/api/facts", get(admin::facts))
        .fallback(unknown)
        .method_not_allowed_fallback(not_allowed)
        .with_state(daemon)
}

async fn unknown(request: Request<AxumBody>) -> AxumResponse {
    let message = format!("there is nothing at `{}`", request.uri().path());
    envelope_error(StatusCode::NOT_FOUND, "not_found", &message)
}

async fn not_allowed(request: Request<AxumBody>) -> AxumResponse {
    let message = format!(
        "`{}` does not take {}",
        request.uri().path(),
        request.method()
    );
    envelope_error(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        &message,
    )
}

fn envelope_error(status: StatusCode, code: &str, message: &str) -> AxumResponse {
    reply::error(status, code, message)
        .map(AxumBody::new)
        .into_response()
}

fn envelope(status: StatusCode, fields: serde_json::Value) -> AxumResponse {
    reply::ok(status, fields).map(AxumBody::new).into_response()
}

#[cfg(test)]
mod tests {
    use super::{plugin_path, same};

    #[test]
    fn plugin_paths_are_split_at_the_name() {
        assert_eq!(plugin_path("/plugin/a/api/x"), Some(("a", "/api/x")));
        assert_eq!(plugin_path("/plugin/a"), Some(("a", "")));
        assert_eq!(plugin_path("/plugin/a/"), Some(("a", "/")));
        assert_eq!(plugin_path("/plugins/a"), None);
        assert_eq!(plugin_path("/plugin"), None);
    }

    #[test]
    fn tokens_are_the_same_or_not() {
        assert!(same(b"abc", b"abc"));
        assert!(!same(b"abc", b"abd") && !same(b"abc", b"ab") && !same(b"", b"a"));
    }
}
