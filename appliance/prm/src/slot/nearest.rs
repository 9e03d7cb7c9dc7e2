//! What to offer somebody whose slot is taken.

use super::{Days, Slot};
use crate::clinic;
use crate::db::Read;
use crate::error::Result;
use crate::healthcare_service;
use crate::id::{HealthcareServiceId, SlotId};
use crate::practitioner;
use crate::schedule;
use crate::stamp::{Right, Stamp};
use crate::time::{local_date, next_day};

/// Alternatives that are offered at the most.
pub const ALTERNATIVES_MAX: usize = 5;
/// How far alternatives are looked for after the day that was wanted, in days.
const DAYS_AFTER: i32 = 7;

/// The free slots that lie nearest to the one that was wanted: of the same practitioner first,
/// on that day and the week after; of colleagues with a speciality in common if these are few.
pub fn nearest(
    read: &Read<'_>,
    stamp: &Stamp,
    wanted: SlotId,
    service_id: Option<HealthcareServiceId>,
) -> Result<Vec<Slot>> {
    stamp.needs(Right::ReadDiary)?;
    let zone = clinic::get(read)?.zone;
    let schedule = schedule::find(read, wanted.schedule)?;
    let service = service_id.map(|id| healthcare_service::active(read, id)).transpose()?;
    let first = local_date(&zone, wanted.start()).max(local_date(&zone, stamp.now));
    let last = (0..=DAYS_AFTER).fold(first, |date, _| next_day(date));
    let mut found = Vec::new();
    let practitioners = practitioner::all(read)?;
    let own = practitioners.iter().find(|p| p.id == schedule.practitioner);
    let own_specialties = own.map(|p| p.specialties.as_slice()).unwrap_or_default();
    let colleagues = practitioners.iter().filter(|p| {
        p.id != schedule.practitioner && p.specialties.iter().any(|s| own_specialties.contains(s))
    });
    for practitioner in own.into_iter().chain(colleagues).filter(|p| p.active) {
        if found.len() >= ALTERNATIVES_MAX {
            break;
        }
        if service.as_ref().is_some_and(|service| !service.is_done_by(practitioner.id)) {
            continue;
        }
        let who = (practitioner.id, practitioner.location);
        let schedules = schedule::in_use(read, Some(practitioner.id))?;
        let own = schedules.iter().collect();
        let days = Days::load(read, stamp, &zone, who, own, (first, last))?;
        let mut slots = Vec::new();
        days.slots(read, service.as_ref(), false, &mut slots)?;
        slots.retain(|slot| slot.id != wanted);
        slots.sort_by_key(|slot| {
            (slot.start.as_second() - wanted.start().as_second()).unsigned_abs()
        });
        slots.truncate(ALTERNATIVES_MAX - found.len());
        found.append(&mut slots);
    }
    Ok(found)
}
