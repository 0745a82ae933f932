//! What happens now: notices of stored events, for pages and sockets. Notices only: payloads are read by queries.

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
