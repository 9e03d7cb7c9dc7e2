//! The verdict that two records which look like one person's are of two people.
//!
//! It holds for what was compared. When a name, the birth date or a telephone number of one of the
//! two is another, the pair is listed again; when it is what it was, for example because a merge
//! was undone, the verdict holds again.

use ring::digest::{Context, SHA256};

use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{Noun, PatientId};
use crate::patient::{Patient, inactive, row};
use crate::stamp::{Right, Stamp};
use crate::time::to_ms;

/// Says that a listed pair of records is of two people: it is not listed any more, until a name,
/// the birth date or a telephone number of one of them changes. Said again, nothing happens. The
/// version of both records grows.
pub fn dismiss_duplicate(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    one: PatientId,
    other: PatientId,
) -> Result<()> {
    stamp.needs(Right::MergePatients)?;
    if one == other {
        return Err(Error::invalid("b", "a record is not a duplicate of itself"));
    }
    let (one, other) = (row::one(tx, one)?, row::one(tx, other)?);
    let pair = Ordered::of(&one, &other);
    if !pair.a.active || !pair.b.active {
        return Err(inactive());
    }
    let listed = tx
        .sql()
        .prepare_cached("DELETE FROM patient_likeness WHERE a = ?1 AND b = ?2")?
        .execute((pair.a.id, pair.b.id))?;
    if listed == 0 {
        if pair.is_dismissed(tx)? {
            return Ok(());
        }
        let detail = "these two records are not listed as a pair that may be of one person";
        return Err(Error::refused(Code::IllegalStep, detail));
    }
    tx.sql()
        .prepare_cached(
            "INSERT INTO dismissed_pair (a, b, compared, at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (a, b) DO UPDATE SET compared = excluded.compared, at = excluded.at",
        )?
        .execute((pair.a.id, pair.b.id, pair.compared(), to_ms(stamp.now)))?;
    for id in [pair.a.id, pair.b.id] {
        let version = row::next(tx, id)?;
        let changed = (Noun::Patient, id.as_bytes(), version);
        tx.record(stamp, "dismiss_duplicate", changed, Some(id))?;
    }
    Ok(())
}

/// Whether staff said of two records as they are that they are of two people.
pub(super) fn stands(read: &Read<'_>, one: &Patient, other: &Patient) -> Result<bool> {
    Ordered::of(one, other).is_dismissed(read)
}

/// Two records in the order of their ids.
struct Ordered<'p> {
    a: &'p Patient,
    b: &'p Patient,
}

impl<'p> Ordered<'p> {
    fn of(one: &'p Patient, other: &'p Patient) -> Self {
        let (a, b) = if one.id < other.id { (one, other) } else { (other, one) };
        Self { a, b }
    }

    fn is_dismissed(&self, read: &Read<'_>) -> Result<bool> {
        let mut statement = read
            .sql()
            .prepare_cached("SELECT compared FROM dismissed_pair WHERE a = ?1 AND b = ?2")?;
        let mut rows = statement.query((self.a.id, self.b.id))?;
        match rows.next()? {
            Some(row) => Ok(row.get::<_, [u8; 32]>(0)? == self.compared()),
            None => Ok(false),
        }
    }

    /// The hash of what tells two people apart, in whichever order it is on record.
    fn compared(&self) -> [u8; 32] {
        let mut hash = Context::new(&SHA256);
        for patient in [self.a, self.b] {
            let mut names: Vec<&str> = patient.names.iter().map(String::as_str).collect();
            let mut numbers: Vec<&str> =
                patient.phones.iter().map(|phone| phone.number.as_str()).collect();
            names.sort_unstable();
            numbers.sort_unstable();
            let born = patient.birth_date.map(|date| date.to_string()).unwrap_or_default();
            for list in [&[patient.name.as_str()][..], &names, &[born.as_str()], &numbers] {
                // Lengths before texts, so that no two records are written alike.
                hash.update(&(list.len() as u64).to_be_bytes());
                for text in list {
                    hash.update(&(text.len() as u64).to_be_bytes());
                    hash.update(text.as_bytes());
                }
            }
        }
        let mut compared = [0; 32];
        compared.copy_from_slice(hash.finish().as_ref());
        compared
    }
}
