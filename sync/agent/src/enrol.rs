//! Joining a hub: with a code that the hub gave out once, box and hub exchange their public keys.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use prm::db::{Db, Read};
use prm::error::Error;
use prm::hub::{self, Hub, Learned, Standing};
use prm::id::LogId;
use prm::stamp::Stamp;
use prm::{change, clinic};
use ring::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::json;
use sync_protocol::envelope::{SealingKey, VerifyingKey, fingerprint};
use sync_protocol::restore::OnHeld;
use uuid::Uuid;

use crate::Meter;
use crate::http::{self, HttpError};
use crate::keys::{BoxKeys, KeyError, OPENING, SIGNING};

/// The longest answer that is looked at, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// The longest code, in bytes.
const CODE_BYTES_MAX: usize = 200;
/// The longest name of a clinic, in letters.
const NAME_MAX: usize = 200;
/// Files by one of which a machine is told from others; the first that can be read counts.
const MACHINE: [&str; 3] = [
    "/sys/firmware/devicetree/base/serial-number",
    "/sys/class/dmi/id/product_uuid",
    "/etc/machine-id",
];

/// How a hub is joined.
pub struct Joining<'a> {
    /// Where it is.
    pub url: &'a str,
    /// The code that it gave out.
    pub code: &'a str,
    /// The fingerprint that its keys must have, if it is known beforehand.
    pub fingerprint: Option<&'a str>,
    /// The data folder of the box: with the machine it says which hardware this is.
    pub data: &'a Path,
    /// The folder of the keys.
    pub keys: &'a Path,
    /// What becomes of what the hub holds and this log did not tell. With [`OnHeld::Restore`] the box tells
    /// nothing before it has got everything back.
    pub on_held: OnHeld,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// What the clinic is called at the hub.
    pub clinic_name: String,
    /// The fingerprint of the hub's keys.
    pub hub: String,
    /// The fingerprint of the box's keys.
    pub own: String,
}

/// Why a hub was not joined.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// There is no answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The keys cannot be had.
    #[error(transparent)]
    OwnKeys(#[from] KeyError),
    /// The records fail.
    #[error(transparent)]
    Records(#[from] Error),
    /// The hub does not take the code.
    #[error(
        "the hub does not know this code, or it was used or is over; make another there with `carepost-hub clinic code NAME`"
    )]
    Code,
    /// This hardware is another clinic's.
    #[error(
        "the hub knows this machine and data folder as the box of another clinic; move this box to another folder, and enrol it from there"
    )]
    Hardware,
    /// These keys are another clinic's.
    #[error(
        "the hub knows the keys of this box as another clinic's, so one of the two is a copy; take keys/{SIGNING} and keys/{OPENING} out of the data folder, and enrol again with new ones"
    )]
    Keys,
    /// The hub holds what another log told.
    #[error(
        "the hub holds records of this clinic that this box may not have. To take them back first, stop the box and say --replace; to let the hub forget what this box does not have, say --forget-held. The code is still good"
    )]
    Held,
    /// Another status.
    #[error("the hub answers with status {0}; is this the address of a hub?")]
    Refused(u16),
    /// Not what a hub answers.
    #[error("what was answered is not what a hub answers; update the older of the two programs")]
    Answer,
    /// The hub is another one.
    #[error(
        "the fingerprint of the hub is {0}, not the one that was given; somebody may be in between. Nothing was joined; the code is used up"
    )]
    Fingerprint(String),
}

#[derive(Deserialize)]
struct Answer {
    clinic: Uuid,
    #[serde(rename = "box")]
    box_id: Uuid,
    generation: Option<u64>,
    /// The hub never heard a box of this clinic, so it holds no loans.
    #[serde(default)]
    fresh: bool,
    hub_public_keys: Keys,
    clinic_name: String,
}

#[derive(Deserialize)]
struct Keys {
    sign: String,
    seal: String,
}

/// Joins a hub. A box that had joined one before joins the new one in its place; if its log had been
/// stopped, the log gets a new identity and is told from the beginning.
///
/// # Errors
/// [`EnrolError`]; then the box is as before, but for its keys, which a second try uses, too.
pub async fn enrol(db: &Db, joining: Joining<'_>, now: Timestamp) -> Result<Joined, EnrolError> {
    let Joining { url, code, fingerprint: wanted, data, keys: folder, on_held } = joining;
    let url = http::check_address(url)?;
    if code.len() > CODE_BYTES_MAX {
        return Err(EnrolError::Code);
    }
    let keys = BoxKeys::ensure(folder)?;
    let (clinic, log) = db.read(|read| Ok((clinic::get(read)?, log_to_tell(read)?))).await?;
    let body = json!({
        "code": code,
        "box_public_keys": {
            "sign": URL_SAFE_NO_PAD.encode(keys.signing.verifying_key().0),
            "seal": URL_SAFE_NO_PAD.encode(keys.opening.sealing_key().bytes()),
        },
        "hardware_id": hardware_id(data),
        "name": clinic.name,
        "log": log.map(|it| URL_SAFE_NO_PAD.encode(it.as_bytes())),
        "on_held": on_held.as_str(),
    });
    let (client, address) = (http::client()?, format!("{url}/v1/enroll"));
    let body = ("application/json", body.to_string().into_bytes());
    let (status, bytes) =
        http::post((&client, &Meter::default()), &address, body, ANSWER_BYTES_MAX).await?;
    match status.as_u16() {
        201 => {}
        404 => return Err(EnrolError::Code),
        409 => {
            return Err(match code_of(&bytes).as_deref() {
                Some("keys_taken") => EnrolError::Keys,
                Some("records_held") => EnrolError::Held,
                Some(_) | None => EnrolError::Hardware,
            });
        }
        other => return Err(EnrolError::Refused(other)),
    }
    let (hub, generation, fresh) = read(&bytes, url, now).ok_or(EnrolError::Answer)?;
    let sealing = SealingKey::from_bytes(&hub.sealing_key).map_err(|_| EnrolError::Answer)?;
    let found = fingerprint(&VerifyingKey(hub.verifying_key), &sealing);
    if wanted.is_some_and(|wanted| digits(wanted) != digits(&found)) {
        return Err(EnrolError::Fingerprint(found));
    }
    let clinic_name = hub.clinic_name.clone();
    let replaces = on_held == OnHeld::Restore;
    db.write(move |tx| {
        let stamp = Stamp::of_box(now);
        let anew = log_to_tell(tx)?.is_none();
        hub::join(tx, &stamp, &hub, (generation, anew))?;
        if let Some(generation) = generation.filter(|_| fresh && !replaces) {
            let (log, box_id) = (change::log_id(tx)?, hub.box_id);
            hub::has_learned(tx, &stamp, &Learned { log, box_id, generation })?;
        }
        if replaces {
            let log = change::log_id(tx)?;
            let stop = Some(hub::REPLACING.to_owned());
            hub::note(tx, &stamp, &Standing { stop, ..Standing::unknown(log, generation) }, None)?;
        }
        Ok(())
    })
    .await?;
    Ok(Joined { clinic_name, hub: found, own: keys.fingerprint() })
}

/// The log that is told from now on; none if it was stopped, because then it gets a new identity.
fn log_to_tell(read: &Read<'_>) -> prm::error::Result<Option<LogId>> {
    let log = change::log_id(read)?;
    let stopped = hub::standing(read)?.is_some_and(|it| it.log == log && it.stop.is_some());
    Ok((!stopped).then_some(log))
}

fn read(bytes: &[u8], url: String, now: Timestamp) -> Option<(Hub, Option<i64>, bool)> {
    let Answer { clinic, box_id, generation, fresh, hub_public_keys, clinic_name } =
        serde_json::from_slice(bytes).ok()?;
    let key = |text: &str| -> Option<[u8; 32]> {
        URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?.try_into().ok()
    };
    let hub = Hub {
        url,
        clinic: clinic.into_bytes(),
        box_id: box_id.into_bytes(),
        verifying_key: key(&hub_public_keys.sign)?,
        sealing_key: key(&hub_public_keys.seal)?,
        clinic_name,
        enrolled_at: now,
    };
    let generation = generation.map(i64::try_from).transpose().ok()?;
    (hub.clinic_name.chars().count() <= NAME_MAX).then_some((hub, generation, fresh))
}

/// The stable code of a problem (RFC 9457).
fn code_of(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Problem {
        code: String,
    }
    serde_json::from_slice::<Problem>(bytes).ok().map(|problem| problem.code)
}

/// A fingerprint as it was typed, without what people put between the groups.
fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_hexdigit).map(|it| it.to_ascii_lowercase()).collect()
}

/// Which hardware a box is on: a hash of what tells this machine from others and of the data folder,
/// because one machine may be the box of two clinics.
fn hardware_id(data: &Path) -> String {
    let machine = MACHINE.iter().find_map(|path| fs::read(path).ok().filter(|it| !it.is_empty()));
    let folder = fs::canonicalize(data).unwrap_or_else(|_| data.to_owned());
    let mut bytes = b"carepost-hardware-1\0".to_vec();
    bytes.extend(machine.unwrap_or_default());
    bytes.push(0);
    bytes.extend(folder.as_os_str().as_encoded_bytes());
    let hash = digest(&SHA256, &bytes);
    hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
