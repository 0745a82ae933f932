//! What disks and crashes do.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use http::Method;
use tempfile::TempDir;

use super::desk::{Desk, ask, file, form};
use crate::files::incoming::Incoming;
use crate::files::{FileName, Limits};
use crate::testing::run;

/// Says to a child of a test where its files lie.
const CHILD: &str = "HECATE_TEST_FILES";

#[test]
fn a_directory_that_cannot_be_used_is_said() {
    run(async {
        let desk = Desk::new(Limits::default());
        fs::write(desk.data.join("files"), "in the way").unwrap();
        let reply = desk
            .upload(form(&[file("f", "f.bin", "image/png", b"x")]))
            .await;
        reply.refused(503, "files_unavailable");
        assert!(
            !reply.body.windows(4).any(|word| word == b"/tmp"),
            "{:?}",
            reply.body
        );
        desk.send(ask(Method::GET, "", &[]))
            .await
            .refused(503, "files_unavailable");
        // What was in the way is gone: the same `Files` works.
        fs::remove_file(desk.data.join("files")).unwrap();
        desk.keep("f.bin", "image/png", b"x").await;
    });
}

/// Runs the test `name` of this module in a process of its own, told about `data`.
fn child(name: &str, data: &Path) -> Vec<OsString> {
    let test = format!("files::tests::disks::{name}");
    let exe = std::env::current_exe().unwrap();
    let env = format!("{CHILD}={}", data.display());
    [
        "env".into(),
        env.into(),
        exe.into(),
        "--exact".into(),
        test.into(),
        "--nocapture".into(),
    ]
    .into()
}

fn in_child() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

#[test]
fn what_a_killed_process_left_is_removed_and_what_another_writes_is_not() {
    if let Some(data) = in_child() {
        let _left = Incoming::begin(&data.join("files")).unwrap();
        // As SIGKILL does: nothing is cleaned up.
        std::process::abort();
    }
    let dir = TempDir::new().unwrap();
    let shelf = dir.path().join("files");
    fs::create_dir(&shelf).unwrap();
    let killed = child(
        "what_a_killed_process_left_is_removed_and_what_another_writes_is_not",
        dir.path(),
    );
    let status = Command::new(&killed[0])
        .args(&killed[1..])
        .output()
        .unwrap()
        .status;
    assert!(!status.success());
    let leaving = shelf.join(".leaving-x");
    fs::create_dir(&leaving).unwrap();

    // Another generation of the plugin, in the middle of a file.
    let mut other = Incoming::begin(&shelf).unwrap();
    other.write(b"half").unwrap();
    let desk = Desk::at(dir.path().to_owned(), Limits::default());
    assert_eq!(desk.entries().len(), 3, "{:?}", desk.entries());
    run(desk.keep("a.txt", "text/plain", b"x"));
    assert_eq!(
        desk.entries().len(),
        2,
        "its own and the other's: {:?}",
        desk.entries()
    );
    let name = FileName::parse("b.txt").unwrap();
    let kept = other
        .finish(name, "text/plain".to_owned())
        .unwrap()
        .keep(&shelf)
        .unwrap();
    assert_eq!(run(desk.files.find(&kept.id.to_string())).unwrap(), kept);
}

#[test]
fn a_full_disk_is_said_and_nothing_stays() {
    if let Some(data) = in_child() {
        return run(async {
            let desk = Desk::at(data, Limits::default());
            let kept = desk.keep("small.bin", "image/png", &[b'x'; 100_000]).await;
            let large = file("large", "large.bin", "image/png", &vec![b'x'; 2_000_000]);
            let small = file("small", "small.bin", "image/png", b"small");
            desk.upload(form(&[small, large]))
                .await
                .refused(507, "disk_full");
            assert_eq!(desk.entries(), BTreeSet::from([kept.clone()]));
            desk.keep("more.bin", "image/png", &[b'x'; 500_000]).await;
            assert_eq!(desk.get(&kept, &[]).await.body.len(), 100_000);
        });
    }
    let dir = TempDir::new().unwrap();
    let test = child("a_full_disk_is_said_and_nothing_stays", dir.path());
    let mount = r#"mount -t tmpfs -o size=1m none "$0" && exec "$@""#;
    let mut command = Command::new("unshare");
    command
        .args(["--map-root-user", "--mount", "sh", "-c", mount])
        .arg(dir.path())
        .args(test);
    let output = command.output().expect("`unshare` of util-linux");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
