//! The routes of a division's desks: collected, checked for duplicates, described for OpenAPI.
//!
//! Handlers are plain axum handlers with [`Division`] as their state. Two handlers for one method and path are a reason
//! not to start, also when the path's parameters have other names; the error names both desks.
//!
//! ```
//! use hecate_sdk::api::{Answer, ApiError};
//! use hecate_sdk::axum::extract::{Path, State};
//! use hecate_sdk::division::{Division, DivisionSpec};
//! use hecate_sdk::routes::Routes;
//! use hecate_sdk::serde_json::json;
//! use hecate_sdk::testing::{Around, OneDivision, TestPlugin, run};
//!
//! async fn greet(State(shop): State<Division>, Path(name): Path<String>) -> Result<Answer, ApiError> {
//!     Ok(Answer::of(json!({"greeting": format!("{} greets {name}", shop.name())})))
//! }
//!
//! struct Shop;
//!
//! impl OneDivision for Shop {
//!     fn division() -> DivisionSpec {
//!         DivisionSpec::new("shop", Routes::new().get("/greetings/{name}", greet))
//!     }
//! }
//!
//! run(async {
//!     let plugin = TestPlugin::start::<Around<Shop>>().await;
//!     let answer = plugin.get("/greetings/Ada").await;
//!     assert_eq!(answer.json, json!({"ok": true, "greeting": "shop greets Ada"}));
//!     assert_eq!(plugin.get("/greetings").await.json["code"], "not_found");
//! });
//! ```
//!
//! [`Routes::desk`] says what a desk is: that is what `/openapi.json` and the page that draws itself are made of.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, on};

use crate::division::Division;
use crate::fields::Field;
use crate::table::Table;

/// Routes of one desk, or of all desks of a division.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    router: Router<Division>,
    endpoints: Vec<Endpoint>,
    duplicates: Vec<String>,
}

/// One method on one path.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) desk: Option<Desk>,
}

impl Routes {
    /// No routes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// `GET path`.
    #[must_use]
    pub fn get<H, T>(self, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Division>,
        T: 'static,
    {
        self.on("get", MethodFilter::GET, path, handler)
    }

    /// `POST path`.
    #[must_use]
    pub fn post<H, T>(self, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Division>,
        T: 'static,
    {
        self.on("post", MethodFilter::POST, path, handler)
    }

    /// `PUT path`.
    #[must_use]
    pub fn put<H, T>(self, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Division>,
        T: 'static,
    {
        self.on("put", MethodFilter::PUT, path, handler)
    }

    /// `DELETE path`.
    #[must_use]
    pub fn delete<H, T>(self, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Division>,
        T: 'static,
    {
        self.on("delete", MethodFilter::DELETE, path, handler)
    }

    /// Says which desk the routes so far belong to.
    #[must_use]
    pub fn desk(mut self, desk: Desk) -> Self {
        for endpoint in &mut self.endpoints {
            endpoint.desk.get_or_insert_with(|| desk.clone());
        }
        self
    }

    /// Adds the routes of another desk.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        let fresh = other
            .endpoints
            .iter()
            .all(|endpoint| self.is_free(endpoint.method, endpoint.path));
        self.duplicates.extend(other.duplicates);
        if fresh {
            self.router = self.router.merge(other.router);
            self.endpoints.extend(other.endpoints);
            return self;
        }
        for endpoint in &other.endpoints {
            if !self.is_free(endpoint.method, endpoint.path) {
                self.duplicates.push(self.conflict(endpoint));
            }
        }
        self
    }

    pub(crate) fn into_parts(self) -> (Router<Division>, Vec<Endpoint>, Vec<String>) {
        (self.router, self.endpoints, self.duplicates)
    }

    fn on<H, T>(
        mut self,
        method: &'static str,
        filter: MethodFilter,
        path: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Division>,
        T: 'static,
    {
        let endpoint = Endpoint {
            method,
            path,
            desk: None,
        };
        if self.is_free(method, path) {
            self.router = self.router.route(path, on(filter, handler));
            self.endpoints.push(endpoint);
        } else {
            self.duplicates.push(self.conflict(&endpoint));
        }
        self
    }

    /// Whether neither this endpoint is taken nor the same path with other names for its parameters.
    fn is_free(&self, method: &str, path: &str) -> bool {
        !self.endpoints.iter().any(|known| {
            shape(known.path) == shape(path) && (known.method == method || known.path != path)
        })
    }

    fn conflict(&self, endpoint: &Endpoint) -> String {
        let of = |endpoint: &Endpoint| {
            let desk = endpoint.desk.as_ref().map_or("", |desk| desk.name);
            format!(
                "{} {} ({desk})",
                endpoint.method.to_uppercase(),
                endpoint.path
            )
        };
        let known = self
            .endpoints
            .iter()
            .find(|known| shape(known.path) == shape(endpoint.path));
        format!("{} and {}", known.map(of).unwrap_or_default(), of(endpoint))
    }
}

/// A path with its parameters unnamed: `/orders/{}/confirm`.
fn shape(path: &str) -> String {
    let part = |part: &str| {
        if part.starts_with('{') {
            "{}".to_owned()
        } else {
            part.to_owned()
        }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// What a desk is, for OpenAPI and for the page that draws itself from it.
#[derive(Debug, Clone)]
pub struct Desk {
    pub(crate) name: &'static str,
    pub(crate) kind: DeskKind,
    pub(crate) fields: &'static [Field],
    pub(crate) events: &'static [&'static str],
    pub(crate) table: Option<Table>,
    /// Columns that rows can be filtered by.
    pub(crate) filters: Vec<&'static str>,
}

/// What kind of desk it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeskKind {
    Birth,
    Command,
    ById,
    ByField(&'static str),
    Page,
    Search,
    Count,
}

impl DeskKind {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Birth => "birth",
            Self::Command => "command",
            Self::ById => "by-id",
            Self::ByField(_) => "by-field",
            Self::Page => "page",
            Self::Search => "search",
            Self::Count => "count",
        }
    }
}

impl Desk {
    /// A command that brings a new thing into being.
    pub const fn birth(name: &'static str, fields: &'static [Field]) -> Self {
        Self {
            name,
            kind: DeskKind::Birth,
            fields,
            events: &[],
            table: None,
            filters: Vec::new(),
        }
    }

    /// A command on an existing thing.
    pub const fn command(name: &'static str, fields: &'static [Field]) -> Self {
        Self {
            name,
            kind: DeskKind::Command,
            fields,
            events: &[],
            table: None,
            filters: Vec::new(),
        }
    }

    /// The events that the command leads to: `order_confirmed_v1`.
    #[must_use]
    pub const fn events(mut self, events: &'static [&'static str]) -> Self {
        self.events = events;
        self
    }

    /// A query for one row by its key.
    pub fn by_id(name: &'static str, table: &Table) -> Self {
        Self::query(name, DeskKind::ById, table)
    }

    /// A query for the rows with one value in a column.
    pub fn by_field(name: &'static str, field: &'static str, table: &Table) -> Self {
        Self::query(name, DeskKind::ByField(field), table)
    }

    /// A query for rows, page by page.
    pub fn page(name: &'static str, table: &Table) -> Self {
        Self::query(name, DeskKind::Page, table)
    }

    /// A query for rows that contain a text.
    pub fn search(name: &'static str, table: &Table) -> Self {
        Self::query(name, DeskKind::Search, table)
    }

    /// A query for the number of rows.
    pub fn count(name: &'static str, table: &Table) -> Self {
        Self::query(name, DeskKind::Count, table)
    }

    /// The columns that its rows can be filtered by.
    #[must_use]
    pub fn filters(mut self, columns: &[&'static str]) -> Self {
        self.filters = columns.to_vec();
        self
    }

    fn query(name: &'static str, kind: DeskKind, table: &Table) -> Self {
        Self {
            name,
            kind,
            fields: &[],
            events: &[],
            table: Some(table.clone()),
            filters: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Desk, Routes};

    async fn handler() {}

    #[test]
    fn duplicates_are_found_under_other_parameter_names_too() {
        let one = Routes::new()
            .post("/orders/{id}/confirm", handler)
            .desk(Desk::command("confirm_order", &[]));
        let other = Routes::new()
            .post("/orders/{order_id}/confirm", handler)
            .desk(Desk::command("accept_order", &[]));
        let fine = Routes::new()
            .get("/orders/{id}", handler)
            .get("/orders/search", handler)
            .post("/orders/{id}", handler);
        let (_, endpoints, duplicates) = one.merge(other).merge(fine).into_parts();
        assert_eq!(endpoints.len(), 4);
        assert_eq!(
            duplicates,
            [
                "POST /orders/{id}/confirm (confirm_order) and POST /orders/{order_id}/confirm (accept_order)"
            ]
        );
    }
}
