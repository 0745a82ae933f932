//! What is asked for. This file is compiled into the plugin and into the bare server.

use hecate_sdk::axum::routing::get;
use hecate_sdk::axum::{Json, Router};
use hecate_sdk::serde::Serialize;

/// The routes.
pub(crate) fn routes() -> Router {
    Router::new().route("/small", get(small))
}

/// An answer of about a hundred bytes.
#[derive(Serialize)]
#[serde(crate = "hecate_sdk::serde")]
struct Small {
    ok: bool,
    order_id: &'static str,
    customer: &'static str,
    lines: u32,
}

async fn small() -> Json<Small> {
    Json(Small {
        ok: true,
        order_id: "01932d1c-5ee3-7c3c-9d5c-1b6b5b8e2f10",
        customer: "Ada Lovelace",
        lines: 2,
    })
}
