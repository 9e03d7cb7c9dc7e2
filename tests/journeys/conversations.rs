//! Patients who write to the clinic on WhatsApp: a provider that is played here, and hub, broker and box as the real
//! programs. Whatever is killed on the way, each message is answered once, and nobody is booked twice.

mod world;

use std::collections::BTreeSet;

use serde_json::Value;

use self::world::{Patient, World};

/// Patients who write at the same time.
const PATIENTS: u32 = 6;
/// Questions before somebody is booked, at the most: those of one booking, and one more for each time that another patient
/// was quicker.
const QUESTIONS_MAX: usize = 8 + 2 * PATIENTS as usize;

/// Books whatever is offered first, and says how often the clinic said that it is booked.
async fn books(patient: &mut Patient) {
    patient.write("I need a general medicine appointment tomorrow").await;
    for _ in 0..QUESTIONS_MAX {
        let said = patient.hear().await;
        if said.text.contains("Booked:") {
            return;
        }
        patient.answer(&said).await;
    }
    panic!("never booked: {:#?}", patient.thread());
}

fn times_booked(patient: &Patient) -> usize {
    patient.thread().iter().filter(|it| it.text.contains("Booked:")).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_patient_books_on_whatsapp_and_the_desk_sees_it() {
    let world = World::new().await;
    let mut asha = world.patient(0);
    world.register(&asha).await;
    books(&mut asha).await;
    let booked = world.booked().await;
    assert_eq!(booked.len(), 1, "{booked:#?}");
    let (status, threads) = world.running().get("conversations", &world.clinic.clerk).await;
    assert_eq!((status, threads["items"].as_array().map(Vec::len)), (200, Some(1)), "{threads}");
    // What was sent is known to have arrived.
    let id = threads["items"][0]["id"].as_str().unwrap();
    let path = format!("conversations/{id}/messages");
    let (status, messages) = world.running().get(&path, &world.clinic.clerk).await;
    assert_eq!(status, 200, "{messages}");
    let written = messages["items"].as_array().unwrap().len();
    assert_eq!(written, asha.thread().len(), "{messages:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_killed_each_message_is_answered_once_and_nobody_is_booked_twice() {
    let mut world = World::new().await;
    let mut talks = Vec::new();
    for nth in 0..PATIENTS {
        let mut patient = world.patient(nth);
        world.register(&patient).await;
        talks.push(tokio::spawn(async move {
            books(&mut patient).await;
            patient
        }));
    }
    world.kill_box().await;
    world.kill_broker().await;
    world.kill_hub().await;
    world.kill_box().await;
    let mut patients = Vec::new();
    for talk in talks {
        patients.push(talk.await.unwrap());
    }
    for patient in &patients {
        assert_eq!(times_booked(patient), 1, "{:#?}", patient.thread());
        assert_eq!(patient.unanswered(), 0, "{:#?}", patient.thread());
    }
    let booked = world.booked().await;
    let all = |field: &str| -> BTreeSet<String> {
        booked.iter().filter_map(|it: &Value| it[field].as_str().map(str::to_owned)).collect()
    };
    let wanted = usize::try_from(PATIENTS).unwrap();
    let found = (booked.len(), all("patient_id").len());
    assert_eq!(found, (wanted, wanted), "{booked:#?}");
}
