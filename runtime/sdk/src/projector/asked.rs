//! What operators ask of the loop, and letters that are tried again.

use tokio::sync::oneshot;

use super::follow::{Follower, Trouble, Turn, cannot_write};
use super::handle::{Ask, OperateError};
use super::letters::Scope;
use super::pause::Pause;
use super::progress::{ProjectionProgress, Rebuild};
use super::rebuild;
use crate::store::{Position, RecordedEvent};

/// Letters that are tried in one transaction.
const LETTERS: usize = 100;

/// Letters of one projection that are to be tried again.
pub(super) struct Retry {
    nth: usize,
    scope: Scope,
    taken: u64,
    reply: Option<oneshot::Sender<Result<u64, OperateError>>>,
}

impl Retry {
    pub(super) const fn of(nth: usize, scope: Scope) -> Self {
        Self {
            nth,
            scope,
            taken: 0,
            reply: None,
        }
    }
}

impl Follower {
    /// Tries one page of letters again.
    pub(super) async fn retry(&mut self) -> Turn<()> {
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

    pub(super) async fn answer(&mut self, ask: Ask) -> Turn<()> {
        match ask {
            Ask::Replay { projection, reply } => {
                let begun = self.replay(projection).await?;
                _ = reply.send(begun);
            }
            Ask::Retry { projection, reply } => match self.find(projection) {
                Ok(nth) => self.retries.push_back(Retry {
                    reply: Some(reply),
                    ..Retry::of(nth, Scope::All)
                }),
                Err(error) => _ = reply.send(Err(error)),
            },
            Ask::Discard {
                projection,
                position,
                reply,
            } => {
                let nth = match self.find(projection.clone()) {
                    Ok(nth) => nth,
                    Err(error) => {
                        _ = reply.send(Err(error));
                        return Ok(());
                    }
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

    /// The projection whose letters are meant: not one whose rows are of other code than what would try them.
    fn find(&self, projection: String) -> Result<usize, OperateError> {
        match self.look(|model| model.find(&projection)) {
            None => Err(OperateError::Unknown { projection }),
            Some(nth) if self.look(|model| model.is_frozen(nth)) => {
                Err(OperateError::Rebuilding { projection })
            }
            Some(nth) => Ok(nth),
        }
    }

    /// Begins to build the rows of `projection` anew, unless that is being done. When this returns it will be done
    /// whatever happens to this process.
    async fn replay(&mut self, projection: String) -> Turn<Result<(), OperateError>> {
        let Some(nth) = self.look(|model| model.find(&projection)) else {
            return Ok(Err(OperateError::Unknown { projection }));
        };
        let is_over = |one: &ProjectionProgress| one.rebuild.as_ref().is_some_and(|it| it.is_over);
        let gave_up = self
            .site
            .progress
            .borrow()
            .of(&projection)
            .is_some_and(is_over);
        if self.builds.contains_key(&nth) && !gave_up {
            return Ok(Ok(()));
        }
        let (site, head) = (self.site.clone(), *self.head.borrow());
        let begun = tokio::task::spawn_blocking(move || rebuild::open(&site, &projection, head));
        match begun.await {
            Err(_) => return Err(Trouble::Over),
            Ok(Err(error)) => return Ok(Err(error.into())),
            Ok(Ok(_)) => {}
        }
        self.site
            .change(nth, |rebuild| *rebuild = Rebuild::default());
        self.build(nth, Pause::default());
        Ok(Ok(()))
    }

    /// The event at `position`, if it is still there.
    async fn event_at(&self, position: Position) -> Turn<Option<RecordedEvent>> {
        let page = self.read(Position::new(position.get() - 1), 1).await?;
        let mut events = page.events.into_iter();
        Ok(events.find(|event| event.position == position))
    }
}
