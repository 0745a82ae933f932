//! A division while it runs: its store, its read model, and the way of a command through both.

mod outcome;
mod spec;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::Instrument;

use crate::aggregate::{Aggregate, Cx, Loaded, Rejection, Snapshots, derived_id, encode_all};
use crate::api::{Command, chain};
use crate::commands::CommandTable;
pub use crate::consistency::Consistency;
use crate::fault;
use crate::integration::Lineage;
use crate::live::Live;
use crate::paths::Paths;
use crate::projection::Projection;
use crate::projector::{Progress, Projector, forget};
use crate::routes::Routes;
use crate::store::{
    AppendError, AppendId, AppendRequest, ExpectedVersion, Metadata, NewEvent, OpenError, Pool,
    Position, ReadError, RecordedEvent, Snapshot, Store, StoreConfig, StreamId, StreamVersion,
};
use crate::telemetry::{CommandTelemetry, Commands, command_span};

pub use outcome::{DispatchError, Done};
pub use spec::DivisionSpec;

/// How often a decision is made again when another one was faster.
const RETRIES: usize = 8;
/// How long a command waits for the read models to follow.
pub(crate) const VISIBLE_WITHIN: Duration = Duration::from_secs(2);
/// Events read at a time when a thing is loaded.
const LOAD_PAGE: usize = 1000;
/// Read-only connections to a read model.
const READERS: usize = 4;

/// A handle on a running division: the state of its handlers. Cheap to clone.
#[derive(Clone)]
pub struct Division {
    shared: Arc<Shared>,
}

struct Shared {
    name: &'static str,
    store: Store,
    projections: fn() -> Vec<Box<dyn Projection>>,
    running: RwLock<Option<Running>>,
    live: Live,
    telemetry: Commands,
    commands: CommandTable,
}

/// What exists only while the store is open.
#[derive(Clone)]
struct Running {
    projector: Arc<Projector>,
    readers: Pool,
}

impl Division {
    /// A division without routes and commands, its store closed.
    pub(crate) fn closed(
        name: &'static str,
        store: StoreConfig,
        projections: fn() -> Vec<Box<dyn Projection>>,
        live: Live,
    ) -> Self {
        let spec = DivisionSpec::new(name, Routes::new());
        Self::of(&spec.store(store).projections(projections), live)
    }

    /// The division of `spec`, its store closed.
    pub(crate) fn of(spec: &DivisionSpec, live: Live) -> Self {
        Self {
            shared: Arc::new(Shared {
                name: spec.name,
                store: Store::closed(spec.store.clone()),
                projections: spec.projections,
                running: RwLock::default(),
                live,
                telemetry: Commands::new(spec.name),
                commands: spec.commands.clone(),
            }),
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.shared.name
    }

    /// Its event store.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// Carries a command on an existing thing out: loads it, decides, appends, waits for the read models.
    ///
    /// If the thing has moved on meanwhile the decision is made again, so `handle` must be pure.
    ///
    /// # Errors
    ///
    /// [`DispatchError`]; nothing was written.
    pub async fn dispatch<A, C, H>(
        &self,
        id: &str,
        command: Command<C>,
        handle: H,
    ) -> Result<Done, DispatchError>
    where
        A: Aggregate,
        C: Clone + Send + Sync + 'static,
        H: Fn(&A, C, &Cx) -> Result<Vec<A::Event>, Rejection> + Send + Sync,
    {
        self.carry_out(id, Guess::Nothing, command, handle).await
    }

    async fn carry_out<A, C, H>(
        &self,
        id: &str,
        guess: Guess,
        command: Command<C>,
        handle: H,
    ) -> Result<Done, DispatchError>
    where
        A: Aggregate,
        C: Clone + Send + Sync + 'static,
        H: Fn(&A, C, &Cx) -> Result<Vec<A::Event>, Rejection> + Send + Sync,
    {
        let begun = Instant::now();
        let telemetry = self.shared.telemetry.of::<C>();
        let span = command_span::<C>(self.shared.name, command.id);
        let outcome = self
            .decide(id, guess, command, handle, &telemetry)
            .instrument(span.clone())
            .await;
        telemetry.answered(begun, &span, &outcome);
        outcome
    }

    async fn decide<A, C, H>(
        &self,
        id: &str,
        mut guess: Guess,
        command: Command<C>,
        handle: H,
        telemetry: &CommandTelemetry,
    ) -> Result<Done, DispatchError>
    where
        A: Aggregate,
        C: Clone + Send + Sync,
        H: Fn(&A, C, &Cx) -> Result<Vec<A::Event>, Rejection> + Send + Sync,
    {
        command.consistency.check(self)?;
        let stream = StreamId::of(A::KIND, id);
        let asked = Asked {
            id: command.id,
            may_repeat: command.may_repeat,
            digest: command.digest,
            lineage: command.lineage,
            consistency: &command.consistency,
        };
        if let Some(done) = self.done_before(&stream, id, asked).await? {
            return Ok(done);
        }
        let metadata = asked.metadata();
        let mut tries = 0;
        loop {
            let is_guessed = guess == Guess::New;
            guess = Guess::Nothing;
            let loaded = if is_guessed {
                Loaded::default()
            } else {
                self.load::<A>(id).await?
            };
            let cx = Cx::new(id, command.id, Timestamp::now());
            let events = match handle(&loaded.state, command.body.clone(), &cx) {
                // Only an append finds out whether the guess is right.
                Ok(events) if is_guessed && events.is_empty() => continue,
                Err(_) if is_guessed => continue,
                Ok(events) => events,
                // The same command, sent twice at once: what the other one did is no reason to refuse this one.
                Err(rejection) => {
                    let done = self.done_before(&stream, id, asked).await?;
                    return done.ok_or(DispatchError::Rejected(rejection));
                }
            };
            let events = encode_all(&events, &metadata).map_err(DispatchError::Encode)?;
            match self
                .append(&stream, id, asked, loaded.version, events)
                .await
            {
                Err(DispatchError::Append(AppendError::WrongExpectedVersion { .. }))
                    if tries < RETRIES =>
                {
                    tries += 1;
                    telemetry.retried();
                }
                other => return other,
            }
        }
    }

    /// Carries a command that brings a new thing into being out. Its id follows from the command's.
    ///
    /// # Errors
    ///
    /// [`DispatchError`]; nothing was written.
    pub async fn dispatch_new<A, C, H>(
        &self,
        command: Command<C>,
        handle: H,
    ) -> Result<Done, DispatchError>
    where
        A: Aggregate,
        C: Clone + Send + Sync + 'static,
        H: Fn(&A, C, &Cx) -> Result<Vec<A::Event>, Rejection> + Send + Sync,
    {
        let id = derived_id(command.id, 0).to_string();
        self.carry_out(&id, Guess::New, command, handle).await
    }

    /// Carries the command `name` out, with a JSON body; on the thing `id`, or bringing a new one into being.
    ///
    /// # Errors
    ///
    /// [`DispatchError`]; nothing was written.
    pub async fn command(
        &self,
        name: &str,
        id: Option<String>,
        command: Command<Value>,
    ) -> Result<Done, DispatchError> {
        let commands = &self.shared.commands;
        let Some(run) = commands.find(name) else {
            return Err(DispatchError::unknown("command", name, &commands.names()));
        };
        run(self.clone(), id, command).await
    }

    /// Loads a thing from its events, or from a snapshot and the events behind it.
    ///
    /// # Errors
    ///
    /// [`DispatchError::Read`] or [`DispatchError::Decode`].
    pub async fn load<A: Aggregate>(&self, id: &str) -> Result<Loaded<A>, DispatchError> {
        let stream = StreamId::of(A::KIND, id);
        let store = &self.shared.store;
        let snapshots = A::snapshots();
        let mut loaded = match &snapshots {
            Some(snapshots) => kept(store, snapshots, &stream).await?,
            None => None,
        }
        .unwrap_or_default();
        let from = loaded.version.map_or(0, StreamVersion::get);
        loop {
            let events = store
                .read_stream(stream.clone(), loaded.version, LOAD_PAGE)
                .await?;
            loaded.fold(&events)?;
            if events.len() < LOAD_PAGE {
                break;
            }
        }
        if let (Some(snapshots), Some(version)) = (snapshots, loaded.version)
            && version.get() - from >= snapshots.every
            && let Some(body) = (snapshots.encode)(&loaded.state)
        {
            store.save_snapshot(Snapshot {
                stream,
                version,
                fingerprint: snapshots.fingerprint,
                body,
            });
        }
        Ok(loaded)
    }

    /// Runs `query` on the read model, on a thread that may block.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn query<T, Q>(&self, query: Q) -> Result<T, ReadError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let readers = self.running()?.readers;
        readers.with(move |connection| query(connection)).await
    }

    /// Waits until the read models have passed `position`, for at most `limit`; says whether they have. What a projection
    /// could not take in is parked, and passed; one whose code has changed passes when its rows have been built anew.
    pub async fn caught_up(&self, position: Position, limit: Duration) -> bool {
        let Ok(running) = self.running() else {
            return false;
        };
        let mut progress = running.projector.progress();
        let reached = |progress: &Progress| progress.has_passed(position);
        let wait = progress.wait_for(reached);
        matches!(tokio::time::timeout(limit, wait).await, Ok(Ok(_)))
    }

    /// What follows its events, by name.
    pub(crate) fn projection_names(&self) -> Vec<String> {
        let projections = (self.shared.projections)();
        projections
            .iter()
            .map(|one| one.name().to_owned())
            .collect()
    }

    /// What follows its events, while the store is open.
    pub(crate) fn projector(&self) -> Option<Arc<Projector>> {
        Some(self.running().ok()?.projector)
    }

    /// How far the read models are, and what they could not take in.
    pub(crate) fn progress(&self) -> Option<Progress> {
        Some(self.running().ok()?.projector.progress().borrow().clone())
    }

    /// Opens the store as the writer of `epoch`, and starts to follow it.
    pub(crate) async fn acquire(&self, paths: &Paths, epoch: u64) -> Result<(), OpenError> {
        if self.running().is_ok() {
            return Ok(());
        }
        let shared = &self.shared;
        shared.store.acquire(paths, epoch).await?;
        fault::point("acquire.store_is_open");
        let path = paths.read_model(shared.store.config().file_name());
        if shared.store.config().is_in_memory() {
            // The store starts empty, so the rows do.
            forget(&path)?;
        }
        let Ok(store) = shared.store.get() else {
            return Err(OpenError::InUse { path });
        };
        let (live, name) = (shared.live.clone(), shared.name);
        let announce = Arc::new(move |events: &[RecordedEvent]| live.announce(name, events));
        let projections = shared.projections;
        match Projector::start(name, store, path.clone(), projections, announce).await {
            Ok(projector) => {
                let running = Running {
                    projector: Arc::new(projector),
                    readers: Pool::new(&path, READERS),
                };
                self.set(Some(running));
                Ok(())
            }
            Err(error) => {
                shared.store.release().await;
                Err(error)
            }
        }
    }

    /// Stops following, closes every connection, store last: its lock guards the read model too.
    pub(crate) async fn release(&self) {
        let running = self
            .shared
            .running
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(running) = running {
            running.projector.stop().await;
            fault::point("release.projector_stopped");
            running.readers.close().await;
        }
        self.shared.store.release().await;
    }

    fn running(&self) -> Result<Running, ReadError> {
        self.shared
            .running
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok_or(ReadError::Fenced)
    }

    fn set(&self, running: Option<Running>) {
        *self
            .shared
            .running
            .write()
            .unwrap_or_else(PoisonError::into_inner) = running;
    }

    /// The first answer to a command that was carried out before.
    async fn done_before(
        &self,
        stream: &StreamId,
        id: &str,
        asked: Asked<'_>,
    ) -> Result<Option<Done>, DispatchError> {
        if !asked.may_repeat {
            return Ok(None);
        }
        let append = AppendId(asked.id);
        let Some(recorded) = self.shared.store.receipt(append).await? else {
            return Ok(None);
        };
        let mismatch = || AppendError::IdempotencyMismatch { id: append };
        let Some((first, last)) = recorded.events.first().zip(recorded.events.last()) else {
            let reply = recorded.reply.as_deref().and_then(Nothing::read);
            let first = reply.filter(|first| first.command == asked.digest && first.id == id);
            let version = first.ok_or_else(mismatch)?.version;
            return Ok(Some(self.finish(id, version, None, true, asked).await));
        };
        let same = recorded.events.iter().all(|event| {
            event.stream == *stream && event.metadata.command_digest == Some(asked.digest)
        });
        if !same {
            return Err(mismatch().into());
        }
        let written = Some((first.position, last.position));
        Ok(Some(
            self.finish(id, Some(last.version), written, true, asked)
                .await,
        ))
    }

    async fn append(
        &self,
        stream: &StreamId,
        id: &str,
        asked: Asked<'_>,
        version: Option<StreamVersion>,
        events: Vec<NewEvent>,
    ) -> Result<Done, DispatchError> {
        let nothing = events.is_empty();
        if nothing && !asked.may_repeat {
            return Ok(self.finish(id, version, None, false, asked).await);
        }
        // That nothing happens is remembered too: sent again, the command must not be decided on another state.
        let reply = nothing.then(|| Nothing::write(id, asked.digest, version));
        let expected = ExpectedVersion::from_loaded(version);
        let request = AppendRequest {
            reply,
            ..AppendRequest::new(stream.clone(), expected, events)
        };
        let appended = self
            .shared
            .store
            .append_request(request.with_id(AppendId(asked.id)))
            .await;
        match appended {
            Ok(receipt) => {
                let version = receipt.versions.last().copied().or(version);
                Ok(self
                    .finish(
                        id,
                        version,
                        receipt.first.zip(receipt.last),
                        receipt.replayed,
                        asked,
                    )
                    .await)
            }
            // Sent twice at once, and the other one was decided on another state: its answer is the first.
            Err(error @ AppendError::IdempotencyMismatch { .. }) => {
                let first = self.done_before(stream, id, asked).await?;
                first.ok_or_else(|| error.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn finish(
        &self,
        id: &str,
        version: Option<StreamVersion>,
        written: Option<(Position, Position)>,
        replayed: bool,
        asked: Asked<'_>,
    ) -> Done {
        let visible = match written {
            Some((first, last)) => asked.consistency.waited(self, first, last).await,
            None => true,
        };
        let position = written.map(|(_, last)| last);
        Done {
            id: id.to_owned(),
            version,
            position,
            visible,
            replayed,
        }
    }
}

/// What is remembered of a command whose decision was that nothing happens.
#[derive(Serialize, Deserialize)]
struct Nothing {
    /// The thing that it was about.
    id: String,
    /// Fingerprint of its content.
    command: u64,
    /// The thing's version, which stays.
    version: Option<StreamVersion>,
}

impl Nothing {
    fn read(reply: &[u8]) -> Option<Self> {
        serde_json::from_slice(reply).ok()
    }

    fn write(id: &str, command: u64, version: Option<StreamVersion>) -> Vec<u8> {
        serde_json::json!({"id": id, "command": command, "version": version})
            .to_string()
            .into_bytes()
    }
}

/// The state that was kept last, if it is of the form that is wanted and can be read. If not, it is made of all events.
async fn kept<A: Aggregate>(
    store: &Store,
    snapshots: &Snapshots<A>,
    stream: &StreamId,
) -> Result<Option<Loaded<A>>, ReadError> {
    let kept = match store.snapshot(stream.clone()).await {
        Err(ReadError::Storage(error)) => {
            tracing::warn!(%stream, error = %chain(&*error), "a snapshot cannot be read");
            None
        }
        kept => kept?,
    };
    let kept = kept.filter(|kept| kept.fingerprint == snapshots.fingerprint);
    Ok(kept.and_then(|kept| {
        let version = Some(kept.version);
        (snapshots.decode)(&kept.body).map(|state| Loaded { state, version })
    }))
}

/// What is taken of a thing without looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guess {
    /// It is loaded.
    Nothing,
    /// That it does not exist. The append asks for that, so a wrong guess has no effect: the thing is loaded then, and
    /// the decision is made again.
    New,
}

/// A command without its body.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    id: uuid::Uuid,
    may_repeat: bool,
    digest: u64,
    lineage: Lineage,
    consistency: &'a Consistency,
}

impl Asked<'_> {
    fn metadata(self) -> Metadata {
        Metadata {
            correlation_id: self.lineage.correlation.or(Some(self.id)),
            causation_id: Some(self.id),
            origin_id: self.lineage.causation,
            command_digest: self.may_repeat.then_some(self.digest),
            ..Metadata::default()
        }
    }
}
