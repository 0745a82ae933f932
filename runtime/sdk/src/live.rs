//! What happens now: notices of stored events, for pages and sockets. Notices only: payloads are read by queries.
//!
//! Pages hear them at `/plugin/{name}/ws` as JSON frames and at `/plugin/{name}/api/event-stream` as server-sent events;
//! the plugin itself hears them through [`PluginContext::live`](crate::plugin::PluginContext::live). Who is more than
//! 1024 behind is told how many he missed, and reads anew.
//!
//! ```
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU64, Ordering};
//!
//! use hecate_sdk::api::{Answer, ApiError};
//! use hecate_sdk::axum::{Router, routing::{get, post}};
//! use hecate_sdk::plugin::{InitError, Plugin, PluginContext};
//! use hecate_sdk::serde_json::json;
//! use hecate_sdk::store::{ExpectedVersion, NewEvent, Store, StoreConfig, StreamId};
//! use hecate_sdk::testing::{TestPlugin, run};
//! use hecate_sdk::tokio;
//!
//! struct Bell {
//!     rung: Arc<AtomicU64>,
//!     store: Store,
//! }
//!
//! impl Plugin for Bell {
//!     fn manifest() -> &'static str {
//!         r#"{"name": "bell", "version": "0.1.0", "plugin_type": "in_vm"}"#
//!     }
//!
//!     fn store_config() -> Option<StoreConfig> {
//!         Some(StoreConfig::new("bell_store"))
//!     }
//!
//!     async fn init(context: PluginContext) -> Result<Self, InitError> {
//!         let rung = Arc::new(AtomicU64::new(0));
//!         let (mut notices, count) = (context.live().listen(), rung.clone());
//!         tokio::spawn(async move {
//!             while let Ok(notice) = notices.recv().await {
//!                 assert_eq!(notice.event_type, "bell_rung_v1");
//!                 count.fetch_add(1, Ordering::Relaxed);
//!             }
//!         });
//!         Ok(Self { rung, store: context.store()? })
//!     }
//!
//!     fn routes(&self) -> Router {
//!         let (rung, store) = (self.rung.clone(), self.store.clone());
//!         let ring = async move || -> Result<Answer, ApiError> {
//!             let event = NewEvent::json("bell_rung", 1, &json!({})).map_err(|error| ApiError::internal(&error))?;
//!             store.append(StreamId::new("bell"), ExpectedVersion::Any, vec![event]).await?;
//!             Ok(Answer::of(json!({})))
//!         };
//!         let heard = async move || Answer::of(json!({"heard": rung.load(Ordering::Relaxed)}));
//!         Router::new().route("/ring", post(ring)).route("/heard", get(heard))
//!     }
//! }
//!
//! run(async {
//!     let plugin = TestPlugin::start::<Bell>().await;
//!     plugin.when_post("/ring", json!({})).await.then_status(200);
//!     // A notice follows the answer, it does not come before it.
//!     while plugin.get("/heard").await.json["heard"] != 1 {
//!         tokio::task::yield_now().await;
//!     }
//! });
//! ```

use serde::Serialize;
use tokio::sync::{broadcast, watch};

use crate::store::{Position, RecordedEvent, StreamVersion};

/// Notices that a slow listener may be behind before it is told to read anew.
const BACKLOG: usize = 1024;

/// One event was stored, and the read models have followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// Division of the store.
    pub division: &'static str,
    /// Type with revision: `order_confirmed_v1`.
    #[serde(rename = "event")]
    pub event_type: String,
    /// Stream: `order-0190…`.
    pub stream: String,
    /// The thing that it happened to, in a division: `0190…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Version of the stream.
    pub version: StreamVersion,
    /// Position in the division's store.
    pub position: Position,
}

/// Where notices are announced and heard.
#[derive(Debug, Clone)]
pub struct Live {
    sender: broadcast::Sender<Notice>,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            sender: broadcast::Sender::new(BACKLOG),
        }
    }
}

impl Live {
    /// Hears every notice from now on.
    pub fn listen(&self) -> broadcast::Receiver<Notice> {
        self.sender.subscribe()
    }

    pub(crate) fn announce(&self, division: &'static str, events: &[RecordedEvent]) {
        if self.sender.receiver_count() == 0 {
            return;
        }
        for event in events {
            // Without a listener there is nobody to tell.
            _ = self.sender.send(Notice {
                division,
                event_type: event.versioned_type(),
                stream: event.stream.as_str().to_owned(),
                id: event.stream.id_of(division).map(str::to_owned),
                version: event.version,
                position: event.position,
            });
        }
    }
}

/// Waits until the plugin ends: open streams and sockets end with it.
pub(crate) async fn closed(closing: &mut watch::Receiver<bool>) {
    // An error means that the plugin is gone, which is an end too.
    _ = closing.wait_for(|closing| *closing).await;
}
