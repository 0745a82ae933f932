//! `/api/plugins…` and `/api/events`: what the command line and the launcher ask for.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use hecate_manifest::control::StoreAsk;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::{envelope, envelope_error};
use crate::admission::{Trust, with_causes};
use crate::lifecycle::ChangeError;
use crate::slot::Slot;
use crate::{Daemon, logs};

/// Log lines, unless `lines` says otherwise.
const LINES: usize = 100;

/// How long looking after a store may take: reading all of a large one is part of it.
const CARE_LIMIT: Duration = Duration::from_secs(600);

#[derive(Deserialize)]
pub(super) struct InstallQuery {
    #[serde(default)]
    allow_unsigned: bool,
}

#[derive(Deserialize)]
pub(super) struct UninstallQuery {
    #[serde(default)]
    data: bool,
}

#[derive(Deserialize)]
pub(super) struct LogsQuery {
    lines: Option<usize>,
    after: Option<u64>,
}

/// `GET /api/plugins`.
pub(super) async fn list(State(daemon): State<Arc<Daemon>>) -> Response {
    let plugins: Vec<_> = daemon
        .slots()
        .iter()
        .map(|slot| entry(&daemon, slot))
        .collect();
    envelope(StatusCode::OK, json!({"plugins": plugins}))
}

/// `GET /api/facts`: each way of facts from an emitter to a listener, and how far it is behind.
pub(super) async fn facts(State(daemon): State<Arc<Daemon>>) -> Response {
    let routes: Vec<_> = daemon
        .bus()
        .routes()
        .iter()
        .map(|route| {
            json!({
                "emitter": route.emitter, "plugin": route.plugin, "listener": route.listener, "filter": route.filter,
                "behind": route.behind(), "delivered": route.delivered, "refused": route.refused,
                "problem": route.problem,
            })
        })
        .collect();
    envelope(StatusCode::OK, json!({"routes": routes}))
}

/// `POST /api/plugins?allow_unsigned=…` with the bundle as body.
pub(super) async fn install(
    State(daemon): State<Arc<Daemon>>,
    Query(query): Query<InstallQuery>,
    bundle: Result<Bytes, BytesRejection>,
) -> Response {
    let bundle = match bundle {
        Ok(bundle) => bundle,
        Err(rejection) => {
            return envelope_error(
                rejection.status(),
                "body_unreadable",
                &rejection.body_text(),
            );
        }
    };
    let trust = if query.allow_unsigned {
        Trust::Unsigned
    } else {
        Trust::Signed
    };
    // In a task of its own: a client that goes away does not stop a change half way.
    let installed = tokio::spawn(async move { daemon.install(bundle.into(), trust).await });
    match installed.await {
        Ok(Ok(installed)) => envelope(StatusCode::CREATED, json!(installed)),
        Ok(Err(error)) => refused(&error),
        Err(error) => failed(&error),
    }
}

/// `POST /api/plugins/{name}/reload`.
pub(super) async fn reload(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
) -> Response {
    let plugin = name.clone();
    match tokio::spawn(async move { daemon.reload(&plugin, "reload").await }).await {
        Ok(Ok(())) => envelope(StatusCode::OK, json!({"name": name})),
        Ok(Err(error)) => refused(&error),
        Err(error) => failed(&error),
    }
}

/// `POST /api/plugins/{name}/store` with what is asked: `{"do":"stats"}`. The plugin does it; the daemon opens no store.
pub(super) async fn store(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
    ask: Bytes,
) -> Response {
    let Some(slot) = daemon.slot(&name) else {
        return refused(&ChangeError::Unknown(name));
    };
    let ask: StoreAsk = match serde_json::from_slice(&ask) {
        Ok(ask) => ask,
        Err(error) => {
            return envelope_error(StatusCode::BAD_REQUEST, "bad_json", &error.to_string());
        }
    };
    let Some(current) = slot.current() else {
        let message = format!("`{name}` is not running, and its stores are its own to open");
        return envelope_error(
            StatusCode::SERVICE_UNAVAILABLE,
            "plugin_not_running",
            &message,
        );
    };
    match current.instance().look_after(&ask, CARE_LIMIT).await {
        Ok(answer) => envelope(StatusCode::OK, answer),
        Err(error) => envelope_error(StatusCode::CONFLICT, "store_failed", &with_causes(&error)),
    }
}

/// `DELETE /api/plugins/{name}?data=…`.
pub(super) async fn uninstall(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
    Query(query): Query<UninstallQuery>,
) -> Response {
    let plugin = name.clone();
    match tokio::spawn(async move { daemon.uninstall(&plugin, query.data).await }).await {
        Ok(Ok(())) => envelope(StatusCode::OK, json!({"name": name})),
        Ok(Err(error)) => refused(&error),
        Err(error) => failed(&error),
    }
}

/// `GET /api/plugins/{name}/logs?lines=…&after=…`: text, and where to read on.
pub(super) async fn logs(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
    Query(query): Query<LogsQuery>,
) -> Response {
    let Some(slot) = daemon.slot(&name) else {
        return refused(&ChangeError::Unknown(name));
    };
    let file = slot.home.log();
    let lines = query.lines.unwrap_or(LINES);
    match tokio::task::spawn_blocking(move || logs::tail(&file, lines, query.after)).await {
        Ok(Ok((text, next))) => envelope(StatusCode::OK, json!({"text": text, "next": next})),
        Ok(Err(error)) => failed(&error),
        Err(error) => failed(&error),
    }
}

/// `GET /api/events`: each change of a plugin's state as `event: state`.
pub(super) async fn events(
    State(daemon): State<Arc<Daemon>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
    let stream = futures_util::stream::unfold(daemon.changes(), |mut changes| async move {
        let event = match changes.recv().await {
            Ok(change) => Event::default()
                .event("state")
                .json_data(&change)
                .unwrap_or_default(),
            Err(RecvError::Lagged(missed)) => {
                Event::default().event("lagged").data(missed.to_string())
            }
            Err(RecvError::Closed) => return None,
        };
        Some((Ok(event), changes))
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

/// What is said of one plugin.
pub(super) fn entry(daemon: &Daemon, slot: &Slot) -> Value {
    let status = slot.status();
    let mut entry = json!({
        "name": slot.name,
        "state": status.state,
        "since": status.since,
        "path": format!("/plugin/{}/", slot.name),
        "url": format!("http://localhost:{}/plugin/{}/", daemon.port(), slot.name),
    });
    if let Some(reason) = status.reason {
        entry["reason"] = reason.into();
    }
    if let Some(current) = slot.current() {
        entry["version"] = current.info.version.to_string().into();
        entry["digest"] = current.digest.clone().into();
        entry["sdk"] = current.info.sdk.to_string().into();
        entry["build_id"] = json!(current.instance().library().verdict().build_id);
        entry["isolation"] = "in_process".into();
    }
    entry
}

fn refused(error: &ChangeError) -> Response {
    let status = match error {
        ChangeError::Unknown(_) => StatusCode::NOT_FOUND,
        ChangeError::NotAdmitted(_) => StatusCode::UNPROCESSABLE_ENTITY,
        ChangeError::Version(error) if error.is_disk_full() => StatusCode::INSUFFICIENT_STORAGE,
        ChangeError::Version(_) => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::CONFLICT,
    };
    envelope_error(status, error.code(), &with_causes(error))
}

fn failed(error: &dyn std::error::Error) -> Response {
    envelope_error(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        &with_causes(error),
    )
    .into_response()
}
