//! Asks the running daemon, over the home's socket.

use std::path::Path;

use bytes::Bytes;
use hecate_manifest::PluginName;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::{Builder, Runtime};

use crate::context::Context;
use crate::error::CliError;

/// What the daemon is called over its socket, where the name does not matter.
const SOCKET_HOST: &str = "localhost";

/// The daemon of a home, as its owner asks it.
pub(crate) struct Client<'a> {
    socket: &'a Path,
    runtime: Runtime,
}

/// Runs something asynchronous.
pub(crate) fn runtime() -> Result<Runtime, CliError> {
    let runtime = Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| CliError::because("no threads can be made", error))
}

/// Asks the daemon of the context's home; the answer's fields, or its error.
pub(crate) fn ask(
    cx: &Context,
    method: Method,
    path: &str,
    body: impl Into<Bytes>,
) -> Result<Value, CliError> {
    let socket = cx.home().socket();
    let client = Client {
        socket: &socket,
        runtime: runtime()?,
    };
    let connected = client.runtime.block_on(UnixStream::connect(client.socket));
    let stream = connected.map_err(|_| not_running(cx))?;
    let (status, answer) =
        client
            .runtime
            .block_on(send(stream, SOCKET_HOST, method, path, body.into()))?;
    if status.is_success() {
        return Ok(answer);
    }
    let message = answer["error"]
        .as_str()
        .unwrap_or("the daemon did not say why")
        .to_owned();
    Err(CliError::cannot(message))
}

/// The plugin that the user calls `text`, as it goes into a path.
pub(crate) fn plugin_called(text: &str) -> Result<PluginName, CliError> {
    PluginName::parse(text).map_err(|error| {
        let shown = CliError::usage(error.to_string());
        match error.suggestion {
            Some(suggestion) => shown.hint(format!("did you mean `{suggestion}`?")),
            None => shown.hint("`hecate ps` lists the plugins that there are"),
        }
    })
}

/// Whether a daemon answers for the context's home.
pub(crate) fn is_running(cx: &Context) -> bool {
    std::os::unix::net::UnixStream::connect(cx.home().socket()).is_ok()
}

fn not_running(cx: &Context) -> CliError {
    let home = cx.home().root().display();
    CliError::cannot(format!("no daemon is running for the home `{home}`"))
        .hint("start one with `hecate serve`")
}

async fn send<S>(
    stream: S,
    host: &str,
    method: Method,
    path: &str,
    body: Bytes,
) -> Result<(StatusCode, Value), CliError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken =
        |error: hyper::Error| CliError::because("the daemon broke the connection off", error);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    tokio::spawn(connection);
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, host);
    if host != SOCKET_HOST && !body.is_empty() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let request = request
        .body(Full::new(body))
        .map_err(|error| CliError::bug(format!("a request could not be made: {error}")))?;
    let response = sender.send_request(request).await.map_err(broken)?;
    let status = response.status();
    let bytes = response
        .into_body()
        .collect()
        .await
        .map_err(broken)?
        .to_bytes();
    let answer = serde_json::from_slice(&bytes).map_err(|error| {
        CliError::because(
            "the daemon's answer is not JSON: is it of another version?",
            error,
        )
    })?;
    Ok((status, answer))
}

/// Asks a plugin, as its page would: over HTTP, on loopback.
pub(crate) fn ask_plugin(
    port: u16,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Value, CliError> {
    let runtime = runtime()?;
    let connect = TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, port));
    let stream = runtime
        .block_on(connect)
        .map_err(|error| CliError::because(format!("nothing answers on port {port}"), error))?;
    let body = body.map(ToString::to_string).unwrap_or_default();
    let host = format!("localhost:{port}");
    let (status, answer) = runtime.block_on(send(stream, &host, method, path, body.into()))?;
    if status.is_success() {
        return Ok(answer);
    }
    let message = answer["error"]
        .as_str()
        .unwrap_or("the plugin did not say why");
    Err(CliError::cannot(format!(
        "`{path}` answered {status}: {message}"
    )))
}
