//! What is remembered between two messages of a conversation.
//!
//! Invariant: nothing here is a record. If it is lost, the person is asked again, and that is all.

use jiff::Timestamp;
use prm::id::{AppointmentId, PatientId};
use prm::medium::Medium;
use serde::{Deserialize, Serialize};

use crate::choice::Pick;
use crate::effect::Answer;
use crate::flow::Frame;
use crate::intent::Intent;
use crate::offer::OfferFact;
use crate::understand::{Expecting, Place};

/// Flows that lie on each other at the most; where one more begins, the oldest is forgotten.
pub const STACK_MAX: usize = 4;
/// Questions that are asked without anything coming to its end; then the desk is asked.
pub const QUESTIONS_MAX: u16 = 40;
/// Messages in a row that are not understood; then the desk is asked.
pub const MISSES_MAX: u8 = 3;
/// Births that may be said wrongly; then the desk is asked.
pub const WRONG_PROOFS_MAX: u8 = 3;
/// People whose birth was said rightly that are remembered.
pub const PROVEN_MAX: usize = 10;
/// How long that is remembered, in hours.
pub const PROVEN_HOURS: i64 = 12;

/// What is remembered between two messages: by default, nothing was said yet.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Dialogue {
    /// What is under way, the newest last.
    pub(crate) stack: Vec<Frame>,
    /// What was asked last, if it is not answered yet.
    pub(crate) open: Option<Open>,
    /// Whether an [`Answer`] is awaited.
    pub(crate) awaits: bool,
    /// What is to be said as soon as it is there.
    pub(crate) pending: Vec<String>,
    /// In which language is answered (BCP 47), as soon as that is known.
    pub(crate) language: Option<String>,
    /// Whether the person chose it; otherwise it follows what they write.
    pub(crate) language_chosen: bool,
    /// By what the last message came.
    pub(crate) medium: Option<Medium>,
    /// Messages in a row that were not understood.
    pub(crate) misses: u8,
    /// Times in a row that nothing came for long.
    pub(crate) silences: u8,
    /// Questions since something last came to its end.
    pub(crate) questions: u16,
    /// Answers since the last message.
    pub(crate) rounds: u8,
    /// The number of the last question: a choice that is bound to an older one is out of date.
    pub(crate) serial: u32,
    /// Whether the desk has the conversation.
    pub(crate) desk: bool,
    /// Of which appointment the person was reminded, and has not answered.
    pub(crate) reminded: Option<AppointmentId>,
    /// What was shown unasked just now, while a question was open that takes no yes or no: one alone is about this. It
    /// holds for the next message, which is heard before anything is kept.
    #[serde(skip)]
    pub(crate) beside: Option<Open>,
    /// Whose birth was said rightly, and when.
    pub(crate) proven: Vec<(PatientId, Timestamp)>,
    /// Births that were said wrongly since.
    pub(crate) wrong_proofs: u8,
}

/// A question that was asked.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Open {
    pub(crate) about: About,
    /// The ids and titles of what could be chosen, in order.
    pub(crate) choices: Vec<(String, String)>,
}

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum About {
    Menu,
    Practitioner,
    Service,
    Day,
    Time,
    Patient,
    Name,
    Birth,
    Phone,
    Appointment,
    YesNo,
    Change,
    Language,
    /// Nothing was asked: a reminder was sent.
    Reminder,
    /// Nothing was asked: a time was offered that became free.
    Offer,
}

impl Open {
    /// What stands at a place. The last is the last that was found, not what leads on from there.
    pub(crate) fn at(&self, place: Place) -> Option<Pick> {
        let pick = |(id, _): &(String, String)| Pick::read(id);
        let found = match place {
            Place::Nth(_) => self.choices.len(),
            Place::Last | Place::Middle => {
                let picks = self.choices.iter().map_while(pick);
                picks.take_while(|pick| !pick.leads_on()).count()
            }
        };
        self.choices.get(place.of(found)?).and_then(pick)
    }

    /// The one answer that was found, beside those that lead on from it: a yes takes it.
    pub(crate) fn only(&self) -> Option<Pick> {
        let picks = self.choices.iter().filter_map(|(id, _)| Pick::read(id));
        let mut found = picks.filter(|pick| !pick.leads_on() && !matches!(pick, Pick::Want(_)));
        found.next().filter(|_| found.next().is_none())
    }

    /// What the words of an answer are looked for.
    pub(crate) fn expecting(&self) -> Expecting {
        let titles = || self.choices.iter().map(|(_, title)| title.clone()).collect();
        match self.about {
            About::Menu => Expecting::Intent,
            About::Practitioner => Expecting::Practitioner,
            About::Service => Expecting::Service,
            About::Day => Expecting::Day,
            About::Time => Expecting::Time,
            About::Patient => Expecting::Patient(titles()),
            About::Name => Expecting::Name,
            About::Birth => Expecting::BirthDate,
            About::Phone => Expecting::Phone,
            About::YesNo | About::Offer => Expecting::YesNo,
            About::Reminder => Expecting::Nothing,
            About::Appointment | About::Change | About::Language => Expecting::Choice(titles()),
        }
    }
}

/// What a step begins with.
pub enum Input<'a> {
    /// A message came.
    Heard(&'a Heard),
    /// What the last [`crate::Look`] or [`crate::Act`] came to.
    Answer(Answer),
    /// Nothing came for long.
    Elapsed,
    /// The desk took the conversation.
    TakenOver,
    /// The desk gave it back.
    GivenBack,
    /// This person was reminded of this appointment just now: a yes without a question is about it.
    Reminded(AppointmentId),
    /// This person was offered this time just now: a yes without a question takes it.
    Offered(OfferFact),
}

/// A message that came.
#[derive(Clone)]
pub struct Heard {
    /// Its words; the title of what was chosen, where something was.
    pub text: String,
    /// The id of what was chosen.
    pub chosen: Option<String>,
    /// By what it came.
    pub medium: Medium,
    /// What a model takes it for: looked at only where the rules find nothing, and never acted on alone.
    pub proposed: Option<Intent>,
}

impl Dialogue {
    /// Whether the desk has the conversation: then reception is silent.
    pub fn desk_has_it(&self) -> bool {
        self.desk
    }

    /// In which language is answered (BCP 47), as soon as that is known.
    pub fn language(&self) -> Option<&str> {
        self.language.as_deref()
    }

    /// Whether an [`Answer`] is awaited.
    pub fn awaits_answer(&self) -> bool {
        self.awaits
    }

    /// Whether somebody was asked already if they are still there.
    pub fn was_silent(&self) -> bool {
        self.silences > 0
    }

    /// Whether a question is open, so that a silence is worth an [`Input::Elapsed`].
    pub fn has_question(&self) -> bool {
        self.open.is_some() && !self.stack.is_empty()
    }
}
