//! A time that became free is offered to somebody on the waiting list: what is said to them, and whether it stands.

use ::reception::{OfferFact, Offering, SlotFact, offer};
use prm::db::{Read, Tx};
use prm::error::Result;
use prm::id::WaitlistId;
use prm::medium::Medium;
use prm::message::{self, Purpose, Saying};
use prm::stamp::Stamp;
use prm::waitlist::{self, Entry};
use prm::{patient, practitioner, reminder, schedule};

use crate::app::App;
use crate::reception::facts;

/// By these it is offered, unless the patient prefers another order: an answer to them is heard.
const MEDIA: [Medium; 2] = [Medium::Whatsapp, Medium::Sms];

/// Says to whoever waits what was offered, as long as the offer stands; false if there is no way to them. It is the
/// clinic's message, not that of who pressed the button: so reception hears the answer.
///
/// # Errors
/// Those of the database.
pub(crate) fn say(tx: &mut Tx<'_>, app: &App, entry: &Entry) -> Result<bool> {
    let stamp = Stamp::of_box(app.now());
    let Some(offered) = entry.offer else { return Ok(false) };
    let patient = patient::get(tx, &stamp, entry.patient)?;
    let Some((conversation, route)) = reminder::route(tx, &stamp, &patient, (&MEDIA, 0))? else {
        return Ok(false);
    };
    let session = schedule::get(tx, &stamp, offered.slot.schedule)?;
    let practitioner = practitioner::get(tx, &stamp, session.practitioner)?;
    let offering = Offering {
        clinic: &app.clinic.name,
        zone: &app.clinic.zone,
        name: &patient.name,
        practitioner: &practitioner.name,
        start: offered.slot.start(),
        until: offered.until,
    };
    let languages = facts::languages(app);
    let language = (patient.language.as_deref(), languages.as_slice());
    let saying = Saying {
        conversation,
        content: offer(&offering, language, &facts::wording(tx, &stamp)?),
        purpose: Purpose::Notice,
        route,
        not_before: None,
        not_after: Some(offered.until),
        collapse_key: Some(format!("waitlist:{}:offer", entry.id)),
        reply_to: None,
    };
    message::say(tx, &stamp, saying).map(|_| true)
}

/// What was offered to somebody on the list, as long as the offer stands.
///
/// # Errors
/// Those of the database.
pub(crate) fn standing(
    read: &Read<'_>,
    stamp: &Stamp,
    id: WaitlistId,
) -> Result<Option<OfferFact>> {
    let entry = waitlist::get(read, stamp, id)?;
    let Some(offered) = entry.offer.filter(|offer| stamp.now < offer.until) else {
        return Ok(None);
    };
    let service = entry.wish.healthcare_service;
    let session = schedule::get(read, stamp, offered.slot.schedule)?;
    let (id, start) = (offered.slot, offered.slot.start());
    let slot = SlotFact { id, practitioner: session.practitioner, start };
    Ok(Some(OfferFact { slot, patient: entry.patient, service }))
}
