//! A generated project, and what a user does with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::{Run, Sandbox, target_dir, tree};

/// A project below the sandbox's root. Its name is its package's: two tests must not share one, since cargo tells
/// packages of one name on one target directory apart by the times of their files alone.
pub(crate) struct Project<'a> {
    sandbox: &'a Sandbox,
    /// Its directory below the sandbox's root, and usually its name.
    pub(crate) name: String,
}

impl<'a> Project<'a> {
    /// `hecate new plugin NAME`.
    pub(crate) fn new(sandbox: &'a Sandbox, name: &str) -> Self {
        Self::new_in(sandbox, name, name)
    }

    /// `hecate new plugin NAME --dir DIR`.
    pub(crate) fn new_in(sandbox: &'a Sandbox, name: &str, dir: &str) -> Self {
        let _made = sandbox
            .hecate(&format!("new plugin {name} --dir {dir}"))
            .ok();
        Self {
            sandbox,
            name: dir.to_owned(),
        }
    }

    /// A copy of the project at `from`, in `dir` below the sandbox's root; without what was built.
    pub(crate) fn copied(sandbox: &'a Sandbox, from: &Path, dir: &str) -> Self {
        let project = Self {
            sandbox,
            name: dir.to_owned(),
        };
        let files = WalkDir::new(from).into_iter();
        let files = files.filter_entry(|entry| entry.depth() != 1 || entry.file_name() != "target");
        for entry in files.map(Result::unwrap) {
            let place = project
                .path("")
                .join(entry.path().strip_prefix(from).unwrap());
            if entry.file_type().is_dir() {
                fs::create_dir_all(place).unwrap();
            } else {
                fs::copy(entry.path(), place).unwrap();
            }
        }
        project
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.sandbox.path(&self.name).join(path)
    }

    /// Runs `hecate` in the project.
    pub(crate) fn hecate(&self, line: &str) -> Run {
        self.sandbox.hecate_in(&self.name, line)
    }

    /// Runs cargo in the project, on the target directory that all share.
    pub(crate) fn cargo(&self, line: &str) -> Run {
        let mut command = self.sandbox.program("cargo");
        command
            .current_dir(self.path(""))
            .args(line.split_whitespace());
        command.env("CARGO_TARGET_DIR", target_dir());
        Run::of(&mut command, self.sandbox)
    }

    /// `hecate bundle` of a debug build, as `hecate dev` makes it; a release build of the same is minutes on its own.
    pub(crate) fn bundle(&self) -> PathBuf {
        let run = self.hecate("bundle --debug --json").ok();
        let file = run.json()["path"].as_str().unwrap().to_owned();
        PathBuf::from(file.replace("[ROOT]", &self.sandbox.root().display().to_string()))
    }

    pub(crate) fn read(&self, path: &str) -> String {
        let path = self.path(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(crate) fn write(&self, path: &str, contents: &str) {
        fs::write(self.path(path), contents).unwrap();
    }

    /// Replaces the one place in a file that holds `from`.
    #[track_caller]
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert_eq!(text.matches(from).count(), 1, "`{from}` in {path}:\n{text}");
        self.write(path, &text.replace(from, to));
    }

    /// What it consists of: all its files but the journal, by path.
    pub(crate) fn sources(&self) -> BTreeMap<String, Vec<u8>> {
        let mut tree = self.tree();
        tree.retain(|path, _| !path.starts_with(".hecate/journal"));
        tree
    }

    /// Every file with its contents, but what cargo and git keep.
    pub(crate) fn tree(&self) -> BTreeMap<String, Vec<u8>> {
        tree(&self.path(""))
    }
}
