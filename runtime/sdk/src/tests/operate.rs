//! What operators ask, as it arrives.

use hecate_manifest::control::{StartConfig, StoreAsk};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::account::Accounts;
use super::plugin::Items;
use crate::paths::Paths;
use crate::plugin::Plugin;
use crate::running::Running;
use crate::testing::{Around, run};

async fn started<P: Plugin>(dir: &TempDir) -> (Running, Paths) {
    let config = StartConfig {
        data_dir: dir.path().to_owned(),
        bundle_dir: dir.path().to_owned(),
    };
    let plugin = Running::start::<P>(&config).await.unwrap();
    let paths = Paths::of(&config);
    plugin.acquire(&paths, 1).await.unwrap();
    (plugin, paths)
}

async fn asked(plugin: &Running, paths: &Paths, ask: Value) -> Result<Value, String> {
    let ask: StoreAsk = serde_json::from_value(ask).unwrap();
    let done = plugin.look_after(paths, &ask).await;
    done.map_err(|error| error.0)
}

#[test]
fn what_is_asked_about_projections_is_done_by_those_that_have_them() {
    let dir = TempDir::new().unwrap();
    run(async {
        let (plugin, paths) = started::<Around<Accounts>>(&dir).await;
        for (ask, answer) in [
            (json!({"do": "replay"}), json!({"replaying": ["accounts"]})),
            (
                json!({"do": "replay", "projection": "accounts", "store": "account"}),
                json!({"replaying": ["accounts"]}),
            ),
            (
                json!({"do": "dead_letters"}),
                json!({"parked": 0, "letters": []}),
            ),
            (
                json!({"do": "retry", "projection": "accounts"}),
                json!({"projections": {"accounts": {"taken": 0, "parked": 0}}}),
            ),
        ] {
            let done = asked(&plugin, &paths, ask.clone()).await;
            assert_eq!(done, Ok(json!({"stores": {"account": answer}})), "{ask}");
        }
        for ask in [
            json!({"do": "replay", "projection": "account"}),
            json!({"do": "retry", "projection": "account"}),
            json!({"do": "discard", "projection": "account", "position": 1}),
        ] {
            let refused = asked(&plugin, &paths, ask.clone()).await;
            let message = "there is no projection `account`: there are `accounts`";
            assert_eq!(refused, Err(message.to_owned()), "{ask}");
        }
        let stats = asked(&plugin, &paths, json!({"do": "stats"}))
            .await
            .unwrap();
        assert_eq!(
            stats["stores"]["account"]["projections"]["accounts"]["parked"],
            0
        );
        plugin.release().await;
        let closed = asked(&plugin, &paths, json!({"do": "replay"})).await;
        assert_eq!(closed, Err("`account`: the store is closed".to_owned()));
    });
}

#[test]
fn a_store_that_nothing_follows_has_nothing_to_replay() {
    let dir = TempDir::new().unwrap();
    run(async {
        let (plugin, paths) = started::<Items>(&dir).await;
        let done = asked(&plugin, &paths, json!({"do": "replay"})).await;
        assert_eq!(done, Ok(json!({"stores": {"items": {"replaying": []}}})));
        let named = asked(&plugin, &paths, json!({"do": "replay", "projection": "a"})).await;
        assert_eq!(
            named,
            Err("there is no projection `a`: there are none".to_owned())
        );
        plugin.release().await;
    });
}
