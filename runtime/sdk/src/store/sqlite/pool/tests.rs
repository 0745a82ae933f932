use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use futures_util::FutureExt;
use rusqlite::Connection;
use tempfile::TempDir;

use super::Pool;
use crate::store::ReadError;
use crate::testing::run;

/// A file that can be read, and a pool of `size` on it.
fn pool(size: usize) -> (TempDir, Pool) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.db");
    let file = Connection::open(&path).unwrap();
    file.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE a (n)")
        .unwrap();
    (dir, Pool::new(&path, size))
}

/// A read that has begun when the receiver hears of it, and ends when the sender is dropped.
fn held(
    pool: &Pool,
) -> (
    impl Future<Output = Result<(), ReadError>> + Send + use<>,
    Receiver<()>,
    Sender<()>,
) {
    let (begins, begun) = channel();
    let (ends, end) = channel::<()>();
    let read = pool.with(move |_| {
        begins.send(()).unwrap();
        // The sender is gone: that is the end.
        _ = end.recv();
        Ok(())
    });
    (read, begun, ends)
}

#[test]
fn many_reads_share_few_connections() {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    struct Counted(Connection);
    impl From<Connection> for Counted {
        fn from(connection: Connection) -> Self {
            MADE.fetch_add(1, Ordering::Relaxed);
            Self(connection)
        }
    }

    let (dir, _) = pool(1);
    let pool = Pool::<Counted>::new(&dir.path().join("a.db"), 3);
    run(async {
        let reads = (0..200).map(|n: i64| {
            let read = pool.with(move |counted| {
                counted
                    .0
                    .query_row("SELECT ?1", [n], |row| row.get::<_, i64>(0))
            });
            tokio::spawn(read)
        });
        for (n, read) in reads.collect::<Vec<_>>().into_iter().enumerate() {
            assert_eq!(read.await.unwrap().unwrap(), n as i64);
        }
        pool.close().await;
    });
    let made = MADE.load(Ordering::Relaxed);
    assert!((1..=3).contains(&made), "{made}");
}

#[test]
fn a_long_read_does_not_hold_the_others_up() {
    let (_dir, pool) = pool(2);
    run(async {
        let (long, begun, ends) = held(&pool);
        let long = tokio::spawn(long);
        tokio::task::spawn_blocking(move || begun.recv().unwrap())
            .await
            .unwrap();
        for _ in 0..10 {
            pool.with(|_| Ok(())).await.unwrap();
        }
        drop(ends);
        long.await.unwrap().unwrap();
    });
}

#[test]
fn a_read_that_panics_takes_nobody_with_it() {
    let (_dir, pool) = pool(1);
    run(async {
        let panics = pool.with(|_| -> rusqlite::Result<()> { panic!("on purpose") });
        let fine = pool.with(|_| Ok(1));
        let (panicked, fine) = tokio::join!(panics, fine);
        assert!(matches!(panicked, Err(ReadError::Fenced)));
        assert_eq!(fine.unwrap(), 1);
        assert_eq!(pool.with(|_| Ok(2)).await.unwrap(), 2);
        pool.close().await;
    });
}

#[test]
fn whoever_has_given_up_needs_nothing_read() {
    let (_dir, pool) = pool(1);
    run(async {
        let (first, begun, ends) = held(&pool);
        let first = tokio::spawn(first);
        tokio::task::spawn_blocking(move || begun.recv().unwrap())
            .await
            .unwrap();
        let (reads, read) = channel();
        let mut waits = Box::pin(pool.with(move |_| {
            reads.send(()).unwrap();
            Ok(())
        }));
        assert!(waits.as_mut().now_or_never().is_none(), "it waits its turn");
        drop(waits);
        drop(ends);
        first.await.unwrap().unwrap();
        pool.close().await;
        assert!(read.recv().is_err(), "it was dropped unread");
    });
}

#[test]
fn closing_waits_for_what_was_asked_and_refuses_what_comes_later() {
    let (_dir, pool) = pool(1);
    run(async {
        let (first, begun, ends) = held(&pool);
        let first = tokio::spawn(first);
        tokio::task::spawn_blocking(move || begun.recv().unwrap())
            .await
            .unwrap();
        let mut second = Box::pin(pool.with(|_| Ok(2)));
        assert!(second.as_mut().now_or_never().is_none());
        let mut close = Box::pin(pool.close());
        assert!(close.as_mut().now_or_never().is_none(), "a read runs");
        let later = pool.with(|_| Ok(3)).await;
        assert!(matches!(later, Err(ReadError::Fenced)));
        drop(ends);
        close.await;
        first.await.unwrap().unwrap();
        assert_eq!(second.await.unwrap(), 2, "it was asked for before");
        assert!(pool.shared.lock().idle.is_empty());
    });
}

#[test]
fn a_runtime_that_has_ended_reads_nothing_and_closes_all_the_same() {
    let (_dir, pool) = pool(1);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ended = runtime.handle().clone();
    runtime.shutdown_background();
    let entered = ended.enter();
    let read = pool.with(|_| Ok(())).now_or_never();
    assert!(matches!(read, Some(Err(ReadError::Fenced))), "{read:?}");
    drop(entered);
    run(pool.close());
}
