use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use serde_json::json;

use super::account::Accounts;
use crate::api::{Answer, ApiError, Json};
use crate::division::DivisionSpec;
use crate::flags::{FlagMap, FlagMaps};
use crate::plugin::{InitError, Plugin, PluginContext};
use crate::routes::Routes;
use crate::running::{BUILT_IN, Running};
use crate::store::{ExpectedVersion, NewEvent, Store, StoreConfig, StreamId};
use crate::testing::{Around, OneDivision, TestPlugin, run};

pub(super) struct Items {
    store: Store,
}

impl Plugin for Items {
    fn manifest() -> &'static str {
        r#"{"name": "items", "version": "1.2.3", "display_name": "Items", "plugin_type": "in_vm", "extra": 1}"#
    }

    async fn init(context: PluginContext) -> Result<Self, InitError> {
        Ok(Self {
            store: context.store()?,
        })
    }

    fn store_config() -> Option<StoreConfig> {
        Some(StoreConfig::new("my_items_store").dir_name("items"))
    }

    fn routes(&self) -> Router {
        Router::new()
            .route("/items", get(list).post(add))
            .with_state(self.store.clone())
    }

    fn flag_maps(&self) -> FlagMaps {
        FlagMaps::from([("item".to_owned(), FlagMap::new([(1, "Added")]))])
    }
}

async fn add(
    State(store): State<Store>,
    Json(item): Json<serde_json::Value>,
) -> Result<Answer, ApiError> {
    let event =
        NewEvent::json("item_added", 1, &item).map_err(|error| ApiError::internal(&error))?;
    let receipt = store
        .append(StreamId::new("items"), ExpectedVersion::Any, vec![event])
        .await?;
    Ok(Answer::of(json!({"position": receipt.last})))
}

async fn list(State(store): State<Store>) -> Result<Answer, ApiError> {
    let events = store.read_stream(StreamId::new("items"), None, 100).await?;
    Ok(Answer::of(json!({"count": events.len()})))
}

#[test]
fn a_plain_plugin_has_its_routes_and_the_built_in_ones() {
    run(async {
        let plugin = TestPlugin::start::<Items>().await;
        assert_eq!(
            plugin.get("/items").await.json,
            json!({"ok": true, "count": 0})
        );
        assert_eq!(
            plugin.post("/items", json!({"a": 1})).await.json,
            json!({"ok": true, "position": 1})
        );
        assert_eq!(plugin.get("/manifest").await.json["extra"], 1);
        let flags = json!({"ok": true, "flag_maps": {"item": {"1": "Added"}}});
        assert_eq!(plugin.get("/flag-maps").await.json, flags);
        let health =
            json!({"ok": true, "app": "items", "version": "1.2.3", "status": "ok", "details": {}});
        assert_eq!(plugin.get("/health").await.json, health);
        assert_eq!(
            plugin.get("/openapi.json").await.json["info"]["title"],
            "Items"
        );
        for path in BUILT_IN.iter().filter(|path| **path != "/event-stream") {
            assert_eq!(plugin.get(path).await.status, 200, "{path}");
        }
        let unknown = plugin.get("/apiary").await;
        assert_eq!(
            (unknown.status.as_u16(), &unknown.json["code"]),
            (404, &json!("not_found"))
        );
        let method = plugin.post("/health", json!({})).await;
        assert_eq!(
            (method.status.as_u16(), &method.json["code"]),
            (405, &json!("method_not_allowed"))
        );
    });
}

#[test]
fn the_api_description_follows_from_the_desks() {
    run(async {
        let plugin = TestPlugin::start::<Around<Accounts>>().await;
        let document = plugin.get("/openapi.json").await.json;
        let open = &document["paths"]["/accounts/open"]["post"];
        assert_eq!(open["operationId"], "open_account");
        assert_eq!(open["summary"], "Open account");
        assert_eq!(
            open["requestBody"]["content"]["application/json"]["schema"],
            json!({"type": "object", "properties": {"owner": {"type": "string"}}, "required": ["owner"]})
        );
        assert_eq!(
            open["x-hecate"],
            json!({"desk": "open_account", "kind": "birth", "division": "account", "events": ["account_opened_v1"]})
        );
        let page = &document["paths"]["/accounts"]["get"];
        assert_eq!(page["x-hecate"]["table"], "accounts");
        let row = &page["responses"]["200"]["content"]["application/json"]["schema"]["properties"]
            ["items"]["items"];
        assert_eq!(
            row["properties"]["last_paid"],
            json!({"type": "string", "format": "decimal"})
        );
        assert_eq!(
            document["paths"]["/accounts/{id}/pay"]["post"]["parameters"][0]["name"],
            "id"
        );
    });
}

struct Twice;

impl OneDivision for Twice {
    fn division() -> DivisionSpec {
        let routes = Accounts::division().routes;
        DivisionSpec::new("account", routes.clone().merge(routes))
    }
}

struct OwnHealth;

impl OneDivision for OwnHealth {
    fn division() -> DivisionSpec {
        let routes = Routes::new().get("/health", async || "mine");
        DivisionSpec::new("account", routes)
    }
}

struct TwoOfAName;

impl OneDivision for TwoOfAName {
    fn division() -> DivisionSpec {
        Accounts::division().projections(|| {
            let mut all = super::account::projections();
            all.extend(super::account::projections());
            all
        })
    }
}

struct FailsToInit;

impl Plugin for FailsToInit {
    fn manifest() -> &'static str {
        r#"{"name": "fails", "version": "0.1.0"}"#
    }

    async fn init(context: PluginContext) -> Result<Self, InitError> {
        context.store()?;
        Ok(Self)
    }
}

/// Why a plugin does not start; empty if it does.
async fn started<P: Plugin>() -> String {
    let config = hecate_manifest::control::StartConfig {
        data_dir: "/none".into(),
        bundle_dir: "/none".into(),
    };
    Running::start::<P>(&config)
        .await
        .err()
        .map(|error| error.0)
        .unwrap_or_default()
}

#[test]
fn what_cannot_start_says_why() {
    run(async {
        assert_eq!(
            started::<FailsToInit>().await,
            "the plugin has no `store_config`"
        );
        let twice = started::<Around<Twice>>().await;
        assert!(
            twice.starts_with("routes are given twice: POST /accounts/open (open_account) and"),
            "{twice}"
        );
        assert_eq!(
            started::<Around<TwoOfAName>>().await,
            "two projections of `account` are called `accounts`: a projection's name is that of its table"
        );
        assert_eq!(
            started::<Around<OwnHealth>>().await,
            "routes are given twice: GET /health is every plugin's own"
        );
    });
}

/// A plugin whose own routes are what `N` chooses.
struct Clashes<const N: usize>;

impl<const N: usize> Plugin for Clashes<N> {
    fn manifest() -> &'static str {
        r#"{"name": "clashes", "version": "0.1.0"}"#
    }

    async fn init(_: PluginContext) -> Result<Self, InitError> {
        Ok(Self)
    }

    fn routes(&self) -> Router {
        let router = Router::new();
        match N {
            0 => router.route("/health", get(async || "mine")),
            1 => router.route(
                "/{page}",
                get(async || "fine: the other paths are more exact"),
            ),
            2 => router.route("/accounts/{account}/pay", post(async || "mine")),
            3 => router
                .route("/a", get(async || ""))
                .route("/a", get(async || "")),
            _ => router.route("no-slash", get(async || "")),
        }
    }

    fn divisions() -> Vec<DivisionSpec> {
        if N == 5 {
            let routes = Routes::new().get("/accounts/:id", async || "an old way to say it");
            return vec![DivisionSpec::new("account", routes)];
        }
        vec![Accounts::division()]
    }
}

#[test]
fn routes_that_do_not_go_together_are_a_reason_not_to_start() {
    run(async {
        let said = started::<Clashes<0>>().await;
        assert!(
            said.starts_with(
                "the plugin's own routes and those that every plugin has (/manifest, "
            ),
            "{said}"
        );
        assert!(said.contains("`GET /health`"), "{said}");
        assert_eq!(started::<Clashes<1>>().await, "");
        let said = started::<Clashes<2>>().await;
        let begins = "the plugin's own routes and those of `account` cannot be used: ";
        assert!(said.starts_with(begins) && said.contains("/pay"), "{said}");
        for said in [started::<Clashes<3>>().await, started::<Clashes<4>>().await] {
            assert!(
                said.starts_with("the plugin's own routes cannot be used: "),
                "{said}"
            );
        }
        let said = started::<Clashes<5>>().await;
        assert!(
            said.starts_with("the routes of the divisions cannot be used: ")
                && said.contains("{capture}"),
            "{said}"
        );
    });
}
