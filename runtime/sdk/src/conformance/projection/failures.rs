//! An event that cannot be projected harms nothing but itself.

use super::follower::{BOMB, Entry, Journal, POISON, ReadModel, add, add_one, boxed, entries};
use crate::conformance::Subject;
use crate::conformance::store::{Store, all};

/// What was written for an event that fails is taken back, and what comes behind it in its stream is not projected
/// before it.
pub async fn a_failing_event_takes_nothing_with_it(subject: Subject) {
    let store = subject.open().await;
    fails_alone(&store, POISON).await;
}

/// A projection that panics has failed, no more: its rows are taken back, and the projector goes on.
pub async fn a_panic_takes_nothing_with_it(subject: Subject) {
    let store = subject.open().await;
    fails_alone(&store, BOMB).await;
}

/// What fails in one projection is there in the others, with everything that comes behind it.
pub async fn a_failing_projection_holds_up_no_other(subject: Subject) {
    let store = subject.open().await;
    let model = ReadModel::new();
    let all_three = || {
        boxed([
            Journal::lax("one"),
            Journal::strict("two"),
            Journal::lax("three"),
        ])
    };
    for kind in [POISON, BOMB] {
        let follower = model.follow(&store, all_three).await;
        add(&store, "a", "happened", 20).await;
        add(&store, "a", kind, 1).await;
        follower
            .reaches(add(&store, "a", "happened", 20).await)
            .await;
        follower.stop().await;
    }
    let events = entries(&all(&store).await);
    assert_eq!(model.rows("one"), events);
    assert_eq!(model.rows("three"), events);
}

async fn fails_alone(store: &Store, kind: &'static str) {
    let model = ReadModel::new();
    let both = || boxed([Journal::lax("lax"), Journal::strict("strict")]);
    let follower = model.follow(store, both).await;
    let before = add(store, "a", "happened", 20).await;
    let poison = add(store, "b", kind, 1).await;
    add(store, "b", "happened", 5).await;
    follower.reaches(add_one(store, "c").await).await;
    // Stopping and starting makes nothing of it either.
    follower.stop().await;
    let follower = model.follow(store, both).await;
    follower.reaches(add_one(store, "c").await).await;
    follower.stop().await;

    let rows = model.rows("strict");
    let of_b = |row: &Entry| row.1 == "b";
    assert!(
        !rows.iter().any(|row| row.0 == poison.get()),
        "the failed row is there"
    );
    assert!(
        !rows.iter().any(of_b),
        "what comes behind it was projected before it"
    );
    let early = rows.iter().filter(|row| row.0 <= before.get()).count();
    assert_eq!(early, 20, "what came before it is there once");
    let sorted = rows.is_sorted_by(|one, next| one.0 < next.0);
    assert!(sorted, "out of order, or twice: {rows:?}");
}
