//! PostgreSQL: a bounded pool of connections, transactions for one clinic, and what makes a database
//! ready for them.
//!
//! The connections are driven by a thread of their own; whoever asks waits for the answer on the
//! thread it is on, like with SQLite.

mod address;
mod check;
mod pool;
mod preparing;
mod transaction;
mod value;

pub use address::Address;
pub use preparing::prepare;
pub use transaction::Transaction;
pub use value::Number;

use self::pool::Pool;
use super::sql::Tx;
use super::{Scope, StoreError, Stored};

/// The schema that holds the hub's tables.
const SCHEMA: &str = "carepost";
/// The role that owns them; nobody signs in as it.
const OWNER: &str = "carepost_owner";
/// How often a transaction is tried that others got in the way of.
const TRIES_MAX: u32 = 5;

/// A database that the hub may use.
pub struct Postgres {
    pool: Pool,
}

impl Postgres {
    /// Connects, and looks whether server, schema and role are fit.
    pub fn connect(address: &Address) -> Stored<Self> {
        let it = Self { pool: Pool::new(address.clone())? };
        check::fit(&Transaction::begin(&it.pool, Scope::Views, Access::Reads)?)?;
        Ok(it)
    }

    /// Runs a transaction that may write, again if others got in its way.
    pub fn write<T, E: From<StoreError>>(
        &self,
        scope: Scope,
        mut work: impl FnMut(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut tries = 1;
        loop {
            let tx = Tx::Postgres(Transaction::begin(&self.pool, scope, Access::Writes)?);
            let done = work(&tx);
            let (ended, others) = tx.end(done);
            match ended {
                Err(_) if others && tries < TRIES_MAX => tries += 1,
                Ok(_) | Err(_) => return ended,
            }
        }
    }

    /// Runs queries that all see the same state.
    pub fn read<T, E: From<StoreError>>(
        &self,
        scope: Scope,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        work(&Tx::Postgres(Transaction::begin(&self.pool, scope, Access::Reads)?))
    }

    /// Whether it takes writes now: it is there, and not a copy that only follows.
    pub fn takes_writes(&self) -> Stored<()> {
        let tx = Transaction::begin(&self.pool, Scope::Views, Access::Writes)?;
        let follows = tx.query("SELECT pg_is_in_recovery()", &[])?;
        match follows.first().map(|row| row.try_get(0)) {
            Some(Ok(false)) => Ok(()),
            Some(Ok(true) | Err(_)) | None => Err(StoreError::Unfit(
                "this PostgreSQL is a copy that takes no writes; name the one that does".to_owned(),
            )),
        }
    }
}

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Access {
    /// It only looks.
    Reads,
    /// It may write.
    Writes,
}

/// What PostgreSQL says of a fault, without the values that it may repeat.
pub fn fault(error: tokio_postgres::Error) -> StoreError {
    let Some(refused) = error.as_db_error() else {
        let words = in_words(&error);
        if is_about_certificate(&error) {
            return StoreError::Unfit(format!(
                "this is not known to be the PostgreSQL that --database names ({words}); SSL_CERT_FILE names the certificate of its authority"
            ));
        }
        return StoreError::Away(words);
    };
    let code = refused.code().code().to_owned();
    // Class 22 is about values, and repeats them.
    let what = if code.starts_with("22") {
        "a value that it does not take".to_owned()
    } else {
        refused.message().to_owned()
    };
    StoreError::Refused { code, what }
}

/// Whether TLS did not come about because of the certificate of the other side.
fn is_about_certificate(error: &(dyn std::error::Error + 'static)) -> bool {
    let of_tls = |it: &(dyn std::error::Error + 'static)| {
        let tls = it.downcast_ref::<rustls::Error>();
        matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
    };
    let mut behind = Some(error);
    while let Some(error) = behind {
        let inside = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if of_tls(error) || inside.is_some_and(|it| of_tls(it)) {
            return true;
        }
        behind = error.source();
    }
    false
}

/// The error and what lies behind it, in one line.
fn in_words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut behind = error.source();
    while let Some(error) = behind {
        words.push_str(": ");
        words.push_str(&error.to_string());
        behind = error.source();
    }
    words
}
