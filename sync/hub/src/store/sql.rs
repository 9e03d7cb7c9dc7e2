//! Statements and rows, in words that no database has a say in: what `store` asks stands in these.
//!
//! A parameter is `?1`, `?2` and so on. Numbers are 64 bits with a sign, truth is 0 or 1.

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{OptionalExtension as _, ToSql};

use super::{StoreError, Stored};

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
pub struct Tx<'c> {
    inner: rusqlite::Transaction<'c>,
}

impl<'c> Tx<'c> {
    pub(super) fn new(inner: rusqlite::Transaction<'c>) -> Self {
        Self { inner }
    }

    pub(super) fn commit(self) -> Stored<()> {
        Ok(self.inner.commit()?)
    }

    /// Runs a statement that answers no rows; says how many rows it changed.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn execute(&self, sql: &str, params: &[Param<'_>]) -> Stored<u64> {
        let changed =
            self.inner.prepare_cached(sql)?.execute(rusqlite::params_from_iter(params))?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    /// The first row that a query finds.
    ///
    /// # Errors
    /// [`StoreError::Failed`], or what `read` answers.
    pub fn row<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnOnce(&Row<'_>) -> Stored<T>,
    ) -> Stored<Option<T>> {
        let mut statement = self.inner.prepare_cached(sql)?;
        let found = statement
            .query_row(rusqlite::params_from_iter(params), |row| Ok(read(&Row { inner: row })))
            .optional()?;
        found.transpose()
    }

    /// All rows that a query finds; it has a `LIMIT`, or there are few.
    ///
    /// # Errors
    /// [`StoreError::Failed`], or what `read` answers.
    pub fn rows<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        mut read: impl FnMut(&Row<'_>) -> Stored<T>,
    ) -> Stored<Vec<T>> {
        let mut statement = self.inner.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(&Row { inner: row })?);
        }
        Ok(found)
    }
}

/// A row that was found.
pub struct Row<'r> {
    inner: &'r rusqlite::Row<'r>,
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
    ($($type:ty),*) => { $(
        impl Column for $type {
            fn read(row: &Row<'_>, at: usize) -> Stored<Self> {
                Ok(row.inner.get(at)?)
            }
        }
        impl Column for Option<$type> {
            fn read(row: &Row<'_>, at: usize) -> Stored<Self> {
                Ok(row.inner.get(at)?)
            }
        }
    )* };
}
column!(i64, String, Vec<u8>);

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
