//! What was asked, and how it becomes a plan. Pure: the same request on the same view is the same plan.

use std::collections::BTreeMap;

use hecate_templates::Catalog;

use super::format::Formatter;
use super::kinds::Draft;
use super::plan::Plan;
use crate::error::CliError;
use crate::project::{RelPath, View};

/// Something to generate: a kind of its own, in a file of its own.
pub(crate) trait Request {
    /// Adds to `draft` what was asked, or says why it cannot be.
    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), CliError>;
}

/// Everything that `request` changes in `view`.
pub(crate) fn plan(
    request: &dyn Request,
    view: &View,
    catalog: &Catalog,
    formatter: Formatter,
) -> Result<Plan, CliError> {
    let mut draft = Draft::new(view, catalog)?;
    request.draft(&mut draft)?;
    let mut wanted: BTreeMap<RelPath, Vec<u8>> = draft.finish()?;
    formatter.format(&mut wanted, view)?;
    draft.record(&mut wanted)?;
    Ok(Plan::without(view, wanted, draft.removed()))
}
