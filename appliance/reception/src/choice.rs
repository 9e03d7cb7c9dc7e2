//! What can be chosen: the id of a choice, and what it means when it comes back.

use std::fmt;

use jiff::civil::Date;
use prm::content::{CHOICE_ID_BYTES_MAX, Choice};
use prm::id::{AppointmentId, HealthcareServiceId, PatientId, PractitionerId, SlotId};

use crate::facts::Wording;
use crate::intent::Intent;
use crate::sentence::Sentence;
use crate::understand::PartOfDay;
use crate::words::Words;

/// What a choice means. Ids come from outside and may be of any age: whatever one names is looked up anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pick {
    /// To the question of that number.
    Yes(u32),
    /// To the question of that number.
    No(u32),
    Want(Intent),
    Practitioner(PractitionerId),
    AnyPractitioner,
    OtherPractitioner,
    Specialty(String),
    Service(HealthcareServiceId),
    Day(Date),
    OtherDay,
    OtherTime,
    Part(PartOfDay),
    Slot(SlotId),
    More,
    Patient(PatientId),
    SomebodyNew,
    Appointment(AppointmentId),
    /// From a reminder: this one will be kept.
    Confirm(AppointmentId),
    /// From a reminder: this one is to be moved.
    Move(AppointmentId),
    /// From a reminder: this one is to be called off.
    Cancel(AppointmentId),
    /// From an offer: this time is taken.
    Take(Offered),
    /// From an offer: this time is not wanted.
    Pass(SlotId),
    Language(String),
}

/// What an offer offers: which time, with whom, for whom and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offered {
    pub(crate) slot: SlotId,
    pub(crate) practitioner: PractitionerId,
    pub(crate) patient: PatientId,
    pub(crate) service: Option<HealthcareServiceId>,
}

impl Offered {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let mut part = || parts.next().filter(|it| !it.is_empty());
        let (slot, practitioner) = (part()?.parse().ok()?, part()?.parse().ok()?);
        let (patient, service) = (part()?.parse().ok()?, part());
        let service = service.map(str::parse).transpose().ok()?;
        Some(Self { slot, practitioner, patient, service })
    }
}

impl fmt::Display for Offered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, practitioner, patient, service } = self;
        write!(f, "{slot}:{practitioner}:{patient}")?;
        service.map_or(Ok(()), |service| write!(f, ":{service}"))
    }
}

impl fmt::Display for Pick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes(serial) => write!(f, "yes:{serial}"),
            Self::No(serial) => write!(f, "no:{serial}"),
            Self::Want(intent) => write!(f, "want:{}", intent.as_str()),
            Self::Practitioner(id) => write!(f, "practitioner:{id}"),
            Self::AnyPractitioner => f.write_str("any-practitioner"),
            Self::OtherPractitioner => f.write_str("other-practitioner"),
            Self::Specialty(specialty) => write!(f, "specialty:{specialty}"),
            Self::Service(id) => write!(f, "service:{id}"),
            Self::Day(date) => write!(f, "day:{date}"),
            Self::OtherDay => f.write_str("other-day"),
            Self::OtherTime => f.write_str("other-time"),
            Self::Part(part) => write!(f, "part:{}", part_word(*part)),
            Self::Slot(id) => write!(f, "slot:{id}"),
            Self::More => f.write_str("more"),
            Self::Patient(id) => write!(f, "patient:{id}"),
            Self::SomebodyNew => f.write_str("somebody-new"),
            Self::Appointment(id) => write!(f, "appointment:{id}"),
            Self::Confirm(id) => write!(f, "confirm:{id}"),
            Self::Move(id) => write!(f, "move:{id}"),
            Self::Cancel(id) => write!(f, "cancel:{id}"),
            Self::Take(offered) => write!(f, "take:{offered}"),
            Self::Pass(slot) => write!(f, "pass:{slot}"),
            Self::Language(tag) => write!(f, "language:{tag}"),
        }
    }
}

impl Pick {
    /// Whether it stands below what was found, and asks for something else.
    pub(crate) fn leads_on(&self) -> bool {
        match self {
            Self::AnyPractitioner
            | Self::OtherPractitioner
            | Self::OtherDay
            | Self::OtherTime
            | Self::More
            | Self::SomebodyNew => true,
            Self::Yes(_)
            | Self::No(_)
            | Self::Want(_)
            | Self::Practitioner(_)
            | Self::Specialty(_)
            | Self::Service(_)
            | Self::Day(_)
            | Self::Part(_)
            | Self::Slot(_)
            | Self::Patient(_)
            | Self::Appointment(_)
            | Self::Confirm(_)
            | Self::Move(_)
            | Self::Cancel(_)
            | Self::Take(_)
            | Self::Pass(_)
            | Self::Language(_) => false,
        }
    }

    /// What the id of a choice means; none if it is no id of ours.
    pub(crate) fn read(id: &str) -> Option<Self> {
        if id.len() > CHOICE_ID_BYTES_MAX {
            return None;
        }
        let (kind, of) = id.split_once(':').unwrap_or((id, ""));
        match kind {
            "yes" => Some(Self::Yes(of.parse().ok()?)),
            "no" => Some(Self::No(of.parse().ok()?)),
            "want" => Some(Self::Want(of.parse().ok()?)),
            "practitioner" => Some(Self::Practitioner(of.parse().ok()?)),
            "any-practitioner" => Some(Self::AnyPractitioner),
            "other-practitioner" => Some(Self::OtherPractitioner),
            "specialty" => Some(Self::Specialty(of.to_owned())),
            "service" => Some(Self::Service(of.parse().ok()?)),
            "day" => Some(Self::Day(of.parse().ok()?)),
            "other-day" => Some(Self::OtherDay),
            "other-time" => Some(Self::OtherTime),
            "part" => PARTS.into_iter().find(|part| part_word(*part) == of).map(Self::Part),
            "slot" => Some(Self::Slot(of.parse().ok()?)),
            "more" => Some(Self::More),
            "patient" => Some(Self::Patient(of.parse().ok()?)),
            "somebody-new" => Some(Self::SomebodyNew),
            "appointment" => Some(Self::Appointment(of.parse().ok()?)),
            "confirm" => Some(Self::Confirm(of.parse().ok()?)),
            "move" => Some(Self::Move(of.parse().ok()?)),
            "cancel" => Some(Self::Cancel(of.parse().ok()?)),
            "take" => Offered::read(of).map(Self::Take),
            "pass" => Some(Self::Pass(of.parse().ok()?)),
            "language" => Some(Self::Language(of.to_owned())),
            _ => None,
        }
    }
}

/// The parts of a day that are offered.
pub(crate) const PARTS: [PartOfDay; 4] =
    [PartOfDay::Morning, PartOfDay::Afternoon, PartOfDay::Evening, PartOfDay::Night];

fn part_word(part: PartOfDay) -> &'static str {
    match part {
        PartOfDay::Morning => "morning",
        PartOfDay::Afternoon => "afternoon",
        PartOfDay::Evening => "evening",
        PartOfDay::Night => "night",
    }
}

/// What is shown under a reminder: to come, to move, to call off. What comes back of it names the appointment.
/// `language` is a BCP 47 tag.
pub fn reminder_choices(
    appointment: AppointmentId,
    language: &str,
    wording: &Wording,
) -> Vec<Choice> {
    under_reminder(appointment, Words::in_one_of((Some(language), &[]), wording))
}

pub(crate) fn under_reminder(appointment: AppointmentId, words: Words<'_>) -> Vec<Choice> {
    let shown = [
        (Pick::Confirm(appointment), Sentence::WillCome),
        (Pick::Move(appointment), Sentence::MenuMove),
        (Pick::Cancel(appointment), Sentence::MenuCancel),
    ];
    let choices = shown.into_iter().map(|(pick, title)| Choice {
        id: pick.to_string(),
        title: words.plain(title),
        description: None,
    });
    choices.collect()
}
