//! What reception wants done, and what it hears back about it.

use jiff::Timestamp;
use jiff::civil::Date;
use prm::contact::{BirthDate, Phone};
use prm::content::Content;
use prm::error::Code;
use prm::id::{AppointmentId, HealthcareServiceId, PatientId, PractitionerId, SlotId};
use serde::{Deserialize, Serialize};

use crate::facts::{AppointmentFact, FreeDay, Person, PlaceFact, SlotFact};
use crate::intent::Intent;

/// Steps that one message brings about at the most: whoever drives the dialogue stops there.
pub const ROUNDS_MAX: usize = 8;
/// Days with free times that are told at the most.
pub const DAYS_MAX: usize = 8;
/// Free times of one day that are told at the most.
pub const SLOTS_MAX: usize = 200;
/// How far ahead free days are looked for, in days.
pub const AHEAD_DAYS: i32 = 30;

/// What follows from a step, in order. A [`Effect::Look`] or [`Effect::Do`] is always the last, and is answered by
/// exactly one [`Answer`].
pub enum Effect {
    /// Say this.
    Say(Content),
    /// Look this up.
    Look(Look),
    /// Do this.
    Do(Act),
    /// What was understood and why, for the desk.
    Note(Note),
}

/// What is to be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// The next days with free times, at most [`DAYS_MAX`]: [`Answer::Days`].
    Days(Wanted),
    /// The free times, by start, at most [`SLOTS_MAX`]: [`Answer::Slots`].
    Slots(Wanted),
    /// The appointments of a patient that stand and are not over, by start: [`Answer::Appointments`].
    Appointments {
        /// Whose.
        patient: PatientId,
    },
    /// One appointment that stands and is not over, if it is of somebody on this address:
    /// [`Answer::Appointments`].
    Appointment {
        /// Which.
        appointment: AppointmentId,
    },
    /// Where a patient is in today's queue: [`Answer::Queue`].
    Queue {
        /// Who.
        patient: PatientId,
    },
    /// The clinic's answer to a question that is often asked: [`Answer::Faq`].
    Faq {
        /// The question, in the words of whoever asked.
        words: String,
        /// In which language the answer is wanted (BCP 47).
        language: String,
    },
    /// What to know before coming: [`Answer::Instructions`].
    Instructions {
        /// For what.
        service: HealthcareServiceId,
        /// In which language (BCP 47).
        language: String,
    },
    /// The signed QR of an appointment: [`Answer::Qr`].
    Qr {
        /// Which.
        appointment: AppointmentId,
    },
}

/// Which free times are looked for: all of what is said holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// With this practitioner.
    pub practitioner: Option<PractitionerId>,
    /// With anybody of this speciality.
    pub specialty: Option<String>,
    /// Long enough for this.
    pub service: Option<HealthcareServiceId>,
    /// From the beginning of this local date, and not before now.
    pub from: Date,
    /// To before this local date.
    pub to: Date,
    /// Only times that are lent to the hub.
    pub lent: bool,
}

/// What is to be done. Each was agreed to by the person, or is the person's right without a question.
#[derive(Clone, PartialEq, Eq)]
pub enum Act {
    /// Book: [`Answer::Booked`].
    Book {
        /// Who comes.
        patient: PatientId,
        /// When, to whom.
        slot: SlotId,
        /// For what.
        service: Option<HealthcareServiceId>,
    },
    /// Move an appointment: [`Answer::Moved`].
    Move {
        /// Which; it is of somebody on this address, or refused.
        appointment: AppointmentId,
        /// To when.
        slot: SlotId,
    },
    /// Call an appointment off: [`Answer::Cancelled`].
    Cancel {
        /// Which; it is of somebody on this address, or refused.
        appointment: AppointmentId,
    },
    /// Note that the person will come: [`Answer::Confirmed`].
    Confirm {
        /// Which; it is of somebody on this address, or refused.
        appointment: AppointmentId,
    },
    /// Check in with the signed QR of an appointment: [`Answer::CheckedIn`].
    CheckIn {
        /// Its text, not verified.
        qr: String,
    },
    /// Register somebody who is not on record: [`Answer::Registered`].
    Register {
        /// The name.
        name: String,
        /// The birth.
        birth: BirthDate,
        /// The number, where the medium does not tell it.
        phone: Option<Phone>,
    },
    /// Find who is on record with this number and birth, and join this address to them: [`Answer::Identified`].
    Identify {
        /// The number.
        phone: Phone,
        /// The birth.
        birth: BirthDate,
    },
    /// Put somebody on the waiting list: [`Answer::Waitlisted`].
    JoinWaitlist {
        /// Who.
        patient: PatientId,
        /// With this practitioner.
        practitioner: Option<PractitionerId>,
        /// With anybody of this speciality.
        specialty: Option<String>,
        /// For what.
        service: Option<HealthcareServiceId>,
        /// From this local date.
        from: Date,
        /// To before this local date.
        to: Date,
    },
    /// Note that a time that was offered to somebody on this address is not wanted: [`Answer::OfferDeclined`].
    DeclineOffer {
        /// Which.
        slot: SlotId,
    },
    /// Send nothing more that was not asked for: [`Answer::Stopped`].
    Stop,
    /// Take that back: [`Answer::Allowed`].
    Allow,
    /// Give the conversation to the desk: [`Answer::HandedOver`].
    HandOver(Why),
    /// Leave the desk something to do; the conversation stays here: [`Answer::Ticketed`].
    Ticket(Why),
}

impl Look {
    /// Whether it can be looked up without the clinic's own records.
    pub(crate) fn is_in_reach(&self) -> bool {
        match self {
            Self::Days(_) | Self::Slots(_) | Self::Faq { .. } | Self::Instructions { .. } => true,
            Self::Appointments { .. }
            | Self::Appointment { .. }
            | Self::Queue { .. }
            | Self::Qr { .. } => false,
        }
    }
}

impl Act {
    /// Whether it can be done without the clinic's own records, or waits for them.
    pub(crate) fn is_in_reach(&self) -> bool {
        match self {
            Self::Book { .. }
            | Self::Register { .. }
            | Self::Stop
            | Self::Allow
            | Self::HandOver(_)
            | Self::Ticket(_) => true,
            Self::Move { .. }
            | Self::Cancel { .. }
            | Self::Confirm { .. }
            | Self::CheckIn { .. }
            | Self::Identify { .. }
            | Self::JoinWaitlist { .. }
            | Self::DeclineOffer { .. } => false,
        }
    }
}

/// Why the desk is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The person wants to speak to a person.
    Asked,
    /// Words of an emergency were said.
    Emergency,
    /// What was said was not understood, several times.
    NotUnderstood,
    /// It was talked for long without coming to an end.
    TooLong,
    /// Who is speaking could not be proven.
    NotProven,
    /// What was agreed could not be done.
    NotDone,
    /// Only the clinic's own records can answer, and they are out of reach.
    Away,
    /// The clinic has no answer to a question.
    Question,
    /// Somebody will be late for a visit.
    Late,
}

impl Why {
    /// The stable word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Emergency => "emergency",
            Self::NotUnderstood => "not-understood",
            Self::TooLong => "too-long",
            Self::NotProven => "not-proven",
            Self::NotDone => "not-done",
            Self::Away => "away",
            Self::Question => "question",
            Self::Late => "late",
        }
    }
}

/// What was found or done.
pub enum Answer {
    /// Days with free times, by date.
    Days(Vec<FreeDay>),
    /// Free times, by start.
    Slots(Vec<SlotFact>),
    /// Appointments, by start.
    Appointments(Vec<AppointmentFact>),
    /// Places in the queue; several where somebody sees several people.
    Queue(Vec<PlaceFact>),
    /// The clinic's answer, if there is one.
    Faq(Option<String>),
    /// What to know before coming, if there is anything.
    Instructions(Option<String>),
    /// The signed QR.
    Qr(String),
    /// It is booked.
    Booked {
        /// What.
        appointment: AppointmentFact,
        /// Its signed QR, if one could be made.
        qr: Option<String>,
    },
    /// It is moved.
    Moved {
        /// As it is now.
        appointment: AppointmentFact,
        /// Its signed QR, if one could be made.
        qr: Option<String>,
    },
    /// It is called off.
    Cancelled,
    /// It is noted.
    Confirmed(AppointmentFact),
    /// They are in the queue.
    CheckedIn(PlaceFact),
    /// They are on record.
    Registered(Person),
    /// Those on record with that number and birth; nobody, if there is none.
    Identified(Vec<Person>),
    /// They are on the waiting list.
    Waitlisted,
    /// They wait on, and that time is not offered to them again.
    OfferDeclined,
    /// Nothing more is sent that was not asked for.
    Stopped,
    /// That is taken back.
    Allowed,
    /// The desk has the conversation.
    HandedOver,
    /// The desk has something to do.
    Ticketed,
    /// The rules say no, or it cannot be done just now.
    Refused {
        /// Which rule.
        code: Code,
        /// Where a time was wanted: free ones near it.
        alternatives: Vec<SlotFact>,
    },
}

/// What was understood and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What was wanted, if that was understood.
    pub intent: Option<Intent>,
    /// Whether that is a model's proposal, because the rules found nothing.
    pub proposed: bool,
    /// The flow that is open after it, by its word.
    pub flow: Option<&'static str>,
    /// Why the answer is what it is, as a stable word.
    pub why: &'static str,
    /// When.
    pub at: Timestamp,
}

/// Whether a refusal is about the time alone, so that another time may do.
pub(crate) fn is_about_time(code: &Code) -> bool {
    match code {
        Code::SlotTaken(_)
        | Code::SlotLent(_)
        | Code::SlotUnlearned(_)
        | Code::LoanNotOver(_)
        | Code::NotLent
        | Code::SlotUnavailable
        | Code::SessionFull(_)
        | Code::LocationTaken(_)
        | Code::HoldExpired => true,
        Code::Invalid
        | Code::PatientDoubleBooked(_)
        | Code::IllegalStep
        | Code::LikelyDuplicate(_)
        | Code::IdentifierTaken(_)
        | Code::Inactive
        | Code::SeeTheDesk
        | Code::ChoosePerson(_)
        | Code::QueueEmpty
        | Code::NameTaken
        | Code::WrongCode
        | Code::WrongSignin
        | Code::TooManyTries(_)
        | Code::TooMany
        | Code::IdempotencyReused
        | Code::LastAdmin => false,
    }
}
