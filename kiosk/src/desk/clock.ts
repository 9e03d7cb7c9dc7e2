// Dates and times as the box says them: the clinic's wall clock, whatever zone this browser lives in.
// Invariant: a time is read from its letters (`2026-11-23T10:20:00+05:30` is 10:20), never converted.
import type { Weekday } from '../lib/shapes';

const WEEKDAYS: Weekday[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const DAY_MS = 86_400_000;

export type DateStyle = 'short' | 'long' | 'weekday' | 'month-day' | 'day';

const STYLES: Record<DateStyle, Intl.DateTimeFormatOptions> = {
  short: { weekday: 'short', day: 'numeric', month: 'short' },
  long: { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
  weekday: { weekday: 'short' },
  'month-day': { day: 'numeric', month: 'short' },
  day: { day: 'numeric', month: 'short', year: 'numeric' },
};

const HOURS: Intl.DateTimeFormatOptions = { hour: 'numeric', minute: '2-digit' };
const formats = new Map<string, Intl.DateTimeFormat>();

export function dateOf(time: string): string {
  return time.slice(0, 10);
}

/** `10:20` */
export function wallTime(time: string): string {
  return time.slice(11, 16);
}

/** The time without its offset, for those who would convert it. */
export function wallClock(time: string): string {
  return time.slice(0, 19);
}

/** Minutes since midnight on the clinic's wall. */
export function minuteOfDay(time: string): number {
  return Number(time.slice(11, 13)) * 60 + Number(time.slice(14, 16));
}

/** `+05:30`; what the wall clock was ahead of UTC at that moment. */
export function offsetOf(time: string): string {
  return /[+-]\d{2}:\d{2}$/.exec(time)?.[0] ?? '+00:00';
}

export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

export function weekdayOf(date: string): Weekday {
  return WEEKDAYS[new Date(`${date}T00:00:00Z`).getUTCDay()] as Weekday;
}

/** Whole minutes from one moment to another, never below zero. */
export function minutesSince(time: string, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - Date.parse(time)) / 60_000));
}

export function showTime(time: string, locale: string): string {
  return format(locale, 'time', HOURS).format(Date.parse(`${wallClock(time)}Z`));
}

/** The time without morning or afternoon, where the place says which: `1:20`. */
export function showHour(time: string, locale: string): string {
  return format(locale, 'time', HOURS)
    .formatToParts(Date.parse(`2000-01-01T${wallTime(time)}Z`))
    .filter(({ type }) => type !== 'dayPeriod')
    .map(({ value }) => value)
    .join('')
    .trim();
}

export function showDate(date: string, locale: string, style: DateStyle = 'short'): string {
  return format(locale, style, STYLES[style]).format(Date.parse(`${date}T00:00:00Z`));
}

/** A birth date of which day or month may be unknown. */
export function showBirth(birth: string, locale: string): string {
  if (birth.length === 4) return birth;
  if (birth.length === 7) {
    return format(locale, 'month', { month: 'short', year: 'numeric' }).format(Date.parse(`${birth}-01T00:00:00Z`));
  }
  return showDate(birth, locale, 'day');
}

/** Years of age; unknown days and months are taken as past. */
export function ageOn(today: string, birth: string): number {
  const years = Number(today.slice(0, 4)) - Number(birth.slice(0, 4));
  const rest = birth.slice(5);
  return rest !== '' && today.slice(5, 5 + rest.length) < rest ? years - 1 : years;
}

function format(locale: string, name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${name}`;
  let found = formats.get(key);
  if (!found) formats.set(key, (found = new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' })));
  return found;
}
