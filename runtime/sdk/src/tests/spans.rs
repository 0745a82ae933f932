//! A collector gets spans, whatever becomes of it.
//!
//! Spans are exported for the whole process, and other tests make many: each test here has a process of its own.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::routing::post;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};

use super::account::Accounts;
use super::myself;
use crate::telemetry::opentelemetry::export;
use crate::testing::{Around, TestPlugin, run};

/// One test at a time exports, if somebody runs all of them in one process.
static ONE: Mutex<()> = Mutex::const_new(());

/// A collector that keeps what it is sent.
async fn collector() -> (String, mpsc::UnboundedReceiver<(String, Bytes)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::unbounded_channel();
    let take = async move |request: Request| {
        let kind = request.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        let body = request.into_body();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        _ = sender.send((kind, body));
    };
    let router = Router::new().route("/v1/traces", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (endpoint, receiver)
}

/// Everything that a collector has been sent, one after the other.
fn all(receiver: &mut mpsc::UnboundedReceiver<(String, Bytes)>) -> Vec<u8> {
    let mut all = Vec::new();
    while let Ok((kind, body)) = receiver.try_recv() {
        assert_eq!(kind, "application/x-protobuf");
        all.extend_from_slice(&body);
    }
    all
}

fn count(hay: &[u8], needle: &[u8]) -> usize {
    hay.windows(needle.len())
        .filter(|window| *window == needle)
        .count()
}

/// The text as a field of a protobuf message: its length, then itself.
fn text(text: &str) -> Vec<u8> {
    let mut field = vec![u8::try_from(text.len()).unwrap()];
    field.extend_from_slice(text.as_bytes());
    field
}

#[test]
fn spans_reach_whoever_collects_them_and_cost_nobody_else() {
    for name in [
        "a_collector_gets_the_spans_of_a_request_in_the_trace_that_it_belongs_to",
        "dropping_an_exporter_sends_what_is_left_even_from_the_only_thread_of_a_runtime",
        "a_newer_exporter_takes_over_and_the_older_one_does_not_end_it",
        "a_collector_that_is_away_or_silent_costs_spans_and_nothing_else",
    ] {
        let mut test = myself::again(&["env"], module_path!(), name);
        let output = test.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && said.contains("1 passed"),
            "{said}{complaint}"
        );
    }
}

#[test]
#[ignore = "in a process of its own, by the test above"]
fn a_collector_gets_the_spans_of_a_request_in_the_trace_that_it_belongs_to() {
    run(async {
        let _one = ONE.lock().await;
        let (endpoint, mut received) = collector().await;
        let exporter = export(&endpoint, "bank-under-test").unwrap();
        let plugin = TestPlugin::start::<Around<Accounts>>().await;
        let trace = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128;
        let request = Request::post("/api/accounts/open")
            .header(
                "traceparent",
                format!("00-{trace:032x}-b7ad6b7169203331-01"),
            )
            .header("content-type", "application/json")
            .body(Body::from(json!({"owner": "Ada"}).to_string()))
            .unwrap();
        let response = plugin.running.respond(request).await;
        assert_eq!(response.status(), 201);
        drop(plugin);
        exporter.shutdown().await;

        let sent = all(&mut received);
        for word in [
            "service.name",
            "bank-under-test",
            "request",
            "/api/accounts/open",
            "command",
            "open_account",
            "outcome",
            "done",
            "append",
            "project",
        ] {
            assert!(count(&sent, &text(word)) > 0, "no `{word}` was sent");
        }
        // The request, its command and its append; what else is in no trace or in one of its own.
        assert_eq!(count(&sent, &trace.to_be_bytes()), 3);
        // The request is below the span that asked, and nothing else is.
        assert_eq!(count(&sent, &0xb7ad_6b71_6920_3331_u64.to_be_bytes()), 1);

        // After the end nobody takes spans, and none are made.
        assert!(tracing::debug_span!("late").is_disabled());
        exporter.shutdown().await;
        assert!(received.try_recv().is_err());
    });
}

#[test]
#[ignore = "in a process of its own, by the test above"]
fn dropping_an_exporter_sends_what_is_left_even_from_the_only_thread_of_a_runtime() {
    run(async {
        let _one = ONE.lock().await;
        // The collector has a runtime of its own, as it has a process of its own.
        let (started, endpoint) = std::sync::mpsc::channel();
        let collecting = std::thread::spawn(move || {
            run(async {
                let (endpoint, mut received) = collector().await;
                started.send(endpoint).unwrap();
                let first = received.recv().await.unwrap();
                first.1
            })
        });
        let exporter = export(&endpoint.recv().unwrap(), "dropped").unwrap();
        // The one worker of this runtime waits for the last batch here.
        let ending = tokio::spawn(async move {
            tracing::info_span!("mine").in_scope(|| tracing::info!("inside"));
            drop(exporter);
        });
        ending.await.unwrap();
        let sent = collecting.join().unwrap();
        assert!(count(&sent, &text("mine")) == 1 && count(&sent, &text("inside")) == 1);
    });
}

#[test]
#[ignore = "in a process of its own, by the test above"]
fn a_newer_exporter_takes_over_and_the_older_one_does_not_end_it() {
    run(async {
        let _one = ONE.lock().await;
        let (old_endpoint, mut old) = collector().await;
        let (new_endpoint, mut new) = collector().await;
        let older = export(&old_endpoint, "older").unwrap();
        drop(tracing::info_span!("for-the-older"));
        let newer = export(&new_endpoint, "newer").unwrap();
        older.shutdown().await;
        drop(tracing::info_span!("for-the-newer"));
        newer.shutdown().await;
        let (old, new) = (all(&mut old), all(&mut new));
        assert_eq!(count(&old, &text("for-the-older")), 1);
        assert_eq!(count(&old, &text("for-the-newer")), 0);
        assert_eq!(count(&new, &text("for-the-newer")), 1);
        assert_eq!(count(&new, &text("newer")), 1);
    });
}

#[test]
#[ignore = "in a process of its own, by the test above"]
fn a_collector_that_is_away_or_silent_costs_spans_and_nothing_else() {
    run(async {
        let _one = ONE.lock().await;
        // It takes connections, and says nothing.
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let away = nobody.local_addr().unwrap();
        drop(nobody);
        for address in [silent.local_addr().unwrap(), away] {
            let exporter = export(&format!("http://{address}/"), "alone").unwrap();
            let plugin = TestPlugin::start::<Around<Accounts>>().await;
            // More than wait at most.
            for _ in 0..3000 {
                drop(tracing::info_span!("lost"));
            }
            let opened = plugin.post("/accounts/open", json!({"owner": "Ada"})).await;
            assert_eq!(opened.status, 201, "{opened:?}");
            exporter.shutdown().await;
        }
    });
}
