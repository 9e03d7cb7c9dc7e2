import { expect, test } from 'vitest';
import type { Appointment, CannedAnswer } from '../lib/shapes';
import { fill, firstGap, fits, inLanguage, nextVisit, type Known, type Ready } from './canned';

const TEXT = 'Dear { $patient }, {$doctor} sees you on { $day } at { $time }. { $clinic }';
const ASHA: Known = {
  patient: 'Asha Rao',
  clinic: 'Shanti Clinic',
  visit: { start: '2026-11-24T10:15:00+05:30', doctor: 'Dr. Iyer' },
};
const gap = (place: string) => `[${place}]`;

test('what is known stands in its place, in the words of the language', () => {
  expect(fill(TEXT, ASHA, 'en-IN', gap)).toBe(
    'Dear Asha Rao, Dr. Iyer sees you on Tuesday, 24 November 2026 at 10:15 am. Shanti Clinic',
  );
  expect(fill('{ $day }', ASHA, 'hi-IN', gap)).toContain('मंगलवार');
});

test('what is not known is a gap, and the first one is found', () => {
  const filled = fill(TEXT, { ...ASHA, visit: null }, 'en-IN', gap);
  expect(filled).toBe('Dear Asha Rao, [doctor] sees you on [day] at [time]. Shanti Clinic');
  expect(firstGap(filled, ['[time]', '[doctor]'])).toEqual({ from: 15, to: 23 });
  expect(firstGap('Nothing [here]', ['[time]'])).toBeNull();
});

test('texts are in the language that is spoken, or in any', () => {
  const answer = (language: string) => ({ language }) as CannedAnswer;
  const [english, hindi] = [answer('en'), answer('hi')];
  expect(inLanguage([english, hindi], 'hi-IN')).toEqual([hindi]);
  expect(inLanguage([english, hindi], 'ta')).toEqual([english, hindi]);
  expect(inLanguage([english, hindi], null)).toEqual([english, hindi]);
});

test('the next visit is the first that stands and is to come', () => {
  const visit = (start: string, status: string) => ({ start, status }) as Appointment;
  const later = visit('2026-11-25T09:00:00+05:30', 'booked');
  const all = [later, visit('2026-11-24T12:00:00+05:30', 'cancelled'), visit('2026-11-24T09:00:00+05:30', 'booked')];
  expect(nextVisit(all, Date.parse('2026-11-24T10:00:00+05:30'))).toBe(later);
});

test('a text is found by the beginnings of its title and by what it says', () => {
  const parking: Ready = { id: '1', kind: 'canned', title: 'Where to park', text: 'Behind the house.' };
  expect(fits(parking, 'par whe')).toBe(true);
  expect(fits(parking, 'house')).toBe(true);
  expect(fits(parking, 'park late')).toBe(false);
});
