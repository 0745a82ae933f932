//! Disks that are full or read-only, and two processes on one store.
//!
//! A small disk is a tmpfs in a mount namespace: this program is started in one again, so that nothing of it is left.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rusqlite::ErrorCode;
use tempfile::TempDir;

use super::{all, open, request};
use crate::store::{AppendError, Care, OpenError};
use crate::testing::run;
use crate::tests::myself;

const PLACE: &str = "HECATE_DAMAGE_DIR";
const MIB: u64 = 1024 * 1024;
const SMALL: &str = r#"mount -t tmpfs -o size=8m tmpfs "$HECATE_DAMAGE_DIR" && exec "$0" "$@""#;

/// Runs the ignored test `name` of this module with a small disk at [`PLACE`].
fn on_a_small_disk(name: &str) {
    let may = Command::new("unshare")
        .args(["--mount", "sh", "-c", "mount -t tmpfs tmpfs /mnt"])
        .stderr(Stdio::null())
        .status();
    if !may.is_ok_and(|may| may.success()) {
        tell("SKIPPED: a small disk is a tmpfs in a mount namespace, which this user may not make");
        return;
    }
    let dir = TempDir::new().unwrap();
    let program = ["unshare", "--mount", "sh", "-c", SMALL];
    let mut test = myself::again(&program, module_path!(), name);
    let output = test.env(PLACE, dir.path()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {told}", output.status);
    let ran = String::from_utf8_lossy(&output.stdout);
    assert!(ran.contains("1 passed"), "{ran}");
}

/// The place that the other process was given; nothing if it was not started by these tests.
fn place() -> Option<PathBuf> {
    std::env::var_os(PLACE).map(PathBuf::from)
}

fn tell(text: &str) {
    eprintln!("{text}");
}

/// Takes all space but `left` bytes.
fn fill(disk: &Path, left: u64) {
    let path = disk.join("ballast");
    let mut ballast = File::create(&path).unwrap();
    let page = vec![1; 4096];
    let full = loop {
        if let Err(error) = ballast.write_all(&page) {
            break error;
        }
    };
    assert_eq!(full.kind(), io::ErrorKind::StorageFull, "{full}");
    let filled = ballast.metadata().unwrap().len();
    ballast.set_len(filled.saturating_sub(left)).unwrap();
}

fn free(disk: &Path) {
    fs::remove_file(disk.join("ballast")).unwrap();
}

#[test]
fn a_full_disk_refuses_appends_and_the_store_goes_on_when_there_is_room() {
    on_a_small_disk("fills_its_disk");
}

#[test]
#[ignore = "it needs the small disk that another test gives it"]
fn fills_its_disk() {
    let Some(disk) = place() else { return };
    let path = disk.join("events.db");
    run(async {
        let store = open(&path).unwrap();
        fill(&disk, MIB);
        let mut kept = Vec::new();
        // Twice: what is refused once must not be in the way the second time.
        for round in 0..2 {
            let senders: Vec<_> = (0..4)
                .map(|sender| {
                    let store = store.clone();
                    tokio::spawn(async move {
                        let mut kept = Vec::new();
                        loop {
                            let request = request(&format!("s-{sender}"), 20_000);
                            match store.append(request.clone()).await {
                                Ok(_) => kept.push(request),
                                Err(error) => return (kept, request, error),
                            }
                            assert!(kept.len() < 1000, "the disk does not fill up");
                        }
                    })
                })
                .collect();
            let mut refused = Vec::new();
            for sender in senders {
                let (accepted, request, error) = sender.await.unwrap();
                match error {
                    AppendError::Storage(cause) => {
                        assert_eq!(cause.sqlite_error_code(), Some(ErrorCode::DiskFull));
                    }
                    other => panic!("{other:?}"),
                }
                kept.extend(accepted);
                refused.push(request);
            }
            for request in &refused {
                assert_eq!(store.receipt(request.id).await.unwrap(), None);
            }
            assert_eq!(all(&store).await.len(), kept.len());
            free(&disk);
            for request in refused {
                let receipt = store.append(request.clone()).await.unwrap();
                assert!(!receipt.replayed);
                kept.push(request);
            }
            if round == 0 {
                fill(&disk, MIB / 2);
            }
        }
        store.close().await;

        let store = open(&path).unwrap();
        assert_eq!(all(&store).await.len(), kept.len());
        for request in kept {
            assert!(store.append(request).await.unwrap().replayed);
        }
        assert_eq!(store.care(Care::Verify).await.unwrap()["sound"], true);
        store.close().await;
    });
}

#[test]
fn a_store_is_not_made_on_a_full_disk_and_is_when_there_is_room() {
    on_a_small_disk("is_made_on_a_full_disk");
}

#[test]
#[ignore = "it needs the small disk that another test gives it"]
fn is_made_on_a_full_disk() {
    let Some(disk) = place() else { return };
    run(async {
        // From no room at all to nearly enough.
        for pages in [0, 1, 2, 4, 8, 12, 16] {
            let path = disk.join(format!("{pages}/events.db"));
            fill(&disk, pages * 4096);
            if let Err(error) = open(&path) {
                let typed = matches!(error, OpenError::Storage { .. } | OpenError::Files { .. });
                assert!(typed, "{error:?}");
            }
            free(&disk);
            let store = open(&path).unwrap_or_else(|error| panic!("{pages} pages: {error:?}"));
            store.append(request("a", 10)).await.unwrap();
            store.close().await;
            assert_eq!(all(&open(&path).unwrap()).await.len(), 1);
        }
    });
}

#[test]
fn a_read_only_disk_is_refused_by_name() {
    on_a_small_disk("turns_read_only");
}

#[test]
#[ignore = "it needs the small disk that another test gives it"]
fn turns_read_only() {
    let Some(disk) = place() else { return };
    let path = disk.join("events.db");
    run(async {
        let store = open(&path).unwrap();
        store.append(request("a", 10)).await.unwrap();
        store.close().await;
        drop(store);
        let remount = |how: &str| {
            let mut mount = Command::new("mount");
            let status = mount.args(["-o", how]).arg(&disk).status();
            assert!(status.unwrap().success());
        };
        remount("remount,ro");
        for path in [&path, &disk.join("other.db"), &disk.join("deep/er.db")] {
            match open(path) {
                Err(error @ OpenError::Files { .. }) => {
                    let place = path.parent().unwrap().to_string_lossy().into_owned();
                    assert!(error.to_string().contains(&place), "{error}");
                }
                Err(other) => panic!("{other:?}"),
                Ok(_) => panic!("a store was opened where nothing can be written"),
            }
        }
        remount("remount,rw");
        assert_eq!(all(&open(&path).unwrap()).await.len(), 1);
    });
}

#[test]
fn a_second_process_is_refused_by_name_until_the_first_is_dead() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("events.db");
    let mut holder = myself::again(&["env"], module_path!(), "holds_a_store")
        .env(PLACE, dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("it is held")));
    match open(&path) {
        Err(error @ OpenError::InUse { .. }) => {
            assert!(error.to_string().contains("events.db"), "{error}");
        }
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("two processes have it open"),
    }
    holder.kill().unwrap();
    holder.wait().unwrap();
    run(async {
        let store = open(&path).unwrap();
        assert_eq!(all(&store).await.len(), 1, "what it was told is there");
        store.close().await;
    });
}

#[test]
#[ignore = "it is killed by another test"]
fn holds_a_store() {
    let Some(dir) = place() else { return };
    run(async {
        let store = open(&dir.join("events.db")).unwrap();
        store.append(request("a", 10)).await.unwrap();
        io::stdout().write_all(b"\nit is held\n").unwrap();
        std::future::pending::<()>().await;
    });
}
