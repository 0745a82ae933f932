//! A plugin that runs: everything of it behind one service, whichever way requests come in.

mod builtin;

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use hecate_manifest::Manifest;
use hecate_manifest::control::{Health, HealthStatus, StartConfig, Started, StoreAsk, StoreTask};
use http::StatusCode;
use http::uri::PathAndQuery;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::ServiceExt;
use tracing::Instrument;

use crate::api::{ApiError, chain};
use crate::division::Division;
use crate::flags::FlagMaps;
use crate::integration::Hopes;
use crate::live::Live;
use crate::messages::{DeliverError, Messages, MessagesError};
use crate::metrics::{Counter, Histogram};
use crate::openapi;
use crate::operate::{self, operate, positions};
use crate::paths::{Paths, is_file_name};
use crate::plugin::{Plugin, PluginContext};
use crate::store::{BoxFuture, Care};
use crate::telemetry::request_span;
use crate::ws;
pub(crate) use builtin::BUILT_IN;
use builtin::BuiltIn;

/// Why a plugin did not start.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct StartError(pub(crate) String);

impl From<MessagesError> for StartError {
    fn from(error: MessagesError) -> Self {
        Self(chain(&error))
    }
}

impl From<DeliverError> for StartError {
    fn from(error: DeliverError) -> Self {
        Self(chain(&error))
    }
}

/// A started plugin. Its stores are closed until `acquire`.
pub(crate) struct Running {
    pub(crate) started: Started,
    api: Router,
    ws: Router,
    divisions: Vec<Division>,
    messages: Messages,
    plugin: Arc<dyn Callbacks>,
    closing: watch::Sender<bool>,
    requests: Requests,
    #[cfg(feature = "schedule")]
    scheduler: crate::scheduler::Scheduler,
}

/// What every request counts.
struct Requests {
    count: Counter,
    failed: Counter,
    seconds: Histogram,
}

/// The callbacks of a plugin that are used while it runs, without its type.
trait Callbacks: Send + Sync {
    fn health(&self) -> Health;
    fn shutdown(&self) -> BoxFuture<'_, ()>;
}

impl<P: Plugin> Callbacks for P {
    fn health(&self) -> Health {
        Plugin::health(self)
    }

    fn shutdown(&self) -> BoxFuture<'_, ()> {
        Box::pin(Plugin::shutdown(self))
    }
}

impl Running {
    /// Makes the plugin `P` and its routes. Opens no database.
    pub(crate) async fn start<P: Plugin>(config: &StartConfig) -> Result<Self, StartError> {
        let manifest = Manifest::parse(P::manifest()).map_err(|error| StartError(chain(&error)))?;
        let (live, closing) = (Live::default(), watch::Sender::new(false));
        let specs = routed("the routes of the divisions", P::divisions)?;
        let own = P::store_config()
            .map(|config| Division::closed("plugin", config, Vec::new, live.clone()));
        let divisions: Vec<_> = specs
            .iter()
            .map(|spec| Division::of(spec, live.clone()))
            .collect();
        let all: Vec<_> = own.iter().chain(&divisions).cloned().collect();
        check_stores(&all)?;
        check_projections(&all)?;
        let integrations = P::integrations();
        let faults = integrations.faults(&divisions);
        if !faults.is_empty() {
            return Err(StartError(faults.join("; ")));
        }
        let hopes = Hopes::new(integrations.asks.clone());
        let messages = Messages::new(integrations, divisions.clone().into(), hopes.clone());
        #[cfg(feature = "schedule")]
        let scheduler = crate::scheduler::Scheduler::new();
        let context = PluginContext {
            name: manifest.name.to_string().into(),
            paths: Paths::of(config),
            own,
            divisions: divisions.clone().into(),
            live: live.clone(),
            hopes,
            #[cfg(feature = "schedule")]
            scheduler: scheduler.clone(),
        };
        let plugin = P::init(context)
            .await
            .map_err(|error| StartError(chain(error.as_error())))?;

        let mut flag_maps = plugin.flag_maps();
        let mut api = routed("the plugin's own routes", || plugin.routes())?;
        let mut endpoints = Vec::new();
        let mut taken = BUILT_IN.map(|path| ("get", path)).to_vec();
        let mut duplicates = Vec::new();
        for (spec, division) in specs.into_iter().zip(&divisions) {
            flag_maps.extend(spec.flag_maps);
            let (router, of_division, conflicts) = spec.routes.into_parts();
            duplicates.extend(conflicts);
            for endpoint in &of_division {
                let route = (endpoint.method, endpoint.path);
                if taken.contains(&route) {
                    let whose = if BUILT_IN.contains(&endpoint.path) {
                        "is every plugin's own"
                    } else {
                        "in two divisions"
                    };
                    duplicates.push(format!("{} {} {whose}", route.0.to_uppercase(), route.1));
                }
                taken.push(route);
            }
            endpoints.push((division.name(), of_division));
            if duplicates.is_empty() {
                let whose = format!("the plugin's own routes and those of `{}`", division.name());
                api = routed(&whose, || api.merge(router.with_state(division.clone())))?;
            }
        }
        if !duplicates.is_empty() {
            return Err(StartError(format!(
                "routes are given twice: {}",
                duplicates.join("; ")
            )));
        }
        check_flags(&flag_maps)?;

        let plugin = Arc::new(plugin);
        let built_in = BuiltIn {
            openapi: openapi::document(&manifest, &endpoints),
            manifest: serde_json::from_str(P::manifest()).unwrap_or(Value::Null),
            flag_maps: json!({"flag_maps": flag_maps}),
            name: manifest.name.to_string(),
            version: manifest.version.to_string(),
            divisions: all.clone(),
            messages: messages.clone(),
            plugin: plugin.clone(),
            live: live.clone(),
            closing: closing.subscribe(),
        };
        let socket = ws::Shared {
            plugin: manifest.name.to_string(),
            live,
            closing: closing.subscribe(),
        };
        let socket = plugin
            .websocket()
            .unwrap_or_else(|| any(ws::live_socket).with_state(socket));
        let whose = format!(
            "the plugin's own routes and those that every plugin has ({})",
            BUILT_IN.join(", ")
        );
        let api = routed(&whose, || api.merge(built_in.routes()))?;
        let started = Started {
            name: manifest.name.to_string(),
            version: manifest.version.to_string(),
            static_dir: P::static_dir().map(str::to_owned),
            // Jobs begin and end with the stores, and a plugin may make jobs that keeps none.
            has_store: !all.is_empty() || !messages.is_empty() || cfg!(feature = "schedule"),
            exchange: messages.exchange(),
        };
        Ok(Self {
            started,
            api: api
                .fallback(unknown)
                .method_not_allowed_fallback(not_allowed),
            ws: Router::new().route("/ws", socket).fallback(unknown),
            divisions: all,
            messages,
            plugin,
            closing,
            requests: Requests::new(),
            #[cfg(feature = "schedule")]
            scheduler,
        })
    }

    /// Answers one request. `/api/…` is the API, `/ws` the WebSocket.
    pub(crate) async fn respond(&self, request: Request) -> Response {
        let begun = Instant::now();
        let span = request_span(&request);
        let response = self.answer(request).instrument(span.clone()).await;
        span.record("status", response.status().as_u16());
        self.requests.count.increment(1);
        if response.status().is_server_error() {
            self.requests.failed.increment(1);
        }
        self.requests.seconds.record(begun.elapsed().as_secs_f64());
        response
    }

    async fn answer(&self, mut request: Request) -> Response {
        let path = request.uri().path();
        if let Some(rest) = path.strip_prefix("/api").filter(|rest| is_rest(rest)) {
            let rest = if rest.is_empty() { "/" } else { rest };
            let target = request
                .uri()
                .query()
                .map_or_else(|| rest.to_owned(), |query| format!("{rest}?{query}"));
            match PathAndQuery::try_from(target) {
                Ok(target) => *request.uri_mut() = target.into(),
                Err(_) => return unknown(request).await,
            }
            call(self.api.clone(), request).await
        } else {
            call(self.ws.clone(), request).await
        }
    }

    /// Opens all stores as the writer of `epoch`, or none; then jobs begin.
    pub(crate) async fn acquire(&self, paths: &Paths, epoch: u64) -> Result<(), StartError> {
        self.closing.send_replace(false);
        for division in &self.divisions {
            if let Err(error) = division.acquire(paths, epoch).await {
                self.release().await;
                return Err(StartError(chain(&error)));
            }
        }
        if let Err(error) = self.messages.acquire(paths, epoch).await {
            self.release().await;
            return Err(StartError(chain(&error)));
        }
        #[cfg(feature = "schedule")]
        self.scheduler.start();
        Ok(())
    }

    /// Ends jobs, then closes all stores. Notices end with them: who hears them connects again, to whoever has the
    /// stores then.
    pub(crate) async fn release(&self) {
        self.closing.send_replace(true);
        #[cfg(feature = "schedule")]
        self.scheduler.stop().await;
        // What follows and dispatches ends before the stores that it uses.
        self.messages.release().await;
        for division in &self.divisions {
            division.release().await;
        }
    }

    /// Does what an operator asks, with one store or with all, one after the other.
    pub(crate) async fn look_after(
        &self,
        paths: &Paths,
        ask: &StoreAsk,
    ) -> Result<Value, StartError> {
        let name = |division: &Division| division.store().config().file_name().to_owned();
        let meant = |division: &&Division| {
            ask.store
                .as_ref()
                .is_none_or(|store| name(division) == *store)
        };
        let meant: Vec<_> = self.divisions.iter().filter(meant).collect();
        if meant.is_empty() {
            let known: Vec<_> = self
                .divisions
                .iter()
                .map(|division| format!("`{}`", name(division)))
                .collect();
            let asked = ask.store.as_deref().unwrap_or_default();
            return Err(StartError(format!(
                "there is no store `{asked}`: there are {}",
                known.join(", ")
            )));
        }
        let meant = about_projection(meant, &ask.task)?;
        let mut stores = serde_json::Map::new();
        for division in meant {
            let failed = |error: &dyn std::error::Error| {
                StartError(format!("`{}`: {}", name(division), chain(error)))
            };
            if let Some(done) = operate(division, &ask.task).await {
                stores.insert(name(division), done.map_err(|error| failed(&error))?);
                continue;
            }
            let task = care(&name(division), paths, &ask.task)?;
            let cared = match division.store().get() {
                Ok(store) => store.care(task).await,
                Err(error) => Err(error.into()),
            };
            let mut cared = cared.map_err(|error| failed(&error))?;
            if ask.task == StoreTask::Stats {
                cared["projections"] = positions(division);
            }
            stores.insert(name(division), cared);
        }
        Ok(json!({"stores": stores}))
    }

    /// Ends jobs, then the plugin, then streams, sockets and stores.
    pub(crate) async fn shutdown(&self) {
        // Jobs may use what the plugin is about to end.
        #[cfg(feature = "schedule")]
        self.scheduler.stop().await;
        self.plugin.shutdown().await;
        self.release().await;
    }

    /// What the plugin exchanges with others.
    pub(crate) const fn messages(&self) -> &Messages {
        &self.messages
    }

    /// All that keep events.
    pub(crate) fn divisions(&self) -> &[Division] {
        &self.divisions
    }

    /// One of the plugin's divisions.
    pub(crate) fn division(&self, name: &str) -> Option<Division> {
        self.divisions
            .iter()
            .find(|division| division.name() == name)
            .cloned()
    }

    /// Health of the plugin and of its projections.
    pub(crate) fn health(&self) -> Health {
        health(self.plugin.as_ref(), &self.divisions, &self.messages)
    }
}

/// Those of `divisions` that have the projection which `task` names, if it names one.
fn about_projection<'d>(
    mut divisions: Vec<&'d Division>,
    task: &StoreTask,
) -> Result<Vec<&'d Division>, StartError> {
    let Some(named) = operate::named(task) else {
        return Ok(divisions);
    };
    let known: Vec<_> = divisions
        .iter()
        .flat_map(|division| division.projection_names())
        .map(|name| format!("`{name}`"))
        .collect();
    divisions.retain(|division| division.projection_names().iter().any(|name| name == named));
    if divisions.is_empty() {
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        return Err(StartError(format!(
            "there is no projection `{named}`: there are {known}"
        )));
    }
    Ok(divisions)
}

/// A task with its place in the plugin's data.
fn care(store: &str, paths: &Paths, task: &StoreTask) -> Result<Care, StartError> {
    let data = paths.data();
    Ok(match task {
        StoreTask::Stats => Care::Stats,
        StoreTask::Verify => Care::Verify,
        StoreTask::Backup => Care::Backup {
            to: data.join("backups").join(format!("{store}.db")),
        },
        StoreTask::Export => Care::Export {
            to: data.join("exports").join(format!("{store}.jsonl")),
        },
        StoreTask::Import { file } => {
            let is_name = Path::new(file).components().count() == 1 && !file.starts_with('.');
            if !is_name || file.contains(['/', '\0']) {
                return Err(StartError(format!("`{file}` is not the name of a file")));
            }
            Care::Import {
                from: data.join("imports").join(file),
            }
        }
        StoreTask::Replay { .. }
        | StoreTask::DeadLetters
        | StoreTask::Retry { .. }
        | StoreTask::Discard { .. } => {
            return Err(StartError("that is not done with the events".to_owned()));
        }
    })
}

impl Requests {
    fn new() -> Self {
        Self {
            count: crate::metrics::counter("http_requests_total"),
            failed: crate::metrics::counter("http_requests_failed_total"),
            seconds: crate::metrics::histogram("http_request_seconds"),
        }
    }
}

/// Makes routes. axum panics when two of them are for the same requests, or a path is none: here that is a reason not to
/// start, which names whose routes they are.
fn routed<T>(whose: &str, make: impl FnOnce() -> T) -> Result<T, StartError> {
    catch_unwind(AssertUnwindSafe(make)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        StartError(format!(
            "{whose} cannot be used: {}",
            text.unwrap_or("a panic without a message")
        ))
    })
}

fn is_rest(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/')
}

async fn call(router: Router, request: Request) -> Response {
    match router.oneshot(request).await {
        Ok::<_, Infallible>(response) => response,
        Err(never) => match never {},
    }
}

async fn unknown(request: Request) -> Response {
    let message = format!("there is nothing at `{}`", request.uri().path());
    ApiError::new(StatusCode::NOT_FOUND, "not_found", message).into_response()
}

async fn not_allowed(request: Request) -> Response {
    let message = format!(
        "`{}` does not take {}",
        request.uri().path(),
        request.method()
    );
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        message,
    )
    .into_response()
}

fn check_stores(divisions: &[Division]) -> Result<(), StartError> {
    let mut seen = Vec::new();
    for division in divisions {
        let name = division.store().config().file_name();
        if !is_file_name(name) {
            return Err(StartError(format!(
                "the store directory `{name}` must be 1 to 64 of a-z, 0-9, `_` and `-`"
            )));
        }
        if seen.contains(&name) {
            return Err(StartError(format!(
                "two stores are kept in `{name}`: give each a directory of its own"
            )));
        }
        seen.push(name);
    }
    Ok(())
}

fn check_projections(divisions: &[Division]) -> Result<(), StartError> {
    for division in divisions {
        let mut names = division.projection_names();
        names.sort_unstable();
        if let Some(twice) = names.array_windows().find(|[one, next]| one == next) {
            return Err(StartError(format!(
                "two projections of `{}` are called `{}`: a projection's name is that of its table",
                division.name(),
                twice[0]
            )));
        }
    }
    Ok(())
}

fn check_flags(maps: &FlagMaps) -> Result<(), StartError> {
    for (aggregate, map) in maps {
        if let Some(value) = map.not_a_bit() {
            return Err(StartError(format!(
                "the flag {value} of `{aggregate}` is not a power of two"
            )));
        }
    }
    Ok(())
}

fn health(plugin: &dyn Callbacks, divisions: &[Division], messages: &Messages) -> Health {
    let mut health = plugin.health();
    for (what, reason) in messages.troubles() {
        health.status = HealthStatus::Degraded;
        health.details.insert(what, reason);
    }
    for division in divisions {
        let Some(progress) = division.progress() else {
            health.status = HealthStatus::Degraded;
            health
                .details
                .insert(division.name().to_owned(), "the store is closed".to_owned());
            continue;
        };
        for one in &progress.projections {
            if let Some((must, note)) = one.note() {
                if must {
                    health.status = HealthStatus::Degraded;
                }
                let name = format!("{}/{}", division.name(), one.name);
                health.details.insert(name, note);
            }
        }
    }
    health
}
