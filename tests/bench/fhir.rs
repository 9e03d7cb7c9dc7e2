//! The FHIR door in figures, and the same asked of another FHIR server that holds the same patients and appointments.
//!
//! The other server is started by whoever measures, and named by the address of its base (`--beside`). It is first
//! given what the box has, resource by resource, so that both search in the same data.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use hyper::Method;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use prm::patient::Registration;
use serde_json::{Value, json};
use tokio::runtime::Builder;

use crate::bare;
use crate::client::{Ask, Client};
use crate::laps::Laps;
use crate::load;
use crate::measure::Bench;
use crate::people;
use crate::plan::Plan;
use crate::server::{Server, resident_mb};
use crate::table::{Figure, say};

/// Clients that ask at once.
const CLIENTS: usize = 16;
/// Resources of a page when the records are copied.
const PAGE: usize = 500;
/// Resources that the other server is given of one type at most, and that are read again.
const COPIED_MAX: usize = 200_000;
/// Entries of a transaction: as many patients as observations.
const ENTRIES: usize = 100;
/// Types that the other server is given; those that others refer to come first.
const TYPES: [&str; 4] = ["Practitioner", "Location", "Patient", "Appointment"];
/// Times that one search for free ones is answered with.
const FOUND: usize = 100;
/// How long a slot of the measured clinics is.
const SLOT: SignedDuration = SignedDuration::from_mins(10);

/// A FHIR server and how it is reached.
#[derive(Clone)]
struct End {
    address: SocketAddr,
    /// The path of its base.
    base: String,
    token: String,
}

/// Another FHIR server.
#[derive(Clone)]
pub struct Beside {
    /// The address of its base, such as `http://127.0.0.1:8080/fhir`.
    pub url: String,
    /// Its process, if its memory is to be told.
    pub process: Option<u32>,
}

/// What one end does of one kind of work.
struct Done {
    laps: Laps,
    rate: f64,
}

/// What is asked of both, drawn before anything is measured.
struct Asked {
    patients: Vec<String>,
    names: Vec<String>,
    phones: Vec<String>,
    day: Date,
}

/// Everything of this group.
pub fn measure(bench: &Bench<'_>, server: &Server, plan: &mut Plan) -> Result<Vec<Figure>> {
    let own = End { address: server.address, base: "/fhir".into(), token: plan.integrator.clone() };
    let mut figures = alone(bench, &own, plan)?;
    let asked = drawn(&own, plan)?;
    let beside = match &bench.beside {
        None => None,
        Some(beside) => {
            let end = beside.end()?;
            copy(&own, &end)?;
            Some(end)
        }
    };
    let mut rng = Rng::with_seed(11);
    for (nth, work) in Work::ALL.into_iter().enumerate() {
        let ours = bench.closed(&own, &mut work.asks(&own, &asked, &mut rng))?;
        say(&format!("  FHIR, {}: {:.0}/s", work.name(), ours.rate));
        let mut reference = match (&beside, work) {
            (None, Work::Create | Work::Transaction) if nth == 0 => bench.single_commit()?,
            _ => String::new(),
        };
        if let Some(end) = &beside {
            let theirs = bench.closed(end, &mut work.asks(end, &asked, &mut rng))?;
            let ratio = ours.rate / theirs.rate;
            reference = format!(
                "the other {:.0}/s, {} (ours {ratio:.1} times)",
                theirs.rate,
                theirs.laps.text()
            );
        }
        figures.push(Figure {
            group: "fhir",
            what: format!("FHIR, {CLIENTS} clients: {}", work.name()),
            value: format!("{:.0}/s, {}", ours.rate, ours.laps.text()),
            goal: None,
            reference,
        });
    }
    let others = match bench.beside.as_ref().and_then(|beside| beside.process) {
        Some(process) => format!("the other {:.0} MB", resident_mb(process)?),
        None => String::new(),
    };
    figures.push(Figure {
        group: "fhir",
        what: "FHIR, memory after the load".into(),
        value: format!("{:.0} MB", server.resident_mb()?),
        goal: None,
        reference: others,
    });
    Ok(figures)
}

/// What only the box is asked: single reads, times that are free, bookings.
fn alone(bench: &Bench<'_>, own: &End, plan: &mut Plan) -> Result<Vec<Figure>> {
    let times = 10 * bench.effort.times;
    let ids = ids(own, "Patient?_count=200")?;
    let read = |nth: usize| own.get("read", &format!("Patient/{}", ids[nth % ids.len()]));
    let (reads, _) = load::one_by_one(own.address, &own.token, (0..times).map(read).collect())?;
    let (from, to) = (plan.fortnight()?.from, plan.fortnight()?.to);
    let find = format!("Appointment/$find?start={from}&end={to}&_count={FOUND}");
    let asks = vec![own.get("find", &find); bench.effort.times];
    let (finds, _) = load::one_by_one(own.address, &own.token, asks)?;
    let bookings: Vec<Ask> = (0..bench.effort.times)
        .map_while(|_| plan.bookings.pop())
        .map(|(slot, patient)| {
            let start = Timestamp::from_second(i64::from(slot.start_minute) * 60)?;
            let body = json!({
                "resourceType": "Appointment",
                "status": "booked",
                "start": start.to_string(),
                "end": (start + SLOT).to_string(),
                "slot": [{ "reference": format!("Slot/{slot}") }],
                "participant": [
                    { "actor": { "reference": format!("Patient/{patient}") }, "status": "accepted" },
                ],
            });
            Ok(own.post("book", "Appointment", &body))
        })
        .collect::<Result<_>>()?;
    let (booked, _) = load::one_by_one(own.address, &own.token, bookings)?;
    let commit = bare::single_commits(&bench.data, 5 * bench.effort.times)?;
    let commit =
        format!("one bare durable row p50 {:.1}, p99 {:.1} ms", commit.ms(50), commit.ms(99));
    let figure = |what: &str, laps: &Laps, goal, reference: &str| Figure {
        group: "fhir",
        what: what.into(),
        value: laps.text(),
        goal,
        reference: reference.into(),
    };
    Ok(vec![
        figure("FHIR read, one by one", &reads, Some(("< 1 ms", reads.ms(50) < 1.0)), &commit),
        figure(
            "FHIR $find, a fortnight of all",
            &finds,
            Some(("< 10 ms", finds.ms(95) < 10.0)),
            "",
        ),
        figure("FHIR booking, one by one", &booked, None, &commit),
    ])
}

/// A kind of work that any FHIR server does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    Create,
    Read,
    Name,
    Phone,
    Visits,
    Day,
    Transaction,
}

impl Work {
    const ALL: [Self; 7] = [
        Self::Create,
        Self::Read,
        Self::Name,
        Self::Phone,
        Self::Visits,
        Self::Day,
        Self::Transaction,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Create => "creates of a patient",
            Self::Read => "reads of a patient",
            Self::Name => "searches by name, 20 of them",
            Self::Phone => "searches by phone",
            Self::Visits => "searches for a patient's appointments",
            Self::Day => "searches for a day's appointments, 50 of them",
            Self::Transaction => "transactions of 100 entries",
        }
    }

    /// What is asked, without end.
    fn asks<'a>(
        self,
        end: &'a End,
        asked: &'a Asked,
        rng: &'a mut Rng,
    ) -> impl Iterator<Item = Ask> + use<'a> {
        let mut people = Vec::new();
        std::iter::from_fn(move || {
            let patient = &asked.patients[rng.usize(..asked.patients.len())];
            Some(match self {
                Self::Create => end.post("create", "Patient", &next_patient(&mut people, rng)),
                Self::Read => end.get("read", &format!("Patient/{patient}")),
                Self::Name => {
                    let name = &asked.names[rng.usize(..asked.names.len())];
                    end.get("name", &format!("Patient?name={name}&_count=20"))
                }
                Self::Phone => {
                    let phone = &asked.phones[rng.usize(..asked.phones.len())];
                    end.get("phone", &format!("Patient?phone=%2B{phone}"))
                }
                Self::Visits => {
                    end.get("visits", &format!("Appointment?patient=Patient/{patient}"))
                }
                Self::Day => end.get("day", &format!("Appointment?date={}&_count=50", asked.day)),
                Self::Transaction => end.post("transaction", "", &transaction(&mut people, rng)),
            })
        })
    }
}

impl Bench<'_> {
    fn closed(&self, end: &End, asks: &mut impl Iterator<Item = Ask>) -> Result<Done> {
        let (laps, took) = load::closed(end.address, &end.token, CLIENTS, self.effort.round, asks)?;
        let rate = laps.count() as f64 / took.as_secs_f64();
        Ok(Done { laps, rate })
    }
}

impl Beside {
    fn end(&self) -> Result<End> {
        let rest =
            self.url.strip_prefix("http://").context("--beside takes http://ADDRESS/BASE")?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let address = host.parse().context("--beside takes an address with a port, not a name")?;
        let path = path.trim_end_matches('/');
        let base = if path.is_empty() { String::new() } else { format!("/{path}") };
        Ok(End { address, base, token: "none".into() })
    }
}

impl End {
    fn get(&self, kind: &'static str, path: &str) -> Ask {
        Ask::get(kind, format!("{}/{path}", self.base))
    }

    fn post(&self, kind: &'static str, path: &str, body: &Value) -> Ask {
        let path = if path.is_empty() && !self.base.is_empty() {
            self.base.clone()
        } else {
            format!("{}/{path}", self.base)
        };
        Ask::post(kind, path, body.to_string(), &[200, 201])
    }

    fn put(&self, path: &str, body: &Value) -> Ask {
        Ask { method: Method::PUT, ..self.post("put", path, body) }
    }
}

/// A made-up patient that nobody asked for yet.
fn next_patient(people: &mut Vec<Registration>, rng: &mut Rng) -> Value {
    if people.is_empty() {
        *people = people::population(rng, 1_000);
    }
    people.pop().map(|person| patient(&person)).unwrap_or_default()
}

fn patient(person: &Registration) -> Value {
    let (given, family) = person.name.split_once(' ').unwrap_or((&person.name, "Rao"));
    let phones = person.phones.iter();
    json!({
        "resourceType": "Patient",
        "name": [{ "text": person.name, "family": family, "given": [given] }],
        "telecom": phones
            .map(|phone| json!({ "system": "phone", "value": format!("+91{}", phone.number) }))
            .collect::<Vec<_>>(),
        "birthDate": person.birth_date,
        "gender": person.sex,
    })
}

/// Half of the entries are patients, and each has one observation.
fn transaction(people: &mut Vec<Registration>, rng: &mut Rng) -> Value {
    let entries = (0..ENTRIES / 2).flat_map(|nth| {
        let url = format!("urn:uuid:00000000-0000-4000-8000-{nth:012}");
        let observation = json!({
            "resourceType": "Observation",
            "status": "final",
            "code": { "coding": [{ "system": "http://loinc.org", "code": "8867-4" }] },
            "subject": { "reference": url },
            "effectiveDateTime": "2026-11-20T09:30:00+05:30",
            "valueQuantity": {
                "value": rng.u8(55..120),
                "unit": "beats/minute",
                "system": "http://unitsofmeasure.org",
                "code": "/min",
            },
        });
        let patient = next_patient(people, rng);
        let entry = |url: Option<&str>, resource: Value| {
            let type_ = resource["resourceType"].clone();
            let mut entry = json!({
                "resource": resource,
                "request": { "method": "POST", "url": type_ },
            });
            if let Some(url) = url {
                entry["fullUrl"] = url.into();
            }
            entry
        };
        [entry(Some(&url), patient), entry(None, observation)]
    });
    json!({
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": entries.collect::<Vec<_>>(),
    })
}

/// Draws what both are asked from the box's own answers.
fn drawn(own: &End, plan: &Plan) -> Result<Asked> {
    let page = page(own, &format!("{}/Patient?_count={PAGE}", own.base))?;
    let all = page["entry"].as_array().context("no patients")?;
    let resources = || all.iter().map(|entry| &entry["resource"]);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let names = resources().filter_map(|it| {
        let name = it["name"][0]["text"].as_str()?;
        name.is_ascii().then(|| name.split(' ').next().unwrap_or(name).to_owned())
    });
    let phones = resources().filter_map(|it| {
        Some(it["telecom"][0]["value"].as_str()?.trim_start_matches('+').to_owned())
    });
    let asked = Asked {
        patients: resources().filter_map(|it| text(&it["id"])).collect(),
        names: names.collect(),
        phones: phones.collect(),
        day: plan.today,
    };
    ensure!(
        !asked.patients.is_empty() && !asked.names.is_empty() && !asked.phones.is_empty(),
        "the clinic's patients have no names or phones"
    );
    Ok(asked)
}

fn ids(own: &End, path: &str) -> Result<Vec<String>> {
    let page = page(own, &format!("{}/{path}", own.base))?;
    let entries = page["entry"].as_array().context("nothing is found")?.iter();
    Ok(entries.filter_map(|it| it["resource"]["id"].as_str().map(str::to_owned)).collect())
}

fn page(end: &End, path: &str) -> Result<Value> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut client = Client::open(end.address, &end.token).await?;
        Ok(serde_json::from_slice(&client.ask(Ask::get("page", path.into())).await?)?)
    })
}

/// Gives the other server what the box has.
fn copy(own: &End, to: &End) -> Result<()> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut from = Client::open(own.address, &own.token).await?;
        let mut into = Client::open(to.address, &to.token).await?;
        for type_ in TYPES {
            let mut copied = 0;
            let mut next = Some(format!("{}/{type_}?_count={PAGE}", own.base));
            while let Some(path) = next.take().filter(|_| copied < COPIED_MAX) {
                let page: Value = serde_json::from_slice(&from.ask(Ask::get("page", path)).await?)?;
                for entry in page["entry"].as_array().into_iter().flatten() {
                    let resource = &entry["resource"];
                    if let (Some(id), true) =
                        (resource["id"].as_str(), resource["resourceType"] == type_)
                    {
                        into.ask(to.put(&format!("{type_}/{id}"), resource)).await?;
                        copied += 1;
                    }
                }
                let links = page["link"].as_array().into_iter().flatten();
                next = links
                    .filter(|link| link["relation"] == "next")
                    .find_map(|link| link["url"].as_str())
                    .and_then(|url| {
                        url.find(&format!("{}/", own.base)).map(|at| url[at..].to_owned())
                    });
            }
            say(&format!("  the other server was given {copied} of {type_}"));
        }
        Ok(())
    })
}
