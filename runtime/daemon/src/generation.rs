//! One running version of a plugin.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hecate_manifest::Manifest;
use hecate_manifest::bundle::{BundleInfo, MANIFEST};
use hecate_manifest::exchange::Exchange;
use hecate_runtime::{
    ControlError, Front, HostSink, Instance, Library, LoadError, Mode, Mount, StartConfig,
};
use tokio::time::{Instant, sleep};

use crate::exchange;
use crate::home::PluginHome;

/// How long `init` may take.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(10);
/// How long stores may take to open: replaying a write-ahead log may be part of it.
pub(crate) const ACQUIRE_LIMIT: Duration = Duration::from_secs(10);
/// How long the old generation may take to finish and to close its stores.
pub(crate) const RELEASE_LIMIT: Duration = Duration::from_secs(2);
/// How long `shutdown` may take.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);
/// How long streamed answers of an old generation may go on.
const DRAIN_STREAMS: Duration = Duration::from_secs(30);
/// How long its sockets may.
const DRAIN_SOCKETS: Duration = Duration::from_secs(120);

/// A started version. Its stores are open only while it is the current one.
pub struct Generation {
    /// Digest of its bundle.
    pub digest: String,
    /// What it was built from.
    pub info: BundleInfo,
    /// Whether it has stores.
    pub has_store: bool,
    /// What it exchanges with other plugins.
    pub exchange: Exchange,
    front: Front,
}

/// Why a version could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Its library cannot be mapped.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It failed to start, or to open its stores.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// It says that it is another plugin.
    #[error("the library says it is `{is}`, the manifest says `{want}`: build the bundle anew")]
    Name {
        /// What the library says.
        is: String,
        /// What the manifest says.
        want: String,
    },
    /// It wants to exchange what its manifest does not ask for.
    #[error("its manifest must ask for what it exchanges with other plugins: add {} to its `permissions`", missing.join(", "))]
    Exchange {
        /// The permissions.
        missing: Vec<String>,
    },
    /// Its manifest cannot be read any more.
    #[error("its manifest cannot be read")]
    Manifest(#[source] std::io::Error),
    /// It asks for static files outside of its bundle.
    #[error("{0}")]
    StaticDir(String),
}

impl Generation {
    /// Maps the library of the version at `place` and starts it. Opens no store.
    pub(crate) async fn start(
        home: &PluginHome,
        place: PathBuf,
        info: BundleInfo,
        digest: String,
        port: u16,
        sink: Box<dyn HostSink>,
    ) -> Result<Self, StartError> {
        let file = place.join(&info.library);
        let library = tokio::task::spawn_blocking(move || Library::open(&file)).await;
        let library = library.map_err(|_| ControlError::Failed("load"))??;
        let config = StartConfig {
            data_dir: home.data(),
            bundle_dir: place.clone(),
        };
        let (instance, started) =
            Instance::start(Arc::new(library), sink, Mode::Hop, &config, START_LIMIT).await?;
        if started.name != info.name.as_str() {
            return Err(StartError::Name {
                is: started.name,
                want: info.name.to_string(),
            });
        }
        let manifest =
            std::fs::read_to_string(place.join(MANIFEST)).map_err(StartError::Manifest)?;
        let manifest = Manifest::parse(&manifest).ok();
        if !started.exchange.is_empty() {
            let permissions = manifest.as_ref().map(|manifest| &*manifest.permissions);
            let missing = exchange::faults(&started.exchange, permissions.unwrap_or_default());
            if !missing.is_empty() {
                return Err(StartError::Exchange { missing });
            }
        }
        let static_dir = started
            .static_dir
            .as_deref()
            .filter(|dir| place.join(dir).is_dir());
        let mount = Mount {
            name: info.name.to_string(),
            port,
            spa_fallback: manifest.is_some_and(|manifest| manifest.spa_fallback),
        };
        let front = Front::new(Arc::new(instance), mount, &place, static_dir)
            .map_err(StartError::StaticDir)?;
        Ok(Self {
            digest,
            info,
            has_store: started.has_store,
            exchange: started.exchange,
            front,
        })
    }

    /// What serves it.
    pub const fn front(&self) -> &Front {
        &self.front
    }

    /// The instance behind it.
    pub fn instance(&self) -> &Arc<Instance> {
        self.front.instance()
    }

    /// Lets streams and sockets end by themselves for a while, then ends them and the plugin.
    pub(crate) async fn drain(&self) {
        let begun = Instant::now();
        // The front holds one reference; streamed answers and sockets hold the others.
        while Arc::strong_count(self.instance()) > 1 {
            let waited = begun.elapsed();
            if waited > DRAIN_SOCKETS || (waited > DRAIN_STREAMS && self.instance().sockets() == 0)
            {
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
        self.end().await;
    }

    /// Ends it now.
    pub(crate) async fn end(&self) {
        if let Err(error) = self.instance().shutdown(SHUTDOWN_LIMIT).await {
            let fields = serde_json::json!({"plugin": self.info.name, "error": error.to_string()});
            crate::logs::daemon("warn", "a plugin did not shut down by itself", &fields);
        }
    }
}
