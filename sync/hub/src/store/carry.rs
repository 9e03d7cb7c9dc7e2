//! The rows of one clinic, all of them: taken along to another database, or erased.
//!
//! Which tables there are, the migrations say; so a table that is new comes along by itself.

use rusqlite::Connection;

use super::migration::MIGRATIONS;
use super::sql::{Cell, Param, Tx, params};
use super::{Clinic, Stored, add_clinic};

/// Rows that are read at once.
const ROWS_MAX: u32 = 64;
/// What does not come along: a code is good once, also if a backup is put back, and a token that was revoked
/// since stays so.
const LEFT_BEHIND: [&str; 2] = ["enrolment_code", "token"];

/// A table of what belongs to clinics, other than the table of the clinics.
struct Table {
    name: String,
    columns: Vec<String>,
    /// The columns of its key after the clinic.
    key: Vec<String>,
}

/// All tables in the order in which they were made, so that none refers to a later one.
fn tables() -> Stored<Vec<Table>> {
    let model = Connection::open_in_memory()?;
    for migration in MIGRATIONS {
        model.execute_batch(migration)?;
    }
    let sql = "SELECT name FROM sqlite_schema
        WHERE type = 'table' AND name NOT IN ('clinic', 'sqlite_sequence') ORDER BY rowid";
    let names: Vec<String> =
        model.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let table = |name: String| {
        let sql = "SELECT name, pk FROM pragma_table_info(?1) ORDER BY pk, cid";
        let mut statement = model.prepare(sql)?;
        let columns = statement.query_map([&name], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let columns: Vec<(String, i64)> = columns.collect::<Result<_, _>>()?;
        let key = columns.iter().filter(|(column, pk)| *pk > 0 && column != "clinic");
        let key = key.map(|(column, _)| column.clone()).collect();
        Ok(Table { name, columns: columns.into_iter().map(|it| it.0).collect(), key })
    };
    names.into_iter().map(table).collect()
}

/// Puts a clinic and all that belongs to it into another database; answers how many rows that were.
///
/// # Errors
/// [`super::StoreError`].
pub fn carry(from: &Tx<'_>, to: &Tx<'_>, clinic: &Clinic) -> Stored<u64> {
    add_clinic(to, clinic)?;
    let mut rows = 1;
    for table in tables()?.iter().filter(|it| !LEFT_BEHIND.contains(&it.name.as_str())) {
        let mut last: Option<Vec<Cell>> = None;
        loop {
            let page = page(from, table, clinic.id, last.as_deref())?;
            for row in &page {
                put(to, table, row)?;
                rows += 1;
            }
            match page.into_iter().next_back() {
                Some(row) if !table.key.is_empty() => last = Some(row),
                Some(_) | None => break,
            }
        }
    }
    Ok(rows)
}

/// The next rows of a table after one.
fn page(
    from: &Tx<'_>,
    table: &Table,
    clinic: [u8; 16],
    last: Option<&[Cell]>,
) -> Stored<Vec<Vec<Cell>>> {
    let Table { name, columns, key } = table;
    let at = |column: &String| columns.iter().position(|it| it == column);
    let mut values = vec![Param::from(&clinic)];
    let mut after = String::new();
    if let Some(last) = last {
        values.extend(key.iter().filter_map(|it| last.get(at(it)?)).map(Param::from));
        let marks: Vec<String> = (2..key.len() + 2).map(|at| format!("?{at}")).collect();
        after = format!("AND ({}) > ({})", key.join(", "), marks.join(", "));
    }
    let order = [&["clinic".to_owned()][..], key].concat().join(", ");
    let columns_named = columns.join(", ");
    let sql = format!(
        "SELECT {columns_named} FROM {name} WHERE clinic = ?1 {after} ORDER BY {order} LIMIT {ROWS_MAX}"
    );
    from.rows(&sql, &values, |row| (0..columns.len()).map(|at| row.get(at)).collect())
}

fn put(to: &Tx<'_>, table: &Table, row: &[Cell]) -> Stored<()> {
    let Table { name, columns, key: _ } = table;
    let marks: Vec<String> = (1..=columns.len()).map(|at| format!("?{at}")).collect();
    let sql = format!("INSERT INTO {name} ({}) VALUES ({})", columns.join(", "), marks.join(", "));
    let values: Vec<Param<'_>> = row.iter().map(Param::from).collect();
    to.execute(&sql, &values)?;
    Ok(())
}

/// Removes a clinic with its keys and all that belongs to it; answers how many rows there were.
///
/// # Errors
/// [`super::StoreError`].
pub fn erase(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<u64> {
    let mut rows = 0;
    for table in tables()?.iter().rev() {
        rows +=
            tx.execute(&format!("DELETE FROM {} WHERE clinic = ?1", table.name), params![&clinic])?;
    }
    rows += tx.execute("DELETE FROM clinic WHERE id = ?1", params![&clinic])?;
    Ok(rows)
}

/// Writes which clinic a backup holds, and the key that wraps its keys there.
///
/// # Errors
/// [`super::StoreError`].
pub fn put_backup_key(tx: &Tx<'_>, clinic: [u8; 16], key: &[u8]) -> Stored<()> {
    tx.execute("CREATE TABLE backup (clinic BLOB NOT NULL, key BLOB NOT NULL) STRICT", &[])?;
    tx.execute("INSERT INTO backup VALUES (?1, ?2)", params![&clinic, key])?;
    Ok(())
}

/// Which clinic a backup holds, and the key that wraps its keys there.
///
/// # Errors
/// [`super::StoreError`] if it is no backup.
pub fn backup_key(tx: &Tx<'_>) -> Stored<Option<([u8; 16], Vec<u8>)>> {
    tx.row("SELECT clinic, key FROM backup", &[], |row| Ok((row.get(0)?, row.get(1)?)))
}
