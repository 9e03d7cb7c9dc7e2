//! What will be asked of a clinic, drawn from its own records before anything is measured.

use std::collections::{HashMap, HashSet};

use anyhow::{Context as _, Result, ensure};
use carepost::demo::names::{FEMALE, MALE};
use fastrand::Rng;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use prm::appointment::{self, Filter, Status};
use prm::db::{Db, Read};
use prm::id::{AppointmentId, PatientId, PractitionerId, SlotId};
use prm::patient::{self, Patient};
use prm::slot::{self, Search};
use prm::stamp::{Role, Stamp};
use prm::time::{local_date, start_of_day};
use prm::{clinic, practitioner, token};

use crate::client::Ask;

/// Days after today whose free slots may be booked.
const BOOKED_DAYS: i64 = 180;
/// Tokens of kiosks: the tries of each are bounded by the minute.
const KIOSKS: usize = 5;
/// Answers of a search that the desk asks for.
const FOUND_MAX: usize = 10;

/// The ways in which somebody is looked for.
pub const SEARCHES: [&str; 5] =
    ["part of a number", "exact name", "misspelt name", "other script", "prefix"];

/// What can be asked of one clinic.
pub struct Plan {
    pub today: Date,
    pub practitioners: Vec<PractitionerId>,
    /// Free slots and somebody for each, the first to be booked last.
    pub bookings: Vec<(SlotId, PatientId)>,
    /// Whoever has one appointment today and has not come yet: the appointment, a number, the birth.
    pub expected: Vec<(AppointmentId, String, String)>,
    /// Appointments of the next days.
    pub ahead: Vec<AppointmentId>,
    /// What is typed into the search, by its way.
    pub searches: Vec<(&'static str, String)>,
    /// A token of the desk.
    pub desk: String,
    /// A token of an administrator.
    pub admin: String,
    /// Tokens of kiosks.
    pub kiosks: Vec<String>,
    /// A token of a program that speaks FHIR.
    pub integrator: String,
}

impl Plan {
    /// Draws a plan with so many bookings; makes the tokens.
    pub fn draw(db: &Db, bookings: usize) -> Result<Self> {
        let now = Timestamp::now();
        let stamp = Stamp::of_box(now);
        let mut rng = Rng::with_seed(3);
        let zone = db.read_blocking(clinic::get)?.zone;
        let today = local_date(&zone, now);
        let practitioners: Vec<PractitionerId> = db
            .read_blocking(|read| practitioner::list(read, &stamp))?
            .iter()
            .map(|p| p.id)
            .collect();
        let between = |from: i64, to: i64| -> Result<Filter> {
            let midnight = |ahead: i64| -> Result<_> {
                Ok(Some(start_of_day(&zone, today.checked_add(ahead.days())?)))
            };
            Ok(Filter { from: midnight(from)?, to: midnight(to)?, ..Filter::default() })
        };
        let listed = |filter: &Filter| {
            db.read_blocking(|read| appointment::list(read, &stamp, filter, appointment::LIST_MAX))
        };
        let mut expected = Vec::new();
        let mut times: HashMap<PatientId, u32> = HashMap::new();
        let of_today = listed(&between(0, 1)?)?;
        for visit in &of_today {
            *times.entry(visit.patient).or_default() += 1;
        }
        for visit in of_today.iter().filter(|visit| visit.status == Status::Booked) {
            let patient = db.read_blocking(|read| patient::get(read, &stamp, visit.patient))?;
            let (Some(phone), Some(birth)) = (&visit.patient_phone, patient.birth_date) else {
                continue;
            };
            if times[&visit.patient] == 1 {
                expected.push((visit.id, phone.as_str().to_owned(), birth.to_string()));
            }
        }
        rng.shuffle(&mut expected);
        let mut ahead: Vec<AppointmentId> =
            listed(&between(2, 10)?)?.iter().map(|visit| visit.id).collect();
        rng.shuffle(&mut ahead);
        let patients = some_patients(db, &stamp, &mut rng)?;
        let bookings = some_bookings(db, &stamp, &mut rng, &practitioners, (today, bookings))?;
        let searches =
            patients.iter().flat_map(|patient| searches_for(patient, &mut rng)).collect();
        let desk = new_token(db, Role::Clerk)?;
        let admin = new_token(db, Role::Admin)?;
        let integrator = new_token(db, Role::Integrator)?;
        let kiosks = (0..KIOSKS).map(|_| new_token(db, Role::Kiosk)).collect::<Result<_>>()?;
        Ok(Self {
            today,
            practitioners,
            bookings,
            expected,
            ahead,
            searches,
            desk,
            admin,
            kiosks,
            integrator,
        })
    }

    /// The search for free slots of everybody over two weeks.
    pub fn fortnight(&self) -> Result<Search> {
        Ok(Search {
            practitioner: None,
            specialty: None,
            service: None,
            from: self.today.tomorrow()?,
            to: self.today.checked_add(15.days())?,
            all: false,
            limit: slot::SLOTS_MAX,
        })
    }

    /// The same through HTTP, at most so many of them.
    pub fn ask_fortnight(&self, limit: usize) -> Result<Ask> {
        let Search { from, to, .. } = self.fortnight()?;
        Ok(Ask::get("slots", format!("slots?from={from}&to={to}&limit={limit}")))
    }

    /// The same as FHIR's `$find`, all counted and the first page of them shown.
    pub fn ask_find(&self) -> Result<Ask> {
        let Search { from, to, .. } = self.fortnight()?;
        let last = to.yesterday()?;
        Ok(Ask::get("find", format!("/fhir/Appointment/$find?start={from}&end={last}")))
    }

    /// Books the next free slot.
    pub fn ask_booking(&mut self) -> Result<Ask> {
        let (slot, patient) = self.bookings.pop().context("no free slot is left to book")?;
        Ok(ask_booking(slot, patient))
    }

    /// Takes so many patients who are expected today.
    pub fn take_expected(&mut self, count: usize) -> Vec<(AppointmentId, String, String)> {
        self.expected.split_off(self.expected.len().saturating_sub(count))
    }

    /// A clinic's requests as they come: 60 of a hundred read (slots, search, the day), 25 book, 10 check in or move
    /// the queue, 5 call off or move an appointment.
    pub fn mixed(&mut self, count: usize) -> Result<Vec<Ask>> {
        let mut rng = Rng::with_seed(5);
        let mut asks = Vec::with_capacity(count);
        let (from, to) = (self.today, self.today.tomorrow()?);
        for _ in 0..count {
            let practitioner = self.practitioners[rng.usize(..self.practitioners.len())];
            let ask = match rng.u8(..100) {
                0..20 => {
                    let week = to.checked_add(7.days())?;
                    Ask::get(
                        "slots",
                        format!("slots?practitioner={practitioner}&from={to}&to={week}"),
                    )
                }
                20..40 => {
                    let (_, typed) = &self.searches[rng.usize(..self.searches.len())];
                    ask_search("search", typed)
                }
                40..60 => {
                    let who =
                        format!("appointments?practitioner={practitioner}&from={from}&to={to}");
                    Ask::get("day", who)
                }
                60..85 => self.ask_booking()?,
                85..90 => match self.expected.pop() {
                    Some((id, _, _)) => ask_check_in(id),
                    None => Ask::get("queue", format!("queue?practitioner={practitioner}")),
                },
                90..94 => {
                    let body = format!(
                        "{{\"practitioner_id\":\"{practitioner}\",\"finish_current\":true}}"
                    );
                    Ask::post("call next", "queue/call-next".into(), body, &[200, 404])
                }
                94 => Ask::get("queue", format!("queue?practitioner={practitioner}")),
                rest => match self.ahead.pop() {
                    Some(id) if rest < 98 => {
                        let body = "{\"reason\":\"patient called\"}".to_owned();
                        Ask::post("cancel", format!("appointments/{id}/cancel"), body, &[200])
                    }
                    Some(id) => {
                        let (slot, _) = self.bookings.pop().context("no free slot is left")?;
                        let body = format!("{{\"slot_id\":\"{slot}\"}}");
                        // In a small clinic the patient may be somewhere else at that time.
                        Ask::post("move", format!("appointments/{id}/move"), body, &[200, 409])
                    }
                    None => Ask::get("queue", format!("queue?practitioner={practitioner}")),
                },
            };
            asks.push(ask);
        }
        Ok(asks)
    }
}

/// Looks for somebody as the desk does.
pub fn ask_search(kind: &'static str, typed: &str) -> Ask {
    let typed: String = typed.bytes().map(|byte| format!("%{byte:02X}")).collect();
    Ask::get(kind, format!("patients?q={typed}&limit={FOUND_MAX}"))
}

/// Checks somebody in at the desk.
pub fn ask_check_in(id: AppointmentId) -> Ask {
    Ask {
        body: None,
        ..Ask::post("check in", format!("appointments/{id}/check-in"), String::new(), &[200])
    }
}

/// The search as the desk does it, in process.
pub fn search(read: &Read<'_>, typed: &str) -> prm::error::Result<usize> {
    Ok(patient::find(read, &Stamp::of_box(Timestamp::now()), typed, FOUND_MAX)?.len())
}

fn ask_booking(slot: SlotId, patient: PatientId) -> Ask {
    let body =
        format!("{{\"patient_id\":\"{patient}\",\"slot_id\":\"{slot}\",\"reason\":\"follow-up\"}}");
    Ask::post("book", "appointments".into(), body, &[201])
}

fn new_token(db: &Db, role: Role) -> Result<String> {
    let request = token::Request { name: "measurement".into(), role, expires_at: None };
    let stamp = Stamp::of_box(Timestamp::now());
    let (_, secret) = db.write_blocking(move |tx| token::create(tx, &stamp, request))?;
    Ok(secret.text().to_owned())
}

/// A few hundred patients from all over the register.
fn some_patients(db: &Db, stamp: &Stamp, rng: &mut Rng) -> Result<Vec<Patient>> {
    let newest = db.read_blocking(|read| patient::newest(read, stamp, false, None, 1))?;
    let last = newest.first().context("the clinic has no patients")?.number;
    let mut found = Vec::new();
    for _ in 0..300 {
        let before = Some(rng.i64(2..=last + 1));
        found.extend(db.read_blocking(|read| patient::newest(read, stamp, false, before, 1))?);
    }
    Ok(found)
}

fn some_bookings(
    db: &Db,
    stamp: &Stamp,
    rng: &mut Rng,
    practitioners: &[PractitionerId],
    (today, count): (Date, usize),
) -> Result<Vec<(SlotId, PatientId)>> {
    let mut slots = Vec::new();
    for practitioner in practitioners {
        let mut from = today.tomorrow()?;
        let end = today.checked_add(BOOKED_DAYS.days())?;
        while from < end {
            let to = from.checked_add(60.days())?.min(end);
            let search = Search {
                practitioner: Some(*practitioner),
                specialty: None,
                service: None,
                from,
                to,
                all: false,
                limit: slot::SLOTS_MAX,
            };
            slots.extend(db.read_blocking(|read| slot::list(read, stamp, &search))?);
            from = to;
        }
    }
    rng.shuffle(&mut slots);
    slots.truncate(count);
    ensure!(
        slots.len() == count,
        "the clinic has only {} free slots, {count} are wanted",
        slots.len()
    );
    // In order of time, so that nobody is drawn twice for one hour.
    slots.sort_by_key(|slot| slot.start);
    let mut patients = Vec::new();
    let mut before = None;
    while patients.len() < count {
        let page = db.read_blocking(|read| patient::newest(read, stamp, false, before, 1_000))?;
        let Some(last) = page.last() else { break };
        before = Some(last.number);
        patients.extend(page.iter().map(|patient| patient.id));
    }
    ensure!(!patients.is_empty(), "the clinic has no patients");
    rng.shuffle(&mut patients);
    // A booking is to be accepted: nobody is asked to be in two places at once.
    let mut busy = busy(db, stamp, today)?;
    let mut in_turn = patients.into_iter().cycle();
    let mut bookings = Vec::with_capacity(count);
    for slot in slots {
        if let Some(free) = in_turn.by_ref().find(|patient| !busy.contains(&(*patient, slot.start)))
        {
            busy.insert((free, slot.start));
            bookings.push((slot.id, free));
        }
    }
    // People ask for one of the next days, not for any day of half a year: a fortnight's slots in
    // random order, then those of the next. They are taken from the end.
    let fortnight = count * 14 / usize::try_from(BOOKED_DAYS)?;
    for slots in bookings.chunks_mut(fortnight.max(1)) {
        rng.shuffle(slots);
    }
    bookings.reverse();
    Ok(bookings)
}

/// Who is somewhere at which time, after today.
fn busy(db: &Db, stamp: &Stamp, today: Date) -> Result<HashSet<(PatientId, Timestamp)>> {
    let zone = db.read_blocking(clinic::get)?.zone;
    let mut filter = Filter { from: Some(start_of_day(&zone, today)), ..Filter::default() };
    let mut busy = HashSet::new();
    loop {
        let some = db
            .read_blocking(|read| appointment::list(read, stamp, &filter, appointment::LIST_MAX))?;
        let Some(last) = some.last() else { return Ok(busy) };
        filter.after = Some((last.start, last.id));
        busy.extend(some.iter().map(|visit| (visit.patient, visit.start)));
    }
}

/// What somebody types who looks for this patient, in each of the [`SEARCHES`].
fn searches_for(patient: &Patient, rng: &mut Rng) -> Vec<(&'static str, String)> {
    let [part, exact, misspelt, script, prefix] = SEARCHES;
    let name = if patient.name.is_ascii() {
        &patient.name
    } else {
        patient.names.first().unwrap_or(&patient.name)
    };
    let mut typed = vec![(exact, name.clone()), (misspelt, slip(name, rng))];
    if let Some(phone) = patient.phones.first() {
        let digits: Vec<char> =
            phone.number.as_str().chars().filter(char::is_ascii_digit).collect();
        let length = rng.usize(4..=7).min(digits.len());
        let at = rng.usize(0..=digits.len() - length);
        typed.push((part, digits[at..at + length].iter().collect()));
    }
    let given = name.split(' ').next().unwrap_or(name);
    let known = MALE.iter().chain(FEMALE).find(|it| it.latin == given || it.also.contains(&given));
    if let Some(native) = known.and_then(|known| rng.choice(known.native)) {
        typed.push((script, (*native).to_owned()));
    }
    let short: String = given.chars().take(rng.usize(3..=4)).collect();
    typed.push((prefix, short));
    typed
}

/// The name with one letter left out, doubled or exchanged with the next.
fn slip(name: &str, rng: &mut Rng) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    let at = rng.usize(1..letters.len().max(3) - 1);
    match rng.u8(..3) {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, letters[at]),
        _ => letters.swap(at, at + 1),
    }
    letters.into_iter().collect()
}
