//! What a patient shows who booked online: a QR or a confirmation that the hub signed, checked without a
//! network.

use prm::appointment;
use prm::check_in::{self, Shown};
use prm::error::Error;
use prm::hub;
use prm::id::AppointmentId;
use prm::qr::Verifier;
use prm::stamp::Stamp;
use sync_agent::loans::{self, Heard};

use crate::app::App;
use crate::http::error::Answer;

/// The appointment of a booking that the hub sold; none if it is not in the diary, because the box has
/// not heard yet who bought. A confirmation is the news of the sale, if the box has not heard of it.
///
/// # Errors
/// `see_the_desk` if it is nothing that the hub of this box signed.
pub(super) async fn shown(app: &App, stamp: Stamp, text: &str) -> Answer<Option<Shown>> {
    let (said, now) = (text.to_owned(), stamp.now);
    let found = app.db.read(move |read| {
        let Some(hub) = hub::get(read)? else { return Ok((None, None)) };
        // The hub signs for the clinic by the id that it has there.
        let clinic = hub.clinic.first_chunk().copied().unwrap_or_default();
        let mut verifier = Verifier::new(clinic);
        let claim =
            verifier.trust(&hub.verifying_key).ok().and_then(|_| verifier.verify(&said, now).ok());
        Ok((claim, loans::scanned(read, &said)?))
    });
    match found.await? {
        (Some(claim), _) => {
            let id = AppointmentId::from_bytes(claim.appointment);
            let by_box = Stamp::of_sale(stamp.now);
            let found = app.db.read(move |read| match appointment::get(read, &by_box, id) {
                Ok(_) => Ok(Some(Shown::Qr(id))),
                Err(Error::NotFound(_)) => Ok(None),
                Err(error) => Err(error),
            });
            Ok(found.await?)
        }
        (None, Some(confirmation)) => {
            let heard = app.db.write(move |tx| loans::scan(tx, &stamp, &confirmation)).await?;
            Ok(match heard {
                Heard::Booked(id) => Some(Shown::Qr(id)),
                Heard::Sold => None,
            })
        }
        (None, None) => Err(check_in::see_the_desk().into()),
    }
}
