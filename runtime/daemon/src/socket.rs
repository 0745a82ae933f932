//! The home's own socket: whoever may connect to it is this user, or root, and may do everything.

use std::convert::Infallible;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, os::unix::net::UnixStream as StdUnixStream};

use hecate_runtime::server::{Graceful, connection};
use hyper::service::service_fn;
use tokio::net::UnixListener;

use crate::Daemon;
use crate::http::{Front, Peer};

pub(crate) struct Listener {
    listener: UnixListener,
    uid: u32,
}

impl Listener {
    /// Listens at `path`, in place of a socket that an ended daemon left.
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        if path.exists() {
            // The lock says that no other daemon runs; a socket that answers all the same is not ours to take.
            if StdUnixStream::connect(path).is_ok() {
                return Err(io::ErrorKind::AddrInUse.into());
            }
            fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        let uid = std::os::unix::fs::MetadataExt::uid(&fs::metadata(path)?);
        Ok(Self { listener, uid })
    }

    pub(crate) async fn serve(self, daemon: Arc<Daemon>) {
        let front = Arc::new(Front::new(daemon));
        let graceful = Graceful::default();
        loop {
            let Ok((stream, _)) = self.listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let peer = stream.peer_cred().map(|peer| peer.uid());
            if !matches!(peer, Ok(uid) if uid == self.uid || uid == 0) {
                continue;
            }
            let front = front.clone();
            let service = service_fn(move |request| {
                let front = front.clone();
                async move { Ok::<_, Infallible>(front.answer(request, Peer::Owner).await) }
            });
            connection(stream, service, &graceful);
        }
    }
}
