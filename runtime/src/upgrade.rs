//! WebSockets and other upgrades: the client's connection and a socket pair to the plugin, spliced.
//!
//! An upgrade needs a real HTTP connection inside the plugin, so the request travels as one end of a socket pair
//! that the plugin serves, and after its 101 the bytes are copied both ways.

use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;

use http::{HeaderMap, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tokio::net::UnixStream;

use crate::body::{Body, BoxError};
use crate::instance::Instance;
use crate::reply;

/// Whether the client asks to leave HTTP.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    headers.contains_key(header::UPGRADE)
        && headers
            .get_all(header::CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|token| token.trim().eq_ignore_ascii_case("upgrade"))
}

/// Carries an upgrade to the plugin; `target` is the path and query that it sees.
pub(crate) async fn pass<B>(
    instance: &Arc<Instance>,
    mut request: Request<B>,
    target: &str,
) -> Response<Body> {
    let client = hyper::upgrade::on(&mut request);
    let answer = match ask(instance, &request, target).await {
        Ok(answer) => answer,
        Err(error) => {
            let message = format!("the plugin did not take the connection: {error}");
            return reply::error(StatusCode::BAD_GATEWAY, "plugin_failed", &message);
        }
    };
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        return answer.map(reply::boxed);
    }
    let mut switching = Response::new(reply::full(""));
    *switching.status_mut() = answer.status();
    *switching.headers_mut() = answer.headers().clone();
    let socket = instance.count_socket();
    tokio::spawn(async move {
        let _open = socket;
        // Either side going away ends both: dropping the ends closes them.
        if let (Ok(client), Ok(plugin)) = tokio::join!(client, hyper::upgrade::on(answer)) {
            _ = copy_bidirectional(&mut TokioIo::new(client), &mut TokioIo::new(plugin)).await;
        }
    });
    switching
}

async fn ask<B>(
    instance: &Instance,
    request: &Request<B>,
    target: &str,
) -> Result<Response<hyper::body::Incoming>, BoxError> {
    let (ours, theirs) = StdUnixStream::pair()?;
    ours.set_nonblocking(true)?;
    theirs.set_nonblocking(true)?;
    if !instance.serve_fd(theirs.into()) {
        return Err("it is not running".into());
    }
    let io = TokioIo::new(UnixStream::from_std(ours)?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake::<_, Body>(io).await?;
    tokio::spawn(connection.with_upgrades());
    let mut head = Request::new(reply::full(""));
    *head.method_mut() = request.method().clone();
    *head.uri_mut() = target.parse()?;
    *head.headers_mut() = request.headers().clone();
    Ok(sender.send_request(head).await?)
}
