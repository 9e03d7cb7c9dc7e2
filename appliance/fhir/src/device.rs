//! FHIR Device: a kiosk or a board (<https://hl7.org/fhir/R4/device.html>).
//!
//! Devices are paired at the desk, so that there is nothing to read. Pairing codes, and when they end,
//! are nobody else's business and not written. Other devices, such as a scanner, are stored as they
//! were given.

use jiff::Timestamp;
use serde_json::json;

use prm::device::{Device, Kind, Status};

use crate::concept::Coded;
use crate::here::Here;
use crate::json::Resource;
use crate::kept::Kept;
use crate::reference;

/// FHIR's name of the type.
pub const TYPE: &str = "Device";
/// The system of what a device is: `kiosk`, `board`.
pub const DEVICE_KIND: &str = "https://carepost.health/fhir/CodeSystem/device-kind";

/// A kiosk or a board as a `Device`, over what was given. `updated` is when the record last changed.
pub fn write(
    device: &Device,
    here: Here<'_>,
    updated: Timestamp,
    given: Option<&Resource>,
) -> Resource {
    let Device { id, version, kind, name, status, created_at: _, expires_at: _, paired_at: _ } =
        device;
    let mut kept = Kept::begin(TYPE, id, here.meta(*version, updated), given);
    kept.says("status", Some(status_of(*status).into()));
    let name = name.as_ref().map(|name| json!([{ "name": name, "type": "user-friendly-name" }]));
    kept.says("deviceName", name);
    kept.says("type", Some(code_of(*kind).concept()));
    kept.says("owner", Some(reference::to("Organization", here.clinic.id)));
    kept.end()
}

/// A device works only while it is paired.
fn status_of(status: Status) -> &'static str {
    match status {
        Status::Paired => "active",
        Status::Offered | Status::Pending | Status::Revoked => "inactive",
    }
}

fn code_of(kind: Kind) -> Coded {
    let words = match kind {
        Kind::Kiosk => "Check-in kiosk",
        Kind::Board => "Waiting room board",
    };
    Coded(DEVICE_KIND, kind.as_str(), words)
}

#[cfg(test)]
mod tests;
