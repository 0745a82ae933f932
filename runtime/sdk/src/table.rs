//! Read-model tables: declared by columns, created and widened by themselves, written by projections, read as JSON.
//!
//! A row belongs to one thing: its key is the thing's id, `version` and `status` are those of its stream, and the
//! declared columns hold what its events said. Tables only grow: a new column is added to what is there.
//!
//! ```
//! use hecate_sdk::fields::FieldType;
//! use hecate_sdk::table::{Column, Table};
//!
//! let orders = Table::new("orders", "order_id")
//!     .columns(&[Column::new("customer", FieldType::String), Column::new("total", FieldType::Decimal)])
//!     // Another desk writes one of them too, and a third.
//!     .columns(&[Column::new("customer", FieldType::String), Column::new("note", FieldType::String)])
//!     .index("customer");
//! assert_eq!(orders.declared().len(), 3);
//! assert_eq!(orders.filters(), ["status", "version", "customer", "total", "note"]);
//! assert_eq!(orders.column("total").map(|column| column.kind), Some(FieldType::Decimal));
//! ```

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};
use serde_json::{Map, Value as Json};

use crate::fields::{FieldType, FieldValue};
use crate::flags::StatusChange;
use crate::projection::ProjectError;
use crate::store::StreamVersion;

/// One column, declared by the desk that writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: FieldType,
}

impl Column {
    /// A column. All of them may be NULL: a row exists before every desk has written to it.
    pub const fn new(name: &'static str, kind: FieldType) -> Self {
        Self { name, kind }
    }

    fn sort_name(self) -> Option<String> {
        (self.kind == FieldType::Decimal).then(|| format!("{}__sort", self.name))
    }

    /// The column to compare and to sort by.
    fn compared(self) -> String {
        self.sort_name().unwrap_or_else(|| self.name.to_owned())
    }
}

/// A read-model table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    name: &'static str,
    key: &'static str,
    columns: Vec<Column>,
    indexes: Vec<&'static str>,
}

impl Table {
    /// A table `name` whose rows are found by `key`: `Table::new("orders", "order_id")`.
    pub const fn new(name: &'static str, key: &'static str) -> Self {
        Self {
            name,
            key,
            columns: Vec::new(),
            indexes: Vec::new(),
        }
    }

    /// Adds the columns of one desk. A column that another desk declared too is the same column.
    #[must_use]
    pub fn columns(mut self, columns: &[Column]) -> Self {
        for column in columns {
            if !self.columns.iter().any(|known| known.name == column.name) {
                self.columns.push(*column);
            }
        }
        self
    }

    /// Adds an index, for a query by that column.
    #[must_use]
    pub fn index(mut self, column: &'static str) -> Self {
        if !self.indexes.contains(&column) {
            self.indexes.push(column);
        }
        self
    }

    /// Adds several indexes.
    #[must_use]
    pub fn indexes(self, columns: &[&'static str]) -> Self {
        columns
            .iter()
            .fold(self, |table, column| table.index(column))
    }

    /// The column of this name, of those that are declared and those that every row has.
    pub(crate) fn any_column(&self, name: &str) -> Option<Column> {
        match name {
            "status" => Some(Column::new("status", FieldType::Int)),
            "version" => Some(Column::new("version", FieldType::Int)),
            other => self.column(other),
        }
    }

    /// Every column that rows can be filtered by.
    pub fn filters(&self) -> Vec<&'static str> {
        ["status", "version"]
            .into_iter()
            .chain(self.columns.iter().map(|column| column.name))
            .collect()
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Name of its key.
    pub const fn key(&self) -> &'static str {
        self.key
    }

    /// Its declared columns.
    pub fn declared(&self) -> &[Column] {
        &self.columns
    }

    /// The declared column of this name.
    pub fn column(&self, name: &str) -> Option<Column> {
        self.columns
            .iter()
            .copied()
            .find(|column| column.name == name)
    }

    /// Makes the table, or adds what it lacks.
    pub(crate) fn ensure(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS \"{}\" (\"{}\" TEXT PRIMARY KEY, version INTEGER NOT NULL, \
             status INTEGER NOT NULL) WITHOUT ROWID",
            self.name, self.key
        ))?;
        let mut there = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
        let there: Vec<String> = there
            .query_map([self.name], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let missing = |name: &str| !there.iter().any(|have| have == name);
        for column in &self.columns {
            if missing(column.name) {
                let (table, name, sql) = (self.name, column.name, column.kind.sql(column.name));
                connection.execute_batch(&format!(
                    "ALTER TABLE \"{table}\" ADD COLUMN \"{name}\" {sql}"
                ))?;
            }
            if let Some(sort) = column.sort_name().filter(|sort| missing(sort)) {
                connection.execute_batch(&format!(
                    "ALTER TABLE \"{}\" ADD COLUMN \"{sort}\" TEXT",
                    self.name
                ))?;
            }
        }
        for column in self.indexes.iter().filter_map(|name| self.column(name)) {
            let (table, by) = (self.name, column.compared());
            connection.execute_batch(&format!(
                "CREATE INDEX IF NOT EXISTS \"{table}_by_{}\" ON \"{table}\" (\"{by}\")",
                column.name
            ))?;
        }
        Ok(())
    }

    /// Removes the table with all rows.
    pub(crate) fn remove(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch(&format!("DROP TABLE IF EXISTS \"{}\"", self.name))
    }

    fn select(&self) -> String {
        let columns: Vec<_> = self
            .columns
            .iter()
            .map(|column| format!("\"{}\"", column.name))
            .collect();
        let fixed = format!("\"{}\", version, status", self.key);
        let all = [vec![fixed], columns].concat().join(", ");
        format!("SELECT {all} FROM \"{}\"", self.name)
    }

    fn row(&self, row: &Row<'_>) -> rusqlite::Result<Map<String, Json>> {
        let mut object = Map::new();
        object.insert(self.key.to_owned(), row.get::<_, String>(0)?.into());
        object.insert("version".to_owned(), row.get::<_, i64>(1)?.into());
        object.insert("status".to_owned(), row.get::<_, i64>(2)?.into());
        for (index, column) in self.columns.iter().enumerate() {
            object.insert(
                column.name.to_owned(),
                column.kind.json(row.get_ref(index + 3)?),
            );
        }
        Ok(object)
    }

    /// The row of `key`.
    ///
    /// # Errors
    ///
    /// SQLite's.
    pub fn by_key(
        &self,
        connection: &Connection,
        key: &str,
    ) -> rusqlite::Result<Option<Map<String, Json>>> {
        let sql = format!("{} WHERE \"{}\" = ?1", self.select(), self.key);
        connection
            .prepare_cached(&sql)?
            .query_row([key], |row| self.row(row))
            .optional()
    }

    /// Up to `limit` rows that match all of `filters`, sorted, behind the row whose key is `after`.
    ///
    /// Sorted by a column, rows with one value are in the order of their keys, and those without a value come before all
    /// others. Where there is no row `after`, nothing is behind it.
    ///
    /// # Errors
    ///
    /// SQLite's.
    pub fn page(
        &self,
        connection: &Connection,
        filters: &[(Column, Sql)],
        after: Option<&str>,
        sort: impl Into<Sort>,
        limit: usize,
    ) -> rusqlite::Result<Vec<Map<String, Json>>> {
        let Sort { by, order } = sort.into();
        let (behind, direction) = match order {
            Order::Ascending => (">", "ASC"),
            Order::Descending => ("<", "DESC"),
        };
        let mut conditions = Self::conditions(filters);
        let mut values: Vec<Sql> = filters.iter().map(|(_, value)| value.clone()).collect();
        let key = self.key;
        let by = by.map(Column::compared);
        if let Some(after) = after {
            values.push(Sql::Text(after.to_owned()));
            let nth = values.len();
            let key_behind = format!("\"{key}\" {behind} ?{nth}");
            conditions.push(match &by {
                None => key_behind,
                Some(by) => {
                    let Some(value) = self.value_of(connection, by, after)? else {
                        return Ok(Vec::new());
                    };
                    let is_null = value == Sql::Null;
                    if !is_null {
                        values.push(value);
                    }
                    let pair = format!("(\"{by}\", \"{key}\") {behind} (?{}, ?{nth})", nth + 1);
                    match (order, is_null) {
                        (Order::Ascending, true) => {
                            format!("(\"{by}\" IS NOT NULL OR {key_behind})")
                        }
                        (Order::Ascending, false) => pair,
                        (Order::Descending, true) => {
                            format!("(\"{by}\" IS NULL AND {key_behind})")
                        }
                        (Order::Descending, false) => format!("({pair} OR \"{by}\" IS NULL)"),
                    }
                }
            });
        }
        let filter = if conditions.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", conditions.join(" AND "))
        };
        let by = by.map_or_else(String::new, |by| format!("\"{by}\" {direction}, "));
        let sql = format!(
            "{}{filter} ORDER BY {by}\"{key}\" {direction} LIMIT {limit}",
            self.select(),
        );
        connection
            .prepare_cached(&sql)?
            .query_map(params_from_iter(values), |row| self.row(row))?
            .collect()
    }

    /// What the row of `key` has in the column `name`; `None` if there is no such row.
    fn value_of(
        &self,
        connection: &Connection,
        name: &str,
        key: &str,
    ) -> rusqlite::Result<Option<Sql>> {
        let sql = format!(
            "SELECT \"{name}\" FROM \"{}\" WHERE \"{}\" = ?1",
            self.name, self.key
        );
        connection
            .prepare_cached(&sql)?
            .query_row([key], |row| row.get(0))
            .optional()
    }

    /// How many rows match all of `filters`.
    ///
    /// # Errors
    ///
    /// SQLite's.
    pub fn count(
        &self,
        connection: &Connection,
        filters: &[(Column, Sql)],
    ) -> rusqlite::Result<u64> {
        let conditions = Self::conditions(filters);
        let filter = if conditions.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", conditions.join(" AND "))
        };
        let sql = format!("SELECT count(*) FROM \"{}\"{filter}", self.name);
        let values = params_from_iter(filters.iter().map(|(_, value)| value));
        connection
            .prepare_cached(&sql)?
            .query_row(values, |row| row.get::<_, i64>(0))
            .map(i64::cast_unsigned)
    }

    /// Up to `limit` rows where one of `columns` contains `text`, letters of either case.
    ///
    /// # Errors
    ///
    /// SQLite's.
    pub fn search(
        &self,
        connection: &Connection,
        columns: &[&str],
        text: &str,
        limit: usize,
    ) -> rusqlite::Result<Vec<Map<String, Json>>> {
        let columns: Vec<_> = columns
            .iter()
            .filter_map(|name| self.column(name))
            .collect();
        if columns.is_empty() {
            return Ok(Vec::new());
        }
        let pattern = format!(
            "%{}%",
            text.replace('\\', "\\\\")
                .replace('%', "\\%")
                .replace('_', "\\_")
        );
        let conditions: Vec<_> = columns
            .iter()
            .map(|column| format!("\"{}\" LIKE ?1 ESCAPE '\\'", column.name))
            .collect();
        let sql = format!(
            "{} WHERE {} ORDER BY \"{}\" LIMIT {limit}",
            self.select(),
            conditions.join(" OR "),
            self.key
        );
        connection
            .prepare_cached(&sql)?
            .query_map([pattern], |row| self.row(row))?
            .collect()
    }

    fn conditions(filters: &[(Column, Sql)]) -> Vec<String> {
        let condition = |(nth, (column, _)): (usize, &(Column, Sql))| {
            format!("\"{}\" = ?{}", column.compared(), nth + 1)
        };
        filters.iter().enumerate().map(condition).collect()
    }

    /// Writes what a projection gathered for the row of `key`.
    pub(crate) fn write(
        &self,
        connection: &Connection,
        key: &str,
        version: StreamVersion,
        change: StatusChange,
        row: RowChange,
    ) -> Result<(), ProjectError> {
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for (name, value, sort) in row.sets {
            let column = self.column(name).ok_or(ProjectError::UnknownColumn {
                table: self.name,
                column: name,
            })?;
            names.push(column.name.to_owned());
            values.push(value);
            if let Some(sort_name) = column.sort_name() {
                names.push(sort_name);
                values.push(sort.unwrap_or(Sql::Null));
            }
        }
        let places: String = (0..names.len())
            .map(|nth| format!(", ?{}", nth + 5))
            .collect();
        let columns: String = names.iter().map(|name| format!(", \"{name}\"")).collect();
        let updates: String = names
            .iter()
            .map(|name| format!(", \"{name}\" = excluded.\"{name}\""))
            .collect();
        let sql = format!(
            "INSERT INTO \"{table}\" (\"{key}\", version, status{columns}) VALUES (?1, ?2, ?3{places}) \
             ON CONFLICT (\"{key}\") DO UPDATE SET version = excluded.version, \
             status = (status & ~?4) | ?3{updates}",
            table = self.name,
            key = self.key,
        );
        let fixed = [
            Sql::Text(key.to_owned()),
            Sql::Integer(version.get().cast_signed()),
            Sql::Integer(change.sets.cast_signed()),
            Sql::Integer(change.clears.cast_signed()),
        ];
        let all = params_from_iter(fixed.into_iter().chain(values));
        connection.prepare_cached(&sql)?.execute(all)?;
        Ok(())
    }
}

/// In which order rows are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// What came into being first comes first.
    #[default]
    Ascending,
    /// What came into being last comes first.
    Descending,
}

/// By what rows are sorted, and in which direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sort {
    /// The column; without one, by their keys.
    pub by: Option<Column>,
    /// The direction.
    pub order: Order,
}

impl From<Order> for Sort {
    fn from(order: Order) -> Self {
        Self { by: None, order }
    }
}

/// What one event changes in one row: filled by a desk's `project`.
#[derive(Debug, Default)]
pub struct RowChange {
    sets: Vec<(&'static str, Sql, Option<Sql>)>,
    touched: bool,
}

impl RowChange {
    /// Sets a column of the table.
    pub fn set<T: FieldValue>(&mut self, column: &'static str, value: &T) {
        self.touched = true;
        self.sets.push((column, value.sql(), value.sort_key()));
    }

    /// Writes the row even if no column is set: its version and status move.
    pub const fn touch(&mut self) {
        self.touched = true;
    }

    pub(crate) const fn is_touched(&self) -> bool {
        self.touched
    }
}
