//! What a client can do wrong with a body: it gets an answer by code, and the plugin goes on serving.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::post;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Method, header};
use serde_json::{Value, json};

use crate::api::{Answer, Json};
use crate::plugin::{InitError, Plugin, PluginContext};
use crate::testing::{TestPlugin, run};

struct Notes;

impl Plugin for Notes {
    fn manifest() -> &'static str {
        r#"{"name": "notes", "version": "0.1.0", "plugin_type": "in_vm"}"#
    }

    async fn init(_: PluginContext) -> Result<Self, InitError> {
        Ok(Self)
    }

    fn routes(&self) -> Router {
        let count =
            async |Json(notes): Json<Vec<String>>| Answer::of(json!({"count": notes.len()}));
        Router::new().route("/notes", post(count))
    }
}

/// Status and code of the answer to a body of this type.
async fn answer(plugin: &TestPlugin, kind: Option<&str>, body: impl Into<Body>) -> (u16, Value) {
    let mut request = Request::builder().method(Method::POST).uri("/api/notes");
    if let Some(kind) = kind {
        request = request.header(header::CONTENT_TYPE, kind);
    }
    let response = plugin.respond(request.body(body.into()).unwrap()).await;
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await;
    let answer: Value = serde_json::from_slice(&body.unwrap()).unwrap();
    (status, answer["code"].clone())
}

const JSON: Option<&str> = Some("application/json");

#[test]
fn what_is_no_json_is_told_as_that() {
    run(async {
        let plugin = TestPlugin::start::<Notes>().await;
        let deep = "[".repeat(100_000);
        for body in [
            &b"["[..],
            b"[\"a\"] and more",
            b"[\"\xff\"]",
            b"\xef\xbb\xbf[]",
            b"[1e999]",
            b"[\"\\ud800\"]",
            b"\0",
            b" ",
            deep.as_bytes(),
        ] {
            let said = answer(&plugin, JSON, body.to_vec()).await;
            assert_eq!(said, (400, json!("bad_json")), "{body:?}");
        }
        assert_eq!(answer(&plugin, JSON, r#"["a"]"#).await.0, 200);
    });
}

#[test]
fn the_type_of_a_body_is_looked_at() {
    run(async {
        let plugin = TestPlugin::start::<Notes>().await;
        for kind in [
            None,
            Some("text/plain"),
            Some("application/jsonp"),
            Some("multipart/form-data; boundary=x"),
            Some(""),
        ] {
            let said = answer(&plugin, kind, r#"["a"]"#).await;
            assert_eq!(said, (415, json!("not_json")), "{kind:?}");
        }
        for kind in [
            "application/json; charset=utf-8",
            "Application/JSON",
            "application/vnd.notes+json",
        ] {
            assert_eq!(
                answer(&plugin, Some(kind), r#"["a"]"#).await.0,
                200,
                "{kind}"
            );
        }
    });
}

#[test]
fn a_body_without_end_is_refused_at_the_limit() {
    run(async {
        let plugin = TestPlugin::start::<Notes>().await;
        let endless = stream::repeat(Ok::<_, Infallible>(Bytes::from_static(&[b' '; 4096])));
        let said = answer(&plugin, JSON, Body::from_stream(endless)).await;
        assert_eq!(said, (413, json!("body_too_large")));
        let said = answer(&plugin, JSON, vec![b' '; (2 << 20) + 1]).await;
        assert_eq!(said, (413, json!("body_too_large")));
        assert_eq!(answer(&plugin, JSON, r#"["a"]"#).await.0, 200);
    });
}

#[test]
fn a_body_that_breaks_off_is_told_as_that() {
    run(async {
        let plugin = TestPlugin::start::<Notes>().await;
        let pieces = [Ok(Bytes::from_static(b"[")), Err("the line went dead")];
        let said = answer(&plugin, JSON, Body::from_stream(stream::iter(pieces))).await;
        assert_eq!(said, (400, json!("body_unreadable")));
    });
}

#[tokio::test(start_paused = true)]
async fn a_body_that_takes_too_long_is_given_up() {
    let plugin = TestPlugin::start::<Notes>().await;
    // A byte every ten seconds.
    let slow = stream::repeat(Ok::<_, Infallible>(Bytes::from_static(b" "))).then(async |byte| {
        tokio::time::sleep(Duration::from_secs(10)).await;
        byte
    });
    let said = answer(&plugin, JSON, Body::from_stream(slow)).await;
    assert_eq!(said, (408, json!("body_too_slow")));
    assert_eq!(answer(&plugin, JSON, r#"["a"]"#).await.0, 200);
}
