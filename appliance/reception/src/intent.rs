//! What somebody wants of reception.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What somebody wants. Words give one; a model may propose one; nothing is ever done on it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Intent {
    /// A visit is to be booked, or times are asked for.
    Book,
    /// A visit is to be moved to another time.
    Move,
    /// A visit is to be called off.
    Cancel,
    /// A visit that is booked will be kept.
    Confirm,
    /// A visit cannot be kept; whether it is to be moved or called off was not said.
    CannotCome,
    /// Somebody will be late for a visit.
    RunningLate,
    /// Which visits are booked, and when.
    MyAppointments,
    /// How many are before somebody in the queue, or how long it takes.
    WhereInQueue,
    /// Somebody has come, or sends a check-in code.
    CheckIn,
    /// What to bring, eat or do before a visit.
    Instructions,
    /// A question about the clinic: fees, hours, the way.
    Faq,
    /// To be told when something becomes free.
    JoinWaitlist,
    /// To speak to a human.
    Person,
    /// No more messages.
    Stop,
    /// Messages again, after a stop.
    Allow,
    /// To be answered in another language.
    ChangeLanguage,
    /// To forget what was said in this conversation and begin again.
    StartOver,
    /// To leave what is under way, without anything having been done.
    Leave,
    /// To be asked the question before the last one again.
    Back,
    /// To hear the last sentence again.
    Repeat,
    /// None of what was offered; other times, other choices.
    More,
    /// What can be done here.
    Help,
    /// A greeting and no more.
    Greeting,
    /// Thanks and no more.
    Thanks,
    /// A farewell and no more.
    Goodbye,
}

/// The word names no intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an intent")]
pub struct NotAnIntent;

impl Intent {
    /// All of them.
    pub const ALL: [Self; 25] = [
        Self::Book,
        Self::Move,
        Self::Cancel,
        Self::Confirm,
        Self::CannotCome,
        Self::RunningLate,
        Self::MyAppointments,
        Self::WhereInQueue,
        Self::CheckIn,
        Self::Instructions,
        Self::Faq,
        Self::JoinWaitlist,
        Self::Person,
        Self::Stop,
        Self::Allow,
        Self::ChangeLanguage,
        Self::StartOver,
        Self::Leave,
        Self::Back,
        Self::Repeat,
        Self::More,
        Self::Help,
        Self::Greeting,
        Self::Thanks,
        Self::Goodbye,
    ];

    /// The word for it, in the records and where a model proposes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::Move => "move",
            Self::Cancel => "cancel",
            Self::Confirm => "confirm",
            Self::CannotCome => "cannot-come",
            Self::RunningLate => "running-late",
            Self::MyAppointments => "my-appointments",
            Self::WhereInQueue => "where-in-queue",
            Self::CheckIn => "check-in",
            Self::Instructions => "instructions",
            Self::Faq => "faq",
            Self::JoinWaitlist => "join-waitlist",
            Self::Person => "person",
            Self::Stop => "stop",
            Self::Allow => "allow",
            Self::ChangeLanguage => "change-language",
            Self::StartOver => "start-over",
            Self::Leave => "leave",
            Self::Back => "back",
            Self::Repeat => "repeat",
            Self::More => "more",
            Self::Help => "help",
            Self::Greeting => "greeting",
            Self::Thanks => "thanks",
            Self::Goodbye => "goodbye",
        }
    }

    /// Whether it is a mere courtesy, which a request in the same message outweighs.
    pub fn is_courtesy(self) -> bool {
        match self {
            Self::Greeting | Self::Thanks | Self::Goodbye => true,
            Self::Book
            | Self::Move
            | Self::Cancel
            | Self::Confirm
            | Self::CannotCome
            | Self::RunningLate
            | Self::MyAppointments
            | Self::WhereInQueue
            | Self::CheckIn
            | Self::Instructions
            | Self::Faq
            | Self::JoinWaitlist
            | Self::Person
            | Self::Stop
            | Self::Allow
            | Self::ChangeLanguage
            | Self::StartOver
            | Self::Leave
            | Self::Back
            | Self::Repeat
            | Self::More
            | Self::Help => false,
        }
    }
}

/// What programs of others call what somebody wants, beside our own words; in small letters with hyphens.
const ALSO_CALLED: [(&str, Intent); 43] = [
    ("book-appointment", Intent::Book),
    ("booking", Intent::Book),
    ("new-appointment", Intent::Book),
    ("make-appointment", Intent::Book),
    ("schedule", Intent::Book),
    ("schedule-appointment", Intent::Book),
    ("appointment-booking", Intent::Book),
    ("check-availability", Intent::Book),
    ("reschedule", Intent::Move),
    ("reschedule-appointment", Intent::Move),
    ("move-appointment", Intent::Move),
    ("change-appointment", Intent::Move),
    ("cancel-appointment", Intent::Cancel),
    ("cancellation", Intent::Cancel),
    ("appointment-cancellation", Intent::Cancel),
    ("confirm-appointment", Intent::Confirm),
    ("appointment-confirmation", Intent::Confirm),
    ("cannot-attend", Intent::CannotCome),
    ("check-appointment", Intent::MyAppointments),
    ("appointment-status", Intent::MyAppointments),
    ("appointment-inquiry", Intent::MyAppointments),
    ("view-appointments", Intent::MyAppointments),
    ("queue-status", Intent::WhereInQueue),
    ("waiting-time", Intent::WhereInQueue),
    ("wait-time", Intent::WhereInQueue),
    ("visit-instructions", Intent::Instructions),
    ("pre-visit-instructions", Intent::Instructions),
    ("question", Intent::Faq),
    ("inquiry", Intent::Faq),
    ("enquiry", Intent::Faq),
    ("general-inquiry", Intent::Faq),
    ("general-enquiry", Intent::Faq),
    ("clinic-information", Intent::Faq),
    ("waitlist", Intent::JoinWaitlist),
    ("waiting-list", Intent::JoinWaitlist),
    ("human", Intent::Person),
    ("speak-to-human", Intent::Person),
    ("talk-to-human", Intent::Person),
    ("transfer", Intent::Person),
    ("transfer-to-human", Intent::Person),
    ("callback", Intent::Person),
    ("call-back", Intent::Person),
    ("request-callback", Intent::Person),
];

impl Intent {
    /// What a word of another program proposes, such as `book_appointment`; none if it is not known here.
    pub fn proposed_by(word: &str) -> Option<Self> {
        let separated = |it: char| if it == '_' || it.is_whitespace() { '-' } else { it };
        let word: String = word.trim().to_ascii_lowercase().chars().map(separated).collect();
        let also = || ALSO_CALLED.iter().find(|(called, _)| *called == word).map(|(_, it)| *it);
        word.parse().ok().or_else(also)
    }
}

impl FromStr for Intent {
    type Err = NotAnIntent;

    fn from_str(word: &str) -> Result<Self, NotAnIntent> {
        Self::ALL.into_iter().find(|intent| intent.as_str() == word).ok_or(NotAnIntent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_intent_has_a_word_of_its_own_and_is_found_by_it() {
        for intent in Intent::ALL {
            assert_eq!(intent.as_str().parse(), Ok(intent));
        }
        assert_eq!("cancel everything".parse::<Intent>(), Err(NotAnIntent));
    }

    #[test]
    fn a_word_of_another_program_proposes_what_it_means_and_an_unknown_one_nothing() {
        for (word, intent) in [
            ("book_appointment", Some(Intent::Book)),
            (" Reschedule Appointment ", Some(Intent::Move)),
            ("cannot-come", Some(Intent::CannotCome)),
            ("cancel_all_appointments", None),
            ("", None),
        ] {
            assert_eq!(Intent::proposed_by(word), intent);
        }
    }
}
