//! The loop: pages of events, letters that are tried again, and what operators ask, one after the other.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use metrics::Histogram;
use tokio::sync::{mpsc, oneshot, watch};

use super::handle::{Ask, OperateError};
use super::letters::Scope;
use super::model::Model;
use super::progress::Progress;
use crate::api::chain;
use crate::store::{EventPage, EventStore, Position, Query, ReadError, RecordedEvent};
use crate::telemetry::{ProjectionTelemetry, projection_seconds};

/// Most events in one transaction.
pub(super) const BATCH: usize = 1000;
/// Letters that are tried in one transaction.
const LETTERS: usize = 100;

/// Called behind each commit with the events that it took in.
pub(crate) type OnApplied = Arc<dyn Fn(&[RecordedEvent]) + Send + Sync>;

/// Why the loop cannot go on at once.
enum Trouble {
    /// The store or the runtime has closed.
    Over,
    /// The disk; it is tried again.
    Again,
}

/// What has turned around without trouble: whether there may be more to do.
type Turn<T> = Result<T, Trouble>;

pub(super) struct Follower {
    store: Arc<dyn EventStore>,
    model: Arc<Mutex<Model>>,
    on_applied: OnApplied,
    progress: watch::Sender<Progress>,
    stopping: watch::Receiver<bool>,
    head: watch::Receiver<Option<Position>>,
    asks: mpsc::Receiver<Ask>,
    retries: VecDeque<Retry>,
    telemetry: Vec<ProjectionTelemetry>,
    seconds: Histogram,
    pause: Pause,
}

/// Letters of one projection that are to be tried again.
struct Retry {
    nth: usize,
    scope: Scope,
    taken: u64,
    reply: Option<oneshot::Sender<Result<u64, OperateError>>>,
}

impl Retry {
    const fn of(nth: usize, scope: Scope) -> Self {
        Self {
            nth,
            scope,
            taken: 0,
            reply: None,
        }
    }
}

impl Follower {
    pub(super) fn new(
        division: &str,
        store: Arc<dyn EventStore>,
        model: Model,
        on_applied: OnApplied,
        progress: watch::Sender<Progress>,
        stopping: watch::Receiver<bool>,
        asks: mpsc::Receiver<Ask>,
    ) -> Self {
        let known = model.progress();
        let telemetry = known.projections.iter();
        let telemetry = telemetry.map(|one| ProjectionTelemetry::new(division, &one.name));
        // Code that is new may take in what its predecessor could not.
        let letters = model.with_letters().into_iter();
        Self {
            head: store.head(),
            store,
            retries: letters.map(|nth| Retry::of(nth, Scope::All)).collect(),
            telemetry: telemetry.collect(),
            seconds: projection_seconds(division),
            model: Arc::new(Mutex::new(model)),
            on_applied,
            progress,
            stopping,
            asks,
            pause: Pause::default(),
        }
    }

    pub(super) async fn run(mut self) {
        while !*self.stopping.borrow() {
            match self.turn().await {
                Ok(()) => self.pause.forget(),
                Err(Trouble::Over) => return,
                Err(Trouble::Again) => {
                    if self.pause.wait(&mut self.stopping).await {
                        return;
                    }
                }
            }
        }
    }

    async fn turn(&mut self) -> Turn<()> {
        let head = *self.head.borrow_and_update();
        let reached = self.look(Model::applied);
        self.tell(head);
        let is_behind = head > reached;
        if is_behind {
            self.take_page_in(reached).await?;
        }
        if !self.retries.is_empty() {
            self.retry().await?;
        } else if !is_behind {
            return self.wait().await;
        }
        while let Ok(ask) = self.asks.try_recv() {
            self.answer(ask).await?;
        }
        Ok(())
    }

    /// Waits until there is something to do.
    async fn wait(&mut self) -> Turn<()> {
        let ask = tokio::select! {
            _ = self.stopping.changed() => return Err(Trouble::Over),
            changed = self.head.changed() => return changed.map_err(|_| Trouble::Over),
            ask = self.asks.recv() => ask,
        };
        match ask {
            Some(ask) => self.answer(ask).await,
            None => Err(Trouble::Over),
        }
    }

    async fn take_page_in(&mut self, reached: Option<Position>) -> Turn<()> {
        let page = self.read(reached, BATCH).await?;
        let Some(scanned_to) = page.scanned_to.filter(|to| Some(*to) > reached) else {
            return Err(Trouble::Again);
        };
        let begun = Instant::now();
        let (events, outcome) = self
            .with(move |model| {
                let outcome = model.take_in(&page.events, scanned_to);
                (page.events, outcome)
            })
            .await?;
        outcome.map_err(|error| cannot_write(&error))?;
        self.seconds.record(begun.elapsed());
        let taken = self.look(Model::taken);
        for (telemetry, taken) in self.telemetry.iter().zip(taken) {
            telemetry.took(taken);
        }
        self.publish();
        (self.on_applied)(&events);
        Ok(())
    }

    /// Tries one page of letters again.
    async fn retry(&mut self) -> Turn<()> {
        let Some(retry) = self.retries.front() else {
            return Ok(());
        };
        let (nth, scope) = (retry.nth, retry.scope.clone());
        let places = self
            .with(move |model| model.letters(nth, &scope, LETTERS))
            .await?
            .map_err(|error| cannot_write(&error))?;
        let is_done = places.is_empty();
        let mut letters = Vec::with_capacity(places.len());
        for place in places {
            let event = self.event_at(place.position).await?;
            letters.push((place, event));
        }
        let retried = self
            .with(move |model| model.retry(nth, &letters))
            .await?
            .map_err(|error| cannot_write(&error))?;
        let is_done = match (retried.failed, self.retries.front_mut()) {
            (failed, Some(retry)) => {
                retry.taken += retried.taken;
                match (failed, &mut retry.scope) {
                    (Some(_), Scope::Only(_)) => true,
                    (Some(key), scope) => {
                        *scope = Scope::Behind(key);
                        is_done
                    }
                    (None, _) => is_done,
                }
            }
            (_, None) => is_done,
        };
        if is_done && let Some(done) = self.retries.pop_front() {
            let projection = self.look(|model| model.name(nth));
            if done.taken > 0 {
                let events = done.taken;
                tracing::info!(%projection, events, "parked events were taken in after all");
            }
            self.publish();
            if let Some(reply) = done.reply {
                // Who asked may have gone.
                _ = reply.send(Ok(done.taken));
            }
        }
        Ok(())
    }

    async fn answer(&mut self, ask: Ask) -> Turn<()> {
        match ask {
            Ask::Retry { projection, reply } => match self.look(|model| model.find(&projection)) {
                Some(nth) => self.retries.push_back(Retry {
                    reply: Some(reply),
                    ..Retry::of(nth, Scope::All)
                }),
                None => _ = reply.send(Err(OperateError::Unknown { projection })),
            },
            Ask::Discard {
                projection,
                position,
                reply,
            } => {
                let Some(nth) = self.look(|model| model.find(&projection)) else {
                    _ = reply.send(Err(OperateError::Unknown { projection }));
                    return Ok(());
                };
                let discarded = self.with(move |model| model.discard(nth, position)).await?;
                let letter = match discarded {
                    Ok(Ok(letter)) => letter,
                    Ok(Err(instead)) => {
                        let error = OperateError::not_first(projection, position, instead);
                        _ = reply.send(Err(error));
                        return Ok(());
                    }
                    Err(error) => {
                        _ = reply.send(Err(OperateError::Storage(error)));
                        return Ok(());
                    }
                };
                tracing::warn!(
                    projection,
                    key = letter.key,
                    position = letter.position,
                    event = letter.event,
                    reason = letter.reason,
                    "an operator discarded a parked event"
                );
                self.publish();
                self.retries.push_back(Retry {
                    reply: Some(reply),
                    ..Retry::of(nth, Scope::Only(letter.key))
                });
            }
        }
        Ok(())
    }

    /// The event at `position`, if it is still there.
    async fn event_at(&self, position: Position) -> Turn<Option<RecordedEvent>> {
        let page = self.read(Position::new(position.get() - 1), 1).await?;
        let mut events = page.events.into_iter();
        Ok(events.find(|event| event.position == position))
    }

    async fn read(&self, after: Option<Position>, limit: usize) -> Turn<EventPage> {
        match self.store.read_all(after, Query::all(), limit).await {
            Ok(page) => Ok(page),
            Err(ReadError::Fenced) => Err(Trouble::Over),
            Err(error) => {
                tracing::error!(error = %chain(&error), "a projection cannot read its store; trying again");
                Err(Trouble::Again)
            }
        }
    }

    /// What the model has in memory: nobody holds it while this loop does not wait for its work.
    fn look<T>(&self, at: impl FnOnce(&Model) -> T) -> T {
        at(&self.model.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Works on the read model, on a thread that may block.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Model) -> T + Send + 'static,
    ) -> Turn<T> {
        let model = self.model.clone();
        let work = move || work(&mut model.lock().unwrap_or_else(PoisonError::into_inner));
        // What projections panic with is caught; what is left is a runtime that shuts down.
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| Trouble::Over)
    }

    /// Says how far it is, to who waits and to the metrics.
    fn publish(&self) {
        self.progress.send_replace(self.look(Model::progress));
        let head = *self.head.borrow();
        self.tell(head);
    }

    /// Tells the metrics where the projections are, when the store is at `head`.
    fn tell(&self, head: Option<Position>) {
        let progress = self.progress.borrow();
        let head = head.max(progress.reached);
        for (telemetry, one) in self.telemetry.iter().zip(&progress.projections) {
            telemetry.is_at(one.checkpoint, head, one.parked);
        }
    }
}

fn cannot_write(error: &rusqlite::Error) -> Trouble {
    tracing::error!(error = %chain(error), "the read model cannot be written; trying again");
    Trouble::Again
}

/// Time between two tries, longer each time.
#[derive(Debug, Default)]
pub(super) struct Pause {
    tries: u32,
}

impl Pause {
    const SHORTEST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(5);

    pub(super) const fn forget(&mut self) {
        self.tries = 0;
    }

    /// Says whether the loop should end meanwhile.
    pub(super) async fn wait(&mut self, stopping: &mut watch::Receiver<bool>) -> bool {
        let pause = Self::SHORTEST.saturating_mul(1 << self.tries.min(10));
        self.tries += 1;
        tokio::select! {
            // An error means that whoever could stop it is gone.
            _ = stopping.changed() => true,
            () = tokio::time::sleep(pause.min(Self::LONGEST)) => false,
        }
    }
}
