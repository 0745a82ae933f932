//! Hopes: requests to whichever plugin answers to their name, and the feedback.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hecate_manifest::exchange::{self, Outcome};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tracing::Instrument;
use uuid::Uuid;

use super::{ASK_WITHIN, Dispatch, Lineage};
use crate::aggregate::{Rejection, derived_id};
use crate::api::{Command, chain};
use crate::division::{Consistency, DispatchError, Division, Done};
use crate::store::{BoxFuture, ReadError};
use crate::telemetry::hope_asked;

/// Hopes that may wait to be sent; more make their askers wait.
const QUEUE: usize = 64;

/// A hope: a request that another plugin may answer. Its feedback means "received and decided", not more: what follows
/// from it is told by facts.
pub trait Hope: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its name, with the responder's plugin in front: `shop.reserve_item`. The asking manifest must have
    /// `hope:call:NAME`.
    const NAME: &'static str;
    /// The answer.
    type Feedback: Serialize + DeserializeOwned + Send + 'static;
}

/// Answers a hope.
///
/// The same hope may come several times, when an answer was lost for instance. What is dispatched through
/// [`Answering::dispatch`] has its effect once, and an answer that was given is given again for a week.
pub trait Responder: Send + Sync + 'static {
    /// The hope.
    type Hope: Hope;

    /// Answers.
    ///
    /// # Errors
    ///
    /// [`AnswerError::Rejected`] is an answer, too; [`AnswerError::Failed`] lets the asker try again in its time.
    fn respond(
        hope: Self::Hope,
        cx: Answering,
    ) -> impl Future<Output = Result<<Self::Hope as Hope>::Feedback, AnswerError>> + Send;
}

/// What a responder can use.
pub struct Answering {
    pub(crate) divisions: Arc<[Division]>,
    pub(crate) id: Uuid,
    pub(crate) from: String,
    pub(crate) correlation: Option<Uuid>,
    pub(crate) dispatched: AtomicU32,
}

impl Answering {
    /// Id of the hope.
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// Name of the plugin that asks; the host vouches for it.
    pub fn from(&self) -> &str {
        &self.from
    }

    /// A division of this plugin, for queries.
    pub fn division(&self, name: &str) -> Option<&Division> {
        self.divisions
            .iter()
            .find(|division| division.name() == name)
    }

    /// Carries a command out. The `n`th command of a hope has the same id however often the hope comes.
    ///
    /// # Errors
    ///
    /// [`DispatchError`].
    pub async fn dispatch(&self, dispatch: Dispatch) -> Result<Done, DispatchError> {
        let nth = self.dispatched.fetch_add(1, Ordering::Relaxed);
        let lineage = Lineage {
            correlation: self.correlation.or(Some(self.id)),
            causation: Some(self.id),
        };
        carry_out(
            &self.divisions,
            dispatch,
            derived_id(self.id, nth),
            lineage,
            Consistency::Strong,
        )
        .await
    }
}

/// Carries a command out under `id`, by the names of its division and of itself.
pub(crate) async fn carry_out(
    divisions: &[Division],
    dispatch: Dispatch,
    id: Uuid,
    lineage: Lineage,
    consistency: Consistency,
) -> Result<Done, DispatchError> {
    let division = divisions
        .iter()
        .find(|division| division.name() == dispatch.division);
    let Some(division) = division else {
        let known = divisions.iter().map(Division::name).collect::<Vec<_>>();
        return Err(DispatchError::unknown(
            "division",
            &dispatch.division,
            &known,
        ));
    };
    let command = Command::repeatable(dispatch.body, id)
        .because(lineage.correlation, lineage.causation)
        .consistency(consistency);
    division
        .command(&dispatch.command, dispatch.id, command)
        .await
}

/// Why a hope was not answered as it wished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The answer is no.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// It could not be answered now.
    #[error("{0}")]
    Failed(String),
}

impl From<DispatchError> for AnswerError {
    fn from(error: DispatchError) -> Self {
        match error.into_rejection() {
            Ok(rejection) => Self::Rejected(rejection),
            Err(error) => Self::Failed(chain(&error)),
        }
    }
}

impl From<ReadError> for AnswerError {
    fn from(error: ReadError) -> Self {
        Self::Failed(chain(&error))
    }
}

/// How a hope is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    id: Uuid,
    within: Duration,
    correlation: Option<Uuid>,
}

impl Ask {
    /// As a hope of its own, within 5 s.
    pub fn fresh() -> Self {
        Self::with_id(Uuid::now_v7())
    }

    /// Under this id: sent again, it has its effect once, and the same answer.
    pub const fn with_id(id: Uuid) -> Self {
        Self {
            id,
            within: ASK_WITHIN,
            correlation: None,
        }
    }

    /// How long an answer is waited for.
    #[must_use]
    pub const fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// In this conversation.
    #[must_use]
    pub const fn correlation(mut self, correlation: Uuid) -> Self {
        self.correlation = Some(correlation);
        self
    }
}

/// Why there is no feedback.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The plugin does not list the hope among its [`Integrations`](super::Integrations). Nothing happened.
    #[error("the hope `{0}` is not among the plugin's integrations: add it with `requester`")]
    NotListed(&'static str),
    /// The hope could not be written as JSON. Nothing happened.
    #[error("the hope `{0}` cannot be written as JSON")]
    Encode(&'static str, #[source] serde_json::Error),
    /// Too many hopes wait to be sent. Nothing happened.
    #[error("too many hopes wait to be sent")]
    Busy,
    /// Nobody answers, or the plugin may not ask. Nothing happened.
    #[error("{0}")]
    NoResponder(String),
    /// The answer was no. Nothing happened.
    #[error("{message}")]
    Rejected {
        /// Why, as a stable word.
        code: String,
        /// Why, as a sentence.
        message: String,
    },
    /// No answer in time: whether it had its effect is not known. Asking again under the same id tells.
    #[error("there was no answer in time")]
    TimedOut,
    /// The answer is not of the form that the hope says.
    #[error("the answer to `{0}` is not of the form that it should have")]
    Unreadable(&'static str, #[source] serde_json::Error),
}

/// The feedback in an outcome.
pub(crate) fn outcome_of<H: Hope>(outcome: Outcome) -> Result<H::Feedback, AskError> {
    match outcome {
        Outcome::Answered { data } => {
            serde_json::from_value(data).map_err(|source| AskError::Unreadable(H::NAME, source))
        }
        Outcome::Rejected { code, message } => Err(AskError::Rejected { code, message }),
        Outcome::NoResponder { message } => Err(AskError::NoResponder(message)),
        Outcome::TimedOut => Err(AskError::TimedOut),
    }
}

/// Where hopes are sent from. Cheap to clone.
#[derive(Clone)]
pub struct Hopes {
    shared: Arc<Shared>,
}

struct Shared {
    asks: Vec<&'static str>,
    queue: mpsc::Sender<exchange::Hope>,
    waiting: tokio::sync::Mutex<mpsc::Receiver<exchange::Hope>>,
    /// The latest collector: an earlier one gives way to it.
    turn: watch::Sender<u64>,
    /// Who waits for which feedback. The same hope may be asked twice at once.
    pending: Mutex<HashMap<Uuid, Vec<oneshot::Sender<Outcome>>>>,
}

impl Hopes {
    pub(crate) fn new(asks: Vec<&'static str>) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        Self {
            shared: Arc::new(Shared {
                asks,
                queue,
                waiting: tokio::sync::Mutex::new(waiting),
                turn: watch::Sender::new(0),
                pending: Mutex::default(),
            }),
        }
    }

    /// Sends `hope` and waits for its feedback.
    ///
    /// # Errors
    ///
    /// [`AskError`] says for each reason whether something may have happened.
    pub async fn ask<H: Hope>(&self, hope: &H, ask: Ask) -> Result<H::Feedback, AskError> {
        if !self.shared.asks.contains(&H::NAME) {
            return Err(AskError::NotListed(H::NAME));
        }
        let data =
            serde_json::to_value(hope).map_err(|source| AskError::Encode(H::NAME, source))?;
        outcome_of::<H>(self.send(H::NAME, data, ask).await?)
    }

    /// Sends a hope by its name. [`AskError::Busy`] if it could not even be queued in time.
    pub(crate) async fn send(
        &self,
        name: &str,
        data: Value,
        ask: Ask,
    ) -> Result<Outcome, AskError> {
        let shared = &self.shared;
        let until = Instant::now() + ask.within;
        let permit = match timeout_at(until, shared.queue.reserve()).await {
            Ok(Ok(permit)) => permit,
            _ => return Err(AskError::Busy),
        };
        let (reply, answer) = oneshot::channel();
        let _pending = Pending::of(shared, ask.id, reply);
        permit.send(exchange::Hope {
            id: ask.id.to_string(),
            name: name.to_owned(),
            from: String::new(),
            deadline_ms: until.saturating_duration_since(Instant::now()).as_millis() as u64,
            correlation_id: ask.correlation.map(|id| id.to_string()),
            data,
        });
        let span = tracing::debug_span!("ask", otel.kind = "client", hope = name);
        let outcome = match timeout_at(until, answer).instrument(span).await {
            Ok(Ok(outcome)) => outcome,
            _ => Outcome::TimedOut,
        };
        hope_asked(name, &outcome);
        Ok(outcome)
    }

    /// Gives the hopes that wait to be sent, or waits for one. An earlier call that still waits gives way.
    pub(crate) async fn collect(&self, wait: Duration) -> Vec<exchange::Hope> {
        let shared = &self.shared;
        let mut turn = shared.turn.subscribe();
        let mine = {
            let mut mine = 0;
            shared.turn.send_modify(|turn| {
                *turn += 1;
                mine = *turn;
            });
            mine
        };
        let superseded = async {
            // The sender lives as long as `shared`.
            _ = turn.wait_for(|now| *now > mine).await;
        };
        tokio::select! {
            biased;
            () = superseded => Vec::new(),
            hopes = async {
                let mut waiting = shared.waiting.lock().await;
                let Ok(Some(first)) = timeout(wait, waiting.recv()).await else {
                    return Vec::new();
                };
                let mut hopes = vec![first];
                while let Ok(next) = waiting.try_recv() {
                    hopes.push(next);
                }
                hopes
            } => hopes,
        }
    }

    /// Tells who asked what came of it.
    pub(crate) fn resolve(&self, feedback: exchange::Feedback) {
        let Ok(id) = Uuid::parse_str(&feedback.id) else {
            return;
        };
        let askers = self
            .shared
            .pending
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
        for asker in askers.into_iter().flatten() {
            // Who has given up meanwhile does not want to know.
            _ = asker.send(feedback.outcome.clone());
        }
    }
}

/// A hope that is waited for; forgotten when its asker goes.
struct Pending<'a> {
    shared: &'a Shared,
    id: Uuid,
}

impl<'a> Pending<'a> {
    fn of(shared: &'a Shared, id: Uuid, reply: oneshot::Sender<Outcome>) -> Self {
        let mut pending = shared
            .pending
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        pending.entry(id).or_default().push(reply);
        drop(pending);
        Self { shared, id }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        let mut pending = self
            .shared
            .pending
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(askers) = pending.get_mut(&self.id) {
            // The asker's own end is closed by now.
            askers.retain(|asker| !asker.is_closed());
            if askers.is_empty() {
                pending.remove(&self.id);
            }
        }
    }
}

/// A responder without its types.
pub(crate) struct ResponderSpec {
    pub(crate) name: &'static str,
    pub(crate) respond: fn(Value, Answering) -> BoxFuture<'static, Result<Value, AnswerError>>,
}

impl ResponderSpec {
    pub(crate) fn of<R: Responder>() -> Self {
        fn respond<R: Responder>(
            data: Value,
            cx: Answering,
        ) -> BoxFuture<'static, Result<Value, AnswerError>> {
            Box::pin(async move {
                let hope = serde_json::from_value(data).map_err(|error| {
                    Rejection::rule(
                        "hope_unreadable",
                        format!("the hope is not of the form that is answered here: {error}"),
                    )
                })?;
                let feedback = R::respond(hope, cx).await?;
                serde_json::to_value(feedback).map_err(|error| {
                    AnswerError::Failed(format!("the feedback cannot be written as JSON: {error}"))
                })
            })
        }
        Self {
            name: R::Hope::NAME,
            respond: respond::<R>,
        }
    }
}
