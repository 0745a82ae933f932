use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use rusqlite::Connection;
use tempfile::TempDir;
use uuid::Uuid;

use super::command_name;
use crate::aggregate::{Aggregate, DecodeError, EventSet, Rejection};
use crate::api::Command;
use crate::division::{DispatchError, Division};
use crate::flags::StatusChange;
use crate::live::Live;
use crate::paths::Paths;
use crate::projection::{ProjectError, Projection};
use crate::store::{
    AppendError, AppendId, AppendRequest, ExpectedVersion, MAX_EVENT_BYTES, NewEvent,
    RecordedEvent, Store, StoreConfig, StreamId,
};
use crate::testing::{metric, run};

#[derive(Debug, Default)]
struct Thing;

#[derive(Debug)]
struct Happened;

impl Aggregate for Thing {
    type Event = Happened;
    const KIND: &'static str = "thing";

    fn apply(&mut self, _: &Happened) {}
}

impl EventSet for Happened {
    fn decode(_: &str, _: u32, _: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self)
    }

    fn encode(&self) -> Result<NewEvent, serde_json::Error> {
        NewEvent::json("happened", 1, &1)
    }

    fn status_change(&self) -> StatusChange {
        StatusChange::default()
    }
}

#[derive(Debug, Clone)]
struct LetHappenV1;

/// Takes everything in but events of type `poison`.
struct Picky {
    revision: u64,
}

impl Projection for Picky {
    fn name(&self) -> &'static str {
        "picky"
    }

    fn revision(&self) -> u64 {
        self.revision
    }

    fn ensure(&self, _: &Connection) -> rusqlite::Result<()> {
        Ok(())
    }

    fn remove(&self, _: &Connection) -> rusqlite::Result<()> {
        Ok(())
    }

    fn project(&mut self, _: &Connection, event: &RecordedEvent) -> Result<(), ProjectError> {
        match event.event_type.as_ref() {
            "poison" => Err(ProjectError::Other("does not like it".to_owned())),
            _ => Ok(()),
        }
    }
}

/// A division whose metrics are of no other test: counters are those of the whole process.
async fn division(name: &'static str, dir: &TempDir, config: StoreConfig) -> Division {
    let projections = || -> Vec<Box<dyn Projection>> { vec![Box::new(Picky { revision: 1 })] };
    let division = Division::closed(name, config, projections, Live::default());
    let paths = Paths::new(dir.path(), dir.path());
    division.acquire(&paths, 1).await.unwrap();
    division
}

fn event(kind: &'static str) -> NewEvent {
    NewEvent::json(kind, 1, &1).unwrap()
}

async fn append(store: &Store, kind: &'static str) {
    let appended = store.append(StreamId::new("s"), ExpectedVersion::Any, vec![event(kind)]);
    appended.await.unwrap();
}

#[test]
fn commands_are_counted_by_what_became_of_them() {
    let dir = TempDir::new().unwrap();
    run(async {
        let config = StoreConfig::new("told_commands").in_memory();
        let division = division("told_commands", &dir, config).await;
        let count = |outcome| {
            let labels = [
                ("division", "told_commands"),
                ("command", "let_happen_v1"),
                ("outcome", outcome),
            ];
            metric("commands_total", &labels).unwrap_or_default()
        };
        let accept = |_: &Thing, _: LetHappenV1, _: &_| Ok(vec![Happened]);

        let repeated = Command {
            id: Uuid::now_v7(),
            may_repeat: true,
            ..Command::new(LetHappenV1)
        };
        for _ in 0..3 {
            division
                .dispatch("a", repeated.clone(), accept)
                .await
                .unwrap();
        }
        assert_eq!((count("done"), count("replayed")), (1.0, 2.0));

        let reject = |_: &Thing, _: LetHappenV1, _: &_| Err(Rejection::rule("no", "no"));
        let rejected = division
            .dispatch("a", Command::new(LetHappenV1), reject)
            .await;
        assert!(
            matches!(rejected, Err(DispatchError::Rejected(_))),
            "{rejected:?}"
        );
        assert_eq!(count("rejected"), 1.0);

        // Somebody else is faster, each time. A store in memory answers at once.
        let store = division.store().clone();
        let overtaken = move |_: &Thing, _: LetHappenV1, _: &_| {
            let other = store.append(
                StreamId::of("thing", "a"),
                ExpectedVersion::Any,
                vec![event("happened")],
            );
            other.now_or_never().unwrap().unwrap();
            Ok(vec![Happened])
        };
        let conflict = division
            .dispatch("a", Command::new(LetHappenV1), overtaken)
            .await;
        assert!(
            matches!(conflict, Err(DispatchError::Append(_))),
            "{conflict:?}"
        );
        assert_eq!(count("conflict"), 1.0);
        let labels = [("division", "told_commands"), ("command", "let_happen_v1")];
        assert_eq!(metric("command_retries_total", &labels), Some(8.0));

        division.release().await;
        let fenced = division
            .dispatch("a", Command::new(LetHappenV1), accept)
            .await;
        assert!(matches!(fenced, Err(DispatchError::Read(_))), "{fenced:?}");
        assert_eq!((count("fenced"), count("failed")), (1.0, 0.0));
        assert_eq!(metric("command_seconds", &labels), Some(6.0));
    });
}

#[test]
fn stores_are_counted_whichever_backend_they_have() {
    let dir = TempDir::new().unwrap();
    run(async {
        for (name, config) in [
            ("told_disk", StoreConfig::new("told_disk")),
            ("told_memory", StoreConfig::new("told_memory").in_memory()),
        ] {
            let division = division(name, &dir, config).await;
            let store = division.store();
            let of = |metric_name: &str| metric(metric_name, &[("store", name)]);
            let count = |outcome| {
                let labels = [("store", name), ("outcome", outcome)];
                metric("store_appends_total", &labels).unwrap()
            };
            let write = |id, kind, expected| {
                let mut request = AppendRequest::new(
                    StreamId::new("s"),
                    expected,
                    vec![event(kind), event(kind)],
                );
                request.id = id;
                store.append_request(request)
            };
            let id = AppendId::fresh();
            write(id, "fine", ExpectedVersion::NoStream).await.unwrap();
            write(id, "fine", ExpectedVersion::NoStream).await.unwrap();
            let reused = write(id, "other", ExpectedVersion::Any).await;
            assert!(matches!(
                reused,
                Err(AppendError::IdempotencyMismatch { .. })
            ));
            let conflict = write(AppendId::fresh(), "fine", ExpectedVersion::NoStream).await;
            assert!(matches!(
                conflict,
                Err(AppendError::WrongExpectedVersion { .. })
            ));
            let huge = NewEvent {
                data: vec![b'1'; MAX_EVENT_BYTES + 1],
                ..event("huge")
            };
            let refused = store.append(StreamId::new("s"), ExpectedVersion::Any, vec![huge]);
            assert!(matches!(refused.await, Err(AppendError::TooLarge { .. })));
            store
                .read_stream(StreamId::new("s"), None, 10)
                .await
                .unwrap();
            division.release().await;
            let fenced = write(AppendId::fresh(), "fine", ExpectedVersion::Any).await;
            assert!(matches!(fenced, Err(AppendError::Fenced)));

            let outcomes = [
                "written", "replayed", "conflict", "refused", "fenced", "failed",
            ];
            assert_eq!(
                outcomes.map(count),
                [1.0, 1.0, 1.0, 2.0, 1.0, 0.0],
                "{name}"
            );
            assert_eq!(of("store_events_total"), Some(2.0), "{name}");
            assert_eq!(of("store_append_seconds"), Some(6.0), "{name}");
            assert_eq!(of("store_reads_total"), Some(1.0), "{name}");
            assert_eq!(of("store_read_seconds"), Some(1.0), "{name}");

            // Opened again, it counts on.
            let paths = Paths::new(dir.path(), dir.path());
            division.acquire(&paths, 2).await.unwrap();
            append(store, "fine").await;
            assert_eq!(
                (count("written"), of("store_events_total")),
                (2.0, Some(3.0))
            );
            division.release().await;
        }
        // Five requests came to the writer, one after the other; memory has no transactions.
        let commits = |name| metric("store_commits_total", &[("store", name)]);
        assert_eq!(
            (commits("told_disk"), commits("told_memory")),
            (Some(5.0), None)
        );
    });
}

#[test]
fn projections_tell_how_far_behind_they_are_and_what_they_parked() {
    let dir = TempDir::new().unwrap();
    run(async {
        let division = division("told_projections", &dir, StoreConfig::new("told")).await;
        let of = |name| {
            let labels = [("division", "told_projections"), ("projection", "picky")];
            metric(name, &labels)
        };
        assert_eq!(of("projection_parked"), Some(0.0));
        for kind in ["fine", "fine", "poison", "fine", "fine"] {
            append(division.store(), kind).await;
        }
        let last = *division.store().get().unwrap().head().borrow();
        assert!(
            division
                .caught_up(last.unwrap(), Duration::from_secs(5))
                .await
        );
        division.release().await;
        assert_eq!(of("projection_events_total"), Some(2.0));
        assert_eq!(of("projection_parked"), Some(3.0));
        assert_eq!(of("projection_lag_events"), Some(0.0));
        let batches = metric("projection_seconds", &[("division", "told_projections")]);
        assert!(batches >= Some(1.0), "{batches:?}");
    });
}

#[test]
fn rows_that_are_built_anew_are_counted_for_themselves() {
    let dir = TempDir::new().unwrap();
    run(async {
        let name = "told_rebuild";
        let config = || StoreConfig::new(name);
        let first = division(name, &dir, config()).await;
        let events = || vec![event("fine"); 500];
        for _ in 0..5 {
            let (stream, expected) = (StreamId::new("s"), ExpectedVersion::Any);
            first
                .store()
                .append(stream, expected, events())
                .await
                .unwrap();
        }
        first.release().await;
        let of = |name| {
            metric(
                name,
                &[("division", "told_rebuild"), ("projection", "picky")],
            )
        };
        let changed = || -> Vec<Box<dyn Projection>> { vec![Box::new(Picky { revision: 2 })] };
        let second = Division::closed(name, config(), changed, Live::default());
        second
            .acquire(&Paths::new(dir.path(), dir.path()), 2)
            .await
            .unwrap();
        let last = *second.store().get().unwrap().head().borrow();
        assert!(
            second
                .caught_up(last.unwrap(), Duration::from_secs(60))
                .await
        );
        second.release().await;
        assert_eq!(of("projection_rebuild_events_total"), Some(2500.0));
        assert_eq!(of("projection_rebuild_lag_events"), Some(0.0));
    });
}

#[test]
fn commands_are_named_as_their_types() {
    struct Generic<T>(std::marker::PhantomData<T>);
    assert_eq!(command_name::<LetHappenV1>(), "let_happen_v1");
    assert_eq!(command_name::<Generic<Arc<LetHappenV1>>>(), "generic");
}
