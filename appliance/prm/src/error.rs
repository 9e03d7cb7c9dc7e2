//! What a verb answers when it does not do what was asked: one error for all nouns.

use crate::id::{AppointmentId, Noun, PatientId, SlotId};

/// The result of a verb or a query.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a verb or a query gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such resource.
    #[error("{} not found", .0.as_str())]
    NotFound(Noun),
    /// The rules say no; an answer, not a fault.
    #[error("{}", .0.detail)]
    Refused(Refusal),
    /// The resource is not at the version that the caller has seen.
    #[error("the record was changed by somebody else; it is now version {now}")]
    Stale {
        /// The version that the resource is at.
        now: i64,
    },
    /// The caller is not signed in, or no longer.
    #[error("sign in first")]
    Unknown,
    /// The caller may not do this.
    #[error("your role may not do this")]
    Forbidden,
    /// Too much is waiting; the same request may be sent again a second later.
    #[error("the box is busy; try again in a second")]
    Busy,
    /// There is no room on the disk; nothing was written.
    #[error("the disk is full; nothing was written")]
    Full,
    /// The database failed.
    #[error("storage: {0}")]
    Storage(String),
}

/// The rules say no: a stable code, and a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which rule.
    pub code: Code,
    /// What is wrong and what to do, in English, without personal data.
    pub detail: String,
    /// The field that is wrong, where one is.
    pub field: Option<&'static str>,
}

/// The rules by name. The words are stable: programs act on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// A field does not hold what it should.
    Invalid,
    /// Somebody else has this slot.
    SlotTaken(SlotId),
    /// The slot is lent to the hub, for booking online.
    SlotLent(SlotId),
    /// The box was restored, and does not know yet whether the hub sold this slot.
    SlotUnlearned(SlotId),
    /// The hub may still be selling; wait as many seconds.
    LoanNotOver(u64),
    /// The slot is not lent, or not any more.
    NotLent,
    /// The schedule does not offer this slot (any more), or it is over.
    SlotUnavailable,
    /// The practitioner's session has as many patients as it may.
    SessionFull(SlotId),
    /// A room or a piece of equipment that is needed is taken.
    LocationTaken(SlotId),
    /// The patient has another appointment at this time.
    PatientDoubleBooked(AppointmentId),
    /// The status does not allow this step.
    IllegalStep,
    /// The hold is over.
    HoldExpired,
    /// Very likely the same person is on record already.
    LikelyDuplicate(Vec<PatientId>),
    /// An identifier belongs to somebody else.
    IdentifierTaken(PatientId),
    /// The record was merged into another or is not active.
    Inactive,
    /// Nothing fits what was shown; deliberately the same for "unknown" and "mismatch".
    SeeTheDesk,
    /// More than one appointment fits: the person must choose.
    ChoosePerson(Vec<AppointmentId>),
    /// Nobody is waiting.
    QueueEmpty,
    /// A name that must be unique is used already.
    NameTaken,
    /// The code is wrong or too old.
    WrongCode,
    /// User name and password do not fit.
    WrongSignin,
    /// Too many tries; wait as many seconds.
    TooManyTries(u32),
    /// As many as the box keeps at once are there already.
    TooMany,
    /// The key was used for another request.
    IdempotencyReused,
    /// The last administrator cannot be taken away.
    LastAdmin,
}

impl Code {
    /// The stable word of the code.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::SlotTaken(_) => "slot_taken",
            Self::SlotLent(_) => "slot_lent",
            Self::SlotUnlearned(_) => "slot_unlearned",
            Self::LoanNotOver(_) => "loan_not_over",
            Self::NotLent => "not_lent",
            Self::SlotUnavailable => "slot_unavailable",
            Self::SessionFull(_) => "session_full",
            Self::LocationTaken(_) => "location_taken",
            Self::PatientDoubleBooked(_) => "patient_double_booked",
            Self::IllegalStep => "illegal_step",
            Self::HoldExpired => "hold_expired",
            Self::LikelyDuplicate(_) => "likely_duplicate",
            Self::IdentifierTaken(_) => "identifier_taken",
            Self::Inactive => "inactive",
            Self::SeeTheDesk => "see_the_desk",
            Self::ChoosePerson(_) => "choose_person",
            Self::QueueEmpty => "queue_empty",
            Self::NameTaken => "name_taken",
            Self::WrongCode => "wrong_code",
            Self::WrongSignin => "wrong_signin",
            Self::TooManyTries(_) => "too_many_tries",
            Self::TooMany => "too_many",
            Self::IdempotencyReused => "idempotency_reused",
            Self::LastAdmin => "last_admin",
        }
    }
}

impl Refusal {
    /// A refusal with a sentence.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), field: None }
    }

    /// The refusal of one field of a request.
    pub fn invalid(field: &'static str, detail: impl Into<String>) -> Self {
        Self { code: Code::Invalid, detail: detail.into(), field: Some(field) }
    }
}

impl Refusal {
    /// The refusal as an error.
    pub fn into_error(self) -> Error {
        Error::Refused(self)
    }
}

impl Error {
    /// A refusal as an error.
    pub fn refused(code: Code, detail: impl Into<String>) -> Self {
        Self::Refused(Refusal::new(code, detail))
    }

    /// One field of a request is wrong.
    pub fn invalid(field: &'static str, detail: impl Into<String>) -> Self {
        Self::Refused(Refusal::invalid(field, detail))
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                Self::Busy
            }
            // A query that ran over its time is interrupted; the asker may try a narrower one.
            Some(rusqlite::ErrorCode::OperationInterrupted) => Self::Busy,
            Some(_) | None => Self::Storage(error.to_string()),
        }
    }
}
