//! A program of others books through the hub: by the box while it is there, from what it lent while the line is cut.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sync_hub::store;
use uuid::Uuid;

use super::hub::{CLINIC, World};
use super::line::Faults;
use super::{seed, sync_of};
use crate::journeys::running::{Running, code, stands};

/// Rounds within which the two have said to each other what they have to.
const ROUNDS_MAX: usize = 400;
/// The line carries nothing.
const CUT: Faults =
    Faults { cut: 100, twice: 0, late: 0, lost: 0, bits_per_second: None, only_enrol: false };

/// A program with a token of the clinic.
struct Portal<'a> {
    world: &'a World,
    clinic: Uuid,
    token: String,
    http: reqwest::Client,
}

impl<'a> Portal<'a> {
    fn new(world: &'a World) -> Self {
        let clinic = world.hub_status()["clinic"].as_str().unwrap().parse().unwrap();
        let scope = "system/Patient.rs system/Appointment.crus system/Slot.rs system/Schedule.rs";
        let words = ["token", "create", "--clinic", CLINIC, "--name", "Portal", "--scope", scope];
        let token = world.place.run(&words).trim().to_owned();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { world, clinic, token, http }
    }

    fn address(&self, path: &str) -> String {
        format!("http://{}/fhir/{}/{path}", self.world.hub.address, self.clinic)
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(self.address(path)).bearer_auth(&self.token).send().await;
        let answer = answer.unwrap();
        let (status, body) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// The times that are free, and whether the hub alone knows of them.
    async fn find(&self) -> (Vec<String>, bool) {
        let found = self.get("Appointment/$find?_count=20").await;
        let entries = found["entry"].as_array().cloned().unwrap_or_default();
        let of = |mode: &str| {
            let fits = entries.iter().filter(|it| it["search"]["mode"] == mode);
            fits.map(|it| it["resource"].clone()).collect::<Vec<_>>()
        };
        let ids = of("match").iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
        (ids, of("outcome").iter().any(|it| it.to_string().contains("is away")))
    }

    async fn book(&self, key: &str, time: &str, patient: &str) -> Value {
        let reference =
            |name: &str, to: String| json!({ "name": name, "valueReference": { "reference": to } });
        let asked = json!({ "resourceType": "Parameters", "parameter": [
            reference("appointment-reference", format!("Appointment/{time}")),
            reference("patient-reference", format!("Patient/{patient}")),
        ] });
        let request = self.http.post(self.address("Appointment/$book")).bearer_auth(&self.token);
        let request = request.header("content-type", "application/fhir+json");
        let request = request.header("idempotency-key", key).body(asked.to_string());
        let answer = request.send().await.unwrap();
        let (status, body) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 200, "{body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        let booked = body["entry"][0]["resource"].clone();
        assert_eq!(booked["status"], "booked", "{body}");
        booked
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_books_by_the_box_and_from_what_it_lent_and_nobody_twice() {
    let world = World::new(seed()).await;
    let clinic = &world.clinic;
    let running = Running::start(clinic);
    let asha = running.register(&clinic.clerk, "Asha Rao").await;
    let ravi = running.register(&clinic.clerk, "Ravi Kumar").await;
    world.settle(clinic, &running).await;
    let portal = Portal::new(&world);
    for round in 0.. {
        let (times, is_away) = portal.find().await;
        if !times.is_empty() && !is_away && world.hub_status()["loans"]["held"] != 0 {
            break;
        }
        assert!(round < ROUNDS_MAX, "the box asks and lends\n{}", running.log());
        sync_of(clinic, &running).await;
    }
    let (times, _) = portal.find().await;
    let by_box = portal.book("one", &times[0], &asha).await;
    let id = by_box["id"].as_str().unwrap();
    let (status, found) = running.get(&format!("appointments/{id}"), &clinic.clerk).await;
    assert_eq!(
        (status, &found["patient"]["id"]),
        (200, &json!(asha)),
        "it is in the diary at once"
    );
    assert_eq!(portal.book("one", &times[0], &asha).await, by_box);
    world.settle(clinic, &running).await;

    world.line.be(CUT);
    // The box counts as there for a minute more: that passes here.
    let hub = world.place.open();
    let at = portal.clinic.into_bytes();
    let long_ago = hub.clock.now_ms() - 3_600_000;
    hub.store.write(at, |tx| store::polled(tx, at, long_ago)).unwrap();
    let (lent, is_away) = portal.find().await;
    assert!(is_away && !lent.is_empty());
    let sold = portal.book("two", &lent[0], &ravi).await;
    assert_eq!(portal.book("two", &lent[0], &ravi).await, sold);
    let slot = sold["slot"][0]["reference"].as_str().unwrap().strip_prefix("Slot/").unwrap();
    let body = json!({ "patient_id": asha, "slot_id": slot });
    let (status, refused) = running.post("appointments", &clinic.clerk, &body).await;
    assert_eq!((status, code(&refused)), (409, "slot_lent"), "{refused}");
    assert_eq!(world.hub_status()["loans"]["sold_unsettled"], 1);

    // The line is there again: the first word that gets through brings all the others.
    world.line.be(Faults::default());
    let path = format!("appointments/{}", sold["id"].as_str().unwrap());
    for round in 0.. {
        if running.get(&path, &clinic.clerk).await.0 == 200
            && world.hub_status()["loans"]["sold_unsettled"] == 0
        {
            break;
        }
        assert!(round < ROUNDS_MAX, "what was sold gets into the diary\n{}", running.log());
        sync_of(clinic, &running).await;
    }
    let (_, adopted) = running.get(&path, &clinic.clerk).await;
    assert_eq!((&adopted["patient"]["id"], &adopted["slot_id"]), (&json!(ravi), &json!(slot)));
    let diary = running.appointments(&clinic.clerk).await;
    let stand: Vec<&Value> =
        diary.iter().filter(|it| stands(it)).map(|it| &it["slot_id"]).collect();
    let slots: BTreeSet<String> = stand.iter().map(|it| it.to_string()).collect();
    assert_eq!((stand.len(), slots.len()), (2, 2), "nobody is booked twice: {diary:?}");
    world.settle(clinic, &running).await;
    world.assert_equal(clinic);
    let told = portal.get("Appointment?status=booked&_summary=count").await;
    assert_eq!(told["total"], 2);
}
