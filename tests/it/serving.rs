//! What the daemon serves for a plugin, and what it says of it.

use futures_util::StreamExt;
use http::{Method, StatusCode, header};
use insta::assert_snapshot;
use serde_json::json;
use tokio_tungstenite::connect_async;

use crate::support::{Answer, Daemon, RUNTIME, Sandbox, get, orders, post, send};

const PLUGIN: &str = "/plugin/it-orders";
const API: &str = "/plugin/it-orders/api";

/// A daemon that serves the plugin about orders.
pub(crate) fn serving(sandbox: &Sandbox) -> Daemon {
    let daemon = Daemon::start(sandbox);
    let bundle = orders().display();
    // Another home has signed it.
    let _installed = sandbox
        .hecate(&format!("install {bundle} --allow-unsigned"))
        .ok();
    daemon
}

fn born(port: u16, customer: &str) -> String {
    let body = json!({"customer": customer, "total": "1.50"});
    let answer = post(port, &format!("{API}/orders/initiate"), &body);
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["order_id"].as_str().unwrap().to_owned()
}

fn text_of(answer: &Answer, name: header::HeaderName) -> &str {
    answer
        .headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

#[test]
fn files_come_with_type_tag_and_policy() {
    let sandbox = Sandbox::new();
    let daemon = serving(&sandbox);
    let page = get(daemon.port, &format!("{PLUGIN}/"));
    assert_eq!(page.status, 200);
    assert_eq!(text_of(&page, header::CONTENT_TYPE), "text/html");
    assert_eq!(text_of(&page, header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    let policy = text_of(&page, header::CONTENT_SECURITY_POLICY);
    assert!(policy.contains("default-src 'self'"), "{policy}");
    assert!(policy.contains("ws://localhost:"), "{policy}");
    let script = get(daemon.port, &format!("{PLUGIN}/component.js"));
    assert_eq!(text_of(&script, header::CONTENT_TYPE), "text/javascript");

    let tag = text_of(&script, header::ETAG).to_owned();
    let again = send(
        daemon.port,
        Method::GET,
        &format!("{PLUGIN}/component.js"),
        &[("if-none-match", &tag)],
        "",
    );
    let again = again.unwrap();
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    let part = send(
        daemon.port,
        Method::GET,
        &format!("{PLUGIN}/component.js"),
        &[("range", "bytes=3-9")],
        "",
    );
    let part = part.unwrap();
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.body, script.body[3..10]);

    let moved = get(daemon.port, PLUGIN);
    assert_eq!(moved.status, StatusCode::PERMANENT_REDIRECT);
    assert_eq!(text_of(&moved, header::LOCATION), format!("{PLUGIN}/"));
}

#[test]
fn what_every_plugin_has_is_there() {
    let sandbox = Sandbox::new();
    let daemon = serving(&sandbox);
    let manifest = get(daemon.port, &format!("{API}/manifest")).json();
    assert_eq!(manifest["name"], "it-orders");
    let health = get(daemon.port, &format!("{API}/health")).json();
    assert_eq!(
        (&health["app"], &health["status"]),
        (&json!("it-orders"), &json!("ok"))
    );
    let flags = get(daemon.port, &format!("{API}/flag-maps")).json();
    assert_eq!(
        flags["flag_maps"]["order"],
        json!({"1": "Initiated", "2": "Archived", "4": "Confirmed"})
    );
    let openapi = get(daemon.port, &format!("{API}/openapi.json")).json();
    let paths: Vec<_> = openapi["paths"].as_object().unwrap().keys().collect();
    assert_eq!(
        paths,
        [
            "/orders/{id}/archive",
            "/orders/{id}/confirm",
            "/orders/initiate",
            "/orders/count",
            "/confirmed_orders",
            "/orders/{id}",
            "/orders",
            "/orders/search",
        ]
    );
}

#[test]
fn what_is_not_there_is_said_in_json() {
    let sandbox = Sandbox::new();
    let daemon = serving(&sandbox);
    let said = |method: Method, path: &str| {
        let answer = send(daemon.port, method, path, &[], "").unwrap();
        format!("{} {}", answer.status.as_u16(), answer.text())
    };
    let asked = [
        (Method::GET, "/nothing".to_owned()),
        (Method::GET, "/api/nothing".to_owned()),
        (Method::GET, "/plugin/nobody/".to_owned()),
        (Method::GET, format!("{PLUGIN}/nothing.js")),
        (Method::GET, format!("{PLUGIN}/%2e%2e/manifest.json")),
        (Method::GET, format!("{API}/nothing")),
        (Method::GET, format!("{API}/orders/nobody")),
        (Method::GET, format!("{API}/apiary")),
        (Method::DELETE, format!("{API}/orders")),
        (Method::POST, format!("{PLUGIN}/")),
        (Method::GET, format!("{PLUGIN}/ws")),
    ];
    let said: Vec<_> = asked
        .into_iter()
        .map(|(method, path)| said(method, &path))
        .collect();
    assert_snapshot!(said.join("\n"), @r#"
    404 {"ok":false,"error":"there is nothing at `/nothing`","code":"not_found"}
    404 {"ok":false,"error":"there is nothing at `/api/nothing`","code":"not_found"}
    404 {"ok":false,"error":"there is no plugin `nobody` here","code":"plugin_unknown"}
    404 {"ok":false,"error":"the plugin `it-orders` has no file `/nothing.js`","code":"not_found"}
    404 {"ok":false,"error":"the plugin `it-orders` has no file `/%2e%2e/manifest.json`","code":"not_found"}
    404 {"ok":false,"error":"there is nothing at `/nothing`","code":"not_found"}
    404 {"ok":false,"error":"there is no order `nobody`","code":"order_not_found"}
    404 {"ok":false,"error":"there is nothing at `/apiary`","code":"not_found"}
    405 {"ok":false,"error":"`/orders` does not take DELETE","code":"method_not_allowed"}
    405 {"ok":false,"error":"files can only be read","code":"method_not_allowed"}
    426 {"ok":false,"error":"this address is a WebSocket","code":"upgrade_required"}
    "#);
}

#[test]
fn a_command_is_answered_once_for_each_key() {
    let sandbox = Sandbox::new();
    let daemon = serving(&sandbox);
    let key = "0190a4b2-7c3d-7e5f-8a1b-2c3d4e5f6a7b";
    let initiate = |customer: &str| {
        let body = json!({"customer": customer, "total": "1"}).to_string();
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", key),
        ];
        let path = format!("{API}/orders/initiate");
        send(daemon.port, Method::POST, &path, &headers, body).unwrap()
    };
    let (first, again) = (initiate("Ada"), initiate("Ada"));
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 201));
    assert_eq!(first.json()["order_id"], again.json()["order_id"]);
    assert_eq!(first.json()["position"], again.json()["position"]);
    assert_eq!(
        initiate("Grace").status,
        409,
        "another command with the same key"
    );
    let count = get(daemon.port, &format!("{API}/orders/count")).json();
    assert_eq!(count["count"], 1);
}

#[test]
fn wrong_fields_are_named_one_by_one() {
    let sandbox = Sandbox::new();
    let daemon = serving(&sandbox);
    let path = format!("{API}/orders/initiate");
    let said = |headers: &[(&str, &str)], body: &str| {
        let answer = send(daemon.port, Method::POST, &path, headers, body).unwrap();
        format!("{} {}", answer.status.as_u16(), answer.text())
    };
    let json = [("content-type", "application/json")];
    let said = [
        said(&json, r#"{"customer": 1, "total": "x", "extra": true}"#),
        said(&json, r#"{"total": "1.5"}"#),
        said(&json, "{"),
        said(&json, "[]"),
        said(&json, ""),
        said(&[], r#"{"customer": "Ada", "total": "1"}"#),
        said(
            &json,
            &format!(r#"{{"customer": "{}"}}"#, "x".repeat(3 << 20)),
        ),
    ];
    assert_snapshot!(said.join("\n"), @r#"
    422 {"ok":false,"error":"`customer` must be text, `extra` is no field here; there are: customer, total, `total` must be a decimal number","code":"invalid","fields":{"customer":"must be text","extra":"is no field here; there are: customer, total","total":"must be a decimal number"}}
    422 {"ok":false,"error":"`customer` is missing","code":"invalid","fields":{"customer":"is missing"}}
    400 {"ok":false,"error":"the body is not JSON: EOF while parsing an object at line 1 column 1","code":"bad_json"}
    422 {"ok":false,"error":"`body` must be a JSON object","code":"invalid","fields":{"body":"must be a JSON object"}}
    422 {"ok":false,"error":"`customer` is missing, `total` is missing","code":"invalid","fields":{"customer":"is missing","total":"is missing"}}
    415 {"ok":false,"error":"send the body as `content-type: application/json`","code":"not_json"}
    413 {"ok":false,"error":"the body is too large","code":"body_too_large"}
    "#);
}

#[test]
fn what_happens_is_told_at_once_on_socket_and_stream() {
    let sandbox = Sandbox::new();
    let daemon = serving(&sandbox);
    let port = daemon.port;
    RUNTIME.block_on(async {
        // The literal address of the seed, with our port.
        let address = format!("ws://localhost:{port}{PLUGIN}/ws");
        let (mut socket, _) = connect_async(address).await.unwrap();
        assert_eq!(next_frame(&mut socket).await["type"], "hello");
        let id = tokio::task::spawn_blocking(move || born(port, "Ada"))
            .await
            .unwrap();
        let notice = next_frame(&mut socket).await;
        assert_eq!(notice["type"], "event");
        assert_eq!(
            (&notice["event"], &notice["id"]),
            (&json!("order_initiated_v1"), &json!(id))
        );
    });
}

/// The next JSON frame of a socket; pings are answered by the library.
async fn next_frame<S>(socket: &mut tokio_tungstenite::WebSocketStream<S>) -> serde_json::Value
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    loop {
        let frame = socket.next().await.unwrap().unwrap();
        if frame.is_text() {
            return serde_json::from_str(frame.to_text().unwrap()).unwrap();
        }
    }
}

#[test]
fn metrics_and_health_tell_of_the_plugin() {
    let sandbox = Sandbox::new();
    let daemon = serving(&sandbox);
    born(daemon.port, "Ada");
    let health = get(daemon.port, "/health").json();
    assert_eq!(
        (&health["status"], &health["ready"]),
        (&json!("healthy"), &json!(true))
    );
    assert_eq!(health["plugins"]["it-orders"]["state"], "ready");
    assert_eq!(health["plugins"]["it-orders"]["health"], "ok");
    // A plugin pushes its own counts once a second.
    let mut metrics = String::new();
    for _ in 0..50 {
        metrics = get(daemon.port, "/metrics").text();
        if metrics.contains("hecate_plugin_http_requests_total{plugin=\"it-orders\"} 1") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    for line in [
        "hecate_plugin_up{plugin=\"it-orders\"} 1",
        "hecate_plugin_http_requests_total{plugin=\"it-orders\"} 1",
        "# TYPE hecate_plugin_http_request_seconds histogram",
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
}

#[test]
fn a_plugin_is_listed_reloaded_and_removed() {
    let sandbox = Sandbox::new();
    let daemon = serving(&sandbox);
    let id = born(daemon.port, "Ada");
    assert_snapshot!(sandbox.hecate("ps"), @"
    exit 0
    it-orders  0.1.0  ready  http://localhost:[PORT]/plugin/it-orders/
    ");
    assert_snapshot!(sandbox.hecate("reload it-orders"), @"
    exit 0
    reloaded it-orders
    ");
    let row = format!("{API}/orders/{id}");
    assert_eq!(get(daemon.port, &row).json()["customer"], "Ada");
    assert_snapshot!(sandbox.hecate("uninstall it-orders"), @"
    exit 0
    uninstalled it-orders, its data is kept
    ");
    assert_eq!(get(daemon.port, &row).status, 404);
    assert_snapshot!(sandbox.hecate("ps"), @"
    exit 0
    no plugins are installed
    ");

    let bundle = orders().display();
    let _installed = sandbox
        .hecate(&format!("install {bundle} --allow-unsigned"))
        .ok();
    assert_eq!(
        get(daemon.port, &row).json()["customer"],
        "Ada",
        "removing keeps data"
    );
    let _removed = sandbox.hecate("uninstall it-orders --data").ok();
    assert!(!sandbox.home().join("plugins/it-orders").exists());
}

#[test]
fn logs_are_one_json_line_for_each_event() {
    let sandbox = Sandbox::new();
    let daemon = serving(&sandbox);
    let broken = get(daemon.port, &format!("{API}/orders?limit=0"));
    assert_eq!(broken.status, 422);
    let run = sandbox.hecate("logs it-orders").ok();
    for line in run.stdout.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["plugin"], "it-orders", "{line}");
        assert!(line["ts"].is_string() && line["level"].is_string() && line["msg"].is_string());
    }
    // The daemon's own log has each state that the plugin was in.
    let log = std::fs::read_to_string(sandbox.path("daemon.log")).unwrap();
    let states: Vec<_> = log
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|line| line["state"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(
        states,
        ["installed", "verified", "starting", "ready"],
        "{log}"
    );
}

#[test]
fn a_bundle_is_served_alone() {
    let sandbox = Sandbox::new();
    let bundle = orders().to_str().unwrap();
    let alone = Daemon::serve(&sandbox, &["serve", bundle, "--allow-unsigned"]);
    let id = born(alone.port, "Ada");
    let row = get(alone.port, &format!("{API}/orders/{id}")).json();
    assert_eq!(row["customer"], "Ada");
    assert_eq!(get(alone.port, &format!("{PLUGIN}/")).status, 200);
    let other = get(alone.port, "/plugin/other/").json();
    assert_eq!(other["code"], "not_found");
    assert_eq!(alone.stop(), 0);
}
