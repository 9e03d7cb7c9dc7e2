//! Kiosks and boards: paired by a code that the device shows and the desk types, or by a code
//! that the desk offers and the device claims; revocable.
//!
//! Invariant: a device may do something only while it is `paired`.
//! Invariant: a code works once, for a short time, and only a hash of the device's secret is kept.

use jiff::Timestamp;
use rusqlite::OptionalExtension as _;

use crate::contact;
use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{DeviceId, Noun};
use crate::secret::{self, SECRET_TEXT_MAX, Secret};
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, plus_minutes, to_ms};

/// Devices that may wait for being paired at once: anybody in the clinic's network may ask.
pub const PENDING_MAX: i64 = 20;
/// Pairing offers that may be open at once.
pub const OFFERS_MAX: i64 = 20;
/// Devices that one box keeps, revoked ones included.
pub const DEVICES_MAX: i64 = 500;
/// How long a device waits for being paired, in minutes.
pub const PENDING_MINUTES: i64 = 10;
/// How long an offer stands, in minutes.
pub const OFFER_MINUTES: i64 = 24 * 60;
/// Digits of the code that a device shows.
pub const SHOWN_DIGITS: u32 = 6;
/// Digits of the code that the desk offers: more, because nobody signed in may try it.
pub const OFFERED_DIGITS: u32 = 8;
/// How often a code that is in use already is drawn again.
const DRAWS_MAX: usize = 16;

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Checks people in.
    Kiosk,
    /// Shows who is called.
    Board,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Kiosk, Self::Board];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kiosk => "kiosk",
            Self::Board => "board",
        }
    }

    /// The kind of that word.
    pub fn parse(word: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| Error::invalid("kind", "the kind is kiosk or board"))
    }
}

/// How far a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The desk offers a code; no device has claimed it.
    Offered,
    /// The device shows a code and waits.
    Pending,
    /// It may work.
    Paired,
    /// It may not work any more.
    Revoked,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Offered, Self::Pending, Self::Paired, Self::Revoked];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Pending => "pending",
            Self::Paired => "paired",
            Self::Revoked => "revoked",
        }
    }

    fn parse(word: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == word)
            .ok_or_else(|| Error::Storage("a device has an unknown status".into()))
    }
}

/// A kiosk or a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// Grows with each change.
    pub version: i64,
    /// What it is.
    pub kind: Kind,
    /// Where it stands, in the desk's words.
    pub name: Option<String>,
    /// How far it is.
    pub status: Status,
    /// When it first asked or was offered.
    pub created_at: Timestamp,
    /// When the code ends, while there is one.
    pub expires_at: Option<Timestamp>,
    /// When it was paired, if it was.
    pub paired_at: Option<Timestamp>,
}

/// A device that asks to be paired, and what it needs for that.
#[derive(Debug)]
pub struct Asked {
    /// The device, pending.
    pub device: Device,
    /// The digits to show.
    pub code: String,
    /// The device's secret, for its cookie.
    pub secret: Secret,
}

/// A device asks to be paired. Anybody may ask; it is good for nothing until the desk pairs it.
pub fn ask_to_pair(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    kind: Kind,
    name: Option<String>,
) -> Result<Asked> {
    let name = name.map(|name| contact::name("name", &name)).transpose()?;
    sweep(tx, stamp)?;
    must_have_room(tx, Status::Pending, PENDING_MAX)?;
    let code = free_code(tx, SHOWN_DIGITS)?;
    let secret = Secret::new("")?;
    let device = Device {
        id: DeviceId::new(stamp.now),
        version: 1,
        kind,
        name,
        status: Status::Pending,
        created_at: from_ms(to_ms(stamp.now)),
        expires_at: Some(from_ms(to_ms(plus_minutes(stamp.now, PENDING_MINUTES)))),
        paired_at: None,
    };
    insert(tx, &device, &code, Some(secret::hash(secret.text())))?;
    tx.record(stamp, "ask_to_pair", (Noun::Device, device.id.as_bytes(), 1), None)?;
    Ok(Asked { device, code, secret })
}

/// A device asks again that heard no answer: a new secret for it, in place of the one that was
/// lost, while it still waits for being paired. The edge knows that it is the same one.
pub fn ask_again(tx: &mut Tx<'_>, stamp: &Stamp, id: DeviceId) -> Result<Option<Secret>> {
    let secret = Secret::new("")?;
    let version: Option<i64> = tx
        .sql()
        .prepare_cached(
            "UPDATE device SET secret_hash = ?2, version = version + 1
             WHERE id = ?1 AND status = 'pending' AND expires_at > ?3 RETURNING version",
        )?
        .query_row((id, secret::hash(secret.text()), to_ms(stamp.now)), |row| row.get(0))
        .optional()?;
    let Some(version) = version else { return Ok(None) };
    tx.record(stamp, "ask_again", (Noun::Device, id.as_bytes(), version), None)?;
    Ok(Some(secret))
}

/// Pairs the device that shows `code`. Blanks and hyphens in it do not matter.
pub fn pair(tx: &mut Tx<'_>, stamp: &Stamp, code: &str, name: Option<String>) -> Result<Device> {
    stamp.needs(Right::ManageDevices)?;
    let name = name.map(|name| contact::name("name", &name)).transpose()?;
    let mut device = by_code(tx, stamp, code, Status::Pending)?;
    device.name = name.or(device.name);
    become_paired(tx, stamp, "pair", device, None)
}

/// The desk offers a code with which a device can be paired without anybody coming back.
pub fn offer(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    kind: Kind,
    name: Option<String>,
) -> Result<(Device, String)> {
    stamp.needs(Right::ManageDevices)?;
    let name = name.map(|name| contact::name("name", &name)).transpose()?;
    sweep(tx, stamp)?;
    must_have_room(tx, Status::Offered, OFFERS_MAX)?;
    let code = free_code(tx, OFFERED_DIGITS)?;
    let device = Device {
        id: DeviceId::new(stamp.now),
        version: 1,
        kind,
        name,
        status: Status::Offered,
        created_at: from_ms(to_ms(stamp.now)),
        expires_at: Some(from_ms(to_ms(plus_minutes(stamp.now, OFFER_MINUTES)))),
        paired_at: None,
    };
    insert(tx, &device, &code, None)?;
    tx.record(stamp, "offer", (Noun::Device, device.id.as_bytes(), 1), None)?;
    Ok((device, code))
}

/// The code of an offer of this kind and name that stands for an hour at least, if there is one.
pub fn standing_offer(
    read: &Read<'_>,
    stamp: &Stamp,
    kind: Kind,
    name: &str,
) -> Result<Option<String>> {
    stamp.needs(Right::ManageDevices)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT code FROM device
         WHERE status = 'offered' AND kind = ?1 AND name = ?2 AND expires_at > ?3
         ORDER BY expires_at DESC LIMIT 1",
    )?;
    let until = to_ms(plus_minutes(stamp.now, 60));
    Ok(statement.query_row((kind.as_str(), name, until), |row| row.get(0)).optional()?)
}

/// A device claims an offered code and is paired. How often codes may be tried is the edge's
/// to bound.
pub fn claim(tx: &mut Tx<'_>, stamp: &Stamp, code: &str) -> Result<(Device, Secret)> {
    let device = by_code(tx, stamp, code, Status::Offered)?;
    let secret = Secret::new("")?;
    let device = become_paired(tx, stamp, "claim", device, Some(secret::hash(secret.text())))?;
    Ok((device, secret))
}

/// Takes a device's rights away for good. A revoked one stays so.
pub fn revoke(tx: &mut Tx<'_>, stamp: &Stamp, id: DeviceId) -> Result<Device> {
    stamp.needs(Right::ManageDevices)?;
    let mut device = by_id(tx, id)?;
    if device.status == Status::Revoked {
        return Ok(device);
    }
    device.version += 1;
    device.status = Status::Revoked;
    device.expires_at = None;
    tx.sql()
        .prepare_cached(
            "UPDATE device SET version = ?2, status = 'revoked', code = NULL, expires_at = NULL
             WHERE id = ?1",
        )?
        .execute((id, device.version))?;
    tx.record(stamp, "revoke", (Noun::Device, id.as_bytes(), device.version), None)?;
    Ok(device)
}

/// All devices whose time is not over, the newest last.
pub fn list(read: &Read<'_>, stamp: &Stamp) -> Result<Vec<Device>> {
    stamp.needs(Right::ManageDevices)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, kind, name, status, created_at, expires_at, paired_at FROM device
         WHERE expires_at IS NULL OR expires_at > ?1 ORDER BY created_at, id",
    )?;
    let mut rows = statement.query([to_ms(stamp.now)])?;
    let mut devices = Vec::new();
    while let Some(row) = rows.next()? {
        devices.push(from_row(row)?);
    }
    Ok(devices)
}

/// The device with this secret, however far it is; nothing if it is unknown or waited too long.
pub fn authenticate(read: &Read<'_>, text: &str, now: Timestamp) -> Result<Option<Device>> {
    if text.is_empty() || text.len() > SECRET_TEXT_MAX {
        return Ok(None);
    }
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, kind, name, status, created_at, expires_at, paired_at FROM device
         WHERE secret_hash = ?1 AND (expires_at IS NULL OR expires_at > ?2)",
    )?;
    let mut rows = statement.query((secret::hash(text), to_ms(now)))?;
    rows.next()?.map(from_row).transpose()
}

fn become_paired(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    verb: &'static str,
    mut device: Device,
    hash: Option<[u8; 32]>,
) -> Result<Device> {
    device.version += 1;
    device.status = Status::Paired;
    device.expires_at = None;
    device.paired_at = Some(from_ms(to_ms(stamp.now)));
    tx.sql()
        .prepare_cached(
            "UPDATE device SET version = ?2, name = ?3, status = 'paired', code = NULL,
                    expires_at = NULL, paired_at = ?4, secret_hash = coalesce(?5, secret_hash)
             WHERE id = ?1",
        )?
        .execute((device.id, device.version, &device.name, to_ms(stamp.now), hash))?;
    tx.record(stamp, verb, (Noun::Device, device.id.as_bytes(), device.version), None)?;
    Ok(device)
}

fn insert(tx: &Tx<'_>, device: &Device, code: &str, hash: Option<[u8; 32]>) -> Result<()> {
    tx.sql()
        .prepare_cached(
            "INSERT INTO device
               (id, version, kind, name, status, code, secret_hash, created_at, expires_at)
             VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            device.id,
            device.kind.as_str(),
            &device.name,
            device.status.as_str(),
            code,
            hash,
            to_ms(device.created_at),
            device.expires_at.map(to_ms),
        ))?;
    Ok(())
}

/// Removes devices that were never paired in time. They did nothing that anybody asks about.
fn sweep(tx: &Tx<'_>, stamp: &Stamp) -> Result<()> {
    tx.sql()
        .prepare_cached(
            "DELETE FROM device WHERE status IN ('pending', 'offered') AND expires_at <= ?1",
        )?
        .execute([to_ms(stamp.now)])?;
    Ok(())
}

fn must_have_room(read: &Read<'_>, status: Status, most: i64) -> Result<()> {
    let (all, these): (i64, i64) = read
        .sql()
        .prepare_cached("SELECT count(*), count(*) FILTER (WHERE status = ?1) FROM device")?
        .query_row([status.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if these >= most || all >= DEVICES_MAX {
        let detail = match status {
            Status::Offered => "too many codes are offered; revoke some at the desk, or wait a day",
            Status::Pending | Status::Paired | Status::Revoked => {
                "too many devices wait for being paired; pair or revoke some at the desk, or wait ten minutes"
            }
        };
        return Err(Error::refused(Code::TooMany, detail));
    }
    Ok(())
}

fn free_code(read: &Read<'_>, digits: u32) -> Result<String> {
    for _ in 0..DRAWS_MAX {
        let code = secret::digits(digits)?;
        let mut taken = read.sql().prepare_cached("SELECT 1 FROM device WHERE code = ?1")?;
        if !taken.exists([&code])? {
            return Ok(code);
        }
    }
    Err(Error::Busy)
}

fn by_code(read: &Read<'_>, stamp: &Stamp, code: &str, status: Status) -> Result<Device> {
    let wrong =
        || Error::refused(Code::WrongCode, "this code is wrong or too old; ask for a new one");
    if code.len() > 40 {
        return Err(wrong());
    }
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, kind, name, status, created_at, expires_at, paired_at FROM device
         WHERE code = ?1 AND status = ?2 AND expires_at > ?3",
    )?;
    let mut rows = statement.query((digits, status.as_str(), to_ms(stamp.now)))?;
    from_row(rows.next()?.ok_or_else(wrong)?)
}

fn by_id(read: &Read<'_>, id: DeviceId) -> Result<Device> {
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, kind, name, status, created_at, expires_at, paired_at
         FROM device WHERE id = ?1",
    )?;
    let mut rows = statement.query([id])?;
    from_row(rows.next()?.ok_or(Error::NotFound(Noun::Device))?)
}

fn from_row(row: &rusqlite::Row<'_>) -> Result<Device> {
    Ok(Device {
        id: row.get(0)?,
        version: row.get(1)?,
        kind: Kind::parse(&row.get::<_, String>(2)?)?,
        name: row.get(3)?,
        status: Status::parse(&row.get::<_, String>(4)?)?,
        created_at: from_ms(row.get(5)?),
        expires_at: row.get::<_, Option<i64>>(6)?.map(from_ms),
        paired_at: row.get::<_, Option<i64>>(7)?.map(from_ms),
    })
}

#[cfg(test)]
mod tests;
