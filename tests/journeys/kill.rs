//! `kill -9` during load, again and again: what was acknowledged is there, nothing is there twice.
//!
//! `CAREPOST_KILL_ROUNDS` sets how often, `CAREPOST_SEED` which moments and requests.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fastrand::Rng;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::running::{Clinic, Running, SLOTS_A_DAY, stands};

const ROUNDS: u64 = 12;
const CLIENTS: usize = 8;
const PRACTITIONERS: usize = 4;
/// Days whose slots are asked for.
const DAYS: i64 = 60;
/// Slots that all clients of a round fight for: few, so that they meet.
const WANTED_AT_ONCE: i64 = 60;
/// Requests and answers after which the box is killed, at the most.
const EVENTS_MAX: usize = 400;

/// A booking as the client knows it.
#[derive(Clone, Debug)]
struct Visit {
    /// Stands in the appointment as its reason: how a second one would be noticed.
    mark: String,
    body: Value,
    /// The id and the slot; nothing until a booking was answered.
    known: Option<(String, String)>,
    cancelled: bool,
    /// The request that was sent last and not answered.
    unanswered: Option<Asked>,
}

#[derive(Clone, Debug)]
enum Asked {
    Booking,
    Move(String),
    Cancelling,
}

/// What a client sent and heard in a round.
#[derive(Default)]
struct Heard {
    visits: Vec<Visit>,
    /// Names and ids of those who were registered; no id where no answer came.
    people: Vec<(String, Option<String>)>,
    answers: usize,
}

/// Counts requests and answers, so that the moment of the kill can be anywhere between two of them.
struct Events {
    seen: AtomicUsize,
    told: watch::Sender<usize>,
}

impl Events {
    fn count(&self) {
        let seen = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        self.told.send_replace(seen);
    }
}

struct Client {
    clinic: Arc<Clinic>,
    running: Arc<Running>,
    events: Arc<Events>,
    patients: Arc<Vec<String>>,
    rng: Rng,
    name: String,
    first_slot: i64,
    heard: Heard,
}

impl Client {
    /// Asks for one thing after the other until no answer comes.
    async fn live(mut self) -> Heard {
        for nth in 0.. {
            let alive = match self.rng.u32(0..10) {
                0..5 => self.book(nth).await,
                5 => self.register(nth).await,
                6..8 => self.change(true).await,
                _ => self.change(false).await,
            };
            if alive.is_none() {
                break;
            }
        }
        self.heard
    }

    fn any_slot(&mut self) -> String {
        let nth = self.first_slot + self.rng.i64(0..WANTED_AT_ONCE / PRACTITIONERS as i64);
        self.clinic.slot(self.rng.usize(0..PRACTITIONERS), nth)
    }

    async fn ask(&self, path: &str, key: Option<&str>, body: &Value) -> Option<(u16, Value)> {
        self.events.count();
        let answer =
            self.running.try_call(("POST", path), &self.clinic.clerk, key, Some(body)).await;
        self.events.count();
        answer
    }

    async fn book(&mut self, nth: usize) -> Option<()> {
        let mark = format!("{}-{nth}", self.name);
        let slot = self.any_slot();
        let patient = self.rng.choice(self.patients.iter()).unwrap();
        let body = json!({ "patient_id": patient, "slot_id": slot, "reason": mark });
        let answer = self.ask("appointments", Some(&mark), &body).await;
        let known = match &answer {
            Some((201, booked)) => {
                assert_eq!(booked["slot_id"].as_str(), Some(slot.as_str()));
                Some((booked["id"].as_str().unwrap().to_owned(), slot))
            }
            Some((409, _)) => {
                self.heard.answers += 1;
                return Some(());
            }
            Some(other) => panic!("a booking was answered by {other:?}"),
            None => None,
        };
        let unanswered = known.is_none().then_some(Asked::Booking);
        self.heard.visits.push(Visit { mark, body, known, cancelled: false, unanswered });
        self.heard.answers += 1;
        answer.map(drop)
    }

    async fn register(&mut self, nth: usize) -> Option<()> {
        let name = format!("Person {}-{nth}", self.name);
        let body = json!({ "name": name, "accept_duplicate": true });
        let answer = self.ask("patients", Some(&name), &body).await;
        let id = answer.as_ref().map(|(status, patient)| {
            assert_eq!(*status, 201, "{patient}");
            patient["id"].as_str().unwrap().to_owned()
        });
        self.heard.people.push((name, id));
        self.heard.answers += 1;
        answer.map(drop)
    }

    /// Moves or cancels one of its own.
    async fn change(&mut self, moves: bool) -> Option<()> {
        let slot = self.any_slot();
        let own: Vec<usize> =
            (0..self.heard.visits.len()).filter(|at| !self.heard.visits[*at].cancelled).collect();
        let Some(at) = self.rng.choice(own) else { return Some(()) };
        let Some((id, _)) = self.heard.visits[at].known.clone() else { return Some(()) };
        let (step, body, asked) = if moves {
            ("move", json!({ "slot_id": slot }), Asked::Move(slot.clone()))
        } else {
            ("cancel", json!({ "reason": "asked for" }), Asked::Cancelling)
        };
        let answer = self.ask(&format!("appointments/{id}/{step}"), None, &body).await;
        let visit = &mut self.heard.visits[at];
        match &answer {
            Some((200, _)) if moves => visit.known = Some((id, slot)),
            Some((200, _)) => visit.cancelled = true,
            Some((409, _)) if moves => {}
            Some(other) => panic!("a step was answered by {other:?}"),
            None => visit.unanswered = Some(asked),
        }
        self.heard.answers += 1;
        answer.map(drop)
    }
}

/// Everything that was acknowledged in all rounds, by mark.
#[derive(Default)]
struct Acknowledged {
    visits: HashMap<String, Visit>,
    people: Vec<(String, String)>,
    answers: usize,
    unanswered: usize,
}

impl Acknowledged {
    /// Asks again what was not answered and takes in what becomes of it.
    async fn settle(&mut self, heard: Heard, running: &Running, clerk: &str) {
        self.answers += heard.answers;
        for mut visit in heard.visits {
            if visit.unanswered.is_some() {
                self.unanswered += 1;
            }
            match visit.unanswered.take() {
                None => {}
                Some(Asked::Booking) => {
                    let again = ("POST", "appointments");
                    let (key, body) = (Some(visit.mark.as_str()), Some(&visit.body));
                    let answer = running.try_call(again, clerk, key, body).await.unwrap();
                    assert_eq!(answer, running.try_call(again, clerk, key, body).await.unwrap());
                    match answer {
                        (201, booked) => {
                            let id = booked["id"].as_str().unwrap().to_owned();
                            let slot = booked["slot_id"].as_str().unwrap().to_owned();
                            visit.known = Some((id, slot));
                        }
                        (409, _) => continue,
                        other => panic!("a repeated booking was answered by {other:?}"),
                    }
                }
                Some(asked) => {
                    let (id, old) = visit.known.take().unwrap();
                    let (status, now) = running.get(&format!("appointments/{id}"), clerk).await;
                    assert_eq!(status, 200, "{now}");
                    let slot = now["slot_id"].as_str().unwrap().to_owned();
                    visit.cancelled = match asked {
                        Asked::Cancelling => now["status"] == "cancelled",
                        Asked::Move(new) => {
                            assert!(slot == old || slot == new, "{now}");
                            false
                        }
                        Asked::Booking => false,
                    };
                    visit.known = Some((id, slot));
                }
            }
            self.visits.insert(visit.mark.clone(), visit);
        }
        for (name, id) in heard.people {
            let body = json!({ "name": name, "accept_duplicate": true });
            let again = ("POST", "patients");
            // Whether or not it was answered: the same key hears the same person.
            let (status, patient) =
                running.try_call(again, clerk, Some(&name), Some(&body)).await.unwrap();
            assert_eq!(status, 201, "{patient}");
            let now = patient["id"].as_str().unwrap().to_owned();
            assert!(id.is_none_or(|id| id == now), "{name} was registered twice");
            self.people.push((name, now));
        }
    }

    /// Compares with what the box has.
    async fn assert_kept(&self, running: &Running, clerk: &str) {
        let mut seen = HashSet::new();
        let mut taken = HashSet::new();
        for appointment in running.appointments(clerk).await {
            let mark = appointment["reason"].as_str().unwrap().to_owned();
            let visit = self.visits.get(&mark);
            let visit = visit.unwrap_or_else(|| panic!("nobody was told of {appointment}"));
            let (id, slot) = visit.known.as_ref().unwrap();
            assert_eq!(appointment["id"].as_str(), Some(id.as_str()), "{mark} is there twice");
            assert_eq!(appointment["slot_id"].as_str(), Some(slot.as_str()), "{visit:?}");
            assert_eq!(stands(&appointment), !visit.cancelled, "{appointment} {visit:?}");
            if stands(&appointment) {
                assert!(taken.insert(slot.clone()), "{slot} is booked twice");
            }
            assert!(seen.insert(mark.clone()), "{mark} is there twice");
        }
        let lost: Vec<_> = self.visits.keys().filter(|mark| !seen.contains(*mark)).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_being_killed() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let rounds = number("CAREPOST_KILL_ROUNDS").unwrap_or(ROUNDS);
    let seed = number("CAREPOST_SEED").unwrap_or(1);
    let folder = tempfile::tempdir().unwrap();
    let clinic = Arc::new(Clinic::found(&folder.path().join("clinic"), PRACTITIONERS));
    let mut running = Arc::new(Running::start(&clinic));
    let mut patients = Vec::new();
    for nth in 0..80 {
        patients.push(running.register(&clinic.clerk, &format!("Patient {nth}")).await);
    }
    let patients = Arc::new(patients);
    let mut all = Acknowledged::default();
    for round in 0..rounds {
        let mut rng = Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(round));
        let (told, mut seen) = watch::channel(0);
        let events = Arc::new(Events { seen: AtomicUsize::new(0), told });
        let first_slot = rng.i64(0..DAYS * SLOTS_A_DAY);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|nth| {
                let client = Client {
                    clinic: Arc::clone(&clinic),
                    running: Arc::clone(&running),
                    events: Arc::clone(&events),
                    patients: Arc::clone(&patients),
                    rng: rng.fork(),
                    name: format!("r{round}-c{nth}"),
                    first_slot,
                    heard: Heard::default(),
                };
                tokio::spawn(client.live())
            })
            .collect();
        let moment = rng.usize(2..EVENTS_MAX);
        seen.wait_for(|seen| *seen >= moment).await.unwrap();
        running.kill();
        let mut heard = Vec::new();
        for client in clients {
            heard.push(client.await.unwrap());
        }
        running = Arc::new(Running::start(&clinic));
        for heard in heard {
            all.settle(heard, &running, &clinic.clerk).await;
        }
        all.assert_kept(&running, &clinic.clerk).await;
        clinic.assert_sound();
    }
    for (name, id) in &all.people {
        let (status, patient) = running.get(&format!("patients/{id}"), &clinic.clerk).await;
        assert_eq!((status, patient["name"].as_str()), (200, Some(name.as_str())));
    }
    assert!(all.unanswered > 0, "no request was under way when the box was killed");
    // For whoever runs it by hand, with --nocapture.
    let line = format!(
        "{rounds} kills, {} answers, {} requests without one, {} bookings and {} people kept\n",
        all.answers,
        all.unanswered,
        all.visits.len(),
        all.people.len(),
    );
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
}
