//! The made-up clinic itself: rooms, eight practitioners with odd sessions, what it does, days
//! on which it is closed.
//!
//! Invariant: at every hour of every day that is not closed at least three practitioners hold a
//! session, so that the demonstration is alive whenever somebody looks at it.

use jiff::civil::Date;
use prm::db::Tx;
use prm::error::Result;
use prm::id::{HealthcareServiceId, LocationId, PractitionerId, ScheduleId};
use prm::stamp::Stamp;
use prm::{healthcare_service, location, practitioner, schedule};

/// Who comes to see a practitioner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Anyone,
    Adult,
    Older,
    Woman,
    Child,
    Infant,
}

/// A practitioner of the demonstration.
pub(super) struct Seat {
    name: &'static str,
    specialties: &'static [&'static str],
    room: usize,
    /// Who comes.
    pub(super) who: Who,
    /// How long a visit lasts in the middle, in minutes.
    pub(super) visit_minutes: f64,
    /// People who come without an appointment, in an hour of session.
    pub(super) walk_ins_per_hour: f64,
    /// Why they come.
    pub(super) reasons: &'static [&'static str],
}

pub(super) const CARDIOLOGY: usize = 0;
pub(super) const GENERAL: usize = 1;
pub(super) const ORTHOPAEDICS: usize = 2;
const PAEDIATRICS: usize = 3;
const RADIOLOGY: usize = 4;
const DERMATOLOGY: usize = 5;
const OBSTETRICS: usize = 6;
pub(super) const CASUALTY: usize = 7;

/// The practitioners, in the order of their tokens' letters.
pub(super) const SEATS: [Seat; 8] = [
    Seat {
        name: "Dr. Rajiv Sharma",
        specialties: &["cardiology"],
        room: 0,
        who: Who::Older,
        visit_minutes: 13.0,
        walk_ins_per_hour: 0.2,
        reasons: &[
            "Chest pain when climbing stairs",
            "Blood pressure review",
            "ECG review",
            "After angioplasty",
            "Palpitations",
        ],
    },
    Seat {
        name: "Dr. Lakshmi Narayanan",
        specialties: &["general medicine"],
        room: 1,
        who: Who::Adult,
        visit_minutes: 9.0,
        walk_ins_per_hour: 0.6,
        reasons: &[
            "Fever for three days",
            "Diabetes review",
            "Cough and cold",
            "Thyroid report",
            "Back pain",
            "Health certificate",
        ],
    },
    Seat {
        name: "Dr. Imran Khan",
        specialties: &["orthopaedics"],
        room: 2,
        who: Who::Adult,
        visit_minutes: 17.0,
        walk_ins_per_hour: 0.2,
        reasons: &["Knee pain", "Plaster check", "Shoulder stiffness", "Fracture follow-up"],
    },
    Seat {
        name: "Dr. Sushma Gowda",
        specialties: &["paediatrics"],
        room: 3,
        who: Who::Child,
        visit_minutes: 12.0,
        walk_ins_per_hour: 0.5,
        reasons: &["Fever", "Growth check", "Ear pain", "Loose motions", "Wheezing"],
    },
    Seat {
        name: "Dr. Anjali Deshpande",
        specialties: &["radiology"],
        room: 4,
        who: Who::Adult,
        visit_minutes: 30.0,
        walk_ins_per_hour: 0.0,
        reasons: &["Abdomen scan", "Pregnancy scan", "Thyroid scan", "Kidney scan"],
    },
    Seat {
        name: "Dr. Meera Iyer",
        specialties: &["dermatology"],
        room: 2,
        who: Who::Adult,
        visit_minutes: 11.0,
        walk_ins_per_hour: 0.2,
        reasons: &["Rash", "Acne review", "Hair fall", "Patch test"],
    },
    Seat {
        name: "Dr. Fatima Shaikh",
        specialties: &["obstetrics", "gynaecology"],
        room: 6,
        who: Who::Woman,
        visit_minutes: 16.0,
        walk_ins_per_hour: 0.1,
        reasons: &["Antenatal check", "Irregular periods", "Six-week check", "Family planning"],
    },
    Seat {
        name: "Dr. Arun Nair",
        specialties: &["emergency medicine"],
        room: 7,
        who: Who::Anyone,
        visit_minutes: 15.0,
        walk_ins_per_hour: 0.5,
        reasons: &["Dressing", "Stitches out", "Injection course", "Observation after fall"],
    },
];

const ROOMS: [&str; 8] = [
    "Consulting Room 1",
    "Consulting Room 2",
    "Consulting Room 3",
    "Children's Room",
    "Scan Room",
    "Vaccination Room",
    "Women's Clinic",
    "Casualty",
];
const VACCINATION_ROOM: usize = 5;

const CONSULTATION: usize = 0;
const FOLLOW_UP: usize = 1;
const SCAN: usize = 2;
const VACCINATION: usize = 3;

/// From when to when sessions are held, in days from today.
#[derive(Clone, Copy)]
enum Held {
    Always,
    Until(i32),
    From(i32),
    On(i32),
}

struct Session {
    seat: usize,
    days: &'static str,
    hours: (&'static str, &'static str),
    slot_minutes: i64,
    capacity: i64,
    session_capacity: Option<i64>,
    room: Option<usize>,
    services: &'static [usize],
    fill: f64,
    held: Held,
}

const fn session(
    seat: usize,
    days: &'static str,
    hours: (&'static str, &'static str),
    slot_minutes: i64,
    services: &'static [usize],
    fill: f64,
) -> Session {
    Session {
        seat,
        days,
        hours,
        slot_minutes,
        capacity: 1,
        session_capacity: None,
        room: None,
        services,
        fill,
        held: Held::Always,
    }
}

const DAILY: &str = "mon tue wed thu fri sat sun";
const WORKDAYS: &str = "mon tue wed thu fri sat";
const DAY_FILL: f64 = 0.95;
const NIGHT_FILL: f64 = 0.15;
const TALK: &[usize] = &[CONSULTATION, CONSULTATION, FOLLOW_UP];
const SHORT: &[usize] = &[FOLLOW_UP];
const SCANS: &[usize] = &[SCAN];
const VACCINATIONS: &[usize] = &[VACCINATION];
const NONE: &[usize] = &[];

/// The sessions. Nights are two each, because a session ends at midnight at the latest; the
/// third line at night goes round: general medicine, paediatrics, cardiology, radiology.
#[rustfmt::skip]
const SESSIONS: &[Session] = &[
    session(CARDIOLOGY, "mon tue wed thu fri", ("09:30", "13:00"), 15, TALK, DAY_FILL),
    session(CARDIOLOGY, "mon wed fri", ("17:00", "20:00"), 15, TALK, DAY_FILL),
    Session { session_capacity: Some(24), ..session(GENERAL, WORKDAYS, ("08:00", "12:30"), 10, SHORT, DAY_FILL) },
    session(GENERAL, WORKDAYS, ("16:30", "20:00"), 10, SHORT, DAY_FILL),
    session(GENERAL, "sun", ("08:00", "14:00"), 15, TALK, 0.6),
    Session { held: Held::Until(6), ..session(ORTHOPAEDICS, "tue thu sat", ("10:00", "14:00"), 20, NONE, DAY_FILL) },
    Session { held: Held::From(7), ..session(ORTHOPAEDICS, "mon wed fri", ("14:00", "18:00"), 20, NONE, DAY_FILL) },
    session(PAEDIATRICS, WORKDAYS, ("09:00", "14:00"), 15, TALK, DAY_FILL),
    Session { capacity: 2, room: Some(VACCINATION_ROOM), ..session(PAEDIATRICS, "wed sat", ("14:30", "16:30"), 10, VACCINATIONS, 0.8) },
    session(PAEDIATRICS, "tue thu sat", ("17:00", "20:00"), 15, TALK, DAY_FILL),
    session(RADIOLOGY, WORKDAYS, ("08:00", "16:40"), 40, SCANS, 0.85),
    session(RADIOLOGY, "sun", ("14:00", "20:00"), 40, SCANS, 0.6),
    Session { session_capacity: Some(20), ..session(DERMATOLOGY, "sat", ("10:00", "18:00"), 15, TALK, DAY_FILL) },
    Session { held: Held::On(2), ..session(DERMATOLOGY, DAILY, ("15:00", "18:00"), 15, TALK, 0.7) },
    session(OBSTETRICS, WORKDAYS, ("13:00", "17:00"), 20, NONE, DAY_FILL),
    session(OBSTETRICS, "sun", ("08:00", "20:00"), 30, NONE, 0.3),
    session(OBSTETRICS, DAILY, ("20:00", "24:00"), 30, NONE, NIGHT_FILL),
    session(OBSTETRICS, DAILY, ("00:00", "08:00"), 30, NONE, NIGHT_FILL),
    session(CASUALTY, DAILY, ("00:00", "08:00"), 20, NONE, NIGHT_FILL),
    session(CASUALTY, DAILY, ("08:00", "20:00"), 20, NONE, 0.35),
    session(CASUALTY, DAILY, ("20:00", "24:00"), 20, NONE, 0.25),
    session(GENERAL, "mon thu", ("20:00", "24:00"), 20, NONE, NIGHT_FILL),
    session(GENERAL, "tue fri", ("00:00", "08:00"), 20, NONE, NIGHT_FILL),
    session(PAEDIATRICS, "tue fri", ("20:00", "24:00"), 20, NONE, NIGHT_FILL),
    session(PAEDIATRICS, "wed sat", ("00:00", "08:00"), 20, NONE, NIGHT_FILL),
    session(CARDIOLOGY, "wed sat", ("20:00", "24:00"), 20, NONE, NIGHT_FILL),
    session(CARDIOLOGY, "thu sun", ("00:00", "08:00"), 20, NONE, NIGHT_FILL),
    session(RADIOLOGY, "sun", ("20:00", "24:00"), 40, SCANS, NIGHT_FILL),
    session(RADIOLOGY, "mon", ("00:00", "08:00"), 40, SCANS, NIGHT_FILL),
];

/// Days of the year on which everything is closed.
const HOLIDAYS: &[(i8, i8, &str)] = &[
    (1, 26, "Republic Day"),
    (8, 15, "Independence Day"),
    (10, 2, "Gandhi Jayanti"),
    (12, 25, "Christmas"),
];
/// Days from today on which it is closed as well, so that there is always one to be seen.
const CLOSED: &[(i32, &str)] = &[(-11, "Water tank cleaning"), (9, "Fumigation of the building")];

/// A session as it was added.
pub(super) struct Added {
    pub(super) id: ScheduleId,
    /// How full its days become, 0 to 1.
    pub(super) fill: f64,
    /// What people are booked for; empty means just a visit.
    pub(super) services: Vec<HealthcareServiceId>,
    /// Who comes.
    pub(super) who: Who,
}

/// What was added.
pub(super) struct House {
    pub(super) practitioners: Vec<PractitionerId>,
    pub(super) scan: HealthcareServiceId,
    pub(super) vaccination: HealthcareServiceId,
    pub(super) sessions: Vec<Added>,
}

/// Adds rooms, practitioners, services, sessions and closed days. Nothing closes between `today`
/// and the day after, whatever the calendar says: the demonstration shows a day half over.
pub(super) fn build(tx: &mut Tx<'_>, stamp: &Stamp, today: Date) -> Result<House> {
    let mut rooms = Vec::new();
    for name in ROOMS {
        let addition = location::Addition { name: name.into(), kind: location::Kind::Room };
        rooms.push(location::add(tx, stamp, addition)?.id);
    }
    let ultrasound =
        location::Addition { name: "Ultrasound 1".into(), kind: location::Kind::Equipment };
    let ultrasound = location::add(tx, stamp, ultrasound)?.id;
    let mut practitioners = Vec::new();
    for seat in &SEATS {
        let addition = practitioner::Addition {
            name: seat.name.into(),
            specialties: seat.specialties.iter().map(|word| (*word).to_owned()).collect(),
            location: Some(rooms[seat.room]),
        };
        practitioners.push(practitioner::add(tx, stamp, addition)?.id);
    }
    let services = add_healthcare_services(tx, stamp, &practitioners, ultrasound)?;
    let mut sessions = Vec::new();
    for session in SESSIONS {
        let addition = addition(session, &practitioners, &rooms, today);
        let id = schedule::add(tx, stamp, addition)?.id;
        let vaccination = session.services == VACCINATIONS;
        sessions.push(Added {
            id,
            fill: session.fill,
            services: session.services.iter().map(|nth| services[*nth]).collect(),
            who: if vaccination { Who::Infant } else { SEATS[session.seat].who },
        });
    }
    close(tx, stamp, today)?;
    let (scan, vaccination) = (services[SCAN], services[VACCINATION]);
    Ok(House { practitioners, scan, vaccination, sessions })
}

fn add_healthcare_services(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    practitioners: &[PractitionerId],
    ultrasound: LocationId,
) -> Result<Vec<HealthcareServiceId>> {
    let all = Vec::new();
    let wanted = [
        ("Consultation", (15, 0), all.clone(), vec![]),
        ("Follow-up", (10, 0), all, vec![]),
        ("Ultrasound scan", (30, 10), vec![practitioners[RADIOLOGY]], vec![ultrasound]),
        ("Vaccination", (10, 0), vec![practitioners[PAEDIATRICS]], vec![]),
    ];
    let mut services = Vec::new();
    for (name, (duration_minutes, buffer_minutes), practitioners, locations) in wanted {
        let name = name.to_owned();
        let addition = healthcare_service::Addition {
            name,
            duration_minutes,
            buffer_minutes,
            practitioners,
            locations,
        };
        services.push(healthcare_service::add(tx, stamp, addition)?.id);
    }
    Ok(services)
}

fn addition(
    session: &Session,
    practitioners: &[PractitionerId],
    rooms: &[LocationId],
    today: Date,
) -> schedule::Addition {
    let (valid_from, valid_to) = match session.held {
        Held::Always => (None, None),
        Held::Until(days) => (None, Some(after(today, days))),
        Held::From(days) => (Some(after(today, days)), None),
        Held::On(days) => (Some(after(today, days)), Some(after(today, days))),
    };
    schedule::Addition {
        practitioner: practitioners[session.seat],
        location: session.room.map(|room| rooms[room]),
        weekdays: session.days.split(' ').map(str::to_owned).collect(),
        start: session.hours.0.into(),
        end: session.hours.1.into(),
        slot_minutes: session.slot_minutes,
        slot_capacity: Some(session.capacity),
        session_capacity: session.session_capacity,
        valid_from,
        valid_to,
        lending: schedule::Lending::default(),
    }
}

fn close(tx: &mut Tx<'_>, stamp: &Stamp, today: Date) -> Result<()> {
    let of_year = |(month, day, reason): &(i8, i8, &'static str)| {
        // The next one, or the one that was just now.
        let this_year = Date::new(today.year(), *month, *day).ok()?;
        let next_year = Date::new(today.year() + 1, *month, *day).ok()?;
        Some((if this_year < after(today, -20) { next_year } else { this_year }, *reason))
    };
    let mut days: Vec<(Date, &str)> = HOLIDAYS.iter().filter_map(of_year).collect();
    days.extend(CLOSED.iter().map(|(nth, reason)| (after(today, *nth), *reason)));
    days.sort();
    days.dedup_by_key(|(date, _)| *date);
    for (date, reason) in days {
        if date != today && date != after(today, 1) {
            schedule::close(tx, stamp, date, Some(reason.to_owned()))?;
        }
    }
    Ok(())
}

/// A date so many days after, or before, another.
pub(super) fn after(date: Date, days: i32) -> Date {
    date.saturating_add(jiff::Span::new().days(days))
}
