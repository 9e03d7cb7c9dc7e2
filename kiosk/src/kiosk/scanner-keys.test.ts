import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ScannerKeys } from './scanner-keys';

let keys: ScannerKeys;
let scans: string[];
let typed: string[];
let now: number;

beforeEach(() => {
  vi.useFakeTimers();
  scans = [];
  typed = [];
  now = 1_000;
  keys = new ScannerKeys({ scan: (text) => scans.push(text), key: (key) => typed.push(key) });
});
afterEach(() => vi.useRealTimers());

/** Presses one key after the other; answers which of them were kept from the screen. */
function press(all: string[], between: number): boolean[] {
  return all.map((key) => {
    vi.advanceTimersByTime(between);
    now += between;
    return keys.press(key, now);
  });
}

it('hears a scan that ends with Enter, and keeps Enter from the focused button', () => {
  const kept = press([...'{"hidn":"1"}', 'Enter'], 8);
  expect(scans).toEqual(['{"hidn":"1"}']);
  expect(kept.at(-1)).toBe(true);
  expect(typed).toEqual([]);
});

it('hears one of our codes even without Enter at its end', () => {
  press([...'CP1:6BF+70'], 8);
  vi.advanceTimersByTime(500);
  expect(scans).toEqual(['CP1:6BF+70']);
});

it('ignores the Shift that a scanner presses between its letters', () => {
  press(['Shift', 'C', 'Shift', 'P', '1', 'Shift', ':', 'A', 'B', 'Enter'], 8);
  expect(scans).toEqual(['CP1:AB']);
});

it('leaves a person’s keys to the person', () => {
  const kept = press(['9', '8', '4', '4', 'Enter'], 140);
  expect(typed).toEqual(['9', '8', '4', '4']);
  expect(kept).toEqual([false, false, false, false, false]);
  expect(scans).toEqual([]);
});

it('lets no digit of a scan reach the phone number', () => {
  press(['9'], 400);
  press([...'1234567890', 'Enter'], 400 / 50);
  vi.advanceTimersByTime(500);
  expect(scans).toEqual(['91234567890']);
  expect(typed).toEqual([]);
});

it('keeps two quick keys of nimble fingers', () => {
  press(['9'], 400);
  press(['8'], 20);
  vi.advanceTimersByTime(500);
  expect(typed).toEqual(['9', '8']);
});
