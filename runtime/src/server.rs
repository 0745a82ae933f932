//! Listens on loopback and serves HTTP/1.1, with a graceful end.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::body::Body;
use crate::{guard, reply};

/// A client that sends its head slower than this is cut off.
const HEAD_DEADLINE: Duration = Duration::from_secs(30);

/// Answers requests; the one thing that a server needs.
pub trait Respond: Send + Sync + 'static {
    /// Answers one request.
    fn respond(&self, request: Request<Incoming>) -> impl Future<Output = Response<Body>> + Send;
}

/// Two listeners on one port: 127.0.0.1 and, where the machine has it, `[::1]`.
pub struct Server {
    listeners: Vec<TcpListener>,
    port: u16,
}

impl Server {
    /// Binds loopback on `port`; 0 takes a free one.
    ///
    /// # Errors
    ///
    /// The system's error, for the first address that is taken; a machine without IPv6 is none.
    pub async fn bind(port: u16) -> io::Result<Self> {
        let four = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        let port = four.local_addr()?.port();
        let mut listeners = vec![four];
        match TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await {
            Ok(six) => listeners.push(six),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(_) => {}
        }
        Ok(Self { listeners, port })
    }

    /// The port that it listens on.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Serves until `stop` resolves, then lets requests in flight finish for at most `grace`.
    pub async fn serve<R: Respond>(
        self,
        respond: Arc<R>,
        stop: impl Future<Output = ()>,
        grace: Duration,
    ) {
        let graceful = Graceful::default();
        let mut listeners = self.listeners.into_iter();
        let (first, second) = (listeners.next(), listeners.next());
        let accepting = async {
            let accept = |listener| accept(listener, respond.clone(), self.port, &graceful);
            tokio::join!(accept(first), accept(second));
        };
        tokio::select! {
            () = accepting => {}
            () = stop => {}
        }
        _ = tokio::time::timeout(grace, graceful.shutdown()).await;
    }
}

async fn accept<R: Respond>(
    listener: Option<TcpListener>,
    respond: Arc<R>,
    port: u16,
    graceful: &Graceful,
) {
    let Some(listener) = listener else { return };
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, most likely: waiting a moment beats spinning.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        _ = stream.set_nodelay(true);
        let respond = respond.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let respond = respond.clone();
            async move {
                let verdict =
                    guard::check(request.method(), request.uri(), request.headers(), port);
                Ok::<_, Infallible>(match verdict {
                    Ok(()) => respond.respond(request).await,
                    Err(no) => reply::error(StatusCode::FORBIDDEN, no.code(), &no.to_string()),
                })
            }
        });
        connection(stream, service, graceful);
    }
}

/// Serves one connection in a task of its own. Public for listeners of other kinds (the daemon's Unix socket).
pub fn connection<I, S>(stream: I, service: S, graceful: &Graceful)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: hyper::service::Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>
        + Send
        + 'static,
    S::Future: Send,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut ending = graceful.ending.subscribe();
    tokio::spawn(async move {
        let mut connection = pin!(connection);
        // A connection that breaks off is the client's affair.
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = ending.changed() => connection.as_mut().graceful_shutdown(),
        }
        _ = connection.await;
    });
}

/// Lets connections finish the request they are at. (The one of hyper-util does not take connections with upgrades.)
#[derive(Debug, Default)]
pub struct Graceful {
    ending: watch::Sender<()>,
}

impl Graceful {
    /// Tells every connection to end, and waits until they have.
    pub async fn shutdown(&self) {
        self.ending.send_replace(());
        self.ending.closed().await;
    }
}
