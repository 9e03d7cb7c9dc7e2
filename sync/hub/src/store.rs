//! The hub's database: all SQL of the hub, behind plain functions. SQLite, or PostgreSQL where several
//! processes serve many clinics; the functions are the same, and so are their tests.
//!
//! Invariant: what [`Store::write`] answers was committed, and is on the disk (`synchronous=FULL`,
//! `synchronous_commit=on`).
//! Invariant: two writes of one clinic run one after the other, whichever process they come from:
//! SQLite has one writer, in PostgreSQL each write begins by locking the row of its clinic.
//! Invariant: a transaction sees and writes the rows of the clinic that it was begun for. What goes
//! across clinics is read from the views of `migrations/hub` that say so, and from nothing else;
//! PostgreSQL enforces that (row-level security).

mod carry;
mod channel;
mod clinic;
mod figures;
mod hold;
mod idempotency;
pub mod index;
mod loan;
mod media_in;
mod media_out;
mod message_in;
mod message_line;
mod message_out;
mod migration;
mod postgres;
mod record;
mod request;
mod sealed;
pub mod sql;
mod sqlite;
mod token;
mod turn;

use std::path::{Path, PathBuf};

pub use carry::{backup_key, carry, erase, put_backup_key};
pub use channel::{
    ChannelName, ChannelRow, channel, channel_names_alone, channel_owners, channels, put_channel,
    remove_channel,
};
pub use clinic::{
    Clinic, Code, Enrolled, Overview, add_clinic, add_code, clinic, clinic_named, clinics, code,
    code_owner, enrolled, enrolled_at, owner_of_hardware, owner_of_key, put_enrolled, revoke,
    still_enrolled, use_code,
};
pub use figures::{Lent, lent};
pub use hold::{Hold, drop_hold, held_slots, hold, hold_count, put_hold};
pub use idempotency::{forget_kept, keep, kept, kept_count};
pub use loan::{
    LoanRow, SaleRow, add_sale, count_sale, forget_loans, loan, loan_count, loan_store, loans,
    loans_due, loans_held, loans_over, loans_sold, look_at_held, put_loan, put_loan_store, sale,
};
pub use media_in::{
    MediaIn, claim_media_in, clinics_with_media_due, count_media_in, cut_media_in, forget_media_in,
    forget_part_in, lose_media_in, note_media_in, put_off_media_in,
};
pub use media_out::{
    PartOut, clinics_with_media_over, end_parts_out, forget_parts_out, has_parts_out, parts_out,
    parts_out_bytes, put_part_out,
};
pub use message_in::{
    MessageIn, forget_messages_in, had_messages_in, knows_message_in, lose_messages_in,
    message_in_body, messages_noted, messages_waiting, oldest_message_in, put_message_in,
    renew_messages_in, send_messages_in,
};
pub use message_line::{MessageLine, clinics_with_messages, message_line, put_message_line};
pub use message_out::{
    MessageOut, OutState, Peer, claim_messages_out, clinics_with_messages_due, count_messages_out,
    end_messages_out, forget_messages_out, forget_peers, hold_back, message_out,
    message_out_called, message_out_of, move_message_out, name_message_out, next_message_due,
    note_peer, number_of_message_out, peer, put_message_out, put_off,
};
use postgres::Postgres;
pub use postgres::{Address, prepare};
pub use record::{
    ParkedRow, Record, apply, parked, parked_body, put_record, record, record_count, records_after,
    save_ledger,
};
pub use request::{
    Downlink, begin_downlink, downlink, due_requests, forget_requests, hear, polled, put_before,
    put_reply, put_request, reply, request, restored_requests,
};
pub use sealed::{SEALED, Sealed, count_not_sealed_by, put_sealed, put_wrapped_key, sealed_after};
pub use sql::Tx;
use sqlite::Sqlite;
pub use token::{Token, add_token, revoke_token, token, tokens};
pub use turn::{
    DialogueRow, FactsRow, TurnRow, clinics_with_turns, dialogue, end_turns, forget_turns,
    has_reception_facts, move_turn, note_heard, put_dialogue, put_reception_facts, put_turn,
    reception_facts, turn, turns_before, turns_open,
};

/// Why the database did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite or the disk failed, or another process held the lock for too long.
    #[error("the hub's database did not answer: {0}")]
    Failed(#[from] rusqlite::Error),
    /// PostgreSQL refused a statement: its code (SQLSTATE) and what it says of it.
    #[error("PostgreSQL refused it ({code}): {what}")]
    Refused {
        /// SQLSTATE, five letters.
        code: String,
        /// In PostgreSQL's words, without values.
        what: String,
    },
    /// PostgreSQL is not there, or went away.
    #[error("PostgreSQL does not answer ({0}); look whether it runs and --database names it")]
    Away(String),
    /// All connections are in use, and stayed so.
    #[error("all connections to PostgreSQL are in use; try again in a few seconds")]
    Busy,
    /// The server, the role or the address is not fit for the hub.
    #[error("{0}")]
    Unfit(String),
    /// A row is not what was written.
    #[error("the hub's database is damaged at {0}; put back a copy of it")]
    Damaged(&'static str),
    /// A newer program made it.
    #[error("{0} was made by a newer carepost-hub; install that one (nothing was touched)")]
    Newer(String),
    /// Its file cannot be made or opened.
    #[error("the database {0} cannot be opened: {1}; look at the rights of the folder")]
    NotOpened(PathBuf, std::io::Error),
    /// It is not there.
    #[error("there is no hub in {0}; make one with `carepost-hub clinic add NAME --data DIR`")]
    Missing(PathBuf),
}

/// Numbers of a log are below 2^53, so that 64 bits with a sign hold them.
fn to_stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number of a log, or a count, as it lies in the database.
fn from_stored(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// What database functions answer.
pub type Stored<T> = Result<T, StoreError>;

/// The database of a hub.
pub struct Store {
    database: Database,
}

enum Database {
    Sqlite(Sqlite),
    Postgres(Box<Postgres>),
}

/// Whether a database may be made where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfMissing {
    /// It is made.
    Make,
    /// It is an error.
    Refuse,
}

/// Whose rows a transaction sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Scope {
    /// Those of one clinic.
    Clinic([u8; 16]),
    /// No clinic's; only the views that say something of all.
    Views,
    /// One clinic's after the other, and no clinic is added or altered meanwhile.
    Each,
}

impl Store {
    /// Opens the SQLite file of a hub and brings it to the newest format.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(path: &Path, missing: IfMissing) -> Stored<Self> {
        Ok(Self { database: Database::Sqlite(Sqlite::open(path, missing)?) })
    }

    /// Connects to a PostgreSQL database that [`prepare`] has made ready.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Unfit`] says what to do about the server or the role.
    pub fn connect(address: &Address) -> Stored<Self> {
        Ok(Self { database: Database::Postgres(Box::new(Postgres::connect(address)?)) })
    }

    /// Runs a transaction that may write what belongs to one clinic; its answer is committed before
    /// it is given. `work` may run more than once: what it did before is then undone.
    ///
    /// # Errors
    /// What the closure answers; then nothing was written. Or [`StoreError`].
    pub fn write<T, E: From<StoreError>>(
        &self,
        clinic: [u8; 16],
        work: impl FnMut(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match &self.database {
            Database::Sqlite(it) => it.write(work),
            Database::Postgres(it) => it.write(Scope::Clinic(clinic), work),
        }
    }

    /// Runs a transaction that goes through the clinics with [`Tx::enter`]; meanwhile none is added.
    /// `work` may run more than once: what it did before is then undone.
    ///
    /// # Errors
    /// What the closure answers; then nothing was written. Or [`StoreError`].
    pub fn write_all<T, E: From<StoreError>>(
        &self,
        work: impl FnMut(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match &self.database {
            Database::Sqlite(it) => it.write(work),
            Database::Postgres(it) => it.write(Scope::Each, work),
        }
    }

    /// Runs `work` for several clinics, each of which is as with [`Store::write`]: together where that is one
    /// commit, and each for itself if one of them fails. `work` may run more than once for each.
    pub fn write_each<T, E: From<StoreError>>(
        &self,
        clinics: &[[u8; 16]],
        mut work: impl FnMut(&Tx<'_>, [u8; 16]) -> Result<T, E>,
    ) -> Vec<Result<T, E>> {
        if let Database::Sqlite(it) = &self.database
            && clinics.len() > 1
        {
            let mut all = |tx: &Tx<'_>| {
                clinics.iter().map(|clinic| work(tx, *clinic)).collect::<Result<Vec<T>, E>>()
            };
            if let Ok(done) = it.write(&mut all) {
                return done.into_iter().map(Ok).collect();
            }
        }
        clinics.iter().map(|clinic| self.write(*clinic, |tx| work(tx, *clinic))).collect()
    }

    /// Whether several may write beside each other.
    pub fn writes_beside(&self) -> bool {
        match &self.database {
            Database::Sqlite(_) => false,
            Database::Postgres(_) => true,
        }
    }

    /// Runs queries about one clinic that all see the same state.
    ///
    /// # Errors
    /// What the closure answers, or [`StoreError`].
    pub fn read<T, E: From<StoreError>>(
        &self,
        clinic: [u8; 16],
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match &self.database {
            Database::Sqlite(it) => it.read(work),
            Database::Postgres(it) => it.read(Scope::Clinic(clinic), work),
        }
    }

    /// Runs queries of the views that say something of all clinics; they all see the same state.
    ///
    /// # Errors
    /// What the closure answers, or [`StoreError`].
    pub fn survey<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match &self.database {
            Database::Sqlite(it) => it.read(work),
            Database::Postgres(it) => it.read(Scope::Views, work),
        }
    }

    /// Writes what was removed over in the file, as far as the database lets us: PostgreSQL does it by
    /// itself when it gets to it (`VACUUM`).
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn compact(&self) -> Stored<()> {
        match &self.database {
            Database::Sqlite(it) => it.compact(),
            Database::Postgres(_) => Ok(()),
        }
    }

    /// Whether the database takes writes now; nothing is written.
    ///
    /// # Errors
    /// [`StoreError`] if it does not.
    pub fn takes_writes(&self) -> Stored<()> {
        match &self.database {
            Database::Sqlite(it) => it.write(|_| Ok(())),
            Database::Postgres(it) => it.takes_writes(),
        }
    }
}
