//! Reception: what is understood, decided and answered in a conversation, whichever channel it comes by.
//!
//! ```text
//!   words ─► understand ─► intent ─► flow ─► effects: say, look up, do
//! ```
//!
//! [`step`] is the whole of it: a dialogue and an input become a dialogue and effects.
//!
//! # Invariants
//!
//! - Nothing here reads a clock, a record or a network: what is known is an argument, what is to be done
//!   an effect.
//! - Nothing is booked, moved, called off or noted before the person agreed to exactly that.
//! - That it is done is said only after it was.
//! - No appointment is told to anybody who did not prove whom it is about: a caller's number can be forged.

mod choice;
mod dialogue;
mod effect;
mod facts;
mod flow;
pub mod intent;
mod late;
mod offer;
mod remind;
mod sentence;
mod step;
mod turn;
pub mod understand;
mod words;
mod write_back;
mod written;

pub use choice::reminder_choices;
pub use dialogue::{
    Dialogue, Heard, Input, MISSES_MAX, PROVEN_HOURS, PROVEN_MAX, QUESTIONS_MAX, STACK_MAX,
    WRONG_PROOFS_MAX,
};
pub use effect::{
    AHEAD_DAYS, Act, Answer, DAYS_MAX, Effect, Look, Note, ROUNDS_MAX, SLOTS_MAX, Wanted, Why,
};
pub use facts::{
    AppointmentFact, Can, ClinicFacts, Facts, FreeDay, Person, PlaceFact, PractitionerFact,
    ServiceFact, SlotFact, Who, Wording, lexicon,
};
pub use late::{away, handed_over, late};
pub use offer::{OfferFact, Offering, WAITLIST_OFFER, offer, offer_choices};
pub use remind::{REMINDER, REMINDER_TO_CONFIRM, Visit, remind};
pub use sentence::Sentence;
pub use step::step;
pub use words::{WORDING_LETTERS_MAX, WordingError, check, languages, pattern};
pub use write_back::{WRITE_BACK, write_back};
pub use written::{Written, by_email};
