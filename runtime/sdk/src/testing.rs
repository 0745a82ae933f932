//! Tests of plugins: given/when/then for decisions, and a whole plugin or division without a host.
//!
//! ```
//! # use hecate_sdk::aggregate::*;
//! # use hecate_sdk::flags::StatusChange;
//! # use hecate_sdk::store::NewEvent;
//! # use hecate_sdk::serde::{Deserialize, Serialize};
//! # #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
//! # #[serde(crate = "hecate_sdk::serde")]
//! # struct Opened {}
//! # impl Event for Opened { const NAME: &'static str = "account_opened"; const REVISION: u32 = 1; }
//! # impl EventSet for Opened {
//! #     fn decode(_: &str, _: u32, data: &[u8]) -> Result<Self, DecodeError> { decode_payload(data) }
//! #     fn encode(&self) -> Result<NewEvent, hecate_sdk::serde_json::Error> { encode_payload(self) }
//! #     fn status_change(&self) -> StatusChange { status_change::<Self>() }
//! # }
//! # #[derive(Default)]
//! # struct Account { open: bool }
//! # impl Aggregate for Account {
//! #     type Event = Opened;
//! #     const KIND: &'static str = "account";
//! #     fn apply(&mut self, _: &Opened) { self.open = true; }
//! # }
//! # #[derive(Clone)]
//! # struct OpenAccount;
//! # fn handle(state: &Account, _: OpenAccount, _: &Cx) -> Result<Vec<Opened>, Rejection> {
//! #     if state.open { return Err(Rejection::conflict("account_open", "the account is open")); }
//! #     Ok(vec![Opened {}])
//! # }
//! use hecate_sdk::testing::given;
//!
//! given::<Account>([]).when(OpenAccount, handle).then([Opened {}]);
//! given::<Account>([Opened {}]).when(OpenAccount, handle).then_rejected("account_open");
//! ```

mod bus;

use std::fmt::Debug;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use hecate_manifest::control::{Reading, Sample, StartConfig};
use http::{Method, StatusCode, header};
use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

pub use bus::{Bus, settle};

use crate::aggregate::{Aggregate, Cx, EventSet, Rejection};
use crate::division::DivisionSpec;
use crate::metrics;
use crate::paths::Paths;
use crate::plugin::{InitError, Plugin, PluginContext};
use crate::projection::{Projection, TableProjection};
use crate::running::Running;
use crate::store::{Position, RecordedEvent, StreamId, StreamVersion};
use crate::table::Table;

/// Id of the thing that [`given`] decides about.
pub const ID: &str = "00000000-0000-7000-8000-000000000001";

/// A thing to which these events have happened.
pub fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let mut state = A::default();
    for event in events {
        // Through its stored form and back: what storing loses, the test loses too.
        let stored = event
            .encode()
            .unwrap_or_else(|error| panic!("the event cannot be stored: {error}"));
        let read = A::Event::decode(&stored.event_type, stored.revision, &stored.data);
        state.apply(
            &read.unwrap_or_else(|error| panic!("the stored event cannot be read: {error}")),
        );
    }
    Given { state }
}

/// A thing with a past.
#[derive(Debug)]
pub struct Given<A> {
    state: A,
}

impl<A: Aggregate> Given<A> {
    /// Its state.
    pub const fn state(&self) -> &A {
        &self.state
    }

    /// Lets it decide about a command. The thing's id is [`ID`], the time is 2026-01-01.
    pub fn when<C>(
        self,
        command: C,
        handle: impl Fn(&A, C, &Cx) -> Result<Vec<A::Event>, Rejection>,
    ) -> Decided<A::Event> {
        let now = Timestamp::from_second(1_767_225_600).unwrap_or(Timestamp::UNIX_EPOCH);
        Decided {
            outcome: handle(&self.state, command, &Cx::new(ID, Uuid::from_u128(7), now)),
        }
    }
}

/// A decision.
#[derive(Debug)]
#[must_use = "say what should have been decided"]
pub struct Decided<E> {
    outcome: Result<Vec<E>, Rejection>,
}

impl<E: Debug + PartialEq> Decided<E> {
    /// It must have led to these events.
    ///
    /// # Panics
    ///
    /// If it did not.
    #[track_caller]
    pub fn then(self, events: impl IntoIterator<Item = E>) {
        let expected: Vec<E> = events.into_iter().collect();
        assert_eq!(self.outcome, Ok(expected));
    }

    /// It must have been rejected with this code.
    ///
    /// # Panics
    ///
    /// If it was not.
    #[track_caller]
    pub fn then_rejected(self, code: &str) {
        match self.outcome {
            Err(rejection) => assert_eq!(rejection.code, code, "{rejection}"),
            Ok(events) => panic!("accepted with {events:?}, expected a rejection with `{code}`"),
        }
    }
}

/// Runs an asynchronous test to its end.
///
/// # Panics
///
/// If the test does, or if no runtime can be made.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    runtime
        .unwrap_or_else(|error| panic!("no runtime: {error}"))
        .block_on(test)
}

/// What `projection` makes of `events` of one thing of `kind`: its row, or `null` if it gets none. No store is needed.
///
/// # Panics
///
/// If an event cannot be stored or projected.
pub fn project<E: EventSet>(
    mut projection: TableProjection<E>,
    kind: &str,
    events: impl IntoIterator<Item = E>,
) -> Value {
    let model = Connection::open_in_memory().unwrap_or_else(|error| panic!("no database: {error}"));
    projection
        .ensure(&model)
        .unwrap_or_else(|error| panic!("the table cannot be made: {error}"));
    for (number, event) in (1..).zip(events) {
        let stored = event
            .encode()
            .unwrap_or_else(|error| panic!("the event cannot be stored: {error}"));
        let (Some(position), Some(version)) = (Position::new(number), StreamVersion::new(number))
        else {
            continue;
        };
        let recorded = RecordedEvent {
            position,
            stream: StreamId::of(kind, ID),
            version,
            event_id: Uuid::from_u128(number.into()),
            event_type: stored.event_type.as_ref().into(),
            revision: stored.revision,
            recorded_at: 0,
            data: stored.data,
            metadata: stored.metadata,
        };
        let projected = projection.project(&model, &recorded);
        projected.unwrap_or_else(|error| panic!("event {number} cannot be projected: {error}"));
    }
    let row = projection.table().by_key(&model, ID);
    row.unwrap_or_else(|error| panic!("{error}"))
        .map_or(Value::Null, Value::Object)
}

/// The metric `name` with these labels: the value of a counter or gauge, how many values a histogram has. `None` if there
/// is none. Metrics are those of the whole process, so other tests of it count into them too.
pub fn metric(name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let is_it = |sample: &Sample| {
        sample.name == name
            && sample.labels.len() == labels.len()
            && labels
                .iter()
                .all(|(label, value)| sample.labels.get(*label).is_some_and(|is| is == value))
    };
    let sample = metrics::store().snapshot().into_iter().find(is_it)?;
    Some(match sample.value {
        Reading::Counter(count) | Reading::Histogram { count, .. } => count as f64,
        Reading::Gauge(value) => value,
    })
}

/// A JSON value as it stands in a path or a query string.
pub fn in_url(value: &Value) -> String {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// A running plugin without a host, its files in a temporary directory.
pub struct TestPlugin {
    pub(crate) running: Arc<Running>,
    pub(crate) paths: Paths,
    epoch: u64,
    _files: TempDir,
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
        let config = StartConfig {
            data_dir: files.path().join("data"),
            bundle_dir: files.path().join("bundle"),
        };
        let running = Running::start::<P>(&config)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let mut plugin = Self {
            running: Arc::new(running),
            paths: Paths::of(&config),
            epoch: 0,
            _files: files,
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
        let division = self
            .running
            .division(division)
            .unwrap_or_else(|| panic!("no division `{division}`"));
        let key = key.to_owned();
        let row = division.query(move |model| table.by_key(model, &key)).await;
        row.unwrap_or_else(|error| panic!("{error}"))
            .map_or(Value::Null, Value::Object)
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
