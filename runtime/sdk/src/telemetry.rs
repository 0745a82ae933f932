//! What is counted and timed without anybody asking for it: commands, stores, projections, requests, jobs.
//!
//! Every name appears at the host's `/metrics` as `hecate_plugin_{name}{plugin="…"}`. Durations are histograms in seconds.
//! A line with several outcomes has one counter for each.
//!
//! | name | labels | what |
//! |---|---|---|
//! | `commands_total` | `division`, `command`, `outcome` | commands: `done`, `replayed` (the first answer again), `rejected`, `conflict` (others were faster, each time), `fenced` (the store is with another generation), `failed` |
//! | `command_seconds` | `division`, `command` | from the dispatch to the answer, with the wait for the read models |
//! | `command_retries_total` | `division`, `command` | decisions made again because the thing had moved on |
//! | `store_appends_total` | `store`, `outcome` | appends: `written`, `replayed`, `conflict` (not at the expected version), `refused` (against a limit, or an id that was used), `fenced`, `failed` (the database refuses) |
//! | `store_append_seconds` | `store` | from the call until the events are on the disk |
//! | `store_events_total` | `store` | events that were written |
//! | `store_commits_total` | `store` | transactions; appends by commits is the size of a batch |
//! | `store_commit_seconds` | `store` | how long they took, the wait for the disk included |
//! | `store_reads_total` | `store` | reads through a [`Store`](crate::store::Store) |
//! | `store_read_seconds` | `store` | how long they took |
//! | `projection_events_total` | `division`, `projection` | events that were taken in |
//! | `projection_lag_events` | `division`, `projection` | positions from the projection's to the store's last, when it last looked |
//! | `projection_parked` | `division`, `projection` | events that it could not take in, and those held behind them |
//! | `projection_rebuild_events_total` | `division`, `projection` | events that were taken in to build its rows anew |
//! | `projection_rebuild_lag_events` | `division`, `projection` | positions that are left to build; 0 if it is not built anew |
//! | `projection_seconds` | `division` | how long a batch of events took, for all projections |
//! | `facts_published_total` | `topic` | facts that were told |
//! | `facts_heard_total`, `facts_unread_total` | `listener` | facts of other plugins that were taken in; those of them that could not be read |
//! | `messages_sent_total` | `outcome` | commands and hopes of listeners and process managers: `done`, `rejected`, `answered`, `later` (to be tried again) |
//! | `events_parked_total` | – | events that an emitter or process manager could not take in |
//! | `hopes_asked_total`, `hopes_answered_total` | `hope`, `outcome` | hopes that were sent: `answered`, `rejected`, `no_responder`, `timed_out`; hopes of others: `answered`, `replayed`, `rejected`, `failed` |
//! | `http_requests_total`, `http_requests_failed_total`, `http_request_seconds` | – | requests; failed are those with a status from 500 |
//! | `job_…` | `job` | see the module `scheduler` |
//! | `rate_limited_total` | – | requests that a rate limit refused |
//!
//! `store` is the store's directory name, `command` the name of the command's type (`confirm_order_v1`). Handles are made
//! once: for stores and projections when they open, for a command when it first comes.
//!
//! ```
//! use hecate_sdk::store::{ExpectedVersion, NewEvent, Store, StreamId};
//! use hecate_sdk::testing::{metric, run};
//!
//! run(async {
//!     let event = NewEvent::json("item_added", 1, &"milk")?;
//!     Store::memory().append(StreamId::new("items"), ExpectedVersion::Any, vec![event]).await?;
//!     assert_eq!(metric("store_appends_total", &[("store", "memory"), ("outcome", "written")]), Some(1.0));
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! }).unwrap();
//! ```
//!
//! # Spans
//!
//! Beside that there are spans, at the level `debug`. They are not logged and not even made unless somebody wants them: with
//! the feature `opentelemetry`, the module `opentelemetry` here sends them to a collector, with those that the plugin makes
//! itself by [`tracing`].
//!
//! | name | fields | what |
//! |---|---|---|
//! | `request` | `method`, `path`, `status` | a request; it goes on with the trace of its header `traceparent` |
//! | `command` | `division`, `command`, `command_id`, `outcome` | a command, as `commands_total` |
//! | `append` | `store`, `events` | an append, until the events are on the disk |
//! | `project` | `division`, `events` | a batch of events for all projections |
//! | `tell` | `division`, `events` | a batch of events for all emitters and process managers |
//! | `hear` | `listener`, `emitter`, `facts` | facts of another plugin that are taken in |
//! | `ask` | `hope` | a hope, until its answer |
//! | `answer` | `hope`, `from` | a hope of another plugin that is answered |
//!
//! Projections and messages have traces of their own: what follows a command by way of a store is not below it. Absent for
//! now: export of metrics and logs. The host has every plugin's already.

mod messages;
#[cfg(feature = "opentelemetry")]
pub mod opentelemetry;

use std::any::{TypeId, type_name};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use axum::extract::Request;
use tracing::Span;
use tracing::field::Empty;
use uuid::Uuid;

use crate::division::{DispatchError, Done};
use crate::metrics::{Counter, Gauge, Histogram, counter_with, gauge_with, histogram_with};
use crate::store::{AppendError, Position, Receipt};
pub(crate) use messages::{MessageTelemetry, hope_asked};

/// What a store counts, whichever backend it has.
pub(crate) struct StoreTelemetry {
    written: Counter,
    replayed: Counter,
    conflict: Counter,
    refused: Counter,
    fenced: Counter,
    failed: Counter,
    events: Counter,
    append_seconds: Histogram,
    reads: Counter,
    read_seconds: Histogram,
}

impl StoreTelemetry {
    pub(crate) fn new(store: &str) -> Self {
        let of = |outcome| {
            counter_with(
                "store_appends_total",
                &[("store", store), ("outcome", outcome)],
            )
        };
        let store = [("store", store)];
        Self {
            written: of("written"),
            replayed: of("replayed"),
            conflict: of("conflict"),
            refused: of("refused"),
            fenced: of("fenced"),
            failed: of("failed"),
            events: counter_with("store_events_total", &store),
            append_seconds: histogram_with("store_append_seconds", &store),
            reads: counter_with("store_reads_total", &store),
            read_seconds: histogram_with("store_read_seconds", &store),
        }
    }

    /// An append of `events` events that was asked for at `begun`.
    pub(crate) fn appended(
        &self,
        begun: Instant,
        events: usize,
        outcome: &Result<Receipt, AppendError>,
    ) {
        self.append_seconds.record(begun.elapsed());
        let counter = match outcome {
            Ok(receipt) if receipt.replayed => &self.replayed,
            Ok(_) => {
                self.events.increment(events as u64);
                &self.written
            }
            Err(AppendError::WrongExpectedVersion { .. }) => &self.conflict,
            Err(AppendError::Fenced) => &self.fenced,
            Err(AppendError::Storage(_)) => &self.failed,
            Err(_) => &self.refused,
        };
        counter.increment(1);
    }

    /// A read that was asked for at `begun`.
    pub(crate) fn read(&self, begun: Instant) {
        self.reads.increment(1);
        self.read_seconds.record(begun.elapsed());
    }
}

/// What the writer of a store counts.
pub(crate) struct CommitTelemetry {
    commits: Counter,
    seconds: Histogram,
}

impl CommitTelemetry {
    pub(crate) fn new(store: &str) -> Self {
        let store = [("store", store)];
        Self {
            commits: counter_with("store_commits_total", &store),
            seconds: histogram_with("store_commit_seconds", &store),
        }
    }

    /// A transaction that was begun at `begun` and is on the disk.
    pub(crate) fn committed(&self, begun: Instant) {
        self.commits.increment(1);
        self.seconds.record(begun.elapsed());
    }
}

/// What the commands of a division count, by the type of their body.
pub(crate) struct Commands {
    division: &'static str,
    known: RwLock<HashMap<TypeId, Arc<CommandTelemetry>>>,
}

/// What one type of command counts.
pub(crate) struct CommandTelemetry {
    done: Counter,
    replayed: Counter,
    rejected: Counter,
    conflict: Counter,
    fenced: Counter,
    failed: Counter,
    retries: Counter,
    seconds: Histogram,
}

impl Commands {
    pub(crate) fn new(division: &'static str) -> Self {
        Self {
            division,
            known: RwLock::default(),
        }
    }

    /// The counters of commands with a body of type `C`: no name is put together after the first of them.
    pub(crate) fn of<C: 'static>(&self) -> Arc<CommandTelemetry> {
        let id = TypeId::of::<C>();
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(&id) {
            return known.clone();
        }
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Arc::new(CommandTelemetry::new(self.division, &command_name::<C>()));
        known.entry(id).or_insert_with(fresh).clone()
    }
}

impl CommandTelemetry {
    fn new(division: &str, command: &str) -> Self {
        let of = |outcome| {
            let labels = [
                ("division", division),
                ("command", command),
                ("outcome", outcome),
            ];
            counter_with("commands_total", &labels)
        };
        let labels = [("division", division), ("command", command)];
        Self {
            done: of("done"),
            replayed: of("replayed"),
            rejected: of("rejected"),
            conflict: of("conflict"),
            fenced: of("fenced"),
            failed: of("failed"),
            retries: counter_with("command_retries_total", &labels),
            seconds: histogram_with("command_seconds", &labels),
        }
    }

    /// The decision is made again.
    pub(crate) fn retried(&self) {
        self.retries.increment(1);
    }

    /// A command that was dispatched at `begun`, in `span`.
    pub(crate) fn answered(
        &self,
        begun: Instant,
        span: &Span,
        outcome: &Result<Done, DispatchError>,
    ) {
        use crate::store::ReadError;
        self.seconds.record(begun.elapsed());
        let (counter, word) = match outcome {
            Ok(done) if done.replayed => (&self.replayed, "replayed"),
            Ok(_) => (&self.done, "done"),
            Err(DispatchError::Rejected(_)) => (&self.rejected, "rejected"),
            Err(DispatchError::Append(AppendError::WrongExpectedVersion { .. })) => {
                (&self.conflict, "conflict")
            }
            Err(
                DispatchError::Append(AppendError::Fenced) | DispatchError::Read(ReadError::Fenced),
            ) => (&self.fenced, "fenced"),
            Err(_) => (&self.failed, "failed"),
        };
        counter.increment(1);
        span.record("outcome", word);
    }
}

/// The span of a request.
pub(crate) fn request_span(request: &Request) -> Span {
    let span = tracing::debug_span!(
        "request",
        otel.kind = "server",
        method = %request.method(),
        path = request.uri().path(),
        status = Empty,
    );
    #[cfg(feature = "opentelemetry")]
    opentelemetry::go_on(&span, request.headers());
    span
}

/// The span of a command with a body of type `C`.
pub(crate) fn command_span<C>(division: &str, id: Uuid) -> Span {
    // The name is put together only if somebody wants the span.
    tracing::debug_span!(
        "command",
        division,
        command = command_name::<C>(),
        command_id = %id,
        outcome = Empty,
    )
}

/// The name of a command's type as commands are named: `confirm_order_v1` of `…::ConfirmOrderV1`.
fn command_name<C>() -> String {
    let path = type_name::<C>().split('<').next().unwrap_or_default();
    let name = path.rsplit("::").next().unwrap_or_default();
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// What one projection counts.
pub(crate) struct ProjectionTelemetry {
    events: Counter,
    lag: Gauge,
    parked: Gauge,
}

impl ProjectionTelemetry {
    pub(crate) fn new(division: &str, projection: &str) -> Self {
        let labels = [("division", division), ("projection", projection)];
        Self {
            events: counter_with("projection_events_total", &labels),
            lag: gauge_with("projection_lag_events", &labels),
            parked: gauge_with("projection_parked", &labels),
        }
    }

    /// It has taken in `events` more.
    pub(crate) fn took(&self, events: u64) {
        self.events.increment(events);
    }

    /// Where it is, when the store is at `head`.
    pub(crate) fn is_at(&self, checkpoint: Option<Position>, head: Option<Position>, parked: u64) {
        let number = |position: Option<Position>| position.map_or(0, Position::get);
        self.lag
            .set(number(head).saturating_sub(number(checkpoint)) as f64);
        self.parked.set(parked as f64);
    }
}

/// What counts while a projection's rows are built anew.
pub(crate) struct RebuildTelemetry {
    events: Counter,
    lag: Gauge,
}

impl RebuildTelemetry {
    pub(crate) fn new(division: &str, projection: &str) -> Self {
        let labels = [("division", division), ("projection", projection)];
        Self {
            events: counter_with("projection_rebuild_events_total", &labels),
            lag: gauge_with("projection_rebuild_lag_events", &labels),
        }
    }

    /// It has taken in `events` more.
    pub(crate) fn took(&self, events: u64) {
        self.events.increment(events);
    }

    /// Where it is, when the store is at `head`.
    pub(crate) fn is_at(&self, at: Option<Position>, head: Option<Position>) {
        let number = |position: Option<Position>| position.map_or(0, Position::get);
        self.lag.set(number(head).saturating_sub(number(at)) as f64);
    }
}

/// How long batches of a division's projections take.
pub(crate) fn projection_seconds(division: &str) -> Histogram {
    histogram_with("projection_seconds", &[("division", division)])
}

#[cfg(test)]
mod tests;
