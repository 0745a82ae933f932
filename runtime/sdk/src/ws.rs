//! WebSockets with JSON frames `{"type":…}`, and the socket that every plugin has: notices of stored events.
//!
//! [`upgrade`] makes a socket of a request, and [`JsonSocket`] speaks on it. What a client does wrong is answered with
//! `{"type":"error","code":…,"error":…}` or ends the socket with a code of RFC 6455, and nobody else notices:
//!
//! | what comes in | what is answered |
//! |---|---|
//! | no JSON; no object with a `type` | error `bad_json`; error `no_type` |
//! | a binary message | error `not_text` |
//! | 64 such messages in a row | close 1008 |
//! | a message over 64 KiB ([`MAX_MESSAGE_BYTES`]) | error `too_large`, close 1009 |
//! | text that is not UTF-8 | close 1007 |
//! | what is no WebSocket frame | close 1002 |
//! | nothing, for two pings of 30 s | close 1001 |
//! | messages without end, and answers not taken for 30 s | the connection is dropped |
//!
//! Where a socket comes from, its `Origin`, is looked at by the host, before it reaches the plugin.
//!
//! ```
//! use hecate_sdk::axum::extract::ws::WebSocketUpgrade;
//! use hecate_sdk::axum::routing::{MethodRouter, any};
//! use hecate_sdk::plugin::{InitError, Plugin, PluginContext};
//! use hecate_sdk::serde_json::json;
//! use hecate_sdk::ws::{self, Incoming, JsonSocket};
//!
//! struct Echoes;
//!
//! impl Plugin for Echoes {
//!     fn manifest() -> &'static str {
//!         r#"{"name": "echoes", "version": "0.1.0", "plugin_type": "in_vm"}"#
//!     }
//!
//!     async fn init(_: PluginContext) -> Result<Self, InitError> {
//!         Ok(Self)
//!     }
//!
//!     /// `/plugin/echoes/ws`, instead of notices of stored events.
//!     fn websocket(&self) -> Option<MethodRouter> {
//!         let answer = async |request: WebSocketUpgrade| ws::upgrade(request, "echoes".to_owned(), echo);
//!         Some(any(answer))
//!     }
//! }
//!
//! async fn echo(mut socket: JsonSocket) {
//!     while let Incoming::Message(message) = socket.receive().await {
//!         let said = match message["type"].as_str() {
//!             Some("say") => socket.send(&json!({"type": "echo", "text": message["text"]})).await,
//!             _ => socket.error("unknown_type", "say something").await,
//!         };
//!         if !said {
//!             return;
//!         }
//!     }
//! }
//! # hecate_sdk::testing::run(async {
//! #     let plugin = hecate_sdk::testing::TestPlugin::start::<Echoes>().await;
//! #     assert_eq!(plugin.get("/health").await.status, 200);
//! # });
//! ```

#[cfg(test)]
mod tests;

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};

use crate::live::{Live, closed};

/// The largest message that a client may send.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// How often a socket is pinged.
const PING: Duration = Duration::from_secs(30);
/// Pings that may stay without an answer.
const UNANSWERED: u32 = 2;
/// How long the other side may take to take a message.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);
/// How long the other side has to say goodbye too.
const GOODBYE: Duration = Duration::from_secs(1);
/// Messages in a row that may be of no form that was agreed on.
const MALFORMED: u32 = 64;

/// A socket whose messages are JSON objects with a `type`. It pings the other side for as long as somebody receives, and
/// ends when nothing comes back.
pub struct JsonSocket {
    socket: WebSocket,
    plugin: String,
    ping: Interval,
    unanswered: u32,
    malformed: u32,
}

/// What came from the other side.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    /// A JSON object; its `type` is a string.
    Message(Value),
    /// The other side has gone, or was sent away.
    Closed,
}

impl JsonSocket {
    fn new(socket: WebSocket, plugin: String) -> Self {
        let mut ping = interval_at(Instant::now() + PING, PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            socket,
            plugin,
            ping,
            unanswered: 0,
            malformed: 0,
        }
    }

    /// Sends `value`, which must be an object with a `type`. `false` if the other side has gone, or does not take it
    /// within 30 s.
    pub async fn send<T: Serialize + Sync>(&mut self, value: &T) -> bool {
        match serde_json::to_string(value) {
            Ok(text) => self.put(Message::text(text)).await,
            Err(error) => {
                tracing::error!(%error, plugin = self.plugin, "a message cannot be written as JSON");
                true
            }
        }
    }

    /// Waits for the next message. What is not of the agreed form is answered here, with a typed error. May be dropped
    /// while it waits, and called again.
    pub async fn receive(&mut self) -> Incoming {
        loop {
            let received = tokio::select! {
                received = self.socket.recv() => received,
                _ = self.ping.tick() => {
                    if self.unanswered >= UNANSWERED {
                        return self.send_away(close_code::AWAY, "no answer to pings").await;
                    }
                    self.unanswered += 1;
                    if self.put(Message::Ping(Default::default())).await {
                        continue;
                    }
                    return Incoming::Closed;
                }
            };
            self.unanswered = 0;
            let said = match received {
                Some(Ok(Message::Text(text))) => match read(&text) {
                    Ok(value) => {
                        self.malformed = 0;
                        return Incoming::Message(value);
                    }
                    Err((code, message)) => self.error(code, &message).await,
                },
                Some(Ok(Message::Binary(_))) => {
                    self.error("not_text", "messages are JSON text").await
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Close(_))) => {
                    // The answer to it is on its way.
                    self.part().await;
                    return Incoming::Closed;
                }
                None => return Incoming::Closed,
                Some(Err(error)) => return self.broken(&error).await,
            };
            if !said {
                return Incoming::Closed;
            }
            self.malformed += 1;
            if self.malformed >= MALFORMED {
                let reason = "too many messages that are not right";
                return self.send_away(close_code::POLICY, reason).await;
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
        self.send_away(code, reason).await;
    }

    /// Closes, and gives the other side a moment to do so too: what was sent before could get lost else.
    async fn send_away(&mut self, code: u16, reason: &'static str) -> Incoming {
        let reason = Utf8Bytes::from_static(reason);
        let goodbye = Message::Close(Some(CloseFrame { code, reason }));
        if self.put(goodbye).await {
            self.part().await;
        }
        Incoming::Closed
    }

    /// Waits until both sides have said goodbye.
    async fn part(&mut self) {
        let parted = async { while let Some(Ok(_)) = self.socket.recv().await {} };
        // Whoever does not answer has had the time.
        _ = timeout(GOODBYE, parted).await;
    }

    /// What came in is no message at all. Says so, if the connection still carries anything.
    async fn broken(&mut self, error: &axum::Error) -> Incoming {
        // The crate whose errors these are is no dependency of ours; a test holds each to its text.
        let error = error.to_string();
        if error.starts_with("Space limit exceeded") {
            let limit = MAX_MESSAGE_BYTES / 1024;
            let message = format!("a message has at most {limit} KiB");
            if !self.error("too_large", &message).await {
                return Incoming::Closed;
            }
            return self.send_away(close_code::SIZE, "message too large").await;
        }
        if error.starts_with("UTF-8") {
            return self
                .send_away(close_code::INVALID, "text that is not UTF-8")
                .await;
        }
        if error.starts_with("WebSocket protocol error") {
            return self
                .send_away(close_code::PROTOCOL, "not a WebSocket frame")
                .await;
        }
        Incoming::Closed
    }

    async fn put(&mut self, message: Message) -> bool {
        matches!(
            timeout(TAKEN_WITHIN, self.socket.send(message)).await,
            Ok(Ok(()))
        )
    }
}

/// A message of the agreed form, or code and text of what is wrong with it.
fn read(text: &str) -> Result<Value, (&'static str, String)> {
    match serde_json::from_str::<Value>(text) {
        Ok(value) if value.get("type").is_some_and(Value::is_string) => Ok(value),
        Ok(_) => Err(("no_type", "a message is an object with a `type`".to_owned())),
        Err(error) => Err(("bad_json", format!("the message is not JSON: {error}"))),
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
        .on_upgrade(move |socket| serve(JsonSocket::new(socket, plugin)))
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
            received = socket.receive() => match received {
                Incoming::Closed => return,
                Incoming::Message(message) if message["type"] == "ping" => {
                    socket.send(&json!({"type": "pong"})).await
                }
                Incoming::Message(message) => {
                    let kind = message["type"].as_str().unwrap_or_default();
                    socket.error("unknown_type", &unknown(kind)).await
                }
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

/// What is said of a message of this type: a beginning of it, for who reads his log.
fn unknown(kind: &str) -> String {
    let end = kind.floor_char_boundary(64);
    format!("messages of type `{}` are not known here", &kind[..end])
}
