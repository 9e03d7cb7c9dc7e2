//! What a patient is to know before coming (FHIR `Appointment.patientInstruction`), for each healthcare service in each
//! language.

use rusqlite::OptionalExtension as _;

use crate::change::next_version;
use crate::contact;
use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::healthcare_service;
use crate::id::{HealthcareServiceId, Noun, PatientInstructionId};
use crate::stamp::{Right, Stamp};

/// As many are kept at the most.
pub const PATIENT_INSTRUCTIONS_MAX: i64 = 2_000;

/// What a patient is to know before coming.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatientInstruction {
    /// The id.
    pub id: PatientInstructionId,
    /// Grows with each edit.
    pub version: i64,
    /// Before what.
    pub healthcare_service: HealthcareServiceId,
    /// The language of the text (a BCP 47 tag).
    pub language: String,
    /// The words.
    pub text: String,
}

/// Adds the words for a service in a language.
pub fn add(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (healthcare_service, language): (HealthcareServiceId, &str),
    text: &str,
) -> Result<PatientInstruction> {
    stamp.needs(Right::WriteWording)?;
    healthcare_service::find(tx, healthcare_service)?;
    let instruction = PatientInstruction {
        id: PatientInstructionId::new(stamp.now),
        version: 1,
        healthcare_service,
        language: contact::language(language)?,
        text: checked(text)?,
    };
    let PatientInstruction { id, version, healthcare_service, language, text } = &instruction;
    let mut same = tx.sql().prepare_cached(
        "SELECT 1 FROM patient_instruction WHERE healthcare_service = ?1 AND language = ?2",
    )?;
    if same.exists((healthcare_service, language))? {
        let what = "this service has words in this language; change those";
        return Err(Error::refused(Code::NameTaken, what));
    }
    let count: i64 =
        tx.sql().query_row("SELECT count(*) FROM patient_instruction", [], |row| row.get(0))?;
    if count >= PATIENT_INSTRUCTIONS_MAX {
        let what = format!("at most {PATIENT_INSTRUCTIONS_MAX} are kept; take one away first");
        return Err(Error::refused(Code::TooMany, what));
    }
    tx.sql()
        .prepare_cached(
            "INSERT INTO patient_instruction (id, version, healthcare_service, language, text)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((id, version, healthcare_service, language, text))?;
    tx.record(stamp, "add", (Noun::PatientInstruction, id.as_bytes(), 1), None)?;
    Ok(instruction)
}

/// Changes the words.
pub fn edit(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, seen): (PatientInstructionId, Option<i64>),
    text: &str,
) -> Result<PatientInstruction> {
    stamp.needs(Right::WriteWording)?;
    let before = get(tx, stamp, id)?;
    let version = next_version(before.version, seen)?;
    let text = checked(text)?;
    tx.sql()
        .prepare_cached("UPDATE patient_instruction SET version = ?2, text = ?3 WHERE id = ?1")?
        .execute((id, version, &text))?;
    tx.record(stamp, "edit", (Noun::PatientInstruction, id.as_bytes(), version), None)?;
    Ok(PatientInstruction { version, text, ..before })
}

/// Takes the words away.
pub fn remove(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, seen): (PatientInstructionId, Option<i64>),
) -> Result<()> {
    stamp.needs(Right::WriteWording)?;
    let version = next_version(get(tx, stamp, id)?.version, seen)?;
    tx.sql().prepare_cached("DELETE FROM patient_instruction WHERE id = ?1")?.execute([id])?;
    tx.record(stamp, "remove", (Noun::PatientInstruction, id.as_bytes(), version), None)
}

/// The words for one service in one language.
pub fn get(read: &Read<'_>, stamp: &Stamp, id: PatientInstructionId) -> Result<PatientInstruction> {
    stamp.needs(Right::ReadWording)?;
    read.sql()
        .prepare_cached(
            "SELECT id, version, healthcare_service, language, text FROM patient_instruction
             WHERE id = ?1",
        )?
        .query_row([id], from_row)
        .optional()?
        .ok_or(Error::NotFound(Noun::PatientInstruction))
}

/// Those of all services, or of one, by service and language; never more than [`PATIENT_INSTRUCTIONS_MAX`].
pub fn list(
    read: &Read<'_>,
    stamp: &Stamp,
    of: Option<HealthcareServiceId>,
) -> Result<Vec<PatientInstruction>> {
    stamp.needs(Right::ReadWording)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT i.id, i.version, i.healthcare_service, i.language, i.text
         FROM patient_instruction i JOIN healthcare_service s ON s.id = i.healthcare_service
         WHERE ?1 IS NULL OR i.healthcare_service = ?1
         ORDER BY s.name, i.healthcare_service, i.language",
    )?;
    let rows = statement.query_map([of], from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What to know before coming for a service: in the first of these languages in which it is written, whatever the
/// region; else in any, for words in another language are better than none.
pub fn before(
    read: &Read<'_>,
    stamp: &Stamp,
    service: HealthcareServiceId,
    languages: &[&str],
) -> Result<Option<String>> {
    let written = list(read, stamp, Some(service))?;
    let base = |tag: &str| tag.split('-').next().unwrap_or(tag).to_ascii_lowercase();
    let in_language = |tag: &str| written.iter().find(|it| base(&it.language) == base(tag));
    let found = languages.iter().find_map(|tag| in_language(tag)).or(written.first());
    Ok(found.map(|it| it.text.clone()))
}

fn checked(text: &str) -> Result<String> {
    contact::text("text", Some(text.to_owned()))?
        .ok_or_else(|| Error::invalid("text", "say what is to be known"))
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<PatientInstruction> {
    Ok(PatientInstruction {
        id: row.get(0)?,
        version: row.get(1)?,
        healthcare_service: row.get(2)?,
        language: row.get(3)?,
        text: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{World, refusal};
    use crate::stamp::Role;

    fn ultrasound(world: &World) -> HealthcareServiceId {
        let addition = healthcare_service::Addition {
            name: "Ultrasound".into(),
            duration_minutes: 30,
            buffer_minutes: 0,
            practitioners: Vec::new(),
            locations: Vec::new(),
        };
        world.write(|tx, stamp| healthcare_service::add(tx, stamp, addition)).id
    }

    #[test]
    fn a_patient_is_told_in_their_language_else_in_the_clinics_else_in_any() {
        let world = World::monday();
        let service = ultrasound(&world);
        let told =
            |languages: &[&str]| world.read(|read, stamp| before(read, stamp, service, languages));
        assert_eq!(told(&["en"]), None);
        world.write(move |tx, stamp| add(tx, stamp, (service, "hi"), "खाली पेट आइए।"));
        assert_eq!(told(&["en"]).as_deref(), Some("खाली पेट आइए।"));
        world.write(move |tx, stamp| add(tx, stamp, (service, "en"), "Do not eat."));
        assert_eq!(told(&["hi-IN", "en"]).as_deref(), Some("खाली पेट आइए।"));
        assert_eq!(told(&["ta", "en-IN"]).as_deref(), Some("Do not eat."));
    }

    #[test]
    fn a_service_has_words_once_for_each_language_and_reception_does_not_change_them() {
        let world = World::monday();
        let service = ultrasound(&world);
        let put = |text: &'static str| {
            world.try_write(move |tx, stamp| add(tx, stamp, (service, "en"), text))
        };
        assert_eq!(refusal(put("  ")), Code::Invalid);
        let kept = put("Do not eat.").unwrap();
        assert_eq!(refusal(put("Eat.")), Code::NameTaken);
        let edited =
            world.write(move |tx, stamp| edit(tx, stamp, (kept.id, Some(1)), "Eat little."));
        assert_eq!((edited.version, edited.text.as_str()), (2, "Eat little."));
        let stale = world.try_write(move |tx, stamp| remove(tx, stamp, (kept.id, Some(1))));
        assert!(matches!(stale, Err(Error::Stale { .. })));
        let reception = world.role(Role::Reception);
        let changed =
            world.db.write_blocking(move |tx| edit(tx, &reception, (kept.id, None), "Pay now."));
        assert!(matches!(changed, Err(Error::Forbidden)));
        world.write(move |tx, stamp| remove(tx, stamp, (kept.id, Some(2))));
        put("Do not eat.").unwrap();
    }
}
