//! Every event has its effect exactly once.

use super::follower::{Journal, Journals, ReadModel, add, add_one, boxed, entries};
use crate::conformance::Subject;
use crate::conformance::store::all;

/// Each event's row is written once, those that were there before and those that come while it is followed.
pub async fn every_event_has_its_effect_once(subject: Subject) {
    let store = subject.open().await;
    let model = ReadModel::new();
    // More than are read at a time.
    for nth in 0..5 {
        add(&store, &format!("s-{nth}"), "happened", 500).await;
    }
    let follower = model
        .follow(&store, || boxed([Journal::lax("journal")]))
        .await;
    let mut last = None;
    for nth in 0..100 {
        last = Some(add_one(&store, &format!("s-{}", nth % 7)).await);
    }
    follower.reaches(last.expect("a position")).await;
    follower.stop().await;
    assert_eq!(model.rows("journal"), entries(&all(&store).await));
}

/// However often the projector is stopped, wherever it is, nothing is projected twice or left out.
pub async fn stopping_and_starting_repeats_nothing(subject: Subject) {
    let store = subject.open().await;
    let model = ReadModel::new();
    for round in 0..12 {
        add(&store, "while nobody follows", "happened", 30).await;
        let follower = model
            .follow(&store, || boxed([Journal::lax("journal")]))
            .await;
        for nth in 0..20 {
            add(&store, &format!("s-{nth}"), "happened", 1 + round).await;
        }
        follower.stop().await;
    }
    let last = add_one(&store, "the end").await;
    let follower = model
        .follow(&store, || boxed([Journal::lax("journal")]))
        .await;
    follower.reaches(last).await;
    follower.stop().await;
    assert_eq!(model.rows("journal"), entries(&all(&store).await));
}

/// Whenever the projector ends, the rows are those of the events up to the checkpoint.
pub async fn rows_and_checkpoint_are_one(subject: Subject) {
    let store = subject.open().await;
    let model = ReadModel::new();
    for _ in 0..10 {
        let follower = model
            .follow(&store, || boxed([Journal::lax("journal")]))
            .await;
        follower
            .reaches(add(&store, "a", "happened", 10).await)
            .await;
        for nth in 0..10 {
            add(&store, &format!("s-{}", nth % 3), "happened", 40).await;
        }
        // Somewhere among those.
        follower.stop().await;
        let checkpoint = model.checkpoint("journal");
        let mut events = all(&store).await;
        events.retain(|event| event.position.get() <= checkpoint);
        assert_eq!(model.rows("journal"), entries(&events));
    }
}

/// The events of a stream are projected in their order, while many write.
pub async fn events_of_a_stream_are_projected_in_order(subject: Subject) {
    let store = subject.open().await;
    let model = ReadModel::new();
    let follower = model
        .follow(&store, || boxed([Journal::lax("journal")]))
        .await;
    let writer = |writer: usize| {
        let store = store.clone();
        tokio::spawn(async move {
            for nth in 0..40 {
                add_one(&store, &format!("s-{}", (writer + nth) % 3)).await;
            }
        })
    };
    for writer in (0..8).map(writer).collect::<Vec<_>>() {
        writer.await.expect("a writer panicked");
    }
    follower.reaches(add_one(&store, "the end").await).await;
    follower.stop().await;
    let rows = model.rows("journal");
    assert_eq!(rows.len(), 321);
    for stream in ["s-0", "s-1", "s-2"] {
        let of_stream = rows.iter().filter(|row| row.1 == stream);
        assert!(
            (1..).zip(of_stream).all(|(version, row)| row.2 == version),
            "{stream}"
        );
    }
}

/// A projection of another revision has the rows of all events, as if there had never been others.
pub async fn a_changed_projection_is_made_anew(subject: Subject) {
    let store = subject.open().await;
    let model = ReadModel::new();
    let follower = model
        .follow(&store, || boxed([Journal::lax("journal")]))
        .await;
    follower
        .reaches(add(&store, "a", "happened", 50).await)
        .await;
    follower.stop().await;
    let last = add(&store, "b", "happened", 50).await;
    let second = || boxed([Journal::lax("journal").revised(2)]);
    let first = || boxed([Journal::lax("journal").revised(1)]);
    for (revision, changed) in [(2, second as Journals), (1, first)] {
        let follower = model.follow(&store, changed).await;
        follower.reaches(last).await;
        follower.stop().await;
        assert_eq!(model.rows("journal"), entries(&all(&store).await));
        assert_eq!(model.revisions("journal"), [revision]);
    }
}

/// A projection that is added to a store with a past takes all of it in, and disturbs none that is there.
pub async fn a_projection_that_comes_late_takes_everything_in(subject: Subject) {
    let store = subject.open().await;
    let model = ReadModel::new();
    let follower = model
        .follow(&store, || boxed([Journal::lax("journal")]))
        .await;
    // More than are read at a time.
    add(&store, "a", "happened", 900).await;
    let last = add(&store, "b", "happened", 600).await;
    follower.reaches(last).await;
    follower.stop().await;
    let both = || boxed([Journal::lax("journal"), Journal::lax("late")]);
    let follower = model.follow(&store, both).await;
    follower.reaches(add_one(&store, "b").await).await;
    follower.stop().await;
    let events = entries(&all(&store).await);
    assert_eq!(model.rows("late"), events);
    assert_eq!(model.rows("journal"), events);
}

/// Listeners are told of every event once, in order, and the row is there by then.
pub async fn what_is_told_is_there(subject: Subject) {
    let store = subject.open().await;
    let model = ReadModel::new();
    let follower = model
        .follow(&store, || boxed([Journal::lax("journal")]))
        .await;
    let mut last = add_one(&store, "a").await;
    for nth in 0..20 {
        last = add(&store, &format!("s-{nth}"), "happened", 2).await;
    }
    follower.reaches(last).await;
    follower.stop().await;
    let (told, there): (Vec<_>, Vec<_>) = model.told().into_iter().unzip();
    assert_eq!(told, all(&store).await);
    assert!(
        there.into_iter().all(|there| there),
        "told before it was written"
    );
}
