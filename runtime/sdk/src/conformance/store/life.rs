//! How a store ends.

use super::fixtures::{Store, add, is_conflict, request, several, write};
use crate::conformance::Subject;
use crate::store::ExpectedVersion::{Any, NoStream};
use crate::store::{AppendError, AppendId, AppendRequest, Query, ReadError, Receipt, StreamId};

/// A closed store answers everything with `Fenced`, and may be closed again.
pub async fn a_closed_store_is_fenced(subject: Subject) {
    let store = subject.open().await;
    add(&store, "a", 1).await;
    store.close().await;
    for _ in 0..2 {
        let append = store.append(request("a", Any, 1)).await;
        assert!(matches!(append, Err(AppendError::Fenced)), "{append:?}");
        let all = store.read_all(None, Query::all(), 1).await;
        assert!(matches!(all, Err(ReadError::Fenced)), "{all:?}");
        let stream = store.read_stream(StreamId::new("a"), None, 1).await;
        assert!(matches!(stream, Err(ReadError::Fenced)), "{stream:?}");
        let receipt = store.receipt(AppendId::fresh()).await;
        assert!(matches!(receipt, Err(ReadError::Fenced)), "{receipt:?}");
        store.close().await;
    }
}

/// Appends that race with closing are carried out or `Fenced`: closing comes to its end, and nobody waits for ever.
pub async fn closing_decides_what_is_in_flight(subject: Subject) {
    let store = subject.open().await;
    for (_, answer) in while_closing(&store).await {
        let decided = matches!(answer, Ok(_) | Err(AppendError::Fenced));
        assert!(decided, "{answer:?}");
        assert!(!is_conflict(&answer));
    }
}

/// Closes the store while appends come, and gives what each was told.
pub(super) async fn while_closing(
    store: &Store,
) -> Vec<(AppendRequest, Result<Receipt, AppendError>)> {
    let send = |nth: usize| {
        let own = write(&format!("s-{nth}"), NoStream, 2);
        let request = several(vec![own, write("shared", Any, 1)]);
        let (store, sent) = (store.clone(), request.clone());
        let sender = tokio::spawn(async move { store.append(sent).await });
        (request, sender)
    };
    let mut senders: Vec<_> = (0..20).map(send).collect();
    tokio::task::yield_now().await;
    let closing = store.clone();
    let closing = tokio::spawn(async move { closing.close().await });
    senders.extend((20..60).map(send));
    closing.await.expect("closing panicked");
    let mut answers = Vec::new();
    for (request, sender) in senders {
        answers.push((request, sender.await.expect("an append panicked")));
    }
    answers
}
