//! What the hub is told, in figures: bytes on the line, changes in a second and where the time goes, what a desk notices
//! of it, how soon both are the same after a cut, how a hub grows with its clinics, and what lending costs.

mod bytes;
mod device;
mod growth;
mod healing;
mod lending;
mod programs;
mod telling;

use std::path::Path;

use anyhow::{Result, ensure};
use carepost::app;
use carepost::http::fhir::told;
use jiff::Timestamp;
use prm::appointment::{self, Status};
use prm::change;
use prm::db::Db;
use prm::id::{AppointmentId, Noun, PatientId};
use prm::stamp::Stamp;
use sync_hub::hub::Hub;
use sync_hub::store::{self, Clinic};
use uuid::Uuid;

use self::bytes::told_since;
pub use self::programs::{enroll, is_told, said_by};
use crate::clinic;
use crate::measure::Bench;
use crate::plan::Plan;
use crate::table::Figure;

/// Bookings that are told.
const BOOKED: usize = 10_000;
/// Records written in one turn of the database.
const AT_ONCE: usize = 500;
/// Bookings that each side makes while the line is cut.
const WHILE_CUT: usize = 1_000;

fn figure(
    what: &str,
    value: String,
    goal: Option<(&'static str, bool)>,
    reference: String,
) -> Figure {
    Figure { group: "sync", what: what.into(), value, goal, reference }
}

/// What a clinic's sync does. The clinic is used up.
pub fn measure(bench: &Bench<'_>, hub: &Path) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let here = bench.data.join("hub");
    let is_quick = bench.effort.rounds == 1;
    let few = |many: usize| if is_quick { many / 10 } else { many };
    let db = app::open_db(&bench.data)?;
    let mut plan = Plan::draw(&db, bench.effort.bookings.min(4 * BOOKED))?;
    let last = || Ok::<_, anyhow::Error>(db.read_blocking(change::last)?.unsigned_abs());
    let before = last()?;
    let booked = book(&db, &mut plan, few(BOOKED))?;
    let told_booked = told_since(&db, told::shown, before)?;
    let before = last()?;
    call_off(&db, booked)?;
    figures.extend(bytes::figures(&told_booked, &told_since(&db, told::shown, before)?)?);
    figures.extend(telling::figures(&db, &bench.data, &here, few(10 * BOOKED))?);
    db.close();
    drop(db);
    figures.extend(programs::figures(bench, hub, &here, &mut plan, few(10 * BOOKED))?);
    figures.extend(healing::figures(bench, &here, &mut plan, few(WHILE_CUT))?);
    Ok(figures)
}

/// Hubs with more and more clinics.
pub fn hubs(here: &Path, quick: bool) -> Result<Vec<Figure>> {
    growth::figures(here, if quick { &[10, 100] } else { &[10, 100, 1_000, 10_000] })
}

/// What lending costs, by policy.
pub fn lending() -> Vec<Figure> {
    lending::figures()
}

/// Books so many, as the desk does; answers which they are.
fn book(db: &Db, plan: &mut Plan, count: usize) -> Result<Vec<AppointmentId>> {
    let mut booked = Vec::new();
    while booked.len() < count {
        let some: Vec<_> = (0..AT_ONCE).map_while(|_| plan.bookings.pop()).collect();
        ensure!(!some.is_empty(), "nothing is left to book");
        booked.extend(db.write_blocking(move |tx| {
            let stamp = Stamp::of_box(Timestamp::now());
            let mut booked = Vec::new();
            for (slot, patient) in some {
                let booking = clinic::booking(stamp.now, slot, patient);
                if let Ok(it) = appointment::book(tx, &stamp, booking) {
                    booked.push(it.id);
                }
            }
            Ok(booked)
        })?);
    }
    Ok(booked)
}

/// Calls these off.
fn call_off(db: &Db, booked: Vec<AppointmentId>) -> Result<()> {
    for some in booked.chunks(AT_ONCE) {
        let some = some.to_vec();
        db.write_blocking(move |tx| {
            let stamp = Stamp::of_box(Timestamp::now());
            for id in some {
                let reason = Some("asked for".to_owned());
                let ended = appointment::cancel(tx, &stamp, (id, None), reason)?;
                debug_assert_eq!(ended.status, Status::Cancelled);
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Changes so many patients, one after the other.
fn edit_all(db: &Db, count: usize) -> Result<u64> {
    let stamp = Stamp::of_box(Timestamp::now());
    let mut changed = 0;
    let mut after = None;
    let mut round = 0;
    while changed < count {
        let at = after;
        let ids = db.read_blocking(move |read| {
            prm::statement::ids(read, &stamp, Noun::Patient, at, AT_ONCE)
        })?;
        let Some(last) = ids.last() else {
            (after, round) = (None, round + 1);
            continue;
        };
        after = Some(*last);
        changed += db.write_blocking(move |tx| {
            let mut changed = 0;
            for id in ids {
                let id = PatientId::from_bytes(id.into_bytes());
                let email = Some(Some(format!("round{round}@example.org")));
                let edit = prm::patient::Edit { email, ..prm::patient::Edit::default() };
                changed += usize::from(prm::patient::edit(tx, &stamp, id, None, edit).is_ok());
            }
            Ok(changed)
        })?;
    }
    Ok(u64::try_from(changed)?)
}

/// A clinic with a code of its own at a hub.
fn add(hub: &Hub, name: &str) -> Result<([u8; 16], String)> {
    let id = Uuid::new_v4().into_bytes();
    let wrapped_key = hub.keys.vault.make_clinic_key(id)?;
    let (name, added_at) = (name.to_owned(), hub.clock.now_ms());
    let clinic = Clinic { id, name, wrapped_key, added_at, life: 0 };
    hub.store.write(id, |tx| store::add_clinic(tx, &clinic))?;
    Ok((id, sync_hub::code::give(hub, id, 3_600_000)?.0))
}
