//! Events that cannot be taken in.

use super::*;

async fn letters(division: &Division) -> Vec<(u64, bool, u64)> {
    let all = asked(division, StoreTask::DeadLetters).await.unwrap();
    let letters = all["letters"].as_array().unwrap().iter();
    letters
        .map(|letter| {
            (
                letter["position"].as_u64().unwrap(),
                letter["held"].as_bool().unwrap(),
                letter["tries"].as_u64().unwrap(),
            )
        })
        .collect()
}

fn parked(division: &Division) -> u64 {
    let progress = division.progress().unwrap();
    progress.of("strict").unwrap().parked
}

async fn retry(division: &Division) -> Value {
    let retry = StoreTask::Retry { projection: None };
    asked(division, retry).await.unwrap()["projections"]["strict"].take()
}

async fn discard(division: &Division, position: u64) -> Result<Value, String> {
    let projection = "strict".to_owned();
    let discard = StoreTask::Discard {
        projection,
        position,
    };
    asked(division, discard).await
}

#[test]
fn what_fails_is_parked_and_only_its_key_waits() {
    let dir = TempDir::new().unwrap();
    run(async {
        let division = acquired(&dir, both, 1).await;
        for (stream, kind) in [
            ("a/1", "fine"),
            ("a/1", "poison"),
            ("b/1", "fine"),
            ("a/2", "fine"),
            ("c/1", "bomb"),
            ("b/1", "fine"),
        ] {
            append_to(&division, stream, kind).await;
        }
        caught_up(&division).await;
        assert_eq!(rows(&division, "lax").await, [1, 2, 3, 4, 5, 6]);
        assert_eq!(
            rows(&division, "strict").await,
            [1, 3, 6],
            "nothing is left of what failed"
        );
        assert_eq!(
            letters(&division).await,
            [(2, false, 2), (5, false, 2), (4, true, 0)]
        );
        let all = asked(&division, StoreTask::DeadLetters).await.unwrap();
        assert_eq!(all["parked"], 3);
        let first = &all["letters"][0];
        assert_eq!(
            (&first["projection"], &first["key"], &first["event"]),
            (&"strict".into(), &"a".into(), &"poison_v1".into())
        );
        assert_eq!(first["reason"], "does not like it");
        assert_eq!(first["first_tried"], first["last_tried"]);
        assert_eq!(all["letters"][1]["reason"], "it panicked: bomb");
        let progress = division.progress().unwrap();
        assert_eq!(progress.of("lax").unwrap().note(), None);
        assert_eq!(
            progress.of("strict").unwrap().note().unwrap().1,
            "3 events are parked; the first: event 2 (poison_v1) of `a`: does not like it"
        );
        division.release().await;
    });
}

#[test]
fn new_code_takes_in_what_was_parked_in_order_and_the_key_flows_again() {
    let dir = TempDir::new().unwrap();
    run(async {
        let division = acquired(&dir, both, 1).await;
        for kind in ["poison", "fine", "bomb", "fine"] {
            append(&division, kind).await;
        }
        append_to(&division, "other", "fine").await;
        caught_up(&division).await;
        assert_eq!(rows(&division, "strict").await, [5]);
        division.release().await;

        let division = acquired(&dir, both, 2).await;
        while letters(&division).await.first() != Some(&(1, false, 3)) {
            tokio::task::yield_now().await;
        }
        assert_eq!(parked(&division), 4, "the same code fails again");
        division.release().await;

        say(&dir, "cured");
        let division = acquired(&dir, both, 3).await;
        append(&division, "fine").await;
        let mut progress = division.projector().unwrap().progress();
        let is_empty = |progress: &crate::projector::Progress| progress.with_letters().is_empty();
        progress.wait_for(is_empty).await.unwrap();
        caught_up(&division).await;
        assert_eq!(in_order(&division).await, [5, 1, 2, 3, 4, 6]);
        assert_eq!(letters(&division).await, []);
        division.release().await;
    });
}

/// The rows in the order in which they were written.
async fn in_order(division: &Division) -> Vec<i64> {
    let query = |connection: &Connection| {
        let mut rows = connection.prepare("SELECT position FROM strict ORDER BY rowid")?;
        rows.query_map((), |row| row.get(0))?.collect()
    };
    division.query(query).await.unwrap()
}

#[test]
fn an_operator_tries_again_and_is_told_what_came_of_it() {
    let dir = TempDir::new().unwrap();
    run(async {
        let division = acquired(&dir, both, 1).await;
        append(&division, "poison").await;
        append(&division, "fine").await;
        caught_up(&division).await;
        assert_eq!(
            retry(&division).await,
            serde_json::json!({"taken": 0, "parked": 2})
        );
        assert_eq!(
            letters(&division).await,
            [(1, false, 3), (2, true, 0)],
            "what is held is not tried before its turn"
        );
        say(&dir, "cured");
        assert_eq!(
            retry(&division).await,
            serde_json::json!({"taken": 2, "parked": 0})
        );
        assert_eq!(in_order(&division).await, [1, 2]);
        let unknown = StoreTask::Retry {
            projection: Some("lax".to_owned()),
        };
        let lax = asked(&division, unknown).await.unwrap();
        assert_eq!(lax["projections"]["lax"]["taken"], 0);
        division.release().await;
    });
}

#[test]
fn what_is_given_up_is_the_first_of_its_key_and_the_rest_goes_on() {
    let dir = TempDir::new().unwrap();
    run(async {
        let division = acquired(&dir, both, 1).await;
        for kind in ["poison", "fine", "poison", "fine"] {
            append(&division, kind).await;
        }
        caught_up(&division).await;
        assert_eq!(
            discard(&division, 2).await.unwrap_err(),
            "event 2 is held behind event 1 of `s`: discard that one first, or find out what it needs"
        );
        for nothing in [0, 9] {
            assert_eq!(
                discard(&division, nothing).await.unwrap_err(),
                format!(
                    "`strict` has no parked event at position {nothing}: parked are those at 1"
                )
            );
        }
        assert_eq!(
            discard(&division, 1).await.unwrap(),
            serde_json::json!({"discarded": 1, "taken": 1, "parked": 2})
        );
        assert_eq!(letters(&division).await, [(3, false, 1), (4, true, 0)]);
        discard(&division, 3).await.unwrap();
        assert_eq!(rows(&division, "strict").await, [2, 4]);
        assert_eq!(parked(&division), 0);
        assert_eq!(
            discard(&division, 3).await.unwrap_err(),
            "`strict` has no parked event at position 3: nothing is parked"
        );
        append(&division, "fine").await;
        caught_up(&division).await;
        assert_eq!(rows(&division, "strict").await, [2, 4, 5]);
        division.release().await;
    });
}

#[test]
fn a_full_disk_is_no_fault_of_an_event() {
    let dir = TempDir::new().unwrap();
    run(async {
        let division = acquired(&dir, both, 1).await;
        append(&division, "fine").await;
        caught_up(&division).await;
        say(&dir, "full");
        append_to(&division, "a", "fine").await;
        append_to(&division, "b", "poison").await;
        let last = append_to(&division, "a", "fine").await;
        // Long enough for a few tries; none of them may leave anything.
        assert!(!division.caught_up(last, Duration::from_millis(300)).await);
        assert_eq!(rows(&division, "lax").await, [1]);
        assert_eq!(letters(&division).await, []);
        unsay(&dir, "full");
        caught_up(&division).await;
        assert_eq!(rows(&division, "strict").await, [1, 2, 4]);
        assert_eq!(rows(&division, "lax").await, [1, 2, 3, 4]);
        assert_eq!(letters(&division).await, [(3, false, 2)]);
        division.release().await;
    });
}

#[test]
fn who_ends_the_transaction_takes_nothing_else_with_it() {
    let dir = TempDir::new().unwrap();
    run(async {
        let division = acquired(&dir, both, 1).await;
        for (stream, kind) in [
            ("a", "fine"),
            ("b", "rollback"),
            ("c", "fine"),
            ("d", "unhappy_rollback"),
            ("e", "keyless"),
            ("f", "fine"),
        ] {
            append_to(&division, stream, kind).await;
        }
        caught_up(&division).await;
        assert_eq!(rows(&division, "strict").await, [1, 3, 6]);
        assert_eq!(rows(&division, "lax").await, [1, 2, 3, 4, 5, 6]);
        let all = asked(&division, StoreTask::DeadLetters).await.unwrap();
        let reasons = all["letters"].as_array().unwrap().iter();
        let reasons: Vec<_> = reasons
            .map(|letter| letter["reason"].as_str().unwrap())
            .collect();
        assert_eq!(
            reasons,
            [
                "it ended the transaction that its rows are written in",
                "does not like it",
                "does not like it"
            ]
        );
        // They do the same when they are tried again.
        assert_eq!(retry(&division).await["taken"], 0);
        assert_eq!(rows(&division, "strict").await, [1, 3, 6]);
        say(&dir, "cured");
        assert_eq!(retry(&division).await["taken"], 3);
        assert_eq!(rows(&division, "strict").await, [1, 2, 3, 4, 5, 6]);
        division.release().await;
    });
}

#[test]
fn ten_thousand_may_wait() {
    let dir = TempDir::new().unwrap();
    run(async {
        let division = acquired(&dir, both, 1).await;
        append(&division, "poison").await;
        for _ in 0..10 {
            append_many(&division, "s", "fine", 1000).await;
            append_to(&division, "other", "fine").await;
        }
        caught_up(&division).await;
        assert_eq!(rows(&division, "strict").await.len(), 10);
        assert_eq!(parked(&division), 10_001);
        let all = asked(&division, StoreTask::DeadLetters).await.unwrap();
        assert_eq!(
            (&all["parked"], all["letters"].as_array().unwrap().len()),
            (&10_001.into(), 200)
        );
        say(&dir, "cured");
        assert_eq!(
            retry(&division).await,
            serde_json::json!({"taken": 10_001, "parked": 0})
        );
        let of_the_key = in_order(&division).await.split_off(10);
        assert!(of_the_key.is_sorted());
        assert_eq!(of_the_key.len(), 10_001);
        division.release().await;
    });
}

#[test]
fn a_thousand_keys_fail_each_for_itself() {
    let dir = TempDir::new().unwrap();
    run(async {
        let division = acquired(&dir, both, 1).await;
        for nth in 0..1000 {
            append_to(&division, &format!("s{nth}"), "poison").await;
        }
        append_to(&division, "s1", "fine").await;
        append_to(&division, "fine", "fine").await;
        caught_up(&division).await;
        assert_eq!(rows(&division, "strict").await, [1002]);
        assert_eq!(parked(&division), 1001);
        assert_eq!(retry(&division).await["parked"], 1001);
        assert_eq!(
            discard(&division, 2000).await.unwrap_err(),
            "`strict` has no parked event at position 2000: the first that are parked are those at 1, 2, 3, 4, 5"
        );
        say(&dir, "cured");
        assert_eq!(retry(&division).await["taken"], 1001);
        division.release().await;
    });
}
