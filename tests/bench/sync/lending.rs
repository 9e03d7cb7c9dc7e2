//! What lending costs: slots that stayed empty because the other side held them, in a simulated month.
//!
//! By the very rules by which a box chooses what it lends. Two practitioners see patients in slots of a quarter of an
//! hour; the desk and people online ask for nearly as many as there are. Whoever finds none on the day that suits, nor
//! on the two after it, is turned away. While the line is there a side asks the other; while it is cut each gives
//! what it holds.

use fastrand::Rng;
use sync_protocol::loan::policy::{Candidate, Policy, choose, sell_until_ms};

use super::figure;
use crate::table::Figure;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Days that are simulated before the month, so that it begins in the middle of a clinic's life.
const BEFORE: i64 = 28;
const MONTH: i64 = 28;
const PRACTITIONERS: usize = 2;
/// Slots of a practitioner on a day, from nine on.
const SLOTS: i64 = 32;
const SLOT_MS: i64 = HOUR_MS / 4;
/// People who ask, as a share of the slots.
const DEMAND: f64 = 0.95;
/// Those of them who ask online.
const ONLINE: f64 = 0.3;
/// Seeds of which the average is taken.
const SEEDS: u64 = 40;

/// When the line is cut.
#[derive(Clone, Copy)]
enum Cut {
    /// For the second week of the month.
    Week,
    /// Always, but for an hour each night.
    ButNights,
}

impl Cut {
    fn is_there(self, now_ms: i64) -> bool {
        let (day, hour) = ((now_ms / DAY_MS) - BEFORE, now_ms % DAY_MS / HOUR_MS);
        match self {
            Self::Week => !(7..14).contains(&day),
            Self::ButNights => hour == 2,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Week => "cut for a week",
            Self::ButNights => "cut all day, every day",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Free,
    Lent,
    /// Sold online; the box may not know yet.
    Sold,
    Booked,
}

/// What happened in the month.
#[derive(Clone, Copy, Default)]
struct Sum {
    desk: u32,
    online: u32,
    empty: u32,
}

struct Clinic {
    policy: Policy,
    /// By practitioner and day.
    days: Vec<Vec<Vec<Place>>>,
    /// Slots for which somebody was turned away because the other side held them.
    missed: std::collections::BTreeSet<(usize, i64, usize)>,
    sum: Sum,
}

fn start(day: i64, slot: usize) -> i64 {
    day * DAY_MS + 9 * HOUR_MS + i64::try_from(slot).unwrap_or(0) * SLOT_MS
}

impl Clinic {
    /// What the box does while the line is there.
    fn exchange(&mut self, now_ms: i64) {
        let policy = self.policy;
        for days in &mut self.days {
            for (day, places) in (0..).zip(days.iter_mut()) {
                for (slot, place) in places.iter_mut().enumerate() {
                    // What the hub can sell no more comes back.
                    if *place == Place::Lent && sell_until_ms(policy, start(day, slot)) <= now_ms {
                        *place = Place::Free;
                    }
                }
                let open: Vec<(usize, Candidate)> = places
                    .iter()
                    .enumerate()
                    .filter(|(_, it)| matches!(it, Place::Free | Place::Lent))
                    .map(|(slot, it)| {
                        let start_ms = start(day, slot);
                        (slot, Candidate { start_ms, away: *it == Place::Lent })
                    })
                    .collect();
                let candidates: Vec<Candidate> = open.iter().map(|it| it.1).collect();
                for at in choose(policy, &candidates, now_ms) {
                    places[open[at].0] = Place::Lent;
                }
            }
        }
    }

    /// Somebody asks for one of three days.
    fn ask(&mut self, now_ms: i64, wished: i64, online: bool, is_there: bool) {
        let mut other = None;
        for day in wished..wished + 3 {
            for practitioner in 0..PRACTITIONERS {
                let Some(places) = self.days[practitioner].get_mut(day as usize) else { continue };
                for (slot, place) in places.iter_mut().enumerate() {
                    let begins = start(day, slot);
                    let sells =
                        *place == Place::Lent && now_ms < sell_until_ms(self.policy, begins);
                    let suits = begins > now_ms
                        && match *place {
                            Place::Free => !online || is_there,
                            Place::Lent => is_there || (online && sells),
                            Place::Sold | Place::Booked => false,
                        };
                    if suits {
                        *place = if online { Place::Sold } else { Place::Booked };
                        return;
                    }
                    if begins > now_ms && matches!(*place, Place::Free | Place::Lent) {
                        other = other.or(Some((practitioner, day, slot)));
                    }
                }
            }
        }
        let Some(missed) = other else { return };
        if (BEFORE..BEFORE + MONTH).contains(&(now_ms / DAY_MS)) {
            self.missed.insert(missed);
            if online { self.sum.online += 1 } else { self.sum.desk += 1 }
        }
    }
}

/// One month by a seed.
fn month(policy: Policy, cut: Cut, seed: u64) -> Sum {
    let mut rng = Rng::with_seed(seed);
    let days = usize::try_from(BEFORE + MONTH + 40).unwrap_or(0);
    let day = vec![Place::Free; usize::try_from(SLOTS).unwrap_or(0)];
    let mut clinic = Clinic {
        policy,
        days: vec![vec![day; days]; PRACTITIONERS],
        missed: std::collections::BTreeSet::new(),
        sum: Sum::default(),
    };
    let by_day = DEMAND * (SLOTS as f64) * (PRACTITIONERS as f64);
    let every_ms = DAY_MS as f64 / by_day;
    let (mut now_ms, mut hour) = (0_i64, -1);
    while now_ms < (BEFORE + MONTH) * DAY_MS {
        now_ms += (-(1.0 - rng.f64()).ln() * every_ms) as i64;
        let is_there = cut.is_there(now_ms);
        while hour < now_ms / HOUR_MS {
            hour += 1;
            if cut.is_there(hour * HOUR_MS) {
                clinic.exchange(hour * HOUR_MS);
            }
        }
        let online = rng.f64() < ONLINE;
        // Four of ten at the desk want to come today or tomorrow; the others within two weeks or so.
        let ahead = if !online && rng.f64() < 0.4 {
            i64::from(rng.bool())
        } else {
            (-(1.0 - rng.f64()).ln() * 5.0) as i64
        };
        clinic.ask(now_ms, now_ms / DAY_MS + ahead.min(26), online, is_there);
    }
    let is_empty = |(practitioner, day, slot): &(usize, i64, usize)| {
        let places = clinic.days.get(*practitioner).and_then(|it| it.get(*day as usize));
        places.is_some_and(|it| matches!(it[*slot], Place::Free | Place::Lent))
            && *day < BEFORE + MONTH
    };
    let empty = clinic.missed.iter().filter(|it| is_empty(it)).count();
    Sum { empty: u32::try_from(empty).unwrap_or(u32::MAX), ..clinic.sum }
}

/// Each policy, for each way of being cut.
pub fn figures() -> Vec<Figure> {
    let slots = SLOTS * MONTH * PRACTITIONERS as i64;
    let policies = [(0, 24), (10, 24), (20, 24), (50, 24), (10, 2), (20, 2), (50, 2)];
    let mut figures = Vec::new();
    for cut in [Cut::Week, Cut::ButNights] {
        for (share_percent, hours) in policies {
            let cutoff_ms = hours * HOUR_MS;
            let policy = Policy { share_percent, cutoff_ms, ..Policy::USUAL };
            let sums = (0..SEEDS).map(|seed| month(policy, cut, seed));
            let sum = sums.fold(Sum::default(), |sum, it| Sum {
                desk: sum.desk + it.desk,
                online: sum.online + it.online,
                empty: sum.empty + it.empty,
            });
            let mean = |it: u32| f64::from(it) / SEEDS as f64;
            let what = format!("lent {share_percent} % until {hours} h before, {}", cut.text());
            let value = format!(
                "{:.1} slots stayed empty ({:.1} %)",
                mean(sum.empty),
                100.0 * mean(sum.empty) / slots as f64
            );
            let reference = format!(
                "turned away for what the other side held: at the desk {:.1}, online {:.1}",
                mean(sum.desk),
                mean(sum.online)
            );
            figures.push(Figure { group: "lending", ..figure(&what, value, None, reference) });
        }
    }
    figures
}
