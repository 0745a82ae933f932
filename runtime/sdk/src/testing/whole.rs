//! A whole plugin without a host: asked as over HTTP, its stores in a temporary directory.

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use hecate_manifest::control::StartConfig;
use http::{Method, StatusCode, header};
use serde_json::Value;
use tempfile::TempDir;

use super::assert_row;
use super::store::{append, current_row, events_of, follow};
use crate::aggregate::{Aggregate, encode_all};
use crate::division::{Division, DivisionSpec};
use crate::paths::Paths;
use crate::plugin::{InitError, Plugin, PluginContext};
use crate::running::Running;
use crate::store::{Metadata, NewEvent, StreamId};
use crate::table::Table;

/// A running plugin without a host, its files in a temporary directory.
pub struct TestPlugin {
    pub(crate) running: Arc<Running>,
    pub(crate) paths: Paths,
    epoch: u64,
    /// Removed with it, if they are its own.
    files: Option<TempDir>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its body, `null` if it is not JSON.
    pub json: Value,
}

impl TestPlugin {
    /// Starts `P`, with its stores open.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub async fn start<P: Plugin>() -> Self {
        let files =
            TempDir::new().unwrap_or_else(|error| panic!("no temporary directory: {error}"));
        let mut plugin = Self::start_in::<P>(files.path()).await;
        plugin.files = Some(files);
        plugin
    }

    /// Starts `P` with its files in `dir`, where they stay.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[doc(hidden)]
    pub async fn start_in<P: Plugin>(dir: &Path) -> Self {
        let config = StartConfig {
            data_dir: dir.join("data"),
            bundle_dir: dir.join("bundle"),
        };
        let running = Running::start::<P>(&config)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let mut plugin = Self {
            running: Arc::new(running),
            paths: Paths::of(&config),
            epoch: 0,
            files: None,
        };
        plugin.acquire().await;
        plugin
    }

    /// Closes all stores and opens them again, as a swap does.
    ///
    /// # Panics
    ///
    /// If they cannot be opened.
    pub async fn reopen(&mut self) {
        self.running.release().await;
        self.acquire().await;
    }

    /// `GET /plugin/{name}/api{path}`.
    ///
    /// # Panics
    ///
    /// If `path` is none.
    pub async fn get(&self, path: &str) -> Reply {
        self.ask(Method::GET, path, None).await
    }

    /// `POST /plugin/{name}/api{path}` with a JSON body.
    ///
    /// # Panics
    ///
    /// If `path` is none.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// The row of `key` in a table of the division `division`, as JSON; `null` if there is none.
    ///
    /// # Panics
    ///
    /// If there is no such division, or its read model cannot be read.
    pub async fn row(&self, division: &str, table: &'static Table, key: &str) -> Value {
        current_row(&self.division(division), table, key).await
    }

    /// These events have happened to the thing `id` of a division.
    ///
    /// # Panics
    ///
    /// If there is no such division, or they cannot be stored or projected.
    pub async fn given<A: Aggregate>(
        &self,
        division: &str,
        id: &str,
        events: impl IntoIterator<Item = A::Event>,
    ) {
        let events: Vec<_> = events.into_iter().collect();
        let events = encode_all(&events, &Metadata::default());
        let events = events.unwrap_or_else(|error| panic!("an event cannot be stored: {error}"));
        self.given_stored(division, StreamId::of(A::KIND, id), events)
            .await;
    }

    /// These events are stored in a stream of a division: of an older revision, or unreadable.
    ///
    /// # Panics
    ///
    /// If there is no such division, or they cannot be stored.
    pub async fn given_stored(&self, division: &str, stream: StreamId, events: Vec<NewEvent>) {
        if events.is_empty() {
            return;
        }
        let division = self.division(division);
        let last = append(&division, stream, events).await;
        follow(&division, last).await;
    }

    /// Asks for `path`, as [`Self::get`].
    ///
    /// # Panics
    ///
    /// If `path` is none.
    pub async fn when_get(&self, path: &str) -> Answered<'_> {
        let reply = self.get(path).await;
        let plugin = self;
        Answered { plugin, reply }
    }

    /// Sends a JSON body to `path`, as [`Self::post`].
    ///
    /// # Panics
    ///
    /// If `path` is none.
    pub async fn when_post(&self, path: &str, body: Value) -> Answered<'_> {
        let reply = self.post(path, body).await;
        let plugin = self;
        Answered { plugin, reply }
    }

    /// One of its divisions.
    pub(super) fn division(&self, name: &str) -> Division {
        self.running
            .division(name)
            .unwrap_or_else(|| panic!("no division `{name}`"))
    }

    /// Answers a request as the host passes it on: `/api/…`, `/ws`.
    #[cfg(test)]
    pub(crate) async fn respond(&self, request: Request) -> axum::response::Response {
        self.running.respond(request).await
    }

    /// Ends it as a host does.
    #[doc(hidden)]
    pub async fn stop(&self) {
        self.running.shutdown().await;
    }

    async fn acquire(&mut self) {
        self.epoch += 1;
        let acquired = self.running.acquire(&self.paths, self.epoch).await;
        acquired.unwrap_or_else(|error| panic!("the stores cannot be opened: {error}"));
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        let request = Request::builder().method(method).uri(format!("/api{path}"));
        let request = match body {
            Some(body) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        let request = request.unwrap_or_else(|error| panic!("`{path}` is not a path: {error}"));
        let response = self.running.respond(request).await;
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap_or_default();
        Reply {
            status,
            json: serde_json::from_slice(&bytes).unwrap_or_default(),
        }
    }
}

/// A plugin that has answered; says what should have come of it.
pub struct Answered<'a> {
    plugin: &'a TestPlugin,
    reply: Reply,
}

impl Answered<'_> {
    /// The answer.
    pub const fn reply(&self) -> &Reply {
        &self.reply
    }

    /// A text in the answer: `text("order_id")`.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[track_caller]
    pub fn text(&self, field: &str) -> String {
        let text = self.reply.json[field].as_str();
        text.unwrap_or_else(|| panic!("no text `{field}` in {:?}", self.reply))
            .to_owned()
    }

    /// Its status must be this one.
    ///
    /// # Panics
    ///
    /// If it is not.
    #[track_caller]
    pub fn then_status(self, status: u16) -> Self {
        assert_eq!(self.reply.status.as_u16(), status, "{:?}", self.reply);
        self
    }

    /// It must have these fields with these values.
    ///
    /// # Panics
    ///
    /// If it has not.
    #[track_caller]
    pub fn then_json(self, fields: Value) -> Self {
        let fits = fields.as_object().is_some_and(|fields| {
            fields
                .iter()
                .all(|(field, value)| self.reply.json.get(field) == Some(value))
        });
        assert!(fits, "{:?}, expected {fields}", self.reply);
        self
    }

    /// These events, and no others, must have happened to the thing `id` of a division so far.
    ///
    /// # Panics
    ///
    /// If others have, or if there is no such division.
    pub async fn then_events<A>(
        self,
        division: &str,
        id: &str,
        events: impl IntoIterator<Item = A::Event>,
    ) -> Self
    where
        A: Aggregate<Event: Debug + PartialEq>,
    {
        let expected: Vec<A::Event> = events.into_iter().collect();
        let happened = events_of::<A>(&self.plugin.division(division), id, None).await;
        assert_eq!(happened, expected, "{:?}", self.reply);
        self
    }

    /// The row of `key` in a table of a division must have these columns with these values; `null` says that there must
    /// be none.
    ///
    /// # Panics
    ///
    /// If it has not, or if there is no such division.
    pub async fn then_row(
        self,
        division: &str,
        table: &'static Table,
        key: &str,
        columns: Value,
    ) -> Self {
        assert_row(&self.plugin.row(division, table, key).await, &columns);
        self
    }
}

/// A division as the only one of a plugin; for [`TestPlugin::start`], by its crate's own tests.
pub trait OneDivision: Send + Sync + 'static {
    /// The division.
    fn division() -> DivisionSpec;
}

/// The plugin around [`OneDivision`].
pub struct Around<D>(std::marker::PhantomData<fn() -> D>);

impl<D: OneDivision> Plugin for Around<D> {
    fn manifest() -> &'static str {
        r#"{"name": "test", "version": "0.0.0", "plugin_type": "in_vm"}"#
    }

    async fn init(_: PluginContext) -> Result<Self, InitError> {
        Ok(Self(std::marker::PhantomData))
    }

    fn divisions() -> Vec<DivisionSpec> {
        vec![D::division()]
    }
}
