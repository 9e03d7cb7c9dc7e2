import { describe, expect, it } from 'vitest';
import { addDays, ageOn, minutesSince, offsetOf, showBirth, showHour, showTime, wallTime, weekdayOf } from './clock';

describe('a time of the box', () => {
  it('is shown as the clinic’s wall clock, whatever zone the browser lives in', () => {
    expect(wallTime('2026-11-23T00:20:00+05:30')).toBe('00:20');
    expect(showTime('2026-11-23T13:20:00+05:30', 'en-US').replace(/\s/g, ' ')).toBe('1:20 PM');
    expect(showTime('2026-11-23T13:20:00-05:00', 'en-GB')).toBe('13:20');
    expect(showHour('2026-11-23T13:20:00+05:30', 'en-US')).toBe('1:20');
  });

  it('tells its offset', () => {
    expect(offsetOf('2026-11-23T13:20:00+10:30')).toBe('+10:30');
    expect(offsetOf('2026-11-23T13:20:00Z')).toBe('+00:00');
  });

  it('waits no less than zero minutes when two clocks disagree', () => {
    const joined = '2026-11-23T10:00:00+05:30';
    expect(minutesSince(joined, Date.parse('2026-11-23T10:12:59+05:30'))).toBe(12);
    expect(minutesSince(joined, Date.parse('2026-11-23T09:59:00+05:30'))).toBe(0);
  });
});

describe('a date', () => {
  it('goes on over months, leap days and the nights when clocks are set', () => {
    expect(addDays('2028-02-28', 1)).toBe('2028-02-29');
    expect(addDays('2026-03-28', 2)).toBe('2026-03-30');
    expect(addDays('2026-01-01', -1)).toBe('2025-12-31');
    expect(weekdayOf('2026-11-23')).toBe('mon');
  });
});

describe('an age', () => {
  it('counts a birthday only when it has come', () => {
    expect(ageOn('2026-11-23', '1984-11-23')).toBe(42);
    expect(ageOn('2026-11-23', '1984-11-24')).toBe(41);
  });

  it('takes unknown days and months as past', () => {
    expect(ageOn('2026-11-23', '1984')).toBe(42);
    expect(ageOn('2026-11-23', '1984-11')).toBe(42);
    expect(ageOn('2026-11-23', '1984-12')).toBe(41);
    expect(showBirth('1984', 'en-IN')).toBe('1984');
  });
});
