//! Puts rows that were built beside the running ones in their place, in one transaction of the read model.
//!
//! Readers see the old rows or the new ones. If the process dies behind the commit, the file beside is still there:
//! the next opening goes on with it, finds nothing to do and switches once more, to the same rows.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::checkpoint::record;
use super::followed::{Followed, caught};
use super::model::{Model, tolerated};
use crate::fault;

impl Model {
    /// Takes the rows, letters and checkpoint of `built`, which is the file at `path`, in the place of those of the
    /// projection `nth`. On an error nothing has changed.
    pub(super) fn switch(&mut self, nth: usize, built: Self, path: &Path) -> rusqlite::Result<()> {
        let Self {
            connection,
            followed,
            ..
        } = built;
        // With the last connection the log is brought into the file.
        connection.close().map_err(|(_, error)| error)?;
        let Some(new) = followed.into_iter().next() else {
            return Ok(());
        };
        // A projection's triggers have done their work in the file that is copied.
        self.connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
        let copied = self.copy(&new, path);
        // It was not attached if it came to nothing before that.
        _ = self.connection.execute_batch("DETACH DATABASE beside");
        let triggers = self
            .connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true);
        if let Err(error) = copied {
            self.recall();
            return Err(error);
        }
        self.followed[nth] = new;
        triggers.map(|_| ())
    }

    fn copy(&mut self, new: &Followed, path: &Path) -> rusqlite::Result<()> {
        let (name, projection) = (&*new.name, new.projection.as_ref());
        let transaction = self.connection.transaction()?;
        transaction.execute_batch("PRAGMA defer_foreign_keys = ON")?;
        tolerated(&transaction, name, || projection.remove(&transaction))?;
        caught(|| projection.ensure(&transaction))?;
        // Only now, so that no name above is looked up in the file beside.
        let path = path.to_string_lossy();
        transaction.execute("ATTACH DATABASE ?1 AS beside", [path])?;
        for table in tables(&transaction)? {
            table.copy(&transaction)?;
        }
        transaction.execute("DELETE FROM main.dead_letter WHERE projection = ?1", [name])?;
        let letters =
            "INSERT INTO main.dead_letter SELECT * FROM beside.dead_letter WHERE projection = ?1";
        transaction.execute(letters, [name])?;
        record(&transaction, projection, new.checkpoint)?;
        fault::point("rebuild.copied");
        transaction.commit()
    }
}

/// A table of the file beside.
struct Copied {
    name: String,
    columns: Vec<String>,
}

impl Copied {
    fn copy(&self, connection: &Connection) -> rusqlite::Result<()> {
        let name = quoted(&self.name);
        let columns = self.columns.join(", ");
        connection.execute_batch(&format!(
            "DELETE FROM main.{name}; INSERT INTO main.{name} ({columns}) SELECT {columns} FROM beside.{name}"
        ))?;
        let counts = "SELECT 1 FROM beside.sqlite_schema WHERE name = 'sqlite_sequence'";
        if connection.prepare(counts)?.exists(())? {
            let sequence = "DELETE FROM main.sqlite_sequence WHERE name = ?1";
            connection.execute(sequence, [&self.name])?;
            let sequence = "INSERT INTO main.sqlite_sequence SELECT name, seq FROM beside.sqlite_sequence WHERE name = ?1";
            connection.execute(sequence, [&self.name])?;
        }
        Ok(())
    }
}

/// The tables of the file beside that are a projection's own, virtual ones by their front.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<Copied>> {
    let sql = "SELECT name, type = 'virtual' OR NOT wr FROM pragma_table_list WHERE schema = 'beside' \
               AND type IN ('table', 'virtual') AND substr(name, 1, 7) <> 'sqlite_' \
               AND name NOT IN ('projection', 'dead_letter')";
    let mut names = connection.prepare(sql)?;
    let names = names.query_map((), |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?))
    })?;
    let mut tables = Vec::new();
    for found in names {
        let (name, has_rowid) = found?;
        let columns =
            "SELECT name, pk > 0 AND upper(type) = 'INTEGER' FROM pragma_table_info(?1, 'beside')";
        let mut columns = connection.prepare(columns)?;
        let columns = columns.query_map([&name], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?))
        })?;
        let columns: Vec<_> = columns.collect::<rusqlite::Result<_>>()?;
        let is_free = |rowid: &&str| {
            !columns
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case(rowid))
        };
        let rowid = ["rowid", "oid", "_rowid_"].into_iter().find(is_free);
        // Where a column is not the row's number itself, the number is copied too: rows may refer to each other by it.
        let rowid = rowid.filter(|_| has_rowid && !columns.iter().any(|(_, is_rowid)| *is_rowid));
        let mut all: Vec<_> = rowid.map(str::to_owned).into_iter().collect();
        all.extend(columns.iter().map(|(name, _)| quoted(name)));
        tables.push(Copied { name, columns: all });
    }
    Ok(tables)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
