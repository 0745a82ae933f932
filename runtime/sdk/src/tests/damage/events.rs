//! Events that this build of a plugin cannot read: written by a newer one, or changed.

use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::aggregate::{DecodeError, encode_payload};
use crate::api::Command;
use crate::division::{DispatchError, Division};
use crate::live::Live;
use crate::paths::Paths;
use crate::store::{ExpectedVersion, NewEvent, StoreConfig, StreamId};
use crate::testing::run;
use crate::tests::account::{ACCOUNTS, Account, Opened, Pay, pay, projections};

async fn accounts(dir: &TempDir) -> Division {
    let division = Division::closed(
        "account",
        StoreConfig::new("test"),
        projections,
        Live::default(),
    );
    let paths = Paths::new(dir.path(), dir.path());
    division.acquire(&paths, 1).await.unwrap();
    division
}

async fn append(division: &Division, id: &str, event: NewEvent) {
    let stream = StreamId::of("account", id);
    let appended = division
        .store()
        .append(stream, ExpectedVersion::Any, vec![event]);
    let last = appended.await.unwrap().last.unwrap();
    // Whatever comes of it.
    division.caught_up(last, Duration::from_secs(5)).await;
}

fn opened() -> NewEvent {
    let owner = "Ada".to_owned();
    encode_payload(&Opened { owner }).unwrap()
}

async fn row(division: &Division, id: &'static str) -> Value {
    let row = division
        .query(move |model| ACCOUNTS.by_key(model, id))
        .await;
    row.unwrap().map_or(Value::Null, Value::Object)
}

async fn send(division: &Division, id: &str) -> Result<(), DispatchError> {
    let body: Pay = serde_json::from_value(json!({"amount": 1})).unwrap();
    let done = division.dispatch(id, Command::new(body), pay).await;
    done.map(|_| ())
}

#[test]
fn an_event_that_cannot_be_read_stops_its_thing_and_is_named() {
    let unreadable = [
        NewEvent::json("account_frozen", 1, &json!({})).unwrap(),
        NewEvent::json("account_paid", 2, &json!({"amount": {"cents": 5}})).unwrap(),
        NewEvent::json("account_paid", 1, &json!({"amount": "a lot"})).unwrap(),
        NewEvent {
            data: b"\xff{".to_vec(),
            ..NewEvent::json("account_paid", 1, &json!({})).unwrap()
        },
    ];
    for event in unreadable {
        let dir = TempDir::new().unwrap();
        let named = format!("`{}_v{}`", event.event_type, event.revision);
        run(async {
            let division = accounts(&dir).await;
            append(&division, "a", opened()).await;
            append(&division, "b", opened()).await;
            append(&division, "a", event.clone()).await;
            append(
                &division,
                "a",
                NewEvent::json("account_closed", 1, &json!({})).unwrap(),
            )
            .await;

            let loaded = division.load::<Account>("a").await;
            let Err(DispatchError::Decode(error)) = loaded.map(|_| ()) else {
                panic!("it was read: {event:?}");
            };
            assert!(error.to_string().contains(&named), "{error}");
            let of_payload = matches!(error, DecodeError::Payload { .. });
            assert_eq!(
                of_payload,
                event.revision == 1 && event.event_type == "account_paid"
            );
            // Nothing is decided on what is known in part, and others are as they were.
            let refused = send(&division, "a").await;
            assert!(
                matches!(refused, Err(DispatchError::Decode(_))),
                "{refused:?}"
            );
            let stream = StreamId::of("account", "a");
            let events = division
                .store()
                .read_stream(stream, None, 10)
                .await
                .unwrap();
            assert_eq!(events.len(), 3);
            send(&division, "b").await.unwrap();

            let row = row(&division, "a").await;
            assert_eq!(
                (&row["version"], &row["status"]),
                (&json!(1), &json!(1)),
                "what comes behind it was projected before it"
            );
            division.release().await;
        });
    }
}
