//! What reception does at the hub: it sells what is lent, and leaves the rest to the box.

use channels::away::Deed;
use fhir::{Resource, patient};
use jiff::Timestamp;
use prm::contact::{BirthDate, Phone};
use prm::error::Code;
use prm::id::{AppointmentId, HealthcareServiceId, PatientId, PractitionerId, SlotId};
use reception::{Act, Answer, AppointmentFact, Person};
use ring::digest::{SHA256, digest};
use serde_json::json;
use uuid::Uuid;

use super::answer::Turn;
use super::{facts, look};
use crate::booking::{self, Comes, NotDone};

/// Times that are sold to one person in a day, by conversation.
const SOLD_A_DAY_MAX: usize = 5;
/// Free times that are offered instead of one that is taken.
const ALTERNATIVES_MAX: usize = 3;

/// Does something, or notes it for the box.
pub(super) fn act(turn: &mut Turn<'_>, act: Act) -> Result<Answer, NotDone> {
    match act {
        Act::Book { patient, slot, service } => book(turn, patient, (slot, service)),
        Act::Register { name, birth, phone } => register(turn, name, (birth, phone)),
        Act::Stop => {
            turn.deeds.push(Deed::Stop);
            Ok(Answer::Stopped)
        }
        Act::Allow => {
            turn.deeds.push(Deed::Allow);
            Ok(Answer::Allowed)
        }
        // The desk finds it when the box is back.
        Act::HandOver(why) | Act::Ticket(why) => {
            turn.deeds.push(Deed::Ticket { why: why.as_str().to_owned() });
            Ok(Answer::Ticketed)
        }
        Act::Move { .. }
        | Act::Cancel { .. }
        | Act::Confirm { .. }
        | Act::CheckIn { .. }
        | Act::Identify { .. }
        | Act::JoinWaitlist { .. }
        | Act::DeclineOffer { .. } => Ok(refused(Code::SeeTheDesk)),
    }
}

fn refused(code: Code) -> Answer {
    Answer::Refused { code, alternatives: Vec::new() }
}

/// The id of what is sold in answer to a message: the same, however often it is tried.
fn id_of_sale(turn: &Turn<'_>) -> Uuid {
    let named = [&b"sale in answer to "[..], &turn.claimed.row.id.0].concat();
    let hash = digest(&SHA256, &named);
    let half = *hash.as_ref().first_chunk().expect("invariant: a SHA-256 has 32 bytes");
    uuid::Builder::from_custom_bytes(half).into_uuid()
}

/// Sells a lent time, once for each message.
fn book(
    turn: &mut Turn<'_>,
    patient: PatientId,
    (slot, service): (SlotId, Option<HealthcareServiceId>),
) -> Result<Answer, NotDone> {
    if turn.sold_at.len() >= SOLD_A_DAY_MAX {
        return Ok(refused(Code::TooMany));
    }
    let comes = match turn.described.get(&patient) {
        Some(described) => Comes::described(described),
        None => match turn.place.records.one(patient::TYPE, &patient.to_string())? {
            Some(found) => Comes::on_record(&found, &patient.to_string()),
            None => return Ok(refused(Code::SeeTheDesk)),
        },
    };
    let named = service.and_then(|id| turn.facts.services.iter().find(|it| it.id == id));
    let wished = named.and_then(|it| {
        let mut wished = Resource::of(booking::TYPE)?;
        wished.set("description", it.name.as_str());
        Some(wished)
    });
    let id = id_of_sale(turn);
    let sold = booking::buy(turn.place, id, &slot.to_string(), (&comes, wished.as_ref()))?;
    let Some((time, bought)) = sold else {
        let code = Code::SlotTaken(slot);
        return Ok(Answer::Refused { code, alternatives: near(turn, slot, service)? });
    };
    let practitioner = time.practitioner.as_deref().and_then(|id| id.parse().ok());
    let practitioner = practitioner.unwrap_or_else(|| PractitionerId::from_bytes([0; 16]));
    let appointment = AppointmentId::from_bytes(id.into_bytes());
    turn.deeds.push(Deed::Sold { appointment });
    turn.sold_at.push(turn.now_ms);
    let appointment =
        AppointmentFact { id: appointment, patient, practitioner, service, start: time.start };
    Ok(Answer::Booked { appointment, qr: Some(bought.qr) })
}

/// Lent times of the same day near one that is gone.
fn near(
    turn: &Turn<'_>,
    slot: SlotId,
    service: Option<HealthcareServiceId>,
) -> Result<Vec<reception::SlotFact>, NotDone> {
    let day = prm::time::local_date(&turn.facts.zone, slot.start());
    let wanted = reception::Wanted {
        practitioner: None,
        specialty: None,
        service,
        from: day,
        to: prm::time::next_day(day),
        lent: true,
    };
    let mut found = look::slots(turn, &wanted)?;
    let start = slot.start().as_second();
    found.sort_by_key(|it| (it.start.as_second().abs_diff(start), it.id));
    found.truncate(ALTERNATIVES_MAX);
    found.sort_by_key(|it| it.start);
    Ok(found)
}

/// Describes somebody who is not on record, for the sale that follows.
fn register(
    turn: &mut Turn<'_>,
    name: String,
    (birth, phone): (BirthDate, Option<Phone>),
) -> Result<Answer, NotDone> {
    // Whoever asked for a number is told elsewhere that it is known; the desk looks.
    if let Some(phone) = &phone {
        let known = facts::with_phone(turn.place, phone)?;
        let same = known.iter().filter(|it| it.birth.is_some_and(|of| of.agrees_with(birth)));
        let same: Vec<PatientId> = same.map(|it| it.id).collect();
        if !same.is_empty() {
            return Ok(refused(Code::LikelyDuplicate(same)));
        }
    }
    let number = phone.as_ref().or(turn.facts.phone.as_ref());
    let Some(mut described) = Resource::of(patient::TYPE) else {
        return Ok(refused(Code::SeeTheDesk));
    };
    described.set("name", json!([{ "text": name }]));
    described.set("birthDate", birth.to_string());
    if let Some(number) = number {
        described.set("telecom", json!([{ "system": "phone", "value": number.as_str() }]));
    }
    let now = Timestamp::from_millisecond(turn.now_ms).unwrap_or_default();
    let id = PatientId::new(now);
    turn.described.insert(id, described);
    Ok(Answer::Registered(Person { id, name, birth: Some(birth) }))
}
