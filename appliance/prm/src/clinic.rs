//! The clinic that the box belongs to: its name, zone and house rules.

use jiff::tz::TimeZone;

use crate::change;
use crate::db::{Read, Tx};
use crate::error::{Error, Result};
use crate::id::{ClinicId, Noun};
use crate::stamp::{Right, Stamp};

/// Minutes after which a walk-in patient is as due as somebody booked at that time.
pub const WALK_IN_WAIT_MINUTES: i64 = 30;

/// A clinic.
#[derive(Clone, Debug)]
pub struct Clinic {
    /// Its id.
    pub id: ClinicId,
    /// Grows with each edit.
    pub version: i64,
    /// Its name, as patients know it.
    pub name: String,
    /// Its IANA time zone, by name.
    pub timezone: String,
    /// The same, ready to use.
    pub zone: TimeZone,
    /// Its country, two letters (ISO 3166-1), for telephone numbers in national form.
    pub country: String,
    /// Minutes after which a walk-in patient is as due as somebody booked at that time.
    pub walk_in_wait_minutes: i64,
    /// Whether its records are made up.
    pub demo: bool,
}

impl Clinic {
    /// The four bytes that stand for the clinic in a QR: the end of its id, which is random.
    pub fn short_id(&self) -> [u8; 4] {
        let [.., a, b, c, d] = *self.id.as_bytes();
        [a, b, c, d]
    }
}

/// What is said when a clinic is founded.
#[derive(Clone, Debug)]
pub struct Founding {
    /// Its name.
    pub name: String,
    /// Its IANA time zone, by name.
    pub timezone: String,
    /// Its country, two letters (ISO 3166-1).
    pub country: String,
    /// Whether its records are made up.
    pub demo: bool,
}

/// Founds the clinic in an empty database and begins its log.
pub fn found(tx: &mut Tx<'_>, stamp: &Stamp, founding: Founding) -> Result<Clinic> {
    stamp.needs(Right::ManageStaff)?;
    let Founding { name, timezone, country, demo } = founding;
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 200 {
        return Err(Error::invalid("name", "the clinic needs a name of at most 200 letters"));
    }
    zone(&timezone)?;
    let country = country.to_ascii_uppercase();
    if country.parse::<phonenumber::country::Id>().is_err() {
        return Err(Error::invalid("country", "the country is two letters, for example IN"));
    }
    let id = ClinicId::new(stamp.now);
    tx.sql().execute(
        "INSERT INTO clinic (only, id, version, name, timezone, country, walk_in_wait_minutes, demo)
         VALUES (1, ?1, 1, ?2, ?3, ?4, ?5, ?6)",
        (id, name, &timezone, &country, WALK_IN_WAIT_MINUTES, demo),
    )?;
    change::begin_log(tx, stamp)?;
    tx.record(stamp, "found", (Noun::Clinic, id.as_bytes(), 1), None)?;
    get(tx)
}

/// Makes this box, which was founded and holds no records of a clinic yet, the box of a clinic that there
/// is already, as it is called at its hub.
pub fn take_over(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: ClinicId,
    as_known: Founding,
) -> Result<Clinic> {
    stamp.needs(Right::ManageStaff)?;
    let Founding { name, timezone, country, demo } = as_known;
    zone(&timezone)?;
    let version = get(tx)?.version + 1;
    tx.sql().execute(
        "UPDATE clinic SET id = ?1, version = ?2, name = ?3, timezone = ?4, country = ?5, demo = ?6",
        (id, version, name, &timezone, &country, demo),
    )?;
    tx.record(stamp, "take_over", (Noun::Clinic, id.as_bytes(), version), None)?;
    get(tx)
}

/// Sets after how many minutes a walk-in patient is as due as somebody booked at that time.
/// Nothing is written if it is so already.
pub fn set_walk_in_wait(tx: &mut Tx<'_>, stamp: &Stamp, minutes: i64) -> Result<Clinic> {
    stamp.needs(Right::ManageStaff)?;
    let clinic = get(tx)?;
    if clinic.walk_in_wait_minutes == minutes {
        return Ok(clinic);
    }
    if !(0..=240).contains(&minutes) {
        return Err(Error::invalid("walk_in_wait_minutes", "the wait has 0 to 240 minutes"));
    }
    let version = clinic.version + 1;
    tx.sql()
        .execute("UPDATE clinic SET version = ?1, walk_in_wait_minutes = ?2", (version, minutes))?;
    tx.record(stamp, "edit", (Noun::Clinic, clinic.id.as_bytes(), version), None)?;
    get(tx)
}

/// The clinic.
pub fn get(read: &Read<'_>) -> Result<Clinic> {
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, name, timezone, country, walk_in_wait_minutes, demo FROM clinic",
    )?;
    let mut rows = statement.query([])?;
    let row = rows.next()?.ok_or(Error::NotFound(Noun::Clinic))?;
    let timezone: String = row.get(3)?;
    Ok(Clinic {
        id: row.get(0)?,
        version: row.get(1)?,
        name: row.get(2)?,
        zone: zone(&timezone)?,
        timezone,
        country: row.get(4)?,
        walk_in_wait_minutes: row.get(5)?,
        demo: row.get(6)?,
    })
}

fn zone(name: &str) -> Result<TimeZone> {
    TimeZone::get(name).map_err(|_| {
        Error::invalid("timezone", "the time zone is an IANA name, for example Asia/Kolkata")
    })
}
