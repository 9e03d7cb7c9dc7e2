//! Who of the list a time would suit.

use super::{Entry, PartOfDay, row};
use crate::clinic;
use crate::db::Read;
use crate::error::Result;
use crate::healthcare_service;
use crate::id::SlotId;
use crate::practitioner;
use crate::slot;
use crate::stamp::{Right, Stamp};
use crate::time::to_ms;

/// As many are answered at the most.
pub const FITTING_MAX: usize = 20;

/// Those whom this slot would suit, in the order in which they joined, at most [`FITTING_MAX`]. Refused when no session
/// has such a slot; whether it is free is not asked.
pub fn fitting(read: &Read<'_>, stamp: &Stamp, slot: SlotId) -> Result<Vec<Entry>> {
    stamp.needs(Right::ReadAppointments)?;
    let session = slot::offered(read, slot, None)?.schedule;
    let wall = clinic::get(read)?.zone.to_datetime(slot.start());
    let part = PartOfDay::of_hour(wall.hour());
    let practitioner = practitioner::get(read, stamp, session.practitioner)?;
    let mut fitting = Vec::new();
    if slot.start() < stamp.now {
        return Ok(fitting);
    }
    for entry in row::waiting_for(read, &wall.date().to_string(), to_ms(stamp.now))? {
        let wish = &entry.wish;
        let suits = entry.declined != Some(slot)
            && wish.practitioner.is_none_or(|it| it == practitioner.id)
            && wish.specialty.as_ref().is_none_or(|it| practitioner.specialties.contains(it))
            && wish.part_of_day.is_none_or(|it| it == part);
        let is_done_here = match wish.healthcare_service {
            Some(service) if suits => {
                healthcare_service::find(read, service)?.is_done_by(practitioner.id)
                    && slot::offered(read, slot, Some(service)).is_ok()
            }
            Some(_) | None => true,
        };
        if suits && is_done_here {
            fitting.push(entry);
        }
        if fitting.len() == FITTING_MAX {
            break;
        }
    }
    Ok(fitting)
}
