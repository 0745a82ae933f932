use hecate_sdk::serde_json::json;
use hecate_sdk::testing::{TestPlugin, run};

use crate::MyPlugin;

#[test]
fn an_added_item_is_listed_and_found() {
    run(async {
        let plugin = TestPlugin::start::<MyPlugin>().await;
        assert_eq!(
            plugin.get("/items").await.json,
            json!({"ok": true, "items": []})
        );

        let added = plugin.post("/items", json!({"name": "lamp"})).await;
        assert_eq!(added.status, 201);
        let id = added.json["item_id"].as_str().unwrap();

        let item = json!({"item_id": id, "name": "lamp"});
        assert_eq!(plugin.get("/items").await.json["items"], json!([item]));
        assert_eq!(
            plugin.get(&format!("/items/{id}")).await.json["name"],
            "lamp"
        );
    });
}

#[test]
fn what_is_not_there_is_not_found() {
    run(async {
        let plugin = TestPlugin::start::<MyPlugin>().await;
        let missing = plugin.get("/items/nobody").await;
        assert_eq!(
            (missing.status.as_u16(), &missing.json["code"]),
            (404, &json!("item_not_found"))
        );
    });
}

#[test]
fn an_item_needs_a_name() {
    run(async {
        let plugin = TestPlugin::start::<MyPlugin>().await;
        let refused = plugin.post("/items", json!({"name": " "})).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json["code"]),
            (400, &json!("name_missing"))
        );
        assert_eq!(plugin.get("/items").await.json["items"], json!([]));
    });
}
