//! Carries a plan out. The only code that writes into a project.
//!
//! First every file is compared with what the plan saw, then the journal is written and synced, then each file is
//! written beside its place, and at last all are renamed. A full disk is met before the first rename; a kill at any
//! point leaves a journal from which the next command completes the run.
#![expect(clippy::disallowed_methods, reason = "this is where files are written")]

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::journal::{DIR, Journal, RunOf};
use super::plan::{Plan, Step};
use crate::error::{CliError, without_path};

/// Carries `plan` out in `root`, or changes nothing.
pub(crate) fn apply(root: &Path, plan: &Plan, run: RunOf<'_>) -> Result<(), CliError> {
    if plan.is_empty() {
        return Ok(());
    }
    check_place(root, DIR)?;
    let unwritten =
        |error| failed(&format!("the journal `{DIR}`"), error).hint("nothing was changed");
    let journal = Journal::lock(root).map_err(unwritten)?;
    if journal.is_pending() {
        return Err(CliError::cannot("another run was interrupted meanwhile")
            .hint("nothing was written; run the command again, which completes that one first"));
    }
    for step in &plan.steps {
        check_place(root, step.path.as_str())?;
        if read(root, step)? != step.before {
            return Err(CliError::cannot(format!(
                "`{}` changed while the command was running",
                step.path
            ))
            .hint("nothing was written; run the command again"));
        }
        if step.after.is_none() && is_read_only(&step.path.below(root)) {
            return Err(CliError::cannot(format!(
                "`{}` is read-only, and would be removed",
                step.path
            ))
            .hint(format!(
                "nothing was changed; if it may go, make it writable: `chmod u+w {}`",
                step.path
            )));
        }
    }
    journal.begin(plan, run).map_err(unwritten)?;
    if let Err((step, error)) = write_drafts(root, plan) {
        for step in &plan.steps {
            // What was not written need not be removed.
            _ = fs::remove_file(draft(root, step));
        }
        journal.give_up();
        remove_empty_dirs(root, plan);
        return Err(failed(&format!("`{}`", step.path), error).hint("nothing was changed"));
    }
    put_in_place(root, plan)?;
    journal.end();
    Ok(())
}

/// Makes the new directory `root` with all files of `plan`, or does not make it.
pub(crate) fn apply_new(root: &Path, plan: &Plan) -> Result<(), CliError> {
    let (Some(parent), Some(name)) = (root.parent(), root.file_name()) else {
        return Err(CliError::cannot(format!(
            "`{}` is no place for a plugin",
            root.display()
        )));
    };
    fs::create_dir_all(parent)
        .map_err(|error| failed(&format!("`{}`", parent.display()), error))?;
    let draft = tempfile::Builder::new()
        .prefix(&format!(".{}.hecate-", name.to_string_lossy()))
        .tempdir_in(parent)
        .map_err(|error| failed(&format!("in `{}`", parent.display()), error))?;
    for step in &plan.steps {
        let Some(after) = &step.after else { continue };
        let written = write_at(&step.path.below(draft.path()), after);
        written
            .map_err(|error| failed(&format!("`{}`", step.path), error).hint("nothing was made"))?;
    }
    // Renaming onto an empty directory is allowed, onto anything else it fails.
    let made = fs::rename(draft.path(), root);
    made.map_err(|error| failed(&format!("`{}`", root.display()), error).hint("nothing was made"))?;
    // The directory that was the draft is now the project: it must not be removed.
    _ = draft.keep();
    Ok(())
}

/// Renames what was written beside its place. The journal is there: what fails here is completed by the next command.
pub(super) fn put_in_place(root: &Path, plan: &Plan) -> Result<(), CliError> {
    for step in &plan.steps {
        let path = step.path.below(root);
        let moved = match step.after {
            Some(_) => fs::rename(draft(root, step), &path),
            None => fs::remove_file(&path),
        };
        moved.map_err(|error| {
            failed(&format!("`{}`", step.path), error)
                .hint("the next `hecate` command completes what is missing")
        })?;
    }
    remove_empty_dirs(root, plan);
    Ok(())
}

/// Writes every new content beside its place. Where a file will go, nothing is left: the directory has shown that it can
/// be changed, which is better known before the first file has.
pub(super) fn write_drafts<'p>(root: &Path, plan: &'p Plan) -> Result<(), (&'p Step, io::Error)> {
    for step in &plan.steps {
        let draft = draft(root, step);
        let written = match &step.after {
            Some(after) => write_at(&draft, after),
            None => File::create(&draft).and_then(|_| fs::remove_file(&draft)),
        };
        written.map_err(|error| (step, error))?;
    }
    Ok(())
}

/// Writes one file that is no part of a project's sources, so that it is there as a whole or not at all.
pub(crate) fn write_alone(path: &Path, contents: &[u8]) -> Result<(), CliError> {
    let write = || {
        let dir = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(dir)?;
        // Readable for whom the user's own mask lets read, as any other file that is made.
        let mut file = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(dir)?;
        file.write_all(contents)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error: io::Error| failed(&format!("`{}`", path.display()), error))
}

/// Writes one file that anybody may delete.
pub(crate) fn write_cache(path: &Path, contents: &[u8]) -> Result<(), CliError> {
    write_at(path, contents).map_err(|error| failed(&format!("`{}`", path.display()), error))
}

/// The contents of a step's file as they are now.
pub(super) fn read(root: &Path, step: &Step) -> Result<Option<Vec<u8>>, CliError> {
    match fs::read(step.path.below(root)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(CliError::because(
            format!("failed to read `{}`", step.path),
            error,
        )),
    }
}

/// No part of the path may be a link: it could lead out of the project.
pub(super) fn check_place(root: &Path, path: &str) -> Result<(), CliError> {
    let mut place = PathBuf::from(root);
    for part in path.split('/') {
        place.push(part);
        if place.is_symlink() {
            return Err(CliError::cannot(format!(
                "`{}` is a symbolic link, so `{path}` may lie outside of the project",
                place.display(),
            ))
            .hint("nothing was written; replace the link by the file or directory itself"));
        }
    }
    Ok(())
}

/// Whether somebody has said that a file is to stay as it is.
fn is_read_only(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().readonly())
}

fn draft(root: &Path, step: &Step) -> PathBuf {
    let path = step.path.below(root);
    path.with_file_name(format!(".{}.hecate-draft", step.path.file_name()))
}

fn write_at(path: &Path, contents: &[u8]) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    let mut file = File::create(path)?;
    file.write_all(contents)?;
    file.flush()
}

/// Removes directories that a removal or a failed run has left empty.
pub(super) fn remove_empty_dirs(root: &Path, plan: &Plan) {
    for step in &plan.steps {
        let path = step.path.below(root);
        for dir in path.ancestors().skip(1).take_while(|dir| *dir != root) {
            // Fails for those that are not empty, which is what is wanted.
            if fs::remove_dir(dir).is_err() {
                break;
            }
        }
    }
}

/// What could not be written, why, and the way out where there is one.
pub(super) fn failed(what: &str, error: io::Error) -> CliError {
    let error = without_path(error);
    let failed = CliError::cannot(format!("failed to write {what}")).way_out_of(&error);
    failed.caused_by(error)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::{Plan, RunOf, apply, fs};
    use crate::generate::journal;
    use crate::project::{RelPath, View};

    const RUN: RunOf<'_> = RunOf {
        command: "hecate remove command confirm_order",
        undoes: None,
    };

    fn path(path: &str) -> RelPath {
        RelPath::new(path).unwrap()
    }

    /// A project of two files, and the plan that takes one of them away and adds another.
    fn moving(root: &std::path::Path) -> Plan {
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/b/old.rs"), "old\n").unwrap();
        fs::write(root.join("kept.rs"), "kept\n").unwrap();
        let view = View::read(root, &["kept.rs"], &["a"]).unwrap();
        let wanted = BTreeMap::from([(path("c/new.rs"), b"old\n".to_vec())]);
        Plan::without(&view, wanted, &BTreeSet::from([path("a/b/old.rs")]))
    }

    fn has(root: &std::path::Path, path: &str) -> bool {
        root.join(path).exists()
    }

    #[test]
    fn what_is_removed_goes_with_its_empty_directories_and_comes_back() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let plan = moving(root);
        let words: Vec<_> = plan.steps.iter().map(super::Step::word).collect();
        assert_eq!(words, ["remove", "create"]);
        apply(root, &plan, RUN).unwrap();
        assert!(!has(root, "a") && has(root, "c/new.rs") && has(root, "kept.rs"));
        apply(root, &plan.inverse(), RUN).unwrap();
        assert!(has(root, "a/b/old.rs") && !has(root, "c"));
    }

    #[test]
    fn a_removal_that_was_killed_behind_its_last_file_leaves_no_empty_directory() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let plan = moving(root);
        journal::Journal::lock(root)
            .unwrap()
            .begin(&plan, RUN)
            .unwrap();
        fs::create_dir_all(root.join("c")).unwrap();
        fs::write(root.join("c/new.rs"), "old\n").unwrap();
        fs::remove_file(root.join("a/b/old.rs")).unwrap();
        let completed = journal::recover(root).unwrap();
        assert_eq!(completed.as_deref(), Some(RUN.command));
        assert!(!has(root, "a") && has(root, "c/new.rs"));
    }

    #[test]
    fn a_read_only_file_is_not_removed() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let plan = moving(root);
        let file = root.join("a/b/old.rs");
        let mut permissions = fs::metadata(&file).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&file, permissions).unwrap();
        let error = apply(root, &plan, RUN).unwrap_err();
        assert_eq!(
            error.message(),
            "`a/b/old.rs` is read-only, and would be removed"
        );
        assert!(file.exists() && !has(root, "c"));
    }
}
