//! Clinics, the codes with which their boxes join, and the box that each has.

use sync_protocol::envelope::{SealingKey, VerifyingKey};
use sync_protocol::ledger::Ledger;
use sync_protocol::lineage::LogId;
use sync_protocol::loan::Generation;

use super::sql::{Row, Tx, params};
use super::{StoreError, Stored, from_stored};

/// A clinic.
#[derive(Clone, Debug)]
pub struct Clinic {
    /// Its id.
    pub id: [u8; 16],
    /// Its name, as the hub's operator wrote it.
    pub name: String,
    /// The key of its records, wrapped.
    pub wrapped_key: Vec<u8>,
    /// When it was added, in ms since 1970 UTC.
    pub added_at: i64,
    /// Drawn anew whenever it is put back from a backup.
    pub life: i64,
}

/// What an operator sees of each clinic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// Its id.
    pub id: [u8; 16],
    /// Its name.
    pub name: String,
    /// How many boxes it has: one or none.
    pub boxes: u64,
    /// How many entries of its box are parked by name.
    pub parked: u64,
}

/// An enrolment code.
#[derive(Clone, Debug)]
pub struct Code {
    /// Whose box it lets in.
    pub clinic: [u8; 16],
    /// Until when it is good, in ms since 1970 UTC.
    pub expires_at: i64,
    /// The signing key of the box that used it.
    pub used_by: Option<VerifyingKey>,
}

/// The box of a clinic.
#[derive(Clone, Debug)]
pub struct Enrolled {
    /// Whose box it is.
    pub clinic: [u8; 16],
    /// The box's id.
    pub id: [u8; 16],
    /// What its hardware calls itself.
    pub hardware: String,
    /// Its name.
    pub name: String,
    /// The key that its bundles are signed with.
    pub sign: VerifyingKey,
    /// The key that receipts are sealed for.
    pub seal: SealingKey,
    /// When it joined last, in ms since 1970 UTC.
    pub enrolled_at: i64,
    /// When it was shut out, in ms since 1970 UTC.
    pub revoked_at: Option<i64>,
    /// Whether a log that was never heard before may take over.
    pub may_begin: bool,
    /// What is held of its log; none before its first bundle.
    pub ledger: Option<Ledger>,
    /// How many full statements have begun.
    pub statement: i64,
    /// When it was answered last, in ms since 1970 UTC.
    pub heard_at: Option<i64>,
}

impl Enrolled {
    /// The generation that is listened to, if this log is the one.
    pub fn living(&self, log: LogId) -> Option<Generation> {
        let ledger = self.ledger.as_ref().filter(|it| !it.quarantined)?;
        (ledger.lineage.log == log).then_some(ledger.lineage.generation)
    }
}

/// Adds a clinic. A name that is taken is [`StoreError::Failed`]; look with [`clinic_named`] before.
///
/// # Errors
/// [`StoreError`].
pub fn add_clinic(tx: &Tx<'_>, clinic: &Clinic) -> Stored<()> {
    let Clinic { id, name, wrapped_key, added_at, life } = clinic;
    tx.execute(
        "INSERT INTO clinic (id, name, wrapped_key, added_at, life) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![id, name, wrapped_key, *added_at, *life],
    )?;
    Ok(())
}

/// The clinic with this id.
///
/// # Errors
/// [`StoreError`].
pub fn clinic(tx: &Tx<'_>, id: [u8; 16]) -> Stored<Option<Clinic>> {
    let sql = "SELECT id, name, wrapped_key, added_at, life FROM clinic WHERE id = ?1";
    tx.row(sql, params![&id], to_clinic)
}

/// The id of the clinic with this name, in capitals or not.
///
/// # Errors
/// [`StoreError`].
pub fn clinic_named(tx: &Tx<'_>, name: &str) -> Stored<Option<[u8; 16]>> {
    let sql = "SELECT clinic FROM overview WHERE lower(name) = lower(?1)";
    tx.row(sql, params![name], |row| row.get(0))
}

/// All clinics by name.
///
/// # Errors
/// [`StoreError`].
pub fn clinics(tx: &Tx<'_>) -> Stored<Vec<Overview>> {
    let sql = "SELECT clinic, name, boxes, parked FROM overview";
    let mut clinics = tx.rows(sql, &[], |row| {
        let (boxes, parked) = (from_stored(row.get(2)?), from_stored(row.get(3)?));
        Ok(Overview { id: row.get(0)?, name: row.get(1)?, boxes, parked })
    })?;
    // Here and not there, because each database orders letters in its own way.
    clinics.sort_by_cached_key(|it| it.name.to_lowercase());
    Ok(clinics)
}

fn to_clinic(row: &Row<'_>) -> Stored<Clinic> {
    Ok(Clinic {
        id: row.get(0)?,
        name: row.get(1)?,
        wrapped_key: row.get(2)?,
        added_at: row.get(3)?,
        life: row.get(4)?,
    })
}

/// Adds a code by its hash; those of the clinic that were not used are good no more.
///
/// # Errors
/// [`StoreError`].
pub fn add_code(tx: &Tx<'_>, clinic: [u8; 16], hash: [u8; 32], expires_at: i64) -> Stored<()> {
    let sql = "DELETE FROM enrolment_code WHERE clinic = ?1 AND used_at IS NULL";
    tx.execute(sql, params![&clinic])?;
    tx.execute(
        "INSERT INTO enrolment_code (clinic, hash, expires_at) VALUES (?1, ?2, ?3)",
        params![&clinic, &hash, expires_at],
    )?;
    Ok(())
}

/// The clinic that the code with this hash is for.
///
/// # Errors
/// [`StoreError`].
pub fn code_owner(tx: &Tx<'_>, hash: [u8; 32]) -> Stored<Option<[u8; 16]>> {
    tx.row("SELECT clinic FROM code_owner WHERE hash = ?1", params![&hash], |row| row.get(0))
}

/// The code of this clinic with this hash.
///
/// # Errors
/// [`StoreError`].
pub fn code(tx: &Tx<'_>, clinic: [u8; 16], hash: [u8; 32]) -> Stored<Option<Code>> {
    let sql = "SELECT clinic, expires_at, used_by FROM enrolment_code
        WHERE clinic = ?1 AND hash = ?2";
    tx.row(sql, params![&clinic, &hash], |row| {
        let used_by = row.get::<Option<[u8; 32]>>(2)?.map(VerifyingKey);
        Ok(Code { clinic: row.get(0)?, expires_at: row.get(1)?, used_by })
    })
}

/// Notes who used the code.
///
/// # Errors
/// [`StoreError`].
pub fn use_code(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    hash: [u8; 32],
    by: &VerifyingKey,
    now_ms: i64,
) -> Stored<()> {
    tx.execute(
        "UPDATE enrolment_code SET used_at = ?3, used_by = ?4 WHERE clinic = ?1 AND hash = ?2",
        params![&clinic, &hash, now_ms, &by.0],
    )?;
    Ok(())
}

/// The clinic whose box has this hardware.
///
/// # Errors
/// [`StoreError`].
pub fn owner_of_hardware(tx: &Tx<'_>, hardware: &str) -> Stored<Option<[u8; 16]>> {
    let sql = "SELECT clinic FROM box_owner WHERE hardware = ?1";
    tx.row(sql, params![hardware], |row| row.get(0))
}

/// The clinic whose box signs with this key.
///
/// # Errors
/// [`StoreError`].
pub fn owner_of_key(tx: &Tx<'_>, sign: &VerifyingKey) -> Stored<Option<[u8; 16]>> {
    let sql = "SELECT clinic FROM box_owner WHERE sign_key = ?1";
    tx.row(sql, params![&sign.0], |row| row.get(0))
}

/// The box of this clinic.
///
/// # Errors
/// [`StoreError`].
pub fn enrolled(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<Option<Enrolled>> {
    let sql = "SELECT clinic, id, hardware, name, sign_key, seal_key, enrolled_at, revoked_at,
        may_begin, ledger, statement, heard_at FROM box WHERE clinic = ?1";
    tx.row(sql, params![&clinic], to_enrolled)
}

/// The box of this clinic, if it has this id.
///
/// # Errors
/// [`StoreError`].
pub fn enrolled_at(tx: &Tx<'_>, clinic: [u8; 16], id: [u8; 16]) -> Stored<Option<Enrolled>> {
    Ok(enrolled(tx, clinic)?.filter(|it| it.id == id))
}

/// A box as it is now, if it is still the one that it was when an envelope of it was opened: nobody
/// joined in its place, and it was not shut out.
///
/// # Errors
/// [`StoreError`].
pub fn still_enrolled(tx: &Tx<'_>, opened_for: &Enrolled) -> Stored<Option<Enrolled>> {
    let now = enrolled_at(tx, opened_for.clinic, opened_for.id)?;
    Ok(now.filter(|it| it.sign == opened_for.sign && it.revoked_at.is_none()))
}

fn to_enrolled(row: &Row<'_>) -> Stored<Enrolled> {
    let seal = SealingKey::from_bytes(&row.get::<[u8; 32]>(5)?)
        .map_err(|_| StoreError::Damaged("the key of a box"))?;
    let ledger = row
        .get::<Option<Vec<u8>>>(9)?
        .map(|bytes| Ledger::from_bytes(&bytes).ok_or(StoreError::Damaged("the ledger of a box")));
    Ok(Enrolled {
        clinic: row.get(0)?,
        id: row.get(1)?,
        hardware: row.get(2)?,
        name: row.get(3)?,
        sign: VerifyingKey(row.get(4)?),
        seal,
        enrolled_at: row.get(6)?,
        revoked_at: row.get(7)?,
        may_begin: row.get(8)?,
        ledger: ledger.transpose()?,
        statement: row.get(10)?,
        heard_at: row.get(11)?,
    })
}

/// Writes the box of a clinic in place of the one that it has.
///
/// # Errors
/// [`StoreError`].
pub fn put_enrolled(tx: &Tx<'_>, it: &Enrolled) -> Stored<()> {
    let Enrolled {
        clinic,
        id,
        hardware,
        name,
        sign,
        seal,
        enrolled_at,
        revoked_at,
        may_begin,
        ledger,
        statement,
        heard_at,
    } = it;
    tx.execute("DELETE FROM box WHERE clinic = ?1", params![clinic])?;
    tx.execute(
        "INSERT INTO box (clinic, id, hardware, name, sign_key, seal_key, enrolled_at, revoked_at,
            may_begin, ledger, statement, heard_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            clinic,
            id,
            hardware,
            name,
            &sign.0,
            &seal.bytes(),
            *enrolled_at,
            *revoked_at,
            *may_begin,
            ledger.as_ref().map(Ledger::to_bytes).as_ref(),
            *statement,
            *heard_at,
        ],
    )?;
    Ok(())
}

/// Shuts out the box of a clinic; answers whether there is one.
///
/// # Errors
/// [`StoreError`].
pub fn revoke(tx: &Tx<'_>, clinic: [u8; 16], now_ms: i64) -> Stored<bool> {
    let sql =
        "UPDATE box SET revoked_at = coalesce(revoked_at, ?2), may_begin = 0 WHERE clinic = ?1";
    Ok(tx.execute(sql, params![&clinic, now_ms])? > 0)
}
