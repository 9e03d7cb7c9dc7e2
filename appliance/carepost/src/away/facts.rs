//! What the hub may say while the box is away: told when it changes, and never anything of a patient.

use std::time::Duration;

use channels::away::{FACTS_BYTES_MAX, Facts, Faq, Practitioner, Service};
use channels::say::Up;
use prm::db::Read;
use prm::error::Result;
use prm::id::DeliveryId;
use prm::stamp::Stamp;
use prm::{faq, healthcare_service, practitioner, relay};
use ring::digest::{SHA256, digest};
use tokio::time::{sleep, timeout};

use crate::app::App;
use crate::reception::facts::{emergency, languages, wording};

/// After a change it is looked whether the hub is to be told this often: bookings are changes, too.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// It is looked at least this often, for what other processes wrote.
const LOOK_ANYWAY: Duration = Duration::from_secs(300);

/// Tells the hub of this id what it may say, whenever that is something else.
pub(crate) async fn tell(app: &App, hub: [u8; 16]) {
    let mut changed = app.db.last_sequence();
    loop {
        changed.borrow_and_update();
        if let Err(error) = tell_once(app, hub).await {
            tracing::warn!(%error, "the hub is not told what it may say while the box is away; it is tried again");
        }
        sleep(LOOK_AGAIN).await;
        // A closed log means that the box stops.
        let _ = timeout(LOOK_ANYWAY, changed.changed()).await;
    }
}

/// Tells it now, if it is something else.
pub(crate) async fn tell_once(app: &App, hub: [u8; 16]) -> Result<()> {
    let (of_app, stamp) = (app.clone(), Stamp::of_box(app.now()));
    let (facts, told) =
        app.db.read(move |read| Ok((of(read, &of_app, &stamp)?, relay::told_facts(read)?))).await?;
    let digest = digest_of(hub, &facts);
    if told == Some(digest) {
        return Ok(());
    }
    app.db
        .write(move |tx| {
            relay::tell_facts(tx, &stamp, digest)?;
            let up = Up::Facts(Box::new(facts.clone()));
            relay::put(tx, &stamp, DeliveryId::new(stamp.now), (&up.write(), None))
        })
        .await
}

/// A digest of what is said and to whom, whenever it is said.
fn digest_of(hub: [u8; 16], facts: &Facts) -> [u8; 32] {
    let same = Facts { at_ms: 0, ..facts.clone() };
    let bytes = serde_json::to_vec(&same).unwrap_or_default();
    let hash = digest(&SHA256, &[&hub[..], &bytes].concat());
    *hash.as_ref().first_chunk().expect("invariant: a SHA-256 has 32 bytes")
}

/// What the hub may say.
fn of(read: &Read<'_>, app: &App, stamp: &Stamp) -> Result<Facts> {
    let practitioners = practitioner::list(read, stamp)?.into_iter().filter(|it| it.active);
    let practitioners = practitioners.map(|it| Practitioner {
        id: it.id,
        name: it.name,
        specialties: it.specialties,
    });
    let services = healthcare_service::list(read, stamp)?.into_iter().filter(|it| it.active);
    let services = services.map(|it| Service {
        id: it.id,
        name: it.name,
        practitioners: it.practitioners,
        minutes: it.duration_minutes + it.buffer_minutes,
        needs_location: !it.locations.is_empty(),
    });
    let country = app.clinic.country.as_str();
    let in_order = |sentences: std::collections::HashMap<String, String>| {
        sentences.into_iter().collect::<std::collections::BTreeMap<_, _>>()
    };
    let own = wording(read, stamp)?.0.into_iter();
    let mut facts = Facts {
        answers: app.config.messages.hub_answers,
        at_ms: stamp.now.as_millisecond(),
        name: app.clinic.name.clone(),
        phone: app.config.fhir.booking_phone.clone(),
        country: country.to_owned(),
        timezone: app.clinic.timezone.clone(),
        languages: languages(app),
        emergency: emergency(country).iter().map(|it| (*it).to_owned()).collect(),
        wording: own.map(|(language, sentences)| (language, in_order(sentences))).collect(),
        practitioners: practitioners.collect(),
        services: services.collect(),
        faqs: Vec::new(),
    };
    let mut bytes = serde_json::to_vec(&facts).map_or(0, |it| it.len());
    for faq in faq::list(read, stamp)?.into_iter().filter(|it| it.active) {
        let faq::Faq { id: _, version: _, language, questions, answer, active: _ } = faq;
        let faq = Faq { language, questions, answer };
        bytes += serde_json::to_vec(&faq).map_or(0, |it| it.len() + 1);
        if bytes > FACTS_BYTES_MAX {
            tracing::warn!(
                "the hub is not told all frequent questions: they are too long together"
            );
            break;
        }
        facts.faqs.push(faq);
    }
    Ok(facts)
}
