import { describe, expect, it } from 'vitest';
import type { Appointment, Leave, Practitioner, Schedule, Slot } from '../lib/shapes';
import { blocksOf, columnsOf, hoursOf, nearestFree, pxPerMinute, sessionsOf, slotAt, stepOf, type Day } from './grid';
import { besides } from './grid-keys';

const DATE = '2026-11-23';
const MORNING = Date.parse(`${DATE}T08:00:00+05:30`);
const at = (clock: string) => `${DATE}T${clock}:00+05:30`;

function practitioner(id: string): Practitioner {
  return { id, version: 1, name: id, specialties: [], token_prefix: 'A', location_id: null, active: true };
}

function slot(practitioner_id: string, start: string, end: string, free = 1): Slot {
  const id = `${practitioner_id}.${start}`;
  return { id, schedule_id: 's', practitioner_id, location_id: null, start: at(start), end: at(end), free, lent: false };
}

function appointment(practitioner_id: string, start: string, end: string, status: Appointment['status'] = 'booked') {
  const id = `${practitioner_id}@${start}`;
  return { id, status, practitioner_id, start: at(start), end: at(end), patient: { name: 'Asha' } } as Appointment;
}

function day(parts: Partial<Day>): Day {
  return { date: DATE, practitioners: [], locations: [], schedules: [], leaves: [], slots: [], appointments: [], ...parts };
}

describe('the columns of a day', () => {
  const practitioners = ['menon', 'rao', 'khan', 'iyer'].map(practitioner);
  const leave = { practitioner_id: 'khan', from: '2026-11-20', to: DATE, reason: null } as Leave;
  const onMondays = { practitioner_id: 'khan', weekdays: ['mon'], valid_from: null, valid_to: null } as unknown as Schedule;

  it('are those who work, those who are booked all the same, and those who would work but for a leave', () => {
    const columns = columnsOf(
      day({
        practitioners,
        leaves: [leave],
        schedules: [onMondays],
        slots: [slot('menon', '09:00', '09:15')],
        appointments: [appointment('rao', '10:00', '10:15'), appointment('iyer', '10:00', '10:15', 'cancelled')],
      }),
      MORNING,
    );
    expect(columns.map((column) => [column.practitioner.id, column.leave !== null])).toEqual([
      ['menon', false],
      ['rao', false],
      ['khan', true],
    ]);
  });

  it('have those who are booked even if they work here no more, and not those who then would be away', () => {
    const gone = practitioners.map((one) => ({ ...one, active: false }));
    const appointments = [appointment('rao', '10:00', '10:15')];
    const columns = columnsOf(day({ practitioners: gone, leaves: [leave], schedules: [onMondays], appointments }), MORNING);
    expect(columns.map((column) => column.practitioner.id)).toEqual(['rao']);
  });

  it('count as free only what is still to come', () => {
    const slots = [slot('menon', '09:00', '09:15'), slot('menon', '09:15', '09:30', 0), slot('menon', '10:00', '10:15')];
    const nine = Date.parse(at('09:05'));
    expect(columnsOf(day({ practitioners, slots }), nine)[0]?.free).toBe(1);
  });
});

describe('the grid', () => {
  const slots = [slot('menon', '09:00', '09:15'), slot('menon', '09:15', '09:30'), slot('menon', '23:45', '24:00')];
  // The box writes midnight as the next day.
  slots[2] = { ...(slots[2] as Slot), end: '2026-11-24T00:00:00+05:30' };

  it('shows what is lent and has no free place beside it', () => {
    const lent = { ...slot('menon', '09:00', '09:15', 0), lent: true };
    const beside = { ...slot('menon', '09:15', '09:30', 1), lent: true };
    const blocks = blocksOf(day({ practitioners: [practitioner('menon')], slots: [lent, beside] }), [], { from: 540, to: 570 });
    expect(blocks.map((block) => [block.id, block.startEditable])).toEqual([['lent.menon.09:00', false]]);
  });

  it('joins slots that touch, and lets an evening end at midnight', () => {
    expect(sessionsOf(slots)).toEqual([
      { from: 540, to: 570 },
      { from: 1425, to: 1440 },
    ]);
    expect(hoursOf({ slots, appointments: [] })).toEqual({ from: 510, to: 1440 });
  });

  it('has lines on which the slots of everybody fall', () => {
    expect(stepOf([slot('a', '09:00', '09:15'), slot('b', '09:00', '09:20')])).toBe(5);
    expect(stepOf([slot('a', '09:00', '09:20'), slot('b', '09:00', '09:40')])).toBe(20);
  });

  it('gives the shortest visit a line of text', () => {
    const height = (start: string, end: string) => pxPerMinute({ slots: [slot('a', start, end)], appointments: [] });
    expect(height('09:00', '09:15')).toBe(2.6);
    expect(height('09:00', '09:05') * 5).toBe(height('09:00', '09:10') * 10);
    expect(pxPerMinute({ slots: [], appointments: [] })).toBe(2.6);
  });

  it('shades what is outside the sessions and leaves out what was cancelled', () => {
    const whole = day({
      practitioners: [practitioner('menon')],
      slots: slots.slice(0, 2),
      appointments: [appointment('menon', '09:00', '09:15'), appointment('menon', '09:15', '09:30', 'cancelled')],
    });
    const blocks = blocksOf(whole, columnsOf(whole, MORNING), { from: 510, to: 600 });
    expect(blocks.map((block) => [block.display ?? 'appointment', block.start.slice(11, 16), block.end.slice(11, 16)])).toEqual([
      ['background', '08:30', '09:00'],
      ['background', '09:30', '10:00'],
      ['appointment', '09:00', '09:15'],
    ]);
  });
});

describe('a drop on the grid', () => {
  const slots = [slot('menon', '09:00', '09:15', 0), slot('menon', '09:15', '09:30'), slot('rao', '09:00', '09:20')];

  it('means the slot it falls into, free or not', () => {
    expect(slotAt(slots, 'menon', '09:14')?.start).toBe(at('09:00'));
    expect(slotAt(slots, 'rao', '09:15')?.start).toBe(at('09:00'));
    expect(slotAt(slots, 'menon', '09:30')).toBeNull();
  });

  it('outside a session is answered with the nearest free slots of that practitioner', () => {
    expect(nearestFree(slots, 'menon', '13:00', MORNING, 3).map((one) => one.start)).toEqual([at('09:15')]);
    expect(nearestFree(slots, 'menon', '13:00', Date.parse(at('09:20')), 3)).toEqual([]);
  });
});

describe('the arrow keys', () => {
  const whole = day({
    practitioners: ['menon', 'rao', 'khan'].map(practitioner),
    slots: [slot('rao', '09:00', '09:15')],
    appointments: [
      appointment('menon', '09:00', '09:15'),
      appointment('menon', '10:00', '10:15'),
      appointment('khan', '09:45', '10:00'),
      appointment('khan', '12:00', '12:15'),
    ],
  });
  const columns = columnsOf(whole, MORNING);
  const blocks = blocksOf(whole, columns, { from: 510, to: 780 });

  it('go up and down in a column and stop at its ends', () => {
    expect(besides(blocks, columns, 'menon@09:00', 'ArrowDown')).toBe('menon@10:00');
    expect(besides(blocks, columns, 'menon@09:00', 'ArrowUp')).toBeNull();
  });

  it('go over an empty column to the nearest in time', () => {
    expect(besides(blocks, columns, 'menon@10:00', 'ArrowRight')).toBe('khan@09:45');
    expect(besides(blocks, columns, 'khan@12:00', 'ArrowLeft')).toBe('menon@10:00');
    expect(besides(blocks, columns, 'khan@12:00', 'ArrowRight')).toBeNull();
  });

  it('leave other keys alone', () => {
    expect(besides(blocks, columns, 'menon@09:00', 'a')).toBeUndefined();
  });
});
