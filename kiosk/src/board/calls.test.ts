import { expect, it } from 'vitest';
import type { Board } from '../lib/shapes';
import { justCalled, newestFirst } from './calls';

const call = (token: string, minute: number, calls = 1) => ({
  token,
  room: 'Room 1',
  called_at: `2026-11-23T10:${String(minute).padStart(2, '0')}:00+05:30`,
  calls,
});
const board = (...called: Board['called']): Board => ({ now: '2026-11-23T10:30:00+05:30', called, waiting: [] });

it('shows the newest call first, whatever offset its time is written with', () => {
  const later = { ...call('B-002', 0), called_at: '2026-11-23T04:45:00Z' };
  expect(newestFirst(board(call('A-001', 5), later, call('C-003', 10))).map((one) => one.token)).toEqual([
    'B-002',
    'C-003',
    'A-001',
  ]);
});

it('chimes for a call and for a recall, and for nothing that was already there', () => {
  const before = board(call('A-001', 5), call('B-002', 6));
  expect(justCalled(before, board(call('A-001', 9, 2), call('B-002', 6), call('C-003', 8)))).toEqual(['A-001', 'C-003']);
  expect(justCalled(before, before)).toEqual([]);
});

it('is silent when it starts', () => {
  expect(justCalled(null, board(call('A-001', 5)))).toEqual([]);
});
