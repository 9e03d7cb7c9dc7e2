//! FHIR Schedule: a session that repeats every week (<https://hl7.org/fhir/R4/schedule.html>).
//!
//! | element | record |
//! |---|---|
//! | `active` | whether it is in use; so when it is not said |
//! | `actor` | the practitioner (a `Practitioner` or a `PractitionerRole`), and where, if not in the usual room |
//! | `planningHorizon` | the first and the last date, if bounded |
//! | [`extension::LENDING`] | how much of it is lent for booking online, where that is not as the settings say |
//! | [`extension::WEEKLY_SESSION`] | days, times, lengths and capacities, for which R4 has no element |
//!
//! Everything else stays as it was given.

mod lending;
mod session;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;
use uuid::Uuid;

use prm::id::{LocationId, PractitionerId};
use prm::schedule::{Addition, Edit, Lending, LendingEdit, Schedule};

use self::lending::LENDING;
use self::session::{Session, WEEKLY_SESSION};
use crate::concept;
use crate::element::{self, Map};
use crate::extension;
use crate::here::Here;
use crate::instant;
use crate::json::Resource;
use crate::kept::{self, Entries, Kept};
use crate::outcome::{Issue, IssueCode, Outcome};
use crate::reference;

/// FHIR's name of the type.
pub const TYPE: &str = "Schedule";

/// How long the slots of a session are, in minutes, if it says so.
pub fn slot_minutes(resource: &Resource) -> Option<i64> {
    let session = extension::first(resource.map(), extension::WEEKLY_SESSION)?;
    element::whole(extension::first(session, "slotMinutes")?, "valuePositiveInt")
}

/// What a `Schedule` says of what the records hold, for the verbs that check it.
#[derive(Clone, Debug)]
pub struct RawSchedule {
    /// Who sees patients.
    pub practitioner: PractitionerId,
    /// Where, if not in the practitioner's usual room.
    pub location: Option<LocationId>,
    /// The first local date, if bounded.
    pub valid_from: Option<Date>,
    /// The last local date, if bounded.
    pub valid_to: Option<Date>,
    /// Whether it is in use. A new one is; one that is not any more was ended.
    pub active: bool,
    session: Session,
    lending: Lending,
}

impl RawSchedule {
    /// The session as a new one.
    pub fn addition(self) -> Addition {
        let Self { practitioner, location, valid_from, valid_to, active: _, session, lending } =
            self;
        let Session {
            weekdays,
            start_minute,
            end_minute,
            slot_minutes,
            slot_capacity,
            session_capacity,
        } = session;
        Addition {
            practitioner,
            location,
            weekdays: weekdays.words().into_iter().map(str::to_owned).collect(),
            start: session::clock(start_minute),
            end: session::clock(end_minute),
            slot_minutes: i64::from(slot_minutes),
            slot_capacity: Some(slot_capacity),
            session_capacity,
            valid_from,
            valid_to,
            lending,
        }
    }

    /// The session as an edit of one on record. Refused if it would have other slots: that is a new
    /// session, so that the slots of the old one stay what they are.
    pub fn edit(self, before: &Schedule) -> Result<Edit, Outcome> {
        let Self { practitioner, location, valid_from, valid_to, active: _, session, lending } =
            self;
        let was = Session::of(before);
        let mut issues = Vec::new();
        if practitioner != before.practitioner {
            issues.push(other_slots("Schedule.actor".to_owned()));
        }
        if (session.weekdays, session.start_minute, session.end_minute, session.slot_minutes)
            != (was.weekdays, was.start_minute, was.end_minute, was.slot_minutes)
        {
            issues.push(other_slots(session_at()));
        }
        if !issues.is_empty() {
            return Err(Outcome { issues });
        }
        Ok(Edit {
            location: Some(location),
            slot_capacity: Some(session.slot_capacity),
            session_capacity: Some(session.session_capacity),
            valid_from: Some(valid_from),
            valid_to: Some(valid_to),
            lending: LendingEdit {
                share_percent: Some(lending.share_percent),
                cutoff_hours: Some(lending.cutoff_hours),
                horizon_days: Some(lending.horizon_days),
            },
        })
    }
}

fn other_slots(expression: String) -> Issue {
    let what = "this would be a session with other slots; end this one and add another";
    Issue::at(expression, IssueCode::BusinessRule, what)
}

/// Where the session stands, as a FHIRPath.
fn session_at() -> String {
    format!("Schedule.extension('{}')", extension::WEEKLY_SESSION)
}

/// What a `Schedule` says of what the records hold.
///
/// Refused are one that names no practitioner of this box, one without a session that can be read,
/// and `modifierExtension`.
pub fn read(resource: &Resource, here: Here<'_>) -> Result<RawSchedule, Outcome> {
    element::is_a(resource, TYPE)?;
    element::understood(resource, &[])?;
    let map = resource.map();
    let (mut practitioner, mut location) = (None, None);
    for (_, actor) in Actors(here.origin).read(element::list(map, "actor")) {
        match actor {
            Actor::Practitioner(id) => {
                practitioner = Some(PractitionerId::from_bytes(id.into_bytes()))
            }
            Actor::Location(id) => location = Some(LocationId::from_bytes(id.into_bytes())),
        }
    }
    let session = WEEKLY_SESSION.of(map);
    let lending = LENDING.of(map).unwrap_or_default();
    let mut issues: Vec<Issue> = lending::wrong(map).into_iter().collect();
    if practitioner.is_none() {
        let what = "a schedule needs the practitioner of this box who sees patients, as \
                    Practitioner/<id> or PractitionerRole/<id>";
        issues.push(Issue::at("Schedule.actor", IssueCode::Required, what));
    }
    if session.is_none() {
        let what = "say days, start, end and length of slots in this extension: R4 has no element \
                    for a session that repeats";
        issues.push(Issue::at(session_at(), IssueCode::Required, what));
    }
    let (Some(practitioner), Some(session), true) = (practitioner, session, issues.is_empty())
    else {
        return Err(Outcome { issues });
    };
    let horizon = element::object(map, "planningHorizon").cloned().unwrap_or_default();
    Ok(RawSchedule {
        practitioner,
        location,
        valid_from: first(&horizon, here),
        valid_to: last(&horizon, here),
        active: element::flag(map, "active").unwrap_or(true),
        session,
        lending,
    })
}

/// A session's record as a `Schedule`, over what was given. `services` are the names of what can be
/// booked in it; `updated` is when the record last changed.
pub fn write(
    schedule: &Schedule,
    services: &[&str],
    here: Here<'_>,
    updated: Timestamp,
    given: Option<&Resource>,
) -> Resource {
    let Schedule {
        id,
        version,
        practitioner,
        location,
        weekdays: _,
        start_minute: _,
        end_minute: _,
        slot_minutes: _,
        slot_capacity: _,
        session_capacity: _,
        valid_from,
        valid_to,
        active,
        lending,
    } = schedule;
    let mut kept = Kept::begin(TYPE, id, here.meta(*version, updated), given);
    kept.list("extension", &WEEKLY_SESSION, &[Session::of(schedule)]);
    kept.list("extension", &LENDING, &lending::of(*lending));
    kept.element(
        "active",
        active,
        |map| element::flag(map, "active").unwrap_or(true),
        |active| Some((*active).into()),
    );
    if !services.is_empty() {
        kept.at_first(
            "serviceType",
            Some(services.iter().map(|name| concept::said(name)).collect()),
        );
    }
    let mut actors = vec![Actor::Practitioner(practitioner.uuid())];
    actors.extend(location.map(|id| Actor::Location(id.uuid())));
    kept.list("actor", &Actors(here.origin), &actors);
    kept.inside("planningHorizon", |horizon| {
        let text = |date: &Option<Date>| date.map(|date| date.to_string().into());
        let went = kept::element(horizon, "start", valid_from, |map| first(map, here), text);
        went | kept::element(horizon, "end", valid_to, |map| last(map, here), text)
    });
    kept.end()
}

fn first(horizon: &Map, here: Here<'_>) -> Option<Date> {
    instant::first_date(element::text(horizon, "start")?, here.zone())
}

fn last(horizon: &Map, here: Here<'_>) -> Option<Date> {
    instant::last_date(element::text(horizon, "end")?, here.zone())
}

/// Whom or what a schedule is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Actor {
    Practitioner(Uuid),
    Location(Uuid),
}

/// The first practitioner and the first location of this box.
struct Actors<'a>(&'a str);

impl Entries for Actors<'_> {
    type Said = Actor;

    fn read(&self, entries: &[Value]) -> Vec<(usize, Actor)> {
        let (mut practitioner, mut location) = (None, None);
        for (place, entry) in element::objects(entries) {
            match reference::record(entry, self.0) {
                // A role has the id of its practitioner.
                Some(("Practitioner" | "PractitionerRole", id)) => {
                    practitioner.get_or_insert((place, Actor::Practitioner(id)));
                }
                Some(("Location", id)) => {
                    location.get_or_insert((place, Actor::Location(id)));
                }
                Some(_) | None => {}
            }
        }
        practitioner.into_iter().chain(location).collect()
    }

    fn write(&self, actor: &Actor, _old: Option<&Map>) -> Value {
        match actor {
            Actor::Practitioner(id) => reference::to("Practitioner", id),
            Actor::Location(id) => reference::to("Location", id),
        }
    }

    fn may_replace(&self, new: &Actor, old: &Actor) -> bool {
        matches!(
            (new, old),
            (Actor::Practitioner(_), Actor::Practitioner(_))
                | (Actor::Location(_), Actor::Location(_))
        )
    }
}

#[cfg(test)]
mod tests;
