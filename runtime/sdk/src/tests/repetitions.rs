//! A command that is sent twice at once: whichever sending is faster, there is one answer.

use std::sync::mpsc;

use tempfile::TempDir;
use uuid::Uuid;

use super::account::{Account, AccountEvent, Opened};
use crate::aggregate::Rejection;
use crate::api::Command;
use crate::division::{DispatchError, Division, Done};
use crate::live::Live;
use crate::paths::Paths;
use crate::store::{AppendError, Query, StoreConfig};

/// A decision that waits holds a thread up; the rest needs others.
fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build();
    runtime.unwrap().block_on(test)
}

type Decision = Result<Vec<AccountEvent>, Rejection>;

fn opened(owner: &str) -> Decision {
    let owner = owner.to_owned();
    Ok(vec![AccountEvent::Opened(Opened { owner })])
}

fn command(digest: u64) -> Command<()> {
    Command {
        id: Uuid::from_u128(7),
        may_repeat: true,
        digest,
        ..Command::new(())
    }
}

/// Sends a command that decides `late`, and while it decides, the same command again, which is carried out. Gives the
/// answers to the slow sending and to the fast one.
async fn overtaken(late: Decision, digest: u64) -> (Result<Done, DispatchError>, Done) {
    let dir = TempDir::new().unwrap();
    let config = StoreConfig::new("test");
    let division = Division::closed("test", config, Vec::new, Live::default());
    let paths = Paths::new(dir.path(), dir.path());
    division.acquire(&paths, 1).await.unwrap();
    let (decides, deciding) = mpsc::sync_channel(0);
    let (overtakes, overtaken) = mpsc::channel::<()>();
    let slow = division.clone();
    let slow = tokio::spawn(async move {
        let overtaken = std::sync::Mutex::new(overtaken);
        let decide = |_: &Account, (): (), _: &_| {
            decides.send(()).unwrap();
            // Its sender is gone when the other sending has been answered.
            _ = overtaken.lock().unwrap().recv();
            late.clone()
        };
        slow.dispatch("a", command(digest), decide).await
    });
    tokio::task::spawn_blocking(move || deciding.recv().unwrap())
        .await
        .unwrap();
    let fast = division
        .dispatch("a", command(1), |_: &Account, (), _| opened("Ada"))
        .await;
    drop(overtakes);
    let answers = (slow.await.unwrap(), fast.unwrap());
    let events = division
        .store()
        .read_all(None, Query::all(), 10)
        .await
        .unwrap()
        .events;
    assert_eq!(events.len(), 1, "it had its effect twice");
    division.release().await;
    answers
}

#[test]
fn a_sending_that_was_overtaken_gets_the_first_answer() {
    run(async {
        let no = Rejection::conflict("account_exists", "the account is there");
        for late in [Err(no), opened("Ada"), opened("somebody else")] {
            let (slow, fast) = overtaken(late, 1).await;
            let slow = slow.unwrap();
            assert!(slow.replayed && !fast.replayed);
            assert_eq!((slow.version, slow.position), (fast.version, fast.position));
        }
    });
}

#[test]
fn another_command_under_the_same_id_is_no_repetition() {
    run(async {
        let (slow, _) = overtaken(opened("somebody else"), 2).await;
        let refused = matches!(
            slow,
            Err(DispatchError::Append(
                AppendError::IdempotencyMismatch { .. }
            ))
        );
        assert!(refused, "{slow:?}");
    });
}
