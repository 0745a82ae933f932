//! Given/when/then with a real store: what is decided is written to SQLite, projected, and read back.

use std::fmt::Debug;
use std::panic::resume_unwind;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::decide::{COMMAND, new_year};
use super::whole::{Around, OneDivision, TestPlugin};
use super::{ID, assert_row};
use crate::aggregate::{Aggregate, Cx, EventSet, Rejection, encode_all};
use crate::api::{Command, chain};
use crate::division::{DispatchError, Division};
use crate::projector::Progress;
use crate::store::{ExpectedVersion, Metadata, NewEvent, Position, StreamId, StreamVersion};
use crate::table::Table;

/// How long a test waits for the read models.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it waits before it looks whether they have stopped.
const STEP: Duration = Duration::from_millis(100);
/// Events read at a time.
const PAGE: usize = 1000;

/// A division with stores of its own in a temporary directory, which is gone with the test.
///
/// The words are those of [`given`](super::given), and they wait: no test needs to be asynchronous for them. See the
/// [module](super) for an example.
///
/// # Panics
///
/// If the division does not start.
pub fn stored<D: OneDivision>() -> Stored {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
    let plugin = block(&runtime, TestPlugin::start::<Around<D>>());
    let division = plugin.division(D::division().name);
    Stored {
        running: Some((runtime, plugin)),
        division,
        id: ID.to_owned(),
        now: new_year(),
        command_id: COMMAND,
        may_repeat: false,
        last: None,
    }
}

/// A division that runs, and the thing that the next words are about.
pub struct Stored {
    /// Until it is dropped.
    running: Option<(Runtime, TestPlugin)>,
    division: Division,
    id: String,
    now: Timestamp,
    command_id: Uuid,
    may_repeat: bool,
    last: Option<Position>,
}

impl Stored {
    /// What follows is about the thing `id`; without it, about [`ID`].
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// What follows happens at `now`; without it, on 2026-01-01, midnight UTC.
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// The next command has this id, as if it were sent with an `Idempotency-Key`: the second of one id is not carried
    /// out, and answered as the first. Without it each command has an id of its own, the same in every run.
    pub const fn with_command_id(mut self, id: Uuid) -> Self {
        self.command_id = id;
        self.may_repeat = true;
        self
    }

    /// These events have happened to the thing.
    ///
    /// # Panics
    ///
    /// If they cannot be stored.
    pub fn given<A: Aggregate>(self, events: impl IntoIterator<Item = A::Event>) -> Self {
        let events: Vec<_> = events.into_iter().collect();
        let events = encode_all(&events, &Metadata::default());
        let events = events.unwrap_or_else(|error| panic!("an event cannot be stored: {error}"));
        self.given_stored::<A>(events)
    }

    /// These events have happened to the thing, as they are stored: of an older revision, or unreadable.
    ///
    /// # Panics
    ///
    /// If they cannot be stored.
    pub fn given_stored<A: Aggregate>(mut self, events: Vec<NewEvent>) -> Self {
        if !events.is_empty() {
            let (stream, division) = (StreamId::of(A::KIND, &self.id), self.division.clone());
            let append = async move { append(&division, stream, events).await };
            self.last = Some(self.wait_for(append));
        }
        self
    }

    /// Closes the stores and opens them again, as a restart does.
    ///
    /// # Panics
    ///
    /// If they cannot be opened.
    pub fn reopened(mut self) -> Self {
        if let Some((runtime, plugin)) = &mut self.running {
            block(runtime, plugin.reopen());
        }
        self
    }

    /// Carries a command on the thing out.
    pub fn when<A, C, H>(mut self, command: C, handle: H) -> StoredDecision<A::Event>
    where
        A: Aggregate,
        C: Clone + Send + Sync + 'static,
        H: Fn(&A, C, &Cx) -> Result<Vec<A::Event>, Rejection> + Send + Sync,
    {
        let (id, now, division) = (self.id.clone(), self.now, self.division.clone());
        let command = Command {
            id: self.command_id,
            may_repeat: self.may_repeat,
            ..Command::new(command)
        };
        let at_this_time = |state: &A, command, cx: &Cx| {
            handle(state, command, &Cx::new(cx.id(), cx.command_id(), now))
        };
        let outcome = self.wait_for(async {
            let before = division.load::<A>(&id).await?.version;
            let done = division.dispatch(&id, command, at_this_time).await?;
            Ok((done.position, events_of::<A>(&division, &id, before).await))
        });
        let outcome = outcome.map(|(position, events)| {
            self.last = self.last.max(position);
            events
        });
        if !self.may_repeat {
            self.command_id = Uuid::from_u128(self.command_id.as_u128().wrapping_add(1));
        }
        StoredDecision {
            stored: self,
            outcome,
        }
    }

    /// The thing's row in `table` must have these columns with these values; `null` says that there must be none.
    ///
    /// # Panics
    ///
    /// If it has not, or if the read models do not follow.
    #[track_caller]
    pub fn then_row(self, table: &'static Table, columns: Value) -> Self {
        let (division, id, last) = (self.division.clone(), self.id.clone(), self.last);
        let row = self.wait_for(async move { row(&division, table, &id, last).await });
        assert_row(&row, &columns);
        self
    }

    fn wait_for<T: Send>(&self, future: impl Future<Output = T> + Send) -> T {
        match &self.running {
            Some((runtime, _)) => block(runtime, future),
            None => unreachable!("it runs until it is dropped"),
        }
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        if let Some((runtime, plugin)) = self.running.take() {
            block(&runtime, plugin.stop());
            // A test may be asynchronous all the same, and its threads must not wait for others to end.
            runtime.shutdown_background();
        }
    }
}

/// What a command came to.
#[must_use = "say what should have happened"]
pub struct StoredDecision<E> {
    stored: Stored,
    outcome: Result<Vec<E>, DispatchError>,
}

impl<E: Debug + PartialEq> StoredDecision<E> {
    /// It must have led to these events, as they are stored.
    ///
    /// # Panics
    ///
    /// If it did not.
    #[track_caller]
    pub fn then(self, events: impl IntoIterator<Item = E>) -> Stored {
        let expected: Vec<E> = events.into_iter().collect();
        match self.outcome {
            Ok(events) => assert_eq!(events, expected),
            Err(error) => panic!("not carried out: {}, expected {expected:?}", chain(&error)),
        }
        self.stored
    }

    /// It must have been rejected with this code.
    ///
    /// # Panics
    ///
    /// If it was not.
    #[track_caller]
    pub fn then_rejected(self, code: &str) -> Stored {
        match self.outcome {
            Err(DispatchError::Rejected(rejection)) => {
                assert_eq!(rejection.code, code, "{rejection}");
            }
            Err(error) => panic!(
                "not carried out: {}, expected a rejection with `{code}`",
                chain(&error)
            ),
            Ok(events) => panic!("accepted with {events:?}, expected a rejection with `{code}`"),
        }
        self.stored
    }
}

/// Runs `future` to its end, on a thread of its own: this one may belong to a runtime already.
fn block<T: Send>(runtime: &Runtime, future: impl Future<Output = T> + Send) -> T {
    let ended = std::thread::scope(|scope| scope.spawn(|| runtime.block_on(future)).join());
    ended.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Appends to a stream, and says where.
pub(super) async fn append(
    division: &Division,
    stream: StreamId,
    events: Vec<NewEvent>,
) -> Position {
    let receipt = division
        .store()
        .append(stream, ExpectedVersion::Any, events)
        .await;
    receipt
        .unwrap_or_else(|error| panic!("the events cannot be stored: {error}"))
        .last
        .unwrap_or_else(|| panic!("there are no events to store"))
}

/// What has happened to a thing after `version`.
pub(super) async fn events_of<A: Aggregate>(
    division: &Division,
    id: &str,
    mut version: Option<StreamVersion>,
) -> Vec<A::Event> {
    let (stream, mut events) = (StreamId::of(A::KIND, id), Vec::new());
    loop {
        let page = division
            .store()
            .read_stream(stream.clone(), version, PAGE)
            .await;
        let page = page.unwrap_or_else(|error| panic!("the events cannot be read: {error}"));
        for event in &page {
            let read = A::Event::decode(&event.event_type, event.revision, &event.data);
            events.push(read.unwrap_or_else(|error| panic!("{}", chain(&error))));
            version = Some(event.version);
        }
        if page.len() < PAGE {
            return events;
        }
    }
}

/// Waits until the read models have taken `last` in, or parked it.
pub(super) async fn follow(division: &Division, last: Position) {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE && division.progress().is_some() {
        if division.caught_up(last, STEP).await {
            return;
        }
    }
}

/// The row of `key`, once the read models have taken `last` in.
async fn row(
    division: &Division,
    table: &'static Table,
    key: &str,
    last: Option<Position>,
) -> Value {
    if let Some(last) = last {
        follow(division, last).await;
        let parked = |progress: &Progress| !progress.with_letters().is_empty();
        if !division.caught_up(last, STEP).await || division.progress().as_ref().is_some_and(parked)
        {
            let progress = division.progress();
            panic!(
                "the read models of `{}` do not follow: {progress:?}",
                division.name()
            );
        }
    }
    current_row(division, table, key).await
}

/// The row of `key` as it is.
pub(super) async fn current_row(division: &Division, table: &'static Table, key: &str) -> Value {
    let key = key.to_owned();
    let row = division.query(move |model| table.by_key(model, &key)).await;
    row.unwrap_or_else(|error| panic!("{error}"))
        .map_or(Value::Null, Value::Object)
}
