//! The stamp that every verb gets: who does it, through which channel, and when; and what each role may do.

use jiff::Timestamp;

use crate::error::{Error, Result};
use crate::id::{DeviceId, Noun, StaffId, TokenId};
use crate::medium::Medium;

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A member of staff.
    Staff(StaffId),
    /// A paired kiosk or board.
    Device(DeviceId),
    /// A program with a token.
    Token(TokenId),
    /// The box itself or somebody at its command line.
    Box,
    /// Somebody who has shown nothing yet.
    Nobody,
}

impl Actor {
    /// The word for this kind of actor in the audit.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Staff(_) => "staff",
            Self::Device(_) => "device",
            Self::Token(_) => "token",
            Self::Box => "box",
            Self::Nobody => "nobody",
        }
    }

    /// The sixteen bytes of the actor's id, where it has one.
    pub fn id_bytes(&self) -> Option<&[u8; 16]> {
        match self {
            Self::Staff(id) => Some(id.as_bytes()),
            Self::Device(id) => Some(id.as_bytes()),
            Self::Token(id) => Some(id.as_bytes()),
            Self::Box | Self::Nobody => None,
        }
    }
}

/// The channel by which a request reached the box, for the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is the channel it says")]
pub enum Channel {
    Desk,
    Kiosk,
    Api,
    CommandLine,
    Hub,
    Whatsapp,
    Sms,
    Voice,
    VoiceAgent,
    Email,
}

impl Channel {
    /// The word for it in the audit.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::Kiosk => "kiosk",
            Self::Api => "api",
            Self::CommandLine => "command-line",
            Self::Hub => "hub",
            Self::Whatsapp => "whatsapp",
            Self::Sms => "sms",
            Self::Voice => "voice",
            Self::VoiceAgent => "voice-agent",
            Self::Email => "email",
        }
    }
}

/// What somebody is here. The words are those of tokens and staff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Runs the clinic's box: may do everything.
    Admin,
    /// The front desk.
    Clerk,
    /// Sees patients.
    Practitioner,
    /// A kiosk or a board in the waiting room.
    Kiosk,
    /// Reads the audit, nothing else.
    Auditor,
    /// A program of another vendor: patients, diary and appointments.
    Integrator,
    /// The cloud's end of the sync.
    Hub,
    /// What the box itself does in a conversation with a patient. It is never given to anybody.
    Reception,
    /// Not signed in.
    Nobody,
}

impl Role {
    /// Every role that can be given.
    pub const ALL: [Self; 7] = [
        Self::Admin,
        Self::Clerk,
        Self::Practitioner,
        Self::Kiosk,
        Self::Auditor,
        Self::Integrator,
        Self::Hub,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Clerk => "clerk",
            Self::Practitioner => "practitioner",
            Self::Kiosk => "kiosk",
            Self::Auditor => "auditor",
            Self::Integrator => "integrator",
            Self::Hub => "hub",
            Self::Reception => "reception",
            Self::Nobody => "nobody",
        }
    }

    /// The role of that word.
    pub fn parse(word: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word).ok_or_else(|| {
            let words: Vec<_> = Self::ALL.iter().map(|role| role.as_str()).collect();
            Error::invalid("role", format!("the role is one of {}", words.join(", ")))
        })
    }
}

/// Something that may be done; verbs and queries ask for one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Find and read patients.
    ReadPatients,
    /// Register and edit patients.
    WritePatients,
    /// Merge two records of one person, and undo it.
    MergePatients,
    /// Read practitioners, rooms, services, schedules, slots.
    ReadDiary,
    /// Change sessions, leave and closed days, practitioners, rooms and services.
    WriteDiary,
    /// Read appointments.
    ReadAppointments,
    /// Book, hold, move, cancel, confirm.
    Book,
    /// Book over a taken slot, with a reason.
    Overbook,
    /// Say how a visit went: arrived, no-show, complete.
    Attend,
    /// Check in somebody who stands before the screen.
    CheckIn,
    /// Read the queue, with names.
    ReadQueue,
    /// Call, skip, finish, prioritise.
    RunQueue,
    /// Read the board: tokens and rooms, no names.
    ReadBoard,
    /// Pair and revoke kiosks and boards.
    ManageDevices,
    /// Add, change and disable staff.
    ManageStaff,
    /// Read the audit.
    ReadAudit,
    /// Read what other systems know about patients.
    ReadChart,
    /// Write what other systems know about patients.
    WriteChart,
    /// Take along all records that one may read, at once.
    Export,
    /// Decide about what the hub asks for and what was edited there.
    AnswerRequests,
    /// Read and lead conversations with patients, and what is to be done after them.
    Converse,
    /// Read the clinic's own wording: templates, frequent questions, rules of reminders.
    ReadWording,
    /// Change it.
    WriteWording,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 23] = [
        Self::ReadPatients,
        Self::WritePatients,
        Self::MergePatients,
        Self::ReadDiary,
        Self::WriteDiary,
        Self::ReadAppointments,
        Self::Book,
        Self::Overbook,
        Self::Attend,
        Self::CheckIn,
        Self::ReadQueue,
        Self::RunQueue,
        Self::ReadBoard,
        Self::ManageDevices,
        Self::ManageStaff,
        Self::ReadAudit,
        Self::ReadChart,
        Self::WriteChart,
        Self::Export,
        Self::AnswerRequests,
        Self::Converse,
        Self::ReadWording,
        Self::WriteWording,
    ];

    /// The right to read a record of this kind.
    pub fn to_read(noun: Noun) -> Self {
        match noun {
            Noun::Patient => Self::ReadPatients,
            Noun::Merge => Self::MergePatients,
            Noun::Request | Noun::Conflict => Self::AnswerRequests,
            Noun::Conversation
            | Noun::Message
            | Noun::Media
            | Noun::Call
            | Noun::Ticket
            | Noun::Reminder => Self::Converse,
            Noun::Waitlist => Self::ReadAppointments,
            Noun::Faq
            | Noun::Template
            | Noun::CannedAnswer
            | Noun::PatientInstruction
            | Noun::ReminderRule => Self::ReadWording,
            Noun::Clinic
            | Noun::Practitioner
            | Noun::Location
            | Noun::HealthcareService
            | Noun::Schedule
            | Noun::Leave
            | Noun::ClosedDay
            | Noun::Slot
            | Noun::Loan => Self::ReadDiary,
            Noun::Appointment => Self::ReadAppointments,
            Noun::QueueEntry => Self::ReadQueue,
            Noun::Chart => Self::ReadChart,
            Noun::Device => Self::ManageDevices,
            Noun::Staff | Noun::Session | Noun::Token => Self::ManageStaff,
            Noun::Audit => Self::ReadAudit,
        }
    }

    /// The right to write a record of this kind, where there is one for all its verbs.
    pub fn to_write(noun: Noun) -> Self {
        match noun {
            Noun::Patient => Self::WritePatients,
            Noun::Merge => Self::MergePatients,
            Noun::Request | Noun::Conflict => Self::AnswerRequests,
            Noun::Conversation
            | Noun::Message
            | Noun::Media
            | Noun::Call
            | Noun::Ticket
            | Noun::Reminder => Self::Converse,
            Noun::Waitlist => Self::Book,
            Noun::Faq
            | Noun::Template
            | Noun::CannedAnswer
            | Noun::PatientInstruction
            | Noun::ReminderRule => Self::WriteWording,
            Noun::Clinic
            | Noun::Practitioner
            | Noun::Location
            | Noun::HealthcareService
            | Noun::Schedule
            | Noun::Leave
            | Noun::ClosedDay
            | Noun::Slot
            | Noun::Loan => Self::WriteDiary,
            Noun::Appointment => Self::Book,
            Noun::QueueEntry => Self::RunQueue,
            Noun::Chart => Self::WriteChart,
            Noun::Device => Self::ManageDevices,
            Noun::Staff | Noun::Session | Noun::Token | Noun::Audit => Self::ManageStaff,
        }
    }
}

/// Whether a role has a right. What is not named is denied.
pub fn allows(role: Role, right: Right) -> bool {
    match role {
        Role::Admin => true,
        Role::Clerk => match right {
            Right::ReadPatients
            | Right::WritePatients
            | Right::MergePatients
            | Right::ReadDiary
            | Right::WriteDiary
            | Right::ReadAppointments
            | Right::Book
            | Right::Overbook
            | Right::Attend
            | Right::CheckIn
            | Right::ReadQueue
            | Right::RunQueue
            | Right::ReadBoard
            | Right::ManageDevices
            | Right::AnswerRequests
            | Right::Converse
            | Right::ReadWording
            | Right::WriteWording => true,
            Right::ManageStaff
            | Right::ReadAudit
            | Right::ReadChart
            | Right::WriteChart
            | Right::Export => false,
        },
        Role::Practitioner => matches!(
            right,
            Right::ReadPatients
                | Right::ReadDiary
                | Right::ReadAppointments
                | Right::Attend
                | Right::ReadQueue
                | Right::RunQueue
                | Right::ReadBoard
                | Right::ReadChart
        ),
        Role::Kiosk => matches!(right, Right::CheckIn | Right::ReadBoard),
        Role::Auditor => matches!(right, Right::ReadAudit),
        Role::Integrator => matches!(
            right,
            Right::ReadPatients
                | Right::WritePatients
                | Right::ReadDiary
                | Right::WriteDiary
                | Right::ReadAppointments
                | Right::Book
                | Right::ReadQueue
                | Right::ReadChart
                | Right::WriteChart
                | Right::Export
        ),
        // What is done at the hub is done through the box's door for other systems.
        Role::Hub => matches!(
            right,
            Right::ReadPatients
                | Right::WritePatients
                | Right::ReadDiary
                | Right::ReadAppointments
                | Right::Book
                | Right::ReadChart
                | Right::WriteChart
        ),
        // No more than a patient may want, whatever is written in a message.
        Role::Reception => matches!(
            right,
            Right::ReadPatients
                | Right::WritePatients
                | Right::ReadDiary
                | Right::ReadAppointments
                | Right::Book
                | Right::CheckIn
                | Right::ReadQueue
                | Right::Converse
                | Right::ReadWording
        ),
        Role::Nobody => false,
    }
}

/// Who does it, through which channel, and when: the second argument of every verb.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// Who.
    pub actor: Actor,
    /// With which rights.
    pub role: Role,
    /// Through which channel.
    pub channel: Channel,
    /// When.
    pub now: Timestamp,
}

impl Stamp {
    /// The stamp of the box itself: a command line, a follower, the demonstration.
    pub fn of_box(now: Timestamp) -> Self {
        Self { actor: Actor::Box, role: Role::Admin, channel: Channel::CommandLine, now }
    }

    /// The stamp of what the hub asks for in somebody's name.
    pub fn of_hub(now: Timestamp) -> Self {
        Self { actor: Actor::Box, role: Role::Hub, channel: Channel::Hub, now }
    }

    /// The stamp of what the box does because of what a patient said.
    pub fn of_reception(now: Timestamp, medium: Medium) -> Self {
        let channel = match medium {
            Medium::Whatsapp => Channel::Whatsapp,
            Medium::Sms => Channel::Sms,
            Medium::Voice => Channel::Voice,
            Medium::VoiceAgent => Channel::VoiceAgent,
            Medium::Email => Channel::Email,
        };
        Self { actor: Actor::Box, role: Role::Reception, channel, now }
    }

    /// The stamp of the box that does what the hub sold: a slot of its own, which it had lent.
    pub fn of_sale(now: Timestamp) -> Self {
        Self { channel: Channel::Hub, ..Self::of_box(now) }
    }

    /// Whether the actor has a right.
    pub fn may(&self, right: Right) -> bool {
        allows(self.role, right)
    }

    /// Refuses unless the actor has the right: *unknown* to somebody who has not signed in,
    /// *forbidden* to everybody else.
    pub fn needs(&self, right: Right) -> Result<()> {
        if self.may(right) {
            Ok(())
        } else if self.role == Role::Nobody {
            Err(Error::Unknown)
        } else {
            Err(Error::Forbidden)
        }
    }
}
