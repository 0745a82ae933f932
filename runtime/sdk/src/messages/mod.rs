//! What a plugin hears, remembers and has still to say: the machinery behind [`crate::integration`].
//!
//! All of it is one database, whose transactions are the promise: an input and what follows from it are kept together or not
//! at all. Three loops run while the stores are open: [`follower`] takes the events of divisions in, [`sender`] carries out
//! the commands and hopes that wait, [`timers`] calls process managers in time. [`inbox`] and [`outbox`] are the ends at which
//! the host hands facts in and takes them out.

mod database;
mod follower;
mod inbox;
mod outbox;
mod processes;
mod responses;
mod sender;
mod timers;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use hecate_manifest::exchange::{
    Delivered, Delivery, Exchange, FactsAsk, FactsPage, Feedback, Hope, Subscription,
};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::division::Division;
use crate::integration::{Hopes, Integrations};
use crate::paths::Paths;
use crate::store::OpenError;
use crate::telemetry::MessageTelemetry;
use database::Database;
pub(crate) use database::MessagesError;

/// What a plugin exchanges and follows. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Messages {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    integrations: Integrations,
    divisions: Arc<[Division]>,
    hopes: Hopes,
    telemetry: MessageTelemetry,
    open: RwLock<Option<Arc<Open>>>,
}

/// What exists only while the stores are open.
struct Open {
    database: Database,
    /// Which outbox it holds.
    identity: String,
    /// Where that ends.
    outbox: watch::Sender<u64>,
    /// There may be something to send.
    outgoing: Notify,
    /// There may be a timer that is due earlier.
    timers: Notify,
    /// Loops that have not looked yet at what was left to them.
    beginning: AtomicUsize,
    /// What does not go on, and why; by the name of what stands still.
    troubles: Mutex<BTreeMap<String, String>>,
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Messages {
    pub(crate) fn new(
        integrations: Integrations,
        divisions: Arc<[Division]>,
        hopes: Hopes,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                telemetry: MessageTelemetry::new(&integrations),
                integrations,
                divisions,
                hopes,
                open: RwLock::default(),
            }),
        }
    }

    /// Whether the plugin has nothing to do with any of this.
    pub(crate) fn is_empty(&self) -> bool {
        self.shared.integrations.is_empty()
    }

    /// What the host is told.
    pub(crate) fn exchange(&self) -> Exchange {
        let integrations = &self.shared.integrations;
        let mut asks: Vec<_> = integrations
            .asks
            .iter()
            .map(|name| (*name).to_owned())
            .collect();
        asks.dedup();
        Exchange {
            publishes: integrations
                .emitters
                .iter()
                .map(|spec| spec.topic.to_owned())
                .collect(),
            listens: integrations
                .listeners
                .iter()
                .map(|spec| Subscription {
                    listener: spec.name.to_owned(),
                    filter: spec.filter.to_owned(),
                })
                .collect(),
            asks,
            answers: integrations
                .responders
                .iter()
                .map(|spec| spec.name.to_owned())
                .collect(),
        }
    }

    /// Opens the database as its writer in `epoch`, and starts the loops. The divisions' stores are open already.
    pub(crate) async fn acquire(&self, paths: &Paths, epoch: u64) -> Result<(), OpenError> {
        if self.is_empty() || self.shared.open().is_ok() {
            return Ok(());
        }
        let path = paths.messages();
        let file = path.clone();
        let opened = tokio::task::spawn_blocking(move || Database::open(&file, epoch)).await;
        let database = opened.unwrap_or(Err(OpenError::InUse { path: path.clone() }))?;
        let identity = database.read(outbox::identity).await;
        let (identity, head) = identity.map_err(|error| match error {
            MessagesError::Storage(source) => OpenError::Storage { path, source },
            MessagesError::Fenced => OpenError::InUse { path },
        })?;
        let open = Arc::new(Open {
            database,
            identity,
            outbox: watch::Sender::new(head),
            outgoing: Notify::new(),
            timers: Notify::new(),
            beginning: AtomicUsize::new(0),
            troubles: Mutex::default(),
            stop: watch::Sender::new(false),
            tasks: Mutex::default(),
        });
        self.read_again(&open).await;
        for division in self.shared.divisions.iter() {
            if follower::follows(&self.shared, division) {
                open.beginning.fetch_add(1, Ordering::SeqCst);
                open.spawn(follower::follow(
                    self.shared.clone(),
                    open.clone(),
                    division.clone(),
                ));
            }
        }
        open.spawn(sender::send(self.shared.clone(), open.clone()));
        open.spawn(timers::call(self.shared.clone(), open.clone()));
        self.shared.set(Some(open));
        Ok(())
    }

    /// Tries facts that could not be taken in once more.
    async fn read_again(&self, open: &Open) {
        let shared = self.shared.clone();
        let again = move |transaction: &rusqlite::Transaction<'_>| {
            let listeners = shared.integrations.listeners.iter();
            listeners
                .map(|spec| inbox::again(transaction, spec))
                .sum::<rusqlite::Result<u64>>()
        };
        match open.database.write(again).await {
            Ok(0) => {}
            Ok(taken) => tracing::info!(
                facts = taken,
                "facts that were kept aside have been taken in"
            ),
            Err(error) => open.trouble(
                "facts that were kept aside",
                Some(crate::api::chain(&error)),
            ),
        }
    }

    /// Ends the loops behind what they are at, and closes the database.
    pub(crate) async fn release(&self) {
        let Some(open) = self.shared.set(None) else {
            return;
        };
        open.stop.send_replace(true);
        let tasks = std::mem::take(&mut *open.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            // One that panicked has ended, too.
            _ = task.await;
        }
        open.database.close().await;
    }

    /// Gives facts of the outbox.
    pub(crate) async fn facts(&self, ask: FactsAsk) -> Result<FactsPage, MessagesError> {
        outbox::facts(&*self.shared.open()?, ask).await
    }

    /// Takes facts of another plugin in.
    pub(crate) async fn deliver(&self, delivery: Delivery) -> Result<Delivered, DeliverError> {
        inbox::deliver(&self.shared, delivery).await
    }

    /// Answers a hope of another plugin.
    pub(crate) async fn answer(&self, hope: Hope) -> Result<Feedback, String> {
        responses::answer(&self.shared, hope).await
    }

    /// Gives the hopes that wait to be sent.
    pub(crate) async fn hopes(&self, wait: Duration) -> Vec<Hope> {
        self.shared.hopes.collect(wait).await
    }

    /// Where hopes are sent from.
    pub(crate) fn asker(&self) -> &Hopes {
        &self.shared.hopes
    }

    /// Hears what came of a hope.
    pub(crate) fn feedback(&self, feedback: Feedback) {
        self.shared.hopes.resolve(feedback);
    }

    /// What stands still and why, for the plugin's health.
    pub(crate) fn troubles(&self) -> BTreeMap<String, String> {
        let open = self.shared.open();
        open.map(|open| {
            open.troubles
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        })
        .unwrap_or_default()
    }

    /// Where the outbox ends, if nothing waits: no events to be followed, no commands and hopes to be sent.
    pub(crate) async fn idle_at(&self) -> Result<Option<u64>, MessagesError> {
        if self.is_empty() {
            return Ok(Some(0));
        }
        let open = self.shared.open()?;
        if open.beginning.load(Ordering::SeqCst) > 0 {
            return Ok(None);
        }
        let mut heads = BTreeMap::new();
        for division in self.shared.divisions.iter() {
            if let Ok(store) = division.store().get() {
                heads.insert(
                    division.name(),
                    store.head().borrow().map_or(0, |head| head.get()),
                );
            }
        }
        let followers: Vec<_> = follower::names(&self.shared)
            .map(|(name, division)| (name, heads.get(division).copied().unwrap_or_default()))
            .collect();
        let idle = move |connection: &rusqlite::Connection| {
            let waiting: bool =
                connection.query_row("SELECT EXISTS (SELECT 1 FROM outgoing)", (), |row| {
                    row.get(0)
                })?;
            for (name, head) in followers {
                if follower::position(connection, &name)?.unwrap_or_default() < head {
                    return Ok(None);
                }
            }
            let (_, end) = outbox::identity(connection)?;
            Ok((!waiting).then_some(end))
        };
        open.database.read(idle).await
    }
}

/// Why facts could not be taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeliverError {
    /// There is no such listener.
    #[error("there is no listener `{0}` here")]
    Unknown(String),
    /// The host handed over what is no fact.
    #[error("the fact {position} of `{emitter}` is not one: {reason}")]
    NotAFact {
        emitter: String,
        position: u64,
        reason: String,
    },
    /// It could not be kept.
    #[error(transparent)]
    Messages(#[from] MessagesError),
}

impl Shared {
    fn open(&self) -> Result<Arc<Open>, MessagesError> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.clone().ok_or(MessagesError::Fenced)
    }

    fn set(&self, open: Option<Arc<Open>>) -> Option<Arc<Open>> {
        let mut now = self.open.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *now, open)
    }
}

impl Open {
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.push(tokio::spawn(work));
    }

    /// Says that `what` stands still, or goes on again.
    fn trouble(&self, what: &str, reason: Option<String>) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        match reason {
            Some(reason) => _ = troubles.insert(what.to_owned(), reason),
            None => _ = troubles.remove(what),
        }
    }

    /// Resolves when the loops should end.
    async fn stopping(&self) {
        // The sender is our own: it cannot be gone.
        _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }
}
