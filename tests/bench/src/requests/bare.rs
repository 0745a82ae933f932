//! The bare server: hyper and the plugin's router.

use std::net::Ipv4Addr;
use std::process::Command;

use anyhow::Result;
use hecate_sdk::axum::Router;
use hecate_sdk::axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tower::ServiceExt;

use super::server::{SAYS, Server};
use super::{API, routes};

/// Starts it in a process of its own.
pub(super) fn start() -> Result<Server> {
    Server::start(Command::new(std::env::current_exe()?).arg("serve-bare"))
}

/// Serves for ever. This is what the process does.
pub(crate) fn serve() -> Result<()> {
    let router = Router::new().nest(API, routes::routes());
    // As the daemon's: as many workers as there are cores.
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        say(listener.local_addr()?.port());
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let router = router.clone();
            let service = service_fn(move |request: hyper::Request<Incoming>| {
                router.clone().oneshot(request.map(Body::new))
            });
            // A connection that breaks off is the client's affair.
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    })
}

#[expect(clippy::print_stdout, reason = "the process that started it reads it")]
fn say(port: u16) {
    println!("{SAYS}{port}");
}
