//! A file system of a few pages, to see what happens when it is full.
//!
//! It is a tmpfs in a mount namespace of its own, so that nothing of it is left when the test is over, however it ends.
//! Commands enter that namespace; the test itself looks in from outside, through `/proc`.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What takes up the space that is to be missing.
const BALLAST: &str = "ballast";
/// Space is given out in pages.
const PAGE: u64 = 4096;

/// A mounted tmpfs.
pub(crate) struct SmallDisk {
    /// Holds the namespace for as long as its standard input is open.
    holder: Child,
    place: PathBuf,
}

impl SmallDisk {
    /// Mounts a file system of `bytes` at `place`, which is made.
    pub(crate) fn mount(place: &Path, bytes: u64) -> Self {
        fs::create_dir_all(place).unwrap();
        let script = r#"mount -t tmpfs -o "size=$1" tmpfs "$2" && echo mounted && exec cat"#;
        let size = bytes.to_string();
        let mut holder = Command::new("unshare")
            .args(["--mount", "sh", "-c", script, "sh", &size])
            .arg(place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`unshare` of util-linux is needed to make a small disk");
        let mut said = String::new();
        let mut stdout = BufReader::new(holder.stdout.take().unwrap());
        stdout.read_line(&mut said).unwrap();
        assert_eq!(
            said.trim(),
            "mounted",
            "a small disk is a tmpfs in a mount namespace: run the tests as root, where both are allowed"
        );
        Self {
            holder,
            place: place.to_owned(),
        }
    }

    /// The same command, in the namespace.
    pub(crate) fn enter(&self, command: &Command) -> Command {
        let mut entered = Command::new("nsenter");
        let holder = self.holder.id().to_string();
        entered.args(["--mount", "--target", &holder]);
        // The working directory is looked up inside: the caller's may not be there.
        let dir = command.get_current_dir().unwrap_or(Path::new("/"));
        entered
            .args(["sh", "-c", r#"cd "$0" && exec "$@""#])
            .arg(dir);
        entered.arg(command.get_program()).args(command.get_args());
        entered.env_clear().stdin(Stdio::null());
        let set = command.get_envs();
        entered.envs(set.filter_map(|(name, value)| Some((name, value?))));
        entered
    }

    /// A file of the disk, as the test itself reaches it.
    pub(crate) fn seen(&self, path: impl AsRef<Path>) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        let place = self.place.strip_prefix("/").unwrap();
        root.join(place).join(path)
    }

    /// Fills it but for `left` bytes.
    pub(crate) fn fill(&self, left: u64) {
        let path = self.seen(BALLAST);
        let mut ballast = File::create(&path).unwrap();
        let page = vec![1; PAGE as usize];
        let full = loop {
            if let Err(error) = ballast.write_all(&page) {
                break error;
            }
        };
        assert_eq!(full.kind(), io::ErrorKind::StorageFull, "{full}");
        let filled = ballast.metadata().unwrap().len();
        ballast.set_len(filled.saturating_sub(left)).unwrap();
    }

    /// Gives all space back.
    pub(crate) fn free(&self) {
        fs::remove_file(self.seen(BALLAST)).unwrap();
    }

    /// Lets nobody write any more.
    pub(crate) fn make_read_only(&self) {
        let mut mount = Command::new("mount");
        mount.args(["-o", "remount,ro"]).arg(&self.place);
        let path = std::env::var_os("PATH").unwrap();
        let status = self.enter(mount.env("PATH", path)).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        // The namespace ends with its last process; there is nothing to do about one that does not.
        _ = self.holder.wait();
    }
}
