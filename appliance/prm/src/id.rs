//! The nouns of the clinic and an id type for each, so that one can never be taken for another.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A kind of resource, as it is called in the change log, in the audit and in URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each variant is the noun it says")]
pub enum Noun {
    Clinic,
    Patient,
    Practitioner,
    Location,
    HealthcareService,
    Schedule,
    Leave,
    ClosedDay,
    Slot,
    Loan,
    Appointment,
    QueueEntry,
    Chart,
    Staff,
    Session,
    Token,
    Device,
    Audit,
    Merge,
    Request,
    Conflict,
    Conversation,
    Message,
    Media,
    Call,
    Ticket,
    Waitlist,
    Faq,
    Template,
    CannedAnswer,
    PatientInstruction,
    ReminderRule,
    Reminder,
}

impl Noun {
    /// The word for it in the log and on the wire, for example `healthcare_service`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clinic => "clinic",
            Self::Patient => "patient",
            Self::Practitioner => "practitioner",
            Self::Location => "location",
            Self::HealthcareService => "healthcare_service",
            Self::Schedule => "schedule",
            Self::Leave => "leave",
            Self::ClosedDay => "closed_day",
            Self::Slot => "slot",
            Self::Loan => "loan",
            Self::Appointment => "appointment",
            Self::QueueEntry => "queue",
            Self::Chart => "chart",
            Self::Staff => "staff",
            Self::Session => "session",
            Self::Token => "token",
            Self::Device => "device",
            Self::Audit => "audit",
            Self::Merge => "merge",
            Self::Request => "request",
            Self::Conflict => "conflict",
            Self::Conversation => "conversation",
            Self::Message => "message",
            Self::Media => "media",
            Self::Call => "call",
            Self::Ticket => "ticket",
            Self::Waitlist => "waitlist",
            Self::Faq => "faq",
            Self::Template => "template",
            Self::CannedAnswer => "canned_answer",
            Self::PatientInstruction => "patient_instruction",
            Self::ReminderRule => "reminder_rule",
            Self::Reminder => "reminder",
        }
    }
}

impl Noun {
    /// Whether the versions of such a record before the newest can be read.
    pub fn keeps_versions(self) -> bool {
        match self {
            Self::Patient
            | Self::Practitioner
            | Self::Location
            | Self::HealthcareService
            | Self::Schedule
            | Self::Appointment
            | Self::Chart => true,
            Self::Clinic
            | Self::Leave
            | Self::ClosedDay
            | Self::Slot
            | Self::Loan
            | Self::QueueEntry
            | Self::Staff
            | Self::Session
            | Self::Token
            | Self::Device
            | Self::Audit
            | Self::Merge
            | Self::Request
            | Self::Conflict
            | Self::Conversation
            | Self::Message
            | Self::Media
            | Self::Call
            | Self::Ticket
            | Self::Waitlist
            | Self::Faq
            | Self::Template
            | Self::CannedAnswer
            | Self::PatientInstruction
            | Self::ReminderRule
            | Self::Reminder => false,
        }
    }
}

/// The text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct NotAnId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id (UUIDv7, RFC 9562) made at `now`.
            pub fn new(now: Timestamp) -> Self {
                Self(v7(now))
            }

            /// The sixteen bytes, in network order.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The id with these sixteen bytes.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The id as a plain UUID.
            pub fn uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                Uuid::try_parse(text).map(Self).map_err(|_| NotAnId)
            }
        }

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0.as_bytes())))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let bytes = value.as_blob()?;
                Uuid::from_slice(bytes).map(Self).map_err(|error| FromSqlError::Other(Box::new(error)))
            }
        }
    )*};
}

ids! {
    /// A clinic.
    ClinicId,
    /// A change log.
    LogId,
    /// A patient.
    PatientId,
    /// A practitioner.
    PractitionerId,
    /// A room, a piece of equipment or a site.
    LocationId,
    /// A healthcare service.
    HealthcareServiceId,
    /// A weekly session.
    ScheduleId,
    /// An absence of a practitioner.
    LeaveId,
    /// A closed day.
    ClosedDayId,
    /// A slot that was lent to the hub.
    LoanId,
    /// An appointment.
    AppointmentId,
    /// A series of appointments.
    SeriesId,
    /// Somebody's place in the queue.
    QueueEntryId,
    /// A resource that is kept as another system gave it.
    ChartId,
    /// A member of staff.
    StaffId,
    /// A program's token.
    TokenId,
    /// A kiosk or a board.
    DeviceId,
    /// A merge of two patients.
    MergeId,
    /// Something that the hub asked for.
    RequestId,
    /// An element of a patient that was edited here and at the hub.
    ConflictId,
    /// What is spoken with one person, by whichever medium.
    ConversationId,
    /// A message of a conversation.
    MessageId,
    /// A try to bring a message to its address.
    DeliveryId,
    /// A picture, a voice note, a recording.
    MediaId,
    /// A telephone call.
    CallId,
    /// Something the desk has to do.
    TicketId,
    /// Somebody's wish for a time that is not free yet.
    WaitlistId,
    /// A question that is often asked, with the clinic's answer.
    FaqId,
    /// A sentence of the clinic's own wording.
    TemplateId,
    /// A text that the desk writes often.
    CannedAnswerId,
    /// What a patient is to know before coming.
    PatientInstructionId,
    /// When and how people are reminded of visits.
    ReminderRuleId,
}

/// A slot: a schedule and the start in minutes since 1970-01-01T00:00Z. It is computed,
/// never stored; the id stays the same as long as the schedule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId {
    /// The schedule that the slot belongs to.
    pub schedule: ScheduleId,
    /// The start, in minutes since 1970-01-01T00:00Z.
    pub start_minute: u32,
}

impl SlotId {
    /// The slot of a schedule that starts at `start`.
    pub fn new(schedule: ScheduleId, start: Timestamp) -> Self {
        let minute = u32::try_from(start.as_second().div_euclid(60)).unwrap_or(0);
        Self { schedule, start_minute: minute }
    }

    /// When the slot starts. The calendar ends in the year 9999, a u32 of minutes in 10136: what is
    /// later is clamped.
    pub fn start(&self) -> Timestamp {
        Timestamp::from_second(i64::from(self.start_minute) * 60).unwrap_or(Timestamp::MAX)
    }
}

impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schedule, self.start_minute)
    }
}

impl FromStr for SlotId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (schedule, minute) = text.split_once('.').ok_or(NotAnId)?;
        Ok(Self { schedule: schedule.parse()?, start_minute: minute.parse().map_err(|_| NotAnId)? })
    }
}

fn v7(now: Timestamp) -> Uuid {
    let random = Uuid::new_v4();
    let mut bytes = [0; 10];
    bytes.copy_from_slice(&random.as_bytes()[6..]);
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
}
