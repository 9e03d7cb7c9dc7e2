//! One clinic measured: each figure with its goal and its reference.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use carepost::app;
use jiff::Timestamp;
use prm::db::Db;
use prm::slot;
use prm::stamp::Stamp;

use crate::bare::{self, What};
use crate::client::Ask;
use crate::fhir::{self, Beside};
use crate::laps::{Laps, laps};
use crate::load;
use crate::plan::{self, Plan, SEARCHES};
use crate::server::Server;
use crate::table::{Figure, say};

/// Clients that book at once.
const CLIENTS: usize = 64;
/// Requests in a second of the mixed load.
const MIXED_PER_SECOND: f64 = 200.0;
/// Kiosks check in so many patients in a minute each.
const PER_KIOSK: usize = 20;

/// How long to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    /// Rounds of bookings, each beside its reference.
    pub rounds: usize,
    /// Of each round, and of its reference.
    pub round: Duration,
    /// Requests of the mixed load.
    pub mixed: usize,
    /// Repetitions of single things.
    pub times: usize,
    /// Bookings that are drawn for all of it.
    pub bookings: usize,
}

/// What is measured, where, and how.
pub struct Bench<'a> {
    /// The program.
    pub program: &'a Path,
    /// A clinic that may be used up.
    pub data: PathBuf,
    pub effort: Effort,
    /// The one group that is wanted, or all.
    pub only: Option<&'a str>,
    /// Another FHIR server to measure beside.
    pub beside: Option<Beside>,
}

impl Bench<'_> {
    /// Everything that is wanted of this clinic.
    pub fn run(&self) -> Result<Vec<Figure>> {
        let Self { program, data, effort, .. } = self;
        let mut figures = Vec::new();
        let db = app::open_db(data)?;
        let mut plan = Plan::draw(&db, effort.bookings)?;
        if self.wants("slots") {
            figures.push(self.slots_in_process(&db, &plan)?);
        }
        if self.wants("search") {
            figures.push(self.search_in_process(&db, &plan)?);
        }
        db.close();
        drop(db);
        let mut starts = Laps::default();
        for _ in 0..3 {
            starts.add(Server::start(program, data)?.start);
        }
        let server = Server::start(program, data)?;
        server.wait_for_check()?;
        let at_rest = server.resident_mb()?;
        if self.wants("start") {
            figures.push(self.start(&starts)?);
        }
        if self.wants("slots") {
            figures.push(self.slots(&server, &plan, "first 500", 500)?);
            figures.push(self.slots(&server, &plan, "all", slot::SLOTS_MAX)?);
            figures.push(self.find(&server, &plan)?);
        }
        if self.wants("search") {
            figures.extend(self.search(&server, &plan)?);
        }
        if self.wants("check-in") {
            figures.extend(self.check_in(&server, &mut plan)?);
        }
        if self.wants("mixed") {
            figures.extend(self.mixed(&server, &mut plan)?);
        }
        if self.wants("fhir") {
            figures.extend(fhir::measure(self, &server, &mut plan)?);
        }
        if self.wants("bookings") {
            figures.extend(self.bookings(&server, &mut plan)?);
        }
        if self.wants("memory") {
            figures.extend(self.memory(&server, at_rest)?);
        }
        Ok(figures)
    }

    fn wants(&self, group: &str) -> bool {
        self.only.is_none_or(|only| only == group)
    }

    fn slots_in_process(&self, db: &Db, plan: &Plan) -> Result<Figure> {
        let (search, stamp) = (plan.fortnight()?, Stamp::of_box(Timestamp::now()));
        let mut found = 0;
        let laps = laps(self.effort.times, |_| {
            found = db.read_blocking(|read| slot::list(read, &stamp, &search))?.len();
            Ok(())
        })?;
        let reference = self.claims_read_bare(plan)?;
        Ok(Figure {
            group: "slots",
            what: "free slots, in process".into(),
            value: format!("p50 {:.1}, p95 {:.1} ms ({found} slots)", laps.ms(50), laps.ms(95)),
            goal: Some(("< 5 ms", laps.ms(50) < 5.0)),
            reference: format!("reading the claims alone p50 {:.1} ms", reference.ms(50)),
        })
    }

    /// Reads what the search for free slots must read in any case.
    fn claims_read_bare(&self, plan: &Plan) -> Result<Laps> {
        let conn = bare::reader(&self.data)?;
        let tick = Timestamp::now().as_second() / 300;
        laps(self.effort.times, |_| {
            let mut claims = conn.prepare_cached(
                "SELECT count(*) FROM (SELECT lane, until FROM claim WHERE actor = ?1 AND tick >= ?2 AND tick < ?3)",
            )?;
            for actor in &plan.practitioners {
                claims.query_row((actor, tick, tick + 15 * 288), |row| row.get::<_, i64>(0))?;
            }
            Ok(())
        })
    }

    fn slots(&self, server: &Server, plan: &Plan, which: &str, limit: usize) -> Result<Figure> {
        let asks =
            (0..self.effort.times).map(|_| plan.ask_fortnight(limit)).collect::<Result<_>>()?;
        let (laps, bytes) = load::one_by_one(server.address, &plan.desk, asks)?;
        let kib = bytes / 1024;
        Ok(Figure {
            group: "slots",
            what: format!("free slots, through HTTP, {which}"),
            value: format!("p50 {:.1}, p95 {:.1} ms ({kib} KiB)", laps.ms(50), laps.ms(95)),
            goal: Some(("< 5 ms", laps.ms(50) < 5.0)),
            reference: self.smallest_answer(server, plan)?,
        })
    }

    fn find(&self, server: &Server, plan: &Plan) -> Result<Figure> {
        let asks = (0..self.effort.times).map(|_| plan.ask_find()).collect::<Result<_>>()?;
        let (laps, bytes) = load::one_by_one(server.address, &plan.desk, asks)?;
        let kib = bytes / 1024;
        Ok(Figure {
            group: "slots",
            what: "$find of a fortnight, through FHIR".into(),
            value: format!("p50 {:.1}, p95 {:.1} ms ({kib} KiB)", laps.ms(50), laps.ms(95)),
            goal: Some(("< 10 ms", laps.ms(50) < 10.0)),
            reference: self.smallest_answer(server, plan)?,
        })
    }

    /// What any request costs, however little it asks.
    fn smallest_answer(&self, server: &Server, plan: &Plan) -> Result<String> {
        let asks = vec![Ask::get("clinic", "clinic".into()); self.effort.times];
        let (laps, _) = load::one_by_one(server.address, &plan.desk, asks)?;
        Ok(format!("smallest answer p50 {:.1} ms", laps.ms(50)))
    }

    fn search_in_process(&self, db: &Db, plan: &Plan) -> Result<Figure> {
        let laps = laps(self.searches(plan).count(), |nth| {
            let (_, typed) = &plan.searches[nth];
            db.read_blocking(|read| plan::search(read, typed))?;
            Ok(())
        })?;
        let conn = bare::reader(&self.data)?;
        let scans = self::laps(5, |nth| {
            let (_, typed) = &plan.searches[nth];
            conn.query_row(
                "SELECT count(*) FROM patient_search WHERE names LIKE ?1 OR digits LIKE ?1",
                [format!("%{typed}%")],
                |row| row.get::<_, i64>(0),
            )?;
            Ok(())
        })?;
        Ok(Figure {
            group: "search",
            what: "search, in process".into(),
            value: laps.text(),
            goal: Some(("p95 < 20 ms", laps.ms(95) < 20.0)),
            reference: format!("LIKE over all patients p50 {:.1} ms", scans.ms(50)),
        })
    }

    fn search(&self, server: &Server, plan: &Plan) -> Result<Vec<Figure>> {
        let mut figures = Vec::new();
        let mut all = Laps::default();
        for way in SEARCHES {
            let of_way = self.searches(plan).filter(|(kind, _)| *kind == way);
            let asks = of_way.map(|(kind, typed)| plan::ask_search(kind, typed)).collect();
            let (laps, _) = load::one_by_one(server.address, &plan.desk, asks)?;
            figures.push(Figure {
                group: "search",
                what: format!("search through HTTP, {way}"),
                value: laps.text(),
                goal: None,
                reference: String::new(),
            });
            all.append(laps);
        }
        let whole = Figure {
            group: "search",
            what: "search through HTTP, all ways".into(),
            value: all.text(),
            goal: Some(("p95 < 20 ms", all.ms(95) < 20.0)),
            reference: self.single_commit()?,
        };
        figures.insert(0, whole);
        Ok(figures)
    }

    fn searches<'p>(
        &self,
        plan: &'p Plan,
    ) -> impl Iterator<Item = &'p (&'static str, String)> + use<'p> {
        plan.searches.iter().take(10 * self.effort.times)
    }

    /// What an answer must wait for at least when it leaves a line in the records.
    pub fn single_commit(&self) -> Result<String> {
        let laps = bare::single_commits(&self.data, 5 * self.effort.times)?;
        Ok(format!("one bare durable row p50 {:.1}, p99 {:.1} ms", laps.ms(50), laps.ms(99)))
    }

    fn check_in(&self, server: &Server, plan: &mut Plan) -> Result<Vec<Figure>> {
        let at_desk = plan.take_expected(self.effort.times.min(plan.expected.len() / 4));
        let asks = at_desk.iter().map(|(id, _, _)| plan::ask_check_in(*id)).collect();
        let (desk, _) = load::one_by_one(server.address, &plan.desk, asks)?;
        let mut kiosk = Laps::default();
        for token in plan.kiosks.clone() {
            let show = |(_, phone, birth): &(_, String, String)| {
                let body = format!("{{\"phone\":\"{phone}\",\"birth_date\":\"{birth}\"}}");
                Ask::post("kiosk check in", "check-ins".into(), body, &[200, 201])
            };
            let asks = plan
                .take_expected(PER_KIOSK.min(plan.expected.len() / 4))
                .iter()
                .map(show)
                .collect();
            kiosk.append(load::one_by_one(server.address, &token, asks)?.0);
        }
        let figure = |what: &str, laps: &Laps, reference| Figure {
            group: "check-in",
            what: format!("check-in {what}, through HTTP"),
            value: laps.text(),
            goal: Some(("< 10 ms", laps.ms(95) < 10.0)),
            reference,
        };
        Ok(vec![
            figure("at the desk", &desk, self.single_commit()?),
            figure("at the kiosk by phone", &kiosk, String::new()),
        ])
    }

    fn mixed(&self, server: &Server, plan: &mut Plan) -> Result<Vec<Figure>> {
        let asks = plan.mixed(self.effort.mixed)?;
        let done = load::open(server.address, &plan.desk, MIXED_PER_SECOND, asks)?;
        let mut all = Laps::default();
        let mut by_kind: Vec<(&str, Laps)> = Vec::new();
        for (kind, lap) in done {
            all.add(lap);
            match by_kind.iter_mut().find(|(name, _)| *name == kind) {
                Some((_, laps)) => laps.add(lap),
                None => {
                    let mut laps = Laps::default();
                    laps.add(lap);
                    by_kind.push((kind, laps));
                }
            }
        }
        let mut figures = vec![Figure {
            group: "mixed",
            what: "mixed load, 200 requests/s".into(),
            value: all.text(),
            goal: Some(("p99 < 30 ms", all.ms(99) < 30.0)),
            reference: self.single_commit()?,
        }];
        by_kind.sort_by_key(|(kind, _)| *kind);
        figures.extend(by_kind.iter().map(|(kind, laps)| Figure {
            group: "mixed",
            what: format!("  of it {kind} ({} times)", laps.count()),
            value: laps.text(),
            goal: None,
            reference: String::new(),
        }));
        Ok(figures)
    }

    fn bookings(&self, server: &Server, plan: &mut Plan) -> Result<Vec<Figure>> {
        let Effort { rounds, round, .. } = self.effort;
        let (mut booked, mut rows, mut unchecked) = (Vec::new(), Vec::new(), Vec::new());
        let (mut of_rows, mut of_unchecked) = (Vec::new(), Vec::new());
        let mut all = Laps::default();
        for nth in 0..rounds {
            let bare_rows = bare::group_commit(&self.data, What::Row, CLIENTS, round)?;
            let bare_bookings = bare::group_commit(&self.data, What::Booking, CLIENTS, round)?;
            let desk = plan.desk.clone();
            let mut asks = std::iter::from_fn(|| plan.ask_booking().ok());
            let (laps, took) = load::closed(server.address, &desk, CLIENTS, round, &mut asks)?;
            let rate = laps.count() as f64 / took.as_secs_f64();
            say(&format!(
                "  round {}: {rate:.0} bookings/s, bare {bare_rows:.0} rows/s, {bare_bookings:.0} bookings/s",
                nth + 1
            ));
            booked.push(rate);
            of_rows.push(rate / bare_rows);
            of_unchecked.push(rate / bare_bookings);
            rows.push(bare_rows);
            unchecked.push(bare_bookings);
            all.append(laps);
        }
        let (ratio, of_unchecked) = (median(&mut of_rows), median(&mut of_unchecked));
        Ok(vec![
            Figure {
                group: "bookings",
                what: "durable bookings, 64 clients, HTTP".into(),
                value: format!("{:.0}/s ({ratio:.2} of bare; {})", median(&mut booked), all.text()),
                goal: Some(("1/3 of bare", ratio >= 1.0 / 3.0)),
                reference: format!("bare group commit {:.0} rows/s", median(&mut rows)),
            },
            Figure {
                group: "bookings",
                what: "  beside a booking's rows, unchecked".into(),
                value: format!("{of_unchecked:.2} of bare"),
                goal: None,
                reference: format!("bare group commit {:.0} bookings/s", median(&mut unchecked)),
            },
        ])
    }

    fn start(&self, starts: &Laps) -> Result<Figure> {
        let opening = laps(20, |_| bare::reader(&self.data).map(drop))?;
        let bytes = fs::metadata(self.data.join("carepost.db"))?.len();
        Ok(Figure {
            group: "start",
            what: "start to ready".into(),
            value: format!("{:.0} ms ({} MB of records)", starts.ms(50), bytes / 1_000_000),
            goal: Some(("< 500 ms", starts.ms(50) < 500.0)),
            reference: format!("opening the file bare {:.1} ms", opening.ms(50)),
        })
    }

    fn memory(&self, server: &Server, at_rest: f64) -> Result<Vec<Figure>> {
        let after = server.resident_mb()?;
        let figure = |what: &str, mb: f64, goal, met| Figure {
            group: "memory",
            what: what.into(),
            value: format!("{mb:.0} MB"),
            goal: Some((goal, met)),
            reference: String::new(),
        };
        Ok(vec![
            figure("memory at rest", at_rest, "< 80 MB", at_rest < 80.0),
            figure("memory after the load", after, "< 150 MB", after < 150.0),
        ])
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
