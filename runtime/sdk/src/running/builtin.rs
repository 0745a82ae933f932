//! What every plugin answers without doing anything for it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use futures_util::Stream;
use hecate_manifest::control::Health;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use super::{Callbacks, health};
use crate::api::Answer;
use crate::division::Division;
use crate::live::{Live, closed};
use crate::messages::Messages;

/// Where. The hyphen keeps `/event-stream` apart from the rows of a division, which are named in snake case: one about
/// events has `/events`.
pub(crate) const BUILT_IN: [&str; 5] = [
    "/manifest",
    "/flag-maps",
    "/openapi.json",
    "/health",
    "/event-stream",
];

#[derive(Clone)]
pub(super) struct BuiltIn {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) manifest: Value,
    pub(super) flag_maps: Value,
    pub(super) openapi: Value,
    pub(super) divisions: Vec<Division>,
    pub(super) messages: Messages,
    pub(super) plugin: Arc<dyn Callbacks>,
    pub(super) live: Live,
    pub(super) closing: watch::Receiver<bool>,
}

impl BuiltIn {
    pub(super) fn routes(self) -> Router {
        Router::new()
            .route(
                "/manifest",
                get(async |State(this): State<Arc<Self>>| axum::Json(this.manifest.clone())),
            )
            .route(
                "/flag-maps",
                get(async |State(this): State<Arc<Self>>| Answer::of(this.flag_maps.clone())),
            )
            .route(
                "/openapi.json",
                get(async |State(this): State<Arc<Self>>| axum::Json(this.openapi.clone())),
            )
            .route(
                "/health",
                get(async |State(this): State<Arc<Self>>| this.health()),
            )
            .route(
                "/event-stream",
                get(async |State(this): State<Arc<Self>>| this.events()),
            )
            .with_state(Arc::new(self))
    }

    fn health(&self) -> Answer {
        let Health { status, details } =
            health(self.plugin.as_ref(), &self.divisions, &self.messages);
        Answer::of(
            json!({"app": self.name, "version": self.version, "status": status, "details": details}),
        )
    }

    /// Notices of stored events as server-sent events: `event: stored`, or `lagged` for who should read anew.
    fn events(&self) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
        let state = (self.live.listen(), self.closing.clone());
        let stream = futures_util::stream::unfold(state, |(mut notices, mut closing)| async move {
            let event = tokio::select! {
                notice = notices.recv() => match notice {
                    Ok(notice) => Event::default().event("stored").json_data(&notice).unwrap_or_default(),
                    Err(RecvError::Lagged(missed)) => Event::default().event("lagged").data(missed.to_string()),
                    Err(RecvError::Closed) => return None,
                },
                () = closed(&mut closing) => return None,
            };
            Some((Ok(event), (notices, closing)))
        });
        Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
    }
}
