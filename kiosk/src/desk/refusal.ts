// What a refusal of the box is called on the screen.
import { Problem } from '../lib/api';
import type { Slot } from '../lib/shapes';
import type { Values } from '../lib/words';
import type { Key } from './words.svelte';

export interface Refusal {
  key: Key;
  values?: Values;
}

const SENTENCES: Record<string, Key> = {
  unreachable: 'refused.unreachable',
  slot_taken: 'refused.slot_taken',
  forbidden: 'refused.forbidden',
  stale: 'refused.stale',
  busy: 'refused.busy',
  illegal_step: 'refused.illegal_step',
  queue_empty: 'refused.queue_empty',
  storage_full: 'refused.storage_full',
  wrong_signin: 'refused.wrong_signin',
  see_the_desk: 'refused.not_found',
  patient_double_booked: 'refused.patient_double_booked',
  slot_unavailable: 'refused.slot_unavailable',
  slot_lent: 'refused.slot_lent',
  slot_unlearned: 'refused.slot_unlearned',
  not_lent: 'refused.not_lent',
  session_full: 'refused.session_full',
  location_taken: 'refused.location_taken',
  hold_expired: 'refused.hold_expired',
  inactive: 'refused.inactive',
  name_taken: 'refused.name_taken',
  identifier_taken: 'refused.identifier_taken',
  wrong_code: 'device.code_unknown',
  last_admin: 'refused.last_admin',
  location_not_found: 'refused.room_gone',
};

/** Refusals that another slot answers. */
const ANOTHER_SLOT = new Set(['slot_taken', 'slot_lent', 'session_full', 'location_taken', 'slot_unavailable']);

export function refusalOf(cause: unknown): Refusal {
  if (!(cause instanceof Problem)) return { key: 'refused.fault' };
  if (cause.status === 429) {
    return { key: 'refused.too_many_tries', values: { minutes: Math.max(1, Math.ceil((cause.retryAfter ?? 60) / 60)) } };
  }
  const known = SENTENCES[cause.code];
  if (known) return { key: known };
  if (cause.status === 404) return { key: 'refused.not_found' };
  if (cause.status >= 500) return { key: 'refused.fault' };
  // The box's own sentence is in English; a clerk is better served by it than by nothing.
  return { key: 'refused.because', values: { detail: cause.message } };
}

/** The field that a refusal is about, where it is about one. */
export function fieldOf(cause: unknown): string | null {
  if (!(cause instanceof Problem)) return null;
  if (cause.code === 'location_not_found') return 'location_id';
  const field = cause.body['field'];
  return typeof field === 'string' ? field : null;
}

/** The slots to choose from instead, where the refusal is one of time or place; null for any other. */
export function otherSlots(cause: unknown): Slot[] | null {
  if (!(cause instanceof Problem) || !ANOTHER_SLOT.has(cause.code)) return null;
  return Array.isArray(cause.body['alternatives']) ? (cause.body['alternatives'] as Slot[]) : [];
}

export function earliestFirst(slots: Slot[]): Slot[] {
  return slots.toSorted((a, b) => Date.parse(a.start) - Date.parse(b.start));
}

export function isRefusal(cause: unknown, code: string): cause is Problem {
  return cause instanceof Problem && cause.code === code;
}
