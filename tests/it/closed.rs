//! Closed from the first day: who is not on this machine, or was tricked into asking, gets nothing.

use std::fs;
use std::net::{TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;

use http::Method;
use serde_json::Value;

use crate::support::{Daemon, Sandbox, get, send};

fn code(port: u16, method: Method, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let answer = send(port, method, path, headers, "").unwrap();
    (answer.status.as_u16(), answer.json()["code"].clone())
}

#[test]
fn hosts_and_origins_that_are_not_ours_are_refused() {
    let sandbox = Sandbox::new();
    let daemon = Daemon::start(&sandbox);
    let port = daemon.port;
    for path in ["/", "/health", "/api/plugins", "/plugin/x/api/y"] {
        let rebound = code(port, Method::GET, path, &[("host", "evil.example")]);
        assert_eq!(rebound, (403, "host_not_allowed".into()), "{path}");
        let foreign = code(
            port,
            Method::GET,
            path,
            &[("origin", "https://evil.example")],
        );
        assert_eq!(foreign, (403, "origin_not_allowed".into()), "{path}");
    }
    for name in ["localhost", "127.0.0.1", "[::1]"] {
        let origin = format!("http://{name}:{port}");
        let ours = send(port, Method::GET, "/health", &[("origin", &origin)], "").unwrap();
        assert_eq!(ours.status, 200, "{name}");
    }
}

#[test]
fn what_changes_something_needs_the_token() {
    let sandbox = Sandbox::new();
    let daemon = Daemon::start(&sandbox);
    let changes = [
        (Method::POST, "/api/plugins"),
        (Method::POST, "/api/plugins/x/reload"),
        (Method::DELETE, "/api/plugins/x"),
        (Method::GET, "/api/plugins/x/logs"),
    ];
    let file = sandbox.home().join("run/token");
    let token = format!("Bearer {}", fs::read_to_string(&file).unwrap());
    for (method, path) in changes {
        let refused = code(daemon.port, method.clone(), path, &[]);
        assert_eq!(refused, (401, "token_needed".into()), "{path}");
        let wrong = code(
            daemon.port,
            method.clone(),
            path,
            &[("authorization", "Bearer no")],
        );
        assert_eq!(wrong, (401, "token_needed".into()), "{path}");
        let (status, _) = code(daemon.port, method, path, &[("authorization", &token)]);
        assert!(status != 401 && status != 403, "{path}: {status}");
    }
    let mode = |path: &str| {
        let metadata = fs::metadata(sandbox.home().join(path)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode("run/token"), 0o600);
    assert_eq!(mode("run/daemon.sock"), 0o600);
    assert_eq!(mode("run"), 0o700);
}

#[test]
fn nothing_listens_beyond_loopback() {
    let sandbox = Sandbox::new();
    let daemon = Daemon::start(&sandbox);
    assert_eq!(get(daemon.port, "/health").status, 200);
    // The address that this machine would use to reach others; no packet is sent.
    let probe = UdpSocket::bind("0.0.0.0:0").unwrap();
    if probe.connect("192.0.2.1:9").is_ok() {
        let own = probe.local_addr().unwrap().ip();
        assert!(TcpStream::connect((own, daemon.port)).is_err(), "{own}");
    }
}
