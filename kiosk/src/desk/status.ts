// What the states of an appointment are called, how they are marked, and which steps each allows.
import type { Appointment, AppointmentStatus } from '../lib/shapes';
import { dateOf } from './clock';
import type { Step } from './day.svelte';
import type { IconName } from './icons';
import type { Key } from './words.svelte';

const STATUS_WORD: Record<AppointmentStatus, Key> = {
  pending: 'status.pending',
  booked: 'status.booked',
  arrived: 'status.arrived',
  'checked-in': 'status.checked-in',
  fulfilled: 'status.fulfilled',
  cancelled: 'status.cancelled',
  noshow: 'status.noshow',
  'entered-in-error': 'status.entered-in-error',
};

/** A mark beside the colour, for those who do not see it. */
const STATUS_ICON: Partial<Record<AppointmentStatus, IconName>> = {
  pending: 'clock',
  arrived: 'person',
  'checked-in': 'person',
  fulfilled: 'check',
  noshow: 'close',
};

/** Who said that they will come is booked like the others, and more certain. */
function isPromised({ status, confirmed }: Appointment): boolean {
  return status === 'booked' && confirmed;
}

export function wordOf(appointment: Appointment): Key {
  return isPromised(appointment) ? 'status.confirmed' : STATUS_WORD[appointment.status];
}

export function iconOf(appointment: Appointment): IconName | undefined {
  return isPromised(appointment) ? 'chat' : STATUS_ICON[appointment.status];
}

export type Act = Step | 'move' | 'cancel' | 'qr';

/** What the box allows with an appointment, the likeliest first. */
export function actsOf(appointment: Appointment, today: string, nowMs: number): Act[] {
  const date = dateOf(appointment.start);
  const isToday = date === today;
  // Nobody has failed to come before it begins.
  const missed: Act[] = Date.parse(appointment.start) <= nowMs ? ['no-show'] : [];
  switch (appointment.status) {
    case 'pending':
      return ['confirm', 'move', 'cancel'];
    case 'booked':
      if (date < today) return ['no-show', 'cancel'];
      if (isToday) return ['check-in', 'arrive', 'move', ...missed, 'qr', 'cancel'];
      return [...(appointment.confirmed ? [] : (['confirm'] as const)), 'move', 'qr', 'cancel'];
    case 'arrived':
      return [...(isToday ? (['check-in'] as const) : []), 'complete', ...missed, 'qr', 'cancel'];
    case 'checked-in':
      return ['complete', ...missed, 'qr', 'cancel'];
    case 'noshow':
      // Late is not never.
      return isToday ? ['check-in'] : [];
    case 'fulfilled':
    case 'cancelled':
    case 'entered-in-error':
      return [];
  }
}
