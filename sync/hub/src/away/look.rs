//! What reception looks up at the hub: times that are lent, and what the box has told. The rest is the box's own.

use std::collections::BTreeMap;

use prm::error::Code;
use prm::id::PractitionerId;
use prm::time::local_date;
use reception::{Answer, DAYS_MAX, FreeDay, Look, SLOTS_MAX, SlotFact, Wanted};

use super::answer::Turn;
use crate::booking::{self, NotDone};

/// Looks something up.
pub(super) fn look(turn: &Turn<'_>, wanted: Look) -> Result<Answer, NotDone> {
    match wanted {
        Look::Days(wanted) => {
            let mut days: BTreeMap<_, usize> = BTreeMap::new();
            for slot in slots(turn, &wanted)? {
                *days.entry(local_date(&turn.facts.zone, slot.start)).or_default() += 1;
            }
            let days = days.into_iter().take(DAYS_MAX);
            Ok(Answer::Days(days.map(|(date, free)| FreeDay { date, free }).collect()))
        }
        Look::Slots(wanted) => {
            let mut found = slots(turn, &wanted)?;
            found.truncate(SLOTS_MAX);
            Ok(Answer::Slots(found))
        }
        Look::Faq { words, language } => {
            let faqs = &turn.claimed.facts.faqs;
            let asked: Vec<_> =
                faqs.iter().map(|it| (it.language.as_str(), it.questions.as_slice())).collect();
            let found = prm::faq::among(&asked, &words, &language);
            Ok(Answer::Faq(found.and_then(|at| faqs.get(at)).map(|it| it.answer.clone())))
        }
        Look::Instructions { service: _, language: _ } => Ok(Answer::Instructions(None)),
        Look::Appointments { .. }
        | Look::Appointment { .. }
        | Look::Queue { .. }
        | Look::Qr { .. } => {
            Ok(Answer::Refused { code: Code::SeeTheDesk, alternatives: Vec::new() })
        }
    }
}

/// The times that are lent and fit, by start.
pub(super) fn slots(turn: &Turn<'_>, wanted: &Wanted) -> Result<Vec<SlotFact>, NotDone> {
    let Wanted { practitioner, specialty, service, from, to, lent: _ } = wanted;
    let told = &turn.claimed.facts;
    let service = service.and_then(|id| told.services.iter().find(|it| it.id == id));
    // Who has a room or a machine when, only the box knows.
    if service.is_some_and(|it| it.needs_location) {
        return Ok(Vec::new());
    }
    let of_specialty = |id: PractitionerId| {
        specialty.as_ref().is_none_or(|specialty| {
            let is_of = |it: &&String| it.eq_ignore_ascii_case(specialty);
            let with = told.practitioners.iter().find(|it| it.id == id);
            with.is_some_and(|it| it.specialties.iter().any(|said| is_of(&said)))
        })
    };
    let fits = |id: PractitionerId, minutes: i64| {
        practitioner.is_none_or(|wanted| wanted == id)
            && told.practitioners.iter().any(|it| it.id == id)
            && of_specialty(id)
            && service.is_none_or(|it| {
                it.minutes <= minutes
                    && (it.practitioners.is_empty() || it.practitioners.contains(&id))
            })
    };
    let begins = |date: jiff::civil::Date| {
        let zoned = date.to_zoned(turn.facts.zone.clone());
        zoned.map_or(i64::MAX, |it| it.timestamp().as_millisecond())
    };
    let stretch = (begins(*from).max(turn.now_ms), begins(*to));
    let mut found = Vec::new();
    for time in booking::lent_times(turn.place, stretch)? {
        let practitioner = time.practitioner.as_deref().and_then(|id| id.parse().ok());
        let minutes = time.end.duration_since(time.start).as_mins();
        if let Some(practitioner) = practitioner.filter(|id| fits(*id, minutes)) {
            found.push(SlotFact { id: time.id, practitioner, start: time.start });
        }
    }
    Ok(found)
}
