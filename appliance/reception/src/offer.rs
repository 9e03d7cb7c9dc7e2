//! A time that became free is offered to somebody who waits for one.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use prm::content::{Choice, Content};
use prm::id::{HealthcareServiceId, PatientId};

use crate::choice::{Offered, Pick};
use crate::facts::{SlotFact, Wording};
use crate::sentence::Sentence;
use crate::turn::choice;
use crate::words::Words;

/// The name under which the words were approved where that is needed; what is put into them, in this order: the
/// patient's name, the practitioner's, the day, the time, the clinic's name, until when an answer is awaited.
pub const WAITLIST_OFFER: &str = "carepost_waitlist_offer";

/// A time that is offered, for whoever waits.
#[derive(Clone, Copy)]
pub struct Offering<'a> {
    /// The clinic.
    pub clinic: &'a str,
    /// Its zone.
    pub zone: &'a TimeZone,
    /// Who waits.
    pub name: &'a str,
    /// With whom.
    pub practitioner: &'a str,
    /// When.
    pub start: Timestamp,
    /// Until when it is theirs to say yes.
    pub until: Timestamp,
}

/// A time that was offered to somebody on this address, and that a yes is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfferFact {
    /// Which.
    pub slot: SlotFact,
    /// For whom.
    pub patient: PatientId,
    /// For what.
    pub service: Option<HealthcareServiceId>,
}

/// Offers a time in a language (BCP 47), or, where reception does not speak it, in the first of `languages` that it does.
pub fn offer(
    offering: &Offering<'_>,
    (language, languages): (Option<&str>, &[String]),
    wording: &Wording,
) -> Content {
    let Offering { clinic, zone, name, practitioner, start, until } = *offering;
    let words = Words::in_one_of((language, languages), wording);
    let (at, end) = (zone.to_datetime(start), zone.to_datetime(until));
    let (day, time) = (words.day(at.date()), words.clock(at.time()));
    let until = format!("{}, {}", words.day(end.date()), words.clock(end.time()));
    let text = words.say(
        Sentence::WaitlistOffer,
        &[
            ("clinic", clinic.into()),
            ("day", day.as_str().into()),
            ("doctor", practitioner.into()),
            ("name", name.into()),
            ("time", time.as_str().into()),
            ("until", until.as_str().into()),
        ],
    );
    let arguments = [name, practitioner, &day, &time, clinic, &until].map(str::to_owned).to_vec();
    Content::Template { name: WAITLIST_OFFER.into(), language: words.tag().into(), arguments, text }
}

/// What is shown under an offer. What comes back of it names the time, and for whom and for what it is.
pub fn offer_choices(offer: &OfferFact, language: &str, wording: &Wording) -> Vec<Choice> {
    under_offer(offer, Words::in_one_of((Some(language), &[]), wording))
}

pub(crate) fn under_offer(offer: &OfferFact, words: Words<'_>) -> Vec<Choice> {
    let OfferFact { slot: SlotFact { id: slot, practitioner, start: _ }, patient, service } =
        *offer;
    let shown = [
        (Pick::Take(Offered { slot, practitioner, patient, service }), Sentence::WaitlistYes),
        (Pick::Pass(slot), Sentence::WaitlistNo),
    ];
    shown.into_iter().map(|(pick, title)| choice(pick, words.plain(title), None)).collect()
}
