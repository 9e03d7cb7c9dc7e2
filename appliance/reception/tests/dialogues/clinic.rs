//! A small clinic in memory: three practitioners, families by their phones, a diary, a queue.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use prm::contact::{BirthDate, Phone};
use prm::error::Code;
use prm::id::{AppointmentId, HealthcareServiceId, PatientId, PractitionerId, ScheduleId, SlotId};
use prm::qr;
use reception::{
    Act, Answer, AppointmentFact, Can, ClinicFacts, DAYS_MAX, Facts, FreeDay, Look, Person,
    PlaceFact, PractitionerFact, ServiceFact, SlotFact, Wanted, Who, Wording, lexicon,
};

/// A weekly session of a practitioner: on which days, from and to which hour, how long a slot is.
struct Session {
    practitioner: usize,
    days: &'static [Weekday],
    hours: (i8, i8),
    minutes: i64,
}

const ALL_WEEK: &[Weekday] = &[
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
];

const SESSIONS: [Session; 5] = [
    Session { practitioner: 0, days: ALL_WEEK, hours: (10, 12), minutes: 30 },
    Session { practitioner: 1, days: ALL_WEEK, hours: (9, 13), minutes: 30 },
    Session { practitioner: 1, days: ALL_WEEK, hours: (17, 19), minutes: 30 },
    Session {
        practitioner: 2,
        days: &[Weekday::Tuesday, Weekday::Thursday],
        hours: (16, 18),
        minutes: 30,
    },
    // Of whoever was added: from morning to night.
    Session { practitioner: 3, days: ALL_WEEK, hours: (8, 23), minutes: 15 },
];

/// A small clinic.
pub struct Clinic {
    pub now: Timestamp,
    pub away: bool,
    pub practitioners: Vec<PractitionerFact>,
    pub services: Vec<ServiceFact>,
    pub patients: Vec<(Option<Phone>, Person)>,
    pub appointments: BTreeMap<AppointmentId, (SlotId, AppointmentFact)>,
    pub confirmed: Vec<AppointmentId>,
    pub waitlist: Vec<PatientId>,
    pub stopped: Vec<String>,
    pub closed: Vec<Date>,
    pub in_queue: Vec<(PatientId, PlaceFact)>,
    pub wording: Wording,
    made: u8,
}

/// Who writes: an address.
#[derive(Clone)]
pub struct Writer {
    pub address: String,
    pub phone: Option<Phone>,
    /// Those found by number and birth, for an address without a number.
    pub identified: Vec<PatientId>,
}

impl Clinic {
    pub fn new() -> Self {
        let practitioner = |at: u8, name: &str, specialties: &[&str]| PractitionerFact {
            id: PractitionerId::from_bytes([at; 16]),
            name: name.to_owned(),
            specialties: specialties.iter().map(|it| (*it).to_owned()).collect(),
        };
        let mut clinic = Self {
            now: "2026-11-23T03:30:00Z".parse().expect("a time"),
            away: false,
            practitioners: vec![
                practitioner(1, "Dr. Meera Rao", &["dermatology"]),
                practitioner(2, "Dr. Anil Sharma", &["general medicine"]),
                practitioner(3, "Dr. Sunita Sharma", &["paediatrics"]),
            ],
            services: vec![ServiceFact {
                id: HealthcareServiceId::from_bytes([8; 16]),
                name: "Blood test".to_owned(),
                practitioners: vec![PractitionerId::from_bytes([2; 16])],
            }],
            patients: Vec::new(),
            appointments: BTreeMap::new(),
            confirmed: Vec::new(),
            waitlist: Vec::new(),
            stopped: Vec::new(),
            closed: Vec::new(),
            in_queue: Vec::new(),
            wording: Wording::default(),
            made: 100,
        };
        clinic.add_patient("+919844111173", "Asha Verma", "1984-05-02");
        clinic.add_patient("+919844111173", "Ravi Verma", "2015-08-10");
        clinic.add_patient("+919844111174", "Imran Khan", "1971-01-26");
        clinic
    }

    fn add_patient(&mut self, phone: &str, name: &str, birth: &str) -> Person {
        self.made += 1;
        let id = PatientId::from_bytes([self.made; 16]);
        let birth = BirthDate::parse(birth).ok();
        let person = Person { id, name: name.to_owned(), birth };
        self.patients.push((Phone::parse(phone, "IN").ok(), person.clone()));
        person
    }

    /// Somebody more; the first has sessions.
    pub fn add_doctor(&mut self, name: &str, specialty: &str) {
        self.made += 1;
        self.practitioners.push(PractitionerFact {
            id: PractitionerId::from_bytes([self.made; 16]),
            name: name.to_owned(),
            specialties: vec![specialty.to_owned()],
        });
    }

    pub fn writer(address: &str) -> Writer {
        Writer {
            address: address.to_owned(),
            phone: Phone::parse(address, "IN").ok(),
            identified: Vec::new(),
        }
    }

    pub fn zone() -> TimeZone {
        TimeZone::get("Asia/Kolkata").expect("a zone")
    }

    pub fn facts(&self, writer: &Writer) -> Facts {
        let people: Vec<Person> = self.of(writer);
        Facts {
            now: self.now,
            zone: Self::zone(),
            clinic: ClinicFacts {
                name: "Shanti Clinic".to_owned(),
                phone: Some("080 4111 2222".to_owned()),
                country: "IN".to_owned(),
                languages: vec!["en-IN".to_owned(), "hi-IN".to_owned()],
                emergency: vec!["112".to_owned(), "108".to_owned()],
            },
            practitioners: self.practitioners.clone(),
            services: self.services.clone(),
            lexicon: Arc::new(lexicon("IN", &self.practitioners, &self.services)),
            phone: writer.phone.clone(),
            who: if people.is_empty() { Who::Unknown } else { Who::People(people) },
            can: Can { book: !self.away },
            wording: self.wording.clone(),
        }
    }

    fn of(&self, writer: &Writer) -> Vec<Person> {
        let of_it = |phone: &Option<Phone>, person: &Person| {
            (phone.is_some() && *phone == writer.phone) || writer.identified.contains(&person.id)
        };
        let people = self.patients.iter().filter(|(phone, person)| of_it(phone, person));
        people.map(|(_, person)| person.clone()).collect()
    }

    fn is_of(&self, id: AppointmentId, writer: &Writer) -> Option<(SlotId, AppointmentFact)> {
        let found = self.appointments.get(&id)?;
        self.of(writer).iter().any(|person| person.id == found.1.patient).then_some(*found)
    }

    /// The times of a practitioner on a day, free or not.
    fn times(&self, date: Date) -> Vec<SlotFact> {
        let mut times = Vec::new();
        for (at, session) in (1_u8..).zip(&SESSIONS) {
            if !session.days.contains(&date.weekday()) || self.closed.contains(&date) {
                continue;
            }
            let schedule = ScheduleId::from_bytes([at + 40; 16]);
            let Some(of) = self.practitioners.get(session.practitioner) else { continue };
            let practitioner = of.id;
            let end = date.at(session.hours.1, 0, 0, 0);
            let mut start = date.at(session.hours.0, 0, 0, 0);
            while start < end {
                let instant = start.to_zoned(Self::zone()).expect("a time").timestamp();
                let id = SlotId::new(schedule, instant);
                times.push(SlotFact { id, practitioner, start: instant });
                start = start.checked_add(session.minutes.minutes()).expect("a time");
            }
        }
        times.sort_by_key(|slot| slot.start);
        times
    }

    fn is_free(&self, slot: SlotId) -> bool {
        !self.appointments.values().any(|(taken, _)| *taken == slot)
    }

    fn free(&self, wanted: &Wanted, date: Date) -> Vec<SlotFact> {
        let fits = |slot: &SlotFact| {
            let who = self.practitioners.iter().find(|it| it.id == slot.practitioner);
            let service = self.services.iter().find(|it| Some(it.id) == wanted.service);
            slot.start >= self.now
                && self.is_free(slot.id)
                && wanted.practitioner.is_none_or(|id| id == slot.practitioner)
                && wanted.specialty.as_ref().is_none_or(|it| who.is_some_and(|who| who.specialties.contains(it)))
                && service.is_none_or(|it| it.practitioners.contains(&slot.practitioner))
                // The hub is lent the first time of each hour.
                && (!wanted.lent || slot.start.to_zoned(Self::zone()).minute() == 0)
        };
        self.times(date).into_iter().filter(fits).collect()
    }

    pub fn look(&self, look: Look, writer: &Writer) -> Answer {
        match look {
            Look::Days(wanted) => {
                let mut days = Vec::new();
                let mut date = wanted.from;
                while date < wanted.to && days.len() < DAYS_MAX {
                    let free = self.free(&wanted, date).len();
                    if free > 0 {
                        days.push(FreeDay { date, free });
                    }
                    date = date.tomorrow().expect("a day");
                }
                Answer::Days(days)
            }
            Look::Slots(wanted) => Answer::Slots(self.free(&wanted, wanted.from)),
            Look::Appointments { patient } => Answer::Appointments(
                self.appointments
                    .values()
                    .map(|(_, it)| *it)
                    .filter(|it| it.patient == patient)
                    .collect(),
            ),
            Look::Appointment { appointment } => Answer::Appointments(
                self.is_of(appointment, writer).map(|(_, it)| it).into_iter().collect(),
            ),
            Look::Queue { patient } => Answer::Queue(
                self.in_queue
                    .iter()
                    .filter(|(who, _)| *who == patient)
                    .map(|(_, it)| it.clone())
                    .collect(),
            ),
            Look::Faq { words, language } => Answer::Faq(faq(&words, &language)),
            Look::Instructions { service: _, language: _ } => {
                Answer::Instructions(Some("Please come without breakfast.".to_owned()))
            }
            Look::Qr { appointment } => Answer::Qr(code(appointment)),
        }
    }

    pub fn act(&mut self, act: Act, writer: &mut Writer) -> Answer {
        match act {
            Act::Book { patient, slot, service } => self.book(patient, slot, service),
            Act::Move { appointment, slot } => {
                let Some((_, fact)) = self.is_of(appointment, writer) else {
                    return refused(Code::SeeTheDesk);
                };
                if !self.is_free(slot) {
                    return self.taken(slot);
                }
                let fact =
                    AppointmentFact { practitioner: self.whose(slot), start: slot.start(), ..fact };
                self.appointments.insert(appointment, (slot, fact));
                Answer::Moved { appointment: fact, qr: Some(code(appointment)) }
            }
            Act::Cancel { appointment } => match self.is_of(appointment, writer) {
                Some(_) => {
                    self.appointments.remove(&appointment);
                    Answer::Cancelled
                }
                None => refused(Code::SeeTheDesk),
            },
            Act::Confirm { appointment } => match self.is_of(appointment, writer) {
                Some((_, fact)) => {
                    self.confirmed.push(appointment);
                    Answer::Confirmed(fact)
                }
                None => refused(Code::SeeTheDesk),
            },
            Act::CheckIn { qr } => {
                let found = self.appointments.iter().find(|(id, _)| code(**id) == qr);
                let Some((_, (_, fact))) = found else { return refused(Code::SeeTheDesk) };
                let place = PlaceFact {
                    token: "A7".to_owned(),
                    practitioner: Some(fact.practitioner),
                    called: false,
                    ahead: 2,
                    minutes: Some(30),
                };
                self.in_queue.push((fact.patient, place.clone()));
                Answer::CheckedIn(place)
            }
            Act::Register { name, birth, phone } => {
                let phone = phone.or(writer.phone.clone());
                let known = self.patients.iter().any(|(at, person)| {
                    *at != writer.phone && person.name == name && person.birth == Some(birth)
                });
                if known {
                    return refused(Code::LikelyDuplicate(Vec::new()));
                }
                let number = phone.map(|it| it.to_string()).unwrap_or_default();
                let person = self.add_patient(&number, &name, &birth.to_string());
                writer.identified.push(person.id);
                Answer::Registered(person)
            }
            Act::Identify { phone, birth } => {
                let fits = |at: &Option<Phone>, person: &Person| {
                    at.as_ref() == Some(&phone) && person.birth == Some(birth)
                };
                let found: Vec<Person> = self
                    .patients
                    .iter()
                    .filter(|(at, it)| fits(at, it))
                    .map(|(_, it)| it.clone())
                    .collect();
                writer.identified.extend(found.iter().map(|person| person.id));
                Answer::Identified(found)
            }
            Act::JoinWaitlist {
                patient,
                practitioner: _,
                specialty: _,
                service: _,
                from: _,
                to: _,
            } => {
                self.waitlist.push(patient);
                Answer::Waitlisted
            }
            Act::DeclineOffer { slot: _ } => Answer::OfferDeclined,
            Act::Stop => {
                self.stopped.push(writer.address.clone());
                Answer::Stopped
            }
            Act::Allow => {
                self.stopped.retain(|it| *it != writer.address);
                Answer::Allowed
            }
            Act::HandOver(_) => Answer::HandedOver,
            Act::Ticket(_) => Answer::Ticketed,
        }
    }

    pub fn book(
        &mut self,
        patient: PatientId,
        slot: SlotId,
        service: Option<HealthcareServiceId>,
    ) -> Answer {
        if !self.is_free(slot) {
            return self.taken(slot);
        }
        let has = |it: &AppointmentFact| it.patient == patient && it.start == slot.start();
        if let Some((id, _)) = self.appointments.iter().find(|(_, (_, it))| has(it)) {
            return refused(Code::PatientDoubleBooked(*id));
        }
        self.made += 1;
        let id = AppointmentId::from_bytes([self.made; 16]);
        let practitioner = self.whose(slot);
        let fact = AppointmentFact { id, patient, practitioner, service, start: slot.start() };
        self.appointments.insert(id, (slot, fact));
        Answer::Booked { appointment: fact, qr: Some(code(id)) }
    }

    fn taken(&self, slot: SlotId) -> Answer {
        let date = slot.start().to_zoned(Self::zone()).date();
        let who = self.whose(slot);
        let near =
            self.times(date).into_iter().filter(|it| it.practitioner == who && self.is_free(it.id));
        Answer::Refused { code: Code::SlotTaken(slot), alternatives: near.take(3).collect() }
    }

    fn whose(&self, slot: SlotId) -> PractitionerId {
        let at = usize::from(slot.schedule.as_bytes()[0] - 41);
        self.practitioners[SESSIONS[at].practitioner].id
    }

    /// The slot of a practitioner, by a part of the name, at a local time.
    pub fn slot(&self, practitioner: &str, at: &str) -> SlotId {
        let at: DateTime = at.parse().expect("a local time");
        let who =
            self.practitioners.iter().find(|it| it.name.contains(practitioner)).expect("known");
        let instant = at.to_zoned(Self::zone()).expect("a time").timestamp();
        let times = self.times(at.date());
        let found = times.iter().find(|it| it.practitioner == who.id && it.start == instant);
        found.expect("a time of the diary").id
    }

    pub fn person(&self, name: &str) -> Person {
        let found = self.patients.iter().find(|(_, it)| it.name == name);
        found.map(|(_, it)| it.clone()).expect("on record")
    }

    pub fn name(&self, id: PatientId) -> String {
        let found = self.patients.iter().find(|(_, it)| it.id == id);
        found.map(|(_, it)| it.name.clone()).unwrap_or_default()
    }

    /// A slot in words.
    pub fn slot_words(&self, slot: SlotId) -> String {
        let who = self.practitioners.iter().find(|it| it.id == self.whose(slot));
        let at = slot.start().to_zoned(Self::zone());
        format!("{}, {}", who.map_or("?", |it| &it.name), at.strftime("%Y-%m-%d %H:%M"))
    }
}

fn refused(code: Code) -> Answer {
    Answer::Refused { code, alternatives: Vec::new() }
}

/// The code of an appointment; here it is signed by nobody. Any word may stand in one by chance: nobody says it.
pub fn code(id: AppointmentId) -> String {
    let made = id.as_bytes()[0];
    let words = "STOP MUJHE KAL SUBAH CHEST PAIN ".repeat(qr::TEXT_LENGTH);
    format!("{}{made:0>3} {words}", qr::PREFIX).chars().take(qr::TEXT_LENGTH).collect()
}

/// The clinic's answers, found as a clinic finds them.
fn faq(words: &str, language: &str) -> Option<String> {
    let all = FAQS.map(|(of, questions, answer)| (of, questions.map(str::to_owned), answer));
    let asked: Vec<(&str, &[String])> = all.iter().map(|(of, it, _)| (*of, &it[..])).collect();
    let found = prm::faq::among(&asked, words, language)?;
    Some(FAQS[found].2.to_owned())
}

/// The language, the question in its wordings, the answer.
const FAQS: [(&str, [&str; 3], &str); 4] = [
    (
        "en",
        ["Is there parking?", "Where can I find parking?", "Where can I park?"],
        "Parking is free behind the clinic.",
    ),
    ("hi", ["पार्किंग कहाँ है?", "क्या पार्किंग है?", "गाड़ी कहाँ खड़ी करें?"], "क्लिनिक के पीछे पार्किंग मुफ़्त है।"),
    (
        "en",
        ["What is the fee?", "How much is a consultation?", "Charges"],
        "A consultation costs 500 rupees.",
    ),
    ("hi", ["फ़ीस कितनी है?", "परामर्श कितने का है?", "fees kitni hai"], "परामर्श की फ़ीस 500 रुपये है।"),
];
