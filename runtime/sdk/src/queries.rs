//! What the answers to queries are made of: filters and pages from a query string, rows in the envelope.
//!
//! A page has 50 rows, or `limit` of them, 1 to 200; `after` is the key behind which it begins, `order` is `asc` or
//! `desc`, and `sort` the column that it is sorted by: any that it can be filtered by, else what came first comes first.
//! What else is in the query string filters by a column of that name. What is not right is answered with 422, code
//! `invalid`, and a message for each parameter.
//!
//! ```
//! use std::sync::LazyLock;
//!
//! use hecate_sdk::fields::FieldType;
//! use hecate_sdk::queries::Params;
//! use hecate_sdk::table::{Column, Table};
//!
//! static ORDERS: LazyLock<Table> = LazyLock::new(|| {
//!     Table::new("orders", "order_id").columns(&[Column::new("total", FieldType::Decimal)])
//! });
//!
//! // A handler takes `params: Params`, and ends in `params.page(&ORDERS, &["total"])?.read(&division).await`.
//! let params = |pairs: &[(&str, &str)]| {
//!     Params(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
//! };
//! assert!(params(&[("total", "12.50"), ("limit", "10")]).page(&ORDERS, &["total"]).is_ok());
//! let error = params(&[("total", "much"), ("colour", "red")]).page(&ORDERS, &["total"]).unwrap_err();
//! assert_eq!((error.status().as_u16(), error.code()), (422, "invalid"));
//! ```

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
use rusqlite::types::Value as Sql;
use serde_json::json;

use crate::api::{Answer, ApiError};
use crate::division::Division;
use crate::fields::FieldType;
use crate::table::{Column, Order, Sort, Table};
use crate::validate::Invalid;

/// Rows of a page, unless `limit` says otherwise.
const PAGE: usize = 50;
/// Rows of a page at most.
const MAX_PAGE: usize = 200;

/// The query string of a request, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(pub BTreeMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let pairs = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let Query(pairs) =
            pairs.map_err(|rejection| ApiError::bad_request("bad_query", rejection.body_text()))?;
        let mut params = BTreeMap::new();
        for (name, value) in pairs {
            if params.insert(name.clone(), value).is_some() {
                return Err(Invalid::field(name, "is given twice").into());
            }
        }
        Ok(Self(params))
    }
}

impl Params {
    /// Takes one parameter out.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// Takes `limit` out: 1 to 200, 50 if it is not given.
    ///
    /// # Errors
    ///
    /// An answer that names `limit`.
    pub fn take_limit(&mut self) -> Result<usize, ApiError> {
        let Some(text) = self.take("limit") else {
            return Ok(PAGE);
        };
        match text.parse() {
            Ok(limit) if (1..=MAX_PAGE).contains(&limit) => Ok(limit),
            _ => Err(
                Invalid::field("limit", format!("must be a number from 1 to {MAX_PAGE}")).into(),
            ),
        }
    }

    /// What is left, as filters on the columns `allowed` of `table`.
    ///
    /// # Errors
    ///
    /// An answer that names each parameter that is none of them, or not of its column's type.
    pub fn filters(self, table: &Table, allowed: &[&str]) -> Result<Filters, ApiError> {
        let (mut filters, mut invalid) = (Filters::new(), Invalid::default());
        for (name, text) in self.0 {
            match filter(table, allowed, &name, &text) {
                Ok(filter) => filters.push(filter),
                Err(message) => _ = invalid.fields.insert(name, message),
            }
        }
        if invalid.fields.is_empty() {
            Ok(filters)
        } else {
            Err(invalid.into())
        }
    }

    /// Takes `order` out: `asc`, or `desc` for the newest first.
    ///
    /// # Errors
    ///
    /// An answer that names `order`.
    pub fn take_order(&mut self) -> Result<Order, ApiError> {
        match self.take("order").as_deref() {
            None | Some("asc") => Ok(Order::Ascending),
            Some("desc") => Ok(Order::Descending),
            Some(_) => Err(Invalid::field("order", "must be asc or desc").into()),
        }
    }

    /// Takes `sort` out: one of the columns `allowed` of `table`, but none of JSON.
    ///
    /// # Errors
    ///
    /// An answer that names `sort`.
    pub fn take_sort(
        &mut self,
        table: &Table,
        allowed: &[&str],
    ) -> Result<Option<Column>, ApiError> {
        let Some(name) = self.take("sort") else {
            return Ok(None);
        };
        let known = sortable(table, allowed);
        let column = known.iter().find(|column| column.name == name);
        column.copied().map(Some).ok_or_else(|| {
            let names: Vec<_> = known.iter().map(|column| column.name).collect();
            Invalid::field("sort", format!("must be one of: {}", names.join(", "))).into()
        })
    }

    /// A page of `table`: `limit`, `sort`, `order`, `after`, and what is left as filters on the columns `allowed`.
    ///
    /// # Errors
    ///
    /// An answer that names each parameter that is not right.
    pub fn page(
        mut self,
        table: &'static Table,
        allowed: &[&str],
    ) -> Result<PageRequest, ApiError> {
        let (limit, order, after) = (self.take_limit()?, self.take_order()?, self.take("after"));
        // A page without filters of its own is not sorted by columns either: the parameter is unknown there.
        let by = match allowed {
            [] => None,
            _ => self.take_sort(table, allowed)?,
        };
        let filters = self.filters(table, allowed)?;
        Ok(PageRequest {
            table,
            filters,
            after,
            sort: Sort { by, order },
            limit,
        })
    }

    /// The text to search for, and how many rows are wanted: `q` and `limit`.
    ///
    /// # Errors
    ///
    /// An answer that names the parameter that is not right.
    pub fn search(mut self) -> Result<(String, usize), ApiError> {
        let limit = self.take_limit()?;
        let text = self.take("q").filter(|text| !text.trim().is_empty());
        let text = text.ok_or_else(|| Invalid::field("q", "must say what to search for"))?;
        match self.0.into_keys().next() {
            Some(name) => {
                Err(Invalid::field(name, "is not known here; there are: q, limit").into())
            }
            None => Ok((text, limit)),
        }
    }
}

/// The columns of `allowed` that rows can be sorted by.
pub(crate) fn sortable(table: &Table, allowed: &[&str]) -> Vec<Column> {
    let columns = allowed.iter().filter_map(|name| table.any_column(name));
    columns
        .filter(|column| column.kind != FieldType::Json)
        .collect()
}

/// Columns, and the values that they must have.
pub type Filters = Vec<(Column, Sql)>;

fn filter(
    table: &Table,
    allowed: &[&str],
    name: &str,
    text: &str,
) -> Result<(Column, Sql), String> {
    let column = table.any_column(name);
    let column = column.filter(|column| allowed.contains(&column.name));
    let column =
        column.ok_or_else(|| format!("is no filter here; there are: {}", allowed.join(", ")))?;
    Ok((column, column.kind.parse(text)?))
}

/// A page of a table that is asked for.
#[derive(Debug, Clone)]
pub struct PageRequest {
    table: &'static Table,
    filters: Filters,
    after: Option<String>,
    sort: Sort,
    limit: usize,
}

impl PageRequest {
    /// Only rows where `column` is the value that `text` stands for.
    ///
    /// # Errors
    ///
    /// An answer that names the column, if `text` is not of its type.
    pub fn with(mut self, column: &'static str, text: &str) -> Result<Self, ApiError> {
        let filter = filter(self.table, &[column], column, text);
        self.filters
            .push(filter.map_err(|message| Invalid::field(column, message))?);
        Ok(self)
    }

    /// Reads it: `{"ok":true,"items":[…],"next":…}`, where `next` is the `after` of the next page, or null.
    ///
    /// # Errors
    ///
    /// The answer to send instead.
    pub async fn read(self, division: &Division) -> Result<Answer, ApiError> {
        let Self {
            table,
            filters,
            after,
            sort,
            limit,
        } = self;
        // One more than is wanted tells whether there is a next page.
        let query = move |model: &rusqlite::Connection| {
            table.page(model, &filters, after.as_deref(), sort, limit + 1)
        };
        let mut rows = division.query(query).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows
            .last()
            .filter(|_| more)
            .and_then(|row| row.get(table.key()).cloned());
        Ok(Answer::of(json!({"items": rows, "next": next})))
    }
}
