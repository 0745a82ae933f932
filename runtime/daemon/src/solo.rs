//! One bundle alone: the thin runtime without a daemon around it. Nothing is installed, nothing is swapped.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use hecate_manifest::PluginName;
use hecate_runtime::{Body, reply, server::Respond};
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use serde_json::json;

use crate::admission::{self, NotAdmitted, Trust};
use crate::generation::{ACQUIRE_LIMIT, Generation, StartError};
use crate::home::Home;
use crate::logs::Logs;
use crate::versions::{self, VersionError};
use crate::{DaemonError, home};

/// A bundle that is served alone.
pub struct Solo {
    name: PluginName,
    generation: Generation,
    /// No daemon may run this home's plugins beside it: both could have one database open.
    _lock: File,
}

/// Why a bundle cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SoloError {
    /// It may not run here.
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
    /// Its files could not be written.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// It did not start.
    #[error("the plugin did not start")]
    Start(#[from] StartError),
    /// A directory of the home could not be made.
    #[error(transparent)]
    Home(#[from] DaemonError),
}

impl Solo {
    /// Admits a packed bundle, unpacks it below `run/` of the home and starts it, with the plugin's usual data.
    ///
    /// # Errors
    ///
    /// [`SoloError`].
    pub async fn start(
        packed: impl Read,
        trust: Trust,
        home: &Home,
        port: u16,
    ) -> Result<Self, SoloError> {
        let bundle = admission::admit(packed, home, trust)?.bundle;
        let run = home.run();
        home::make_private_dir(&run).map_err(|source| DaemonError::Files { path: run, source })?;
        let lock = crate::lock(home)?;
        let name = bundle.manifest.name.clone();
        let plugin = home.plugin(&name);
        let place = unpack(home, &bundle)?;
        let logs = Logs::start().map_err(|source| DaemonError::Files {
            path: home.run(),
            source,
        })?;
        let sink = logs.sink(plugin.log(), Arc::new(|_: &str| {}));
        let generation = Generation::start(
            &plugin,
            place,
            bundle.info,
            bundle.digest,
            port,
            Box::new(sink),
        )
        .await?;
        if generation.has_store {
            let mut record = versions::read_record(&plugin)?;
            record.epoch += 1;
            versions::write_record(&plugin, &record)?;
            let acquired = generation
                .instance()
                .acquire_store(record.epoch, ACQUIRE_LIMIT)
                .await;
            acquired.map_err(StartError::from)?;
        }
        Ok(Self {
            name,
            generation,
            _lock: lock,
        })
    }

    /// The plugin's name.
    pub const fn name(&self) -> &PluginName {
        &self.name
    }

    /// Ends the plugin.
    pub async fn end(&self) {
        self.generation.end().await;
    }
}

impl Respond for Solo {
    async fn respond(&self, request: Request<Incoming>) -> Response<Body> {
        let prefix = format!("/plugin/{}", self.name);
        let path = request.uri().path();
        match path
            .strip_prefix(&prefix)
            .filter(|rest| rest.is_empty() || rest.starts_with('/'))
        {
            Some(rest) => {
                let rest = rest.to_owned();
                let _working = self.generation.instance().enter();
                self.generation.front().respond(request, &rest).await
            }
            None if path == "/" => {
                let mut moved = reply::json(StatusCode::TEMPORARY_REDIRECT, &json!({"ok": true}));
                if let Ok(place) = HeaderValue::try_from(format!("{prefix}/")) {
                    moved.headers_mut().insert(header::LOCATION, place);
                }
                moved
            }
            None => {
                let message = format!("only `{prefix}/` is served here");
                reply::error(StatusCode::NOT_FOUND, "not_found", &message)
            }
        }
    }
}

fn unpack(home: &Home, bundle: &hecate_manifest::bundle::Bundle) -> Result<PathBuf, VersionError> {
    let place = home.run().join("solo").join(bundle.manifest.name.as_str());
    let failed = |source| VersionError::Write {
        path: place.clone(),
        source,
    };
    home::make_private_dir(&place).map_err(failed)?;
    versions::place_in(&place, bundle)
}
