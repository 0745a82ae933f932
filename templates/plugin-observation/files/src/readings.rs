//! What is watched. Put your own readings beside these: each is a name and a value at this moment.

use std::time::Instant;

use hecate_sdk::axum::extract::State;
use hecate_sdk::axum::routing::get;
use hecate_sdk::axum::{Json, Router};
use hecate_sdk::metrics::{Counter, counter, gauge};
use hecate_sdk::serde_json::{Value, json};

/// What readings are taken from. Cheap to clone.
#[derive(Clone)]
pub struct Readings {
    begun: Instant,
    taken: Counter,
}

impl Readings {
    /// Begins to watch.
    pub fn begin() -> Self {
        Self {
            begun: Instant::now(),
            taken: counter("readings_taken_total"),
        }
    }

    /// Takes every reading; the host's `/metrics` shows them too.
    pub fn take(&self) -> Vec<(&'static str, f64)> {
        self.taken.increment(1);
        let uptime = self.begun.elapsed().as_secs_f64();
        gauge("uptime_seconds").set(uptime);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        gauge("processors").set(processors as f64);
        vec![("uptime_seconds", uptime), ("processors", processors as f64)]
    }
}

/// `GET /readings`
pub fn routes(readings: Readings) -> Router {
    Router::new()
        .route("/readings", get(answer))
        .with_state(readings)
}

async fn answer(State(readings): State<Readings>) -> Json<Value> {
    let items: Vec<_> = readings
        .take()
        .into_iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    Json(json!({"ok": true, "items": items}))
}
