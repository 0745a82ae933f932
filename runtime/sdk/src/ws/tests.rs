//! What a client can do wrong, through a real socket pair: it gets an answer, and the plugin goes on serving.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::routing::{MethodRouter, any, get};
use futures_util::{SinkExt, StreamExt};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{MALFORMED, MAX_MESSAGE_BYTES, PING, TAKEN_WITHIN, UNANSWERED, upgrade};
use crate::plugin::{InitError, Plugin, PluginContext};
use crate::testing::{TestPlugin, run};

struct Quiet;

impl Plugin for Quiet {
    fn manifest() -> &'static str {
        r#"{"name": "quiet", "version": "0.1.0", "plugin_type": "in_vm"}"#
    }

    async fn init(_: PluginContext) -> Result<Self, InitError> {
        Ok(Self)
    }

    fn routes(&self) -> Router {
        Router::new().route("/greeting", get(async || "hello"))
    }
}

type Socket = WebSocketStream<UnixStream>;

/// A socket of the plugin.
async fn connect(plugin: &Arc<TestPlugin>) -> Socket {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let plugin = plugin.clone();
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let plugin = plugin.clone();
        async move { Ok::<_, std::convert::Infallible>(plugin.respond(request.map(Body::new)).await) }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(theirs), service);
    tokio::spawn(connection.with_upgrades());
    let (socket, _) = tokio_tungstenite::client_async("ws://plugin/ws", ours)
        .await
        .unwrap();
    socket
}

async fn hello(plugin: &Arc<TestPlugin>) -> Socket {
    let mut socket = connect(plugin).await;
    assert_eq!(said(&mut socket).await["type"], "hello");
    socket
}

async fn quiet() -> Arc<TestPlugin> {
    Arc::new(TestPlugin::start::<Quiet>().await)
}

/// The next message.
async fn said(socket: &mut Socket) -> Value {
    let message = socket.next().await.unwrap().unwrap();
    serde_json::from_str(message.to_text().unwrap()).unwrap()
}

/// Code and reason with which the other side closes, next.
async fn closed(socket: &mut Socket) -> (u16, String) {
    match socket.next().await {
        Some(Ok(Message::Close(Some(CloseFrame { code, reason })))) => {
            (code.into(), reason.to_string())
        }
        other => panic!("{other:?}"),
    }
}

async fn goes_on_serving(plugin: &Arc<TestPlugin>) {
    assert_eq!(plugin.get("/greeting").await.status, 200);
    let mut socket = hello(plugin).await;
    socket.send(r#"{"type": "ping"}"#.into()).await.unwrap();
    assert_eq!(said(&mut socket).await, json!({"type": "pong"}));
}

#[test]
fn what_is_not_of_the_agreed_form_is_answered_by_code() {
    run(async {
        let plugin = quiet().await;
        let mut socket = hello(&plugin).await;
        for (message, code) in [
            (Message::text("{"), "bad_json"),
            (Message::text(""), "bad_json"),
            (Message::text("[".repeat(10_000)), "bad_json"),
            (Message::text("[1]"), "no_type"),
            (Message::text("null"), "no_type"),
            (Message::text(r#"{"type": 7}"#), "no_type"),
            (Message::text(r#"{"kind": "ping"}"#), "no_type"),
            (Message::binary(vec![0, 159, 146, 150]), "not_text"),
            (Message::text(r#"{"type": "sing"}"#), "unknown_type"),
            (
                Message::text(json!({"type": "é".repeat(30_000)}).to_string()),
                "unknown_type",
            ),
        ] {
            socket.send(message).await.unwrap();
            let error = said(&mut socket).await;
            assert_eq!(
                (&error["type"], &error["code"]),
                (&json!("error"), &json!(code))
            );
            assert!(error["error"].as_str().unwrap().len() < 300, "{error}");
        }
        // The socket has not suffered.
        socket.send(r#"{"type": "ping"}"#.into()).await.unwrap();
        assert_eq!(said(&mut socket).await["type"], "pong");
    });
}

#[test]
fn a_message_that_is_too_large_is_refused_and_closes() {
    run(async {
        let plugin = quiet().await;
        let mut socket = hello(&plugin).await;
        let just = json!({"type": "x".repeat(MAX_MESSAGE_BYTES - 11)}).to_string();
        assert_eq!(just.len(), MAX_MESSAGE_BYTES);
        socket.send(just.into()).await.unwrap();
        assert_eq!(said(&mut socket).await["code"], "unknown_type");
        let more = json!({"type": "x".repeat(MAX_MESSAGE_BYTES - 10)}).to_string();
        // It may be refused while it is being sent.
        _ = socket.send(more.into()).await;
        assert_eq!(said(&mut socket).await["code"], "too_large");
        assert_eq!(
            closed(&mut socket).await,
            (1009, "message too large".to_owned())
        );
        goes_on_serving(&plugin).await;
    });
}

#[test]
fn a_large_message_in_small_frames_is_too_large_all_the_same() {
    run(async {
        let plugin = quiet().await;
        let mut socket = hello(&plugin).await;
        // A text that does not end: frames of 4 KiB, masked with zeros, none of them the last.
        let mut first = vec![0x01, 0xfe, 0x10, 0x00, 0, 0, 0, 0];
        first.extend([b' '; 4096]);
        let mut next = first.clone();
        next[0] = 0x00;
        socket.get_mut().write_all(&first).await.unwrap();
        for _ in 0..16 {
            if socket.get_mut().write_all(&next).await.is_err() {
                break;
            }
        }
        assert_eq!(said(&mut socket).await["code"], "too_large");
        assert_eq!(closed(&mut socket).await.0, 1009);
        goes_on_serving(&plugin).await;
    });
}

#[test]
fn what_is_no_frame_or_no_text_closes_with_its_code() {
    run(async {
        let plugin = quiet().await;
        let mut long_ping = vec![0x89, 0xfe, 0x00, 0x7e, 0, 0, 0, 0];
        long_ping.resize(8 + 126, 0);
        for (bytes, code) in [
            // Text that is not UTF-8.
            (&[0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28][..], 1007),
            // An opcode that there is not.
            (&[0x83, 0x80, 0, 0, 0, 0], 1002),
            // A bit that nobody agreed on.
            (&[0xf1, 0x80, 0, 0, 0, 0], 1002),
            // A frame without a mask, which clients must not send.
            (&[0x81, 0x02, b'{', b'}'], 1002),
            // A ping longer than pings may be.
            (&long_ping, 1002),
        ] {
            let mut socket = hello(&plugin).await;
            socket.get_mut().write_all(bytes).await.unwrap();
            assert_eq!(closed(&mut socket).await.0, code, "{bytes:?}");
        }
        goes_on_serving(&plugin).await;
    });
}

#[test]
fn who_only_sends_nonsense_is_sent_away() {
    run(async {
        let plugin = quiet().await;
        let mut socket = hello(&plugin).await;
        for number in 0..MALFORMED * 2 {
            // What is right in between is patience won.
            if number == MALFORMED / 2 {
                socket.send(r#"{"type": "ping"}"#.into()).await.unwrap();
                assert_eq!(said(&mut socket).await["type"], "pong");
            }
            socket.send("nonsense".into()).await.unwrap();
            let Some(Ok(Message::Text(_))) = socket.next().await else {
                panic!("sent away early")
            };
            if number + 1 == MALFORMED / 2 + MALFORMED {
                assert_eq!(closed(&mut socket).await.0, 1008);
                goes_on_serving(&plugin).await;
                return;
            }
        }
        panic!("never sent away");
    });
}

#[test]
fn a_flood_is_answered_at_its_own_pace_while_others_are_served() {
    const MESSAGES: usize = 10_000;
    run(async {
        let plugin = quiet().await;
        let (mut sender, mut receiver) = hello(&plugin).await.split();
        let flood = tokio::spawn(async move {
            for number in 0..MESSAGES {
                let message = if number % 2 == 0 {
                    r#"{"type": "ping"}"#
                } else {
                    r#"{"type": "x"}"#
                };
                sender.feed(message.into()).await.unwrap();
            }
            sender.flush().await.unwrap();
            sender
        });
        let answers = tokio::spawn(async move {
            for _ in 0..MESSAGES {
                assert!(receiver.next().await.unwrap().unwrap().is_text());
            }
        });
        for _ in 0..10 {
            goes_on_serving(&plugin).await;
        }
        answers.await.unwrap();
        _ = flood.await.unwrap();
    });
}

#[test]
fn who_goes_without_a_word_is_forgotten() {
    run(async {
        let plugin = quiet().await;
        drop(hello(&plugin).await);
        let mut half = hello(&plugin).await;
        half.get_mut().write_all(&[0x81, 0xfe, 0x10]).await.unwrap();
        drop(half);
        goes_on_serving(&plugin).await;
    });
}

#[test]
fn a_close_is_answered_with_its_code() {
    run(async {
        let plugin = quiet().await;
        let mut socket = hello(&plugin).await;
        socket.close(None).await.unwrap();
        let mut end = socket.next().await;
        while let Some(Ok(_)) = end {
            end = socket.next().await;
        }
        assert!(
            matches!(end, None | Some(Err(Error::ConnectionClosed))),
            "{end:?}"
        );
    });
}

#[test]
fn a_plugin_that_ends_says_that_another_comes() {
    run(async {
        let plugin = quiet().await;
        let mut socket = hello(&plugin).await;
        plugin.stop().await;
        let (code, reason) = closed(&mut socket).await;
        assert_eq!(
            (code, reason.as_str()),
            (1012, "the plugin is being replaced")
        );
    });
}

#[tokio::test(start_paused = true)]
async fn who_answers_no_pings_is_sent_away() {
    let plugin = quiet().await;
    let mut deaf = hello(&plugin).await;
    let mut well = hello(&plugin).await;
    // Reading is what answers pings.
    let reading =
        tokio::spawn(async move { while let Some(Ok(Message::Ping(_))) = well.next().await {} });
    tokio::time::sleep(PING * (UNANSWERED + 2)).await;
    let mut bytes = Vec::new();
    deaf.get_mut().read_to_end(&mut bytes).await.unwrap();
    let pings = bytes.windows(2).filter(|frame| frame == b"\x89\x00");
    assert_eq!(pings.count(), UNANSWERED as usize);
    assert!(bytes.ends_with(b"\x03\xe9no answer to pings"), "{bytes:?}");
    assert!(!reading.is_finished());
}

/// Sends on and on, and tells when it is through with that.
struct Talkative {
    through: mpsc::UnboundedSender<Duration>,
}

static THROUGH: std::sync::Mutex<Option<mpsc::UnboundedSender<Duration>>> =
    std::sync::Mutex::new(None);

impl Plugin for Talkative {
    fn manifest() -> &'static str {
        r#"{"name": "talkative", "version": "0.1.0", "plugin_type": "in_vm"}"#
    }

    async fn init(_: PluginContext) -> Result<Self, InitError> {
        let through = THROUGH.lock().unwrap().take().ok_or("nobody listens")?;
        Ok(Self { through })
    }

    fn websocket(&self) -> Option<MethodRouter> {
        let through = self.through.clone();
        let talk = async move |request: WebSocketUpgrade| {
            upgrade(request, "talkative".to_owned(), |mut socket| async move {
                let long = json!({"type": "talk", "text": "x".repeat(10_000)});
                let begun = tokio::time::Instant::now();
                while socket.send(&long).await {}
                through.send(begun.elapsed()).unwrap();
            })
        };
        Some(any(talk))
    }
}

#[tokio::test(start_paused = true)]
async fn who_takes_no_messages_holds_nobody_up_for_ever() {
    let (through, mut when) = mpsc::unbounded_channel();
    *THROUGH.lock().unwrap() = Some(through);
    let plugin = Arc::new(TestPlugin::start::<Talkative>().await);
    let _stuck = connect(&plugin).await;
    let waited = when.recv().await.unwrap();
    assert!(
        (TAKEN_WITHIN..TAKEN_WITHIN * 2).contains(&waited),
        "{waited:?}"
    );
    assert_eq!(plugin.get("/health").await.status, 200);
}
