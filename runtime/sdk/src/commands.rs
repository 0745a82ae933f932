//! A division's commands by their names: for whoever has a name and a JSON body, and not a type.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::aggregate::{Aggregate, Cx, Rejection};
use crate::api::Command;
use crate::division::{DispatchError, Division, Done};
use crate::misread;
use crate::store::BoxFuture;
use crate::validate::{Invalid, Validate};

/// What carries a command out.
type Run = Arc<
    dyn Fn(
            Division,
            Option<String>,
            Command<Value>,
        ) -> BoxFuture<'static, Result<Done, DispatchError>>
        + Send
        + Sync,
>;

/// The commands of a division, by name.
#[derive(Clone, Default)]
pub struct CommandTable {
    commands: Vec<(&'static str, Run)>,
}

impl CommandTable {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a command on an existing thing.
    #[must_use]
    pub fn command<A, C, H>(self, name: &'static str, handle: H) -> Self
    where
        A: Aggregate,
        C: DeserializeOwned + Validate + Clone + Send + Sync + 'static,
        H: Fn(&A, C, &Cx) -> Result<Vec<A::Event>, Rejection> + Clone + Send + Sync + 'static,
    {
        self.with::<A, C, H>(name, handle, false)
    }

    /// Adds a command that brings a new thing into being.
    #[must_use]
    pub fn birth<A, C, H>(self, name: &'static str, handle: H) -> Self
    where
        A: Aggregate,
        C: DeserializeOwned + Validate + Clone + Send + Sync + 'static,
        H: Fn(&A, C, &Cx) -> Result<Vec<A::Event>, Rejection> + Clone + Send + Sync + 'static,
    {
        self.with::<A, C, H>(name, handle, true)
    }

    /// Their names.
    pub fn names(&self) -> Vec<&'static str> {
        self.commands.iter().map(|(name, _)| *name).collect()
    }

    pub(crate) fn find(&self, name: &str) -> Option<Run> {
        let found = self.commands.iter().find(|(known, _)| *known == name);
        found.map(|(_, run)| run.clone())
    }

    fn with<A, C, H>(mut self, name: &'static str, handle: H, birth: bool) -> Self
    where
        A: Aggregate,
        C: DeserializeOwned + Validate + Clone + Send + Sync + 'static,
        H: Fn(&A, C, &Cx) -> Result<Vec<A::Event>, Rejection> + Clone + Send + Sync + 'static,
    {
        let run = move |division: Division, id: Option<String>, command: Command<Value>| {
            let handle = handle.clone();
            let work = async move {
                let command = command.try_map(read::<C>)?;
                match id {
                    Some(id) => division.dispatch(&id, command, handle).await,
                    None if birth => division.dispatch_new(command, handle).await,
                    None => Err(Invalid::field("id", "must say which thing is meant").into()),
                }
            };
            Box::pin(work) as BoxFuture<'static, _>
        };
        self.commands.push((name, Arc::new(run)));
        self
    }
}

/// Reads and validates a body.
fn read<C: DeserializeOwned + Validate>(body: Value) -> Result<C, Invalid> {
    let read = match C::deserialize(&body) {
        Ok(read) => read,
        Err(first) => {
            let all = misread::body::<C>(body.to_string().as_bytes());
            return Err(all.unwrap_or_else(|_| Invalid::field("body", first.to_string())));
        }
    };
    read.validate()?;
    Ok(read)
}
