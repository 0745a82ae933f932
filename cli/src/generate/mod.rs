//! The generator: a request becomes a plan, a plan is shown or applied. Deciding and doing are apart.
//!
//! [`request`] is what was asked, [`plan`](plan::Plan) every change with the whole contents before and after,
//! [`apply`] the only code that writes a project, with a [`journal`] so that a killed run is completed. Between them:
//! [`tree`] reads the slices that there are, [`kinds`] says what a new one consists of, [`owned`] what follows from all
//! of them, [`lock`] what is recorded.

mod apply;
mod article;
mod cargo_files;
mod contexts;
mod dependents;
mod diff;
mod face;
mod fields;
mod format;
mod frontend;
mod integrations;
mod journal;
mod kinds;
mod lock;
mod merge;
mod owned;
mod plan;
#[cfg(test)]
mod properties;
mod recorded;
mod rename;
mod request;
mod retired;
mod route;
mod source;
mod tree;
mod words;

use crate::context::Context;
use crate::error::CliError;
use crate::project::Project;

pub(crate) use apply::{apply, apply_new, write_alone, write_cache};
pub(crate) use diff::diff;
pub(crate) use fields::{FieldSpec, parse_fields};
pub(crate) use format::Formatter;
pub(crate) use journal::{PastRun, RunOf, history};
pub(crate) use kinds::bump::{Bump, BumpTo};
pub(crate) use kinds::command::{Extras, NewCommand, desk_of, usual_route};
pub(crate) use kinds::delivery::{DeliveredSdk, NewDelivery};
pub(crate) use kinds::division::{NewDivision, parse_flags};
pub(crate) use kinds::event_version::NewRevision;
pub(crate) use kinds::integration::{
    NewEmitter, NewListener, NewProcessManager, NewRequester, NewResponder,
};
pub(crate) use kinds::plugin::{Frontend, NewPlugin, Size};
pub(crate) use kinds::projection::NewProjection;
pub(crate) use kinds::query::{NewQuery, QueryKind};
pub(crate) use kinds::remove::{Edited, Removal};
pub(crate) use lock::{LOCK, Lock, hash};
pub(crate) use owned::refresh;
pub(crate) use plan::{Plan, Step};
pub(crate) use recorded::leftovers;
pub(crate) use rename::{Renaming, rename};
pub(crate) use request::{Request, plan};
pub(crate) use route::Route;
pub(crate) use tree::{DivisionTree, SourceFault, divisions_in, read_division, unreadable_sources};

/// Opens the project of the context. A run that was killed is completed before anything else is done.
pub(crate) fn open(cx: &Context) -> Result<Project, CliError> {
    let project = Project::find(cx)?;
    let Some(command) = journal::recover(project.root())? else {
        return Ok(project);
    };
    cx.printer()
        .note(&format!("completed an interrupted run: {command}"));
    // The manifest may be one of the files that were completed.
    Project::find(cx)
}
