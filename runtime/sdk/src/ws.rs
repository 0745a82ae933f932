//! WebSockets with JSON frames `{"type":…}`, and the socket that every plugin has: notices of stored events.

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::live::{Live, closed};

/// The largest message that a client may send.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// How often a socket is pinged; one that does not answer the next ping in time is closed.
const PING: Duration = Duration::from_secs(30);

/// A socket whose messages are JSON objects with a `type`.
pub struct JsonSocket {
    socket: WebSocket,
    plugin: String,
}

/// What came from the other side.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    /// A JSON object; its `type` is a string.
    Message(Value),
    /// The other side answered a ping.
    Alive,
    /// The other side has gone.
    Closed,
}

impl JsonSocket {
    /// Sends `value`, which must be an object with a `type`. `false` if the other side has gone.
    pub async fn send<T: Serialize + Sync>(&mut self, value: &T) -> bool {
        match serde_json::to_string(value) {
            Ok(text) => self.socket.send(Message::text(text)).await.is_ok(),
            Err(error) => {
                tracing::error!(%error, plugin = self.plugin, "a message cannot be written as JSON");
                true
            }
        }
    }

    /// Waits for the next message. What is not of the agreed form is answered here, with a typed error.
    pub async fn receive(&mut self) -> Incoming {
        loop {
            let text = match self.socket.recv().await {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Pong(_))) => return Incoming::Alive,
                Some(Ok(Message::Ping(_))) => continue,
                Some(Ok(Message::Binary(_))) => {
                    if self.error("not_text", "messages are JSON text").await {
                        continue;
                    }
                    return Incoming::Closed;
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Incoming::Closed,
            };
            let said = match serde_json::from_str::<Value>(&text) {
                Ok(value) if value.get("type").is_some_and(Value::is_string) => {
                    return Incoming::Message(value);
                }
                Ok(_) => {
                    self.error("no_type", "a message is an object with a `type`")
                        .await
                }
                Err(error) => {
                    self.error("bad_json", &format!("the message is not JSON: {error}"))
                        .await
                }
            };
            if !said {
                return Incoming::Closed;
            }
        }
    }

    /// Sends `{"type":"error","code":…,"error":…}`. `false` if the other side has gone.
    pub async fn error(&mut self, code: &str, message: &str) -> bool {
        self.send(&json!({"type": "error", "code": code, "error": message}))
            .await
    }

    /// Closes with a code of RFC 6455.
    pub async fn close(mut self, code: u16, reason: &'static str) {
        // The other side may have gone already.
        _ = self
            .socket
            .send(Message::Close(Some(CloseFrame {
                code,
                reason: reason.into(),
            })))
            .await;
    }

    async fn ping(&mut self) -> bool {
        self.socket
            .send(Message::Ping(Default::default()))
            .await
            .is_ok()
    }
}

/// Limits the messages of an upgrade and serves it with JSON frames.
pub fn upgrade<F, Fut>(upgrade: WebSocketUpgrade, plugin: String, serve: F) -> Response
where
    F: FnOnce(JsonSocket) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    upgrade
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES)
        .on_upgrade(move |socket| serve(JsonSocket { socket, plugin }))
}

/// What the plugin's own socket needs.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) plugin: String,
    pub(crate) live: Live,
    pub(crate) closing: watch::Receiver<bool>,
}

/// `/plugin/{name}/ws`: `hello`, then an `event` for each notice; answers `ping` with `pong`.
pub(crate) async fn live_socket(
    State(shared): State<Shared>,
    request: WebSocketUpgrade,
) -> Response {
    let plugin = shared.plugin.clone();
    upgrade(request, plugin, |socket| serve_live(socket, shared))
}

async fn serve_live(mut socket: JsonSocket, mut shared: Shared) {
    let mut notices = shared.live.listen();
    let mut ping = interval(PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut silent = 0;
    if !socket
        .send(&json!({"type": "hello", "plugin": shared.plugin}))
        .await
    {
        return;
    }
    loop {
        let alive = tokio::select! {
            notice = notices.recv() => match notice {
                Ok(notice) => match serde_json::to_value(&notice) {
                    Ok(mut notice) => {
                        notice["type"] = "event".into();
                        socket.send(&notice).await
                    }
                    Err(_) => true,
                },
                Err(RecvError::Lagged(missed)) => socket.send(&json!({"type": "lagged", "missed": missed})).await,
                Err(RecvError::Closed) => false,
            },
            received = socket.receive() => {
                silent = 0;
                match received {
                    Incoming::Closed => return,
                    Incoming::Alive => true,
                    Incoming::Message(message) if message["type"] == "ping" => {
                        socket.send(&json!({"type": "pong"})).await
                    }
                    Incoming::Message(message) => {
                        let kind = message["type"].as_str().unwrap_or_default().to_owned();
                        socket.error("unknown_type", &format!("messages of type `{kind}` are not known here")).await
                    }
                }
            },
            _ = ping.tick() => {
                silent += 1;
                if silent > 2 {
                    return socket.close(close_code::AWAY, "no answer to pings").await;
                }
                socket.ping().await
            },
            () = closed(&mut shared.closing) => {
                return socket.close(close_code::RESTART, "the plugin is being replaced").await;
            },
        };
        if !alive {
            return;
        }
    }
}
