// The texts that the desk has at hand, made ready for one person: what is known of them stands in its place, and what
// is not stands there as a gap that somebody fills in.
import type { Appointment, CannedAnswer, Conversation, Faq, PatientInstruction } from '../lib/shapes';
import { dateOf, showDate, showTime } from './clock';

export const PLACES = ['patient', 'doctor', 'day', 'time', 'clinic'] as const;
export type Place = (typeof PLACES)[number];

/** What is known; null where it is not. */
export interface Known {
  patient: string | null;
  clinic: string | null;
  /** The next visit, and with whom it is. */
  visit: { start: string; doctor: string } | null;
}

/** A text that can be inserted as it is. */
export interface Ready {
  id: string;
  kind: 'canned' | 'instruction' | 'faq';
  title: string;
  text: string;
}

/** A text with what is known in its places; `gap` says what stands where nothing is known. */
export function fill(text: string, { patient, clinic, visit }: Known, locale: string, gap: (place: Place) => string): string {
  const known: Record<Place, string | null> = {
    patient,
    clinic,
    doctor: visit && visit.doctor,
    day: visit && showDate(dateOf(visit.start), locale, 'long'),
    time: visit && showTime(visit.start, locale),
  };
  return text.replace(/\{\s*\$([a-z]+)\s*\}/g, (written, name: string) => {
    const place = PLACES.find((one) => one === name);
    return place ? (known[place] ?? gap(place)) : written;
  });
}

/** Where the first gap stands in a text. */
export function firstGap(text: string, gaps: string[]): { from: number; to: number } | null {
  const found = gaps.map((gap) => ({ from: text.indexOf(gap), length: gap.length })).filter(({ from }) => from >= 0);
  const first = found.toSorted((a, b) => a.from - b.from)[0];
  return first ? { from: first.from, to: first.from + first.length } : null;
}

/** Those in the language that is spoken, whatever the region; all of them where there is none. */
export function inLanguage<T extends { language: string }>(all: T[], spoken: string | null): T[] {
  const base = (tag: string) => tag.split('-')[0];
  const own = spoken === null ? [] : all.filter(({ language }) => base(language) === base(spoken));
  return own.length > 0 ? own : all;
}

/** The visit that is next. */
export function nextVisit(appointments: Appointment[], nowMs: number): Appointment | null {
  const stands = appointments.filter(
    ({ status, start }) => (status === 'booked' || status === 'pending') && Date.parse(start) > nowMs,
  );
  return stands.toSorted((a, b) => Date.parse(a.start) - Date.parse(b.start))[0] ?? null;
}

/** Whether somebody who types this means it: each word begins a word of its title, or stands in its text. */
export function fits({ title, text }: Ready, typed: string): boolean {
  const [head, body] = [` ${title.toLowerCase()}`, text.toLowerCase()];
  const words = typed.toLowerCase().split(/\s+/).filter((word) => word !== '');
  return words.every((word) => head.includes(` ${word}`) || body.includes(word));
}

/** Everything that may be inserted in a conversation: the desk's own texts first. */
export function ready(
  { answers, instructions, faqs }: { answers: CannedAnswer[]; instructions: PatientInstruction[]; faqs: Faq[] },
  { language }: Conversation,
  fillIn: (text: string, language: string) => string,
  serviceName: (id: string) => string,
): Ready[] {
  const canned = inLanguage(answers, language).map(
    (one): Ready => ({ id: one.id, kind: 'canned', title: one.title, text: fillIn(one.text, one.language) }),
  );
  const told = inLanguage(instructions, language).map(
    (one): Ready => ({ id: one.id, kind: 'instruction', title: serviceName(one.healthcare_service_id), text: one.text }),
  );
  const asked = inLanguage(faqs.filter(({ active }) => active), language).map(
    (one): Ready => ({ id: one.id, kind: 'faq', title: one.questions[0] ?? '', text: one.answer }),
  );
  return [...canned, ...told, ...asked];
}
