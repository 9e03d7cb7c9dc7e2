//! What reception does, by the verbs that all doors use and with reception's rights.

use ::reception::{Act, Answer, Why};
use jiff::SignedDuration;
use prm::appointment::{self, Booking};
use prm::conversation::Conversation;
use prm::error::Result;
use prm::id::{AppointmentId, HealthcareServiceId, SlotId};
use prm::patient::{self, RawPhone, Registration};
use prm::ticket::{self, Opening, Reason};
use prm::waitlist::{self, Wish};
use prm::{check_in, consent, conversation, slot};

use super::look::{fact, of_somebody_here, place_fact, slot_fact};
use super::{Turn, facts};
use crate::http::appointments::qr_of;

/// Why an appointment was called off, in the records.
const CALLED_OFF: &str = "the patient called it off in a conversation";
/// A message does not show where somebody is. So it checks in no earlier before a visit than people come for it.
const CHECK_IN_AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// Does something. What the rules refuse is an answer, with free times near the one that was wanted.
pub(super) fn act(turn: &mut Turn<'_, '_>, act: Act) -> Result<Answer> {
    let wanted = match &act {
        Act::Book { patient: _, slot, service } => Some((*slot, *service)),
        Act::Move { appointment: _, slot } => Some((*slot, None)),
        Act::Cancel { .. }
        | Act::Confirm { .. }
        | Act::CheckIn { .. }
        | Act::Register { .. }
        | Act::Identify { .. }
        | Act::JoinWaitlist { .. }
        | Act::DeclineOffer { .. }
        | Act::Stop
        | Act::Allow
        | Act::HandOver(_)
        | Act::Ticket(_) => None,
    };
    match turn.part(|turn| done(turn, act))? {
        Ok(answer) => Ok(answer),
        Err(code) => Ok(Answer::Refused { code, alternatives: alternatives(turn, wanted)? }),
    }
}

fn alternatives(
    turn: &mut Turn<'_, '_>,
    wanted: Option<(SlotId, Option<HealthcareServiceId>)>,
) -> Result<Vec<::reception::SlotFact>> {
    let Some((wanted, service)) = wanted else { return Ok(Vec::new()) };
    let near = turn.part(|turn| slot::nearest(turn.tx, &turn.stamp, wanted, service))?;
    Ok(near.unwrap_or_default().iter().map(slot_fact).collect())
}

fn done(turn: &mut Turn<'_, '_>, act: Act) -> Result<Answer> {
    let stamp = turn.stamp;
    match act {
        Act::Book { patient, slot, service } => {
            let booking = Booking {
                id: AppointmentId::new(stamp.now),
                patient,
                slot,
                healthcare_service: service,
                reason: None,
                overbook: None,
                hold_minutes: None,
                series: None,
            };
            let booked = appointment::book(turn.tx, &stamp, booking)?;
            waitlist::taken(turn.tx, &stamp, slot, (booked.patient, booked.id))?;
            Ok(Answer::Booked { qr: qr_of(turn.app, &booked), appointment: fact(&booked) })
        }
        Act::Move { appointment, slot } => {
            let found = of_somebody_here(turn, appointment)?;
            let moved = appointment::move_to(turn.tx, &stamp, (found.id, None), slot, None)?;
            Ok(Answer::Moved { qr: qr_of(turn.app, &moved), appointment: fact(&moved) })
        }
        Act::Cancel { appointment } => {
            let found = of_somebody_here(turn, appointment)?;
            let why = Some(CALLED_OFF.to_owned());
            appointment::cancel(turn.tx, &stamp, (found.id, None), why)?;
            Ok(Answer::Cancelled)
        }
        Act::Confirm { appointment } => {
            let found = of_somebody_here(turn, appointment)?;
            let confirmed = appointment::confirm(turn.tx, &stamp, found.id, None)?;
            Ok(Answer::Confirmed(fact(&confirmed)))
        }
        Act::CheckIn { qr } => {
            let claim = turn.app.verifier.verify(&qr, stamp.now);
            let claim = claim.map_err(|_| check_in::see_the_desk())?;
            let id = AppointmentId::from_bytes(claim.appointment);
            let found = of_somebody_here(turn, id)?;
            if CHECK_IN_AHEAD < found.start.duration_since(stamp.now) {
                return Err(check_in::see_the_desk());
            }
            let ticket = check_in::check_in(turn.tx, &stamp, found.id)?;
            Ok(Answer::CheckedIn(place_fact(ticket.entry, ticket.place)))
        }
        Act::Register { name, birth, phone } => {
            let number = match (&phone, &turn.message.address) {
                (Some(phone), _) | (None, conversation::Address::Phone(phone)) => Some(phone),
                (None, conversation::Address::Whatsapp(_) | conversation::Address::Email(_)) => {
                    None
                }
            };
            let raw = |number: &prm::contact::Phone| RawPhone {
                number: number.as_str().to_owned(),
                use_: None,
            };
            let registration = Registration {
                name,
                phones: number.map(raw).into_iter().collect(),
                birth_date: Some(birth.to_string()),
                ..Registration::default()
            };
            let made = patient::register(turn.tx, &stamp, registration)?;
            let (id, name, birth) = (made.id, made.name, made.birth_date);
            // By this address nobody else is known: so it is theirs.
            if phone.is_some() && turn.conversation.patient.is_none() {
                conversation::identify(turn.tx, &stamp, turn.conversation.id, Some(id))?;
            }
            Ok(Answer::Registered(::reception::Person { id, name, birth }))
        }
        Act::Identify { phone, birth } => {
            let known = conversation::known_by(turn.tx, &stamp, &phone, birth)?;
            if let [one] = known.as_slice() {
                conversation::identify(turn.tx, &stamp, turn.conversation.id, Some(one.id))?;
            }
            Ok(Answer::Identified(known.into_iter().map(facts::person).collect()))
        }
        Act::JoinWaitlist { patient, practitioner, specialty, service, from, to } => {
            let wish = Wish {
                practitioner,
                specialty,
                healthcare_service: service,
                first_day: from,
                last_day: to.yesterday().map_or(from, |last| last.max(from)),
                part_of_day: None,
            };
            waitlist::join(turn.tx, &stamp, patient, (wish, None))?;
            Ok(Answer::Waitlisted)
        }
        Act::DeclineOffer { slot } => {
            for person in conversation::people(turn.tx, &stamp, turn.conversation.id)? {
                waitlist::declined(turn.tx, &stamp, slot, person.id)?;
            }
            Ok(Answer::OfferDeclined)
        }
        Act::Stop => {
            consent::stop(turn.tx, &stamp, &turn.message.address)?;
            Ok(Answer::Stopped)
        }
        Act::Allow => {
            consent::allow(turn.tx, &stamp, &turn.message.address)?;
            Ok(Answer::Allowed)
        }
        Act::HandOver(why) => {
            let id = turn.conversation.id;
            conversation::hand_over(turn.tx, &stamp, id, why.as_str())?;
            open_ticket(turn, why)?;
            Ok(Answer::HandedOver)
        }
        Act::Ticket(why) => {
            open_ticket(turn, why)?;
            Ok(Answer::Ticketed)
        }
    }
}

/// Leaves the desk something to do. Where it has as much as it can have already, the conversation itself
/// waits there, and that is enough.
fn open_ticket(turn: &mut Turn<'_, '_>, why: Why) -> Result<()> {
    let conversation = conversation::get(turn.tx, &turn.stamp, turn.conversation.id)?;
    ticket::leave(turn.tx, &turn.stamp, opening(&conversation, why))
}

/// What the desk is asked to do in a conversation.
pub(crate) fn opening(conversation: &Conversation, why: Why) -> Opening {
    Opening {
        reason: reason(why),
        subject: why.as_str().to_owned(),
        patient: conversation.patient,
        conversation: Some(conversation.id),
        due: None,
        assignee: None,
    }
}

fn reason(why: Why) -> Reason {
    match why {
        Why::Emergency => Reason::Emergency,
        Why::NotUnderstood | Why::TooLong => Reason::NotUnderstood,
        Why::Asked | Why::NotProven | Why::NotDone | Why::Away | Why::Question | Why::Late => {
            Reason::Asked
        }
    }
}
