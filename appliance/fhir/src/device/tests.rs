//! A kiosk or a board as FHIR.

use prm::id::DeviceId;
use serde_json::Value;

use super::*;
use crate::fixture::{clinic, here, id, updated, valid};

#[test]
fn a_device_is_active_only_while_it_is_paired() {
    let clinic = clinic();
    let kiosk = Device {
        id: DeviceId::from_bytes(id(12).into_bytes()),
        version: 1,
        kind: Kind::Kiosk,
        name: Some("Entrance".into()),
        status: Status::Paired,
        created_at: updated(),
        expires_at: None,
        paired_at: Some(updated()),
    };
    let expected = json!({
        "resourceType": "Device",
        "id": id(12).to_string(),
        "meta": { "versionId": "1", "lastUpdated": "2026-11-23T10:00:00+05:30" },
        "status": "active",
        "deviceName": [{ "name": "Entrance", "type": "user-friendly-name" }],
        "type": { "coding": [{
            "system": DEVICE_KIND, "code": "kiosk", "display": "Check-in kiosk",
        }] },
        "owner": { "reference": format!("Organization/{}", id(1)) },
    });
    assert_eq!(Value::from(valid(write(&kiosk, here(&clinic), updated(), None))), expected);
    for status in [Status::Offered, Status::Pending, Status::Revoked] {
        let board = Device { kind: Kind::Board, name: None, status, ..kiosk.clone() };
        let written = valid(write(&board, here(&clinic), updated(), None));
        assert_eq!(written.get("status"), Some(&json!("inactive")));
    }
}
