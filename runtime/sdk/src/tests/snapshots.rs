//! States that are kept beside their events: the same as those that are folded, or not used.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::aggregate::{
    Aggregate, DecodeError, Event, EventSet, Loaded, Snapshots, decode_payload, encode_payload,
    status_change,
};
use crate::division::Division;
use crate::flags::StatusChange;
use crate::live::Live;
use crate::paths::Paths;
use crate::store::{
    Care, ExpectedVersion, MAX_EVENT_BYTES, NewEvent, Snapshot, StoreConfig, StreamId,
    StreamVersion,
};
use crate::testing::run;

#[derive(Serialize, Deserialize)]
struct Counted {
    number: u64,
}

impl Event for Counted {
    const NAME: &'static str = "counted";
    const REVISION: u32 = 1;
}

impl EventSet for Counted {
    fn decode(_: &str, _: u32, data: &[u8]) -> Result<Self, DecodeError> {
        decode_payload(data)
    }

    fn encode(&self) -> Result<NewEvent, serde_json::Error> {
        encode_payload(self)
    }

    fn status_change(&self) -> StatusChange {
        status_change::<Self>()
    }
}

/// A sum that is kept every 500 events, in a form with this fingerprint.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Sum<const FINGERPRINT: u64> {
    sum: u64,
    /// How many events were folded to load it.
    #[serde(skip)]
    folded: u64,
}

impl<const FINGERPRINT: u64> Aggregate for Sum<FINGERPRINT> {
    type Event = Counted;
    const KIND: &'static str = "sum";

    fn apply(&mut self, event: &Counted) {
        self.sum += event.number;
        self.folded += 1;
    }

    fn snapshots() -> Option<Snapshots<Self>> {
        Some(Snapshots::every(500, FINGERPRINT))
    }
}

/// The same without anything kept.
#[derive(Debug, Default)]
struct Bare {
    sum: u64,
}

impl Aggregate for Bare {
    type Event = Counted;
    const KIND: &'static str = "sum";

    fn apply(&mut self, event: &Counted) {
        self.sum += event.number;
    }
}

/// Lets `test` have a division on a store of each kind, and where its files are.
fn on_both<T: Future<Output = ()>>(test: impl Fn(Division, std::path::PathBuf) -> T) {
    run(async {
        for config in [
            StoreConfig::new("sums").in_memory(),
            StoreConfig::new("sums"),
        ] {
            let dir = TempDir::new().unwrap();
            let division = Division::closed("sum", config, Vec::new, Live::default());
            let paths = Paths::new(dir.path(), dir.path());
            division.acquire(&paths, 1).await.unwrap();
            test(division.clone(), dir.path().to_owned()).await;
            division.release().await;
        }
    });
}

fn stream() -> StreamId {
    StreamId::of("sum", "1")
}

async fn append(division: &Division, stream: StreamId, numbers: std::ops::Range<u64>) {
    let encode = |number| Counted { number }.encode().unwrap();
    for chunk in numbers.collect::<Vec<_>>().chunks(700) {
        let events = chunk.iter().copied().map(encode).collect();
        let appended = division
            .store()
            .append(stream.clone(), ExpectedVersion::Any, events);
        appended.await.unwrap();
    }
}

/// Waits until what was to be kept is kept: behind the answers of the append that came next.
async fn settle(division: &Division) {
    for _ in 0..2 {
        append(division, StreamId::new("other"), 0..1).await;
    }
}

/// Loads the thing, which must be as it is without snapshots; gives how many events were folded, and its version.
async fn folded<const FINGERPRINT: u64>(division: &Division) -> (u64, u64) {
    let loaded: Loaded<Sum<FINGERPRINT>> = division.load("1").await.unwrap();
    let bare: Loaded<Bare> = division.load("1").await.unwrap();
    assert_eq!(
        (loaded.state.sum, loaded.version),
        (bare.state.sum, bare.version)
    );
    settle(division).await;
    (
        loaded.state.folded,
        loaded.version.map_or(0, StreamVersion::get),
    )
}

fn snapshot(version: u64, body: &[u8]) -> Snapshot {
    Snapshot {
        stream: stream(),
        version: StreamVersion::new(version).unwrap(),
        fingerprint: 1,
        body: body.to_vec(),
    }
}

#[test]
fn a_state_is_the_same_with_and_without_its_snapshot() {
    on_both(|division, _| async move {
        append(&division, stream(), 0..499).await;
        assert_eq!(folded::<1>(&division).await, (499, 499));
        assert_eq!(
            division.store().snapshot(stream()).await.unwrap(),
            None,
            "too few events to be worth it"
        );
        append(&division, stream(), 499..1234).await;
        assert_eq!(folded::<1>(&division).await, (1234, 1234));
        assert_eq!(folded::<1>(&division).await, (0, 1234));
        append(&division, stream(), 1234..1300).await;
        assert_eq!(folded::<1>(&division).await, (66, 1300));
        append(&division, stream(), 1300..1800).await;
        assert_eq!(folded::<1>(&division).await, (566, 1800));
        assert_eq!(folded::<1>(&division).await, (0, 1800));
    });
}

#[test]
fn a_state_of_another_form_is_not_read() {
    on_both(|division, _| async move {
        append(&division, stream(), 0..600).await;
        assert_eq!(folded::<1>(&division).await, (600, 600));
        assert_eq!(folded::<2>(&division).await, (600, 600));
        assert_eq!(folded::<2>(&division).await, (0, 600));
        assert_eq!(
            folded::<1>(&division).await,
            (600, 600),
            "the newer form took its place"
        );
    });
}

#[test]
fn what_cannot_be_read_or_be_true_is_not_used() {
    on_both(|division, _| async move {
        append(&division, stream(), 0..10).await;
        for wrong in [
            snapshot(10, b"{\"sum\":"),
            snapshot(10, b"\xff\x00"),
            snapshot(11, b"{\"sum\":7}"),
            snapshot(u64::MAX >> 1, b"{\"sum\":7}"),
        ] {
            division.store().save_snapshot(wrong);
            settle(&division).await;
            assert_eq!(folded::<1>(&division).await, (10, 10));
        }
        let mut large = snapshot(10, b"{\"sum\":45}");
        large.body.resize(MAX_EVENT_BYTES + 1, b' ');
        division.store().save_snapshot(large);
        let stranger = Snapshot {
            stream: StreamId::new("nobody"),
            ..snapshot(1, b"{}")
        };
        division.store().save_snapshot(stranger);
        settle(&division).await;
        assert_eq!(folded::<1>(&division).await, (10, 10));
        let stranger = division.store().snapshot(StreamId::new("nobody")).await;
        assert_eq!(stranger.unwrap(), None);
        division.store().save_snapshot(snapshot(9, b"{\"sum\":36}"));
        settle(&division).await;
        assert_eq!(folded::<1>(&division).await, (1, 10));
    });
}

#[test]
fn snapshots_survive_a_reopening_and_may_be_lost() {
    let dir = TempDir::new().unwrap();
    let paths = Paths::new(dir.path(), dir.path());
    run(async {
        let division = Division::closed("sum", StoreConfig::new("sums"), Vec::new, Live::default());
        division.acquire(&paths, 1).await.unwrap();
        append(&division, stream(), 0..600).await;
        division.load::<Sum<1>>("1").await.unwrap();
        division.release().await;
        division.acquire(&paths, 2).await.unwrap();
        assert_eq!(folded::<1>(&division).await, (0, 600));
        let store = division.store().get().unwrap();
        let stats = store.care(Care::Stats).await.unwrap();
        assert_eq!(stats["snapshots"], 1);
        let to = dir.path().join("events.jsonl");
        store.care(Care::Export { to: to.clone() }).await.unwrap();
        let exported = std::fs::read_to_string(to).unwrap();
        assert_eq!(exported.lines().count(), 602, "what is exported is events");
        division.release().await;

        let change = |sql: &str| {
            let file = Connection::open(dir.path().join("events/sums.db")).unwrap();
            file.execute_batch(sql).unwrap();
        };
        // A snapshot of a future that has not happened, as in a file that was put together from two.
        change("UPDATE snapshot SET version = 601");
        division.acquire(&paths, 3).await.unwrap();
        assert_eq!(folded::<1>(&division).await, (600, 600));
        division.release().await;
        change("DELETE FROM snapshot");
        division.acquire(&paths, 4).await.unwrap();
        assert_eq!(folded::<1>(&division).await, (600, 600));
        division.release().await;
    });
}
