//! What the hub is told of a record: the very resource that the door shows.

use prm::change;
use prm::stamp::Stamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::appointments::appointment;
use super::{Door, patient, text};
use crate::http::fhir::told::shown;

impl Door {
    /// What is told of the record that was changed last, as this type.
    fn told(&self, kind: &str) -> Option<Value> {
        self.told_at(kind, None)
    }

    /// The same at a version.
    fn told_at(&self, kind: &str, version: Option<i64>) -> Option<Value> {
        let stamp = Stamp::of_box(self.clinic.app.now());
        let read = |read: &prm::db::Read<'_>| {
            let last = change::after(read, change::last(read)? - 1, 1)?;
            let id: Uuid = last[0].resource;
            shown(read, &stamp, kind, id, version)
        };
        let found = self.clinic.app.db.read_blocking(read).unwrap();
        found.map(|resource| serde_json::from_slice(&resource.to_vec()).unwrap())
    }
}

#[tokio::test]
async fn the_hub_is_told_what_the_door_shows_without_copies_of_names_and_that_something_is_gone() {
    let door = Door::open();
    let asha = door.create(patient("Asha Rao")).await;
    assert_eq!(
        door.told("Patient").unwrap(),
        door.get(&format!("/Patient/{}", text(&asha["id"]))).await.body
    );
    assert_eq!(door.told("Practitioner"), None, "an id of another type shows nothing");

    // Asha may be called otherwise tomorrow, and nobody would say the appointment again.
    let rao = door.practitioner("Dr Rao").await;
    let first = door.create(appointment(&asha, &rao, "09:15")).await;
    let slot = text(&first["slot"][0]["reference"]).replace("Slot/", "");
    let (schedule, minute) = slot.rsplit_once('.').unwrap();
    let slot = format!("{schedule}.{}", minute.parse::<u32>().unwrap() + 15);
    let body = json!({ "patient_id": asha["id"], "slot_id": slot });
    let booked = door.desk("POST", "appointments", Some(body)).await.body;
    let shown = door.get(&format!("/Appointment/{}", text(&booked["id"]))).await.body;
    let mut told = door.told("Appointment").unwrap();
    for (nth, named) in ["Asha Rao", "Dr Rao"].into_iter().enumerate() {
        let actor = &mut told["participant"][nth]["actor"];
        assert_eq!(actor.get("display"), None);
        actor["display"] = json!(named);
    }
    assert_eq!(told, shown);

    // What was told before is known as it was.
    let body = json!({ "reason": "asked for" });
    let path = format!("appointments/{}/cancel", text(&booked["id"]));
    assert_eq!(door.desk("POST", &path, Some(body)).await.status.as_u16(), 200);
    let before = door.told("Appointment").unwrap();
    assert_eq!(before["status"], "cancelled");
    for actor in [0, 1] {
        told["participant"][actor]["actor"].as_object_mut().unwrap().shift_remove("display");
    }
    assert_eq!(door.told_at("Appointment", Some(1)).unwrap().to_string(), told.to_string());

    // What is kept goes by a name of its own; the log knows it by another id.
    let observation = json!({ "resourceType": "Observation", "id": "mass-1", "status": "final",
        "code": { "text": "mass" } });
    door.put("/Observation/mass-1", observation).await;
    assert_eq!(door.told("Observation").unwrap(), door.get("/Observation/mass-1").await.body);
    assert_eq!(door.told("Condition"), None);
    door.delete("/Observation/mass-1").await;
    assert_eq!(door.told("Observation"), None);
}
