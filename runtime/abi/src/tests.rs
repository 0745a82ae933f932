use std::mem::{offset_of, size_of};
use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{self, Poll, Wake};

use super::*;

/// A change here is a change of the contract: give it a new number in `version`.
#[test]
fn layout_of_the_tables_is_that_of_version_1() {
    assert_eq!(version::CURRENT, 1);
    let sizes = [
        size_of::<Slice>(),
        size_of::<Header>(),
        size_of::<Owned>(),
        size_of::<Headers>(),
        size_of::<Stream>(),
        size_of::<Call>(),
        size_of::<Request>(),
        size_of::<Response>(),
        size_of::<Waker>(),
        size_of::<Host>(),
        size_of::<Plugin>(),
        size_of::<NoteSection>(),
    ];
    assert_eq!(sizes, [16, 32, 32, 32, 24, 24, 104, 96, 32, 48, 48, 284]);
    let host = [
        offset_of!(Host, max_level),
        offset_of!(Host, log),
        offset_of!(Host, metrics),
        offset_of!(Host, now),
    ];
    assert_eq!(host, [16, 24, 32, 40]);
    let plugin = [
        offset_of!(Plugin, data),
        offset_of!(Plugin, call),
        offset_of!(Plugin, control),
        offset_of!(Plugin, serve_fd),
        offset_of!(Plugin, drop),
    ];
    assert_eq!(plugin, [8, 16, 24, 32, 40]);
    assert_eq!(ENTRY_SYMBOL, c"hecate_plugin_entry");
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[derive(Default)]
struct SecondPoll {
    kept: Option<task::Waker>,
}

impl PollCall for SecondPoll {
    fn poll(&mut self, waker: &task::Waker) -> Poll<Result<Response, Failed>> {
        match self.kept.take() {
            None => {
                self.kept = Some(waker.clone());
                Poll::Pending
            }
            Some(kept) => {
                kept.clone().wake_by_ref();
                kept.wake();
                Poll::Ready(Ok(Response::new(201, Owned::new(b"done".to_vec()))))
            }
        }
    }
}

#[test]
fn a_waker_kept_across_polls_wakes_the_caller() {
    let count = Arc::new(Count::default());
    let waker = task::Waker::from(count.clone());
    let mut call = Call::new(SecondPoll::default());
    assert!(call.poll(&waker).is_pending());
    let Poll::Ready(Ok(response)) = call.poll(&waker) else {
        panic!("not ready")
    };
    assert_eq!(
        (response.status, response.body.as_ref()),
        (201, &b"done"[..])
    );
    assert_eq!(count.0.load(Ordering::SeqCst), 2);
    drop(call);
    drop(waker);
    assert_eq!(
        Arc::strong_count(&count),
        1,
        "every clone of the waker was freed"
    );
}

struct Panics;

impl PollCall for Panics {
    fn poll(&mut self, _: &task::Waker) -> Poll<Result<Response, Failed>> {
        panic_any(Bomb)
    }
}

impl PollStream for Panics {
    fn poll(&mut self, _: &task::Waker) -> Poll<Option<Result<Owned, Failed>>> {
        panic!("in a stream")
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        panic!("in a drop")
    }
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a payload that panics when it is dropped")
    }
}

#[test]
fn panics_stop_at_the_boundary() {
    let waker = task::Waker::noop();
    let mut call = Call::new(Panics);
    assert!(matches!(call.poll(waker), Poll::Ready(Err(Failed))));
    assert!(
        matches!(call.poll(waker), Poll::Ready(Err(Failed))),
        "and stay failed"
    );
    drop(call);
    let mut stream = Stream::new(Panics);
    assert!(matches!(stream.poll(waker), Poll::Ready(Some(Err(Failed)))));
    assert!(matches!(stream.poll(waker), Poll::Ready(None)));
    drop(stream);
}

#[test]
fn owned_bytes_are_given_back_once() {
    struct Tracked {
        _alive: Arc<()>,
        bytes: Vec<u8>,
    }
    impl AsRef<[u8]> for Tracked {
        fn as_ref(&self) -> &[u8] {
            &self.bytes
        }
    }
    let alive = Arc::new(());
    let owned = Owned::new(Tracked {
        _alive: alive.clone(),
        bytes: vec![1, 2, 3],
    });
    assert_eq!(owned.as_ref(), [1, 2, 3]);
    assert_eq!(Arc::strong_count(&alive), 2);
    std::thread::spawn(move || drop(owned)).join().unwrap();
    assert_eq!(Arc::strong_count(&alive), 1);
    assert!(
        Owned::new(Tracked {
            _alive: alive.clone(),
            bytes: Vec::new()
        })
        .is_empty()
    );
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn headers_point_into_their_owner() {
    let source = vec![
        ("content-type".to_owned(), "text/plain".to_owned()),
        ("x".to_owned(), String::new()),
    ];
    let headers = Headers::new(source, |source, list| {
        for (name, value) in source {
            list.push(Header {
                name: Slice::of(name.as_bytes()),
                value: Slice::of(value.as_bytes()),
            });
        }
    });
    let seen: Vec<_> = headers.iter().collect();
    assert_eq!(
        seen,
        [
            (&b"content-type"[..], &b"text/plain"[..]),
            (&b"x"[..], &b""[..])
        ]
    );
}

#[test]
fn a_note_reads_back_what_was_written() {
    let section = NoteSection::new(
        "my-plugin",
        "0.1.0",
        "0.1.0",
        "rustc 1.95.0 (59807616e 2026-04-14)",
    );
    let bytes = in_file(&section);
    let note = read(&section).unwrap();
    assert_eq!(note.abi, version::CURRENT);
    assert!(note.unwinds);
    assert_eq!(
        (note.name.as_str(), note.version.as_str(), note.sdk.as_str()),
        ("my-plugin", "0.1.0", "0.1.0")
    );
    assert_eq!(note.rustc, "rustc 1.95.0 (59807616e 2026-04-14)");
    assert_eq!(Note::parse(&bytes[20..100]), Err(NoteError), "too short");
    let mut broken = bytes[20..].to_vec();
    broken[8] = 0xff;
    assert_eq!(Note::parse(&broken), Err(NoteError), "not UTF-8");
    assert_eq!(
        read(&NoteSection::new(&"n".repeat(100), "", "", ""))
            .unwrap()
            .name,
        "n".repeat(63),
        "cut"
    );
}

/// The note as the bytes that it is in a file.
fn in_file(section: &NoteSection) -> &[u8] {
    // SAFETY: plain bytes without padding.
    #[expect(unsafe_code, reason = "the only way to see the layout")]
    unsafe {
        std::slice::from_raw_parts((&raw const *section).cast::<u8>(), size_of::<NoteSection>())
    }
}

fn read(section: &NoteSection) -> Result<Note, NoteError> {
    Note::parse(&in_file(section)[20..])
}
