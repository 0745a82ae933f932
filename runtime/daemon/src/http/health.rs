//! `/health`: the daemon and all plugins, always answered in time.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use futures_util::future::join_all;
use hecate_manifest::control::HealthStatus;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{admin, envelope};
use crate::Daemon;
use crate::slot::Slot;

/// A plugin that takes longer to say how it is, is `unknown`.
const LIMIT: Duration = Duration::from_millis(500);

pub(super) async fn show(State(daemon): State<Arc<Daemon>>) -> Response {
    let slots = daemon.slots();
    let plugins = join_all(
        slots
            .iter()
            .map(async |slot| (slot.name.to_string(), of_plugin(&daemon, slot).await)),
    )
    .await;
    let plugins: Map<String, Value> = plugins.into_iter().collect();
    let ready = slots.iter().all(|slot| !is_starting(slot));
    envelope(
        StatusCode::OK,
        json!({
            "status": if ready { "healthy" } else { "starting" },
            "ready": ready,
            "service": "hecate",
            "port": daemon.port(),
            "version": env!("CARGO_PKG_VERSION"),
            "uptime_seconds": daemon.uptime().as_secs(),
            "plugins": plugins,
        }),
    )
}

fn is_starting(slot: &Slot) -> bool {
    slot.current().is_none() && slot.status().state.is_coming()
}

async fn of_plugin(daemon: &Daemon, slot: &Slot) -> Value {
    let mut entry = admin::entry(daemon, slot);
    let Some(current) = slot.current() else {
        return entry;
    };
    entry["health"] = match current.instance().health(LIMIT).await {
        Ok(health) => {
            if !health.details.is_empty() {
                entry["details"] = json!(health.details);
            }
            match health.status {
                HealthStatus::Ok => "ok".into(),
                HealthStatus::Degraded => "degraded".into(),
            }
        }
        Err(_) => "unknown".into(),
    };
    entry
}
