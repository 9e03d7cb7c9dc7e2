//! A flow that is under way, whichever it is, as it is remembered.

use prm::id::{AppointmentId, HealthcareServiceId};
use serde::{Deserialize, Serialize};

use super::Flow;
use super::book::Book;
use super::cannot_come::CannotCome;
use super::check_in::CheckIn;
use super::consent::Consent;
use super::decline::Decline;
use super::desk::Desk;
use super::faq::Faq;
use super::instructions::Instructions;
use super::language::AskLanguage;
use super::moving::Moving;
use super::standing::{Deed, Standing};
use super::tell::{Tell, What};
use super::waitlist::Waitlist;
use crate::choice::Pick;
use crate::effect::Why;
use crate::facts::Facts;
use crate::intent::Intent;
use crate::sentence::Sentence;
use crate::understand::LETTERS_MAX;

/// A flow that is under way.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Frame {
    Book(Box<Book>),
    Moving(Box<Moving>),
    Standing(Box<Standing>),
    CannotCome(CannotCome),
    Tell(Box<Tell>),
    CheckIn(CheckIn),
    Instructions(Instructions),
    Faq(Faq),
    Waitlist(Box<Waitlist>),
    Decline(Decline),
    Desk(Desk),
    Consent(Consent),
    AskLanguage(AskLanguage),
}

impl Frame {
    /// The desk is asked.
    pub(crate) fn desk(why: Why) -> Self {
        Self::Desk(Desk::of(why))
    }

    /// A question is looked up; whether it is one for sure.
    pub(crate) fn faq(words: String, sure: bool) -> Self {
        Self::Faq(Faq::of(words.chars().take(LETTERS_MAX).collect(), sure))
    }

    /// What is to be known before a visit.
    pub(crate) fn instructions(service: HealthcareServiceId) -> Self {
        Self::Instructions(Instructions::before(service))
    }

    /// What is to be known before a visit that was just promised, if there is anything.
    pub(crate) fn instructions_beside(service: HealthcareServiceId) -> Self {
        Self::Instructions(Instructions::beside(service))
    }

    /// A code is shown.
    pub(crate) fn check_in(qr: String) -> Self {
        Self::CheckIn(CheckIn::with(qr))
    }

    /// Somebody cannot come.
    pub(crate) fn cannot_come(appointment: Option<AppointmentId>) -> Self {
        Self::CannotCome(CannotCome::to(appointment))
    }

    /// The flow that an intent begins, if it begins one. `text` is what was said.
    pub(crate) fn begun_by(intent: Intent, text: &str, facts: &Facts) -> Option<Self> {
        let standing = |deed| Self::Standing(Box::new(Standing::of(deed)));
        let tell = |what| Self::Tell(Box::new(Tell::of(what)));
        let frame = match intent {
            Intent::Book => Self::Book(Box::default()),
            Intent::Move => Self::Moving(Box::default()),
            Intent::Cancel => standing(Deed::Cancel),
            Intent::Confirm => standing(Deed::Confirm),
            Intent::CannotCome => Self::cannot_come(None),
            Intent::RunningLate => Self::desk(Why::Late),
            Intent::MyAppointments => tell(What::Appointments),
            Intent::WhereInQueue => tell(What::Queue),
            Intent::CheckIn => tell(What::Code),
            Intent::Instructions => Self::Instructions(Instructions::default()),
            Intent::Faq => Self::faq(text.to_owned(), true),
            Intent::JoinWaitlist => Self::Waitlist(Box::default()),
            Intent::Person => Self::desk(Why::Asked),
            Intent::Stop => Self::Consent(Consent::of(true)),
            Intent::Allow => Self::Consent(Consent::of(false)),
            Intent::ChangeLanguage => Self::AskLanguage(AskLanguage::default()),
            Intent::StartOver
            | Intent::Leave
            | Intent::Back
            | Intent::Repeat
            | Intent::More
            | Intent::Help
            | Intent::Greeting
            | Intent::Thanks
            | Intent::Goodbye => return None,
        };
        Some(frame.within_reach(facts))
    }

    /// The waiting list for what was to be booked, if this is a booking.
    pub(crate) fn waitlist_instead(&self, facts: &Facts) -> Option<Self> {
        let Self::Book(book) = self else { return None };
        Some(Self::Waitlist(Box::new(book.waitlist())).within_reach(facts))
    }

    /// The flow that a choice under a reminder or an offer begins, if it begins one.
    pub(crate) fn begun_by_pick(pick: &Pick, facts: &Facts) -> Option<Self> {
        let standing = |deed, id| Self::Standing(Box::new(Standing::by_id(deed, id)));
        let frame = match pick {
            Pick::Confirm(id) => standing(Deed::Confirm, *id),
            Pick::Cancel(id) => standing(Deed::Cancel, *id),
            Pick::Move(id) => Self::Moving(Box::new(Moving::by_id(*id))),
            Pick::Take(offered) => {
                // Ids come from outside: somebody who is not on this address is not booked.
                let person = facts.people().iter().find(|it| it.id == offered.patient)?;
                Self::Book(Box::new(Book::of_offer(offered, person.clone())))
            }
            Pick::Pass(slot) => Self::Decline(Decline::of(*slot)),
            Pick::Yes(_)
            | Pick::No(_)
            | Pick::Want(_)
            | Pick::Practitioner(_)
            | Pick::AnyPractitioner
            | Pick::OtherPractitioner
            | Pick::Specialty(_)
            | Pick::Service(_)
            | Pick::Day(_)
            | Pick::OtherDay
            | Pick::OtherTime
            | Pick::Part(_)
            | Pick::Slot(_)
            | Pick::More
            | Pick::Patient(_)
            | Pick::SomebodyNew
            | Pick::Appointment(_)
            | Pick::Language(_) => return None,
        };
        Some(frame.within_reach(facts))
    }

    /// The flow that an answer to a reminder begins, if it is one: by what is wanted, or by yes or no alone.
    pub(crate) fn begun_by_answer(
        id: AppointmentId,
        intent: Option<Intent>,
        yes: Option<bool>,
        facts: &Facts,
    ) -> Option<Self> {
        let pick = match (intent, yes) {
            (Some(Intent::Cancel), _) => Pick::Cancel(id),
            (Some(Intent::Move), _) => Pick::Move(id),
            (Some(Intent::CannotCome), _) | (None, Some(false)) => {
                return Some(Self::cannot_come(Some(id)).within_reach(facts));
            }
            (Some(Intent::Confirm), _) | (None, Some(true)) => Pick::Confirm(id),
            (Some(_) | None, _) => return None,
        };
        Self::begun_by_pick(&pick, facts)
    }

    /// The same, or word to the clinic where only its own records could answer and they are out of reach.
    fn within_reach(self, facts: &Facts) -> Self {
        match self {
            Self::Moving(_)
            | Self::Standing(_)
            | Self::CannotCome(_)
            | Self::Tell(_)
            | Self::CheckIn(_)
            | Self::Waitlist(_)
            | Self::Decline(_)
                if !facts.can.book =>
            {
                Self::desk(Why::Away)
            }
            Self::Book(_)
            | Self::Moving(_)
            | Self::Standing(_)
            | Self::CannotCome(_)
            | Self::Tell(_)
            | Self::CheckIn(_)
            | Self::Instructions(_)
            | Self::Faq(_)
            | Self::Waitlist(_)
            | Self::Decline(_)
            | Self::Desk(_)
            | Self::Consent(_)
            | Self::AskLanguage(_) => self,
        }
    }

    /// Whether it settles what becomes of a visit: what was wanted before it is not wanted after it.
    pub(crate) fn is_of_a_visit(&self) -> bool {
        match self {
            Self::Moving(_) | Self::Standing(_) | Self::CannotCome(_) => true,
            Self::Book(_)
            | Self::Tell(_)
            | Self::CheckIn(_)
            | Self::Instructions(_)
            | Self::Faq(_)
            | Self::Waitlist(_)
            | Self::Decline(_)
            | Self::Desk(_)
            | Self::Consent(_)
            | Self::AskLanguage(_) => false,
        }
    }

    /// Whether an intent is the one that began it, so that it goes on instead of beginning again.
    pub(crate) fn is_of(&self, intent: Intent) -> bool {
        self.intent() == Some(intent)
    }

    fn intent(&self) -> Option<Intent> {
        Some(match self {
            Self::Book(_) => Intent::Book,
            Self::Moving(_) => Intent::Move,
            Self::Standing(standing) => match standing.deed {
                Deed::Cancel => Intent::Cancel,
                Deed::Confirm => Intent::Confirm,
            },
            Self::CannotCome(_) => Intent::CannotCome,
            Self::Tell(tell) => match tell.what {
                What::Appointments => Intent::MyAppointments,
                What::Queue => Intent::WhereInQueue,
                What::Code => Intent::CheckIn,
            },
            Self::Instructions(_) => Intent::Instructions,
            Self::Waitlist(_) => Intent::JoinWaitlist,
            Self::AskLanguage(_) => Intent::ChangeLanguage,
            // Each question is one of its own.
            Self::Faq(_)
            | Self::CheckIn(_)
            | Self::Decline(_)
            | Self::Desk(_)
            | Self::Consent(_) => return None,
        })
    }

    /// The intent that says yes to its read-back by itself: who answers "book it" wants it booked. To call off
    /// is not among them: "cancel" may be about the question.
    pub(crate) fn agreed_by(&self) -> Option<Intent> {
        match self {
            Self::Book(_) => Some(Intent::Book),
            Self::Moving(_) => Some(Intent::Move),
            Self::Standing(standing) => match standing.deed {
                Deed::Cancel => None,
                Deed::Confirm => Some(Intent::Confirm),
            },
            Self::CannotCome(_)
            | Self::Tell(_)
            | Self::CheckIn(_)
            | Self::Instructions(_)
            | Self::Faq(_)
            | Self::Waitlist(_)
            | Self::Decline(_)
            | Self::Desk(_)
            | Self::Consent(_)
            | Self::AskLanguage(_) => None,
        }
    }

    /// What is said when it is left.
    pub(crate) fn when_left(&self) -> Sentence {
        if self.is_of_a_visit() { Sentence::Kept } else { Sentence::Dropped }
    }

    /// The word for it, for the desk.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::CheckIn(_) => "code",
            Self::Faq(_) => "faq",
            Self::Decline(_) => "offer",
            Self::Desk(_) => "desk",
            Self::Consent(_) => "consent",
            Self::Book(_)
            | Self::Moving(_)
            | Self::Standing(_)
            | Self::CannotCome(_)
            | Self::Tell(_)
            | Self::Instructions(_)
            | Self::Waitlist(_)
            | Self::AskLanguage(_) => self.intent().map_or("none", Intent::as_str),
        }
    }

    /// What it does.
    pub(crate) fn flow(&mut self) -> &mut dyn Flow {
        match self {
            Self::Book(flow) => flow.as_mut(),
            Self::Moving(flow) => flow.as_mut(),
            Self::Standing(flow) => flow.as_mut(),
            Self::CannotCome(flow) => flow,
            Self::Tell(flow) => flow.as_mut(),
            Self::CheckIn(flow) => flow,
            Self::Instructions(flow) => flow,
            Self::Faq(flow) => flow,
            Self::Waitlist(flow) => flow.as_mut(),
            Self::Decline(flow) => flow,
            Self::Desk(flow) => flow,
            Self::Consent(flow) => flow,
            Self::AskLanguage(flow) => flow,
        }
    }
}
