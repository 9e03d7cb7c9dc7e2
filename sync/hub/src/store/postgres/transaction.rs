//! A transaction in PostgreSQL: for the rows of one clinic, or for the views.

use std::cell::Cell;
use std::fmt::Write as _;

use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use super::Access;
use super::pool::{CONNECTIONS_MAX, Pool, Session};
use super::value::Value;
use crate::store::sql::Param;
use crate::store::{Scope, StoreError, Stored};

/// A transaction; undone when it is dropped before it was committed.
pub struct Transaction<'p> {
    pool: &'p Pool,
    session: Option<Session>,
    others_got_in_the_way: Cell<bool>,
}

impl<'p> Transaction<'p> {
    /// Begins one. A connection that was cut while nobody used it is replaced.
    pub(in crate::store) fn begin(pool: &'p Pool, scope: Scope, access: Access) -> Stored<Self> {
        let mut cut = 0;
        loop {
            let session = pool.take()?;
            match pool.batch(&session, beginning(scope, access)) {
                Ok(()) => {
                    let others_got_in_the_way = Cell::new(false);
                    return Ok(Self { pool, session: Some(session), others_got_in_the_way });
                }
                Err(error) => {
                    let is_cut = session.is_closed();
                    pool.discard(session);
                    cut += 1;
                    if !is_cut || cut > CONNECTIONS_MAX {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// From here on the rows of this clinic are seen and written.
    pub fn enter(&self, clinic: [u8; 16]) -> Stored<()> {
        let session = self.session()?;
        self.noted(self.pool.batch(session, entering(clinic, Access::Writes)))
    }

    fn session(&self) -> Stored<&Session> {
        self.session.as_ref().ok_or(StoreError::Damaged("a transaction that is over"))
    }

    /// Runs a statement that answers no rows.
    pub fn execute(&self, sql: &str, params: &[Param<'_>]) -> Stored<u64> {
        let session = self.session()?;
        let (statement, values) = (self.prepared(session, sql)?, values(params));
        let done = self
            .pool
            .ask(session, async move |client| client.execute(&statement, &referred(&values)).await);
        self.noted(done)
    }

    /// The rows that a query finds.
    pub fn query(&self, sql: &str, params: &[Param<'_>]) -> Stored<Vec<Row>> {
        let session = self.session()?;
        let (statement, values) = (self.prepared(session, sql)?, values(params));
        let found = self
            .pool
            .ask(session, async move |client| client.query(&statement, &referred(&values)).await);
        self.noted(found)
    }

    fn prepared(&self, session: &Session, sql: &str) -> Stored<tokio_postgres::Statement> {
        self.noted(self.pool.prepared(session, sql))
    }

    /// Remembers that it is worth trying all of it again.
    fn noted<T>(&self, done: Stored<T>) -> Stored<T> {
        if let Err(StoreError::Refused { code, what: _ }) = &done
            && is_of_others(code)
        {
            self.others_got_in_the_way.set(true);
        }
        done
    }

    /// Whether it failed because of what others did meanwhile.
    pub fn others_got_in_the_way(&self) -> bool {
        self.others_got_in_the_way.get()
    }

    /// Commits. If the line is cut meanwhile, nobody knows whether it was; the box asks again.
    pub fn commit(&mut self) -> Stored<()> {
        let Some(session) = self.session.take() else {
            return Err(StoreError::Damaged("a transaction that is over"));
        };
        let committed = self.pool.batch(&session, "COMMIT".to_owned());
        match committed {
            Ok(()) => self.pool.give_back(session),
            Err(_) => self.pool.discard(session),
        }
        self.noted(committed)
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        match self.pool.batch(&session, "ROLLBACK".to_owned()) {
            Ok(()) => self.pool.give_back(session),
            Err(_) => self.pool.discard(session),
        }
    }
}

/// What a transaction begins with, in one message. A write takes the row of its clinic first, so that
/// each of its statements sees all that was committed before for this clinic, as with SQLite.
fn beginning(scope: Scope, access: Access) -> String {
    let mut begin = match access {
        Access::Reads => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        Access::Writes => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
    }
    .to_owned();
    match scope {
        Scope::Views => {}
        // Whoever adds or alters a clinic has committed before this goes on, and waits after it.
        Scope::Each => begin.push_str("; LOCK TABLE clinic IN SHARE ROW EXCLUSIVE MODE"),
        Scope::Clinic(clinic) => {
            begin.push_str("; ");
            begin.push_str(&entering(clinic, access));
        }
    }
    begin
}

/// What lets the transaction see the rows of a clinic.
fn entering(clinic: [u8; 16], access: Access) -> String {
    let hex = clinic.iter().fold(String::new(), |mut hex, byte| {
        // Writing into a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let lock = match access {
        Access::Reads => String::new(),
        Access::Writes => {
            format!("; SELECT 1 FROM clinic WHERE id = decode('{hex}', 'hex') FOR UPDATE")
        }
    };
    format!("SET LOCAL carepost.clinic = '{hex}'{lock}")
}

/// Two transactions wanted the same: one of them looks again. Whoever finds that another was first to
/// take a name, hardware or a key looks again, too, and then answers that it is taken.
fn is_of_others(code: &str) -> bool {
    [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::UNIQUE_VIOLATION,
    ]
    .iter()
    .any(|it| it.code() == code)
}

fn values(params: &[Param<'_>]) -> Vec<Value> {
    params.iter().map(|it| Value::from(*it)).collect()
}

fn referred(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|it| it as &(dyn ToSql + Sync)).collect()
}
