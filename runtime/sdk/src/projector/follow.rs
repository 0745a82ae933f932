//! The loop: pages of events, letters that are tried again, and what operators ask, one after the other.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use metrics::Histogram;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tracing::Instrument;

use super::asked::Retry;
use super::beside;
use super::handle::Ask;
use super::letters::Scope;
use super::model::{BATCH, Model};
use super::pause::Pause;
use super::rebuild::{self, Build, Built, Halt, Site};
use crate::api::chain;
use crate::fault;
use crate::store::{EventPage, Position, Query, ReadError, RecordedEvent};
use crate::telemetry::{ProjectionTelemetry, projection_seconds};

/// Called behind each commit with the events that it took in.
pub(crate) type OnApplied = Arc<dyn Fn(&[RecordedEvent]) + Send + Sync>;

/// Why the loop cannot go on at once.
pub(super) enum Trouble {
    /// The store or the runtime has closed.
    Over,
    /// The disk; it is tried again.
    Again,
}

/// What one turn of the loop, or a part of it, comes to.
pub(super) type Turn<T> = Result<T, Trouble>;

pub(super) struct Follower {
    pub(super) site: Site,
    model: Arc<Mutex<Model>>,
    on_applied: OnApplied,
    stopping: watch::Receiver<bool>,
    pub(super) head: watch::Receiver<Option<Position>>,
    asks: mpsc::Receiver<Ask>,
    pub(super) retries: VecDeque<Retry>,
    /// Rows that are built beside those that serve, by projection.
    pub(super) builds: HashMap<usize, JoinHandle<()>>,
    built: mpsc::UnboundedReceiver<Built>,
    telemetry: Vec<ProjectionTelemetry>,
    seconds: Histogram,
    pause: Pause,
}

impl Follower {
    /// `to_build` are the projections whose rows are to be built anew from the start.
    pub(super) fn new(
        site: Site,
        model: Model,
        to_build: &[usize],
        on_applied: OnApplied,
        asks: mpsc::Receiver<Ask>,
        built: mpsc::UnboundedReceiver<Built>,
    ) -> Self {
        let known = model.progress();
        let telemetry = known.projections.iter();
        let telemetry = telemetry.map(|one| ProjectionTelemetry::new(site.division, &one.name));
        // Code that is new may take in what its predecessor could not.
        let letters = model.with_letters().into_iter();
        let mut follower = Self {
            head: site.store.head(),
            stopping: site.stopping.clone(),
            retries: letters.map(|nth| Retry::of(nth, Scope::All)).collect(),
            telemetry: telemetry.collect(),
            seconds: projection_seconds(site.division),
            site,
            model: Arc::new(Mutex::new(model)),
            on_applied,
            asks,
            builds: HashMap::new(),
            built,
            pause: Pause::default(),
        };
        for nth in to_build {
            follower.build(*nth, Pause::default());
        }
        follower
    }

    pub(super) async fn run(mut self) {
        while !*self.stopping.borrow() {
            match self.turn().await {
                Ok(()) => self.pause.forget(),
                Err(Trouble::Over) => break,
                Err(Trouble::Again) => {
                    self.pause.lengthen();
                    let is_stuck = self.pause.is_stuck();
                    self.site.progress.send_if_modified(|progress| {
                        !std::mem::replace(&mut progress.is_stuck, is_stuck) && is_stuck
                    });
                    if self.pause.wait(&mut self.stopping).await {
                        break;
                    }
                }
            }
        }
        // They end behind the page that they are at, and close their files.
        for (_, build) in self.builds {
            _ = build.await;
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
        if let Ok(built) = self.built.try_recv() {
            self.finish(built).await?;
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
            // This loop holds a sender itself, so there is always another one.
            Some(built) = self.built.recv() => return self.finish(built).await,
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
        let count = page.events.len();
        let span = tracing::debug_span!("project", division = self.site.division, events = count);
        let (events, outcome) = self
            .with(move |model| {
                let outcome = model.take_in(&page.events, scanned_to);
                (page.events, outcome)
            })
            .instrument(span)
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

    pub(super) fn build(&mut self, nth: usize, pause: Pause) {
        let name = self.look(|model| model.name(nth));
        // From here on everybody knows that there is one.
        self.site.change(nth, |_| {});
        let build = Build::new(self.site.clone(), nth, name);
        self.builds.insert(nth, tokio::spawn(build.run(pause)));
    }

    /// Lets new rows take the place of those that serve.
    async fn finish(&mut self, built: Built) -> Turn<()> {
        let Built {
            nth,
            model,
            mut pause,
        } = built;
        let name = self.look(|model| model.name(nth));
        let build = Build::new(self.site.clone(), nth, name.clone());
        match self.put_in_place(nth, model, &build).await {
            Ok(()) => {
                self.builds.remove(&nth);
                self.site.end(nth);
                build.is_done();
                self.publish();
                tracing::info!(projection = %name, "rows were built anew, and serve now");
            }
            Err(Halt::Over) => return Err(Trouble::Over),
            Err(Halt::Full) => build.give_up(),
            Err(Halt::Again(reason)) => {
                build.halted(&reason);
                pause.lengthen();
                self.build(nth, pause);
            }
        }
        Ok(())
    }

    async fn put_in_place(&self, nth: usize, mut model: Model, build: &Build) -> Result<(), Halt> {
        // No further back than the rows that all others serve, so that nobody sees less than before.
        let reached = self.look(Model::applied);
        while model.applied() < reached {
            let page =
                self.read(model.applied(), BATCH)
                    .await
                    .map_err(|trouble| match trouble {
                        Trouble::Over => Halt::Over,
                        Trouble::Again => Halt::Again("the store cannot be read".to_owned()),
                    })?;
            let Some(scanned_to) = page.scanned_to.filter(|to| Some(*to) > model.applied()) else {
                return Err(Halt::Again("the store gives no more events".to_owned()));
            };
            let taken = page.events.len() as u64;
            let (back, outcome) = rebuild::blocking(move || {
                let outcome = model.take_in(&page.events, scanned_to);
                (model, outcome)
            })
            .await?;
            model = back;
            outcome.map_err(|error| rebuild::halt(&error))?;
            build.took(taken);
        }
        fault::point("rebuild.built");
        let file = self.site.file(&self.look(|model| model.name(nth)));
        let path = file.clone();
        let switched = self.with(move |live| live.switch(nth, model, &path)).await;
        let switched = switched.map_err(|_| Halt::Over)?;
        switched.map_err(|error| rebuild::halt(&error))?;
        fault::point("rebuild.switched");
        if let Err(error) = beside::remove(&file) {
            tracing::error!(error = %chain(&error), "a file stays, and its rows take their place once more");
        }
        Ok(())
    }

    pub(super) async fn read(&self, after: Option<Position>, limit: usize) -> Turn<EventPage> {
        match self.site.store.read_all(after, Query::all(), limit).await {
            Ok(page) => Ok(page),
            Err(ReadError::Fenced) => Err(Trouble::Over),
            Err(error) => {
                tracing::error!(error = %chain(&error), "a projection cannot read its store; trying again");
                Err(Trouble::Again)
            }
        }
    }

    /// What the model has in memory: nobody holds it while this loop does not wait for its work.
    pub(super) fn look<T>(&self, at: impl FnOnce(&Model) -> T) -> T {
        at(&self.model.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Works on the read model, on a thread that may block.
    pub(super) async fn with<T: Send + 'static>(
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
    pub(super) fn publish(&self) {
        let mut now = self.look(Model::progress);
        self.site.progress.send_modify(|progress| {
            // What is built beside says itself how far it is.
            for (one, known) in now.projections.iter_mut().zip(&mut progress.projections) {
                one.rebuild = known.rebuild.take();
            }
            std::mem::swap(progress, &mut now);
        });
        let head = *self.head.borrow();
        self.tell(head);
    }

    /// Tells the metrics where the projections are, when the store is at `head`.
    fn tell(&self, head: Option<Position>) {
        let progress = self.site.progress.borrow();
        let head = head.max(progress.reached);
        for (telemetry, one) in self.telemetry.iter().zip(&progress.projections) {
            telemetry.is_at(one.checkpoint, head, one.parked);
        }
    }
}

pub(super) fn cannot_write(error: &rusqlite::Error) -> Trouble {
    tracing::error!(error = %chain(error), "the read model cannot be written; trying again");
    Trouble::Again
}
