//! Rows that are built anew, beside those that serve.

use super::*;
use crate::projector::Progress;

/// So many events need more than one page.
pub(super) const MANY: i64 = 2500;

pub(super) fn second() -> Vec<Box<dyn Projection>> {
    vec![notes("strict", 2), notes("lax", 1)]
}

pub(super) fn third() -> Vec<Box<dyn Projection>> {
    vec![notes("strict", 3), notes("lax", 1)]
}

pub(super) fn both_second() -> Vec<Box<dyn Projection>> {
    vec![notes("strict", 2), notes("lax", 2)]
}

fn only_lax() -> Vec<Box<dyn Projection>> {
    vec![notes("lax", 1)]
}

/// A division with [`MANY`] events, all of them in its rows, which has been closed again.
pub(super) async fn filled(dir: &TempDir) {
    let division = acquired(dir, both, 1).await;
    for _ in 0..MANY / 500 {
        append_many(&division, "s", "fine", 500).await;
    }
    caught_up(&division).await;
    division.release().await;
}

/// Which revisions the rows of `strict` are of, with how many there are of each.
pub(super) async fn revisions(division: &Division) -> Vec<(String, i64)> {
    let sql = "SELECT substr(stream, 1, 2), count(*) FROM strict GROUP BY 1 ORDER BY 1";
    let query = |connection: &Connection| {
        let mut rows = connection.prepare(sql)?;
        rows.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    };
    division.query(query).await.unwrap()
}

pub(super) fn of(revision: &str, rows: i64) -> Vec<(String, i64)> {
    vec![(revision.to_owned(), rows)]
}

fn progress_of(division: &Division, name: &str) -> crate::projector::ProjectionProgress {
    division.progress().unwrap().of(name).unwrap().clone()
}

pub(super) async fn until(division: &Division, is_so: impl FnMut(&Progress) -> bool) {
    let mut progress = division.projector().unwrap().progress();
    let wait = progress.wait_for(is_so);
    let waited = tokio::time::timeout(Duration::from_secs(60), wait).await;
    waited.unwrap().unwrap();
}

/// Waits until rows are built, and as far as the gate lets them.
async fn at_the_gate(division: &Division) {
    let is_there = |progress: &Progress| {
        let rebuild = progress.of("strict").unwrap().rebuild.as_ref();
        rebuild.is_some_and(|rebuild| rebuild.position.is_some())
    };
    until(division, is_there).await;
}

/// Closes the division while a build waits at the gate: it ends behind its page.
async fn released_at_the_gate(division: &Division, dir: &TempDir) {
    let open = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        unsay(dir, "gate");
    };
    tokio::join!(division.release(), open);
}

pub(super) async fn replay(division: &Division, projection: &str) {
    let projection = Some(projection.to_owned());
    let replay = StoreTask::Replay { projection };
    asked(division, replay).await.unwrap();
}

pub(super) fn file_of(dir: &TempDir, projection: &str) -> PathBuf {
    word(dir, &format!("test.db.rebuild-{projection}.db"))
}

#[test]
fn old_rows_serve_while_new_ones_are_built() {
    let dir = TempDir::new().unwrap();
    run(async {
        filled(&dir).await;
        say(&dir, "gate");
        let division = acquired(&dir, second, 2).await;
        at_the_gate(&division).await;
        assert_eq!(revisions(&division).await, of("v1", MANY));
        let last = append(&division, "fine").await;
        while progress_of(&division, "lax").checkpoint < Some(last) {
            tokio::task::yield_now().await;
        }
        assert_eq!(
            revisions(&division).await,
            of("v1", MANY),
            "rows of other code are not written to"
        );
        let (must, note) = progress_of(&division, "strict").note().unwrap();
        assert_eq!((must, note.as_str()), (false, "rebuilding `strict`: 40 %"));
        assert!(!division.caught_up(last, Duration::ZERO).await);
        unsay(&dir, "gate");
        caught_up(&division).await;
        assert_eq!(revisions(&division).await, of("v2", MANY + 1));
        assert_eq!(progress_of(&division, "strict").note(), None);
        assert!(!file_of(&dir, "strict").exists());
        append(&division, "fine").await;
        caught_up(&division).await;
        assert_eq!(revisions(&division).await, of("v2", MANY + 2));
        division.release().await;
        // Nothing is left to build.
        let division = acquired(&dir, second, 3).await;
        assert_eq!(progress_of(&division, "strict").rebuild, None);
        division.release().await;
    });
}

#[test]
fn a_reader_sees_old_rows_or_new_ones() {
    let dir = TempDir::new().unwrap();
    run(async {
        filled(&dir).await;
        let division = acquired(&dir, second, 2).await;
        let mut seen = revisions(&division).await;
        while seen != of("v2", MANY) {
            assert_eq!(seen, of("v1", MANY));
            seen = revisions(&division).await;
        }
        division.release().await;
    });
}

#[test]
fn an_operator_replays_rows_that_are_followed_meanwhile() {
    let dir = TempDir::new().unwrap();
    run(async {
        filled(&dir).await;
        let division = acquired(&dir, both, 2).await;
        let tampered = Connection::open(word(&dir, "test.db")).unwrap();
        let sql = "INSERT INTO strict VALUES (99999, 'v0 ?')";
        tampered.execute(sql, ()).unwrap();
        say(&dir, "gate");
        replay(&division, "strict").await;
        // Asked for twice it is built once.
        replay(&division, "strict").await;
        at_the_gate(&division).await;
        let last = append(&division, "fine").await;
        assert!(division.caught_up(last, Duration::from_secs(60)).await);
        let mut both = of("v0", 1);
        both.extend(of("v1", MANY + 1));
        assert_eq!(revisions(&division).await, both);
        let stats = crate::operate::positions(&division);
        assert_eq!(stats["strict"]["rebuild"]["position"], 1000);
        assert_eq!(stats["lax"].get("rebuild"), None);
        released_at_the_gate(&division, &dir).await;

        // It is done whatever happens: here the store was closed.
        let division = acquired(&dir, super::both, 3).await;
        until(&division, |progress| {
            progress.of("strict").unwrap().rebuild.is_none()
        })
        .await;
        assert_eq!(revisions(&division).await, of("v1", MANY + 1));
        division.release().await;
    });
}

#[test]
fn code_that_changes_again_or_back_leaves_nothing_of_the_first_build() {
    let dir = TempDir::new().unwrap();
    run(async {
        filled(&dir).await;
        for (epoch, then, revision) in [
            (2, both as fn() -> Vec<Box<dyn Projection>>, "v1"),
            (4, third as fn() -> Vec<Box<dyn Projection>>, "v3"),
        ] {
            say(&dir, "gate");
            let division = acquired(&dir, second, epoch).await;
            at_the_gate(&division).await;
            released_at_the_gate(&division, &dir).await;
            assert!(file_of(&dir, "strict").exists());
            let division = acquired(&dir, then, epoch + 1).await;
            caught_up(&division).await;
            assert_eq!(revisions(&division).await, of(revision, MANY));
            assert!(!file_of(&dir, "strict").exists());
            division.release().await;
        }
    });
}

#[test]
fn a_projection_that_is_gone_takes_its_build_with_it_and_may_come_back() {
    let dir = TempDir::new().unwrap();
    run(async {
        filled(&dir).await;
        say(&dir, "gate");
        let division = acquired(&dir, second, 2).await;
        at_the_gate(&division).await;
        released_at_the_gate(&division, &dir).await;

        let division = acquired(&dir, only_lax, 3).await;
        assert!(!file_of(&dir, "strict").exists());
        append(&division, "fine").await;
        caught_up(&division).await;
        division.release().await;

        let division = acquired(&dir, both, 4).await;
        caught_up(&division).await;
        assert_eq!(revisions(&division).await, of("v1", MANY + 1));
        division.release().await;
    });
}

#[test]
fn two_are_built_at_once() {
    let dir = TempDir::new().unwrap();
    run(async {
        filled(&dir).await;
        say(&dir, "gate");
        let division = acquired(&dir, both_second, 2).await;
        // They take turns, so one of them is at the gate, whichever it is.
        until(&division, |progress| {
            let mut builds = progress.projections.iter().map(|one| one.rebuild.as_ref());
            let all = builds.clone().all(|rebuild| rebuild.is_some());
            all && builds.any(|rebuild| rebuild.is_some_and(|rebuild| rebuild.position.is_some()))
        })
        .await;
        // Nothing is followed at all now, and events are appended all the same.
        append(&division, "fine").await;
        unsay(&dir, "gate");
        caught_up(&division).await;
        assert_eq!(revisions(&division).await, of("v2", MANY + 1));
        assert!(rows(&division, "lax").await.into_iter().eq(1..=MANY + 1));
        division.release().await;
    });
}

#[test]
fn letters_of_old_code_go_with_its_rows() {
    let dir = TempDir::new().unwrap();
    run(async {
        let division = acquired(&dir, both, 1).await;
        append_to(&division, "a", "poison").await;
        append_to(&division, "b", "poison").await;
        for _ in 0..MANY / 500 {
            append_many(&division, "s", "fine", 500).await;
        }
        caught_up(&division).await;
        division.release().await;
        say(&dir, "gate");
        let division = acquired(&dir, second, 2).await;
        at_the_gate(&division).await;
        let retry = |projection: Option<&str>| StoreTask::Retry {
            projection: projection.map(str::to_owned),
        };
        assert_eq!(
            asked(&division, retry(Some("strict"))).await.unwrap_err(),
            "`strict` is being built anew, and what was parked is tried by that"
        );
        let all = asked(&division, retry(None)).await.unwrap();
        assert_eq!(all["projections"]["strict"]["parked"], 2);
        append_to(&division, "a", "fine").await;
        unsay(&dir, "gate");
        caught_up(&division).await;
        let all = asked(&division, StoreTask::DeadLetters).await.unwrap();
        let tried = |nth: usize| {
            (
                &all["letters"][nth]["position"],
                &all["letters"][nth]["tries"],
            )
        };
        assert_eq!(tried(0), (&1.into(), &2.into()));
        assert_eq!(tried(2), (&2503.into(), &0.into()));
        assert_eq!(all["parked"], 3);
        assert_eq!(revisions(&division).await, of("v2", MANY));
        division.release().await;
    });
}

#[test]
fn a_full_disk_leaves_the_old_rows() {
    let dir = TempDir::new().unwrap();
    run(async {
        filled(&dir).await;
        // First there is no room for the new rows, then none to put them in place.
        for (epoch, word) in [(2, "small"), (3, "small_for_all")] {
            say(&dir, word);
            let division = acquired(&dir, second, epoch).await;
            until(&division, |progress| {
                let rebuild = progress.of("strict").unwrap().rebuild.as_ref();
                rebuild.is_some_and(|rebuild| rebuild.is_over)
            })
            .await;
            assert_eq!(revisions(&division).await, of("v1", MANY));
            assert!(!file_of(&dir, "strict").exists(), "the space is given back");
            let (must, note) = progress_of(&division, "strict").note().unwrap();
            assert!(
                must && note.contains("the disk is full: free some space"),
                "{note}"
            );
            unsay(&dir, word);
            if word == "small_for_all" {
                replay(&division, "strict").await;
                caught_up(&division).await;
                assert_eq!(revisions(&division).await, of("v2", MANY));
            }
            division.release().await;
        }
    });
}

#[test]
fn a_file_that_is_none_is_made_anew() {
    let dir = TempDir::new().unwrap();
    run(async {
        filled(&dir).await;
        std::fs::write(
            file_of(&dir, "strict"),
            "not a database, but longer than a header".repeat(99),
        )
        .unwrap();
        let division = acquired(&dir, second, 2).await;
        caught_up(&division).await;
        assert_eq!(revisions(&division).await, of("v2", MANY));
        division.release().await;
    });
}

#[test]
fn rows_of_events_that_the_store_has_not_are_made_anew() {
    let dir = TempDir::new().unwrap();
    run(async {
        filled(&dir).await;
        // As an operator does who puts a backup in the store's place.
        std::fs::remove_dir_all(dir.path().join("events")).unwrap();
        let division = acquired(&dir, both, 2).await;
        append_to(&division, "other", "fine").await;
        caught_up(&division).await;
        assert_eq!(revisions(&division).await, of("v1", 1));
        division.release().await;
    });
}

#[test]
fn a_store_in_memory_forgets_builds_too() {
    let dir = TempDir::new().unwrap();
    run(async {
        filled(&dir).await;
        say(&dir, "gate");
        let division = acquired(&dir, second, 2).await;
        at_the_gate(&division).await;
        released_at_the_gate(&division, &dir).await;
        let config = StoreConfig::new("test").in_memory();
        let division = Division::closed("test", config, second, Live::default());
        let paths = Paths::new(dir.path(), dir.path());
        division.acquire(&paths, 3).await.unwrap();
        assert!(!file_of(&dir, "strict").exists());
        append(&division, "fine").await;
        caught_up(&division).await;
        assert_eq!(revisions(&division).await, of("v2", 1));
        division.release().await;
    });
}

#[test]
fn a_panic_while_tables_are_made_is_told_and_tried_again() {
    let dir = TempDir::new().unwrap();
    run(async {
        filled(&dir).await;
        say(&dir, "panic");
        let division = acquired(&dir, second, 2).await;
        until(&division, |progress| {
            let rebuild = progress.of("strict").unwrap().rebuild.as_ref();
            rebuild.is_some_and(|rebuild| rebuild.stopped.is_some())
        })
        .await;
        let (must, note) = progress_of(&division, "strict").note().unwrap();
        assert!(must && note.contains("it panicked: no tables"), "{note}");
        assert_eq!(revisions(&division).await, of("v1", MANY));
        // Old tables that cannot be removed are emptied.
        say(&dir, "panic_at_last");
        unsay(&dir, "panic");
        caught_up(&division).await;
        assert_eq!(revisions(&division).await, of("v2", MANY));
        append(&division, "fine").await;
        caught_up(&division).await;
        division.release().await;
    });
}
