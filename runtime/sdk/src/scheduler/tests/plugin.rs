use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use hecate_manifest::control::StartConfig;
use tempfile::TempDir;

use super::count;
use crate::paths::Paths;
use crate::plugin::{InitError, Plugin, PluginContext};
use crate::running::Running;
use crate::store::{ExpectedVersion, NewEvent, StoreConfig, StreamId};
use crate::testing::run;

static TICKED: Notify = Notify::const_new();
static RUN: Notify = Notify::const_new();
static SHUT_DOWN: AtomicBool = AtomicBool::new(false);

/// A plugin whose job writes to its store.
struct Ticking;

impl Plugin for Ticking {
    fn manifest() -> &'static str {
        r#"{"name": "ticking", "version": "0.1.0"}"#
    }

    fn store_config() -> Option<StoreConfig> {
        Some(StoreConfig::new("ticks"))
    }

    async fn init(context: PluginContext) -> Result<Self, InitError> {
        let store = context.store()?;
        let tick = move || {
            let store = store.clone();
            async move {
                assert!(!SHUT_DOWN.load(Ordering::SeqCst), "what it may use is gone");
                let event = NewEvent::json("ticked", 1, &1)?;
                let appended =
                    store.append(StreamId::new("ticks"), ExpectedVersion::Any, vec![event]);
                appended.await?;
                // What follows the first `await` has its store still.
                tokio::time::sleep(Duration::from_millis(2)).await;
                store.read_stream(StreamId::new("ticks"), None, 1).await?;
                TICKED.notify_one();
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
            }
        };
        context
            .scheduler()
            .every(Duration::from_millis(1), "tick", tick)?;
        Ok(Self)
    }

    async fn shutdown(&self) {
        SHUT_DOWN.store(true, Ordering::SeqCst);
    }
}

#[test]
fn jobs_live_between_the_opening_of_the_stores_and_their_closing() {
    let files = TempDir::new().unwrap();
    let config = StartConfig {
        data_dir: files.path().join("data"),
        bundle_dir: files.path().join("bundle"),
    };
    run(async {
        let running = Running::start::<Ticking>(&config).await.unwrap();
        assert!(running.started.has_store);
        for epoch in 1..=20 {
            running.acquire(&Paths::of(&config), epoch).await.unwrap();
            TICKED.notified().await;
            running.release().await;
        }
        running.acquire(&Paths::of(&config), 21).await.unwrap();
        TICKED.notified().await;
        running.shutdown().await;
    });
    // A run that met a closed store would have failed.
    assert_eq!(count("job_failed_total", "tick"), 0.0);
    assert!(count("job_runs_total", "tick") >= 21.0);
}

/// A plugin with jobs and without any store.
struct NoStore;

impl Plugin for NoStore {
    fn manifest() -> &'static str {
        r#"{"name": "no-store", "version": "0.1.0"}"#
    }

    async fn init(context: PluginContext) -> Result<Self, InitError> {
        context
            .scheduler()
            .every(Duration::ZERO, "wrong", async || {})?;
        Ok(Self)
    }
}

#[test]
fn a_job_that_cannot_be_made_fails_the_start() {
    let config = StartConfig {
        data_dir: "/none".into(),
        bundle_dir: "/none".into(),
    };
    run(async {
        let error = Running::start::<NoStore>(&config).await.err().unwrap();
        assert_eq!(
            error.to_string(),
            "an interval of 0ns: it must be from 1 ms to 10 years"
        );
    });
}

/// A plugin without stores, that makes its jobs later.
struct Storeless(PluginContext);

impl Plugin for Storeless {
    fn manifest() -> &'static str {
        r#"{"name": "storeless", "version": "0.1.0"}"#
    }

    async fn init(context: PluginContext) -> Result<Self, InitError> {
        Ok(Self(context))
    }

    fn routes(&self) -> axum::Router {
        let scheduler = self.0.scheduler().clone();
        let remind = axum::routing::post(async move || {
            let run = async || RUN.notify_one();
            let made = scheduler.every(Duration::from_millis(1), "storeless", run);
            made.map(|_| ()).map_err(|error| error.to_string())
        });
        axum::Router::new().route("/remind", remind)
    }
}

#[test]
fn a_plugin_without_stores_has_jobs_too() {
    let config = StartConfig {
        data_dir: "/none".into(),
        bundle_dir: "/none".into(),
    };
    run(async {
        let running = Running::start::<Storeless>(&config).await.unwrap();
        assert!(
            running.started.has_store,
            "or the host would never begin its jobs"
        );
        running.acquire(&Paths::of(&config), 1).await.unwrap();
        let ask = || {
            let request = axum::extract::Request::post("/api/remind");
            running.respond(request.body(axum::body::Body::empty()).unwrap())
        };
        assert_eq!(ask().await.status(), 200);
        RUN.notified().await;
        running.release().await;
        let runs = count("job_runs_total", "storeless");
        assert!(runs >= 1.0);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(
            count("job_runs_total", "storeless"),
            runs,
            "it ended with the plugin"
        );
    });
}
