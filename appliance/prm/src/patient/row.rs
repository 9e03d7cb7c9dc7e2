//! The rows of a patient: read, written, indexed.
//!
//! Invariant: `write` leaves exactly the patient it was given, and the search finds it by that.

use rusqlite::Row;

use crate::contact::{BirthDate, Phone};
use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{Noun, PatientId};
use crate::name;
use crate::past;
use crate::patient::{
    Address, Brief, ContactChannel, Identifier, Patient, PatientPhone, PhoneUse, Sex,
};
use crate::search;

const ONE: &str =
    "SELECT number, id, version, name, birth_date, sex, language, email, address_line,
    city, district, state, postal_code, country, channels, reminders, active, merged_into
    FROM patient WHERE id = ?1";

/// The patient with this id.
pub(super) fn one(read: &Read<'_>, id: PatientId) -> Result<Patient> {
    find(read, id)?.ok_or(Error::NotFound(Noun::Patient))
}

/// The patient with this id, if there is one.
pub(super) fn find(read: &Read<'_>, id: PatientId) -> Result<Option<Patient>> {
    let mut statement = read.sql().prepare_cached(ONE)?;
    let mut rows = statement.query([id])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let address = Address {
        line: row.get(8)?,
        city: row.get(9)?,
        district: row.get(10)?,
        state: row.get(11)?,
        postal_code: row.get(12)?,
        country: row.get(13)?,
    };
    let sex: String = row.get(5)?;
    let channels: String = row.get(14)?;
    Ok(Some(Patient {
        number: row.get(0)?,
        id: row.get(1)?,
        version: row.get(2)?,
        name: row.get(3)?,
        names: names(read, id)?,
        phones: phones(read, id)?,
        birth_date: stored_birth_date(row.get(4)?)?,
        sex: Sex::parse(&sex)?,
        language: row.get(6)?,
        address: address.unless_empty(),
        email: row.get(7)?,
        identifiers: identifiers(read, id)?,
        channels: channels
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(ContactChannel::parse)
            .collect::<Result<_>>()?,
        reminders: row.get(15)?,
        active: row.get(16)?,
        merged_into: row.get(17)?,
    }))
}

/// A row of id, name and birth date.
pub(super) fn brief(row: &Row<'_>) -> Result<Brief> {
    Ok(Brief { id: row.get(0)?, name: row.get(1)?, birth_date: stored_birth_date(row.get(2)?)? })
}

/// Writes a new patient and answers the number that it got.
pub(super) fn insert(tx: &Tx<'_>, patient: &mut Patient, created_at: i64) -> Result<()> {
    tx.sql()
        .prepare_cached(
            "INSERT INTO patient (number, id, version, name, name_key, sex, channels, reminders, active, created_at)
             VALUES (NULL, ?1, ?2, ?3, '', 'unknown', '', 0, 0, ?4)",
        )?
        .execute((patient.id, patient.version, &patient.name, created_at))?;
    patient.number = tx.sql().last_insert_rowid();
    fill(tx, patient)
}

/// Writes a patient over what is there, which is kept.
pub(super) fn write(tx: &Tx<'_>, patient: &Patient) -> Result<()> {
    keep(tx, patient.id)?;
    fill(tx, patient)
}

/// Writes the rows of a patient and what it is found by. An inactive one is not found.
fn fill(tx: &Tx<'_>, patient: &Patient) -> Result<()> {
    let Patient {
        id,
        version,
        number,
        name,
        names,
        phones,
        birth_date,
        sex,
        language,
        address,
        email,
        identifiers,
        channels,
        reminders,
        active,
        merged_into,
    } = patient;
    let address = address.clone().unwrap_or_default();
    let channels: Vec<&str> = channels.iter().map(|channel| channel.as_str()).collect();
    tx.sql()
        .prepare_cached(
            "UPDATE patient SET version = ?2, name = ?3, name_key = ?4, birth_date = ?5,
                birth_year = ?6, sex = ?7, language = ?8, email = ?9, address_line = ?10, city = ?11,
                district = ?12, state = ?13, postal_code = ?14, country = ?15, channels = ?16,
                reminders = ?17, active = ?18, merged_into = ?19
             WHERE id = ?1",
        )?
        .execute(rusqlite::params![
            id,
            version,
            name,
            name_key(name),
            birth_date.map(|date| date.to_string()),
            birth_date.map(BirthDate::year),
            sex.as_str(),
            language,
            email,
            address.line,
            address.city,
            address.district,
            address.state,
            address.postal_code,
            address.country,
            channels.join(" "),
            reminders,
            active,
            merged_into,
        ])?;
    write_names(tx, *id, names)?;
    write_phones(tx, *id, phones)?;
    write_identifiers(tx, *id, identifiers)?;
    if *active {
        index(tx, patient)?
    } else {
        search::forget(tx.sql(), *number)?
    }
    Ok(())
}

/// What a name sounds like; equal for names that sound alike, in any order of the words.
pub(super) fn name_key(name: &str) -> String {
    name::keys(name).join(" ")
}

/// Refuses identifiers that somebody else has.
pub(super) fn must_be_free(
    read: &Read<'_>,
    id: PatientId,
    identifiers: &[Identifier],
) -> Result<()> {
    let mut statement = read.sql().prepare_cached(
        "SELECT patient FROM patient_identifier WHERE system = ?1 AND value = ?2 AND patient <> ?3",
    )?;
    for Identifier { system, value } in identifiers {
        let mut rows = statement.query((system, value, id))?;
        if let Some(row) = rows.next()? {
            return Err(Error::refused(
                Code::IdentifierTaken(row.get(0)?),
                "another patient has this identifier; look whether it is the same person",
            ));
        }
    }
    Ok(())
}

fn index(tx: &Tx<'_>, patient: &Patient) -> Result<()> {
    let names: Vec<String> =
        std::iter::once(&patient.name).chain(&patient.names).cloned().collect();
    let digits: Vec<String> = patient
        .phones
        .iter()
        .map(|phone| phone.number.as_str().to_owned())
        .chain(patient.identifiers.iter().map(|identifier| identifier.value.clone()))
        .collect();
    Ok(search::index(tx.sql(), patient.number, &names, &digits)?)
}

fn stored_birth_date(text: Option<String>) -> Result<Option<BirthDate>> {
    text.map(|text| BirthDate::parse(&text)).transpose()
}

fn names(read: &Read<'_>, id: PatientId) -> Result<Vec<String>> {
    let mut statement = read
        .sql()
        .prepare_cached("SELECT text FROM patient_name WHERE patient = ?1 ORDER BY position")?;
    let names = statement.query_map([id], |row| row.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}

fn phones(read: &Read<'_>, id: PatientId) -> Result<Vec<PatientPhone>> {
    let mut statement = read.sql().prepare_cached(
        "SELECT number, use FROM patient_phone WHERE patient = ?1 ORDER BY position",
    )?;
    let mut rows = statement.query([id])?;
    let mut phones = Vec::new();
    while let Some(row) = rows.next()? {
        let use_: String = row.get(1)?;
        let number = Phone::stored(row.get(0)?);
        phones.push(PatientPhone { number, use_: PhoneUse::parse(&use_)? });
    }
    Ok(phones)
}

fn identifiers(read: &Read<'_>, id: PatientId) -> Result<Vec<Identifier>> {
    let mut statement = read.sql().prepare_cached(
        "SELECT system, value FROM patient_identifier WHERE patient = ?1 ORDER BY system, value",
    )?;
    let identifiers = statement
        .query_map([id], |row| Ok(Identifier { system: row.get(0)?, value: row.get(1)? }))?;
    Ok(identifiers.collect::<rusqlite::Result<_>>()?)
}

fn write_names(tx: &Tx<'_>, id: PatientId, names: &[String]) -> Result<()> {
    tx.sql().prepare_cached("DELETE FROM patient_name WHERE patient = ?1")?.execute([id])?;
    let mut insert = tx
        .sql()
        .prepare_cached("INSERT INTO patient_name (patient, position, text) VALUES (?1, ?2, ?3)")?;
    for (position, name) in (0_i64..).zip(names) {
        insert.execute((id, position, name))?;
    }
    Ok(())
}

fn write_phones(tx: &Tx<'_>, id: PatientId, phones: &[PatientPhone]) -> Result<()> {
    tx.sql().prepare_cached("DELETE FROM patient_phone WHERE patient = ?1")?.execute([id])?;
    let mut insert = tx.sql().prepare_cached(
        "INSERT INTO patient_phone (patient, position, number, use) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (position, phone) in (0_i64..).zip(phones) {
        insert.execute((id, position, phone.number.as_str(), phone.use_.as_str()))?;
    }
    Ok(())
}

fn write_identifiers(tx: &Tx<'_>, id: PatientId, identifiers: &[Identifier]) -> Result<()> {
    tx.sql().prepare_cached("DELETE FROM patient_identifier WHERE patient = ?1")?.execute([id])?;
    let mut insert = tx.sql().prepare_cached(
        "INSERT INTO patient_identifier (system, value, patient) VALUES (?1, ?2, ?3)",
    )?;
    for Identifier { system, value } in identifiers {
        insert.execute((system, value, id))?;
    }
    Ok(())
}

/// Keeps a patient as it is, before it is written over.
fn keep(tx: &Tx<'_>, id: PatientId) -> Result<()> {
    let before = one(tx, id)?;
    past::keep(tx, (Noun::Patient, id.as_bytes(), before.version), &before)
}

/// Lets the version of a patient grow, and answers it.
pub(super) fn next(tx: &Tx<'_>, id: PatientId) -> Result<i64> {
    keep(tx, id)?;
    Ok(tx
        .sql()
        .prepare_cached("UPDATE patient SET version = version + 1 WHERE id = ?1 RETURNING version")?
        .query_row([id], |row| row.get(0))?)
}
