//! What the desk of a box does, and what it is answered.

use jiff::ToSpan as _;
use jiff::civil::Date;
use prm::appointment::{self, Booking, Status};
use prm::check_in;
use prm::db::Tx;
use prm::error::{Error, Result};
use prm::id::{AppointmentId, SlotId};
use prm::patient::{self, Edit};
use prm::queue::{self, Line};
use prm::schedule;
use prm::slot::{self, Search};
use prm::stamp::Stamp;

use super::acknowledged::{Person, Visit};
use super::boxes::BoxEnd;
use super::template::{self, Template};

const NAMES: [&str; 5] = ["Asha Rao", "Meena Iyer", "Ravi Kumar", "Farhan Ali", "Grace Thomas"];
/// Days ahead for which the desk books.
const DAYS: i32 = 3;
/// Slots that the desk chooses from.
const SLOTS: usize = 14;

/// What the desk does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Register,
    Edit,
    Merge,
    Book,
    Overbook,
    Move,
    Cancel,
    CheckIn,
    Call,
    Leave,
}

/// The desk does something, if there is anybody to do it to.
///
/// # Errors
/// What is neither an answer nor a refusal by a rule.
pub fn act(of: &mut BoxEnd, deed: Deed, pick: usize) -> std::result::Result<(), String> {
    let done = match deed {
        Deed::Register => register(of, pick),
        Deed::Edit => edit(of, pick),
        Deed::Merge => merge(of, pick),
        Deed::Book => book(of, pick, None),
        Deed::Overbook => book(of, pick, Some("an emergency")),
        Deed::Move => shift(of, pick),
        Deed::Cancel => cancel(of, pick),
        Deed::CheckIn => check_in(of, pick),
        Deed::Call => call(of, pick),
        Deed::Leave => leave(of, pick),
    };
    match done {
        Ok(()) | Err(Error::Refused(_) | Error::NotFound(_) | Error::Stale { .. }) => Ok(()),
        Err(Error::Full | Error::Storage(_)) if of.is_full => Ok(()),
        Err(error) => Err(format!("the desk was answered: {error}")),
    }
}

fn write<T: Send + 'static>(
    of: &BoxEnd,
    verb: impl FnOnce(&mut Tx<'_>, &Stamp) -> Result<T> + Send + 'static,
) -> Result<T> {
    let stamp = of.stamp();
    of.db.write_blocking(move |tx| verb(tx, &stamp))
}

fn pick_of<T: Copy>(from: &[T], pick: usize) -> Option<T> {
    from.get(pick.checked_rem(from.len())?).copied()
}

fn register(of: &mut BoxEnd, pick: usize) -> Result<()> {
    let name = NAMES[pick % NAMES.len()];
    let made = write(of, |tx, stamp| patient::register(tx, stamp, template::registration(name)))?;
    of.acknowledged.people.push(Person { id: made.id, name: made.name, merged_into: None });
    Ok(())
}

fn edit(of: &mut BoxEnd, pick: usize) -> Result<()> {
    let Some(id) = pick_of(&of.acknowledged.in_use(), pick) else { return Ok(()) };
    let name = format!("{} {}", NAMES[pick % NAMES.len()], ["Devi", "Singh", "Khan"][pick % 3]);
    let edit = Edit { name: Some(name), ..Edit::default() };
    let after = write(of, move |tx, stamp| patient::edit(tx, stamp, id, None, edit))?;
    for known in of.acknowledged.people.iter_mut().filter(|it| it.id == id) {
        known.name.clone_from(&after.name);
    }
    Ok(())
}

fn merge(of: &mut BoxEnd, pick: usize) -> Result<()> {
    let in_use = of.acknowledged.in_use();
    let (Some(kept), Some(duplicate)) = (pick_of(&in_use, pick), pick_of(&in_use, pick / 7)) else {
        return Ok(());
    };
    let merged = write(of, move |tx, stamp| patient::merge(tx, stamp, kept, duplicate))?;
    for known in &mut of.acknowledged.people {
        if known.id == duplicate {
            known.merged_into = Some(merged.kept.id);
        }
    }
    Ok(())
}

fn today(of: &BoxEnd) -> Date {
    of.now().in_tz("Asia/Kolkata").map(|it| it.date()).unwrap_or_default()
}

fn a_slot(of: &BoxEnd, pick: usize, all: bool) -> Result<Option<SlotId>> {
    let practitioner = pick_of(&Template::get().practitioners, pick);
    let (specialty, service, from) = (None, None, today(of));
    let to = from.saturating_add(DAYS.days());
    let search = Search { practitioner, specialty, service, from, to, all, limit: SLOTS };
    let stamp = of.stamp();
    let slots = of.db.read_blocking(|read| slot::list(read, &stamp, &search))?;
    let ids: Vec<_> = slots.iter().map(|it| it.id).collect();
    Ok(pick_of(&ids, pick / 2))
}

fn book(of: &mut BoxEnd, pick: usize, overbook: Option<&str>) -> Result<()> {
    let Some(patient) = pick_of(&of.acknowledged.in_use(), pick / 3) else { return Ok(()) };
    // Whoever does not look tries times that are not free, too.
    let all = overbook.is_some() || pick.is_multiple_of(5);
    let Some(slot) = a_slot(of, pick, all)? else { return Ok(()) };
    let booking = Booking {
        id: AppointmentId::new(of.now()),
        patient,
        slot,
        healthcare_service: None,
        reason: None,
        overbook: overbook.map(str::to_owned),
        hold_minutes: None,
        series: None,
    };
    let made = write(of, |tx, stamp| appointment::book(tx, stamp, booking))?;
    of.acknowledged.note(Visit::of(&made));
    Ok(())
}

/// The ids of those that stand, in the order in which they were booked.
fn standing(of: &BoxEnd) -> Vec<AppointmentId> {
    let visits = of.acknowledged.visits.iter();
    visits.filter(|it| it.status.stands()).map(|it| it.id).collect()
}

fn shift(of: &mut BoxEnd, pick: usize) -> Result<()> {
    let Some(id) = pick_of(&standing(of), pick / 5) else { return Ok(()) };
    let Some(slot) = a_slot(of, pick, false)? else { return Ok(()) };
    let moved =
        write(of, move |tx, stamp| appointment::move_to(tx, stamp, (id, None), slot, None))?;
    of.acknowledged.note(Visit::of(&moved));
    Ok(())
}

fn cancel(of: &mut BoxEnd, pick: usize) -> Result<()> {
    let Some(id) = pick_of(&standing(of), pick) else { return Ok(()) };
    let reason = Some("cannot come".to_owned());
    let cancelled = write(of, move |tx, stamp| appointment::cancel(tx, stamp, (id, None), reason))?;
    of.acknowledged.note(Visit::of(&cancelled));
    Ok(())
}

fn check_in(of: &mut BoxEnd, pick: usize) -> Result<()> {
    let Some(id) = pick_of(&standing(of), pick) else { return Ok(()) };
    write(of, move |tx, stamp| check_in::check_in(tx, stamp, id))?;
    for known in of.acknowledged.visits.iter_mut().filter(|it| it.id == id) {
        if known.status != Status::Fulfilled {
            known.status = Status::CheckedIn;
        }
    }
    Ok(())
}

fn call(of: &mut BoxEnd, pick: usize) -> Result<()> {
    let Some(practitioner) = pick_of(&Template::get().practitioners, pick) else { return Ok(()) };
    let line = Line::Practitioner(practitioner);
    write(of, move |tx, stamp| queue::call_next(tx, stamp, line, true))?;
    // Whoever was inside is done with; the answer names only who is called.
    let stamp = of.stamp();
    let now = of.db.read_blocking(|read| super::acknowledged::visits(read, &stamp))?;
    for known in of.acknowledged.visits.iter_mut().filter(|it| it.status == Status::CheckedIn) {
        if now.get(&known.id).is_some_and(|it| it.status == Status::Fulfilled) {
            known.status = Status::Fulfilled;
        }
    }
    Ok(())
}

fn leave(of: &mut BoxEnd, pick: usize) -> Result<()> {
    let Some(practitioner) = pick_of(&Template::get().practitioners, pick) else { return Ok(()) };
    let day = today(of).saturating_add(1.day());
    write(of, move |tx, stamp| schedule::take_leave(tx, stamp, practitioner, (day, day), None))?;
    Ok(())
}
