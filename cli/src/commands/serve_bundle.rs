//! `hecate serve BUNDLE`: the thin runtime alone.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hecate_daemon::admission::Trust;
use hecate_daemon::solo::{Solo, SoloError};
use serde_json::json;

use super::install::read_bundle;
use super::serve::{not_started, stopped};
use crate::client::runtime;
use crate::context::Context;
use crate::error::CliError;

/// How long requests in flight may take at the end.
const END_LIMIT: Duration = Duration::from_secs(5);

pub(super) fn run(bundle: &Path, allow_unsigned: bool, cx: &Context) -> Result<(), CliError> {
    let packed = read_bundle(&cx.dir().join(bundle), bundle)?;
    let trust = if allow_unsigned {
        Trust::Unsigned
    } else {
        Trust::Signed
    };
    runtime()?.block_on(async {
        let server = hecate_daemon::listen(cx.port(), false)
            .await
            .map_err(not_started)?;
        let solo = Solo::start(packed.as_slice(), trust, cx.home(), server.port()).await;
        let not_served = |error: SoloError| {
            let shown = match error {
                SoloError::Home(error) => not_started(error),
                error => CliError::because(error.to_string(), error),
            };
            shown.against(format!("`{}` is not served", bundle.display()))
        };
        let solo = solo.map_err(not_served)?;
        let solo = Arc::new(solo);
        let url = format!("http://localhost:{}/plugin/{}/", server.port(), solo.name());
        cx.printer()
            .result(&format!("{} is served at {url}", solo.name()));
        cx.printer().json(
            "serve",
            json!({"url": url, "port": server.port(), "home": cx.home().root()}),
        );
        server.serve(solo.clone(), stopped()?, END_LIMIT).await;
        solo.end().await;
        Ok(())
    })
}
