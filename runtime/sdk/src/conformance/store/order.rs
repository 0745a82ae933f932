//! What holds while many write and read at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::JoinHandle;

use super::fixtures::{
    Store, add, all, append, at, event, is_conflict, last, page, positions, recorded, request,
    several, stream, versions, write,
};
use crate::conformance::Subject;
use crate::store::ExpectedVersion::{Any, NoStream};
use crate::store::{AppendRequest, Position, RecordedEvent, StreamId};

const WRITERS: usize = 8;
const ROUNDS: usize = 25;

/// Once an append is answered, every way of reading has it.
pub async fn what_was_answered_can_be_read(subject: Subject) {
    let store = subject.open().await;
    let writers = writers(&store, |store, writer, round| async move {
        let name = format!("s-{writer}");
        let request = request(&name, at(round as u64 * 2), 2);
        let receipt = append(&store, request.clone()).await;
        let behind = Position::new(last(&receipt).get() - 1);
        assert!(*store.head().borrow() >= Some(last(&receipt)));
        let events = page(&store, behind, 1).await.events;
        assert_eq!(positions(&events), [last(&receipt)]);
        assert_eq!(stream(&store, &name).await.len(), round * 2 + 2);
        let own = recorded(&store, request.id).await.expect("its receipt");
        assert_eq!(own.last().map(|event| event.position), Some(last(&receipt)));
    });
    finish(writers).await;
}

/// Of appends to one new stream that race, exactly one happens.
pub async fn racing_appends_have_one_winner(subject: Subject) {
    let store = subject.open().await;
    for round in 0..20 {
        let name = format!("race-{round}");
        let racers: Vec<_> = (0..16)
            .map(|_| {
                let (store, request) = (store.clone(), request(&name, NoStream, 1));
                tokio::spawn(async move { store.append(request).await })
            })
            .collect();
        let mut winners = 0;
        for racer in racers {
            let answer = racer.await.expect("an append panicked");
            winners += usize::from(answer.is_ok());
            assert!(answer.is_ok() || is_conflict(&answer), "{answer:?}");
        }
        assert_eq!(winners, 1);
        assert_eq!(versions(&stream(&store, &name).await), [1]);
    }
}

/// Writers that read a stream and append at what they have read never decide on something old.
pub async fn no_update_is_lost(subject: Subject) {
    let store = subject.open().await;
    let writers = writers(&store, |store, _, _| async move {
        for _ in 0..10_000 {
            let seen = stream(&store, "counter").await.len();
            tokio::task::yield_now().await;
            // What was seen is written down, so that a decision on something old is seen too.
            let (name, decided) = (StreamId::new("counter"), vec![event(seen)]);
            let decided = AppendRequest::new(name, at(seen as u64), decided);
            let answer = store.append(decided).await;
            if !is_conflict(&answer) {
                answer.expect("the append is accepted");
                return;
            }
        }
        panic!("at what was read, an append is refused for ever");
    });
    finish(writers).await;
    let events = stream(&store, "counter").await;
    assert_eq!(events.len(), WRITERS * ROUNDS);
    for (nth, decided) in events.iter().enumerate() {
        assert_eq!(decided.data, event(nth).data, "decided on something old");
    }
}

/// Who reads on behind what was read while others write gets every event, in the order that is everybody's.
pub async fn a_reader_never_misses_a_position(subject: Subject) {
    let store = subject.open().await;
    let over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = [1, 7, 1000]
        .map(|limit| tokio::spawn(tail(store.clone(), limit, over.clone())))
        .into();
    let writers = writers(&store, |store, writer, round| async move {
        add(
            &store,
            &format!("s-{}", (writer + round) % 5),
            1 + round % 3,
        )
        .await;
    });
    finish(writers).await;
    over.store(true, Ordering::SeqCst);
    let whole = all(&store).await;
    for reader in readers {
        let seen = reader.await.expect("a reader panicked");
        assert!(
            seen == whole,
            "a reader saw {} of {}",
            seen.len(),
            whole.len()
        );
    }
}

/// Reads on behind what it has read, until all is `over` and nothing more comes.
async fn tail(store: Store, limit: usize, over: Arc<AtomicBool>) -> Vec<RecordedEvent> {
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let is_over = over.load(Ordering::SeqCst);
        let part = page(&store, after, limit).await;
        let is_empty = part.events.is_empty();
        for event in part.events {
            assert!(
                Some(event.position) > after,
                "{} comes late",
                event.position
            );
            after = Some(event.position);
            seen.push(event);
        }
        if is_empty && is_over {
            return seen;
        }
        if is_empty {
            tokio::task::yield_now().await;
        }
    }
}

/// Whoever reads while others write sees an append to several streams as a whole or not yet.
pub async fn appends_in_flight_are_never_seen_in_part(subject: Subject) {
    let store = subject.open().await;
    let over = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn({
        let (store, over) = (store.clone(), over.clone());
        async move {
            while !over.load(Ordering::SeqCst) {
                let events = page(&store, None, usize::MAX).await.events;
                assert_eq!(events.len() % 3, 0, "a part of an append was seen");
                tokio::task::yield_now().await;
            }
        }
    });
    let writers = writers(&store, |store, writer, _| async move {
        let own = format!("s-{writer}");
        // An odd number, so that parts of several appends do not add up.
        let writes = vec![write(&own, Any, 1), write("shared", Any, 2)];
        append(&store, several(writes)).await;
    });
    finish(writers).await;
    over.store(true, Ordering::SeqCst);
    reader.await.expect("what was read is not whole");
}

/// The head is the last position: none at first, moved by each append, the same for all who watch, however late.
pub async fn the_head_is_watched(subject: Subject) {
    let store = subject.open().await;
    let (mut one, mut other) = (store.head(), store.head());
    assert_eq!(*one.borrow_and_update(), None);
    for events in [2, 1] {
        let receipt = add(&store, "a", events).await;
        one.changed().await.expect("the store is open");
        assert_eq!(*one.borrow_and_update(), Some(last(&receipt)));
    }
    other.changed().await.expect("the store is open");
    assert_eq!(*other.borrow_and_update(), *one.borrow());
    assert_eq!(*store.head().borrow(), *one.borrow());
}

/// The head never goes back, and ends at the last event.
pub async fn the_head_only_rises(subject: Subject) {
    let store = subject.open().await;
    let writers = writers(&store, |store, writer, _| async move {
        add(&store, &format!("s-{writer}"), 1).await;
    });
    let watcher = tokio::spawn(watch(store.clone(), |_, _| async {}));
    finish(writers).await;
    store
        .append(request("the end", NoStream, 1))
        .await
        .expect("the end");
    watcher.await.expect("the head went back");
    let end = all(&store).await.last().map(|event| event.position);
    assert_eq!(*store.head().borrow(), end);
}

/// Where the head is, an event can be read.
pub async fn the_head_is_never_ahead_of_what_can_be_read(subject: Subject) {
    let store = subject.open().await;
    let watcher = tokio::spawn(watch(store.clone(), |store, head: Position| async move {
        let events = page(&store, Position::new(head.get() - 1), 1).await.events;
        assert_eq!(positions(&events), [head]);
    }));
    let writers = writers(&store, |store, writer, _| async move {
        add(&store, &format!("s-{writer}"), 2).await;
    });
    finish(writers).await;
    store
        .append(request("the end", NoStream, 1))
        .await
        .expect("the end");
    watcher.await.expect("the head is ahead");
}

/// Looks at each head until the stream `the end` has its event.
async fn watch<F, O>(store: Store, look: F)
where
    F: Fn(Store, Position) -> O,
    O: Future<Output = ()>,
{
    let mut head = store.head();
    let mut before = None;
    loop {
        let now = *head.borrow_and_update();
        assert!(now >= before, "the head went from {before:?} to {now:?}");
        before = now;
        if let Some(now) = now {
            look(store.clone(), now).await;
        }
        if stream(&store, "the end").await.len() == 1 && now >= *head.borrow() {
            return;
        }
        head.changed().await.expect("the store is open");
    }
}

/// Starts tasks that each do `round` some times.
fn writers<F, O>(store: &Store, round: F) -> Vec<JoinHandle<()>>
where
    F: Fn(Store, usize, usize) -> O + Clone + Send + Sync + 'static,
    O: Future<Output = ()> + Send,
{
    let one = |writer| {
        let (store, round) = (store.clone(), round.clone());
        tokio::spawn(async move {
            for nth in 0..ROUNDS {
                round(store.clone(), writer, nth).await;
            }
        })
    };
    (0..WRITERS).map(one).collect()
}

/// Waits for all of them.
async fn finish(writers: Vec<JoinHandle<()>>) {
    for writer in writers {
        if let Err(end) = writer.await {
            panic!("{}", crate::conformance::said(end));
        }
    }
}
