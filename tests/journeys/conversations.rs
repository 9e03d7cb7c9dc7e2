//! Patients who write to the clinic on WhatsApp: a provider that is played here, and hub, broker and box as the real
//! programs. Whatever is killed on the way, each message is answered once, and nobody is booked twice.

mod world;

use std::collections::BTreeSet;

use carepost::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use self::world::{Patient, World};

/// Patients who write at the same time.
const PATIENTS: u32 = 6;
/// Questions before somebody is booked, at the most: those of one booking, and one more for each time that another patient
/// was quicker.
const QUESTIONS_MAX: usize = 8 + 2 * PATIENTS as usize;

/// Books whatever is offered first, and says how often the clinic said that it is booked.
async fn books(patient: &mut Patient) {
    books_on(patient, "tomorrow").await;
}

async fn books_on(patient: &mut Patient, day: &str) {
    patient.write(&format!("I need a general medicine appointment {day}")).await;
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
    let talks = begin(&world).await;
    world.kill_box().await;
    world.kill_broker().await;
    world.kill_hub().await;
    world.kill_box().await;
    all_are_booked(&world, talks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hubs_beside_each_other_answer_each_message_once_also_if_one_is_killed() {
    let mut world = World::with_two_hubs().await;
    let talks = begin(&world).await;
    world.kill_hub().await;
    all_are_booked(&world, talks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_week_without_the_line_nothing_stale_is_sent_and_what_waited_is_left_to_the_desk() {
    let mut world = World::new().await;
    let (mut asha, ravi) = (world.patient(0), world.patient(1));
    world.register(&asha).await;
    let to_ravi = world.register(&ravi).await;
    let rule = json!({ "before_minutes": 120, "media": ["whatsapp"] });
    world.post("reminder-rules", &rule).await;
    // Early visits are reminded of before the night; whoever books in the evening for the next morning is not.
    books_on(&mut asha, "the day after tomorrow").await;
    asha.hear().await;
    // Nothing is under way any more when the line is cut.
    let with_asha = world.get("conversations").await["items"][0]["id"].clone();
    let latest = format!("conversations/{}/messages?limit=1", with_asha.as_str().unwrap());
    world.lists(&latest, |it| it["sending"]["state"] == "read").await;
    let start: Timestamp = world.booked().await[0]["start"].as_str().unwrap().parse().unwrap();
    let until = start.duration_since(Clock::System.now());

    // An hour before the visit, without the line: she is reminded, the desk writes, and he writes to the clinic.
    world.cut_off(until - SignedDuration::from_hours(1));
    world.lists("messages?state=waiting", |it| it["sending"]["purpose"] == "reminder").await;
    let with = world.post("conversations", &json!({ "patient_id": to_ravi })).await;
    let path = format!("conversations/{}/messages", with["id"].as_str().unwrap());
    world.post(&path, &json!({ "template": "carepost_write_back" })).await;
    ravi.write("Are you open on Sunday?").await;

    world.come_back(until + SignedDuration::from_hours(7 * 24)).await;
    let before = asha.thread().len();
    asha.write("hello").await;
    let greeted = asha.hear().await.text;
    assert!(greeted.contains("automatic assistant"), "{greeted}");
    assert_eq!(asha.thread().len(), before + 2, "nothing was sent of the visit of last week");
    // His question waits at the desk, and so does what was not sent to him: WhatsApp lets nobody answer after a day.
    world.lists("conversations?unread=true", |it| it["name"] == "Ravi Iyer").await;
    world.lists("tickets", |it| it["reason"] == "not-delivered").await;
    assert_eq!(ravi.thread().len(), 1, "{:#?}", ravi.thread());
    let tickets = world.get("tickets").await;
    assert_eq!(tickets["items"].as_array().map(Vec::len), Some(1), "{tickets}");
}

/// All patients begin to book.
async fn begin(world: &World) -> Vec<JoinHandle<Patient>> {
    let mut talks = Vec::new();
    for nth in 0..PATIENTS {
        let mut patient = world.patient(nth);
        world.register(&patient).await;
        talks.push(tokio::spawn(async move {
            books(&mut patient).await;
            patient
        }));
    }
    talks
}

/// Waits until all are through: each is booked once, and no message is without an answer.
async fn all_are_booked(world: &World, talks: Vec<JoinHandle<Patient>>) {
    let mut patients = Vec::new();
    for talk in talks {
        patients.push(talk.await.unwrap());
    }
    for patient in &patients {
        assert_eq!(times_booked(patient), 1, "{:#?}", patient.thread());
        assert_eq!(patient.unanswered(), 0, "{:#?}", patient.thread());
        // The code for the kiosk is one message more.
        let (answers, own): (Vec<_>, Vec<_>) =
            patient.thread().into_iter().partition(|it| it.is_from_clinic);
        assert!(answers.len() <= own.len() + 1, "{answers:#?}");
    }
    let booked = world.booked().await;
    let all = |field: &str| -> BTreeSet<String> {
        booked.iter().filter_map(|it: &Value| it[field].as_str().map(str::to_owned)).collect()
    };
    let wanted = usize::try_from(PATIENTS).unwrap();
    let found = (booked.len(), all("patient_id").len());
    assert_eq!(found, (wanted, wanted), "{booked:#?}");
}
