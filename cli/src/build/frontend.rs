//! The frontend's own build, where `hecate.toml` names one.

use crate::context::Context;
use crate::error::CliError;
use crate::progress::Phase;
use crate::project::{Project, is_dir};
use crate::tools;

pub(super) fn build(project: &Project, cx: &Context) -> Result<(), CliError> {
    let Some(frontend) = project.settings()?.frontend else {
        return Ok(());
    };
    let dir = project.root().join(&frontend.dir);
    if !is_dir(&dir) {
        return Err(CliError::cannot(format!(
            "`hecate.toml` builds the frontend in `{}`, which is not there",
            frontend.dir
        ))
        .hint("make that directory, or mend `dir` in `hecate.toml`"));
    }
    let phase = Phase::begin(cx.printer(), "frontend");
    tools::shell(&dir, &frontend.build)?;
    phase.done(&frontend.build);
    Ok(())
}
