//! The writer thread: takes verbs from the queue, runs them one after the other, commits them together.
//!
//! Each can be undone alone: the first by the transaction itself, as nothing stands before it, those behind it by a savepoint.
//! A savepoint keeps each page that is changed a second time, which a verb that writes much pays dearly.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{mpsc, watch};

use super::chain::Chain;
use super::checkpoint::Due;
use super::{Read, Tx, WRITES_PER_COMMIT_MAX};
use crate::error::{Error, Result};

/// How long a commit may keep taking in further verbs.
const COMMIT_OPEN_MAX: Duration = Duration::from_millis(2);

/// A verb that waits, and the way to answer whoever asked for it.
pub(super) struct Job(Run);

/// Runs the verb in a transaction, or says why there is none.
type Run = Box<dyn FnOnce(Result<&mut Tx<'_>>) -> Answer + Send>;

/// What is left to do once the fate of the commit is known.
struct Answer {
    done: bool,
    tell: Box<dyn FnOnce(Result<()>) + Send>,
}

impl Job {
    pub(super) fn new<T, F, A>(verb: F, answer: A) -> Self
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
        A: FnOnce(Result<T>) + Send + 'static,
    {
        Self(Box::new(move |tx| {
            let result = tx.and_then(|tx| {
                catch_unwind(AssertUnwindSafe(|| verb(tx)))
                    .unwrap_or_else(|_| Err(Error::Storage("a verb failed unexpectedly".into())))
            });
            Answer {
                done: result.is_ok(),
                tell: Box::new(move |commit| answer(commit.and(result))),
            }
        }))
    }
}

pub(super) struct Writer {
    conn: Connection,
    chain: Chain,
    told: Told,
}

/// Whom the writer tells what it did.
pub(super) struct Told {
    /// Followers: the newest change.
    pub(super) last_sequence: watch::Sender<i64>,
    /// Whoever remembers who was recognised: that it may no longer be so.
    pub(super) identities: Arc<AtomicU64>,
    /// The thread that empties the log.
    pub(super) checkpoints: Due,
}

impl Writer {
    pub(super) fn new(conn: Connection, chain: Chain, told: Told) -> Self {
        Self { conn, chain, told }
    }

    /// Works until every sender is gone and the queue is empty.
    pub(super) fn work(mut self, mut waiting: mpsc::Receiver<Job>) {
        while let Some(first) = waiting.blocking_recv() {
            self.commit_with(first, &mut waiting);
        }
    }

    fn commit_with(&mut self, first: Job, waiting: &mut mpsc::Receiver<Job>) {
        if let Err(error) = self.begin() {
            ((first.0)(Err(error)).tell)(Ok(()));
            return;
        }
        let before = self.chain.clone();
        let mut answers = Vec::with_capacity(WRITES_PER_COMMIT_MAX);
        let opened = Instant::now();
        let answer = self.run(first);
        let mut broken = self.conn.is_autocommit().then_some(Error::Full);
        if broken.is_none() && !answer.done {
            self.chain = before;
            self.roll_back();
            return (answer.tell)(Ok(()));
        }
        answers.push(answer);
        while broken.is_none()
            && answers.len() < WRITES_PER_COMMIT_MAX
            && opened.elapsed() < COMMIT_OPEN_MAX
            && let Ok(job) = waiting.try_recv()
        {
            match self.run_in_savepoint(job) {
                Ok(answer) => answers.push(answer),
                Err((answer, error)) => {
                    answers.push(answer);
                    broken = Some(error);
                }
            }
        }
        let outcome = match broken {
            Some(error) => Err(error),
            None => self.commit(),
        };
        match outcome {
            Ok(()) => {
                let Told { last_sequence, identities, checkpoints } = &mut self.told;
                // First, so that whoever hears of the change does not find somebody remembered.
                identities.store(self.chain.identities(), Ordering::Release);
                last_sequence.send_if_modified(|last| {
                    let grown = *last != self.chain.last_change();
                    *last = self.chain.last_change();
                    grown
                });
                let changes = self.chain.last_change() - before.last_change();
                let changes = usize::try_from(changes).unwrap_or(0);
                // One verb may make many, and some make none.
                checkpoints.after_writes(changes.max(answers.len()));
                for answer in answers {
                    (answer.tell)(Ok(()));
                }
            }
            Err(error) => {
                self.chain = before;
                self.roll_back();
                for answer in answers {
                    // A refusal stands whether or not the others could be written.
                    let fate = if answer.done { Err(again(&error)) } else { Ok(()) };
                    (answer.tell)(fate);
                }
            }
        }
    }

    fn begin(&mut self) -> Result<()> {
        self.conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        // Another process (the command line) may have written since.
        self.chain.refresh(&self.conn).inspect_err(|_| self.roll_back())
    }

    fn commit(&mut self) -> Result<()> {
        self.chain.seal(&self.conn)?;
        self.conn.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    fn roll_back(&self) {
        if !self.conn.is_autocommit()
            && let Err(error) = self.conn.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "the writer could not roll back");
        }
    }

    fn run(&mut self, job: Job) -> Answer {
        let mut tx = Tx { read: Read { conn: &self.conn }, chain: &mut self.chain };
        (job.0)(Ok(&mut tx))
    }

    /// Runs one verb behind others. The error case means that SQLite gave up the whole transaction.
    fn run_in_savepoint(&mut self, job: Job) -> std::result::Result<Answer, (Answer, Error)> {
        if let Err(error) = self.statement("SAVEPOINT verb") {
            return Err(((job.0)(Err(again(&error))), error));
        }
        let before = self.chain.clone();
        let answer = self.run(job);
        if self.conn.is_autocommit() {
            return Err((answer, Error::Full));
        }
        if !answer.done {
            self.chain = before;
            if let Err(error) = self.statement("ROLLBACK TO verb") {
                return Err((answer, error));
            }
        }
        match self.statement("RELEASE verb") {
            Ok(()) => Ok(answer),
            Err(error) => Err((answer, error)),
        }
    }

    fn statement(&self, sql: &str) -> Result<()> {
        self.conn.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}

fn again(error: &Error) -> Error {
    match error {
        Error::Full => Error::Full,
        Error::Busy => Error::Busy,
        Error::NotFound(_)
        | Error::Refused(_)
        | Error::Stale { .. }
        | Error::Unknown
        | Error::Forbidden
        | Error::Storage(_) => Error::Storage(error.to_string()),
    }
}
