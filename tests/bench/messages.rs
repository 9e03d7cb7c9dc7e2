//! Messages of patients, by the real programs: a provider that is played, the hub, Mosquitto and the box over loopback.
//!
//! ```text
//!   provider ─► hub ─► broker ─► box ─► reception ─► outbox ─► broker ─► hub ─► provider
//! ```
//!
//! How soon a webhook is accepted is measured while the box is off; what is accepted meanwhile is the backlog that the box
//! then takes in: once the messages alone, and once with all that the hub said in its place and what became of that.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use carepost::app;
use carepost::demo::Broker;
use carepost::demo::phones::{Account, NUMBER, NUMBER_ID, Phones, Said};
use jiff::Timestamp;
use prm::message::Quiet;
use prm::reminder::{self, Due};
use prm::reminder_rule;
use prm::stamp::Stamp;
use ring::hmac;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::client::Ask;
use crate::laps::{Laps, laps};
use crate::measure::Bench;
use crate::plan::Plan;
use crate::server::{Server, resident_mb};
use crate::sync::{enroll, is_told, said_by};
use crate::table::{Figure, say};
use crate::{bare, load};

/// Webhooks in a second.
const WEBHOOKS_PER_SECOND: f64 = 200.0;
/// Messages that wait for the box after an outage.
const WAITING: usize = 10_000;
/// People who wrote them.
const PEOPLE: usize = 200;
/// Reminders that one commit writes, as in the box.
const REMINDERS_PER_COMMIT: usize = 20;
/// How long anything may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(600);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);
/// Between two counts of all messages, which cost the box some of the processor.
const COUNT: Duration = Duration::from_millis(50);

fn figure(
    what: &str,
    value: String,
    goal: Option<(&'static str, bool)>,
    reference: String,
) -> Figure {
    Figure { group: "messages", what: what.into(), value, goal, reference }
}

/// Everything of this kind. The clinic is used up.
pub fn measure(bench: &Bench<'_>, hub: &Path) -> Result<Vec<Figure>> {
    say("  messages");
    let is_quick = bench.effort.rounds == 1;
    let waiting = if is_quick { WAITING / 10 } else { WAITING };
    let mut figures = reminders(bench)?;
    let world = World::begin(bench, hub)?;
    figures.push(world.replies(bench)?);
    figures.extend(world.outage(bench, (waiting, Meanwhile::Silent))?);
    world.hub_answers(bench)?;
    figures.extend(world.outage(bench, (waiting, Meanwhile::Answering))?);
    Ok(figures)
}

/// What is due is worked out, and written into the outbox.
fn reminders(bench: &Bench<'_>) -> Result<Vec<Figure>> {
    let db = app::open_db(&bench.data)?;
    let stamp = Stamp::of_box(Timestamp::now());
    let addition = reminder_rule::Addition {
        healthcare_service: None,
        before_minutes: 24 * 60,
        media: vec![prm::medium::Medium::Whatsapp],
        confirm: false,
    };
    db.write_blocking(move |tx| reminder_rule::add(tx, &stamp, addition).map(drop))?;
    let zone = jiff::tz::TimeZone::get("Asia/Kolkata")?;
    let quiet = Quiet { zone, from: 21 * 60, to: 8 * 60 };
    let until = stamp.now.checked_add(Duration::from_secs(90 * 86_400))?;
    let mut due: Vec<Due> = Vec::new();
    let times = laps(3, |_| {
        due = db.read_blocking(|read| reminder::due(read, &stamp, &quiet, (until, usize::MAX)))?;
        Ok(())
    })?;
    ensure!(!due.is_empty(), "nobody is to be reminded");
    let each_ms = times.ms(50) / due.len() as f64;
    // The same rows read by nobody who asks anything of them.
    let bare = bare::reader(&bench.data)?;
    let begun = Instant::now();
    let rows: i64 = bare.query_row(
        "SELECT count(*) FROM (SELECT a.id, p.id, c.at FROM appointment a JOIN patient p ON p.id = a.patient
           LEFT JOIN change c ON c.resource = a.id AND c.version = a.version
          WHERE a.start > ?1 AND a.status = 'booked')",
        [stamp.now.as_millisecond()],
        |row| row.get(0),
    )?;
    let bare_ms = begun.elapsed().as_secs_f64() * 1e3;
    let count = due.len().min(50 * bench.effort.times);
    let begun = Instant::now();
    for some in due[..count].chunks(REMINDERS_PER_COMMIT) {
        let some = some.to_vec();
        db.write_blocking(move |tx| {
            for due in &some {
                let words = prm::content::Content::text("You have an appointment tomorrow.");
                reminder::remind(tx, &stamp, due, words)?;
            }
            Ok(())
        })?;
    }
    let written = count as f64 / begun.elapsed().as_secs_f64();
    db.close();
    Ok(vec![
        figure(
            "reminders of 100,000 visits worked out",
            format!("{:.2} s ({} visits in {:.0} ms)", each_ms * 100.0, due.len(), times.ms(50)),
            Some(("< 5 s", each_ms * 100.0 < 5.0)),
            format!("SQL that joins {rows} of these rows alone {bare_ms:.0} ms"),
        ),
        figure("  written into the outbox", format!("{written:.0}/s"), None, String::new()),
    ])
}

/// A program that ends with its value.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the hub does while the box is away.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    /// It keeps what comes.
    Silent,
    /// It answers what comes.
    Answering,
}

/// Hub, broker and provider.
struct World {
    phones: Arc<Phones>,
    broker: Broker,
    hub: Ending,
    url: String,
    desk: String,
    // Provider and broker live in it.
    runtime: Runtime,
}

impl World {
    fn begin(bench: &Bench<'_>, hub: &Path) -> Result<Self> {
        let here = bench.data.join("messages");
        fs::create_dir_all(&here)?;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let broker = runtime
            .block_on(Broker::start(&here.join("broker"), None))?
            .context("this machine has no Mosquitto; `cargo xtask test` installs it")?;
        let phones = runtime.block_on(Phones::open(Account::random()?))?;
        let data: PathBuf = here.join("hub");
        let code =
            said_by(Command::new(hub).args(["clinic", "add", "Bench", "--data"]).arg(&data))?;
        add_channel(hub, &data, &phones)?;
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child = Command::new(hub)
            .args(["serve", "--listen", &address.to_string(), "--broker", &broker.url(), "--data"])
            .arg(&data)
            .stderr(File::create(here.join("hub.log"))?)
            .spawn()?;
        let (hub, url) = (Ending(child), format!("http://{address}"));
        wait(|| Ok(std::net::TcpStream::connect(address).is_ok()))?;
        phones.post_to(address);
        settle(bench, &broker, Meanwhile::Silent)?;
        enroll(bench, &url, &code)?;
        let db = app::open_db(&bench.data)?;
        let desk = Plan::draw(&db, 1)?.desk;
        db.close();
        Ok(Self { phones, broker, hub, url, desk, runtime })
    }

    /// Somebody writes, and has the answer on the screen.
    fn replies(&self, bench: &Bench<'_>) -> Result<Figure> {
        let server = self.box_that_is_told(bench)?;
        let mut accepted = Laps::default();
        let mut answered = Laps::default();
        for nth in 0..2 * bench.effort.times {
            let phone = phone(nth % PEOPLE);
            for words in ["hello", "I need a doctor tomorrow morning"] {
                let lap = self.runtime.block_on(self.ask(&phone, words))?;
                accepted.add(lap.0);
                answered.add(lap.1);
            }
        }
        let memory = format!(
            "the box held {:.0} MB, the hub {:.0} MB",
            server.resident_mb()?,
            resident_mb(self.hub.0.id())?
        );
        Ok(figure(
            "message to reply, provider to provider",
            answered.text(),
            Some(("p95 < 300 ms", answered.ms(95) < 300.0)),
            format!("the webhook alone {}; {memory}", accepted.text()),
        ))
    }

    /// How long until the hub had it, and until the answer was there.
    async fn ask(&self, phone: &str, words: &str) -> Result<(Duration, Duration)> {
        let before = self.phones.messages(phone, 0).last().map_or(0, |it| it.number);
        let begun = Instant::now();
        let said = Said::Text(words.to_owned());
        let status = self.phones.say((phone, "Somebody"), said, Timestamp::now()).await?;
        ensure!(status == 200, "the hub answers {status}");
        let accepted = begun.elapsed();
        let mut newest = before;
        while !self.phones.messages(phone, before).iter().any(|it| it.is_from_clinic) {
            ensure!(begun.elapsed() < PATIENCE, "no answer came");
            let waited = self.phones.newer_than(newest);
            newest = tokio::time::timeout(PATIENCE, waited).await.context("no answer came")?;
        }
        Ok((accepted, begun.elapsed()))
    }

    /// A box that serves, and whose records the hub has.
    fn box_that_is_told(&self, bench: &Bench<'_>) -> Result<Server> {
        let server = Server::start(bench.program, &bench.data)?;
        server.wait_for_check()?;
        wait(|| is_told(&server, &self.desk))?;
        Ok(server)
    }

    /// The box tells the hub what to do while it is away.
    fn hub_answers(&self, bench: &Bench<'_>) -> Result<()> {
        let told = |conn: &rusqlite::Connection| -> Result<(Vec<u8>, i64)> {
            let sql =
                "SELECT digest, (SELECT count(*) FROM relay_row WHERE had IS NULL) FROM told_facts";
            Ok(conn.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
        };
        let conn = bare::reader(&bench.data)?;
        let (before, _) = told(&conn)?;
        settle(bench, &self.broker, Meanwhile::Answering)?;
        let _server = self.box_that_is_told(bench)?;
        wait(|| {
            let (now, on_their_way) = told(&conn)?;
            Ok(now != before && on_their_way == 0)
        })
    }

    /// Messages come while the box is off; then it is on.
    fn outage(
        &self,
        bench: &Bench<'_>,
        (waiting, meanwhile): (usize, Meanwhile),
    ) -> Result<Vec<Figure>> {
        let alone = bare::single_commits(&bench.data, 5 * bench.effort.times)?;
        let asks = (0..waiting).map(|nth| self.webhook(nth, meanwhile)).collect();
        let address = self.url.trim_start_matches("http://").parse()?;
        let mut accepted = Laps::default();
        for (_, lap) in load::open(address, "", WEBHOOKS_PER_SECOND, asks)? {
            accepted.add(lap);
        }
        let (before, items_before) = heard(&bare::reader(&bench.data)?)?;
        let server = Server::start(bench.program, &bench.data)?;
        let (mut begun, mut most): (Option<Instant>, f64) = (None, 0.0);
        let from = Instant::now();
        let conn = bare::reader(&bench.data)?;
        let items = loop {
            let (come, items) = heard(&conn)?;
            let come = come - before;
            if come > 0 {
                begun = begun.or(Some(Instant::now()));
            }
            most = most.max(server.resident_mb()?);
            if come >= waiting {
                break items - items_before;
            }
            ensure!(from.elapsed() < PATIENCE, "{come} of {waiting} messages came");
            std::thread::sleep(COUNT);
        };
        let took = begun.unwrap_or(from).elapsed().as_secs_f64();
        let rate = waiting as f64 / took;
        wait(|| Ok(unanswered(&conn)? == 0))?;
        let answered = begun.unwrap_or(from).elapsed().as_secs_f64();
        let (accepted_when, taken_in, goal) = match meanwhile {
            Meanwhile::Silent => (
                "a webhook accepted, at 200/s",
                "messages that waited, taken in by the box",
                Some(("10,000/s", rate >= 10_000.0)),
            ),
            Meanwhile::Answering => (
                "  while the hub answers in the box's place",
                "  with what the hub said in its place",
                None,
            ),
        };
        Ok(vec![
            figure(
                accepted_when,
                accepted.text(),
                Some(("p99 < 50 ms", accepted.ms(99) < 50.0)),
                format!("one durable row alone {}", alone.text()),
            ),
            figure(
                taken_in,
                format!("{rate:.0}/s: {took:.1} s for {waiting}"),
                goal,
                format!(
                    "all answered after {answered:.1} s; {items} things came in all; the box held {most:.0} MB at the most, the hub {:.0} MB; first after {:.1} s",
                    resident_mb(self.hub.0.id())?,
                    begun.unwrap_or(from).duration_since(from).as_secs_f64()
                ),
            ),
        ])
    }

    /// A webhook of the provider with one message.
    fn webhook(&self, nth: usize, meanwhile: Meanwhile) -> Ask {
        let phone = phone(nth % PEOPLE);
        let at = Timestamp::now().as_second().to_string();
        let value = json!({
            "messaging_product": "whatsapp",
            "metadata": {
                "display_phone_number": NUMBER.trim_start_matches('+'),
                "phone_number_id": NUMBER_ID,
            },
            "contacts": [{ "profile": { "name": "Somebody" }, "wa_id": phone.trim_start_matches('+') }],
            "messages": [{
                "from": phone.trim_start_matches('+'), "id": format!("wamid.bench{}.{nth}", meanwhile as u8),
                "timestamp": at, "type": "text", "text": { "body": "is the doctor in today" },
            }],
        });
        let entry = json!([{ "id": "1", "changes": [{ "field": "messages", "value": value }] }]);
        let body: Value = json!({ "object": "whatsapp_business_account", "entry": entry });
        let body = body.to_string();
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.phones.account().app_secret.as_bytes());
        let hex: String = hmac::sign(&key, body.as_bytes())
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let path = "/api/v1/prm/webhooks/whatsapp/meta".to_owned();
        Ask::post("webhook", path, body, &[200])
            .with_header("x-hub-signature-256", format!("sha256={hex}"))
    }
}

fn phone(nth: usize) -> String {
    // None of them is without WhatsApp.
    format!("+9198{:08}", 10_000_001 + nth)
}

/// What the box goes by. What is lent would be refused to the desk, and nobody books here.
fn settle(bench: &Bench<'_>, broker: &Broker, meanwhile: Meanwhile) -> Result<()> {
    let settings = format!(
        "[loans]\nshare_percent = 0\n[relay]\nbroker = \"{}\"\n[messages]\nhub_answers = {}\n",
        broker.url(),
        meanwhile == Meanwhile::Answering
    );
    Ok(fs::write(bench.data.join("carepost.toml"), settings)?)
}

/// How many messages the box heard, and how many things it has of its hub.
fn heard(conn: &rusqlite::Connection) -> Result<(usize, i64)> {
    let heard = "SELECT count(*), (SELECT coalesce(max(number), 0) FROM relay_taken) FROM message WHERE direction = 'in'";
    let (messages, items): (i64, i64) =
        conn.query_row(heard, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((usize::try_from(messages)?, items))
}

/// How many messages wait for an answer.
fn unanswered(conn: &rusqlite::Connection) -> Result<i64> {
    let sql = "SELECT count(*) FROM message WHERE direction = 'in' AND handled_at IS NULL";
    Ok(conn.query_row(sql, [], |row| row.get(0))?)
}

fn add_channel(hub: &Path, data: &Path, phones: &Phones) -> Result<()> {
    let account = phones.account();
    let secrets = [&account.access_token, &account.app_secret, &account.verify_token]
        .map(|it| format!("{it}\n"))
        .concat();
    let mut child = Command::new(hub)
        .args(["channel", "add", "--clinic", "Bench", "meta", "--messaging-url", &phones.url()])
        .args(["--phone-number-id", NUMBER_ID, "--data"])
        .arg(data)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    std::io::Write::write_all(&mut child.stdin.take().context("no input")?, secrets.as_bytes())?;
    ensure!(child.wait()?.success(), "the hub does not take the account");
    Ok(())
}

/// Waits until something is so.
fn wait(mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !is_so()? {
        ensure!(begun.elapsed() < PATIENCE, "it does not come to an end");
        std::thread::sleep(LOOK);
    }
    Ok(())
}
