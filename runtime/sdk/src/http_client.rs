//! A client for HTTP and HTTPS, with the one implementation of TLS that everything here shares.

use std::time::Duration;

use rustls::crypto::ring;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the other side may send nothing.
const SILENCE: Duration = Duration::from_secs(60);

/// A client with usual settings: 10 s to connect, 60 s of silence, certificates checked as the system does. Keep one;
/// it holds connections. A plugin needs the permission `net:tcp:PORT` for where it connects to.
///
/// ```no_run
/// use hecate_sdk::serde_json::Value;
///
/// # async fn weather() -> Result<(), hecate_sdk::reqwest::Error> {
/// let client = hecate_sdk::http_client()?;
/// let answer = client.get("https://api.example.org/weather").send().await?.error_for_status()?;
/// println!("{}", answer.json::<Value>().await?["temperature"]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// If the system has no certificates to check others with.
pub fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    http_client_builder().build()
}

/// The same before it is built, for other settings.
///
/// `reqwest::Client::builder` alone gives a client that panics at its first secure connection: TLS is installed here.
pub fn http_client_builder() -> reqwest::ClientBuilder {
    // Installed already is as good.
    _ = ring::default_provider().install_default();
    reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .user_agent(concat!("hecate-sdk/", env!("CARGO_PKG_VERSION")))
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use serde_json::{Value, json};
    use tokio::net::TcpListener;

    use super::http_client;
    use crate::testing::run;

    #[test]
    fn it_asks_and_does_not_trust_what_is_no_tls() {
        run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let router = Router::new().route("/", get(async || axum::Json(json!({"ok": true}))));
            let server = tokio::spawn(async move { axum::serve(listener, router).await });
            let client = http_client().unwrap();
            let answer = client
                .get(format!("http://{address}/"))
                .send()
                .await
                .unwrap();
            assert_eq!(answer.json::<Value>().await.unwrap(), json!({"ok": true}));
            let error = client
                .get(format!("https://{address}/"))
                .send()
                .await
                .unwrap_err();
            assert!(error.is_connect(), "{error:?}");
            server.abort();
        });
    }
}
