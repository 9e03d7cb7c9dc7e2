//! What the desk was told: the reference with which the records are compared.
//!
//! It knows no rule but one: what was answered is there.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use prm::appointment::{self, Appointment, Filter, Status};
use prm::db::{Db, Read};
use prm::error::Result;
use prm::id::{AppointmentId, PatientId, PractitionerId, RequestId};
use prm::patient;
use prm::request::{self, Kind};
use prm::stamp::Stamp;

use super::sales::Sales;

/// More requests than any story makes.
const WAITING_MAX: usize = 1000;

/// A patient, as the last answer said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: PatientId,
    pub name: String,
    pub merged_into: Option<PatientId>,
}

/// An appointment, as the last answer said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    pub id: AppointmentId,
    pub practitioner: PractitionerId,
    pub start: Timestamp,
    pub end: Timestamp,
    pub status: Status,
    pub is_overbooked: bool,
}

impl Visit {
    pub fn of(appointment: &Appointment) -> Self {
        Self {
            id: appointment.id,
            practitioner: appointment.practitioner,
            start: appointment.start,
            end: appointment.blocked_to,
            status: appointment.status,
            is_overbooked: appointment.is_overbooked(),
        }
    }
}

/// All that was answered by one box, in the order of the answers.
#[derive(Clone, Debug, Default)]
pub struct Acknowledged {
    pub people: Vec<Person>,
    pub visits: Vec<Visit>,
    /// Requests of the hub that the desk decided.
    pub decided: BTreeSet<RequestId>,
}

impl Acknowledged {
    /// An answer that names an appointment.
    pub fn note(&mut self, visit: Visit) {
        match self.visits.iter_mut().find(|it| it.id == visit.id) {
            Some(known) => *known = visit,
            None => self.visits.push(visit),
        }
    }

    /// Those that are in use, oldest first.
    pub fn in_use(&self) -> Vec<PatientId> {
        self.people.iter().filter(|it| it.merged_into.is_none()).map(|it| it.id).collect()
    }

    /// Why the records are not what was answered, or nothing. What the hub sold nobody is told of before it
    /// is in the diary.
    pub fn compared_with(&mut self, db: &Db, stamp: &Stamp, sales: &Sales) -> Option<String> {
        let found = db.read_blocking(|read| {
            let waiting = request::waiting(read, stamp, Kind::Proposal, WAITING_MAX)?;
            Ok((visits(read, stamp)?, self.people(read, stamp)?, waiting))
        });
        let (mut visits, people, waiting) = match found {
            Ok(found) => found,
            Err(error) => return Some(format!("the records cannot be read: {error}")),
        };
        if let Some(twice) = held_twice(visits.values()) {
            return Some(twice);
        }
        if let Some(again) = waiting.iter().find(|it| self.decided.contains(&it.id)) {
            return Some(format!("a request that was decided waits again: {again:?}"));
        }
        for known in &mut self.visits {
            match visits.remove(&known.id) {
                // The patient called it off, and the hub told so.
                Some(found) if sales.is_withdrawn(&found) && !found.status.stands() => {
                    *known = found
                }
                None => return Some(format!("an appointment is gone: {known:?}")),
                Some(found) if found != *known => {
                    return Some(format!("an appointment is {found:?}, answered was {known:?}"));
                }
                Some(_) => {}
            }
        }
        for (id, found) in std::mem::take(&mut visits) {
            match sales.of(id) {
                Some(sale) if sale.slot.start() == found.start => self.visits.push(found),
                Some(_) | None => drop(visits.insert(id, found)),
            }
        }
        if let Some(more) = visits.values().next() {
            return Some(format!("an appointment that nobody was told of: {more:?}"));
        }
        let mut pairs = people.iter().zip(&self.people);
        pairs
            .find(|(found, known)| found != known)
            .map(|(found, known)| format!("a patient is {found:?}, answered was {known:?}"))
    }

    fn people(&self, read: &Read<'_>, stamp: &Stamp) -> Result<Vec<Person>> {
        let ids: Vec<_> = self.people.iter().map(|it| it.id).collect();
        let one = |id: &PatientId| {
            let found = patient::get(read, stamp, *id)?;
            Ok(Person { id: found.id, name: found.name, merged_into: found.merged_into })
        };
        ids.iter().map(one).collect()
    }
}

/// All appointments of a box.
pub fn visits(read: &Read<'_>, stamp: &Stamp) -> Result<BTreeMap<AppointmentId, Visit>> {
    let all = Filter {
        from: None,
        to: None,
        practitioner: None,
        patient: None,
        status: None,
        after: None,
    };
    let found = appointment::list(read, stamp, &all, appointment::LIST_MAX)?;
    Ok(found.iter().map(|it| (it.id, Visit::of(it))).collect())
}

/// Two patients who hold the same time of one practitioner, though nobody overbooked.
fn held_twice<'v>(visits: impl Iterator<Item = &'v Visit>) -> Option<String> {
    let mut held: Vec<&Visit> =
        visits.filter(|it| it.status.stands() && !it.is_overbooked).collect();
    held.sort_by_key(|it| (it.practitioner, it.start));
    let overlap = held
        .windows(2)
        .find(|pair| pair[0].practitioner == pair[1].practitioner && pair[1].start < pair[0].end);
    overlap.map(|pair| format!("one time is held twice: {:?} and {:?}", pair[0], pair[1]))
}
