//! The machine that figures are of, without its name; and places on its disk.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// File systems that lie in memory: a commit costs nothing there.
const IN_MEMORY: [&str; 2] = ["tmpfs", "ramfs"];

/// The head of the results.
pub(crate) fn describe() -> Result<String> {
    let cores = std::thread::available_parallelism()?;
    let info = fs::read_to_string("/proc/cpuinfo")?;
    let model = info.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == "model name").then(|| value.trim())
    });
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let load = fs::read_to_string("/proc/loadavg")?;
    let load = load.split_whitespace().next().unwrap_or("?");
    let system = file_system(disk_dir()?.path())?;
    Ok(format!(
        "# Results\n\n\
         The output of `cargo run --release -p hecate-bench -- all`; README.md has the commands one by one.\n\n\
         Machine: {cores} cores ({}), Linux {}, {system}; release builds with cargo's default profile. Load before the \
         run (1 minute): {load}.",
        model.unwrap_or("unknown"),
        kernel.trim(),
    ))
}

/// A fresh directory on a real disk, removed when it is dropped.
pub(crate) fn disk_dir() -> Result<TempDir> {
    for place in [std::env::temp_dir(), PathBuf::from("/var/tmp")] {
        let place = fs::canonicalize(&place)
            .with_context(|| format!("`{}` is not there", place.display()))?;
        if is_on_disk(&place)? {
            let dir = tempfile::Builder::new()
                .prefix("hecate-bench-")
                .tempdir_in(place)?;
            return Ok(dir);
        }
    }
    bail!("temporary files lie in memory here: name a directory on a disk in `TMPDIR`");
}

/// Whether what is written to `path`, which exists, goes to a disk.
pub(crate) fn is_on_disk(path: &Path) -> Result<bool> {
    let system = file_system(&fs::canonicalize(path)?)?;
    Ok(!IN_MEMORY.contains(&system.as_str()))
}

/// The type of the file system that holds `path`: that of the longest mount point above it.
fn file_system(path: &Path) -> Result<String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    holder(&mounts, path)
        .map(str::to_owned)
        .with_context(|| format!("no file system holds `{}`", path.display()))
}

fn holder<'m>(mounts: &'m str, path: &Path) -> Option<&'m str> {
    let mounts = mounts.lines().filter_map(|line| {
        let (mount, source) = line.split_once(" - ")?;
        Some((
            Path::new(mount.split(' ').nth(4)?),
            source.split(' ').next()?,
        ))
    });
    let above = mounts.filter(|(point, _)| path.starts_with(point));
    // Of two mounts on one point the later one is seen.
    let nearest = above.max_by_key(|(point, _)| point.components().count());
    nearest.map(|(_, system)| system)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::holder;

    #[test]
    fn the_nearest_mount_holds_a_path() {
        let mounts = "1 0 8:1 / / rw - ext4 /dev/a rw\n\
                      2 1 0:2 / /tmp rw shared:3 - tmpfs tmpfs rw\n\
                      3 1 8:2 / /tmp rw - xfs /dev/b rw\n";
        assert_eq!(holder(mounts, Path::new("/tmp/x")), Some("xfs"));
        assert_eq!(holder(mounts, Path::new("/tmpfoo")), Some("ext4"));
        assert_eq!(holder("", Path::new("/")), None);
    }
}
