//! Statements and rows, in words that no database has a say in: what `store` asks stands in these.
//!
//! A parameter is `?1`, `?2` and so on. Numbers are 64 bits with a sign, truth is 0 or 1.

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{OptionalExtension as _, ToSql};
use tokio_postgres::types::Type;

use super::{StoreError, Stored, postgres};

/// A value on its way into the database.
#[derive(Clone, Copy, Debug)]
pub enum Param<'a> {
    /// Nothing.
    Null,
    /// A number.
    Int(i64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// The parameters of a statement, from values that lie where they are: `params![clinic, &name]`.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::store::sql::Param::from($value)),*] };
}
pub(crate) use params;

impl From<i64> for Param<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Param<'_> {
    fn from(number: u32) -> Self {
        Self::Int(i64::from(number))
    }
}

impl From<bool> for Param<'_> {
    fn from(truth: bool) -> Self {
        Self::Int(i64::from(truth))
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Param<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a [u8]> for Param<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a Vec<u8>> for Param<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Param<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a, T> From<Option<T>> for Param<'a>
where
    Param<'a>: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::from)
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match *self {
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Int(number) => ToSqlOutput::Owned(Value::Integer(number)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

/// A transaction.
pub enum Tx<'c> {
    /// Of a SQLite file.
    Sqlite(rusqlite::Transaction<'c>),
    /// Of a PostgreSQL database.
    Postgres(postgres::Transaction<'c>),
}

impl Tx<'_> {
    /// Commits what was done, or undoes it if it failed. Says also whether it failed because of what
    /// others did meanwhile, and so is worth another try.
    pub(super) fn end<T, E: From<StoreError>>(self, done: Result<T, E>) -> (Result<T, E>, bool) {
        match self {
            Self::Sqlite(tx) => {
                let ended = done.and_then(|done| {
                    tx.commit().map_err(StoreError::from)?;
                    Ok(done)
                });
                (ended, false)
            }
            Self::Postgres(mut tx) => {
                let ended = done.and_then(|done| {
                    tx.commit()?;
                    Ok(done)
                });
                (ended, tx.others_got_in_the_way())
            }
        }
    }

    /// From here on it is about this clinic; for [`super::Store::write_all`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn enter(&self, clinic: [u8; 16]) -> Stored<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(tx) => tx.enter(clinic),
        }
    }

    /// Runs a statement that answers no rows; says how many rows it changed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn execute(&self, sql: &str, params: &[Param<'_>]) -> Stored<u64> {
        match self {
            Self::Sqlite(tx) => {
                let params = rusqlite::params_from_iter(params);
                let changed = tx.prepare_cached(sql)?.execute(params)?;
                Ok(u64::try_from(changed).unwrap_or(u64::MAX))
            }
            Self::Postgres(tx) => tx.execute(sql, params),
        }
    }

    /// The first row that a query finds.
    ///
    /// # Errors
    /// [`StoreError`], or what `read` answers.
    pub fn row<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnOnce(&Row<'_>) -> Stored<T>,
    ) -> Stored<Option<T>> {
        match self {
            Self::Sqlite(tx) => {
                let mut statement = tx.prepare_cached(sql)?;
                let params = rusqlite::params_from_iter(params);
                let found = statement.query_row(params, |row| Ok(read(&Row::Sqlite(row))));
                found.optional()?.transpose()
            }
            Self::Postgres(tx) => {
                tx.query(sql, params)?.first().map(|row| read(&Row::Postgres(row))).transpose()
            }
        }
    }

    /// All rows that a query finds; it has a `LIMIT`, or there are few.
    ///
    /// # Errors
    /// [`StoreError`], or what `read` answers.
    pub fn rows<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        mut read: impl FnMut(&Row<'_>) -> Stored<T>,
    ) -> Stored<Vec<T>> {
        match self {
            Self::Sqlite(tx) => {
                let mut statement = tx.prepare_cached(sql)?;
                let mut rows = statement.query(rusqlite::params_from_iter(params))?;
                let mut found = Vec::new();
                while let Some(row) = rows.next()? {
                    found.push(read(&Row::Sqlite(row))?);
                }
                Ok(found)
            }
            Self::Postgres(tx) => {
                tx.query(sql, params)?.iter().map(|row| read(&Row::Postgres(row))).collect()
            }
        }
    }
}

/// A row that was found.
pub enum Row<'r> {
    /// In a SQLite file.
    Sqlite(&'r rusqlite::Row<'r>),
    /// In a PostgreSQL database.
    Postgres(&'r tokio_postgres::Row),
}

impl Row<'_> {
    /// The value in a column, counted from 0.
    ///
    /// # Errors
    /// [`StoreError`] if there is none or it is of another type.
    pub fn get<T: Column>(&self, at: usize) -> Stored<T> {
        T::read(self, at)
    }
}

/// What a column may hold.
pub trait Column: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// [`StoreError`] if it is of another type.
    fn read(row: &Row<'_>, at: usize) -> Stored<Self>;
}

macro_rules! column {
    ($($type:ty as $postgres:ty),*) => { $(
        impl Column for $type {
            fn read(row: &Row<'_>, at: usize) -> Stored<Self> {
                match row {
                    Row::Sqlite(row) => Ok(row.get(at)?),
                    Row::Postgres(row) => {
                        let value: $postgres = row.try_get(at).map_err(postgres::fault)?;
                        Ok(value.into())
                    }
                }
            }
        }
        impl Column for Option<$type> {
            fn read(row: &Row<'_>, at: usize) -> Stored<Self> {
                match row {
                    Row::Sqlite(row) => Ok(row.get(at)?),
                    Row::Postgres(row) => {
                        let value: Option<$postgres> = row.try_get(at).map_err(postgres::fault)?;
                        Ok(value.map(<$type>::from))
                    }
                }
            }
        }
    )* };
}
column!(i64 as postgres::Number, String as String, Vec<u8> as Vec<u8>);

/// A value as it lies there, of whatever type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A number.
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Column for Cell {
    fn read(row: &Row<'_>, at: usize) -> Stored<Self> {
        const WRONG: StoreError = StoreError::Damaged("a value of no known type");
        match row {
            Row::Sqlite(row) => Ok(match row.get_ref(at)? {
                ValueRef::Null => Self::Null,
                ValueRef::Integer(number) => Self::Int(number),
                ValueRef::Text(text) => {
                    Self::Text(String::from_utf8(text.to_vec()).map_err(|_| WRONG)?)
                }
                ValueRef::Blob(bytes) => Self::Bytes(bytes.to_vec()),
                ValueRef::Real(_) => return Err(WRONG),
            }),
            Row::Postgres(found) => {
                let of = found.columns().get(at).ok_or(WRONG)?.type_();
                Ok(if *of == Type::BYTEA {
                    row.get::<Option<Vec<u8>>>(at)?.map_or(Self::Null, Self::Bytes)
                } else if *of == Type::TEXT {
                    row.get::<Option<String>>(at)?.map_or(Self::Null, Self::Text)
                } else {
                    row.get::<Option<i64>>(at)?.map_or(Self::Null, Self::Int)
                })
            }
        }
    }
}

impl<'a> From<&'a Cell> for Param<'a> {
    fn from(cell: &'a Cell) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Int(number) => Self::Int(*number),
            Cell::Text(text) => Self::Text(text),
            Cell::Bytes(bytes) => Self::Bytes(bytes),
        }
    }
}

impl Column for bool {
    fn read(row: &Row<'_>, at: usize) -> Stored<Self> {
        Ok(row.get::<i64>(at)? != 0)
    }
}

impl<const N: usize> Column for [u8; N] {
    fn read(row: &Row<'_>, at: usize) -> Stored<Self> {
        let bytes: Vec<u8> = row.get(at)?;
        bytes.try_into().map_err(|_| StoreError::Damaged("an id or a key"))
    }
}

impl<const N: usize> Column for Option<[u8; N]> {
    fn read(row: &Row<'_>, at: usize) -> Stored<Self> {
        let bytes: Option<Vec<u8>> = row.get(at)?;
        let exactly =
            |it: Vec<u8>| it.try_into().map_err(|_| StoreError::Damaged("an id or a key"));
        bytes.map(exactly).transpose()
    }
}
