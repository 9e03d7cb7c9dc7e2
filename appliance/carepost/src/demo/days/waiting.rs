//! The waiting room: arriving, checking in, being called, and going home.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use prm::appointment::{self, Status};
use prm::check_in;
use prm::db::Tx;
use prm::error::Result;
use prm::id::{AppointmentId, PractitionerId, QueueEntryId};
use prm::queue::{self, QueueEntry};
use prm::schedule;

use super::super::house::{SEATS, Who, after};
use super::{Days, Event, minutes};

/// Of a hundred people who are called, so many do not hear it.
const UNHEARD_PERCENT: u8 = 3;
/// A talk at the desk, in minutes.
const DESK_MINUTES: f64 = 4.0;

/// People who wait for one practitioner, or for the desk, as far as it is simulated.
pub(super) struct Line {
    line: queue::Line,
    visit_minutes: f64,
    waiting: usize,
    inside: Option<QueueEntryId>,
    /// Whether the next call is planned.
    planned: bool,
}

impl Line {
    /// A line for each practitioner and, as the last one, the desk's.
    pub(super) fn all(practitioners: &[PractitionerId]) -> Vec<Self> {
        let new = |line, visit_minutes| Self {
            line,
            visit_minutes,
            waiting: 0,
            inside: None,
            planned: false,
        };
        let of_practitioners = practitioners
            .iter()
            .zip(&SEATS)
            .map(|(id, seat)| new(queue::Line::Practitioner(*id), seat.visit_minutes));
        of_practitioners.chain([new(queue::Line::Desk, DESK_MINUTES)]).collect()
    }
}

impl Days {
    pub(super) fn arrive(
        &mut self,
        tx: &mut Tx<'_>,
        at: Timestamp,
        (id, start): (AppointmentId, Timestamp),
    ) -> Result<()> {
        let stamp = self.clerk(at);
        let found = appointment::get(tx, &stamp, id)?;
        if found.status == Status::Booked && found.start == start {
            appointment::arrive(tx, &stamp, id, None)?;
        }
        Ok(())
    }

    pub(super) fn check_in(
        &mut self,
        tx: &mut Tx<'_>,
        at: Timestamp,
        (id, start): (AppointmentId, Timestamp),
    ) -> Result<()> {
        let found = appointment::get(tx, &self.clerk(at), id)?;
        let here = matches!(found.status, Status::Booked | Status::Arrived) && found.start == start;
        if !here || self.date(at) != self.date(start) {
            return Ok(());
        }
        let at_kiosk = found.status == Status::Booked && self.chance(60);
        let stamp = if at_kiosk { self.kiosk(at) } else { self.clerk(at) };
        check_in::check_in(tx, &stamp, id)?;
        let seat = self.practitioners.iter().position(|id| *id == found.practitioner);
        let session = self.session_of.get(&(found.schedule, self.date(start)));
        let begins = session.map_or(at, |nth| self.sessions[*nth].begins);
        if let Some(seat) = seat {
            self.joined(seat, at, begins);
        }
        Ok(())
    }

    pub(super) fn no_show(
        &mut self,
        tx: &mut Tx<'_>,
        at: Timestamp,
        (id, start): (AppointmentId, Timestamp),
    ) -> Result<()> {
        let stamp = self.clerk(at);
        let found = appointment::get(tx, &stamp, id)?;
        if found.status == Status::Booked && found.start == start {
            appointment::no_show(tx, &stamp, id, None)?;
        }
        Ok(())
    }

    pub(super) fn walk_in(&mut self, tx: &mut Tx<'_>, at: Timestamp, session: usize) -> Result<()> {
        let session = &self.sessions[session];
        let (seat, begins, date) = (session.seat, session.begins, session.date);
        // Leave that was taken since closes the session.
        let away = schedule::away(tx, self.practitioners[seat], date, after(date, 1))?;
        let who = self.added[session.added].who;
        if !away.is_empty() || self.date(at) != date {
            return Ok(());
        }
        let Some((_, patient)) = self.somebody(who, date) else { return Ok(()) };
        queue::join_walk_in(tx, &self.clerk(at), patient, self.practitioners[seat])?;
        self.joined(seat, at, begins);
        Ok(())
    }

    pub(super) fn unheard(&mut self, tx: &mut Tx<'_>, at: Timestamp, line: usize) -> Result<()> {
        let stamp = self.clerk(at);
        let date = self.date(at);
        let Some((_, patient)) = self.somebody(Who::Anyone, date) else { return Ok(()) };
        let entry = queue::join_walk_in(tx, &stamp, patient, self.practitioners[line])?.entry;
        queue::call(tx, &stamp, entry.id, None)?;
        queue::skip(tx, &stamp, entry.id, None)?;
        Ok(())
    }

    pub(super) fn at_the_desk(&mut self, tx: &mut Tx<'_>, at: Timestamp) -> Result<()> {
        check_in::at_the_desk(tx, &self.kiosk(at))?;
        // The clerk finishes with whoever is there first.
        self.joined(self.lines.len() - 1, at, at + minutes(6));
        Ok(())
    }

    pub(super) fn call_next(&mut self, tx: &mut Tx<'_>, at: Timestamp, line: usize) -> Result<()> {
        let stamp = self.caller(line, at);
        let Line { line: of, visit_minutes, waiting, inside, planned } = &mut self.lines[line];
        *planned = false;
        if inside.is_some() || *waiting == 0 {
            return Ok(());
        }
        let minutes = *visit_minutes;
        let entry = queue::call_next(tx, &stamp, *of, false)?;
        *waiting -= 1;
        *inside = Some(entry.id);
        if self.chance(UNHEARD_PERCENT) {
            self.push(at + SignedDuration::from_secs(150), Event::Skip(line, entry.id));
        } else {
            let seconds = minutes * 60.0 * self.rng.f64().mul_add(0.7, 0.7);
            #[allow(clippy::cast_possible_truncation, reason = "a visit is short")]
            let length = SignedDuration::from_secs(seconds as i64);
            self.push(at + length, Event::Finish(line, entry.id));
        }
        Ok(())
    }

    pub(super) fn finish(
        &mut self,
        tx: &mut Tx<'_>,
        at: Timestamp,
        (line, entry): (usize, QueueEntryId),
    ) -> Result<()> {
        // At midnight everybody went home.
        if self.lines[line].inside == Some(entry) {
            queue::finish(tx, &self.caller(line, at), entry, None)?;
            self.is_free(line, at);
        }
        Ok(())
    }

    pub(super) fn skip(
        &mut self,
        tx: &mut Tx<'_>,
        at: Timestamp,
        (line, entry): (usize, QueueEntryId),
    ) -> Result<()> {
        if self.lines[line].inside == Some(entry) {
            queue::skip(tx, &self.caller(line, at), entry, None)?;
            self.is_free(line, at);
            if self.chance(60) {
                let back = at + minutes(self.rng.i64(4..15));
                self.push(back, Event::Rejoin(line, entry));
            }
        }
        Ok(())
    }

    pub(super) fn rejoin(
        &mut self,
        tx: &mut Tx<'_>,
        at: Timestamp,
        (line, entry): (usize, QueueEntryId),
    ) -> Result<()> {
        let stamp = self.clerk(at);
        if queue::get(tx, &stamp, entry)?.status == queue::Status::Skipped {
            queue::rejoin(tx, &stamp, entry, None)?;
            self.joined(line, at, at);
        }
        Ok(())
    }

    /// Nobody waits over midnight: who still does is seen quickly, who was skipped went home.
    pub(super) fn end_day(&mut self, tx: &mut Tx<'_>, at: Timestamp, date: Date) -> Result<()> {
        let stamp = self.clerk(at);
        for QueueEntry { id, status, appointment, .. } in queue::list(tx, &stamp, date, None)? {
            match status {
                queue::Status::Waiting => {
                    queue::call(tx, &stamp, id, None)?;
                    queue::finish(tx, &stamp, id, None)?;
                }
                queue::Status::Called => {
                    queue::finish(tx, &stamp, id, None)?;
                }
                queue::Status::Skipped => {
                    queue::leave(tx, &stamp, id, None)?;
                    if let Some(appointment) = appointment {
                        appointment::no_show(tx, &stamp, appointment, None)?;
                    }
                }
                queue::Status::Finished | queue::Status::Left => {}
            }
        }
        for line in &mut self.lines {
            line.waiting = 0;
            line.inside = None;
        }
        Ok(())
    }

    /// Somebody more waits in a line; nobody is called before it begins.
    fn joined(&mut self, line: usize, at: Timestamp, begins: Timestamp) {
        let Line { waiting, inside, planned, .. } = &mut self.lines[line];
        *waiting += 1;
        if !*planned && inside.is_none() {
            *planned = true;
            let call = (at + SignedDuration::from_secs(40)).max(begins);
            self.push(call, Event::CallNext(line));
        }
    }

    fn is_free(&mut self, line: usize, at: Timestamp) {
        let Line { waiting, inside, planned, .. } = &mut self.lines[line];
        *inside = None;
        if *waiting > 0 && !*planned {
            *planned = true;
            let pause = SignedDuration::from_secs(self.rng.i64(30..120));
            self.push(at + pause, Event::CallNext(line));
        }
    }
}
