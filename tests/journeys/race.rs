//! Two desks and a program race for one slot: exactly one gets it, the others hear what is free.

use std::collections::HashSet;

use serde_json::{Value, json};
use tokio::sync::Barrier;

use super::running::{Clinic, Running, code};

const RACES: usize = 500;

/// Signs somebody in; answers the cookie.
async fn sign_in(running: &Running, username: &str) -> String {
    let body = json!({ "username": username, "password": "correct horse" });
    let url = format!("http://{}/api/v1/prm/session", running.address);
    let response = running.http.post(url).json(&body).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

/// Books as a desk (with a cookie) or as a program (with a token), once everybody is ready.
async fn race(
    running: &Running,
    header: (&str, &str),
    (patient, slot): (&str, &str),
    ready: &Barrier,
) -> (u16, Value) {
    let url = format!("http://{}/api/v1/prm/appointments", running.address);
    let request = running
        .http
        .post(url)
        .header(header.0, header.1)
        .header("x-carepost-csrf", "1")
        .json(&json!({ "patient_id": patient, "slot_id": slot }));
    ready.wait().await;
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_three_who_race_for_a_slot_one_wins_and_two_hear_what_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let clinic = Clinic::found(&folder.path().join("clinic"), 1);
    let running = Running::start(&clinic);
    let desks = [sign_in(&running, "asha").await, sign_in(&running, "ravi").await];
    let program = format!("Bearer {}", clinic.integrator);
    let headers = [("cookie", &desks[0]), ("cookie", &desks[1]), ("authorization", &program)];
    let headers = headers.map(|(name, value)| (name, value.as_str()));
    let mut patients = Vec::new();
    for name in ["Asha Rao", "Ravi Iyer", "Meena Das"] {
        patients.push(running.register(&clinic.clerk, name).await);
    }
    let mut taken = HashSet::new();
    let mut wins = [0; 3];
    let mut races = 0;
    for nth in 0.. {
        if races == RACES {
            break;
        }
        let slot = clinic.slot(0, nth);
        if taken.contains(&slot) {
            continue;
        }
        races += 1;
        let ready = Barrier::new(3);
        let race = |at: usize| race(&running, headers[at], (&patients[at], &slot), &ready);
        let answers = tokio::join!(race(0), race(1), race(2));
        let answers = [answers.0, answers.1, answers.2];
        let won: Vec<usize> = (0..3).filter(|at| answers[*at].0 == 201).collect();
        assert_eq!(won.len(), 1, "{slot}: {answers:?}");
        wins[won[0]] += 1;
        taken.insert(slot.clone());
        let mut free = None;
        for (at, (status, lost)) in answers.iter().enumerate().filter(|(at, _)| *at != won[0]) {
            assert_eq!((*status, code(lost)), (409, "slot_taken"), "{lost}");
            let alternatives = lost["alternatives"].as_array().unwrap();
            assert!(!alternatives.is_empty(), "{lost}");
            for other in alternatives {
                let other = other["id"].as_str().unwrap();
                assert!(!taken.contains(other), "{other} is offered and taken");
                free = Some((at, other.to_owned()));
            }
        }
        // Now and then a loser takes what was offered: nobody else asks meanwhile, so it is there.
        if races % 10 == 0 {
            let (at, slot) = free.unwrap();
            let alone = Barrier::new(1);
            let (status, booked) =
                self::race(&running, headers[at], (&patients[at], &slot), &alone).await;
            assert_eq!(status, 201, "{booked}");
            taken.insert(slot);
        }
    }
    assert!(wins.iter().all(|wins| *wins > 0), "it was no race: {wins:?}");
    let booked = running.appointments(&clinic.clerk).await;
    assert_eq!(booked.len(), taken.len());
}
