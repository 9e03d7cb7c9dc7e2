//! The connections to PostgreSQL: a bounded number, made when they are needed and used again.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::runtime::Runtime;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage, Socket, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Address, SCHEMA, fault, in_words};
use crate::store::{StoreError, Stored};

/// Connections of one process at most.
pub const CONNECTIONS_MAX: usize = 8;
/// How long one waits for another to give back a connection.
const TURN_MAX: Duration = Duration::from_secs(10);
/// How long an answer of PostgreSQL is waited for; longer than it works on a statement itself.
const ANSWER_MAX: Duration = Duration::from_secs(90);
/// Prepared statements that a connection keeps; beyond, it forgets all of them.
const STATEMENTS_MAX: usize = 256;

/// What each connection begins with. Times are in milliseconds: a lock of another process is waited for
/// as long as with SQLite, and what hangs is ended.
const BEGINNING: &str = "SET lock_timeout = 5000; SET statement_timeout = 60000;
    SET idle_in_transaction_session_timeout = 120000; SET client_min_messages = warning";

/// The connections of one process.
pub struct Pool {
    address: Address,
    driver: Driver,
    state: Mutex<State>,
    given_back: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Session>,
    /// Those in use and those that are idle.
    open: usize,
}

/// One connection, with the statements that it has prepared.
pub struct Session {
    client: Arc<Client>,
    prepared: RefCell<HashMap<String, Statement>>,
}

impl Pool {
    /// An empty pool.
    pub fn new(address: Address) -> Stored<Self> {
        let driver = Driver::start()?;
        Ok(Self { address, driver, state: Mutex::default(), given_back: Condvar::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection: one that is idle, else a new one, else one that is given back in time.
    pub fn take(&self) -> Stored<Session> {
        let mut state = self.state();
        loop {
            while let Some(session) = state.idle.pop() {
                if !session.client.is_closed() {
                    return Ok(session);
                }
                state.open -= 1;
            }
            if state.open < CONNECTIONS_MAX {
                state.open += 1;
                break;
            }
            let waited = self.given_back.wait_timeout(state, TURN_MAX);
            let (next, ended) = waited.unwrap_or_else(PoisonError::into_inner);
            if ended.timed_out() && next.idle.is_empty() && next.open >= CONNECTIONS_MAX {
                return Err(StoreError::Busy);
            }
            state = next;
        }
        drop(state);
        self.connect().inspect_err(|_| self.count_out())
    }

    /// Gives back a connection that is in no transaction.
    pub fn give_back(&self, session: Session) {
        self.state().idle.push(session);
        self.given_back.notify_one();
    }

    /// Ends a connection of which nobody knows in what it is.
    pub fn discard(&self, session: Session) {
        drop(session);
        self.count_out();
    }

    fn count_out(&self) {
        self.state().open -= 1;
        self.given_back.notify_one();
    }

    fn connect(&self) -> Stored<Session> {
        let client = self.driver.connect(&self.address)?;
        let session = Session { client: Arc::new(client), prepared: RefCell::default() };
        let beginning = format!("{BEGINNING}; SET search_path = {SCHEMA}");
        self.batch(&session, beginning)?;
        self.must_be_durable(&session)?;
        Ok(session)
    }

    /// What is committed has to be on the disk: a receipt says so.
    fn must_be_durable(&self, session: &Session) -> Stored<()> {
        for (setting, good) in [("fsync", "on"), ("synchronous_commit", "on remote_apply")] {
            let client = Arc::clone(&session.client);
            let asked = format!("SHOW {setting}");
            let told = self.driver.wait(async move { client.simple_query(&asked).await })?;
            let is_good = told.map_err(fault)?.iter().any(|it| {
                let SimpleQueryMessage::Row(row) = it else { return false };
                row.get(0).is_some_and(|it| good.split(' ').any(|good| good == it))
            });
            if !is_good {
                return Err(StoreError::Unfit(format!(
                    "PostgreSQL has {setting} off here, and could lose what was receipted; set it on for the server, the database and the role"
                )));
            }
        }
        Ok(())
    }

    /// Runs statements that answer nothing and have no parameters.
    pub fn batch(&self, session: &Session, statements: String) -> Stored<()> {
        let client = Arc::clone(&session.client);
        let done = self.driver.wait(async move { client.batch_execute(&statements).await })?;
        done.map_err(fault)
    }

    /// The statement, prepared on this connection.
    pub fn prepared(&self, session: &Session, sql: &str) -> Stored<Statement> {
        if let Some(statement) = session.prepared.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let client = Arc::clone(&session.client);
        // SQLite's parameters, in the words of PostgreSQL.
        let asked = sql.replace('?', "$");
        let prepared = self.driver.wait(async move { client.prepare(&asked).await })?;
        let statement = prepared.map_err(fault)?;
        let mut kept = session.prepared.borrow_mut();
        if kept.len() >= STATEMENTS_MAX {
            kept.clear();
        }
        kept.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Asks by this connection.
    pub fn ask<T: Send + 'static, F>(
        &self,
        session: &Session,
        asking: impl FnOnce(Arc<Client>) -> F,
    ) -> Stored<T>
    where
        F: Future<Output = Result<T, tokio_postgres::Error>> + Send + 'static,
    {
        self.driver.wait(asking(Arc::clone(&session.client)))?.map_err(fault)
    }
}

impl Session {
    /// Whether the line is cut.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }
}

/// The thread that drives connections. Whoever waits for it may be on any thread, also on one that
/// drives tasks of its own.
pub struct Driver {
    runtime: Option<Runtime>,
}

impl Driver {
    /// Starts the thread.
    pub fn start() -> Stored<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("postgres")
            .enable_all()
            .build()
            .map_err(|error| StoreError::Away(error.to_string()))?;
        Ok(Self { runtime: Some(runtime) })
    }

    /// Waits for what the thread does.
    pub fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Stored<T> {
        let ended = || StoreError::Away("the connection has ended".to_owned());
        let (tell, told) = sync_channel(1);
        self.runtime.as_ref().ok_or_else(ended)?.spawn(async move {
            // Nobody listens any more only if it took too long.
            let _ = tell.send(work.await);
        });
        told.recv_timeout(ANSWER_MAX).map_err(|_| StoreError::Away("it takes too long".to_owned()))
    }

    /// A new connection.
    pub fn connect(&self, address: &Address) -> Stored<Client> {
        if address.is_encrypted() {
            return self.connect_by(address, tls()?);
        }
        self.connect_by(address, NoTls)
    }

    fn connect_by<T>(&self, address: &Address, tls: T) -> Stored<Client>
    where
        T: MakeTlsConnect<Socket> + Send + 'static,
        T::Stream: Send,
        T::TlsConnect: Send,
        <T::TlsConnect as tokio_postgres::tls::TlsConnect<Socket>>::Future: Send,
    {
        let config = address.config().clone();
        let connected = self.wait(async move {
            let (client, connection) = config.connect(tls).await?;
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::warn!(error = %in_words(&error), "a connection to PostgreSQL ended");
                }
            });
            Ok(client)
        })?;
        connected.map_err(fault)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting for it is not allowed on a thread that drives tasks.
            runtime.shutdown_background();
        }
    }
}

/// TLS that believes whom this machine believes (`SSL_CERT_FILE` names others).
fn tls() -> Stored<MakeRustlsConnect> {
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let trusting = rustls::ClientConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .and_then(|it| it.with_platform_verifier());
    let trusting = trusting.map_err(|error| {
        StoreError::Unfit(format!(
            "TLS cannot be set up ({error}); look at the certificates of this machine"
        ))
    })?;
    Ok(MakeRustlsConnect::new(trusting.with_no_client_auth()))
}
