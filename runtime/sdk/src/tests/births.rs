//! A birth is decided as if the thing were new, without looking; if that is wrong, on what the thing is.

use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use super::account::{Account, AccountEvent, Closed, open, pay};
use crate::aggregate::{Cx, Rejection, derived_id};
use crate::api::Command;
use crate::division::{DispatchError, Division};
use crate::live::Live;
use crate::paths::Paths;
use crate::store::{StoreConfig, StreamVersion};
use crate::testing::{metric, run};

/// The command that would bring the account into being which is there already.
const BIRTH: Uuid = Uuid::from_u128(7);

fn command<T: serde::de::DeserializeOwned>(body: serde_json::Value, id: Uuid) -> Command<T> {
    Command {
        id,
        ..Command::new(serde_json::from_value(body).unwrap())
    }
}

/// A division with one account, whose id is the one that [`BIRTH`] stands for.
async fn division(dir: &TempDir) -> Division {
    let division = Division::closed("test", StoreConfig::new("test"), Vec::new, Live::default());
    let paths = Paths::new(dir.path(), dir.path());
    division.acquire(&paths, 1).await.unwrap();
    let id = derived_id(BIRTH, 0).to_string();
    let other = command(json!({"owner": "Ada"}), Uuid::now_v7());
    let there = division.dispatch::<Account, _, _>(&id, other, open).await;
    assert_eq!(there.unwrap().version, StreamVersion::new(1));
    division
}

#[test]
fn what_is_there_already_is_not_born_again() {
    let dir = TempDir::new().unwrap();
    run(async {
        let division = division(&dir).await;
        let again = command(json!({"owner": "Bob"}), BIRTH);
        let refused = division.dispatch_new::<Account, _, _>(again, open).await;
        let Err(DispatchError::Rejected(rejection)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(rejection.code, "account_exists");
        division.release().await;
    });
}

#[test]
fn a_refusal_is_about_what_is_there() {
    let dir = TempDir::new().unwrap();
    run(async {
        let division = division(&dir).await;
        // Of a new account it would be refused.
        let paid = command(json!({"amount": "1"}), BIRTH);
        let done = division.dispatch_new::<Account, _, _>(paid, pay).await;
        assert_eq!(done.unwrap().version, StreamVersion::new(2));
        division.release().await;
    });
}

#[test]
fn that_nothing_happens_is_about_what_is_there() {
    fn close_if_paid(account: &Account, (): (), _: &Cx) -> Result<Vec<AccountEvent>, Rejection> {
        let closed = AccountEvent::Closed(Closed {});
        Ok((!account.balance.is_zero())
            .then_some(closed)
            .into_iter()
            .collect())
    }

    let dir = TempDir::new().unwrap();
    run(async {
        let division = division(&dir).await;
        let id = derived_id(BIRTH, 0).to_string();
        let paid = command(json!({"amount": "1"}), Uuid::now_v7());
        let done = division.dispatch::<Account, _, _>(&id, paid, pay).await;
        done.unwrap();
        let done = division
            .dispatch_new(command(json!(null), BIRTH), close_if_paid)
            .await;
        assert_eq!(done.unwrap().version, StreamVersion::new(3));
        let fresh = command(json!(null), Uuid::now_v7());
        let nothing = division.dispatch_new(fresh, close_if_paid).await.unwrap();
        assert_eq!((nothing.version, nothing.position), (None, None));
        division.release().await;
    });
}

#[test]
fn a_new_thing_is_not_looked_for() {
    let dir = TempDir::new().unwrap();
    run(async {
        let config = StoreConfig::new("births");
        let division = Division::closed("births", config, Vec::new, Live::default());
        let paths = Paths::new(dir.path(), dir.path());
        division.acquire(&paths, 1).await.unwrap();
        let reads = || metric("store_reads_total", &[("store", "births")]);
        let before = reads();
        let fresh = command(json!({"owner": "Ada"}), Uuid::now_v7());
        let done = division.dispatch_new::<Account, _, _>(fresh, open).await;
        assert_eq!(done.unwrap().version, StreamVersion::new(1));
        assert_eq!(reads(), before, "a read is a thread to wait for");
        division.release().await;
    });
}
