// The day as columns and blocks: what the calendar draws, worked out from the box's answers.
import type { Appointment, Leave, Location, Practitioner, Schedule, Slot } from '../lib/shapes';
import { minuteOfDay, wallClock, wallTime, weekdayOf } from './clock';

/** Appointments that take no time any more. */
const GONE = new Set<Appointment['status']>(['cancelled', 'entered-in-error']);
const MOVABLE = new Set<Appointment['status']>(['pending', 'booked']);
const STEPS = [5, 10, 15, 20, 30];
const USUAL_DAY = { from: 9 * 60, to: 18 * 60 };
/** Ten minutes are one line of text high, fifteen are two. */
const LINE_PX = 26;
const USUAL_PX_PER_MINUTE = LINE_PX / 10;
/** Room above the first and below the last session. */
const MARGIN = 30;

export interface Column {
  practitioner: Practitioner;
  room: string | null;
  leave: Leave | null;
  free: number;
}

/** A stretch of the day, in minutes since midnight. */
export interface Stretch {
  from: number;
  to: number;
}

/** What the calendar takes as an event. */
export interface Block {
  id: string;
  resourceIds: string[];
  start: string;
  end: string;
  title: string;
  display?: 'background';
  startEditable?: boolean;
  classNames: string[];
  extendedProps: { appointment?: Appointment; lent?: Slot; shade?: 'closed' | 'leave' };
}

export interface Day {
  date: string;
  practitioners: Practitioner[];
  locations: Location[];
  schedules: Schedule[];
  leaves: Leave[];
  slots: Slot[];
  appointments: Appointment[];
}

export function isGone(appointment: Appointment): boolean {
  return GONE.has(appointment.status);
}

export function isMovable(appointment: Appointment): boolean {
  return MOVABLE.has(appointment.status);
}

/**
 * Who has a column: those with a session or an appointment that day, and those who would have but for a leave. Whoever
 * is booked has one even if they no longer work here, for their patients will come.
 */
export function columnsOf(day: Day, nowMs: number): Column[] {
  const places = new Map(day.locations.map((location) => [location.id, location.name]));
  const booked = new Set(day.appointments.filter((one) => !isGone(one)).map((one) => one.practitioner_id));
  const columns: Column[] = [];
  for (const practitioner of day.practitioners) {
    const slots = day.slots.filter((slot) => slot.practitioner_id === practitioner.id);
    const leave = leaveOn(day, practitioner.id);
    const isAway = practitioner.active && leave !== null && hasSession(day, practitioner.id);
    if (slots.length === 0 && !booked.has(practitioner.id) && !isAway) continue;
    const place = practitioner.location_id ?? slots[0]?.location_id ?? null;
    columns.push({
      practitioner,
      room: place === null ? null : (places.get(place) ?? null),
      leave,
      free: slots.filter((slot) => slot.free > 0 && Date.parse(slot.start) > nowMs).length,
    });
  }
  return columns;
}

/** The minutes of the day that the grid shows. */
export function hoursOf(day: Pick<Day, 'slots' | 'appointments'>): Stretch {
  const shown = [...day.slots, ...day.appointments.filter((one) => !isGone(one))];
  if (shown.length === 0) return USUAL_DAY;
  const from = Math.min(...shown.map((one) => minuteOfDay(one.start)));
  const to = Math.max(...shown.map(endMinute));
  return { from: Math.max(0, from - MARGIN), to: Math.min(24 * 60, to + MARGIN) };
}

/** The minutes of one line of the grid: the finest that all slots fall on. */
export function stepOf(slots: Slot[]): number {
  const lengths = slots.map((slot) => endMinute(slot) - minuteOfDay(slot.start));
  return STEPS.findLast((step) => lengths.every((length) => length % step === 0)) ?? 5;
}

/** How high a minute is: as usual, or so high that the shortest visit has a line of text. */
export function pxPerMinute(day: Pick<Day, 'slots' | 'appointments'>): number {
  const shown = [...day.slots, ...day.appointments.filter((one) => !isGone(one))];
  const lengths = shown.map((one) => endMinute(one) - minuteOfDay(one.start)).filter((minutes) => minutes > 0);
  return Math.max(USUAL_PX_PER_MINUTE, LINE_PX / Math.min(...lengths));
}

export function blocksOf(day: Day, columns: Column[], hours: Stretch): Block[] {
  const blocks: Block[] = [];
  for (const { practitioner, leave } of columns) {
    const open = sessionsOf(day.slots.filter((slot) => slot.practitioner_id === practitioner.id));
    for (const [index, stretch] of outside(open, hours).entries()) {
      blocks.push({
        id: `shade.${practitioner.id}.${index}`,
        resourceIds: [practitioner.id],
        start: `${day.date}T${clockOf(stretch.from)}`,
        end: `${day.date}T${clockOf(stretch.to)}`,
        title: leave?.reason ?? '',
        display: 'background',
        classNames: [leave ? 'shade-leave' : 'shade-closed'],
        extendedProps: { shade: leave ? 'leave' : 'closed' },
      });
    }
  }
  for (const slot of day.slots) {
    // Where there is a free place beside it, that is booked.
    if (!slot.lent || slot.free > 0) continue;
    blocks.push({
      id: `lent.${slot.id}`,
      resourceIds: [slot.practitioner_id],
      start: wallClock(slot.start),
      end: wallClock(slot.end),
      title: '',
      startEditable: false,
      classNames: ['is-lent'],
      extendedProps: { lent: slot },
    });
  }
  for (const appointment of day.appointments) {
    if (isGone(appointment)) continue;
    blocks.push({
      id: appointment.id,
      resourceIds: [appointment.practitioner_id],
      start: wallClock(appointment.start),
      end: wallClock(appointment.end),
      title: appointment.patient.name,
      ...(isMovable(appointment) ? {} : { startEditable: false }),
      classNames: [`is-${appointment.status}`, ...(appointment.overbooked ? ['is-overbooked'] : [])],
      extendedProps: { appointment },
    });
  }
  return blocks;
}

/** The slot of a practitioner that a time of the day falls into; `time` is `10:25`. */
export function slotAt(slots: Slot[], practitionerId: string, time: string): Slot | null {
  const minute = minuteOfDay(`0000-00-00T${time}`);
  return (
    slots.find(
      (slot) => slot.practitioner_id === practitionerId && minuteOfDay(slot.start) <= minute && minute < endMinute(slot),
    ) ?? null
  );
}

/** The free slots nearest to a time, of that practitioner, soonest first. */
export function nearestFree(slots: Slot[], practitionerId: string, time: string, nowMs: number, count: number): Slot[] {
  const minute = minuteOfDay(`0000-00-00T${time}`);
  const distance = (slot: Slot) => Math.abs(minuteOfDay(slot.start) - minute);
  return slots
    .filter((slot) => slot.practitioner_id === practitionerId && slot.free > 0 && Date.parse(slot.start) > nowMs)
    .sort((a, b) => distance(a) - distance(b))
    .slice(0, count)
    .sort((a, b) => a.start.localeCompare(b.start));
}

/** Slots that touch, as one stretch. */
export function sessionsOf(slots: Slot[]): Stretch[] {
  const sessions: Stretch[] = [];
  for (const slot of slots.toSorted((a, b) => a.start.localeCompare(b.start))) {
    const last = sessions.at(-1);
    const from = minuteOfDay(slot.start);
    if (last && from <= last.to) last.to = Math.max(last.to, endMinute(slot));
    else sessions.push({ from, to: endMinute(slot) });
  }
  return sessions;
}

/** `09:05:00`; the end of the day is `24:00:00`. */
export function clockOf(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}:00`;
}

function outside(open: Stretch[], hours: Stretch): Stretch[] {
  const closed: Stretch[] = [];
  let at = hours.from;
  for (const session of open) {
    if (session.from > at) closed.push({ from: at, to: session.from });
    at = Math.max(at, session.to);
  }
  if (at < hours.to) closed.push({ from: at, to: hours.to });
  return closed;
}

/** An end at midnight belongs to the day before. */
function endMinute(slot: { start: string; end: string }): number {
  return wallTime(slot.end) === '00:00' ? 24 * 60 : minuteOfDay(slot.end);
}

function leaveOn(day: Day, practitionerId: string): Leave | null {
  return (
    day.leaves.find((leave) => leave.practitioner_id === practitionerId && leave.from <= day.date && day.date <= leave.to) ??
    null
  );
}

function hasSession(day: Day, practitionerId: string): boolean {
  const weekday = weekdayOf(day.date);
  return day.schedules.some(
    (schedule) =>
      schedule.practitioner_id === practitionerId &&
      schedule.weekdays.includes(weekday) &&
      (schedule.valid_from === null || schedule.valid_from <= day.date) &&
      (schedule.valid_to === null || day.date <= schedule.valid_to),
  );
}
