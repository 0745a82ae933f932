//! Crashes anywhere, and steps in any order: the rows are always those of a replay.

use std::process::Command;

use proptest::prelude::*;

use super::rebuild::{
    MANY, both_second, file_of, filled, of, replay, revisions, second, third, until,
};
use super::*;
use crate::fault;
use crate::projector::Progress;
use crate::store::Query;

/// Says to a child of a test where its files lie.
const CHILD: &str = "HECATE_TEST_REBUILD";

/// Opens the division at `dir` with changed code, to die where the variable says.
async fn rebuilt(dir: &Path, epoch: u64) -> Division {
    let division = acquired_at(dir, both_second, epoch).await;
    caught_up(&division).await;
    division
}

/// Does the same in a process of its own, which must die.
fn dies(dir: &TempDir, at: &str, epoch: u64) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([
        "--exact",
        "tests::projections::interleavings::a_crash_anywhere_ends_with_the_same_rows",
    ]);
    child
        .env(CHILD, format!("{epoch}:{}", dir.path().display()))
        .env(fault::VARIABLE, format!("{at}:1"));
    let output = child.output().unwrap();
    assert_eq!(
        output.status.code(),
        None,
        "{at}: it did not die: {output:?}"
    );
}

#[test]
fn a_crash_anywhere_ends_with_the_same_rows() {
    if let Ok(child) = std::env::var(CHILD) {
        let (epoch, dir) = child.split_once(':').unwrap();
        run(rebuilt(Path::new(dir), epoch.parse().unwrap()));
        return;
    }
    let one_by_one = fault::REBUILDING.iter().map(|point| vec![*point]);
    // And all of them, one after the other.
    for points in one_by_one.chain([fault::REBUILDING.to_vec()]) {
        let dir = TempDir::new().unwrap();
        run(filled(&dir));
        for (epoch, point) in (2..).zip(&points) {
            dies(&dir, point, epoch);
        }
        run(async {
            let division = rebuilt(dir.path(), 20).await;
            assert_eq!(revisions(&division).await, of("v2", MANY), "{points:?}");
            for projection in ["strict", "lax"] {
                let there = rows(&division, projection).await;
                assert!(there.into_iter().eq(1..=MANY), "{points:?}: {projection}");
            }
            until(&division, |progress| {
                progress.projections.iter().all(|one| one.rebuild.is_none())
            })
            .await;
            assert!(!file_of(&dir, "strict").exists(), "{points:?}");
            division.release().await;
        });
    }
}

#[derive(Debug, Clone)]
enum Step {
    Append { stream: u8, events: usize },
    Poison { stream: u8 },
    Reopen { changed: bool },
    Replay,
    Retry,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..4_u8, 1..900_usize).prop_map(|(stream, events)| Step::Append { stream, events }),
        1 => (0..4_u8).prop_map(|stream| Step::Poison { stream }),
        2 => any::<bool>().prop_map(|changed| Step::Reopen { changed }),
        2 => Just(Step::Replay),
        1 => Just(Step::Retry),
    ];
    proptest::collection::vec(step, 1..12)
}

/// The rows of `strict` in the order in which they were written, as position and stream.
async fn written(division: &Division) -> Vec<(i64, String)> {
    let query = |connection: &Connection| {
        let mut rows = connection.prepare("SELECT position, stream FROM strict ORDER BY rowid")?;
        rows.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    };
    division.query(query).await.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order, the rows are those of a replay from the first event on.
    #[test]
    fn rows_are_those_of_a_replay(steps in steps()) {
        let dir = TempDir::new().unwrap();
        run(async {
            let mut projections: fn() -> Vec<Box<dyn Projection>> = both;
            let mut epoch = 1;
            let mut division = acquired(&dir, projections, epoch).await;
            for step in &steps {
                match step {
                    Step::Append { stream, events } => {
                        _ = append_many(&division, &format!("s{stream}"), "fine", *events).await;
                    }
                    Step::Poison { stream } => {
                        _ = append_to(&division, &format!("s{stream}"), "poison").await;
                    }
                    Step::Reopen { changed } => {
                        division.release().await;
                        if *changed {
                            projections = if projections as usize == second as *const () as usize { third } else { second };
                        }
                        epoch += 1;
                        division = acquired(&dir, projections, epoch).await;
                    }
                    Step::Replay => replay(&division, "strict").await,
                    Step::Retry => {
                        let retry = StoreTask::Retry { projection: None };
                        asked(&division, retry).await.unwrap();
                    }
                }
            }
            let settled = |progress: &Progress| progress.projections.iter().all(|one| one.rebuild.is_none());
            caught_up(&division).await;
            until(&division, settled).await;
            let revision = format!("v{}", projections()[0].revision());
            let all = division.store().read_all(None, Query::all(), 100_000).await.unwrap().events;
            // A key's events up to the first that is poisonous.
            let mut expected = Vec::new();
            let mut closed = Vec::new();
            for event in &all {
                if event.event_type.as_ref() == "poison" {
                    closed.push(event.stream.clone());
                } else if !closed.contains(&event.stream) {
                    expected.push((event.position.get().cast_signed(), format!("{revision} {}", event.stream)));
                }
            }
            assert_eq!(written(&division).await, expected);

            say(&dir, "cured");
            let retry = StoreTask::Retry { projection: None };
            asked(&division, retry).await.unwrap();
            let mut after = written(&division).await;
            for stream in 0..4 {
                let name = format!("{revision} s{stream}");
                let of_one = after.iter().filter(|(_, stream)| *stream == name);
                assert!(of_one.is_sorted(), "a key has its events in order");
            }
            after.sort_unstable();
            assert!(after.iter().map(|(position, _)| *position).eq(1..=all.len() as i64));
            division.release().await;
        });
    }
}
