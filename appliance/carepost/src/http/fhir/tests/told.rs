//! What the hub is told of a record: the very resource that the door shows.

use prm::change;
use prm::stamp::Stamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Door, patient, text};
use crate::http::fhir::told::shown;

impl Door {
    /// What is told of the record that was changed last, as this type.
    fn told(&self, kind: &str) -> Option<Value> {
        let stamp = Stamp::of_box(self.clinic.app.now());
        let read = |read: &prm::db::Read<'_>| {
            let last = change::after(read, change::last(read)? - 1, 1)?;
            let id: Uuid = last[0].resource;
            shown(read, &stamp, kind, id)
        };
        let found = self.clinic.app.db.read_blocking(read).unwrap();
        found.map(|resource| serde_json::from_slice(&resource.to_vec()).unwrap())
    }
}

#[tokio::test]
async fn the_hub_is_told_what_the_door_shows_and_that_something_is_gone() {
    let door = Door::open();
    let asha = door.create(patient("Asha Rao")).await;
    assert_eq!(
        door.told("Patient").unwrap(),
        door.get(&format!("/Patient/{}", text(&asha["id"]))).await.body
    );
    assert_eq!(door.told("Practitioner"), None, "an id of another type shows nothing");

    // What is kept goes by a name of its own; the log knows it by another id.
    let observation = json!({ "resourceType": "Observation", "id": "mass-1", "status": "final",
        "code": { "text": "mass" } });
    door.put("/Observation/mass-1", observation).await;
    assert_eq!(door.told("Observation").unwrap(), door.get("/Observation/mass-1").await.body);
    assert_eq!(door.told("Condition"), None);
    door.delete("/Observation/mass-1").await;
    assert_eq!(door.told("Observation"), None);
}
